"""What tools/soak.py calls, with the answers of cv2, Pillow, scikit-image and NumPy; cheq makes none of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps
from skimage import exposure

from cheq.bench.peers import recipe

# Tiny, small, odd, as many planes as threads, few and large enough to be cut into parts.
SHAPES = [
    (1, 1), (7, 5), (3, 1, 1), (2000, 3, 5), (90, 28, 31), (6, 1, 33, 65), (40, 96, 97), (2, 300, 411), (700, 501),
    (1, 300_001),
]  # fmt: skip


@dataclass
class Case:
    """One call: the function's name, its images, other arguments, and what has to come out."""

    function: str
    images: Any
    expected: Any
    others: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        others = {name: value.shape if isinstance(value, np.ndarray) else value for name, value in self.others.items()}
        return f"{self.function}({self.images.dtype} {self.images.shape}, {others})"


def make(number: int, seed: int) -> Case:
    """Return case ``number`` of a seed; any two numbers that differ by ``len(MAKERS)`` are made alike."""
    return MAKERS[number % len(MAKERS)](np.random.default_rng([seed, number]))


def each_plane(images: Any, answer: Callable[..., Any], *masks: Any) -> Any:
    """Stack the answers for each plane, the last two axes."""
    planes = images.reshape(-1, *images.shape[-2:])
    of_masks = [np.broadcast_to(mask, images.shape).reshape(planes.shape) for mask in masks]
    answers = [np.asarray(answer(*each)) for each in zip(planes, *of_masks, strict=True)]
    return np.stack(answers).reshape(images.shape[:-2] + answers[0].shape)


# ---------------------------------------------------------------- the peers


def pillow(plane: Any, mask: Any = None) -> Any:
    under = None if mask is None else Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(ImageOps.equalize(Image.fromarray(np.ascontiguousarray(plane)), under))


def otsu(plane: Any) -> tuple[float, Any]:
    return cv2.threshold(plane, 0, int(np.iinfo(plane.dtype).max), cv2.THRESH_BINARY | cv2.THRESH_OTSU)


def by_lightness(image: Any, there: int, back: int) -> Any:
    parts = cv2.cvtColor(image, there)
    parts[..., 0] = cv2.equalizeHist(np.ascontiguousarray(parts[..., 0])).reshape(parts.shape[:2])
    return cv2.cvtColor(parts, back)


# ---------------------------------------------------------------- the cases


def shape_of(random: np.random.Generator, most: int = 1 << 30) -> tuple[int, ...]:
    fitting = [shape for shape in SHAPES if np.prod(shape) <= most]
    return fitting[random.integers(len(fitting))]


def pixels(random: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.uint8) -> Any:
    """Pixels of many levels or of few, unequally frequent."""
    if np.dtype(dtype).kind == "f":
        return random.normal(size=shape).astype(dtype)
    limits, share = np.iinfo(dtype), random.choice([0.02, 0.6, 1.0])
    return (limits.min + random.beta(2, 4, shape) * (float(limits.max) - limits.min) * share).astype(dtype)


def of_opencv(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random))
    return Case("equalize", images, each_plane(images, cv2.equalizeHist))


def of_opencv_channels(random: np.random.Generator) -> Case:
    images = pixels(random, (int(random.integers(1, 9)), int(random.integers(3, 5)), 61, 83))
    expected = np.moveaxis(each_plane(images, cv2.equalizeHist), 1, -1)
    return Case("equalize", np.moveaxis(images, 1, -1), expected, {"channel_axis": -1})


def of_opencv_volumes(random: np.random.Generator) -> Case:
    images = pixels(random, (int(random.integers(1, 9)), 5, 40, 99))
    flat = images.reshape(len(images), 1, -1)
    others = {"axes": (-3, -2, -1)}
    return Case("equalize", images, each_plane(flat, cv2.equalizeHist).reshape(images.shape), others)


def of_opencv_masked(random: np.random.Generator) -> Case:
    """Levels outside the mask are also under it, so that the counted pixels' answers tell every level's."""
    images = pixels(random, shape_of(random, 1 << 18))
    mask = np.zeros(images.shape, bool)
    mask[..., : (images.shape[-1] + 1) // 2] = True
    images[..., ~mask.reshape(-1, images.shape[-1])[0]] = images[..., :1]

    def answer(plane: Any) -> Any:
        counted = np.ascontiguousarray(plane[:, : (plane.shape[-1] + 1) // 2])
        lut = np.zeros(256, np.uint8)
        lut[counted] = cv2.equalizeHist(counted).reshape(counted.shape)
        return lut[plane]

    return Case("equalize", images, each_plane(images, answer), {"mask": mask})


def of_pillow(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random))
    return Case("equalize", images, each_plane(images, pillow), {"method": "pillow"})


def of_pillow_masked(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random, 1 << 18))
    mask = random.random(images.shape) < random.choice([0.1, 0.9])
    return Case("equalize", images, each_plane(images, pillow, mask), {"method": "pillow", "mask": mask})


def of_skimage(random: np.random.Generator) -> Case:
    dtype = random.choice([np.uint8, np.int8, np.uint16, np.int16, np.float32, np.float64])
    images = pixels(random, shape_of(random), dtype)
    return Case("equalize", images, each_plane(images, exposure.equalize_hist), {"method": "skimage"})


def of_skimage_masked(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random, 1 << 18), random.choice([np.uint8, np.uint16, np.float64]))
    mask = random.random(images.shape) < 0.5
    mask[..., 0, 0] = True  # one pixel of each plane at least
    expected = each_plane(images, lambda plane, under: exposure.equalize_hist(plane, mask=under), mask)
    return Case("equalize", images, expected, {"method": "skimage", "mask": mask})


def of_numpy(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random), random.choice([np.uint8, np.int16, np.float32, np.float64]))
    return Case("equalize", images, each_plane(images, lambda plane: recipe(plane)[0]), {"method": "numpy"})


CODES = {
    "ycrcb": (cv2.COLOR_RGB2YCrCb, cv2.COLOR_YCrCb2RGB),
    "yuv": (cv2.COLOR_RGB2YUV, cv2.COLOR_YUV2RGB),
    "lab": (cv2.COLOR_RGB2Lab, cv2.COLOR_Lab2RGB),
}


def of_lightness(random: np.random.Generator) -> Case:
    shape = (int(random.integers(1, 40)), 37, 49, 3) if random.random() < 0.5 else (1, 500, 421, 3)
    images = pixels(random, shape)
    space = random.choice([*CODES])
    expected = np.stack([by_lightness(image, *CODES[space]) for image in images])
    return Case("equalize", images, expected, {"color": str(space), "channel_axis": -1})


def of_gray(random: np.random.Generator) -> Case:
    images = pixels(random, (int(random.integers(1, 9)), 211, 207, 3))
    weights = "pillow" if random.random() < 0.5 else "opencv"
    if weights == "opencv":
        expected = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])
    else:
        expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in images])
    return Case("rgb_to_gray", images, expected, {"method": weights})


def of_histogram(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random), random.choice([np.uint8, np.uint16]))
    if images.dtype == np.uint16:
        images = images[..., :2, :]  # 512 KiB of counts a plane
        images = images.reshape(-1, *images.shape[-2:])[:20]
    levels = int(np.iinfo(images.dtype).max) + 1
    return Case("histogram", images, each_plane(images, lambda plane: np.bincount(plane.ravel(), minlength=levels)))


def of_apply_lut(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random))
    lut = random.permutation(256).astype(random.choice([np.uint8, np.int16, np.float32]))
    return Case("apply_lut", images, lut[images], {"lut": lut})


def of_otsu(random: np.random.Generator) -> Case:
    # 16 bits, as OpenCV's uint8 may be Intel's, which takes another level of a tie.
    images = pixels(random, shape_of(random, 1 << 17)[-2:], np.uint16)
    return Case("binarize", images, otsu(images)[1].reshape(images.shape))


def of_recipe(random: np.random.Generator) -> Case:
    images = pixels(random, shape_of(random), random.choice([np.uint8, np.float32, np.float64]))
    return Case("image_histogram_equalization", images, each_plane(images, lambda plane: recipe(plane)[0]))


MAKERS = [
    of_opencv, of_opencv_channels, of_opencv_volumes, of_opencv_masked, of_pillow, of_pillow_masked, of_skimage,
    of_skimage_masked, of_numpy, of_lightness, of_gray, of_histogram, of_apply_lut, of_otsu, of_recipe,
]  # fmt: skip
