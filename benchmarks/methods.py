"""The other methods, dtypes and steps, each beside the library whose answer it gives; every output equal."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from cases import Case, cheq_runs
from peers import on_cv2_threads
from pictures import channels_last, mosaic, tiles
from PIL import Image, ImageOps
from skimage.exposure import equalize_hist

import cheq
from cheq.bench.peers import recipe
from cheq.bench.samples import real_batch
from cheq.bench.timing import Contestant

Array = np.ndarray[Any, Any]


def counted_and_looked_up(image: Array) -> Array:
    """Equalize one uint16 image as scikit-image does, by np.bincount and a LUT: the fast way to write it in NumPy."""
    cdf = np.bincount(image.ravel(), minlength=65536).cumsum()
    return (cdf / cdf[-1])[image]


def pillow(image: Array) -> Array:
    return np.asarray(ImageOps.equalize(Image.fromarray(image)))


def beside(
    work: str,
    images: Array,
    peers: dict[str, Callable[[Array], Array]],
    *kernels: str,
    some: int,
    out: Any,
    call: Callable[..., Array] = cheq.equalize,
    **options: Any,
) -> Case:
    """Compare one call for all images with loops over peers' calls for some of them."""
    result = np.empty(images.shape, out)
    contestants = [
        Contestant(name, partial(_each, peer, images[:some]), parts=len(images) / some) for name, peer in peers.items()
    ]
    for contestant in cheq_runs(partial(call, images, out=result, **options), *kernels):
        contestant.arrange = lambda found: found[:some]
        contestants.append(contestant)
    return Case(work, images.size, contestants)


def _each(call: Callable[[Array], Array], images: Array) -> Array:
    return np.stack([call(image) for image in images])


def cv2_lightness(space: str, change: Callable[[Array, Array], Array], images: Array, out: Array) -> Array:
    """Change the lightness, the first channel of a space, in memory that is allocated once."""
    there, back = (getattr(cv2, f"COLOR_{name}") for name in (f"RGB2{space}", f"{space}2RGB"))
    converted, lightness = np.empty(images.shape[1:], np.uint8), np.empty(images.shape[1:3], np.uint8)
    for image, result in zip(images, out, strict=True):
        cv2.cvtColor(image, there, converted)
        cv2.extractChannel(converted, 0, lightness)
        change(lightness, lightness)
        cv2.insertChannel(lightness, converted, 0)
        cv2.cvtColor(converted, back, result)
    return out


def cv2_gray(images: Array, out: Array) -> Array:
    for image, result in zip(images, out, strict=True):
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY, result)
    return out


def cv2_otsu(images: Array, out: Array) -> Array:
    for image, result in zip(images, out, strict=True):
        cv2.threshold(image, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU, result)
    return out


def beside_cv2(
    work: str,
    images: Array,
    loop: Any,
    call: Callable[..., Any],
    *kernels: str,
    shape: tuple[int, ...] | None = None,
) -> Case:
    ours, theirs = (np.empty(images.shape if shape is None else shape, images.dtype) for _ in range(2))
    contestants = [
        *on_cv2_threads("cv2, a loop", partial(loop, images, theirs)),
        *cheq_runs(partial(call, images, out=ours), *kernels),
    ]
    return Case(work, images.size, contestants)


def methods() -> Iterator[Case]:
    """Yield a job for each method and dtype, and for color, gray and black and white."""
    faces, large = real_batch(1800, 96)[:, 0], tiles(512)[:48]
    words = (mosaic().astype(np.uint16) * 16 + mosaic().T // 16)[: 4096 // 512 * 512].reshape(-1, 512, 512)[:48]
    floats = np.random.default_rng(0).random((1000, 96, 96))
    skimage, numpy = {"scikit-image": equalize_hist}, {"the NumPy recipe": lambda image: recipe(image)[0]}
    yield beside("pillow, uint8 (1800, 96, 96)", faces, {"Pillow": pillow}, some=100, out=np.uint8, method="pillow")
    yield beside("skimage, uint8 (48, 512, 512)", large, skimage, some=2, out=np.float64, method="skimage")
    yield beside("numpy, uint8 (48, 512, 512)", large, numpy, some=2, out=np.float64, method="numpy")
    yield beside(
        "skimage, uint16 of 12 bits (48, 512, 512)",
        words,
        {**skimage, "np.bincount and a LUT": counted_and_looked_up},
        some=2,
        out=np.float64,
        method="skimage",
    )
    yield beside("numpy, uint16 of 12 bits (48, 512, 512)", words, numpy, some=2, out=np.float64, method="numpy")
    for dtype in (np.float64, np.float32):
        images, name = floats.astype(dtype), np.dtype(dtype).name
        yield beside(f"skimage, {name} (1000, 96, 96)", images, skimage, some=40, out=dtype, method="skimage")
        yield beside(f"numpy, {name} (1000, 96, 96)", images, numpy, some=40, out=np.float64, method="numpy")
    colors = channels_last(real_batch(192, 224))
    yield beside_cv2("rgb_to_gray (64, 224, 224, 3)", colors, cv2_gray, cheq.rgb_to_gray, shape=colors.shape[:-1])
    yield beside_cv2("binarize (1800, 96, 96)", faces, cv2_otsu, cheq.binarize)
