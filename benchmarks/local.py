"""CLAHE, and what equalizes lightness alone: every kernel beside cv2 and scikit-image, every output equal."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from cases import BEST_KERNEL, KERNELS, Case
from methods import beside, beside_cv2, cv2_lightness
from pictures import channels_last, color, mosaic, tiles
from skimage.exposure import equalize_adapthist

import cheq
from cheq.bench.samples import real_batch

Array = np.ndarray[Any, Any]
LIMIT, GRID = 2.0, (8, 8)
ALL_KERNELS = tuple(dict.fromkeys([BEST_KERNEL, *KERNELS[::-1]]))
SPACES = {"ycrcb": "YCrCb", "yuv": "YUV", "lab": "Lab"}

apply_clahe = cv2.createCLAHE(LIMIT, GRID).apply
clahe_of = partial(cheq.clahe, clip_limit=LIMIT, tile_grid_size=GRID)


def cv2_clahe(images: Array, out: Array) -> Array:
    for image, result in zip(images, out, strict=True):
        apply_clahe(image, result)
    return out


def one_a_call(images: Array, out: Array, num_threads: int) -> Array:
    for image, result in zip(images, out, strict=True):
        clahe_of(image, out=result, num_threads=num_threads)
    return out


def beside_clahe(work: str, images: Array, call: Callable[..., Array] = clahe_of) -> Case:
    return beside_cv2(work, images, cv2_clahe, call, *ALL_KERNELS)


def clahe() -> Iterator[Case]:
    """Yield a job for each size, dtype and method of CLAHE."""
    large, words = tiles(512), mosaic().astype(np.uint16)
    yield beside_clahe("uint8 (64, 512, 512)", large)
    yield beside_clahe("uint8 (512, 512), 64 of them, one a call", large, one_a_call)
    yield beside_clahe("uint8 (1800, 96, 96)", real_batch(1800, 96)[:, 0])
    yield beside_clahe("uint8 (400, 224, 224)", real_batch(400, 224)[:, 0])
    yield beside_clahe("uint8 4096 x 4096", mosaic()[np.newaxis])
    yield beside_clahe("uint8 1080 x 1920", np.ascontiguousarray(mosaic()[np.newaxis, :1080, :1920]))
    yield beside_clahe("uint8 (40000, 8, 8)", tiles(8)[:40_000])
    for bits, images in ((12, words * 16 + words.T // 16), (16, words * 256 + words.T)):
        planes = images[:1024].reshape(2, 512, 8, 512).swapaxes(1, 2).reshape(16, 512, 512)
        yield beside_clahe(f"uint16 of {bits} bits (16, 512, 512)", planes)
    peers, options = {"scikit-image": equalize_adapthist}, {"call": cheq.clahe, "method": "skimage", "some": 2}
    for images in (large[:16], np.float32(large[:16]) / np.float32(255)):
        kind, out = images.dtype.name, np.float32 if images.dtype == np.float32 else np.float64
        yield beside(f"skimage, {kind} (16, 512, 512)", images, peers, *ALL_KERNELS, out=out, **options)
    yield from of_lightness("clahe", "lab", clahe_of, apply_clahe)


def of_lightness(name: str, space: str, call: Callable[..., Array], change: Callable[..., Array]) -> Iterator[Case]:
    for images in (channels_last(real_batch(192, 224)), color(1080, 1920)[np.newaxis]):
        shape = images.shape if len(images) > 1 else images.shape[1:]
        loop = partial(cv2_lightness, SPACES[space], change)
        ours = partial(call, channel_axis=-1, color=space)
        yield beside_cv2(f"{name}, color='{space}' {shape}", images, loop, ours, *ALL_KERNELS)


def lightness() -> Iterator[Case]:
    """Yield equalizing in each of the spaces."""
    for space in SPACES:
        yield from of_lightness("equalize", space, cheq.equalize, cv2.equalizeHist)
