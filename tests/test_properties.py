"""For any images, axes, masks, layouts, outputs and threads: cheq gives what the reference gives, or both raise alike.

Examples are the same every run; HYPOTHESIS_PROFILE=thorough tries many more.
"""

import numpy as np
import reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

import cheq

SHAPES = st.lists(st.integers(0, 6), max_size=5).map(tuple) | st.tuples(st.integers(1, 3), *[st.integers(1, 40)] * 2)
THREADS = st.sampled_from([None, 1, 2, 5])


@st.composite
def pixels(draw, shape):
    """Images of one to 256 levels: hypothesis chooses the histogram's form, a seed the pixels."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = random.choice(256, draw(st.sampled_from([1, 2, 3, 5, 16, 256])), replace=False).astype(np.uint8)
    weights = random.dirichlet(np.full(len(levels), draw(st.sampled_from([0.05, 1.0, 50.0]))))
    return random.choice(levels, shape, p=weights)


@st.composite
def planes(draw, ndim):
    """Keywords axes and channel_axis: mostly such as make planes, and now and then any."""
    if draw(st.integers(0, 9)) == 0:
        axis = st.integers(-7, 7)
        return {
            "axes": draw(st.none() | axis | st.lists(axis, max_size=4).map(tuple)),
            "channel_axis": draw(st.none() | axis),
        }
    order = draw(st.permutations(range(ndim)))
    number = draw(st.integers(0, ndim))
    sign = draw(st.lists(st.booleans(), min_size=ndim, max_size=ndim))
    axes = tuple(axis - ndim * minus for axis, minus in zip(order, sign, strict=True))
    return {
        "axes": axes[:number] or None,
        "channel_axis": axes[-1] if number < ndim and draw(st.booleans()) else None,
    }


@st.composite
def masks(draw, shape, channel_axis):
    """Masks that broadcast, mostly."""
    target = list(shape)
    if channel_axis is not None and -len(shape) <= channel_axis < len(shape) and draw(st.booleans()):
        del target[channel_axis]
    kept = target[draw(st.integers(0, len(target))) :]
    kept = [length if draw(st.integers(0, 3)) else 1 for length in kept]
    if draw(st.integers(0, 19)) == 0:
        kept = [*kept, draw(st.integers(0, 4))]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random.random(kept) < draw(st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0]))


def outcome(call, *arguments, **named):
    """What a call returns, or the kind of error that it raises."""
    try:
        return call(*arguments, **named)
    except ValueError:
        return ValueError
    except TypeError:
        return TypeError


def broadcasts(mask, shape):
    try:
        return np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        return False


def assert_same(result, expected):
    if isinstance(expected, type):
        assert result is expected
    else:
        np.testing.assert_array_equal(result, expected, strict=True)


def awkward(data, layouts, array, *, writable=False):
    by_name, names = layouts
    name = data.draw(st.sampled_from(names if writable else list(by_name))) if array.ndim else "contiguous"
    return by_name[name](array)


@given(data=st.data(), shape=SHAPES, threads=THREADS)
def test_equalize_and_histogram(layouts, data, shape, threads):
    where = data.draw(planes(len(shape)))
    images = awkward(data, layouts, data.draw(pixels(shape)))
    copy, named = np.array(images), dict(where)
    if data.draw(st.booleans()):
        mask = data.draw(masks(shape, where["channel_axis"]))
        named["mask"] = awkward(data, layouts, mask)
        where["mask"] = np.array(named["mask"])
    expected = outcome(reference.equalize, copy, **where)
    assert_same(outcome(cheq.equalize, images, **named, num_threads=threads), expected)
    counts = outcome(reference.histogram, copy, **where)
    assert_same(outcome(cheq.histogram, images, **named, num_threads=threads), counts)
    np.testing.assert_array_equal(np.array(images), copy, "images changed")

    out = awkward(data, layouts, np.full(shape, 0xA5, np.uint8), writable=True)
    result = outcome(cheq.equalize, images, **named, out=out, num_threads=threads)
    assert result is out or result is expected
    np.testing.assert_array_equal(out, np.full(shape, 0xA5, np.uint8) if isinstance(expected, type) else expected)


@given(data=st.data(), shape=SHAPES, threads=THREADS)
def test_apply_lut(layouts, data, shape, threads):
    where = data.draw(planes(len(shape)))
    images = awkward(data, layouts, data.draw(pixels(shape)))
    batch = outcome(reference.histogram, np.array(images), **where)
    batch = (2,) if isinstance(batch, type) else batch.shape[:-1]
    if data.draw(st.integers(0, 3)) == 0:
        batch = data.draw(st.sampled_from([(), (1,), batch[1:], batch[::-1], (*batch, 1)]))
    lut = awkward(data, layouts, data.draw(pixels((*batch, 256))))
    expected = outcome(reference.apply_lut, np.array(images), np.array(lut), **where)
    assert_same(outcome(cheq.apply_lut, images, lut, **where, num_threads=threads), expected)


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
    buffer = data.draw(pixels((length,)))
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


COUNT = st.integers(0, 3) | st.integers(0, 1000) | st.integers(0, 2**26) | st.integers(0, 2**54)


@given(data=st.data())
def test_equalization_lut(layouts, data):
    bins = data.draw(st.dictionaries(st.integers(0, 255), COUNT, max_size=12))
    fill = data.draw(st.sampled_from([0, 0, 1, 2**17]))
    counts = np.full((2, 256), fill, np.int64)
    counts[1, list(bins)] = list(bins.values())
    given_counts = awkward(data, layouts, counts)
    expected = reference.equalization_lut(np.array(given_counts))
    assert_same(cheq.equalization_lut(given_counts), expected)


@given(data=st.data(), shape=SHAPES.filter(lambda shape: len(shape) >= 2), threads=THREADS)
def test_cv2_is_the_judge(opencv, data, shape, threads):
    assume(0 not in shape)
    images = data.draw(pixels(shape))
    result = cheq.equalize(images, axes=(-2, -1), num_threads=threads)
    np.testing.assert_array_equal(result, opencv(images), strict=True)
    mask = data.draw(masks(shape, None))
    assume(broadcasts(mask, shape))
    mask = np.broadcast_to(mask, shape)
    result = cheq.equalize(images, axes=(-2, -1), mask=mask, num_threads=threads)
    for place in np.ndindex(shape[:-2]):
        counted = mask[place]
        if counted.any():
            expected = opencv(images[place][counted][np.newaxis])[0]
            np.testing.assert_array_equal(result[place][counted], expected)


@settings(max_examples=settings.default.max_examples // 8)
@given(data=st.data(), threads=st.integers(1, 3), masked=st.booleans())
def test_planes_that_threads_share(opencv, layouts, data, threads, masked):
    height, width = data.draw(st.tuples(*[st.integers(300, 900)] * 2))
    shape = data.draw(st.sampled_from([(height, width), (height, width, 3), (2, height, width), (1, height * width)]))
    channel_axis = -1 if shape[-1] == 3 else None
    images = awkward(data, layouts, data.draw(pixels(shape)))
    copy, out = np.array(images), awkward(data, layouts, np.zeros(shape, np.uint8), writable=True)
    mask = awkward(data, layouts, data.draw(pixels(shape)) > 100) if masked else None
    if masked:
        expected = reference.equalize(copy, channel_axis=channel_axis, mask=np.array(mask))
    else:
        expected = opencv(copy, channel_axis)
    assert cheq.equalize(images, channel_axis=channel_axis, mask=mask, out=out, num_threads=threads) is out
    np.testing.assert_array_equal(out, expected)


@given(data=st.data(), shape=SHAPES.filter(lambda shape: len(shape) >= 2))
def test_histograms_of_parts_add_up(data, shape):
    images = data.draw(pixels(shape))
    cut = data.draw(st.integers(0, shape[-1]))
    whole = cheq.histogram(images, axes=(-2, -1))
    assert (whole >= 0).all()
    assert whole.sum() == images.size
    parts = cheq.histogram(images[..., :cut], axes=(-2, -1)) + cheq.histogram(images[..., cut:], axes=(-2, -1))
    np.testing.assert_array_equal(parts, whole, strict=True)
    mask = data.draw(masks(shape, None))
    assume(broadcasts(mask, shape))
    parts = sum(cheq.histogram(images, axes=(-2, -1), mask=counted) for counted in (mask, ~mask))
    np.testing.assert_array_equal(parts, whole, strict=True)
