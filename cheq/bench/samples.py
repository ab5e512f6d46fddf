"""A batch of real pictures, made from those in scikit-image's wheel: nothing is downloaded."""

from typing import Any

import numpy as np
import skimage.data
from PIL import Image

SOURCES = ("camera", "astronaut", "coins", "moon", "faces")
_FACES = 100  # of the 200 samples of lfw_subset; the rest show no faces


def real_batch(count: int = 1800, size: int = 96, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Gray pictures of equal size: crops of photographs, and small faces enlarged.

    Parameters
    ----------
    count : int
        How many.
    size : int
        Their height and width.
    seed : int
        The same seed gives the same crops.

    Returns
    -------
    ndarray of uint8, shape (count, 1, size, size)
        Image ``i`` is taken from ``SOURCES[i % 5]``, so ``batch[k::5]`` are those of one source.
    """
    rng = np.random.default_rng(seed)
    photographs = [_gray(_load(name)) for name in SOURCES[:-1]]
    faces = [_gray(face) for face in np.rint(_load("lfw_subset")[:_FACES] * 255).astype(np.uint8)]
    batch = np.empty((count, 1, size, size), np.uint8)
    for index in range(count):
        turn, source = divmod(index, len(SOURCES))
        picture = photographs[source] if source < len(photographs) else faces[turn % len(faces)]
        batch[index, 0] = _crop(picture, size, rng)
    return batch


def _load(name: str) -> np.ndarray[Any, np.dtype[Any]]:
    """A picture of scikit-image, whose annotations do not cover all of them."""
    picture: np.ndarray[Any, np.dtype[Any]] = getattr(skimage.data, name)()
    return picture


def _gray(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Image.Image:
    return Image.fromarray(pixels).convert("L")


def _crop(picture: Image.Image, size: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A square of the picture, mirrored every other time: of `size` to twice that, or most of a smaller picture."""
    shortest = min(picture.size)
    low = min(size, shortest * 4 // 5)
    edge = int(rng.integers(low, min(2 * size, shortest) + 1))
    left = int(rng.integers(picture.width - edge + 1))
    top = int(rng.integers(picture.height - edge + 1))
    box = (left, top, left + edge, top + edge)
    square = np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, box=box))
    return square[:, ::-1] if rng.integers(2) else square
