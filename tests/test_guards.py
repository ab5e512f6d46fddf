"""Is nothing but ``out`` written, and nothing but the input read? Guard bytes and guard pages on both sides."""

import ctypes
import itertools
import mmap
import sys

import numpy as np
import pytest
import reference

import cheq

pytestmark = pytest.mark.kernels

PATTERN = 0xA5
LUT = np.random.default_rng(7).permutation(256).astype(np.uint8)


def image(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 60, shape, np.uint8)


def equalize_and_apply(images, **where):
    """Both functions with an ``out``, each with its expected result."""
    yield lambda out: cheq.equalize(images, out=out, **where), reference.equalize(images, **where)
    yield lambda out: cheq.apply_lut(images, LUT, out=out, **where), LUT[images]


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
    return [GuardedMemory(70_000) for _ in range(4)]


@pytest.mark.parametrize("at_end", [True, False])
def test_no_byte_outside_the_arrays_is_touched(guarded, at_end):
    shapes = [(2, 5, 17), (7, 31, 33), (3, 96, 96), (1, 1537), (65, 1000), (1, 12_289)]
    for shape in [*shapes, *((1, width) for width in range(1, 140))]:
        images = guarded[0].holding(image(*shape), at_end)
        mask = guarded[1].holding(image(*shape, seed=1) > 20, at_end)
        out = guarded[2].holding(np.zeros(shape, np.uint8), at_end)
        luts = guarded[3].holding(np.broadcast_to(LUT, (*shape[:-2], 256)), at_end)
        np.testing.assert_array_equal(cheq.equalize(images, out=out), reference.equalize(images))
        np.testing.assert_array_equal(cheq.equalize(images, mask=mask, out=out), reference.equalize(images, mask=mask))
        np.testing.assert_array_equal(cheq.apply_lut(images, luts, out=out), LUT[images])
        counts = cheq.histogram(images.T, axes=(0, 1), mask=mask.T)
        np.testing.assert_array_equal(counts, reference.histogram(images.T, axes=(0, 1), mask=mask.T))


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
def test_no_byte_outside_the_counts_is_touched(guarded, at_end):
    counts = guarded[0].holding(np.arange(3 * 256).reshape(3, 256), at_end)
    np.testing.assert_array_equal(cheq.equalization_lut(counts), reference.equalization_lut(counts))
