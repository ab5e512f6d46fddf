"""What is refused, and what is promised besides the values: errors, warnings, signatures, untouched input."""

import itertools
import re

import numpy as np
import pytest
import reference

import cheq

LUT = np.arange(256, dtype=np.uint8)[::-1]
CALLS = {
    "equalize": cheq.equalize,
    "histogram": cheq.histogram,
    "apply_lut": lambda images, **named: cheq.apply_lut(images, LUT, **named),
}


def image(*shape):
    return np.random.default_rng(0).integers(0, 200, shape, np.uint8)


def match_to_itself(images, **named):
    """Or, where it has no pixel, to another image, which has to have one."""
    return cheq.match_histograms(images, images if np.size(images) else image(3, 3), **named)


# Functions that take other dtypes, but the same axes, threads and masks.
MORE_CALLS = CALLS | {
    "equalize, skimage": lambda images, **named: cheq.equalize(images, method="skimage", **named),
    "binarize": cheq.binarize,
    "binarize with a number": lambda images, **named: cheq.binarize(images, 99, **named),
    "match_histograms": match_to_itself,
    "otsu_threshold": cheq.otsu_threshold,
    "cumulative_distribution": cheq.cumulative_distribution,
}
MASKED = (
    *(cheq.equalize, cheq.histogram, cheq.otsu_threshold, cheq.binarize, cheq.cumulative_distribution),
    match_to_itself,
)
WITHOUT_OUT = (cheq.histogram, cheq.otsu_threshold, cheq.cumulative_distribution)


@pytest.fixture(params=CALLS)
def call(request):
    """One of three functions, one after the other."""
    return CALLS[request.param]


@pytest.fixture(params=MORE_CALLS)
def any_call(request):
    """Every function that takes images, one after the other."""
    return MORE_CALLS[request.param]


def refused(error, fragments, call, images, **named):
    """Demand one error whose message holds all the fragments, and that ``out`` and the images stay as they were."""
    before = np.array(images) if isinstance(images, np.ndarray) else None
    if call not in WITHOUT_OUT and "out" not in named and isinstance(images, np.ndarray):
        floats = call in (MORE_CALLS["equalize, skimage"], match_to_itself)
        named["out"] = np.full(images.shape, 0xA5, np.float64 if floats else np.uint8)
    out = named.get("out")
    out_before = np.array(out) if out is not None else None
    with pytest.raises(error) as caught:
        call(images, **named)
    message = str(caught.value)
    for fragment in fragments:
        assert re.search(fragment, message), f"{fragment!r} is not in: {message}"
    if before is not None:
        np.testing.assert_array_equal(images, before, "images changed")
    if out is not None:
        np.testing.assert_array_equal(np.array(out), out_before, "out written in spite of the error")


# ---------------------------------------------------------------- dtypes


@pytest.mark.parametrize("dtype", [
    "?", "<u4", "<i8", ">i8", "<u8",
    "f2", "<f4", ">f4", "f8", "c16", "O", "U3", "S3", "M8[s]",
])  # fmt: skip
def test_images_of_another_dtype(call, dtype):
    dtype = np.dtype(dtype)
    images = np.ones((5, 7), dtype) if dtype.kind != "M" else np.zeros((5, 7), dtype)
    given = f"{re.escape(str(dtype))}|{dtype.name}"
    refused(TypeError, ["images", given, "uint8", "convert .*with "], call, images)
    refused(TypeError, ["images", given, "uint8"], call, images[:0])


def test_structured_images(call):
    refused(TypeError, ["images", "uint8"], call, np.zeros((5, 7), [("r", "u1"), ("g", "u1")]))


def test_lists_are_not_converted_silently(call):
    # np.asarray makes int64 of Python's integers (and float64 of an empty list).
    refused(TypeError, ["images", str(np.asarray([1]).dtype), "uint8", "convert .*with "], call, [[1, 2, 3], [4, 5, 6]])
    refused(TypeError, ["images", "float64", "uint8"], call, [[], []])
    refused(TypeError, ["images", "float64", "uint8"], call, [[0.5, 0.25]])
    as_bytes = [np.array([1, 2, 9], np.uint8), np.array([4, 5, 6], np.uint8)]
    assert call(as_bytes).dtype in (np.uint8, np.int64)


def test_rows_of_unequal_length(call):
    refused(ValueError, ["images"], call, [[1, 2, 3], [4, 5]])


def test_a_masked_array_is_refused_with_the_call_that_fits(any_call):
    images = np.ma.MaskedArray(image(5, 7), mask=image(5, 7) > 100)
    for some in (images, images.astype(np.float32), np.ma.MaskedArray(image(5, 7))):
        refused(TypeError, ["images", r"mask=~\w+\.mask"], any_call, some)


# ---------------------------------------------------------------- axes


@pytest.mark.parametrize(("shape", "where", "fragments"), [
    ((), {}, ["images|axes", r"\(\)|0"]),
    ((7,), {}, ["images|axes", r"\(7,\)|1"]),
    ((0,), {}, ["images|axes", r"\(0,\)|1"]),
    ((7, 5), {"channel_axis": -1}, ["images|axes", r"\(7, 5\)|1|2"]),
    ((4, 7, 5), {"axes": ()}, ["axes", r"\(\)|empty"]),
    ((4, 7, 5), {"axes": []}, ["axes", r"\[\]|\(\)|empty"]),
    ((4, 7, 5), {"axes": (1, 1)}, ["axes", r"\(1, 1\)"]),
    ((4, 7, 5), {"axes": (1, -2)}, ["axes", r"\(1, -2\)"]),
    ((4, 7, 5), {"axes": (0, 3)}, ["axes", "3"]),
    ((4, 7, 5), {"axes": (-4, 1)}, ["axes", "-4"]),
    ((4, 7, 5), {"axes": 3}, ["axes", "3"]),
    ((4, 7, 5), {"axes": 2**70}, ["axes"]),
    ((4, 7, 5), {"channel_axis": 3}, ["channel_axis", "3"]),
    ((4, 7, 5), {"channel_axis": -4}, ["channel_axis", "-4"]),
    ((4, 7, 5), {"channel_axis": -(2**70)}, ["channel_axis"]),
    ((4, 7, 5), {"axes": (0, 1), "channel_axis": 1}, ["channel_axis", "1", "axes", r"\(0, 1\)"]),
    ((4, 7, 5), {"axes": (1, 2), "channel_axis": -1}, ["channel_axis", "-1|2", "axes"]),
    ((4, 7, 5), {"axes": (-1,), "channel_axis": 2}, ["channel_axis", "2", "axes"]),
    ((), {"axes": (0,)}, ["axes", "0"]),
])  # fmt: skip
def test_axes_that_make_no_planes(any_call, shape, where, fragments):
    refused(ValueError, fragments, any_call, image(*shape), **where)
    with pytest.raises((ValueError, OverflowError)):  # NumPy's own functions overflow at 2**70
        reference.histogram(image(*shape), **where)


@pytest.mark.parametrize("where", [
    {"axes": 1.0}, {"axes": (0.0, 1)}, {"axes": "01"}, {"axes": (0, None)}, {"channel_axis": 1.0},
    {"channel_axis": "0"}, {"channel_axis": (0,)},
])  # fmt: skip
def test_axes_that_are_not_integers(any_call, where):
    refused(TypeError, list(where), any_call, image(4, 7, 5), **where)


def test_empty_arrays_are_checked_like_others(call):
    empty = image(0, 7, 5)
    refused(ValueError, ["axes"], call, empty, axes=(1, 1))
    refused(ValueError, ["channel_axis"], call, empty, channel_axis=3)
    refused(ValueError, ["num_threads", "0"], call, empty, num_threads=0)
    if call is not cheq.histogram:
        refused(ValueError, ["out"], call, empty, out=image(0, 7, 6))


# ---------------------------------------------------------------- mask


@pytest.mark.parametrize("call", MASKED)
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "i8", "O"])
def test_a_mask_that_is_not_boolean(call, dtype):
    for mask in (np.ones((4, 7), dtype), np.ones((4, 7), dtype)[:0]):
        refused(TypeError, ["mask", np.dtype(dtype).name, "bool"], call, image(4, 7), mask=mask)
    refused(TypeError, ["mask", "bool"], call, image(4, 7), mask=[[1, 0, 1, 0, 1, 0, 1]] * 4)


@pytest.mark.parametrize("call", MASKED)
@pytest.mark.parametrize(("shape", "where", "mask_shape"), [
    ((4, 7), {}, (4, 6)),
    ((4, 7), {}, (7, 4)),
    ((4, 7), {}, (1, 4, 7)),
    ((4, 7), {}, (2, 4, 7)),
    ((3, 4, 7), {}, (2, 4, 7)),
    ((1, 4, 7), {}, (2, 4, 7)),
    ((4, 7), {}, (0, 7)),
    ((0, 7), {}, (4, 7)),
    ((4, 7, 5), {"channel_axis": -1}, (7, 5)),
    ((4, 7, 5), {"channel_axis": -1}, (5,)),
    ((5, 4, 7), {"channel_axis": 0}, (5, 7)),
    ((2, 4, 7, 5), {"channel_axis": -1}, (4, 7, 5)),
    ((4, 7, 5), {"channel_axis": -1}, (4, 7, 4)),
    ((4, 7, 5), {"channel_axis": -1}, (1, 4, 7, 5)),
    ((2, 4, 7, 5), {"axes": (1, 2), "channel_axis": -1}, (2, 7, 5)),
])  # fmt: skip
def test_a_mask_that_does_not_broadcast(call, shape, where, mask_shape):
    fragments = ["mask", re.escape(str(mask_shape))]
    refused(ValueError, fragments, call, image(*shape), mask=np.ones(mask_shape, bool), **where)
    with pytest.raises(ValueError):
        reference.histogram(image(*shape), mask=np.ones(mask_shape, bool), **where)


# ---------------------------------------------------------------- luts and counts


def test_luts_are_one_a_plane_in_the_order_of_the_batch_axes():
    images = image(2, 4, 7, 3)
    luts = np.zeros((3, 2, 256), np.uint8)
    call = lambda images, **named: cheq.apply_lut(images, luts, **named)  # noqa: E731
    refused(ValueError, ["lut", r"\(3, 2, 256\)", r"\(2, 3, 256\)"], call, images, channel_axis=-1)


@pytest.mark.parametrize("dtype", ["?", "f2", "f4", "f8", "c16", "O", "U3", "m8[s]"])
def test_counts_that_are_not_integers(dtype):
    with pytest.raises(TypeError, match=f"histogram.*({re.escape(str(np.dtype(dtype)))}|{np.dtype(dtype).name})"):
        cheq.equalization_lut(np.zeros((2, 256), dtype))


@pytest.mark.parametrize("dtype", ["i1", "<i4", "<i8", ">i8"])
@pytest.mark.parametrize("place", [(0, 0), (0, 255), (2, 128)])
def test_negative_counts(dtype, place):
    counts = np.full((3, 256), 5, dtype)
    counts[place] = -3
    with pytest.raises(ValueError, match=r"histogram(.|\n)*-3"):
        cheq.equalization_lut(counts)


# ---------------------------------------------------------------- num_threads

SMALL_LARGE_EMPTY = (image(4, 7), image(300, 1500), image(0, 7))


NO_INTS = [
    True,
    False,
    np.True_,
    np.array(True),
    1.0,
    2.5,
    np.float64(2),
    "2",
    b"2",
    (2,),
    [2],
    (),
    np.ones(1, int),
    2 + 0j,
]


def test_num_threads_that_is_not_an_integer(any_call):
    for images, threads in itertools.product(SMALL_LARGE_EMPTY, NO_INTS):
        refused(TypeError, ["num_threads", "int", type(threads).__name__], any_call, images, num_threads=threads)


def test_num_threads_below_one(any_call):
    for images, threads in itertools.product(
        SMALL_LARGE_EMPTY, [0, -1, np.int64(-3), np.uint16(0), -(2**31), -(2**70)]
    ):
        refused(ValueError, ["num_threads", str(int(threads))], any_call, images, num_threads=threads)


# ---------------------------------------------------------------- a last axis that looks like channels


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7, 4), (2, 5, 7, 3), (1, 1, 3), (2, 2, 2, 2, 4), (2, 16, 16, 1)])
def test_a_last_axis_that_looks_like_channels_is_asked_about(any_call, shape):
    if any_call is CALLS["apply_lut"] or any_call is MORE_CALLS["binarize with a number"]:
        return  # the same for every pixel
    fragments = ["^images: ", re.escape(str(shape)), "channel_axis=-1", r"axes=\(-2, -1\)"]
    refused(ValueError, fragments, any_call, image(*shape))


def test_luts_a_plane_ask_and_one_for_all_does_not():
    with pytest.raises(ValueError, match=r"^images: .* pass channel_axis=-1"):
        cheq.apply_lut(image(5, 7, 3), np.tile(LUT, (5, 1)))
    np.testing.assert_array_equal(cheq.apply_lut(image(5, 7, 3), LUT), LUT[image(5, 7, 3)])


@pytest.mark.parametrize(("shape", "where"), [
    ((5, 3), {}), ((5, 4), {}), ((3, 4), {}), ((5, 7, 2), {}), ((5, 7, 5), {}), ((3, 5, 7), {}), ((4, 3, 7), {}),
    ((5, 7, 1), {}), ((5, 7, 3), {"channel_axis": -1}), ((5, 7, 3), {"axes": (-2, -1)}), ((5, 7, 4), {"axes": 0}),
    ((2, 5, 3), {"channel_axis": 0}), ((0, 5, 7), {}), ((2, 5, 3), {"axes": (0, 1), "channel_axis": 2}),
])  # fmt: skip
def test_no_other_call_is_asked_about(any_call, shape, where):
    any_call(image(*shape), **where)


# ---------------------------------------------------------------- input


def test_read_only_input_of_every_kind_is_enough(opencv):
    images, mask, counts, lut = image(3, 9, 6), image(3, 9, 6) > 20, np.arange(256), LUT.copy()
    for array in (images, mask, counts, lut):
        array.setflags(write=False)
    np.testing.assert_array_equal(cheq.equalize(images), opencv(images))
    cheq.equalize(images, mask=mask)
    cheq.histogram(images, mask=mask)
    cheq.equalization_lut(counts)
    cheq.match_histograms(images, images, mask=mask, reference_mask=mask)
    cheq.matching_lut(counts, counts)
    np.testing.assert_array_equal(cheq.apply_lut(images, lut), lut[images])


def test_input_is_never_changed(layout):
    kept = image(3, 9, 6), image(3, 9, 6) > 90, np.arange(3 * 256).reshape(3, 256), np.tile(LUT, (3, 1))
    images, mask, counts, luts = given = [layout(array) for array in kept]
    before = [np.array(array) for array in given]
    cheq.equalize(images, mask=mask)
    cheq.histogram(images, mask=mask)
    cheq.equalization_lut(counts)
    cheq.apply_lut(images, luts)
    cheq.match_histograms(images, images, mask=mask, reference_mask=mask)
    cheq.matching_lut(counts, counts)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(np.array(array), copy, strict=True)
