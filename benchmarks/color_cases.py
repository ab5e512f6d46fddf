"""Jobs on colour images: gray, and Y equalized in YCrCb; each by cheq in one call and by cv2 image after image."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

import cheq
from cheq._color import equalize_ycrcb

Images = npt.NDArray[Any]


class ColorCase(NamedTuple):
    """A job's name, who does it, each into memory of its own that it returns, and how many pixels it has."""

    name: str
    by_cheq: Callable[..., Images]
    by_cv2: Callable[[], Images]
    pixels: int


def cv2_gray(images: Images, out: Images) -> Images:
    for image, gray in zip(images, out, strict=True):
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY, gray)
    return out


def cv2_ycrcb(images: Images, out: Images) -> Images:
    """Convert, equalize Y, convert back; what lies between is allocated once."""
    converted, luma = np.empty(images.shape[1:], np.uint8), np.empty(images.shape[1:3], np.uint8)
    for image, result in zip(images, out, strict=True):
        cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb, converted)
        cv2.extractChannel(converted, 0, luma)
        cv2.equalizeHist(luma, luma)
        cv2.insertChannel(luma, converted, 0)
        cv2.cvtColor(converted, cv2.COLOR_YCrCb2RGB, result)
    return out


def color_cases(images: Images) -> Iterator[ColorCase]:
    """Yield the jobs on uint8 images (n, height, width, 3); cheq's calls take ``num_threads``."""
    pixels = images.size // 3
    ours, theirs = np.empty_like(images), np.empty_like(images)
    by_cheq = partial(equalize_ycrcb, images, channel_axis=-1, out=ours)
    yield ColorCase("Y of YCrCb equalized", by_cheq, partial(cv2_ycrcb, images, theirs), pixels)
    for name, source in (("gray, uint8", images), ("gray, uint16", images.astype(np.uint16) * 257)):
        ours, theirs = np.empty(source.shape[:-1], source.dtype), np.empty(source.shape[:-1], source.dtype)
        yield ColorCase(name, partial(cheq.rgb_to_gray, source, out=ours), partial(cv2_gray, source, theirs), pixels)
