"""The processes that test_leaks.py starts: ``python leak_cases.py GROUP CALLS`` fails if calls leave anything behind.

After a warm-up, a group's calls are made in turn, CALLS of them. Then the references to every argument, the number of
objects that the garbage collector knows, Python's memory blocks, what tracemalloc counts in cheq's lines and NumPy's
arrays, and what the C library has handed out have to be what they were, but for a little that does not grow.
"""

import ctypes
import gc
import os
import signal
import sys
import tracemalloc
import warnings

import numpy as np
from lists import METHODS

import cheq
from cheq import recipes

# Bounds for what does not grow with the calls. One object a call is 4,000 by the usual run, and 1,000 bytes 4 MB.
ALLOCATED = 1 << 15  # bytes of the C library's; seen: 2,200, and with threads 8,200
OBJECTS = 20  # seen: 2
BLOCKS = 800  # of Python's memory, whose caches fill; seen: 300 after 1,000 calls, and 430 after 16,000
HELD = 20_000  # bytes that tracemalloc sees after 1,000 calls; seen: 10,000, and no more after 16,000


class UsersError(Exception):
    pass


class RaisingArray:
    """Looks like an array until it is asked for."""

    def __array__(self, dtype=None, copy=None):
        raise UsersError


class RaisingIndex:
    def __index__(self):
        raise UsersError


class RaisingInterface:
    @property
    def __array_interface__(self):
        raise UsersError


def raising_axes():
    yield -1
    raise UsersError


random = np.random.default_rng(0)
IMAGES = random.integers(0, 200, (4, 19, 23), np.uint8)
WORDS = IMAGES.astype(np.uint16) * 300
SIGNED = WORDS.astype(np.int16)
FLOATS = IMAGES / np.float32(200)
DOUBLES = IMAGES / 200.0
NAN = np.where(IMAGES == 3, np.nan, DOUBLES)
INFINITE = np.where(IMAGES == 3, np.inf, DOUBLES)
HUGE = np.where(IMAGES > 99, 1e308, -1e308)
NARROW = 1.0 + (IMAGES > 9) * 2.0**-52
COLOR = random.integers(0, 200, (2, 19, 23, 3), np.uint8)
LARGE = random.integers(0, 200, (2, 300, 401), np.uint8)
MASK = IMAGES > 50
OUT = np.empty_like(IMAGES)
FIXED = np.zeros_like(IMAGES)
FIXED.setflags(write=False)
TWICE = np.lib.stride_tricks.as_strided(np.zeros(500, np.uint8), IMAGES.shape, (23, 1, 1))
COUNTS = np.ones((2, 256), np.int64)
LUT = np.arange(256, dtype=np.uint8)
MASKED = np.ma.masked_array(IMAGES, MASK)
NUMBERS = np.arange(4)
ARGUMENTS = [value for value in globals().values() if isinstance(value, np.ndarray)]

ANSWERS = [
    *(lambda m=m: cheq.equalize(IMAGES, method=m) for m in METHODS),
    *(lambda m=m: cheq.equalize(IMAGES, method=m, mask=MASK) for m in METHODS),
    *(lambda m=m, i=i: cheq.equalize(i, method=m, mask=MASK, dtype="same")
      for m in ("skimage", "numpy") for i in (WORDS, SIGNED, FLOATS, DOUBLES)),
    lambda: cheq.equalize(WORDS),
    lambda: cheq.equalize(WORDS.astype(">u2")),
    lambda: cheq.equalize(MASK, method="skimage"),
    lambda: cheq.equalize(NAN, method="skimage", nan_policy="omit", nbins=99),
    lambda: cheq.equalize(IMAGES, out=OUT, num_threads=2),
    lambda: cheq.equalize(OUT, out=OUT),
    lambda: cheq.equalize(OUT[:3], out=OUT[1:]),
    lambda: cheq.equalize(IMAGES.tolist() and list(IMAGES)),
    lambda: cheq.equalize(IMAGES[:0]),
    lambda: cheq.equalize(COLOR, channel_axis=-1),
    lambda: cheq.equalize(COLOR, channel_axis=-1, color="ycrcb", mask=COLOR[..., 0] > 9),
    lambda: cheq.equalize(COLOR, channel_axis=-1, color="lab"),
    lambda: cheq.equalize(COLOR, axes=(-3, -2, -1)),
    *(lambda i=i: cheq.clahe(i, clip_limit=2.0, mask=MASK) for i in (IMAGES, WORDS)),
    lambda: cheq.clahe(LARGE, clip_limit=[1.0, 2.0], tile_grid_size=(5, 30), num_threads=2),
    lambda: cheq.clahe(OUT, out=OUT[:, ::-1]),
    lambda: cheq.clahe(COLOR, channel_axis=-1),
    lambda: cheq.clahe(COLOR, channel_axis=-1, color="lab"),
    *(lambda i=i: cheq.match_histograms(i, i[:1, 2:], mask=MASK, reference_mask=MASK[1, 2:])
      for i in (IMAGES, WORDS, SIGNED, FLOATS, DOUBLES)),
    lambda: cheq.match_histograms(OUT[:3], IMAGES[1:], out=OUT[1:], dtype="same"),
    lambda: cheq.match_histograms(DOUBLES[:3], DOUBLES[1:], out=DOUBLES[:3].copy()[::-1]),
    lambda: cheq.match_histograms(COLOR, COLOR[0], channel_axis=-1, num_threads=2),
    lambda: cheq.match_histograms(COLOR, COLOR[0], channel_axis=-1, color="lab"),
    lambda: cheq.equalize(LARGE, num_threads=2),
    lambda: cheq.equalize(LARGE, method="skimage", num_threads=2),
    *(lambda m=m: cheq.rgb_to_gray(COLOR, method=m) for m in ("opencv", "pillow", "skimage")),
    lambda: cheq.histogram(IMAGES, mask=MASK),
    lambda: cheq.histogram(WORDS[:1]),
    *(lambda m=m: cheq.equalization_lut(COUNTS, method=m) for m in METHODS),
    *(lambda w=w: cheq.matching_lut(COUNTS, w) for w in (COUNTS, COUNTS[0], COUNTS / 2)),
    *(lambda m=m: cheq.equalization_lut(COUNTS / 2, method=m) for m in ("skimage", "numpy")),
    lambda: cheq.apply_lut(IMAGES, LUT),
    lambda: cheq.apply_lut(IMAGES, np.broadcast_to(LUT, (4, 256)), out=OUT),
    lambda: cheq.cumulative_distribution(IMAGES),
    lambda: cheq.cumulative_distribution(FLOATS, mask=MASK),
    lambda: cheq.otsu_threshold(IMAGES),
    lambda: cheq.binarize(IMAGES, mask=MASK),
    lambda: cheq.binarize(IMAGES, NUMBERS),
    lambda: cheq.binarize(IMAGES, 2**70),
    lambda: recipes.image_histogram_equalization(IMAGES),
    lambda: recipes.histogram_equalize(COLOR),
    lambda: recipes.histogram_equalize(FLOATS, channel_axis=None),
    lambda: cheq.show_config(mode="dicts"),
]  # fmt: skip

# What is wrong with each is for other tests to say; here it has to raise.
ERRORS = [
    lambda: cheq.equalize(IMAGES.astype(int)),
    lambda: cheq.equalize(MASKED),
    lambda: cheq.equalize([[1], [2, 3]]),
    lambda: cheq.equalize(IMAGES[0, 0]),
    lambda: cheq.equalize(IMAGES, method="cv"),
    lambda: cheq.equalize(IMAGES, color="hsv"),
    lambda: cheq.equalize(IMAGES, dtype="uint16"),
    lambda: cheq.equalize(IMAGES, nbins=9),
    lambda: cheq.equalize(DOUBLES, method="numpy", nbins=0),
    lambda: cheq.equalize(DOUBLES, method="numpy", nbins=2.5),
    lambda: cheq.equalize(IMAGES, nan_policy="keep"),
    lambda: cheq.equalize(IMAGES, axes=(0, 0)),
    lambda: cheq.equalize(IMAGES, axes=7),
    lambda: cheq.equalize(IMAGES, axes="ab"),
    lambda: cheq.equalize(IMAGES, channel_axis=3),
    lambda: cheq.equalize(IMAGES, channel_axis=True),
    lambda: cheq.equalize(IMAGES, mask=IMAGES),
    lambda: cheq.equalize(IMAGES, mask=MASK[:3]),
    lambda: cheq.equalize(IMAGES, mask=np.ma.masked_array(MASK, MASK)),
    lambda: cheq.equalize(IMAGES, out=FIXED),
    lambda: cheq.equalize(IMAGES, out=TWICE),
    lambda: cheq.equalize(IMAGES, out=OUT[:3]),
    lambda: cheq.equalize(IMAGES, out=WORDS),
    lambda: cheq.equalize(IMAGES, out=[1]),
    lambda: cheq.equalize(IMAGES, num_threads=0),
    lambda: cheq.equalize(IMAGES, num_threads=1.5),
    *(lambda i=i: cheq.equalize(i, method="skimage", out=np.empty(i.shape)) for i in (NAN, INFINITE, HUGE, NARROW)),
    lambda: cheq.equalize(COLOR, color="ycrcb"),
    lambda: cheq.equalize(COLOR[..., :2], color="ycrcb", channel_axis=-1),
    lambda: cheq.equalize(COLOR, color="hsv", channel_axis=-1),
    lambda: cheq.equalize(COLOR, color="ycrcb", channel_axis=-1, method="numpy"),
    lambda: cheq.equalize(COLOR, color="ycrcb", channel_axis=-1, mask=COLOR > 9),
    lambda: cheq.clahe(IMAGES, clip_limit=np.nan),
    lambda: cheq.clahe(IMAGES, clip_limit=[1, 2]),
    lambda: cheq.clahe(IMAGES, tile_grid_size=(0, 8)),
    lambda: cheq.clahe(IMAGES, tile_grid_size=8),
    lambda: cheq.clahe(FLOATS),
    lambda: cheq.clahe(IMAGES, axes=(0, 1, 2)),
    lambda: cheq.clahe(IMAGES, out=FIXED),
    *(lambda i=i: cheq.match_histograms(i, DOUBLES[:1]) for i in (IMAGES, FLOATS, NAN, INFINITE, MASKED)),
    *(lambda i=i: cheq.match_histograms(DOUBLES, i) for i in (IMAGES, FLOATS, NAN, INFINITE, DOUBLES[:3])),
    lambda: cheq.match_histograms(IMAGES, IMAGES[:0]),
    lambda: cheq.match_histograms(IMAGES, IMAGES[0], reference_mask=np.zeros((19, 23), bool)),
    lambda: cheq.match_histograms(IMAGES, IMAGES[0], out=FIXED),
    lambda: cheq.match_histograms(COLOR, COLOR[..., :2], channel_axis=-1),
    lambda: cheq.matching_lut(COUNTS, COUNTS[:, :255]),
    lambda: cheq.matching_lut(COUNTS, COUNTS * np.nan),
    lambda: cheq.matching_lut(COUNTS, COUNTS[0] * 0),
    lambda: cheq.rgb_to_gray(IMAGES),
    lambda: cheq.rgb_to_gray(COLOR, method="numpy"),
    lambda: cheq.rgb_to_gray(COLOR, out=OUT),
    lambda: cheq.histogram(FLOATS),
    lambda: cheq.equalization_lut(-COUNTS),
    lambda: cheq.equalization_lut(COUNTS[:, :255]),
    lambda: cheq.equalization_lut(COUNTS * 1.0),
    lambda: cheq.equalization_lut(COUNTS << 60),
    lambda: cheq.equalization_lut(COUNTS, images_dtype="uint16"),
    lambda: cheq.apply_lut(IMAGES, LUT[:9]),
    lambda: cheq.apply_lut(IMAGES, LUT > 9),
    lambda: cheq.cumulative_distribution(NAN),
    lambda: cheq.otsu_threshold(SIGNED),
    lambda: cheq.binarize(IMAGES, "li"),
    lambda: cheq.binarize(IMAGES, np.nan),
    lambda: cheq.binarize(IMAGES, [1, 2]),
    lambda: cheq.binarize(IMAGES, 9, mask=MASK),
    lambda: recipes.image_histogram_equalization(NAN),
    lambda: recipes.histogram_equalize(IMAGES),
    lambda: cheq.show_config(mode="text"),
]

USERS_ERRORS = [
    lambda: cheq.equalize(RaisingArray()),
    lambda: cheq.equalize(RaisingInterface()),
    lambda: cheq.equalize(IMAGES, mask=RaisingArray()),
    lambda: cheq.equalize(IMAGES, axes=raising_axes()),
    lambda: cheq.equalize(IMAGES, channel_axis=RaisingIndex()),
    lambda: cheq.equalize(IMAGES, num_threads=RaisingIndex()),
    lambda: cheq.equalize(DOUBLES, method="numpy", nbins=RaisingIndex()),
    lambda: cheq.histogram(IMAGES, mask=RaisingArray()),
    lambda: cheq.apply_lut(IMAGES, RaisingArray()),
    lambda: cheq.match_histograms(RaisingArray(), IMAGES),
    lambda: cheq.match_histograms(IMAGES, RaisingArray()),
    lambda: cheq.match_histograms(IMAGES, IMAGES, reference_mask=RaisingArray()),
    lambda: cheq.match_histograms(DOUBLES, DOUBLES, axes=raising_axes()),
    lambda: cheq.matching_lut(COUNTS, RaisingArray()),
    lambda: cheq.binarize(IMAGES, RaisingArray()),
    lambda: cheq.equalization_lut(RaisingArray()),
    lambda: recipes.histogram_equalize(RaisingArray()),
    # In the midst of the parallel loop: a signal's handler, which runs when its work is looked at.
    *(lambda f=f: interrupted(f) for f in (
        lambda: cheq.equalize(LARGE, num_threads=2),
        lambda: cheq.histogram(LARGE, num_threads=2),
        lambda: cheq.equalize(LARGE, method="skimage", num_threads=2),
        lambda: cheq.equalize(DOUBLES, method="numpy"),
        lambda: cheq.match_histograms(DOUBLES, DOUBLES),
        lambda: cheq.match_histograms(LARGE, LARGE),
        lambda: cheq.equalize(COLOR, color="ycrcb", channel_axis=-1))),
]  # fmt: skip


def interrupted(call):
    """Raise from a signal handler, by an alarm that may come before, in, or after the call."""
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-5, 0.05)  # again: where Python ignores exceptions the first is lost
        call()
        while True:  # it was too late
            signal.pause()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def handler(_signal, _frame):
    raise UsersError


# ---------------------------------------------------------------- making calls


def answer(calls, number):
    for i in range(number):
        calls[i % len(calls)]()


def raise_of(calls, number, expected):
    for i in range(number):
        try:
            calls[i % len(calls)]()
        except expected:
            continue
        raise AssertionError(f"call {i % len(calls)} raised nothing")


def in_threads(number):
    """Threads of Python come and go."""
    from concurrent.futures import ThreadPoolExecutor

    each = max(1, number // 40)
    for _ in range(10):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: answer(ANSWERS, each), range(4)))


def in_forks(number):
    for i in range(number):
        pid = os.fork()
        if pid == 0:
            ANSWERS[i % len(ANSWERS)]()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        ANSWERS[i % len(ANSWERS)]()


KEPT = []


def leak_reference(number):
    for _ in range(number):
        cheq.equalize(IMAGES)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(IMAGES))


def leak_memory(number):
    allocate = ctypes.CDLL(None).calloc
    allocate.argtypes, allocate.restype = [ctypes.c_size_t, ctypes.c_size_t], ctypes.c_void_p
    for _ in range(number):
        cheq.equalize(IMAGES)
        ctypes.memset(allocate(1, 1000), 1, 1000)


def leak_object(number):
    for _ in range(number):
        KEPT.append([cheq.show_config])


GROUPS = {
    "answers": lambda number: answer(ANSWERS, number),
    "errors": lambda number: raise_of(ERRORS, number, (TypeError, ValueError)),
    "users_errors": lambda number: raise_of(USERS_ERRORS, number, UsersError),
    "threads": in_threads,
    "forks": in_forks,
    "leaks_reference": leak_reference,
    "leaks_memory": leak_memory,
    "leaks_object": leak_object,
}


# ---------------------------------------------------------------- measuring


class MallInfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc 2.33 and later."""

    NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]


def allocated():
    """Bytes that the C library has handed out; 0 where it does not tell."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return 0
    mallinfo2.restype = MallInfo
    info = mallinfo2()
    return info.uordblks + info.hblkhd


def state():
    for _ in range(3):
        gc.collect()
    references = [sys.getrefcount(argument) for argument in ARGUMENTS]
    return references, sys.getallocatedblocks(), len(gc.get_objects()), allocated()


def traced(group, number):
    """Bytes that Python and NumPy allocated during the calls and hold still."""
    tracemalloc.start()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    group(number)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


def check(group, number):
    group(max(number // 4, 80))  # caches fill, threads start
    before = state()
    group(number)
    after = state()
    assert after[0] == before[0], "references to the arguments"
    for what, old, new, most in zip(
        ("memory blocks", "objects", "bytes of C"), before[1:], after[1:], (BLOCKS, OBJECTS, ALLOCATED), strict=True
    ):
        assert new - old <= most, f"{new - old} more {what} after {number} calls"
    held = traced(group, min(number, 1000))
    assert held <= HELD, f"{held} bytes that Python allocated are held"
    print(number, *(new - old for old, new in zip(before[1:], after[1:], strict=True)), held)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, handler)
    check(GROUPS[sys.argv[1]], int(sys.argv[2]))
