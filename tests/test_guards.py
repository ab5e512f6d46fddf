"""Is nothing but ``out`` written, and nothing but the input read? Guard bytes and guard pages on both sides."""

import ctypes
import functools
import itertools
import mmap
import sys

import numpy as np
import pytest
import reference
from kernel_tools import LUT, count, equalized, same
from test_kernel_layouts import STEPS, VIEWS, wave

import cheq

pytestmark = pytest.mark.kernels

PATTERN = 0xA5
LARGEST = 70_000  # bytes that a layout spans at most


def image(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 60, shape, np.uint8)


def equalize_and_apply(images, **where):
    """Both functions with an ``out``, each with its expected result."""
    yield lambda out: cheq.equalize(images, out=out, **where), reference.equalize(images, **where)
    yield lambda out: cheq.apply_lut(images, LUT, out=out, **where), LUT[images]
    kept = where | {"mask": images % 3 > 0, "outside": "keep"}
    yield lambda out: cheq.equalize(images, out=out, **kept), reference.equalize(images, **kept)


@pytest.mark.parametrize("width", [*range(1, 40), 63, 64, 65, 127, 128, 129, 255, 257])
def test_guard_bytes(width):
    for height, start in itertools.product((1, 2, 3), (64, 65, 71)):
        images, size = image(2, height, width), 2 * height * width
        for write, expected in equalize_and_apply(images, axes=(-2, -1)):
            buffer = np.full(size + 160, PATTERN, np.uint8)
            write(buffer[start : start + size].reshape(images.shape))
            np.testing.assert_array_equal(buffer[start : start + size], expected.ravel())
            assert (buffer[:start] == PATTERN).all()
            assert (buffer[start + size :] == PATTERN).all()


@pytest.mark.parametrize("where", [{}, {"channel_axis": -1}, {"channel_axis": 0}, {"axes": (0, 1, 2)}])
def test_the_gaps_of_a_strided_out_are_not_written(where):
    images = image(5, 33, 19)
    for cut in itertools.product((slice(1, None, 2), slice(None, 0, -2), slice(2, -3)), repeat=3):
        lengths = [2 * length + 1 if part.step else length + 5 for part, length in zip(cut, images.shape, strict=True)]
        for write, result in equalize_and_apply(images, **where):
            buffer = np.full(lengths, PATTERN, np.uint8)
            expected = buffer.copy()
            expected[cut] = result
            write(buffer[cut])
            np.testing.assert_array_equal(buffer, expected)


class GuardedMemory:
    """Bytes that end right before, or begin right after, a page that cannot be touched."""

    def __init__(self, size):
        page = mmap.PAGESIZE
        self.length = -(-size // page) * page
        self._map = mmap.mmap(-1, self.length + 2 * page)
        self.bytes = np.frombuffer(self._map, np.uint8)
        libc = ctypes.CDLL(None, use_errno=True)
        for offset in (0, page + self.length):
            address = ctypes.c_void_p(self.bytes.ctypes.data + offset)
            assert libc.mprotect(address, ctypes.c_size_t(page), 0) == 0, ctypes.get_errno()
        self.bytes = self.bytes[page : page + self.length]

    def holding(self, array, at_end):
        """The array's values at one end of the memory."""
        raw = self.bytes[self.length - array.nbytes :] if at_end else self.bytes[: array.nbytes]
        view = raw.view(array.dtype).reshape(array.shape)
        view[...] = array
        return view


@pytest.fixture(scope="module")
def guarded():
    """Four pieces of guarded memory: for images, mask, out, LUTs."""
    if sys.platform == "win32":
        pytest.skip("Windows has no mprotect; guard bytes are still tested")
    return [GuardedMemory(LARGEST) for _ in range(4)]


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_no_byte_outside_channels_last_is_touched(guarded, channels, at_end):
    for width in (1, 7, 50):
        shape = (3, 11, width, channels)
        images, out = guarded[0].holding(image(*shape), at_end), guarded[2].holding(image(*shape), at_end)
        expected = reference.equalize(images, channel_axis=-1)
        np.testing.assert_array_equal(cheq.equalize(images, channel_axis=-1, out=out), expected)
        view = images[..., ::-1]
        np.testing.assert_array_equal(cheq.equalize(view, channel_axis=-1, out=out), expected[..., ::-1])


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("dtype", reference.MATCH_DTYPES)
def test_no_byte_outside_what_is_matched_is_touched(guarded, dtype, at_end):
    for shape in ((3, 11, 1), (2, 7, 50), (1, 33, 40)):
        images, wanted = image(*shape).astype(dtype), image(*shape, seed=1).astype(dtype)
        mask = images % 3 > 0
        expected = reference.match_histograms(images, wanted, mask=mask, reference_mask=mask, dtype="same")
        arrays = (images, wanted, np.zeros_like(images), mask)
        images, wanted, out, mask = (
            memory.holding(array, at_end) for memory, array in zip(guarded, arrays, strict=True)
        )
        options = {"mask": mask, "reference_mask": mask, "dtype": "same"}
        for view in (slice(None), np.s_[:, ::-1, ::-1]):
            cheq.match_histograms(images[view], wanted, **options | {"mask": mask[view]}, out=out[view])
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("at_end", [True, False])
def test_no_byte_outside_the_counts_is_touched(guarded, at_end):
    counts = guarded[0].holding(np.arange(3 * 256).reshape(3, 256), at_end)
    np.testing.assert_array_equal(cheq.equalization_lut(counts), reference.equalization_lut(counts))
    for wanted in (counts[::-1], counts[1] / 2):
        other = guarded[1].holding(wanted, at_end)
        np.testing.assert_array_equal(cheq.matching_lut(counts, other), reference.matching_lut(counts, other))


# ---------------------------------------------------------------- every layout


EDGES = (*range(1, 131), 191, 192, 193, 255, 256, 257, 511, 512, 513, 784, 895, 896, 897, 1023, 1024, 1025)
EDGES += (1699, 1700, 1701, 2040, 2048, 4095, 4096, 4097, 12_287, 12_288, 12_289, 14_335, 14_336, 14_337, 16_037)


def layouts(length):
    """Shapes, (planes, pixels), each with its strides in bytes."""
    yield from (((1, length), (0, step)) for step in STEPS)
    yield from (((3, length), (length + gap, 1)) for gap in (0, 1, 64))
    for (channels, chosen), sign in itertools.product(VIEWS, (1, -1)):
        yield (len(chosen), length), (chosen[1] - chosen[0], sign * channels)


def reach(shape, strides):
    """How far a view goes below its first element, and above."""
    spans = [stride * (size - 1) for stride, size in zip(strides, shape, strict=True)]
    return -sum(min(0, span) for span in spans), sum(max(0, span) for span in spans)


def place(memory, shape, strides, at_end):
    """A view so strided whose first or last byte is that of the memory."""
    below, above = reach(shape, strides)
    return np.ndarray(shape, np.uint8, memory.bytes, memory.length - 1 - above if at_end else below, strides)


@functools.lru_cache(maxsize=4)
def expected(shape):
    """Planes and a mask; the histograms of all and of the selected pixels; the planes equalized, and looked up."""
    planes = np.ascontiguousarray(wave(*shape[::-1]).T)
    mask = np.random.default_rng(shape).random(shape) < 0.5
    selected = [plane[under] for plane, under in zip(planes, mask, strict=True)]
    return planes, mask, count(planes), count(selected), equalized(planes), LUT[planes]


def check(memories, shape, strides, at_end):
    """All calls on one layout; the result in the same layout, dense, and in place."""
    planes, selected, counts, selected_counts, equal, looked_up = expected(shape)
    images, mask, out = (place(memory, shape, strides, at_end) for memory in memories[:3])
    images[...], mask[...] = planes, selected
    name = f"{shape}, strides {strides}, {at_end=}"
    same(cheq.histogram(images, axes=-1), counts, name)
    same(cheq.histogram(images, axes=-1, mask=mask.view(bool)), selected_counts, name)
    for result in (out, place(memories[2], shape, (shape[1], 1), at_end)):
        cheq.equalize(images, axes=-1, out=result)
        same(result, equal, name)
        cheq.apply_lut(images, LUT, axes=-1, out=result)
        same(result, looked_up, name)
    cheq.equalize(images, axes=-1, out=images)
    same(images, equal, name)


@pytest.mark.exhaustive
def test_no_byte_outside_any_layout_is_touched(kernel, guarded):
    """A kernel that reads or writes a byte too many ends the process."""
    for length in EDGES:
        for (shape, strides), at_end in itertools.product(layouts(length), (True, False)):
            if sum(reach(shape, strides)) < LARGEST:
                check(guarded, shape, strides, at_end)
