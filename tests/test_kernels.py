"""Does every kernel count and look up every byte, at every length and alignment, whatever the pixels?

Dense planes go to the kernels as they are: ``axes=0`` on one run of bytes is one count and one apply; in a batch of
planes each is counted while the one before it is looked up. Expected values come from NumPy and cv2. Large calls are
kept to one thread, so that a kernel gets a whole plane and not a share of it.
"""

import numpy as np
import pytest
from kernel_tools import LUT, Guarded, count, equalized, memory, opencv_luts, same

import cheq

pytestmark = pytest.mark.kernels

ALIGNMENTS = range(64)
SHORT = range(2001)  # every length at every alignment
LONG = range(2001, 17_000)  # every length at one alignment: all blocks and units, and the first chunks

# Around these, whatever the kernels' own blocks are: every alignment.
EDGES = (2040, 2048, 4096, 8192, 12_288, 14_848, 16_640, 28_672, 32_768, 65_536, 131_072, 262_144, 524_224)


def skewed(length, seed=0):
    """Every second pixel of one level, the others of all levels: bins of very different size."""
    random = np.random.default_rng([seed, length])
    return np.where(random.random(length) < 0.5, 77, random.integers(0, 256, length)).astype(np.uint8)


def running_counts(pixels):
    """Row i: the histogram of the first i pixels."""
    one = np.zeros((len(pixels) + 1, 256), np.int32)
    one[np.arange(1, len(pixels) + 1), pixels] = 1
    return np.cumsum(one, axis=0, dtype=np.int32)


# ---------------------------------------------------------------- lengths and alignments


@pytest.mark.exhaustive
def test_count_at_every_length_and_alignment(kernel):
    pixels = memory(SHORT[-1] + 64)
    pixels[:] = skewed(len(pixels))
    counts = running_counts(pixels).astype(np.int64)
    for length in SHORT:
        for start in ALIGNMENTS:
            result = cheq.histogram(pixels[start : start + length], axes=0)
            same(result, counts[start + length] - counts[start], (length, start))


@pytest.mark.exhaustive
def test_apply_at_every_length_and_alignment(kernel):
    pixels, guarded = memory(SHORT[-1] + 64), Guarded(SHORT[-1] + 256)
    pixels[:] = skewed(len(pixels))
    expected = LUT[pixels]
    for length in SHORT:
        for start in ALIGNMENTS:
            to = (11 * start + length) % 64  # every alignment of the result, with each of the pixels
            out = guarded.bytes(64 + to, length)
            cheq.apply_lut(pixels[start : start + length], LUT, axes=0, out=out)
            guarded.check(out, expected[start : start + length], (length, start, to))


@pytest.mark.exhaustive
def test_equalize_batches_at_every_length_and_alignment(kernel):
    source, guarded = memory(3 * (SHORT[-1] + 64) + 64), Guarded(3 * (SHORT[-1] + 64) + 256)
    for length in SHORT:
        planes = skewed(3 * length).reshape(3, length)
        planes[1] //= 2
        expected = equalized(planes)
        for start in ALIGNMENTS:
            equalize_at(planes, expected, source, guarded, start)


def equalize_at(planes, expected, source, guarded, start):
    """Equalize a batch whose planes, read and written, lie at alignments that depend on the start."""
    number, length = planes.shape
    pitch, to, to_pitch = length + (5 * start) % 64, (11 * start + length) % 64, length + (23 * start) % 64
    images = source[start : start + number * pitch].reshape(number, pitch)[:, :length]
    images[...] = planes
    out = guarded.rows(64 + to, number, to_pitch, length)
    cheq.equalize(images, axes=-1, out=out, num_threads=1)
    guarded.check(out, expected, (length, start, pitch, to, to_pitch))
    cheq.equalize(images, axes=-1, out=images, num_threads=1)
    same(images, expected, (length, start, pitch, "in place"))


@pytest.mark.exhaustive
def test_every_length_past_blocks_and_chunks(kernel):
    pixels, size = memory(2 * LONG[-1] + 64), LONG[-1]
    pixels[:] = skewed(len(pixels))
    looked_up, counts = LUT[pixels], running_counts(pixels)
    guarded = Guarded(2 * size + 256)
    for length in LONG:
        start, to = length % 61, length % 59
        ends = [start, start + length, start + 2 * length]
        expected = np.diff(counts[ends], axis=0).astype(np.int64)
        planes = pixels[start : ends[-1]].reshape(2, length)
        same(cheq.histogram(planes[0], axes=0), expected[0], length)
        out = guarded.bytes(64 + to, length)
        cheq.apply_lut(planes[1], LUT, axes=0, out=out)
        guarded.check(out, looked_up[ends[1] : ends[2]], length)
        luts = opencv_luts(expected)
        out = guarded.rows(64 + to, 2, length, length)
        cheq.equalize(planes, axes=-1, out=out)
        guarded.check(out, np.take_along_axis(luts, planes, 1), length)


@pytest.mark.exhaustive
@pytest.mark.parametrize("edge", EDGES)
def test_every_alignment_around_an_edge(kernel, edge):
    size = edge + 1
    source, guarded = memory(2 * (size + 64) + 64), Guarded(2 * (size + 64) + 256)
    for length in (edge - 1, edge, edge + 1):
        planes = skewed(2 * length).reshape(2, length)
        expected, looked_up, counts = equalized(planes), LUT[planes[0]], count(planes)[0]
        for start in ALIGNMENTS:
            pixels = source[start : start + length]
            pixels[...] = planes[0]
            same(cheq.histogram(pixels, axes=0, num_threads=1), counts, (length, start))
            out = guarded.bytes(64 + (11 * start) % 64, length)
            cheq.apply_lut(pixels, LUT, axes=0, out=out, num_threads=1)
            guarded.check(out, looked_up, (length, start))
            equalize_at(planes, expected, source, guarded, start)


# ---------------------------------------------------------------- values

SIZES = (1, 2, 7, 63, 64, 255, 256, 511, 784, 897, 1699, 1701, 2041, 9216, 14_336 + 1702, 30_000, 70_001)


def one_pixel(place):
    def make(random, length):
        pixels = np.full(length, random.integers(256), np.uint8)
        pixels[int(place * (length - 1))] = random.integers(256)
        return pixels

    return make


VALUES = {
    "uniform": lambda random, length: random.integers(0, 256, length, np.uint8),
    "gaussian": lambda random, length: np.clip(np.rint(random.normal(110, 35, length)), 0, 255).astype(np.uint8),
    "two levels": lambda random, length: random.choice(random.integers(0, 256, 2).astype(np.uint8), length),
    "ramp": lambda random, length: np.linspace(0, 255, length).astype(np.uint8),
    "ramp down": lambda random, length: np.linspace(250, 3, length).astype(np.uint8),
    "levels in turn": lambda random, length: np.arange(length).astype(np.uint8),
    "low bits": lambda random, length: random.integers(0, 16, length, np.uint8),
    "high bits": lambda random, length: random.integers(0, 16, length, np.uint8) << 4,
    "single bits": lambda random, length: np.uint8(1) << random.integers(0, 8, length, np.uint8),
    "first pixel apart": one_pixel(0),
    "last pixel apart": one_pixel(1),
    "a pixel apart": one_pixel(0.37),
}


@pytest.mark.parametrize("values", VALUES)
def test_values(kernel, opencv, values):
    for length in SIZES:
        random = np.random.default_rng(length)
        planes = np.stack([VALUES[values](random, length) for _ in range(4)])
        expected = opencv(planes[:, np.newaxis])[:, 0]
        same(cheq.histogram(planes, axes=-1, num_threads=1), count(planes), length)
        same(cheq.equalize(planes, axes=-1, num_threads=1), expected, length)
        same(cheq.equalize(planes[3], axes=0, num_threads=1), expected[3], length)
        same(cheq.apply_lut(planes, LUT, axes=-1, num_threads=1), LUT[planes], length)


@pytest.mark.parametrize("length", SIZES)
def test_constants_and_one_pixel_apart_of_every_level(kernel, length):
    levels = np.arange(256)
    planes = np.repeat(levels.astype(np.uint8)[:, np.newaxis], length, axis=1)
    same(cheq.histogram(planes, axes=-1, num_threads=1), length * np.eye(256, dtype=np.int64), length)
    same(cheq.equalize(planes, axes=-1, num_threads=1), planes, length)
    same(cheq.apply_lut(planes, LUT, axes=-1, num_threads=1), LUT[planes], length)
    for place in (0, length // 3, length - 1) if length > 1 else ():
        for step in (1, 128, 255):
            other = (levels + step) % 256
            planes[:, place] = other
            expected = np.where((levels < other)[:, np.newaxis], np.uint8(0), np.uint8(255)).repeat(length, axis=1)
            expected[:, place] = ~expected[:, place - 1]
            same(cheq.equalize(planes, axes=-1, num_threads=1), expected, (length, place, step))
        planes[:, place] = levels


def test_every_pair_of_levels(kernel):
    high = np.random.default_rng(0).random(200) < 0.4
    low, top = np.array([(a, b) for a in range(256) for b in range(256) if a != b], np.uint8).T[..., np.newaxis]
    planes = np.where(high, top, low)
    expected = np.where(planes == np.maximum(low, top), 255, 0).astype(np.uint8)
    same(cheq.equalize(planes, axes=-1, num_threads=1), expected, "pairs")


# ---------------------------------------------------------------- the bounds of the counters

# Bins of 8 and 16 bits, in eight sub-histograms or one; float32's integers; the pieces that threads take (2^23).
FULL = (255, 256, 2040, 2041, 4080, 4081, 8 * 2040 + 1, 65_535, 65_536, 8 * 65_528 + 1, 8 * 65_535, 8 * 65_535 + 1)
FULL += (
    8 * 65_536 + 1,
    2**23,
    2**24 - 1,
    2**24,
    2**24 + 1,
    pytest.param(2**25 + 2**24 + 7, marks=pytest.mark.exhaustive),
)


@pytest.mark.exhaustive
def test_all_pixels_in_one_bin_at_every_length(kernel):
    """Wherever a kernel goes from one way of counting to another, no bin of either may be full."""
    planes = np.full((3, LONG[-1]), 170, np.uint8)
    for length in range(2, LONG[-1]):
        counts = cheq.histogram(planes[0, :length], axes=0)
        assert (counts[170], counts.sum()) == (length, length)
        batch = planes[:, :length]
        batch[1, 0] = 169  # the others stay as they are: 1 pixel, and the rest, is 0 and 255
        result = cheq.equalize(batch, axes=-1)
        batch[1, 0] = 170
        same(result[::2], batch[::2], length)
        assert (result[1, 0], result[1, 1:].min()) == (0, 255), length


@pytest.mark.parametrize("length", FULL)
def test_all_pixels_in_one_bin(kernel, length):
    for level in (0, 1, 127, 128, 170, 255):
        pixels = np.full(length, level, np.uint8)
        counts = cheq.histogram(pixels, axes=0, num_threads=1)
        assert counts[level] == length
        assert counts.sum() == length


@pytest.mark.parametrize("length", FULL)
def test_planes_of_all_pixels_but_one_in_one_bin(kernel, opencv, length):
    planes = np.full((1 if length > 2**23 else 3, length), 200, np.uint8)
    planes[:, 0] = [90, 255, 199][: len(planes)]
    same(cheq.equalize(planes, axes=-1, num_threads=1), opencv(planes[:, np.newaxis])[:, 0], length)


@pytest.mark.exhaustive
@pytest.mark.parametrize("period", [2, 4, 8, 16, 32, 64, 128, 256, 512, 896, 1024, 14_336])
def test_all_pixels_of_a_sub_histogram_in_one_bin(kernel, period):
    length = min(65_536 * period + 2 * period + 3, 2**22 + 3)
    place = np.arange(length, dtype=np.int32) % period
    other = np.random.default_rng(period).integers(0, 256, length, np.uint8)
    for share in sorted({1, period // 2, period * 4 // 7, period - 1} - {0}):
        for rest in (np.uint8(31), other):
            pixels = np.where(place < share, np.uint8(224), rest)
            same(cheq.histogram(pixels, axes=0, num_threads=1), count([pixels])[0], (period, share))
