"""The pixels that are worked on: real ones from scikit-image's wheel, and made ones."""

from functools import cache
from typing import Any

import numpy as np
import skimage.data

from cheq.bench.samples import SOURCES, real_batch

Images = np.ndarray[Any, np.dtype[np.uint8]]


def uniform(*shape: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@cache
def mosaic() -> Images:
    """Return 4096 x 4096 pixels: 8 x 8 photographs of 512 x 512, hardly enlarged and therefore with real neighbors."""
    photographs = real_batch(80, 512)[np.arange(80) % len(SOURCES) != SOURCES.index("faces"), 0]
    return np.ascontiguousarray(photographs.reshape(8, 8, 512, 512).swapaxes(1, 2).reshape(4096, 4096))


def tiles(edge: int) -> Images:
    """Return the mosaic cut into planes of edge x edge, what is left over at the borders dropped."""
    n = 4096 // edge
    cut = mosaic()[: n * edge, : n * edge].reshape(n, edge, n, edge)
    return np.ascontiguousarray(cut.swapaxes(1, 2)).reshape(-1, edge, edge)


def faces() -> Images:
    """Return (60000, 28, 28): 2,000 faces thirty times over."""
    return np.tile(real_batch(10_000, 28)[SOURCES.index("faces") :: len(SOURCES), 0], (30, 1, 1))


def color(height: int, width: int) -> Images:
    """Return (height, width, 3): the astronaut side by side."""
    photograph = skimage.data.astronaut()
    times = (-(-height // photograph.shape[0]), -(-width // photograph.shape[1]), 1)
    return np.ascontiguousarray(np.tile(photograph, times)[:height, :width])


def channels_last(planes: Images) -> Images:
    """Return (n, height, width, 3) of (3 n, height, width)."""
    return np.ascontiguousarray(np.moveaxis(planes.reshape(-1, 3, *planes.shape[-2:]), 1, -1))


def every_second(images: Images) -> Images:
    """Return a view of ``images``' pixels that skips as many rows and columns."""
    return np.repeat(np.repeat(images, 2, -1), 2, -2)[..., ::2, ::2]


def flat_data(count: int, edge: int) -> dict[str, Images]:
    """Return uniform pixels, and those that make counters wait for themselves: of one level, and of two."""
    pixels = uniform(count, edge, edge)
    halves = np.full_like(pixels, 10)
    halves[:, edge // 2 :] = 200
    return {
        "uniform": pixels,
        "constant": np.full_like(pixels, 77),
        "two levels at random": np.where(pixels & 1, np.uint8(10), np.uint8(200)),
        "two levels, a half each": halves,
    }
