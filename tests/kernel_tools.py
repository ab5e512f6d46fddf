"""What the tests of the kernels share: expected values for many planes at once, and memory of a chosen alignment."""

import numpy as np

PATTERN = 0xA5  # in every byte that must not be written
LUT = np.random.default_rng(11).permutation(256).astype(np.uint8)


def opencv_luts(histograms):
    """The LUTs of (n, 256) histograms by the rule of reference.py, which test_kernel_luts.py holds this against."""
    counts = np.asarray(histograms, np.int64)
    first = np.argmax(counts > 0, axis=1)[:, np.newaxis]
    first_count = np.take_along_axis(counts, first, 1)
    since = np.cumsum(counts, axis=1) - first_count  # negative below the first occupied bin
    rest = since[:, -1:]
    scale = np.float32(255) / np.maximum(rest, 1).astype(np.float32)
    luts = np.minimum(np.rint(np.maximum(since, 0).astype(np.float32) * scale), 255).astype(np.uint8)
    return np.where(rest == 0, np.arange(256, dtype=np.uint8), luts)


def count(planes):
    """The histograms of (n, length) planes."""
    return np.stack([np.bincount(plane, minlength=256) for plane in planes])


def equalized(planes):
    """Every one of (n, length) planes equalized on its own."""
    return np.stack([lut[plane] for lut, plane in zip(opencv_luts(count(planes)), planes, strict=True)])


def memory(size):
    """So many bytes of PATTERN that begin at a multiple of 64."""
    raw = np.full(size + 64, PATTERN, np.uint8)
    return raw[-raw.ctypes.data % 64 :][:size]


def same(result, expected, where):
    """Demand equal bytes; a tenth of the time of assert_array_equal, which explains a failure."""
    if result.tobytes() != expected.tobytes():
        np.testing.assert_array_equal(result, expected, f"{where}", strict=True)


class Guarded:
    """Memory for results in which every byte outside the result must stay as it is."""

    def __init__(self, size):
        self._memory = memory(size)
        self._untouched = self._memory.tobytes()

    def rows(self, start, number, pitch, length):
        """``number`` rows of ``length`` bytes, ``pitch`` bytes apart."""
        return self._memory[start : start + number * pitch].reshape(number, pitch)[:, :length]

    def bytes(self, start, length):
        return self._memory[start : start + length]

    def check(self, view, expected, where):
        """Demand that the view holds the expected bytes and that nothing beside it was written; wipe it."""
        same(view, expected, where)
        view.fill(PATTERN)
        if self._memory.tobytes() != self._untouched:
            touched = np.flatnonzero(self._memory != PATTERN)
            self._memory.fill(PATTERN)
            offset = view.ctypes.data - self._memory.ctypes.data
            raise AssertionError(f"{where}: wrote outside the result, at {touched - offset} from its begin")
