"""Matching of any images, references, axes, masks and layouts: what the naive version gives, or both raise."""

from unittest import mock

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from pixel_tools import assert_bits
from reference_call import plane_axes
from test_properties import (
    COUNT,
    FEWER,
    SEEDS,
    THREADS,
    assert_same,
    awkward,
    masks,
    pixels,
    planes,
    starts,
    strides_for,
)

import cheq
from cheq import _match

DTYPES = st.sampled_from(reference.MATCH_DTYPES)
SHAPES = st.lists(st.sampled_from([1, 2, 3, 5, 6] * 4 + [0]), min_size=2, max_size=4).map(tuple) | st.tuples(
    st.integers(1, 3), *[st.integers(1, 60)] * 2
)


def outcome(call, *arguments, **named):
    """What a call returns, or ValueError: where two things are wrong, either error will do."""
    try:
        return call(*arguments, **named)
    except (TypeError, ValueError):
        return ValueError


@st.composite
def references(draw, shape, where, dtype):
    """Mostly planes of other sizes in a batch that broadcasts; and now and then any array."""
    try:
        axes = plane_axes(shape, **where)
    except ValueError:
        return draw(pixels((3, 3), dtype))
    channel = () if where["channel_axis"] is None else (where["channel_axis"] % len(shape),)
    sizes = [draw(st.integers(1, 9)) if axis in axes else length for axis, length in enumerate(shape)]
    for axis in set(range(len(shape))) - {*axes, *channel}:
        sizes[axis] = draw(st.sampled_from([sizes[axis], sizes[axis], 1]))
    sizes = sizes[draw(st.integers(0, min(*axes, *channel, len(shape)))) :]
    if draw(st.integers(0, 9)) == 0:
        sizes = draw(st.lists(st.integers(0, 5), max_size=4))
    if draw(st.integers(0, 19)) == 0:
        dtype = draw(DTYPES)
    return draw(pixels(tuple(sizes), dtype))


def drawn_call(data, layouts, shape, dtype):
    """The arguments and the options for cheq, in any layouts, and copies of both for the naive version."""
    where = data.draw(planes(len(shape)))
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)))
    wanted = data.draw(references(shape, where, dtype))
    options = where | {"dtype": data.draw(st.sampled_from([None, "same"]))}
    if data.draw(st.booleans()):
        options["mask"] = data.draw(masks(shape, where["channel_axis"]))
        options["outside"] = data.draw(st.sampled_from(["lut", "keep"]))
    if data.draw(st.integers(0, 2)) == 0:
        options["reference_mask"] = data.draw(masks(wanted.shape, where["channel_axis"]))
    named = {name: awkward(data, layouts, value) if name.endswith("mask") else value for name, value in options.items()}
    options |= {name: np.array(value) for name, value in named.items() if name.endswith("mask")}
    wanted = awkward(data, layouts, wanted)
    copies = np.array(images), np.array(wanted)
    if np.dtype(dtype).itemsize > 1 and data.draw(st.integers(0, 7)) == 0:
        images = copies[0].astype(copies[0].dtype.newbyteorder())
    return (images, wanted), named, copies, options


@given(data=st.data(), dtype=DTYPES, shape=SHAPES, threads=THREADS, targets=st.sampled_from([1 << 26, 0, 50_000]))
def test_match_histograms(layouts, data, dtype, shape, threads, targets):
    arguments, named, copies, options = drawn_call(data, layouts, shape, dtype)
    expected = outcome(reference.match_histograms, *copies, **options)
    with mock.patch.object(_match, "_TARGETS", targets):
        assert_same(outcome(cheq.match_histograms, *arguments, **named, num_threads=threads), expected)
        for array, copy in zip(arguments, copies, strict=True):
            np.testing.assert_array_equal(np.array(array), copy, "images or reference changed")
        of_result = np.float64 if isinstance(expected, type) else expected.dtype
        pattern = np.full(shape, 77, of_result)
        out = awkward(data, layouts, pattern, writable=True)
        result = outcome(cheq.match_histograms, *arguments, **named, out=out, num_threads=threads)
    assert result is out or isinstance(expected, type)
    assert_bits(out, pattern if isinstance(expected, type) else expected)


@FEWER
@given(data=st.data(), dtype=DTYPES, shape=SHAPES, threads=THREADS)
def test_in_place(layouts, data, dtype, shape, threads):
    (images, wanted), named, copies, options = drawn_call(data, layouts, shape, dtype)
    place = awkward(data, layouts, np.array(images).astype(dtype), writable=True)
    same = {"dtype": "same", "out": place, "num_threads": threads}
    expected = outcome(reference.match_histograms, *copies, **options | {"dtype": "same"})
    result = outcome(cheq.match_histograms, place, wanted, **named | same)
    assert result is place or result is expected
    assert_bits(place, copies[0] if isinstance(expected, type) else expected)


@FEWER
@given(data=st.data(), shape=SHAPES.filter(lambda shape: len(shape) > 1), channels=st.sampled_from([3, 3, 4]))
def test_lightness(layouts, data, shape, channels):
    channel_axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    where = channel_axis % (len(shape) + 1)
    shape = (*shape[:where], channels, *shape[where:])
    arrays = [data.draw(pixels(shape, "uint8")) for _ in range(2)]
    arrays[1] = arrays[1][tuple(slice(None, None, -1 if axis != where else None) for axis in range(len(shape)))]
    masked = [np.random.default_rng(data.draw(SEEDS)).random(np.delete(shape, where)) < 0.7 for _ in range(2)]
    options = {"color": data.draw(st.sampled_from(reference.COLORS)), "channel_axis": channel_axis}
    options |= {"mask": masked[0], "reference_mask": masked[1], "outside": data.draw(st.sampled_from(["lut", "keep"]))}
    expected = outcome(reference.match_histograms, *arrays, **options)
    images, wanted = (awkward(data, layouts, array) for array in arrays)
    if np.array_equal(images, arrays[0]) and np.array_equal(wanted, arrays[1]):  # all layouts but broadcast ones
        assert_same(outcome(cheq.match_histograms, images, wanted, **options), expected)


WEIGHTS = st.sampled_from([0.0, 0.0, 1.0, 0.1, 1e-300, 5e-324, 3.0, 1e17, 1e150]) | st.floats(0, 1e3)


@FEWER
@given(data=st.data(), dtype=DTYPES.filter(lambda dtype: "int" in dtype), whole=st.booleans())
def test_luts_of_any_counts_and_weights(layouts, data, dtype, whole):
    levels = 2 ** (8 * np.dtype(dtype).itemsize)
    counts = np.full((2, levels), data.draw(st.sampled_from([0, 0, 1, 2**17])))
    weights = np.full((2, levels), data.draw(st.sampled_from([0, 0, 1, 2])), int if whole else float)
    for array, values in ((counts, COUNT), (weights, COUNT if whole else WEIGHTS)):
        bins = data.draw(st.dictionaries(st.integers(0, 255), values, max_size=12))
        array[1, list(bins)] = list(bins.values())
    weights = weights[data.draw(st.sampled_from([slice(None), slice(1, None), 1]))]
    arguments = awkward(data, layouts, counts), awkward(data, layouts, weights)
    options = {"images_dtype": dtype, "dtype": data.draw(st.sampled_from([None, "same"]))}
    expected = outcome(reference.matching_lut, *map(np.array, arguments), **options)
    assert_same(outcome(cheq.matching_lut, *arguments, **options), expected)
    if whole:  # test_properties.py has those
        return
    options["method"] = data.draw(st.sampled_from(["skimage", "numpy"]))
    expected = outcome(reference.equalization_lut, np.array(arguments[1]), **options)
    assert_same(outcome(cheq.equalization_lut, arguments[1], **options), expected)


@given(data=st.data(), shape=st.lists(st.integers(1, 6), min_size=2, max_size=3).map(tuple), dtype=DTYPES)
def test_out_anywhere_in_the_memory_of_images_and_of_the_reference(data, shape, dtype):
    strides, out_strides = data.draw(strides_for(shape)), data.draw(strides_for(shape))
    out_strides = strides if data.draw(st.booleans()) else out_strides
    length = 30 + max(sum(abs(s) * n for s, n in zip(some, shape, strict=True)) for some in (strides, out_strides))
    buffer = np.nan_to_num(data.draw(pixels((length,), dtype)), posinf=1, neginf=0)
    view = [[stride * buffer.itemsize for stride in some] for some in (strides, out_strides)]
    images = as_strided(buffer[data.draw(starts(length, shape, strides)) :], shape, view[0])
    start, beside = data.draw(starts(length, shape, out_strides)), data.draw(st.integers(0, length - 12))
    wanted = buffer[beside:][:12].reshape(3, 4)
    expected, out = buffer.copy(), as_strided(buffer[start:], shape, view[1])
    written = as_strided(expected[start:], shape, view[1])
    written[...] = reference.match_histograms(images.copy(), wanted.copy(), axes=(-2, -1), dtype="same")
    cheq.match_histograms(images, wanted, axes=(-2, -1), dtype="same", out=out)
    assert_bits(buffer, expected)


@settings(max_examples=settings.default.max_examples // 12)
@given(data=st.data(), dtype=DTYPES, threads=st.integers(1, 4))
def test_planes_that_threads_share(layouts, data, dtype, threads):
    height, width = data.draw(st.tuples(*[st.integers(250, 600)] * 2))
    shape = data.draw(st.sampled_from([(height, width), (height, width, 3), (2, height, width)]))
    options = {"channel_axis": -1 if shape[-1] == 3 else None, "axes": None if shape[-1] == 3 else (-2, -1)}
    images, wanted = (data.draw(pixels(some, dtype)) for some in (shape, shape))
    images, wanted = awkward(data, layouts, np.nan_to_num(images, posinf=2)), np.nan_to_num(wanted, posinf=3)
    expected = reference.match_histograms(np.array(images), wanted, **options)
    assert_bits(cheq.match_histograms(images, wanted, **options, num_threads=threads), expected)
