"""For any method, dtype, shape, axes, mask, layout and options: cheq gives what the reference gives, or both raise.

Examples are the same every run; HYPOTHESIS_PROFILE=thorough tries many more.
"""

import math

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from lists import CASES, FLOATS, INTEGER_CASES, INTEGERS, NOT_BOOL
from numpy.lib.stride_tricks import as_strided
from pixel_tools import assert_bits, result_dtype

import cheq

SHAPES = st.lists(st.integers(0, 6), max_size=4).map(tuple) | st.tuples(st.integers(1, 3), *[st.integers(1, 40)] * 2)
THREADS = st.sampled_from([None, 1, 2, 5])
FEWER = settings(max_examples=settings.default.max_examples // 3)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def pixels(draw, shape, dtype):
    """Planes of one to many levels: hypothesis chooses the form of the histogram, a seed the pixels."""
    random, dtype = np.random.default_rng(draw(SEEDS)), np.dtype(dtype)
    number = draw(st.sampled_from([1, 2, 3, 5, 16, 256, 4096]))
    if dtype.kind == "b":
        levels = random.random(number) < 0.5
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        span = draw(st.sampled_from([1, 20, 256, 4096, 65536]))
        low = int(random.integers(limits.min, limits.max + 1))
        levels = np.clip(random.integers(low, low + span, number), limits.min, limits.max).astype(dtype)
    else:
        levels = draw(float_levels(number, dtype))
    weights = random.dirichlet(np.full(number, draw(st.sampled_from([0.05, 1.0, 50.0]))))
    return random.choice(levels, shape, p=weights)


@st.composite
def float_levels(draw, number, dtype):
    """Values of one range: fractions of 255, edges of bins and their neighbors, or any; now and then NaN."""
    random = np.random.default_rng(draw(SEEDS))
    low = draw(st.sampled_from([0.0, 0.0, 1.0, -0.5, 1 / 3, 1e3, -1e6, 1e15]))
    width = draw(st.sampled_from([1.0, 1.0, 255.0, 0.7, 1e-3, 1e6, 1e-12, 1e30, 0.0]))
    units = draw(st.sampled_from(["any", "255", "256", "10", "neighbors"]))
    if units == "any":
        part = random.random(number)
    elif units == "neighbors":
        part = random.integers(0, 257, number) / 256
    else:
        part = random.integers(0, int(units) + 1, number) / int(units)
    with np.errstate(all="ignore"):
        levels = (low + width * part).astype(dtype)
        if units == "neighbors":
            levels = np.nextafter(levels, random.choice([-np.inf, np.inf], number).astype(dtype))
    if draw(st.integers(0, 9)) == 0:
        levels[random.random(number) < 0.2] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return levels


@st.composite
def planes(draw, ndim):
    """Keywords axes and channel_axis: mostly such as make planes, and now and then any."""
    if draw(st.integers(0, 9)) == 0:
        axis = st.integers(-7, 7)
        axes = draw(st.none() | axis | st.lists(axis, max_size=4).map(tuple))
        return {"axes": axes, "channel_axis": draw(st.none() | axis)}
    order = draw(st.permutations(range(ndim)))
    number = draw(st.integers(0, ndim))
    sign = draw(st.lists(st.booleans(), min_size=ndim, max_size=ndim))
    axes = tuple(axis - ndim * minus for axis, minus in zip(order, sign, strict=True))
    channel = axes[-1] if number < ndim and draw(st.booleans()) else None
    return {"axes": axes[:number] or None, "channel_axis": channel}


@st.composite
def masks(draw, shape, channel_axis):
    """Masks that broadcast, mostly, with and without a channel axis."""
    target = list(shape)
    if channel_axis is not None and -len(shape) <= channel_axis < len(shape) and draw(st.booleans()):
        del target[channel_axis]
    kept = target[draw(st.integers(0, len(target))) :]
    kept = [length if draw(st.integers(0, 3)) else 1 for length in kept]
    if draw(st.integers(0, 19)) == 0:
        kept = [*kept, draw(st.integers(0, 4))]
    random = np.random.default_rng(draw(SEEDS))
    return random.random(kept) < draw(st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0]))


def outcome(call, *arguments, **named):
    """What a call returns, or the kind of error that it raises."""
    try:
        return call(*arguments, **named)
    except ValueError:
        return ValueError
    except TypeError:
        return TypeError


def assert_same(result, expected):
    if isinstance(expected, type) or isinstance(result, type):
        assert result is expected
    elif isinstance(expected, tuple):
        for one, other in zip(result, expected, strict=True):
            assert_bits(one, other)
    else:
        assert_bits(result, expected)


def awkward(data, layouts, array, *, writable=False):
    by_name, names = layouts
    name = data.draw(st.sampled_from(names if writable else list(by_name))) if array.ndim else "contiguous"
    return by_name[name](array)


def drawn_call(data, layouts, shape, dtype):
    """(images in some layout, an equal array, keywords for cheq, keywords for the reference)."""
    where = data.draw(planes(len(shape)))
    if np.dtype(dtype).name in ("uint16", "int16") and shape and math.prod(shape) > 6 * math.prod(shape[-2:]):
        where = {"axes": tuple(range(len(shape))), "channel_axis": None}  # the reference is slow with 65536 levels
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)))
    named, copy = dict(where), np.array(images)
    if data.draw(st.booleans()):
        named["mask"] = awkward(data, layouts, data.draw(masks(shape, where["channel_axis"])))
        where["mask"] = np.array(named["mask"])
    if np.dtype(dtype).itemsize > 1 and data.draw(st.integers(0, 7)) == 0:
        images = copy.astype(copy.dtype.newbyteorder())
    return images, copy, named, where


@settings(max_examples=settings.default.max_examples * 2)
@given(data=st.data(), case=st.sampled_from(CASES), shape=SHAPES, threads=THREADS)
def test_equalize(layouts, data, case, shape, threads):
    method, dtype = case
    images, copy, named, where = drawn_call(data, layouts, shape, dtype)
    options = {"method": method, "dtype": data.draw(st.sampled_from([None, None, "same"])) if dtype != "bool" else None}
    if dtype in FLOATS:
        options["nbins"] = data.draw(st.sampled_from([256, 256, 1, 2, 10, 1000]))
        options["nan_policy"] = data.draw(st.sampled_from(["raise", "omit"]))
    expected = outcome(reference.equalize, copy, **where, **options)
    assert_same(outcome(cheq.equalize, images, **named, **options, num_threads=threads), expected)
    np.testing.assert_array_equal(np.array(images), copy, "images changed")

    pattern = np.full(shape, 77, result_dtype(method, dtype, options["dtype"] == "same"))
    out = awkward(data, layouts, pattern, writable=True)
    result = outcome(cheq.equalize, images, **named, **options, out=out, num_threads=threads)
    assert result is out or result is expected
    assert_bits(out, pattern if isinstance(expected, type) else expected)


@given(data=st.data(), case=st.sampled_from(NOT_BOOL), shape=SHAPES, threads=THREADS)
def test_in_place(layouts, data, case, shape, threads):
    method, dtype = case
    where = data.draw(planes(len(shape)))
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)), writable=True)
    expected = outcome(reference.equalize, images.copy(), method=method, dtype="same", **where)
    before = images.copy()
    result = outcome(cheq.equalize, images, method=method, dtype="same", **where, out=images, num_threads=threads)
    assert result is images or result is expected
    assert_bits(images, before if isinstance(expected, type) else expected)


@FEWER
@given(data=st.data(), case=st.sampled_from(INTEGER_CASES), shape=SHAPES, threads=THREADS)
def test_the_three_steps(layouts, data, case, shape, threads):
    method, dtype = case
    images, copy, named, where = drawn_call(data, layouts, shape, dtype)
    counts = outcome(reference.histogram, copy, **where)
    assert_same(outcome(cheq.histogram, images, **named, num_threads=threads), counts)
    if isinstance(counts, type):
        return
    options = {"method": method, "dtype": data.draw(st.sampled_from([None, "same"])), "images_dtype": dtype}
    luts = reference.equalization_lut(counts, **options)
    given_counts = awkward(data, layouts, counts)
    assert_same(
        cheq.equalization_lut(given_counts, **options), reference.equalization_lut(np.array(given_counts), **options)
    )
    where.pop("mask", None)
    if data.draw(st.integers(0, 9)) == 0:  # luts of another batch
        luts = luts[..., np.newaxis, :] if data.draw(st.booleans()) else np.stack([luts] * 2)
    expected = outcome(reference.apply_lut, copy, luts, **where)
    assert_same(outcome(cheq.apply_lut, images, luts, **where, num_threads=threads), expected)
    if isinstance(expected, type):
        return
    out = awkward(data, layouts, np.zeros(shape, expected.dtype), writable=True)
    assert cheq.apply_lut(images, luts, **where, out=out, num_threads=threads) is out
    assert_bits(out, expected)


@FEWER
@given(data=st.data(), dtype=st.sampled_from(["uint8"] * 4 + ["uint16"]), shape=SHAPES, threads=THREADS)
def test_thresholds(layouts, data, dtype, shape, threads):
    images, copy, named, where = drawn_call(data, layouts, shape, dtype)
    expected = outcome(reference.otsu_threshold, copy, **where)
    assert_same(outcome(cheq.otsu_threshold, images, **named, num_threads=threads), expected)
    binary = outcome(reference.binarize, copy, **where)
    assert_same(outcome(cheq.binarize, images, **named, num_threads=threads), binary)
    if isinstance(expected, type):
        return
    for mask in (named, where):
        mask.pop("mask", None)
    number = data.draw(st.sampled_from([-1, 0, 7.5, 99, 254.5, 255, 65535, 1e9]))
    thresholds = number if data.draw(st.booleans()) else expected + np.float64(number) - 7
    result = cheq.binarize(images, thresholds, **named, num_threads=threads)
    assert_same(result, reference.binarize(copy, thresholds, **where))


@given(data=st.data(), dtype=st.sampled_from([*INTEGERS, *FLOATS]), shape=SHAPES, threads=THREADS)
def test_distributions_and_the_recipe(layouts, data, dtype, shape, threads):
    images, copy, named, where = drawn_call(data, layouts, shape, dtype)
    options = {"nan_policy": data.draw(st.sampled_from(["raise", "omit"]))}
    nbins = data.draw(st.sampled_from([256, 1, 2, 10, 1000]))
    if dtype in FLOATS:
        options["nbins"] = nbins
    expected = outcome(reference.cumulative_distribution, copy, **where, **options)
    assert_same(outcome(cheq.cumulative_distribution, images, **named, **options, num_threads=threads), expected)
    for mask in (named, where):
        mask.pop("mask", None)
    expected = outcome(reference.image_histogram_equalization, copy, nbins, **where)
    result = outcome(cheq.recipes.image_histogram_equalization, images, nbins, **named, num_threads=threads)
    assert_same(result, expected)


COUNT = st.integers(0, 3) | st.integers(0, 1000) | st.integers(0, 2**26) | st.integers(0, 2**54)


@FEWER
@given(data=st.data(), case=st.sampled_from(INTEGER_CASES))
def test_luts_of_any_counts(layouts, data, case):
    method, dtype = case
    bins = data.draw(st.dictionaries(st.integers(0, 255), COUNT, max_size=12))
    counts = np.full((2, 2 ** (8 * np.dtype(dtype).itemsize)), data.draw(st.sampled_from([0, 0, 1, 2**17])))
    counts[1, list(bins)] = list(bins.values())
    given_counts = awkward(data, layouts, counts)
    expected = reference.equalization_lut(np.array(given_counts), method=method, images_dtype=dtype)
    assert_same(cheq.equalization_lut(given_counts, method=method, images_dtype=dtype), expected)


@settings(max_examples=settings.default.max_examples // 8)
@given(data=st.data(), threads=st.integers(1, 3), masked=st.booleans())
def test_planes_that_threads_share(opencv, layouts, data, threads, masked):
    height, width = data.draw(st.tuples(*[st.integers(300, 900)] * 2))
    shape = data.draw(st.sampled_from([(height, width), (height, width, 3), (2, height, width), (1, height * width)]))
    channel_axis = -1 if shape[-1] == 3 else None
    images = awkward(data, layouts, data.draw(pixels(shape, "uint8")))
    copy, out = np.array(images), awkward(data, layouts, np.zeros(shape, np.uint8), writable=True)
    mask = awkward(data, layouts, data.draw(pixels(shape, "uint8")) > 100) if masked else None
    if masked:
        expected = reference.equalize(copy, channel_axis=channel_axis, mask=np.array(mask))
    else:
        expected = opencv(copy, channel_axis)
    assert cheq.equalize(images, channel_axis=channel_axis, mask=mask, out=out, num_threads=threads) is out
    np.testing.assert_array_equal(out, expected)


# ---------------------------------------------------------------- memory that overlaps


@st.composite
def strides_for(draw, shape):
    """Strides, in any order and of any sign, such that no two elements coincide."""
    strides, reach = [0] * len(shape), 1
    for axis in draw(st.permutations(range(len(shape)))):
        strides[axis] = (reach + draw(st.integers(0, 2))) * draw(st.sampled_from([1, 1, -1]))
        reach = abs(strides[axis]) * shape[axis]
    return tuple(strides)


@st.composite
def starts(draw, length, shape, strides):
    """An offset at which such a view lies within a buffer of this length."""
    reach = [stride * (n - 1) for stride, n in zip(strides, shape, strict=True)]
    return draw(st.integers(-sum(min(0, r) for r in reach), length - 1 - sum(max(0, r) for r in reach)))


@given(data=st.data(), shape=st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple), masked=st.booleans())
def test_out_anywhere_in_the_memory_of_images_and_of_mask_or_lut(data, shape, masked):
    strides = data.draw(strides_for(shape))
    out_strides = strides if data.draw(st.booleans()) else data.draw(strides_for(shape))
    length = 300 + max(sum(abs(s) * n for s, n in zip(some, shape, strict=True)) for some in (strides, out_strides))
    buffer = data.draw(pixels((length,), "uint8"))
    buffer &= 1 if masked else 255  # as booleans must be
    images = as_strided(buffer[data.draw(starts(length, shape, strides)) :], shape, strides)
    start, beside = data.draw(starts(length, shape, out_strides)), data.draw(st.integers(0, length - 256))
    axes = data.draw(st.just((-2, -1)) | st.just(tuple(range(len(shape)))) | st.just(0))
    expected, out = buffer.copy(), as_strided(buffer[start:], shape, out_strides)
    written = as_strided(expected[start:], shape, out_strides)
    if masked:
        mask = buffer[beside:][: shape[-1]].view(bool)
        written[...] = reference.equalize(images.copy(), axes=axes, mask=mask.copy())
        cheq.equalize(images, axes=axes, mask=mask, out=out)
    else:
        lut = buffer[beside : beside + 256]
        written[...] = reference.apply_lut(images.copy(), lut.copy(), axes=axes)
        cheq.apply_lut(images, lut, axes=axes, out=out)
    np.testing.assert_array_equal(buffer, expected)
