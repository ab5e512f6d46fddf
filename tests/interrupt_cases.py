"""The processes that test_interrupt.py interrupts: ``python interrupt_cases.py CASE THREADS``.

Each starts a long call, prints "started" just before, and "interrupted" or "finished" after; then it looks at every
plane. Results are large and begin as zeros that the system provides on first use: only what is written takes memory.
"""

import os
import signal
import sys
import threading
import time
from functools import partial

import cv2
import numpy as np
from pixel_tools import opencv_clahe, opencv_lightness, pillow
from skimage import exposure

import cheq
from cheq.bench.peers import recipe

SMALL = (25_000, 8, 96, 96)  # 1.8 GB
LARGE = (8, 1_000_000, 192)  # 1.5 GB; a plane is more than the work between two looks at the signals
TINY = (4_000, 10_000, 1, 2)  # 80 MB, but as many planes as pixels and little else to do for each


def planes_like(shape, peer):
    """Planes that repeat along the first axis, without memory for the repeats, and what cv2 makes of them."""
    planes = np.random.default_rng(0).integers(1, 200, (1, *shape[1:]), np.uint8)  # no plane of zeros becomes one
    flat = planes.reshape(-1, *shape[-2:])
    expected = np.stack([peer(plane) for plane in flat]).reshape(planes.shape)
    return np.broadcast_to(planes, shape), np.broadcast_to(expected, shape)


def whole_planes(out, before, expected, axes=(-2, -1)):
    """Return how many planes are whole; every other one must be untouched."""
    count = 0
    for planes, planes_before, planes_expected in zip(out, before, expected, strict=True):
        whole = (planes == planes_expected).all(axis=axes)
        untouched = (planes == planes_before).all(axis=axes)
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


def interrupt(function, peer, shape, threads, in_place=False):
    images, expected = planes_like(shape, peer)
    before = images if in_place else np.broadcast_to(np.uint8(0), shape)
    out = np.array(images, order="C") if in_place else np.zeros(shape, np.uint8)
    assert is_interrupted(lambda: function(out if in_place else images, out=out, num_threads=threads))
    whole = whole_planes(out, before, expected)
    least = 0 if shape == LARGE else 1  # the first large plane may still have been counted
    assert whole < out[..., 0, 0].size, "all planes were whole"
    if whole < least:
        print("too early", flush=True)  # on a machine that stood still just then: the call had not begun


def case_equalize(threads, name):
    shape = {"small": SMALL, "large": LARGE, "tiny": TINY, "in_place": (8_000, *SMALL[1:])}[name]
    interrupt(cheq.equalize, cv2.equalizeHist, shape, threads, in_place=name == "in_place")


def case_clahe(threads, name):
    shape = {"small": (2_500, *SMALL[1:]), "large": LARGE, "in_place": (2_500, *SMALL[1:])}[name]
    interrupt(cheq.clahe, opencv_clahe, shape, threads, in_place=name == "in_place")


# ---------------------------------------------------------------- every method


def lab(image, changed=cv2.equalizeHist):
    return opencv_lightness(image, "lab", changed)


def matched(image, color=False):
    """To WANTED, both of the image's dtype; of colors, their lightness in Lab."""
    wanted = WANTED.astype(image.dtype)
    if not color:
        return exposure.match_histograms(image, wanted)
    levels = []
    lab(colors(wanted), lambda lightness: levels.append(lightness) or lightness)
    return lab(image, lambda lightness: np.rint(exposure.match_histograms(lightness, levels[0])).astype(np.uint8))


def colors(gray):
    return np.stack([gray, gray[::-1], gray[:, ::-1]], axis=-1)


def match(images, color=False, **options):
    wanted = WANTED.astype(images.dtype)
    if not color:
        return cheq.match_histograms(images, wanted, **options)
    return cheq.match_histograms(images, colors(wanted), color="lab", channel_axis=-1, **options)


WANTED = np.random.default_rng(1).integers(30, 250, (80, 70), np.uint8)

# The dtype of the pixels, the call, and the answer for one image.
METHODS = {
    "pillow": (np.uint8, partial(cheq.equalize, method="pillow"), pillow),
    "skimage_uint8": (np.uint8, partial(cheq.equalize, method="skimage"), exposure.equalize_hist),
    "skimage_uint16": (np.uint16, partial(cheq.equalize, method="skimage"), exposure.equalize_hist),
    "skimage_float32": (np.float32, partial(cheq.equalize, method="skimage"), exposure.equalize_hist),
    "numpy_float64": (np.float64, partial(cheq.equalize, method="numpy"), lambda plane: recipe(plane)[0]),
    "masked": (np.uint8, partial(cheq.equalize, method="skimage", mask=True), exposure.equalize_hist),
    "lab": (np.uint8, partial(cheq.equalize, color="lab", channel_axis=-1), lab),
    "clahe_uint16": (np.uint16, cheq.clahe, opencv_clahe),
    "clahe_masked": (np.uint8, partial(cheq.clahe, mask=True), opencv_clahe),
    "clahe_lab": (np.uint8, partial(cheq.clahe, color="lab", channel_axis=-1), partial(lab, changed=opencv_clahe)),
    "match_uint8": (np.uint8, match, matched),
    "match_uint16": (np.uint16, match, matched),
    "match_float32": (np.float32, match, matched),
    "match_float64_masked": (np.float64, partial(match, mask=True), matched),
    "match_lab": (np.uint8, partial(match, color=True), partial(matched, color=True)),
    "clahe_skimage": (np.uint16, partial(cheq.clahe, method="skimage"), exposure.equalize_adapthist),
}


def case_method(threads, name):
    """A batch of one image, thousands of times: each result is whole or untouched."""
    dtype, call, answer = METHODS[name]
    shape = (96, 96, 3) if name.endswith("lab") else (96, 96)
    image = np.random.default_rng(0).integers(1, 200, shape).astype(dtype)
    images = np.broadcast_to(image, (8_000, *shape))
    expected = answer(image)
    out = np.zeros(images.shape, expected.dtype)
    assert is_interrupted(lambda: [call(images, out=out, num_threads=threads) for _ in range(99)])
    whole_planes(out, np.broadcast_to(out.dtype.type(0), out.shape), np.broadcast_to(expected, out.shape), None)


def case_clahe_skimage_large(threads):
    """Planes that are worked on step by step, and finished once the last step has begun."""
    plane = np.random.default_rng(0).integers(1, 200, (2100, 2000), np.uint8)
    expected = exposure.equalize_adapthist(plane)
    images = np.broadcast_to(plane, (60, *plane.shape))
    out = np.zeros(images.shape)
    assert is_interrupted(
        lambda: [cheq.clahe(images, method="skimage", out=out, num_threads=threads) for _ in range(99)]
    )
    whole_planes(out, np.broadcast_to(0.0, out.shape), np.broadcast_to(expected, out.shape))


def case_clahe_skimage_bins(threads):
    """Few pixels, but for each of them a tile with a quarter of a million bins."""
    image = np.random.default_rng(0).integers(0, 200, (64, 64), np.uint8)
    call = partial(cheq.clahe, image, method="skimage", kernel_size=1, nbins=1 << 18, num_threads=threads)
    assert is_interrupted(call)


# What makes new arrays, of one plane; and the least bytes of a pixel's result.
FRESH = {
    "opencv": (np.uint8, 1, lambda plane, **named: cheq.equalize(plane, **named)),
    "uint16": (np.uint16, 2, lambda plane, **named: cheq.equalize(plane, **named)),
    "clahe": (np.uint8, 1, cheq.clahe),
    "clahe_uint16": (np.uint16, 2, cheq.clahe),
    "float64": (np.float64, 8, lambda plane, **named: cheq.equalize(plane, method="numpy", **named)),
    "recipe": (np.float64, 8, lambda plane, **named: cheq.recipes.image_histogram_equalization(plane, **named)),
    "match_histograms": (np.uint8, 8, lambda plane, **named: cheq.match_histograms(plane, plane[:1, ::2], **named)),
    "binarize": (np.uint16, 2, lambda plane, **named: cheq.binarize(plane, **named)),
    "apply_lut": (np.uint8, 8, lambda plane, **named: cheq.apply_lut(plane, np.arange(256.0), **named)),
    "ycrcb": (np.uint8, 3, lambda plane, **named: cheq.equalize(
        np.broadcast_to(plane[..., np.newaxis], (*plane.shape, 3)), color="ycrcb", channel_axis=-1, **named)),
}  # fmt: skip


def case_fresh(threads, name):
    """One huge plane whose result nobody has seen: the call ends in the midst of it.

    Only what is written takes memory, so a thread sees when the writing begins, and how far it came is seen after.
    """
    dtype, pixel_bytes, call = FRESH[name]
    row = np.random.default_rng(0).integers(1, 200, 1 << 16).astype(dtype)
    size = (2 << 30) // pixel_bytes
    plane = np.broadcast_to(row, (size >> 16, 1 << 16))
    before, written = resident(), 0

    def interrupt_the_writing():
        while resident() - before < 32 << 20:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_the_writing, daemon=True).start()

    def watched():
        try:
            call(plane, num_threads=threads)
        finally:
            nonlocal written
            written = peak() - before

    assert is_interrupted(watched)
    assert written < 1 << 30, f"{written} bytes were written after the interrupt at {32 << 20}"


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def case_gray_as_skimage(threads):
    """NumPy's product, which looks at no signal, in parts."""
    photos = np.ones((1 << 9, 1 << 9, 1 << 9, 3), np.uint8)
    assert is_interrupted(lambda: cheq.rgb_to_gray(photos, method="skimage", num_threads=threads))


def case_histogram(threads):
    """One histogram over 2**40 pixels: hours of work, so nothing but the interrupt ends it."""
    images = np.broadcast_to(np.uint8(7), (1 << 20, 1 << 20))
    assert is_interrupted(lambda: cheq.histogram(images, num_threads=threads))


def case_slow_layout(threads):
    """Neighbors lie pages apart, in the images and in the result: the slowest pixels there are."""
    batch, rows, columns = 200, 1 << 9, 1 << 11
    memory = np.ones(rows * 8192 + columns * 4096, np.uint8)
    images = np.lib.stride_tricks.as_strided(memory, (batch, rows, columns), (0, 8192, 4096), writeable=False)
    out = np.ones((rows, columns, batch), np.uint8).transpose(2, 0, 1)
    assert is_interrupted(lambda: cheq.equalize(images, out=out, num_threads=threads))


def case_handler_returns(threads):
    """A signal handler that raises nothing does not change what the call does."""
    images, expected = planes_like((2_000, *SMALL[1:]), cv2.equalizeHist)
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
    case, *name = sys.argv[1].split(" ")
    globals()[f"case_{case}"](int(sys.argv[2]), *name)
