"""The processes that test_memory.py starts: ``python memory_cases.py CASE`` prints how much a call takes at most.

Three numbers in bytes: the arrays that the call returns and that were not given to it; the most that NumPy and Python
held beside (tracemalloc); the most by which the process grew beside (its resident peak, which has C's memory too).
"""

import sys
import tracemalloc

import numpy as np

import cheq
from cheq import recipes

THREADS = 2
PIXELS = 1 << 23
NBINS = 1 << 18
SMALL, LARGE = (512, 128, 128), (1, 2048, 4096)  # a plane a thread, and one plane in parts


def pixels(shape, dtype=np.uint8):
    """Pixels of many levels; made without memory that is freed before the measurement and used again in it."""
    row = np.random.default_rng(0).random(4096)
    row = row.astype(dtype) if np.dtype(dtype).kind == "f" else (row * np.iinfo(dtype).max).astype(dtype)
    result = np.empty(shape, dtype)
    result.reshape(-1, 4096)[...] = row
    return result


def of_equalize(method, dtype, shape, **others):
    images = pixels(shape, dtype)
    return lambda: cheq.equalize(images, method=method, num_threads=THREADS, **others)


def of_mask():
    images, mask = pixels(SMALL), pixels((128, 128)) > 99
    return lambda: cheq.equalize(images, mask=mask, num_threads=THREADS)


def of_bool():
    images = pixels(SMALL) > 99
    return lambda: cheq.equalize(images, method="skimage", num_threads=THREADS)


def of_swapped():
    images = pixels(SMALL, np.uint16).astype(np.dtype(np.uint16).newbyteorder("S"))
    out = np.full(SMALL, 9, np.uint16)
    return lambda: (cheq.equalize(images, out=out, num_threads=THREADS), None)[1]


def of_overlap():
    memory = pixels((PIXELS + 4096,))
    images, out = memory[:PIXELS].reshape(SMALL), memory[4096:].reshape(SMALL)
    return lambda: (cheq.equalize(images, out=out, num_threads=THREADS), None)[1]


def of_color(**others):
    images = pixels((64, 256, 512, 3))
    return lambda: cheq.equalize(images, channel_axis=-1, num_threads=THREADS, **others)


def of_gray(method):
    images = pixels((64, 256, 512, 3))
    return lambda: cheq.rgb_to_gray(images, method=method, num_threads=THREADS)


def of_histogram(dtype, planes):
    images = pixels((planes, PIXELS // planes // 64, 64), dtype)
    return lambda: cheq.histogram(images, num_threads=THREADS)


def of_lut():
    counts = np.ones((64, 1 << 16), np.int64)
    return lambda: cheq.equalization_lut(counts, method="skimage")


def of_apply():
    images, lut = pixels(SMALL, np.uint16), np.arange(1 << 16) / 65535
    return lambda: cheq.apply_lut(images, lut, num_threads=THREADS)


def of_cumulative(dtype, shape, **others):
    images = pixels(shape, dtype)
    return lambda: cheq.cumulative_distribution(images, num_threads=THREADS, **others)


def of_otsu(function, *arguments):
    """Histograms of 512 KiB a plane, 1 GiB in all; batch axes of which neither alone is enough to cut."""
    images = pixels((1, 4096), np.uint16).reshape(-1)
    images = np.broadcast_to(images[:2], (8, 256, 1, 2))
    return lambda: function(images, *arguments, num_threads=THREADS)


def of_binarize():
    images = pixels(SMALL, np.uint16)
    return lambda: cheq.binarize(images, num_threads=THREADS)


def of_number():
    images = pixels(SMALL, np.uint16)
    return lambda: cheq.binarize(images, 999, num_threads=THREADS)


def of_recipe(dtype):
    images = pixels(SMALL, dtype)
    return lambda: recipes.image_histogram_equalization(images, num_threads=THREADS)


def of_picture_recipe():
    images = pixels((64, 256, 512, 3))
    return lambda: recipes.histogram_equalize(images, num_threads=THREADS)


CASES = {
    "opencv, small planes": lambda: of_equalize("opencv", np.uint8, SMALL),
    "opencv, one plane": lambda: of_equalize("opencv", np.uint8, LARGE),
    "opencv, masked": of_mask,
    "opencv, uint16": lambda: of_equalize("opencv", np.uint16, SMALL),
    "opencv, overlapping": of_overlap,
    "opencv, byte-swapped": of_swapped,
    "opencv, channels": of_color,
    "pillow": lambda: of_equalize("pillow", np.uint8, SMALL),
    "skimage, uint8": lambda: of_equalize("skimage", np.uint8, SMALL),
    "skimage, uint16, one plane": lambda: of_equalize("skimage", np.uint16, LARGE),
    "skimage, float32": lambda: of_equalize("skimage", np.float32, SMALL),
    "skimage, bool": of_bool,
    "numpy, int16": lambda: of_equalize("numpy", np.int16, SMALL),
    "numpy, float64, one plane": lambda: of_equalize("numpy", np.float64, LARGE),
    "numpy, float64, many bins": lambda: of_equalize("numpy", np.float64, LARGE, nbins=NBINS),
    "numpy, float32, tiny planes": lambda: of_equalize("numpy", np.float32, (PIXELS // 4, 2, 2)),
    "ycrcb": lambda: of_color(color="ycrcb"),
    "gray, opencv": lambda: of_gray("opencv"),
    "gray, skimage": lambda: of_gray("skimage"),
    "histogram, uint8": lambda: of_histogram(np.uint8, 8192),
    "histogram, uint16": lambda: of_histogram(np.uint16, 64),
    "equalization_lut": of_lut,
    "apply_lut": of_apply,
    "cumulative, uint8": lambda: of_cumulative(np.uint8, (16384, 32, 16)),
    "cumulative, float64": lambda: of_cumulative(np.float64, (16384, 16, 16)),
    "cumulative, float32": lambda: of_cumulative(np.float32, (16384, 16, 16)),
    "otsu_threshold": lambda: of_otsu(cheq.otsu_threshold),
    "binarize, otsu": of_binarize,
    "binarize, a number": of_number,
    "binarize, numbers": lambda: of_otsu(cheq.binarize, np.arange(2048).reshape(8, 256)),
    "recipe, float64": lambda: of_recipe(np.float64),
    "recipe, uint8": lambda: of_recipe(np.uint8),
    "recipe of pictures": of_picture_recipe,
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
