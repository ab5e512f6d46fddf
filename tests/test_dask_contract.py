"""Is what cheq.dask makes lazy, named after its inputs and fit to be sent, and is the rest refused at the call?"""

import pickle
import re

import numpy as np
import pytest

import cheq

pytestmark = pytest.mark.worlds
pytest.importorskip("dask.array", reason="dask[array] is not installed")

import dask  # noqa: E402
import dask.array as da  # noqa: E402
from dask.diagnostics import ProgressBar  # noqa: E402
from dask_tools import assert_same, images_of  # noqa: E402

import cheq.dask  # noqa: E402

IMAGES = images_of(np.uint8)
WHOLE, SPLIT = (2, 9, 10, 4), (2, 4, 5, 4)
LUT = np.arange(256, dtype=np.uint8)[::-1].copy()
VOLUME = {"axes": (1, 2)}
MASK = np.random.default_rng(3).random(IMAGES.shape) < 0.6


class Reads:
    """An array that counts how often each of its pixels is read."""

    def __init__(self, array):
        self.array, self.times = array, np.zeros(array.shape, int)
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        self.times[index] += 1
        return self.array[index]


def read(array, chunks):
    """A dask array, and the times that its pixels have been read."""
    source = Reads(array)
    return da.from_array(
        source, chunks=chunks, asarray=True, meta=np.empty((0,) * array.ndim, array.dtype)
    ), source.times


# Calls that have nothing to compute beforehand, for chunks of whole planes or for any.
COUNTS = cheq.histogram(IMAGES[0], axes=(0, 1))[0] + 1
LAZY = {
    "equalize": lambda x: cheq.dask.equalize(x, **VOLUME),
    "equalize, mask": lambda x: cheq.dask.equalize(x, **VOLUME, mask=x != 3, outside="keep"),
    "clahe": lambda x: cheq.dask.clahe(x, **VOLUME),
    "match_histograms": lambda x: cheq.dask.match_histograms(x, IMAGES[0, ..., :1], **VOLUME),
    "reference_histogram": lambda x: cheq.dask.match_histograms(x, reference_histogram=COUNTS, **VOLUME),
    "histogram": lambda x: cheq.dask.histogram(x, **VOLUME),
    "equalization_lut": lambda x: cheq.dask.equalization_lut(cheq.dask.histogram(x, **VOLUME)),
    "matching_lut": lambda x: cheq.dask.matching_lut(cheq.dask.histogram(x, **VOLUME), COUNTS),
    "apply_lut": lambda x: cheq.dask.apply_lut(x, LUT),
}
SPLIT_TOO = {
    "equalize, lazy": lambda x: cheq.dask.equalize(x, **VOLUME, lazy=True),
    "equalize, floats": lambda x: cheq.dask.equalize(x / np.float32(255), method="skimage", **VOLUME, lazy=True),
    "match_histograms, lazy": lambda x: cheq.dask.match_histograms(x, IMAGES[0, ..., :1], **VOLUME, lazy=True),
    **{name: LAZY[name] for name in ("histogram", "equalization_lut", "matching_lut", "apply_lut")},
}
CALLS = [(name, call, WHOLE) for name, call in LAZY.items()] + [(name, call, SPLIT) for name, call in SPLIT_TOO.items()]
CALLS = [pytest.param(call, chunks, id=f"{name} {chunks}") for name, call, chunks in CALLS]


@pytest.mark.parametrize(("call", "chunks"), CALLS)
def test_nothing_is_read_at_the_call_and_each_chunk_once(call, chunks):
    images, times = read(IMAGES, chunks)
    result = call(images)
    assert not times.any()
    result.compute(scheduler="threads")
    assert (times == 1).all()


@pytest.mark.parametrize(
    ("call", "at_the_call", "later"),
    [
        (lambda x: cheq.dask.equalize(x, **VOLUME), 1, 1),
        (lambda x: cheq.dask.equalize(x.astype(np.float32), **VOLUME, method="skimage"), 2, 1),
        (lambda x: cheq.dask.match_histograms(x, IMAGES[0, ..., :1], **VOLUME), 1, 1),
        (lambda x: cheq.dask.match_histograms(x, reference_histogram=COUNTS, **VOLUME), 1, 1),
    ],
)
def test_split_planes_are_counted_at_the_call(call, at_the_call, later):
    images, times = read(IMAGES, SPLIT)
    with dask.config.set(scheduler="threads"):
        result = call(images)
        assert (times == at_the_call).all()
        result.compute()
    assert (times == at_the_call + later).all()


@pytest.mark.parametrize(("call", "chunks"), CALLS)
def test_names_depend_on_the_input_alone(call, chunks):
    first, again, other = (call(da.from_array(array, chunks=chunks)) for array in (IMAGES, IMAGES.copy(), IMAGES[::-1]))
    assert first.name == again.name
    assert first.name != other.name
    assert dict(first.__dask_graph__()).keys() == dict(again.__dask_graph__()).keys()


def test_names_depend_on_the_options():
    images = da.from_array(IMAGES, chunks=WHOLE)
    options = [{}, {"method": "skimage"}, {"method": "numpy"}, {"method": "numpy", "dtype": "same"}, {"mask": MASK}]
    options += [{"mask": ~MASK}, {"mask": MASK, "outside": "keep"}, {"method": "pillow"}]
    names = [cheq.dask.equalize(images, **VOLUME, **each).name for each in options]
    names += [cheq.dask.equalize(images, axes=axes).name for axes in ((1,), (2,), (2, 3))]
    assert all(name.startswith("cheq-equalize-") for name in names)
    assert len(set(names)) == len(names)
    split = images.rechunk(SPLIT)
    names = [cheq.dask.histogram(split, axes=axes, mask=mask).name for axes in ((1,), (1, 2)) for mask in (None, MASK)]
    assert len(set(names)) == 4


@pytest.mark.parametrize(("call", "chunks"), CALLS)
def test_graphs_are_pickled(call, chunks):
    result = call(da.from_array(IMAGES, chunks=chunks))
    again = pickle.loads(pickle.dumps(result))
    assert_same(again, result.compute(scheduler="synchronous"), result.chunks)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_schedulers(scheduler):
    images = da.from_array(IMAGES, chunks=SPLIT)
    with dask.config.set(scheduler=scheduler, num_workers=1 if scheduler == "processes" else 2):
        given = cheq.dask.equalize(images, **VOLUME, mask=MASK, outside="keep").compute()
    np.testing.assert_array_equal(given, cheq.equalize(IMAGES, **VOLUME, mask=MASK, outside="keep"))


@pytest.mark.parametrize("chunks", [WHOLE, SPLIT])
def test_what_is_changed_after_the_call_counts_as_it_was(chunks):
    mask, lut, reference, limits, grid = (
        MASK.copy(),
        LUT.copy(),
        IMAGES[0, ..., :1].copy(),
        np.full((3, 4), 9.0),
        [2, 3],
    )
    counts, images = COUNTS.copy(), da.from_array(IMAGES, chunks=chunks)
    made = [
        (cheq.dask.equalize(images, **VOLUME, mask=mask), cheq.equalize(IMAGES, **VOLUME, mask=mask)),
        (cheq.dask.apply_lut(images, lut), cheq.apply_lut(IMAGES, lut)),
        (
            cheq.dask.match_histograms(images, reference, **VOLUME, lazy=True),
            cheq.match_histograms(IMAGES, reference, **VOLUME),
        ),
        (
            cheq.dask.match_histograms(images, reference_histogram=counts, **VOLUME, lazy=True),
            cheq.match_histograms(IMAGES, IMAGES[:1], axes=(1, 2)),
        ),
    ]
    if chunks == WHOLE:
        options = {"clip_limit": limits, "tile_grid_size": grid, **VOLUME}
        made.append((cheq.dask.clahe(images, **options), cheq.clahe(IMAGES, **options)))
    del made[3]
    for array in (mask, lut, reference, limits, counts):
        array[...] = 0
    grid[0] = 9
    for given, expected in made:
        assert_same(given, expected)


def test_progress_is_dasks_own(capsys):
    images = da.from_array(IMAGES, chunks=SPLIT)
    with ProgressBar():
        result = cheq.dask.equalize(images, **VOLUME)
        assert "100% Completed" in capsys.readouterr().out
        result.compute()
        assert "100% Completed" in capsys.readouterr().out


# ---------------------------------------------------------------- refusals

ARRAY = da.from_array(IMAGES, chunks=SPLIT)
FLOATS = images_of(np.float32)


def unknown():
    """An array whose chunks are as long as there are values above 3."""
    return ARRAY.reshape(-1)[ARRAY.reshape(-1) > 3]


FUNCTIONS = {
    "images": {
        "equalize": cheq.dask.equalize,
        "clahe": cheq.dask.clahe,
        "match_histograms": lambda x: cheq.dask.match_histograms(x, IMAGES),
        "reference_histogram": lambda x: cheq.dask.match_histograms(x, reference_histogram=COUNTS),
        "histogram": cheq.dask.histogram,
        "apply_lut": lambda x: cheq.dask.apply_lut(x, LUT),
    },
    "histogram": {
        "equalization_lut": cheq.dask.equalization_lut,
        "matching_lut": lambda x: cheq.dask.matching_lut(x, COUNTS),
    },
}
FIRST = [pytest.param(name, call, id=called) for name, calls in FUNCTIONS.items() for called, call in calls.items()]


@pytest.mark.parametrize(("name", "call"), FIRST)
def test_other_arrays_are_refused(name, call):
    for array, got in ((IMAGES, "numpy.ndarray"), (IMAGES.tolist(), "builtins.list")):
        with pytest.raises(
            TypeError, match=rf"^{name}: expected a dask.array.Array, got {got}; pass dask.array.from_a"
        ):
            call(array)
    with pytest.raises(TypeError, match=rf"^{name}: expected an array without a mask, got a numpy.ma.MaskedArray"):
        call(da.from_array(np.ma.masked_equal(IMAGES, 3), chunks=SPLIT))


@pytest.mark.parametrize(("name", "call"), FIRST)
def test_chunks_of_unknown_sizes_are_refused(name, call):
    message = rf"^{name}: expected chunks of known sizes, got shape \(nan,\); call {name}.compute_chunk_sizes\(\)$"
    with pytest.raises(ValueError, match=message):
        call(unknown())
    known = unknown().compute_chunk_sizes()
    assert cheq.dask.histogram(known, axes=0).sum().compute() == known.size


def refused(call, kind, message):
    """The call is refused, without computing anything."""

    def compute(*args, **kwargs):
        raise AssertionError("something was computed")

    with dask.config.set(scheduler=compute), pytest.raises(kind, match=message) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: cheq.dask.equalize(ARRAY), ValueError, "last axis looks like channels|pass channel_axis"),
        (lambda: cheq.dask.equalize(ARRAY[..., 0].astype(np.int32)), TypeError, "images: expected dtype uint8"),
        (lambda: cheq.dask.equalize(ARRAY, axes=(1, 7)), ValueError, "axes: expected an axis from -4 to 3"),
        (lambda: cheq.dask.equalize(ARRAY, axes=1, method="x"), ValueError, "method: expected one of"),
        (lambda: cheq.dask.equalize(ARRAY, axes=1, nbins=9), ValueError, "nbins: expected 256"),
        (
            lambda: cheq.dask.equalize(ARRAY, axes=1, outside="keep"),
            ValueError,
            "outside: expected 'lut' without a mask",
        ),
        (lambda: cheq.dask.equalize(ARRAY, axes=1, dtype=np.float32), ValueError, "dtype: expected None, 'same'"),
        (lambda: cheq.dask.equalize(ARRAY, axes=1, mask=ARRAY), TypeError, "mask: expected dtype bool, got uint8"),
        (
            lambda: cheq.dask.equalize(ARRAY, axes=1, mask=MASK[:2]),
            ValueError,
            "mask: expected a shape that broadcasts",
        ),
        (
            lambda: cheq.dask.equalize(ARRAY, axes=1, mask=ARRAY[:2] > 3),
            ValueError,
            "mask: expected a shape that broad",
        ),
        (
            lambda: cheq.dask.equalize(ARRAY, axes=1, mask=unknown() > 3),
            ValueError,
            "mask: expected chunks of known sizes",
        ),
        (lambda: cheq.dask.clahe(ARRAY, axes=1), ValueError, "axes: expected two axes, height and width"),
        (lambda: cheq.dask.clahe(ARRAY, **VOLUME, clip_limit=[1.0, 2.0]), ValueError, "clip_limit: expected a shape"),
        (lambda: cheq.dask.clahe(ARRAY, **VOLUME, clip_limit=ARRAY), TypeError, "pass clip_limit.compute()"),
        (
            lambda: cheq.dask.match_histograms(ARRAY),
            ValueError,
            "expected one of reference and reference_histogram, got n",
        ),
        (lambda: cheq.dask.match_histograms(ARRAY, IMAGES, reference_histogram=COUNTS), ValueError, "got both"),
        (lambda: cheq.dask.match_histograms(ARRAY, ARRAY, axes=1), TypeError, "reference: .* pass reference.compute()"),
        (lambda: cheq.dask.match_histograms(ARRAY, FLOATS, axes=1), TypeError, "reference: expected the images' dtype"),
        (
            lambda: cheq.dask.match_histograms(da.from_array(FLOATS), FLOATS * np.nan, axes=1),
            ValueError,
            r"^reference: expected finite values, got NaN in plane \(0, 0, 0\)",
        ),
        (
            lambda: cheq.dask.match_histograms(ARRAY, reference_histogram=COUNTS[1:], axes=1),
            ValueError,
            r"reference_histogram: expected a last axis of 256 or 65536 bins, got shape \(255,\)",
        ),
        (
            lambda: cheq.dask.match_histograms(ARRAY, reference_histogram=ARRAY[0], axes=1),
            ValueError,
            r"reference_histogram: expected a last axis of 256 or 65536 bins, got shape \(9, 10, 4\)",
        ),
        (
            lambda: cheq.dask.match_histograms(ARRAY, reference_histogram=COUNTS * 0, axes=1),
            ValueError,
            "reference_histogram: expected a count above 0 in every histogram, got an empty one",
        ),
        (
            lambda: cheq.dask.match_histograms(ARRAY, reference_histogram=[COUNTS] * 2, **VOLUME),
            ValueError,
            r"reference_histogram: expected a batch shape that broadcasts to \(3, 4\), got \(2,\)",
        ),
        (
            lambda: cheq.dask.match_histograms(ARRAY, reference_histogram=COUNTS, reference_mask=MASK, axes=1),
            ValueError,
            "reference_mask: expected None with reference_histogram",
        ),
        (
            lambda: cheq.dask.match_histograms(da.from_array(FLOATS), reference_histogram=COUNTS, axes=1),
            TypeError,
            "images: expected integers with reference_histogram, got float32; pass a reference",
        ),
        (lambda: cheq.dask.histogram(da.from_array(FLOATS), axes=1), TypeError, "images: expected dtype uint8, int8"),
        (lambda: cheq.dask.equalization_lut(ARRAY), ValueError, r"got shape \(3, 9, 10, 4\)"),
        (lambda: cheq.dask.equalization_lut(da.ones(256)), TypeError, "histogram: expected integer counts"),
        (
            lambda: cheq.dask.equalization_lut(da.ones(256, dtype=int), images_dtype="int8"),
            TypeError,
            "images_dtype: expected",
        ),
        (
            lambda: cheq.dask.matching_lut(da.ones(256, dtype=int), COUNTS[:9]),
            ValueError,
            "reference_histogram: expected a last",
        ),
        (
            lambda: cheq.dask.matching_lut(da.ones(256, dtype=int), [COUNTS]),
            ValueError,
            "reference_histogram: expected a batch",
        ),
        (lambda: cheq.dask.apply_lut(ARRAY, LUT[1:]), ValueError, "lut: expected the shape of one LUT"),
        (lambda: cheq.dask.apply_lut(ARRAY, da.from_array(LUT[1:])), ValueError, "lut: expected the shape of one LUT"),
        (lambda: cheq.dask.apply_lut(ARRAY, LUT.astype(int)), TypeError, "lut: expected dtype uint8"),
        (lambda: cheq.dask.apply_lut(ARRAY, unknown()), ValueError, "lut: expected chunks of known sizes"),
        (lambda: cheq.dask.apply_lut(ARRAY, LUT, mask=MASK), ValueError, "mask: expected None with outside='lut'"),
    ],
)
def test_errors_are_raised_at_the_call(call, kind, message):
    refused(call, kind, message)


@pytest.mark.parametrize(
    ("call", "dtype"),
    [
        (lambda x: cheq.dask.equalize(x, color="ycrcb", channel_axis=-1), np.uint8),
        (lambda x: cheq.dask.clahe(x, axes=(1, 2)), np.uint8),
        (lambda x: cheq.dask.clahe(x, axes=(1, 2), method="skimage"), np.float32),
        (lambda x: cheq.dask.clahe(x, color="lab", channel_axis=-1), np.uint8),
        (lambda x: cheq.dask.match_histograms(x, images_of(np.float32)[0, ..., :1], axes=(1, 2)), np.float32),
        (lambda x: cheq.dask.match_histograms(x, IMAGES[0], color="yuv", channel_axis=-1), np.uint8),
    ],
)
@pytest.mark.parametrize("chunks", [(2, 4, 10, 4), (2, 9, 5, 4), (1, 4, 3, 2)])
def test_the_rechunk_that_is_proposed_works(call, dtype, chunks):
    array = np.clip(images_of(dtype), -1, 1) if dtype == np.float32 else images_of(dtype)
    images = da.from_array(array, chunks=chunks)
    message = refused(lambda: call(images), ValueError, "images: expected chunks of whole planes.*, got chunks of")
    proposed = eval(re.search(r"pass (images\.rechunk\(.*\))$", message)[1], {"images": images})
    assert_same(call(proposed), call(da.from_array(array, chunks=-1)).compute())


def test_lightness_with_channels_apart_is_refused():
    images = da.from_array(IMAGES, chunks=(1, -1, -1, 2))
    refused(
        lambda: cheq.dask.equalize(images, color="lab", channel_axis=-1), ValueError, "with all channels for color="
    )


# ---------------------------------------------------------------- errors of pixels


def wrong(place, value=np.nan, dtype=np.float32):
    images = images_of(dtype)
    images[place] = value
    return images


def test_a_wrong_pixel_of_a_whole_plane_is_found_with_its_block():
    images = da.from_array(wrong((2, 3, 4, 1)), chunks=(1, 9, 10, 2))
    result = cheq.dask.equalize(images, **VOLUME, method="skimage")
    message = r"^in images.blocks\[2, 0, 0, 0\]: images: expected finite values, got NaN in plane \(0, 1\); pass nan_p"
    with pytest.raises(ValueError, match=message):
        result.compute(scheduler="synchronous")
    result = cheq.dask.clahe(da.clip(images * 9, -9, 9), **VOLUME, method="skimage")
    with pytest.raises(ValueError, match=r"^in images.blocks\[.*\]: images: expected values from -1 to 1, got"):
        result.compute(scheduler="synchronous")
    result = cheq.dask.match_histograms(images, FLOATS[0, ..., :1], **VOLUME)
    with pytest.raises(ValueError, match=r"^in images.blocks\[2, 0, 0, 0\]: images: expected finite values, got NaN"):
        result.compute(scheduler="synchronous")


@pytest.mark.parametrize(("value", "found"), [(np.nan, "NaN"), (-np.inf, "an infinity")])
def test_a_wrong_pixel_of_a_split_plane_is_found_with_its_plane(value, found):
    images = da.from_array(wrong((2, 3, 4, 1), value), chunks=(1, 4, 5, 2))
    message = (
        rf"^images: expected finite values, got {found} in plane \(2, 1\); pass nan_policy='omit' to leave it out$"
    )
    with dask.config.set(scheduler="synchronous"), pytest.raises(ValueError, match=message):
        cheq.dask.equalize(images, **VOLUME, method="numpy")
    result = cheq.dask.equalize(images, **VOLUME, method="numpy", lazy=True)
    with pytest.raises(ValueError, match=message):
        result.compute(scheduler="synchronous")
    masked = cheq.dask.equalize(images, **VOLUME, method="numpy", lazy=True, mask=da.isfinite(images))
    array = images.compute()
    assert_same(masked, cheq.equalize(array, **VOLUME, method="numpy", mask=np.isfinite(array)))


def test_a_split_plane_without_room_for_bins():
    images = images_of(np.float64)
    images[1, ..., 2] = 1 + np.finfo(float).eps * (np.arange(90).reshape(9, 10) % 7)
    for array in (images, np.where(images > 3, np.finfo(float).max, -np.finfo(float).max)):
        with pytest.raises(ValueError, match="too many bins for data range in plane") as caught:
            cheq.equalize(array, **VOLUME, method="skimage")
        with dask.config.set(scheduler="synchronous"), pytest.raises(ValueError, match=re.escape(str(caught.value))):
            cheq.dask.equalize(da.from_array(array, chunks=(2, 4, 5, 3)), **VOLUME, method="skimage")
