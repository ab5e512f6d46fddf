"""The processes that test_memory.py starts: ``python memory_cases.py CASE`` prints how much a call takes at most.

Three numbers in bytes: the arrays that the call returns and that were not given to it; the most that NumPy and Python
held beside (tracemalloc); the most by which the process grew beside (its resident peak, which has C's memory too).
"""

import sys
import tracemalloc
from functools import partial

import numpy as np

import cheq
from cheq import recipes

THREADS = 2
PIXELS = 1 << 23
NBINS = 1 << 18
SMALL, LARGE = (512, 128, 128), (1, 2048, 4096)  # a plane a thread, and one plane in parts
COLOR = (64, 256, 512, 3)


def pixels(shape, dtype=np.uint8):
    """Pixels of many levels; made without memory that is freed before the measurement and used again in it."""
    row = np.random.default_rng(0).random(4096)
    row = row.astype(dtype) if np.dtype(dtype).kind == "f" else (row * np.iinfo(dtype).max).astype(dtype)
    result = np.empty(shape, dtype)
    result.reshape(-1, 4096)[...] = row
    return result


def call(function, *arguments, **options):
    return partial(function, *arguments, **options, num_threads=THREADS)


def equalize(method, dtype, shape, **options):
    return call(cheq.equalize, pixels(shape, dtype), method=method, **options)


def in_place_of(images, out):
    """A call into memory that is there: its result is none beside."""
    return lambda: (cheq.equalize(images, out=out, num_threads=THREADS), None)[1]


def overlapping():
    memory = pixels((PIXELS + 4096,))
    return in_place_of(memory[:PIXELS].reshape(SMALL), memory[4096:].reshape(SMALL))


def byte_swapped():
    swapped = pixels(SMALL, np.uint16).astype(np.dtype(np.uint16).newbyteorder("S"))
    return in_place_of(swapped, np.full(SMALL, 9, np.uint16))


def many_histograms():
    """Images with histograms of 512 KiB a plane, 1 GiB in all; neither batch axis alone is enough to cut."""
    return np.broadcast_to(pixels((1, 4096), np.uint16).reshape(-1)[:2], (8, 256, 1, 2))


def clahe(dtype, shape, **options):
    return call(cheq.clahe, pixels(shape, dtype), **options)


def match(kind, shape, reference=(128, 128), **options):
    return call(cheq.match_histograms, pixels(shape, kind), pixels(reference, kind), **options)


u1, u2, f4, f8 = np.uint8, np.uint16, np.float32, np.float64
cumulative, recipe = cheq.cumulative_distribution, recipes.image_histogram_equalization
CASES = {
    "opencv, small planes": lambda: equalize("opencv", u1, SMALL),
    "opencv, one plane": lambda: equalize("opencv", u1, LARGE),
    "opencv, masked": lambda: equalize("opencv", u1, SMALL, mask=pixels((128, 128)) > 99),
    "opencv, uint16": lambda: equalize("opencv", u2, SMALL),
    "opencv, overlapping": overlapping,
    "opencv, byte-swapped": byte_swapped,
    "opencv, channels": lambda: equalize("opencv", u1, COLOR, channel_axis=-1),
    "pillow": lambda: equalize("pillow", u1, SMALL),
    "skimage, uint8": lambda: equalize("skimage", u1, SMALL),
    "skimage, uint16, one plane": lambda: equalize("skimage", u2, LARGE),
    "skimage, float32": lambda: equalize("skimage", f4, SMALL),
    "skimage, bool": lambda: call(cheq.equalize, pixels(SMALL) > 99, method="skimage"),
    "numpy, int16": lambda: equalize("numpy", np.int16, SMALL),
    "numpy, float64, one plane": lambda: equalize("numpy", f8, LARGE),
    "numpy, float64, many bins": lambda: equalize("numpy", f8, LARGE, nbins=NBINS),
    "numpy, float32, tiny planes": lambda: equalize("numpy", f4, (PIXELS // 4, 2, 2)),
    "ycrcb": lambda: equalize("opencv", u1, COLOR, channel_axis=-1, color="ycrcb"),
    "lab": lambda: equalize("opencv", u1, COLOR, channel_axis=-1, color="lab"),
    "clahe, small planes": lambda: clahe(u1, SMALL),
    "clahe, one plane": lambda: clahe(u1, LARGE),
    "clahe, many tiles": lambda: clahe(u1, LARGE, tile_grid_size=(1000, 1000)),
    "clahe, uint16": lambda: clahe(u2, SMALL),
    "clahe, uint16, one plane": lambda: clahe(u2, LARGE),
    "clahe, uint16, many tiles": lambda: clahe(u2, LARGE, tile_grid_size=(64, 64)),
    "clahe, masked": lambda: clahe(u1, SMALL, mask=pixels((128, 128)) > 99),
    "clahe, lab": lambda: clahe(u1, COLOR, channel_axis=-1, color="lab"),
    "clahe, skimage, small planes": lambda: clahe(u1, SMALL, method="skimage"),
    "clahe, skimage, one plane": lambda: clahe(f4, LARGE, method="skimage"),
    "clahe, skimage, many tiles": lambda: clahe(u1, LARGE, method="skimage", kernel_size=(512, 4)),
    "clahe, skimage, a volume": lambda: clahe(u2, SMALL, method="skimage", axes=(0, 1, 2), nbins=999),
    "match, small planes": lambda: match(u1, SMALL),
    "match, one plane": lambda: match(u1, LARGE, dtype="same", mask=pixels(LARGE) > 9),
    "match, uint16": lambda: match(u2, SMALL),
    "match, channels": lambda: match(u1, COLOR, COLOR[1:], channel_axis=-1),
    "match, lab": lambda: match(u1, COLOR, COLOR[1:], channel_axis=-1, color="lab"),
    "match, float32": lambda: match(f4, SMALL),
    "match, float64, masked": lambda: match(f8, SMALL, mask=pixels((128, 128)) > 99),
    "match, float32, one plane": lambda: match(f4, (1024, 1024)),
    "match, a large reference": lambda: match(f4, SMALL, (1024, 1024)),
    "match, one each": lambda: match(u1, SMALL, SMALL),
    "match, uint16, one each": lambda: match(u2, SMALL, SMALL),
    "match, float32, one each": lambda: match(f4, SMALL, SMALL),
    "matching_lut": lambda: partial(cheq.matching_lut, np.ones((64, 1 << 16), int), np.ones((64, 1 << 16))),
    "gray, opencv": lambda: call(cheq.rgb_to_gray, pixels(COLOR), method="opencv"),
    "gray, skimage": lambda: call(cheq.rgb_to_gray, pixels(COLOR), method="skimage"),
    "histogram, uint8": lambda: call(cheq.histogram, pixels((8192, 16, 64))),
    "histogram, uint16": lambda: call(cheq.histogram, pixels((64, 2048, 64), u2)),
    "equalization_lut": lambda: partial(cheq.equalization_lut, np.ones((64, 1 << 16), np.int64), method="skimage"),
    "equalization_lut, weights": lambda: partial(
        cheq.equalization_lut, np.ones((64, 1 << 16)), method="numpy", dtype="same"
    ),
    "apply_lut": lambda: call(cheq.apply_lut, pixels(SMALL, u2), np.arange(1 << 16) / 65535),
    "cumulative, uint8": lambda: call(cumulative, pixels((16384, 32, 16))),
    "cumulative, float64": lambda: call(cumulative, pixels((16384, 16, 16), f8)),
    "cumulative, float32": lambda: call(cumulative, pixels((16384, 16, 16), f4)),
    "otsu_threshold": lambda: call(cheq.otsu_threshold, many_histograms()),
    "binarize, otsu": lambda: call(cheq.binarize, pixels(SMALL, u2)),
    "binarize, a number": lambda: call(cheq.binarize, pixels(SMALL, u2), 999),
    "binarize, numbers": lambda: call(cheq.binarize, many_histograms(), np.arange(2048).reshape(8, 256)),
    "recipe, float64": lambda: call(recipe, pixels(SMALL, f8)),
    "recipe, uint8": lambda: call(recipe, pixels(SMALL)),
    "recipe of pictures": lambda: call(recipes.histogram_equalize, pixels(COLOR)),
}


# ---------------------------------------------------------------- measuring


def resident(what):
    """VmRSS, or its peak VmHWM, in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(what))


def forget_the_peak():
    """Return whether the system does that, and has a peak."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        return resident("VmHWM") > 0
    except (OSError, StopIteration):
        return False


def size_of(result):
    return sum(array.nbytes for array in (result if isinstance(result, tuple) else (result,)) if array is not None)


def warm_up():
    """Start the threads, and what NumPy loads at first use."""
    for method, dtype in (("opencv", np.uint8), ("skimage", np.uint16), ("numpy", np.float64)):
        cheq.equalize(pixels((64, 64, 64), dtype), method=method, num_threads=THREADS)
    cheq.rgb_to_gray(pixels((4, 64, 64, 3)), method="skimage")


def measure(name):
    call = CASES[name]()
    warm_up()
    told = forget_the_peak()
    before = resident("VmRSS") if told else 0
    result = size_of(call())
    grown = [resident("VmHWM") - before - result] if told else []
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    call()
    traced = tracemalloc.get_traced_memory()[1] - before
    return result, traced - result, *grown


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(*measure(name))
