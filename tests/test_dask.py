"""Does cheq.dask give the bytes of cheq in memory, whatever the chunks?"""

import itertools

import numpy as np
import pytest
from lists import CASES, FLOAT_CASES, INTEGER_CASES, SPACES
from marks import exhaustive
from pairs import pairs

import cheq

pytestmark = pytest.mark.worlds
pytest.importorskip("dask.array", reason="dask[array] is not installed")

import dask  # noqa: E402
import dask.array as da  # noqa: E402
from dask_tools import CHUNKS, MASKS, SHAPE, assert_same, images_of, mask_of, planes_of  # noqa: E402

import cheq.dask  # noqa: E402

# Of each method a dtype of one byte and one of more; the rest differ in what cheq in memory proves.
FEW = [("opencv", "uint8"), ("opencv", "uint16"), ("pillow", "uint8"), ("numpy", "int8"), ("numpy", "float64")]
FEW += [("skimage", dtype) for dtype in ("uint8", "int16", "bool", "float32")]
REST = [case for case in CASES if case not in FEW]
SOME = ["uint8", "int16", *exhaustive("int8", "uint16")]


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def both(function, images, chunks, planes, mask, outside="lut", lazy=False, **options):
    """What cheq.dask and cheq make of images; ``outside`` is dropped where there is no mask."""
    own, theirs = mask_of(mask, planes, images.shape)
    if mask is not None:
        options["outside"] = outside
    array = da.from_array(images, chunks=chunks)
    given = getattr(cheq.dask, function)(array, **planes, mask=theirs, **options, **({"lazy": True} if lazy else {}))
    return given, getattr(cheq, function)(images, **planes, mask=own, **options), array.chunks


@pytest.mark.parametrize("case", [*FEW, *exhaustive(*REST)], ids="-".join)
def test_equalize(case):
    method, dtype = case
    images = images_of(dtype)
    sames = (None,) if dtype == "bool" else (None, "same", np.dtype(dtype))
    for chunks, planes, mask, outside, lazy, same in pairs(
        CHUNKS, planes_of(dtype), MASKS, ("lut", "keep"), (False, True), sames
    ):
        options = {"method": method, "dtype": same}
        given, expected, own = both("equalize", images, chunks, planes, mask, outside, lazy, **options)
        assert_same(given, expected, own)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_equalize_all_crosses(case):
    method, dtype = case
    images = images_of(dtype)
    for chunks, planes, mask, lazy in itertools.product(CHUNKS, planes_of(dtype), MASKS, (False, True)):
        assert_same(*both("equalize", images, chunks, planes, mask, "lut", lazy, method=method))


@pytest.mark.parametrize("case", FLOAT_CASES, ids="-".join)
def test_bins_of_floats(case):
    """Also those next to the limits of a dtype's precision, and values that are passed over."""
    method, dtype = case
    plain = images_of(dtype)
    narrow = np.dtype(dtype).type(1) + np.finfo(dtype).eps * np.arange(plain.size, dtype=dtype).reshape(SHAPE)
    gaps = plain.copy()
    gaps.reshape(-1)[::7], gaps.reshape(-1)[1::11], gaps[2] = np.nan, np.inf, np.nan
    wide = plain * (np.finfo(dtype).max / 16)
    split, planes = (2, 4, 3, 4), ({"axes": (-2, -1)}, {"axes": (0, 1, 2, 3)})
    for images, nbins, where, mask in pairs(
        (plain, narrow, gaps, wide), (1, 2, 100, 256, 1000), planes, (None, "full")
    ):
        if images is narrow and nbins > 100:
            continue
        if images is narrow and where["axes"] == (-2, -1):
            nbins = min(nbins, 2)
        options = {"method": method, "nbins": nbins, "nan_policy": "omit"}
        assert_same(*both("equalize", images, split, where, mask, **options))


def test_a_large_plane_of_floats():
    """Where roundings of a million values differ, if any do."""
    for dtype, method in itertools.product(("float32", "float64"), ("skimage", "numpy")):
        images = np.random.default_rng(1).gamma(0.7, size=(700, 900)).astype(dtype)
        assert_same(*both("equalize", images, (256, 512), {}, None, method=method, nbins=1000))


@pytest.mark.parametrize("color", SPACES)
def test_lightness(color):
    images = images_of(np.uint8)[..., :3]
    for method, where, mask in (("opencv", -1, None), ("pillow", -1, "full"), ("opencv", 1, "dask")):
        moved = np.ascontiguousarray(np.moveaxis(images, -1, where))
        array = da.from_array(moved, chunks=(2, -1, -1, -1))
        own = None if mask is None else np.random.default_rng(3).random((3, 9, 10)) < 0.6
        theirs = da.from_array(own, chunks=(3, 2, 2)) if mask == "dask" else own
        options = {"channel_axis": where, "color": color, "outside": "lut" if mask is None else "keep"}
        expected = cheq.equalize(moved, method=method, mask=own, **options)
        assert_same(cheq.dask.equalize(array, method=method, mask=theirs, **options), expected, array.chunks)
        expected = cheq.clahe(moved, mask=own, **options, clip_limit=[2, 0, 30])
        assert_same(cheq.dask.clahe(array, mask=theirs, **options, clip_limit=[2, 0, 30]), expected, array.chunks)


def test_other_byte_order():
    images = images_of(np.uint16)
    array = da.from_array(images.astype(">u2"), chunks=(2, 4, 5, 4))
    assert_same(cheq.dask.equalize(array, axes=(1, 2)), cheq.equalize(images, axes=(1, 2)))
    floats = images_of(np.float32)
    array = da.from_array(floats.astype(">f4"), chunks=(2, 4, 5, 4))
    expected = cheq.equalize(floats, axes=(1, 2), method="skimage")
    assert_same(cheq.dask.equalize(array, axes=(1, 2), method="skimage"), expected)


def test_nodata():
    images = np.minimum(images_of(np.int16), 300)
    array = da.from_array(images, chunks=(2, 4, 5, 4))
    options = {"axes": (1, 2), "method": "skimage", "outside": "keep"}
    given = cheq.dask.equalize(array, mask=array != 300, **options)
    assert_same(given, cheq.equalize(images, mask=images != 300, **options))


@pytest.mark.parametrize("shape", [(0, 5, 6), (3, 0, 6), (2, 5, 0), (0, 0), (0, 0, 0)])
def test_no_pixels(shape):
    for dtype, method in (("uint8", "opencv"), ("uint8", "skimage"), ("float32", "skimage"), ("float64", "numpy")):
        images = np.empty(shape, dtype)
        for chunks in (-1, tuple((n, 0) if n else (0, 0) for n in shape)):
            assert_same(*both("equalize", images, chunks, {}, None, method=method))
            if dtype == "uint8":
                array = da.from_array(images, chunks=chunks)
                assert_same(cheq.dask.histogram(array), cheq.histogram(images))
    array = da.from_array(np.empty(shape, np.uint8), chunks=-1)
    assert_same(cheq.dask.clahe(array), cheq.clahe(np.empty(shape, np.uint8)))


def test_read_only_chunks():
    images = images_of(np.uint8)
    images.setflags(write=False)
    for chunks in ((1, 9, 10, 4), (2, 4, 3, 4)):
        array = da.from_array(images, chunks=chunks).map_blocks(_read_only)
        assert_same(cheq.dask.equalize(array, axes=(1, 2)), cheq.equalize(images, axes=(1, 2)))


def _read_only(block):
    block = np.asfortranarray(block)
    block.setflags(write=False)
    return block


# ---------------------------------------------------------------- the steps


@pytest.mark.parametrize("dtype", SOME)
def test_histogram(dtype):
    images = images_of(dtype)
    for chunks, planes, mask in pairs(CHUNKS, planes_of(dtype), MASKS):
        own, theirs = mask_of(mask, planes)
        given = cheq.dask.histogram(da.from_array(images, chunks=chunks), **planes, mask=theirs, split_every=3)
        assert_same(given, cheq.histogram(images, **planes, mask=own))
        assert given.numblocks[-1] == 1


@pytest.mark.parametrize("case", INTEGER_CASES, ids="-".join)
def test_luts(case):
    method, dtype = case
    counts = cheq.histogram(images_of(dtype), axes=(1, 2))
    counts[0, 0] = 0
    lazy = da.from_array(counts, chunks=(2, 3, counts.shape[-1] // 3))
    for same in (None, "same", np.dtype(dtype)):
        options = {"method": method, "dtype": same, "images_dtype": dtype}
        assert_same(cheq.dask.equalization_lut(lazy, **options), cheq.equalization_lut(counts, **options))
    if method in ("skimage", "numpy"):
        weights = np.sqrt(counts + 1)
        lazy = da.from_array(weights, chunks=(2, 3, counts.shape[-1] // 3))
        assert_same(cheq.dask.equalization_lut(lazy, **options), cheq.equalization_lut(weights, **options))
        assert_same(cheq.dask.equalization_lut(lazy[0, 0], **options), cheq.equalization_lut(weights[0, 0], **options))


@pytest.mark.parametrize("dtype", SOME)
def test_matching_luts(dtype):
    counts = cheq.histogram(images_of(dtype), axes=(1, 2))
    counts[0, 0] = 0
    lazy = da.from_array(counts, chunks=(2, 3, counts.shape[-1] // 3))
    for reference, same in itertools.product(
        (counts[1:2] + 1, counts[2, 3], np.ones(counts.shape[-1])), (None, "same")
    ):
        expected = cheq.matching_lut(counts, reference, images_dtype=dtype, dtype=same)
        for given in (reference, da.from_array(reference, chunks=counts.shape[-1] // 2)):
            assert_same(cheq.dask.matching_lut(lazy, given, images_dtype=dtype, dtype=same), expected)


@pytest.mark.parametrize("dtype", SOME)
def test_apply_lut(dtype):
    images = images_of(dtype)
    levels = 1 << 8 * images.dtype.itemsize
    random = np.random.default_rng(2)
    for chunks, planes, mask, kind in pairs(CHUNKS, planes_of(dtype), MASKS, ("uint8", "int16", "float32", "float64")):
        batch = cheq.histogram(images, **planes).shape[:-1]
        keeps = mask is not None and np.can_cast(dtype, kind)
        for shape in ((levels,), (*batch, levels)):
            lut = random.integers(0, 100, shape).astype(kind)
            given = [lut, da.from_array(lut, chunks=levels // 3), lut.astype(lut.dtype.newbyteorder())]
            for theirs in given[: 3 if chunks == -1 else 2]:
                if keeps:
                    assert_same(*_applied(images, chunks, planes, theirs, lut, mask))
                else:
                    array = da.from_array(images, chunks=chunks)
                    expected = cheq.apply_lut(images, lut, **planes)
                    assert_same(cheq.dask.apply_lut(array, theirs, **planes), expected, array.chunks)


def _applied(images, chunks, planes, theirs, lut, mask):
    own, lazy = mask_of(mask, planes)
    array = da.from_array(images, chunks=chunks)
    given = cheq.dask.apply_lut(array, theirs, **planes, mask=lazy, outside="keep")
    return given, cheq.apply_lut(images, lut, **planes, mask=own, outside="keep"), array.chunks


def test_one_lut_for_images_whose_last_axis_looks_like_channels():
    images = images_of(np.uint8)
    lut = np.arange(256, dtype=np.uint8)[::-1].copy()
    assert_same(cheq.dask.apply_lut(da.from_array(images, chunks=4), lut), cheq.apply_lut(images, lut))


# ---------------------------------------------------------------- CLAHE


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_clahe(dtype):
    images = images_of(dtype, (3, 30, 40, 3))
    unit = 1 if dtype == "uint8" else 256  # where tiles have few pixels, lower limits are all the same
    limits = (None, 3.0 * unit, np.array([[2.0, 0, 30]]) * unit, np.arange(9.0).reshape(3, 3) * unit)
    chunkings = ((1, -1, -1, -1), (2, -1, -1, 1), -1)
    for limit, grid, mask, chunks in pairs(limits, (None, (3, 2), [2, 3]), MASKS, chunkings):
        options = {"clip_limit": limit, "tile_grid_size": grid}
        assert_same(*both("clahe", images, chunks, {"channel_axis": -1}, mask, "keep", **options))
    array, options = da.from_array(images, chunks=(2, -1, -1, 2)), {"channel_axis": -1, "tile_grid_size": (4, 1)}
    of_images, of_channels = (np.array(limit) * unit for limit in ([2.0, 5.0, 9.0], [[2.0, 5.0, 9.0]]))
    given = cheq.dask.clahe(array, clip_limit=of_images, **{**options, "tile_grid_size": iter((4, 1))})
    assert_same(given, cheq.clahe(images, clip_limit=of_images, **options))
    assert not np.array_equal(given.compute(), cheq.clahe(images, clip_limit=of_channels, **options))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "bool", "float32", "float64"])
def test_clahe_as_scikit_image(dtype):
    images = np.clip(images_of(dtype), -1, 1) if dtype.startswith("float") else images_of(dtype)
    for kernel, same, axes in pairs((None, 4, [3, 2], iter((3, 2))), (None, "same"), ((-2, -1), (1, 2))):
        if dtype == "bool" and same:
            continue
        theirs, own = (
            (iter((3, 2)), (3, 2)) if not (kernel is None or isinstance(kernel, int | list)) else (kernel, kernel)
        )
        array = da.from_array(images, chunks=tuple(-1 if axis - 4 in axes or axis in axes else 2 for axis in range(4)))
        options = {"method": "skimage", "axes": axes, "dtype": same, "clip_limit": 0.03, "nbins": 99}
        expected = cheq.clahe(images, kernel_size=own, **options)
        assert_same(cheq.dask.clahe(array, kernel_size=theirs, **options), expected, array.chunks)


# ---------------------------------------------------------------- matching


@pytest.mark.parametrize("dtype", [*SOME, "float32", "float64"])
def test_match_histograms(dtype):
    images, reference = images_of(dtype), images_of(dtype, (3, 7, 11, 4), seed=5)
    whole = ((1, 9, 10, 4), (3, 9, 10, 1), -1)
    references = ("one", "each", "masked")
    chunkings = whole if dtype.startswith("float") else CHUNKS
    cases = pairs(chunkings, ({"axes": (-3, -2)}, {"axes": (1, 2), "channel_axis": -1}), MASKS, ("lut", "keep"), (None, "same"), references)  # fmt: skip  # noqa: E501
    for chunks, planes, mask, outside, same, kind in cases:
        own, theirs = mask_of(mask, planes)
        options = {**planes, "dtype": same} | ({} if mask is None else {"outside": outside})
        given = reference[1] if kind == "one" else reference
        if kind == "one" and "channel_axis" not in planes:
            given = given[..., :1]
        options["reference_mask"] = np.random.default_rng(8).random((7, 11, 1)) < 0.5 if kind == "masked" else None
        if "channel_axis" in planes and kind == "masked":
            options["reference_mask"] = options["reference_mask"][..., 0]
        expected = cheq.match_histograms(images, given, mask=own, **options)
        array = da.from_array(images, chunks=chunks)
        lazy = outside == "lut"
        result = cheq.dask.match_histograms(array, given, mask=theirs, lazy=lazy, **options)
        assert_same(result, expected, array.chunks)


@pytest.mark.parametrize("dtype", SOME)
def test_match_to_a_histogram(dtype):
    images, reference = images_of(dtype), images_of(dtype, (7, 11, 4), seed=5)
    for chunks, mask, same, kind in pairs(CHUNKS, MASKS, (None, "same"), ("one", "channels", "dask")):
        for planes in ({"channel_axis": -1}, {"axes": (1, 2)}):
            own, theirs = mask_of(mask, planes)
            given = reference if kind != "one" or "channel_axis" in planes else reference[..., :1]
            counts = cheq.histogram(given, axes=(0, 1))
            lazy = da.from_array(counts, chunks=(2, 100)) if kind == "dask" else counts
            expected = cheq.match_histograms(images, given, **{**planes, "axes": (1, 2)}, mask=own, dtype=same)
            array = da.from_array(images, chunks=chunks)
            options = {**planes, "mask": theirs, "dtype": same, "reference_histogram": lazy}
            assert_same(cheq.dask.match_histograms(array, **options), expected, array.chunks)


@pytest.mark.parametrize("color", SPACES)
def test_match_a_lightness(color):
    images, reference = images_of(np.uint8)[..., :3], images_of(np.uint8, (7, 11, 3, 3), seed=5)[..., 0, :]
    mask, own = np.random.default_rng(9).random((7, 11)) < 0.5, np.random.default_rng(9).random((9, 10)) < 0.5
    array = da.from_array(images, chunks=(2, 9, 10, 3))
    for options in ({}, {"reference_mask": mask}, {"mask": own, "outside": "keep"}):
        options |= {"color": color, "channel_axis": -1}
        expected = cheq.match_histograms(images, reference, **options)
        assert_same(cheq.dask.match_histograms(array, reference, **options), expected, array.chunks)
    counts = np.random.default_rng(7).integers(0, 99, (*images.shape[:-3], 256))
    for given in (counts, counts[:1], counts[0], da.from_array(counts, chunks=(1, 100))):
        expected = cheq.match_histograms(images, reference_histogram=np.asarray(given), color=color, channel_axis=-1)
        result = cheq.dask.match_histograms(array, reference_histogram=given, color=color, channel_axis=-1)
        assert_same(result, expected, array.chunks)
