"""CLAHE of any images, axes, masks, layouts and options: cheq gives what the naive version gives, or both raise."""

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from pixel_tools import assert_bits
from test_properties import (
    FEWER,
    SEEDS,
    THREADS,
    assert_same,
    awkward,
    masks,
    outcome,
    pixels,
    planes,
    starts,
    strides_for,
)

import cheq

DTYPES = st.sampled_from(["uint8"] * 3 + ["uint16"])
SHAPES = st.lists(st.integers(0, 5), min_size=2, max_size=4).map(tuple) | st.tuples(
    st.integers(1, 3), *[st.integers(1, 70)] * 2
)


@st.composite
def height_and_width(draw, ndim):
    """Keywords axes and channel_axis: mostly of planes of two axes, and now and then of any."""
    if draw(st.integers(0, 9)) == 0:
        return draw(planes(ndim))
    first, second, *rest = draw(st.permutations(range(ndim)))
    first, second = (axis - ndim * draw(st.booleans()) for axis in (first, second))
    return {"axes": (first, second), "channel_axis": rest[0] if rest and draw(st.booleans()) else None}


@st.composite
def limits(draw, shape, where):
    """None, a number, or numbers that broadcast to the batch shape, with or without channels."""
    number = st.sampled_from([0, -1.5, 1e-6, 0.4, 1, 2, 3.3, 17, 256, 1e5]) | st.floats(0.1, 60)
    kind = draw(st.sampled_from(["none", "number", "array"]))
    if kind != "array":
        return None if kind == "none" else draw(number)
    axes, channel = [axis % len(shape) for axis in where["axes"]], where["channel_axis"]
    batch = [length for axis, length in enumerate(shape) if axis not in axes]
    if channel is not None and draw(st.booleans()):
        batch = [length for axis, length in enumerate(shape) if axis not in (*axes, channel % len(shape))]
    batch = [length if draw(st.integers(0, 4)) else 1 for length in batch[draw(st.integers(0, len(batch))) :]]
    if draw(st.integers(0, 19)) == 0:
        batch = [*batch, 2]
    values = np.array([draw(number) for _ in range(3)])
    return np.random.default_rng(draw(SEEDS)).choice(values, batch)


@st.composite
def opencv_options(draw, shape, where, dtype):
    grid = st.integers(1, 9 if dtype == "uint8" else 3) | st.sampled_from([1, 2, 4, 8 if dtype == "uint8" else 4])
    if dtype == "uint8":
        grid |= st.sampled_from([16, 70, 1000])
    options = {"tile_grid_size": draw(st.tuples(grid, grid))}
    if where["axes"] is not None and np.ndim(where["axes"]) and max(map(abs, where["axes"]), default=0) <= len(shape):
        options["clip_limit"] = draw(limits(shape, where))
    return options


def called(data, layouts, images, copy, threads, named, where, **options):
    """Demand the naive version's answer in a new array and in ``out``; images stay as they are."""
    expected = outcome(reference.clahe, copy, **where, **options)
    assert_same(outcome(cheq.clahe, images, **named, **options, num_threads=threads), expected)
    np.testing.assert_array_equal(np.array(images), copy, "images changed")
    pattern = np.full(copy.shape, 77, copy.dtype if isinstance(expected, type) else expected.dtype)
    out = awkward(data, layouts, pattern, writable=True)
    result = outcome(cheq.clahe, images, **named, **options, out=out, num_threads=threads)
    assert result is out or (isinstance(result, type) and result is expected)
    assert_bits(out, pattern if isinstance(expected, type) else expected)


@given(data=st.data(), dtype=DTYPES, shape=SHAPES, threads=THREADS)
def test_opencv(layouts, data, dtype, shape, threads):
    where = data.draw(height_and_width(len(shape)))
    options = data.draw(opencv_options(shape, where, dtype))
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)))
    named, copy = dict(where), np.array(images)
    if data.draw(st.booleans()):
        named["mask"] = awkward(data, layouts, data.draw(masks(shape, where["channel_axis"])))
        where["mask"] = np.array(named["mask"])
        options["outside"] = data.draw(st.sampled_from(["lut", "keep"]))
    if dtype == "uint16" and data.draw(st.booleans()):
        images = copy.astype(">u2")
    called(data, layouts, images, copy, threads, named, where, **options)


@given(data=st.data(), dtype=DTYPES, shape=SHAPES, threads=THREADS)
def test_in_place(layouts, data, dtype, shape, threads):
    where = data.draw(height_and_width(len(shape)))
    options = data.draw(opencv_options(shape, where, dtype))
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)), writable=True)
    before = images.copy()
    expected = outcome(reference.clahe, before, **where, **options)
    result = outcome(cheq.clahe, images, **where, **options, out=images, num_threads=threads)
    assert result is images or result is expected
    assert_bits(images, before if isinstance(expected, type) else expected)


@FEWER
@given(data=st.data(), shape=SHAPES, channels=st.sampled_from([3, 3, 4]), threads=THREADS, masked=st.booleans())
def test_lightness(layouts, data, shape, channels, threads, masked):
    channel_axis, dtype = data.draw(st.integers(0, len(shape))), data.draw(DTYPES)
    color = data.draw(st.sampled_from(["ycrcb", "yuv"] + ["lab"] * (dtype == "uint8")))
    shape = (*shape[:channel_axis], channels, *shape[channel_axis:])
    rest = data.draw(st.permutations([axis for axis in range(len(shape)) if axis != channel_axis]))
    where = {"axes": tuple(rest[:2]), "channel_axis": channel_axis}
    options = data.draw(opencv_options(shape, where, dtype)) | {"color": color}
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)))
    named, copy = dict(where), np.array(images)
    if masked:
        without = shape[:channel_axis] + shape[channel_axis + 1 :]
        where["mask"] = named["mask"] = np.random.default_rng(data.draw(SEEDS)).random(without) < 0.6
        options["outside"] = data.draw(st.sampled_from(["lut", "keep"]))
    called(data, layouts, images, copy, threads, named, where, **options)


@given(data=st.data(), dtype=st.sampled_from(reference.CLAHE_METHODS["skimage"]), shape=SHAPES, threads=THREADS)
def test_skimage(layouts, data, dtype, shape, threads):
    where = data.draw(planes(len(shape)))
    kernel = st.none() | st.integers(1, 30)
    if where["axes"] is not None:
        kernel |= st.lists(st.integers(1, 30), min_size=np.size(where["axes"]), max_size=np.size(where["axes"]))
    options = {"method": "skimage", "kernel_size": data.draw(kernel)}
    options["clip_limit"] = data.draw(st.sampled_from([None, 0, -1, 1e-9, 0.01, 0.05, 1]) | st.floats(-0.1, 1))
    options["nbins"] = data.draw(st.sampled_from([None, 1, 2, 3, 10, 256, 257, 1000]) | st.integers(1, 600))
    options["dtype"] = data.draw(st.sampled_from([None, None, "same"])) if dtype != "bool" else None
    values = data.draw(pixels(shape, dtype))
    if values.dtype.kind == "f" and data.draw(st.integers(0, 9)):
        values = np.clip(np.nan_to_num(values), -1, 1)
    images = awkward(data, layouts, values)
    called(data, layouts, images, np.array(images), threads, where, where, **options)


@given(data=st.data(), shape=st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple), masked=st.booleans())
def test_out_anywhere_in_the_memory_of_images_and_of_mask(data, shape, masked):
    strides = data.draw(strides_for(shape))
    out_strides = strides if data.draw(st.booleans()) else data.draw(strides_for(shape))
    length = 30 + max(sum(abs(s) * n for s, n in zip(some, shape, strict=True)) for some in (strides, out_strides))
    buffer = data.draw(pixels((length,), "uint8"))
    buffer &= 1 if masked else 255  # as booleans must be
    images = as_strided(buffer[data.draw(starts(length, shape, strides)) :], shape, strides)
    start, beside = data.draw(starts(length, shape, out_strides)), data.draw(st.integers(0, length - shape[-1]))
    options = {"axes": (-2, -1), "clip_limit": 2.0, "tile_grid_size": (2, 3)}
    expected, out = buffer.copy(), as_strided(buffer[start:], shape, out_strides)
    mask = buffer[beside:][: shape[-1]].view(bool) if masked else None
    written = as_strided(expected[start:], shape, out_strides)
    written[...] = reference.clahe(images.copy(), mask=None if mask is None else mask.copy(), **options)
    cheq.clahe(images, mask=mask, out=out, **options)
    np.testing.assert_array_equal(buffer, expected)


@settings(max_examples=settings.default.max_examples // 8)
@given(data=st.data(), dtype=DTYPES, threads=st.integers(1, 4))
def test_planes_that_threads_share(layouts, data, dtype, threads):
    height, width = data.draw(st.tuples(*[st.integers(250, 700)] * 2))
    shape = data.draw(st.sampled_from([(height, width), (height, width, 3), (2, height, width)]))
    where = {"channel_axis": -1 if shape[-1] == 3 else None}
    images = awkward(data, layouts, data.draw(pixels(shape, dtype)))
    options = {"clip_limit": 3.0, "tile_grid_size": data.draw(st.tuples(*[st.integers(1, 12)] * 2))}
    expected, out = reference.clahe(np.array(images), **where, **options), np.zeros(shape, dtype)
    assert cheq.clahe(images, **where, **options, out=out, num_threads=threads) is out
    assert_bits(out, expected)
