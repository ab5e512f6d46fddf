"""The processes that test_threads.py interrupts: ``python interrupt_cases.py CASE THREADS``.

Each starts a long call, prints "started" just before, and "interrupted" or "finished" after; then it looks at every
plane. Results are large and begin as zeros that the system provides on first use: only what is written takes memory.
"""

import signal
import sys

import cv2
import numpy as np

import cheq

SMALL = (25_000, 8, 96, 96)  # 1.8 GB
LARGE = (8, 1_000_000, 192)  # 1.5 GB; a plane is more than the work between two looks at the signals
TINY = (4_000, 10_000, 1, 2)  # 80 MB, but as many planes as pixels and little else to do for each


def planes_like(shape):
    """Planes that repeat along the first axis, without memory for the repeats, and what cv2 makes of them."""
    planes = np.random.default_rng(0).integers(1, 200, (1, *shape[1:]), np.uint8)  # no plane of zeros becomes one
    flat = planes.reshape(-1, *shape[-2:])
    expected = np.stack([cv2.equalizeHist(plane) for plane in flat]).reshape(planes.shape)
    return np.broadcast_to(planes, shape), np.broadcast_to(expected, shape)


def whole_planes(out, before, expected):
    """Return how many planes are whole; every other one must be untouched."""
    count = 0
    for planes, planes_before, planes_expected in zip(out, before, expected, strict=True):
        whole = (planes == planes_expected).all(axis=(-2, -1))
        untouched = (planes == planes_before).all(axis=(-2, -1))
        assert (whole | untouched).all(), "a plane is neither whole nor untouched"
        count += whole.sum()
    return count


def is_interrupted(call):
    print("started", flush=True)
    try:
        call()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return True
    print("finished", flush=True)
    return False


def interrupt_equalize(shape, threads, in_place=False):
    images, expected = planes_like(shape)
    before = images if in_place else np.broadcast_to(np.uint8(0), shape)
    out = np.array(images, order="C") if in_place else np.zeros(shape, np.uint8)
    assert is_interrupted(lambda: cheq.equalize(out if in_place else images, out=out, num_threads=threads))
    whole = whole_planes(out, before, expected)
    least = 0 if shape == LARGE else 1  # the first large plane may still have been counted
    assert whole < out[..., 0, 0].size, "all planes were whole"
    if whole < least:
        print("too early", flush=True)  # on a machine that stood still just then: the call had not begun


def case_small_planes(threads):
    interrupt_equalize(SMALL, threads)


def case_large_planes(threads):
    interrupt_equalize(LARGE, threads)


def case_tiny_planes(threads):
    interrupt_equalize(TINY, threads)


def case_in_place(threads):
    interrupt_equalize((8_000, *SMALL[1:]), threads, in_place=True)


def case_histogram(threads):
    """One histogram over 2**40 pixels: hours of work, so nothing but the interrupt ends it."""
    images = np.broadcast_to(np.uint8(7), (1 << 20, 1 << 20))
    assert is_interrupted(lambda: cheq.histogram(images, num_threads=threads))


def case_slow_layout(threads):
    """Neighbours lie pages apart, in the images and in the result: the slowest pixels there are."""
    batch, rows, columns = 200, 1 << 9, 1 << 11
    memory = np.ones(rows * 8192 + columns * 4096, np.uint8)
    images = np.lib.stride_tricks.as_strided(memory, (batch, rows, columns), (0, 8192, 4096), writeable=False)
    out = np.ones((rows, columns, batch), np.uint8).transpose(2, 0, 1)
    assert is_interrupted(lambda: cheq.equalize(images, out=out, num_threads=threads))


def case_handler_returns(threads):
    """A signal handler that raises nothing does not change what the call does."""
    images, expected = planes_like((2_000, *SMALL[1:]))
    calls = []
    signal.signal(signal.SIGALRM, lambda *_: calls.append(None))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    out = np.zeros(images.shape, np.uint8)
    cheq.equalize(images, out=out, num_threads=threads)
    during = len(calls)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert during > 0, "no signal came during the call"
    assert whole_planes(out, np.broadcast_to(np.uint8(0), out.shape), expected) == out[..., 0, 0].size


def case_handler_raises(threads):
    """Whatever exception a signal handler raises comes out of the call."""

    class TooLongError(Exception):
        pass

    def give_up(*_):
        raise TooLongError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        cheq.histogram(np.broadcast_to(np.uint8(7), (1 << 20, 1 << 20)), num_threads=threads)
    except TooLongError:
        return
    raise AssertionError("the call ended without the handler's exception")


if __name__ == "__main__":
    globals()[f"case_{sys.argv[1]}"](int(sys.argv[2]))
