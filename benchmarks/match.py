"""Matching beside scikit-image, and beside the same by hand from cheq's own steps; every output equal."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from cases import BEST_KERNEL, Case, cheq_runs
from methods import cv2_lightness
from peers import on_cv2_threads
from pictures import channels_last, color, mosaic, tiles
from skimage.exposure import match_histograms

import cheq
from cheq._core import dispatch
from cheq.bench.samples import real_batch
from cheq.bench.timing import Contestant

Array = np.ndarray[Any, Any]
BY_HAND = "histogram, matching_lut, apply_lut"


def each(images: Array, reference: Array, **options: Any) -> Array:
    return np.stack([match_histograms(image, reference, **options) for image in images])


def by_hand(images: Array, reference: Array, out: Array, num_threads: int, channel_axis: int | None = None) -> Array:
    """Match by cheq's steps; to the nearest level where that is what `out` holds."""
    where: dict[str, Any] = {"channel_axis": channel_axis, "num_threads": num_threads}
    hist, given = cheq.histogram(images, **where), cheq.histogram(reference, **where)
    same = "same" if out.dtype == images.dtype else None
    lut = cheq.matching_lut(hist, given, images_dtype=images.dtype, dtype=same)
    return cheq.apply_lut(images, lut, out=out, **where)


def hands(images: Array, reference: Array, out: Any, **options: Any) -> Iterator[Contestant]:
    result = np.empty(images.shape, out)
    for n in (1, 2):
        call = partial(by_hand, images, reference, result, n, **options)
        yield Contestant(BY_HAND, call, partial(dispatch.use_kernel, BEST_KERNEL), n)


def beside(
    work: str, images: Array, reference: Array, some: int, dtype: Any = None, own: bool = True, **options: Any
) -> Case:
    """Compare one call for all images with a loop over scikit-image's for some of them.

    Where levels are nearest ones, scikit-image's are made so before they are compared, which is not timed.
    """
    out = images.dtype if dtype == "same" or images.dtype.kind == "f" or options else np.float64
    theirs = Contestant(
        "scikit-image", partial(each, images[:some], reference, **options), parts=len(images) / some,
        arrange=lambda found: np.rint(found).astype(out) if dtype == "same" else found,
    )  # fmt: skip
    call = partial(cheq.match_histograms, images, reference, out=np.empty(images.shape, out), dtype=dtype, **options)
    contestants = [theirs, *cheq_runs(call), *(hands(images, reference, out, **options) if own else ())]
    for contestant in contestants[1:]:
        contestant.arrange = lambda found: found[:some]
    return Case(work, images.size, contestants)


def conversions(there: int, back: int, images: Array, out: Array) -> Array:
    converted = np.empty(images.shape[1:], np.uint8)
    for image, result in zip(images, out, strict=True):
        cv2.cvtColor(image, there, converted)
        cv2.cvtColor(converted, back, result)
    return out


def lightness(images: Array, reference: Array) -> Case:
    """Compare the lightness matched with the same by cv2 and scikit-image, and with cv2's conversions alone."""
    given = cv2.cvtColor(reference, cv2.COLOR_RGB2YCrCb)[..., 0]

    def change(own: Array, out: Array) -> None:
        np.rint(match_histograms(own, given), out=out, casting="unsafe")

    theirs, ours = np.empty_like(images), np.empty_like(images)
    call: Callable[..., Any] = partial(
        cheq.match_histograms, images, reference, channel_axis=-1, color="ycrcb", out=ours
    )
    alone = partial(conversions, cv2.COLOR_RGB2YCrCb, cv2.COLOR_YCrCb2RGB, images, theirs)
    contestants = [
        Contestant("cv2 and scikit-image", partial(cv2_lightness, "YCrCb", change, images, theirs),
                   partial(cv2.setNumThreads, 1)),
        *on_cv2_threads("cv2's two conversions alone", alone),
        *cheq_runs(call),
    ]  # fmt: skip
    for contestant in contestants[1:3]:
        contestant.same = False
    return Case(f"color='ycrcb' {images.shape}", images.size, contestants)


def match() -> Iterator[Case]:
    """Yield a job for each dtype, with real pixels; all images are matched to one."""
    bytes_, colors = tiles(512)[:41], channels_last(real_batch(195, 224))
    words = (mosaic().astype(np.uint16) * 16 + mosaic().T // 16).reshape(8, 512, 8, 512).swapaxes(1, 2)
    words = np.ascontiguousarray(words.reshape(-1, 512, 512)[:21])
    signed = words.view(np.int16) - np.int16(1024)  # as CT has them
    floats = words[:9] + np.random.default_rng(0).random(words[:9].shape)
    yield beside("uint8 (40, 512, 512), dtype='same'", bytes_[:40], bytes_[40], 10, "same")
    yield beside("uint8 (40, 512, 512), float64", bytes_[:40], bytes_[40], 10)
    yield beside("uint8 (64, 224, 224, 3), channel_axis=-1", colors[:64], colors[64], 16, own=False, channel_axis=-1)
    yield beside("uint16 of 12 bits (20, 512, 512), dtype='same'", words[:20], words[20], 10, "same")
    yield beside("uint16 of 12 bits (20, 512, 512), float64", words[:20], words[20], 10)
    yield beside("int16 (20, 512, 512), dtype='same'", signed[:20], signed[20], 5, "same")
    for dtype in (np.float64, np.float32):
        images, name = floats.astype(dtype), np.dtype(dtype).name
        yield beside(f"{name} (8, 512, 512)", images[:8], images[8], 2, own=False)
    yield lightness(colors[:64], colors[64])
    yield lightness(color(1080, 1920)[np.newaxis], colors[64])
