"""Random cases of CLAHE, the same ones every time: for the naive version against the libraries, and for cheq."""

import numpy as np
from reference_clahe import METHODS, kernel_of

from cheq.parity.pixels import KINDS, plane

# Sides below, at and above those of vectors, primes, and such that tiles of powers of two fit.
SIDES = (1, 2, 3, 5, 8, 13, 16, 31, 32, 33, 61, 64, 67, 97, 100, 127, 128, 160, 211, 256)
CLIP_LIMITS = (None, 0, -1, 1e-9, 0.3, 1, 1.5, 2, 2.7, 3, 4, 10, 40, 255.9, 1e4)
SHARES = (None, 0, -1, 1e-9, 0.001, 0.01, 0.03, 0.2, 0.999, 1)  # clip limits of scikit-image


def opencv_cases(number, dtype, seed=0):
    """Yield so many planes, and the options of each."""
    random = np.random.default_rng([seed, np.dtype(dtype).itemsize])
    for i in range(number):
        shape, grid = tuple(map(int, random.choice(SIDES, 2))), random.integers(1, 17, 2)
        if i % 8 == 1:  # tiles outside the image; OpenCV has LUTs of all of them, up to 100 KiB each
            shape = tuple(map(int, random.choice(SIDES[:8], 2)))
            grid = random.integers(1, 300 if dtype == "uint8" else 40, 2)
        elif i % 8 == 2:  # tiles that fit
            shape = tuple(side * int(random.integers(1, 16)) for side in map(int, grid[::-1]))
        elif i % 8 in (4, 6):  # tiles whose sides are powers of two, of at most 100,000 pixels in all
            high = int(random.integers(0, 11))
            tile = (2**high, 2 ** int(random.integers(0, min(10, 16 - high) + 1)))
            columns = max(1, min(int(grid[0]), 100_000 // (tile[0] * tile[1])))
            rows = max(1, min(int(grid[1]), 100_000 // (tile[0] * tile[1] * columns)))
            grid, shape = (columns, rows), (tile[0] * rows, tile[1] * columns)
        options = {"clip_limit": random.choice(CLIP_LIMITS), "tile_grid_size": tuple(map(int, grid))}
        yield plane(KINDS[i % len(KINDS)], dtype, shape, i), options


def skimage_cases(number, dtype, seed=0):
    """Yield so many arrays of one to four axes, and the options of each."""
    random = np.random.default_rng([seed, np.dtype(dtype).itemsize])
    for i in range(number):
        ndim = (2, 2, 2, 3, 3, 1, 4)[i % 7]
        shape = tuple(map(int, random.integers(1, {1: 900, 2: 90, 3: 16, 4: 8}[ndim], ndim)))
        if ndim == 3 and shape[-1] in (3, 4):  # for scikit-image these are colors
            shape = (*shape[:2], 5)
        longest = {1: 60, 2: 40, 3: 16, 4: 6}[ndim]  # scikit-image needs memory and time for kernels of many pixels
        kernel = (None, int(random.integers(1, longest)), tuple(map(int, random.integers(1, longest, ndim))))[i % 3]
        tiles = np.prod([-(-length // side) for length, side in zip(shape, kernel_of(kernel, shape), strict=True)])
        nbins = [None, None, *[n for n in (1, 2, 10, 100, 256, 300, 1024, 20_000) if n * tiles < 60_000]]  # slow else
        options = {"clip_limit": random.choice(SHARES), "kernel_size": kernel, "nbins": random.choice(nbins)}
        kind = KINDS[i % len(KINDS)] if ndim > 1 else "normal"
        image = plane(kind, dtype, shape if ndim > 1 else (1, *shape), i).reshape(shape)
        yield np.clip(image, -1, 1) if image.dtype.kind == "f" else image, options


SKIMAGE_DTYPES = METHODS["skimage"]
