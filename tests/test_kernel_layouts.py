"""Does every kernel move pixels right? Interleaved channels, steps between pixels, pixels under a mask.

Views of every kind are counted, looked up and equalized, into results of every kind, at all small sizes and around the
pieces and blocks by which pixels are moved. Expected values come from NumPy for the same values without the layout.
"""

import itertools

import numpy as np
import pytest
from kernel_tools import LUT, PATTERN, count, equalized, memory, same

import cheq

pytestmark = pytest.mark.kernels

# All up to four registers of 64 pixels; then around pieces of 1024 and blocks of 12 of them.
SIZES = (*range(1, 261), 511, 513, 1023, 1024, 1025, 1026, 2047, 2048, 2049, 14_335, 14_336, 14_337, 15_500, 25_000)
ENDS = (1, 2, 3, 63, 64, 65, 128, 191, 1023, 1025, 14_335, 14_337)


def channel_slices(channels):
    """Every slice of two or more channels: all orders and subsets that a view can have."""
    found = {}
    for start, stop in itertools.product(range(channels), range(-1, channels + 1)):
        for step in (1, 2, 3, -1, -2, -3):
            chosen = tuple(range(start, stop, step))
            if len(chosen) > 1 and 0 <= chosen[-1] < channels:
                found[chosen] = slice(start, stop if stop >= 0 else None, step)
    return found


VIEWS = [(channels, chosen) for channels in (2, 3, 4) for chosen in channel_slices(channels)]


@pytest.fixture(params=VIEWS, ids=lambda view: f"{''.join(map(str, view[1]))} of {view[0]}")
def view(request):
    """Channels of a pixel, those of the view, and its slice."""
    channels, chosen = request.param
    return channels, list(chosen), channel_slices(channels)[chosen]


def wave(length, channels):
    """Pixels, (length, channels), whose channels differ in levels and counts."""
    random = np.random.default_rng([length, channels])
    return (random.integers(0, 256, (length, channels)) ** (1 + np.arange(channels) % 3) >> 3).astype(np.uint8)


def results(length, channels):
    """Memory for (length, channels) in every arrangement, each with its view: interleaved, wider, planar, ..."""
    dense = np.full((length + 2, channels), PATTERN, np.uint8)
    yield dense, dense[1:-1]
    yield dense, dense[1:-1, ::-1]
    yield dense, dense[-2:0:-1]
    for wider in range(channels + 1, 5):
        wide = np.full((length + 2, wider), PATTERN, np.uint8)
        yield wide, wide[1:-1, wider - channels :]
        yield wide, wide[-2:0:-1, channels - 1 :: -1]
    planar = np.full((channels, length + 2), PATTERN, np.uint8)
    yield planar, planar[:, 1:-1].T
    spaced = np.full((length + 2, 2, channels), PATTERN, np.uint8)
    yield spaced, spaced[1:-1, 1]


def check_results(call, expected, where):
    """Demand the expected values of ``call(out)`` for results in every arrangement, and no byte beside them."""
    for number, (whole, out) in enumerate(results(*expected.shape)):
        call(out)
        same(out, expected, (where, number))
        out.fill(PATTERN)
        assert whole.tobytes() == bytes([PATTERN]) * whole.size, f"{where}, {number}: wrote outside the result"


# ---------------------------------------------------------------- interleaved channels


@pytest.mark.exhaustive
def test_channels_in_every_order_to_every_arrangement(kernel, view):
    channels, chosen, cut = view
    luts = np.stack([np.roll(LUT, 50 * channel) for channel in range(len(chosen))])
    where = {"axes": 0, "channel_axis": -1}
    for length in SIZES:
        pixels = wave(length, channels)
        planes = np.ascontiguousarray(pixels.T[chosen])
        images, expected = pixels[:, cut], equalized(planes).T
        looked_up = np.take_along_axis(luts, planes, 1).T
        same(cheq.histogram(images, **where), count(planes), length)
        check_results(lambda out, i=images: cheq.equalize(i, **where, out=out), expected, length)
        check_results(lambda out, i=images: cheq.apply_lut(i, luts, **where, out=out), looked_up, length)


@pytest.mark.exhaustive
def test_channels_in_place(kernel, view):
    channels, chosen, cut = view
    for length in SIZES:
        pixels = wave(length, channels)
        expected = pixels.copy()
        expected[:, chosen] = equalized(pixels.T[chosen]).T
        cheq.equalize(pixels[:, cut], axes=0, channel_axis=-1, out=pixels[:, cut])
        same(pixels, expected, length)


def test_channels_under_a_mask(kernel, view):
    channels, chosen, cut = view
    for length in SIZES[::7] + ENDS:
        pixels = wave(length, channels)
        selected = np.random.default_rng(length).random(pixels.shape) < 0.4
        planes = zip(pixels.T[chosen], selected.T[chosen], strict=True)
        each = np.stack([np.bincount(plane[under], minlength=256) for plane, under in planes])
        same(cheq.histogram(pixels[:, cut], axes=0, channel_axis=-1, mask=selected[:, cut]), each, length)
        shared = count(pixels[selected[:, 0]].T[chosen])
        same(cheq.histogram(pixels[:, cut], axes=0, channel_axis=-1, mask=selected[:, 0]), shared, length)


def test_batches_of_planar_and_interleaved_images(kernel):
    for (height, width), channels in itertools.product([(3, 5), (8, 8), (28, 31), (97, 128)], (2, 3, 4)):
        planes = wave(5 * height * width, channels).reshape(5, height, width, channels).transpose(0, 3, 1, 2)
        expected = equalized(planes.reshape(5 * channels, -1)).reshape(planes.shape)
        for images in (planes, np.ascontiguousarray(planes)):
            for out in (np.empty(planes.shape, np.uint8), np.empty_like(expected.transpose(0, 2, 3, 1))):
                result = out if out.shape == planes.shape else out.transpose(0, 3, 1, 2)
                cheq.equalize(images, channel_axis=1, out=result)
                same(result, expected, (height, width, channels))


# ---------------------------------------------------------------- steps between pixels


STEPS = (1, 2, 3, 4, 5, 7, -1, -2, -3, -5)


def spaced(length, step):
    """Memory of PATTERN and a view of every ``step``-th byte of it, away from its ends."""
    size = abs(step) * (length + 1) + 1
    raw = memory(size)
    inner = raw[1 : size - 1][:: abs(step)][:length]
    return raw, inner if step > 0 else inner[::-1]


@pytest.mark.exhaustive
@pytest.mark.parametrize("step", STEPS)
def test_every_step_to_every_step(kernel, step):
    for length in SIZES:
        pixels = wave(length, 1)[:, 0]
        _, images = spaced(length, step)
        images[...] = pixels
        expected, looked_up = equalized(pixels[np.newaxis])[0], LUT[pixels]
        same(cheq.histogram(images, axes=0), count([pixels])[0], length)
        for to in STEPS:
            raw, out = spaced(length, to)
            cheq.equalize(images, axes=0, out=out)
            same(out, expected, (length, to))
            cheq.apply_lut(images, LUT, axes=0, out=out)
            same(out, looked_up, (length, to))
            out.fill(PATTERN)
            assert raw.tobytes() == bytes([PATTERN]) * raw.size, f"{length}, {to}: wrote outside the result"


@pytest.mark.parametrize("width", [1, 2, 7, 31, 63, 64, 65, 130, 1025])
def test_rows_apart(kernel, width):
    """Runs shorter than a block follow one another in it."""
    for height, row_step, step in itertools.product((2, 3, 50), (1, 2, -1), (1, 2, -1)):
        large = wave(2 * height * (2 * width + 3), 1).reshape(2 * height, 2 * width + 3)
        images = large[::row_step, ::step][:height, :width]
        expected = equalized(images.reshape(1, -1)).reshape(height, width)
        same(cheq.equalize(images), expected, (height, row_step, step))
        same(cheq.histogram(images), count(images.reshape(1, -1))[0], (height, row_step, step))


# ---------------------------------------------------------------- masks

DENSITIES = (0, 0.01, 0.3, 0.5, 0.9, 0.99, 1)


def test_masks_of_every_density_at_every_length(kernel):
    for length in (*range(301), 511, 1023, 1024, 1025, 1087, 2047, 2048, 2049, 12_287, 12_288, 12_289, 40_000):
        random = np.random.default_rng(length)
        pixels = wave(length, 1)[:, 0]
        masks = [random.random(length) < density for density in DENSITIES]
        for place in (0, length // 2, length - 1) if length else ():
            masks.append(np.arange(length) == place)
        for number, mask in enumerate(masks):
            expected = np.bincount(pixels[mask], minlength=256)
            same(cheq.histogram(pixels, axes=0, mask=mask), expected, (length, number))


@pytest.mark.parametrize(("step", "mask_step"), [*itertools.product((1, 2, -1, 3), (1, -1, 2, 3))])
def test_masks_and_pixels_apart(kernel, step, mask_step):
    for length in SIZES[::3] + ENDS:
        pixels = wave(length, 1)[:, 0]
        selected = np.random.default_rng(length).random(length) < 0.5
        _, images = spaced(length, step)
        _, mask = spaced(length, mask_step)
        images[...], mask[...] = pixels, selected
        expected = np.bincount(pixels[selected], minlength=256)
        same(cheq.histogram(images, axes=0, mask=mask.view(bool)), expected, length)


@pytest.mark.parametrize("value", [1, 2, 0x80, 0xFF])
def test_any_byte_that_is_not_zero_selects(kernel, value):
    """NumPy writes 1 for True; a view of other memory may hold other bytes."""
    for length in (5, 64, 200, 1500):
        pixels = wave(length, 1)[:, 0]
        selected = np.random.default_rng(length).random(length) < 0.5
        mask = np.where(selected, value, 0).astype(np.uint8).view(bool)
        expected = np.bincount(pixels[selected], minlength=256)
        same(cheq.histogram(pixels, axes=0, mask=mask), expected, (length, value))
