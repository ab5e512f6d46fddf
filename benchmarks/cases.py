"""What is timed: named jobs, each with cheq's way and a peer's way of doing it, into results that are there already."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np
import skimage.data

import cheq
from cheq.cli.samples import real_batch

Images = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Case:
    """Two ways to do a job that fill ``out`` or return a result: ``peer(images, out)`` and ``ours(images, ...)``."""

    name: str
    images: Images
    peer: Callable[[Images, Images], Any]
    options: dict[str, Any] = field(default_factory=dict)
    kernel: str = ""
    ours: Callable[..., Any] = cheq.equalize

    def run(self, out: Images, threads: int) -> Callable[[], Any]:
        """Return cheq's way as a call without arguments, so that a short one is timed without anything around it."""
        options = {"num_threads": threads, **self.options}
        return partial(self.ours, self.images, **options, **({} if self.ours is cheq.histogram else {"out": out}))


# ---------------------------------------------------------------- peers


def cv2_planes(images: Images, out: Images) -> Images:
    """Equalize each (height, width) slice: the loop that cv2's users write."""
    flat = images.reshape(-1, *images.shape[-2:]) if images.flags.c_contiguous else images[:, 0]
    for plane, result in zip(flat, out.reshape(-1, *out.shape[-2:]), strict=True):
        cv2.equalizeHist(plane, result)
    return out


def cheq_calls(images: Images, out: Images, num_threads: int) -> Images:
    """Equalize one (height, width) slice a call, as cv2_planes does."""
    for plane, result in zip(images.reshape(-1, *images.shape[-2:]), out.reshape(-1, *out.shape[-2:]), strict=True):
        cheq.equalize(plane, out=result)
    return out


def cv2_channels(images: Images, out: Images) -> Images:
    """Split, equalize and merge each (height, width, 3) picture."""
    for picture, result in zip(images.reshape(-1, *images.shape[-3:]), out.reshape(-1, *out.shape[-3:]), strict=True):
        cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(picture)], result)
    return out


def cv2_histogram(images: Images, out: Images) -> Any:
    return cv2.calcHist([images], [0], None, [256], [0, 256]).ravel().astype(np.int64)


LUT = np.random.default_rng(0).permutation(256).astype(np.uint8)


def cv2_lut(images: Images, out: Images) -> Any:
    return cv2.LUT(images, LUT, out)


# ---------------------------------------------------------------- pictures


def uniform(*shape: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def large_picture(edge: int) -> Images:
    photograph = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)
    return cv2.resize(photograph, (edge, edge), interpolation=cv2.INTER_CUBIC)


def channels_last(count: int, edge: int) -> Images:
    return np.ascontiguousarray(real_batch(3 * count, edge).reshape(count, 3, edge, edge).transpose(0, 2, 3, 1))


def every_second(images: Images) -> Images:
    """Return a view of ``images``' pixels that skips as many rows and columns."""
    return np.repeat(np.repeat(images, 2, -1), 2, -2)[..., ::2, ::2]


def cases() -> list[Case]:
    """Return the table's rows; 60,000 faces are 2,000 thirty times over."""
    real = real_batch(1800, 96)
    flat = real.reshape(4050, 4096)
    last = {"channel_axis": -1}
    return [
        Case("(1800, 1, 96, 96) real pictures", real, cv2_planes),
        Case("(1800, 1, 96, 96) uniform", uniform(1800, 1, 96, 96), cv2_planes),
        Case("(60000, 28, 28) faces", np.tile(real_batch(10_000, 28)[4::5, 0], (30, 1, 1)), cv2_planes),
        Case("one (96, 96) a call, 100 real pictures in turn", real[:100, 0], cv2_planes, ours=cheq_calls),
        Case("4096 x 4096 real", large_picture(4096), cv2.equalizeHist),
        Case("(64, 3, 224, 224) real", real_batch(192, 224).reshape(64, 3, 224, 224), cv2_planes),
        Case("(64, 224, 224, 3) against split / equalize / merge", channels_last(64, 224), cv2_channels, last),
        Case(
            "(1080, 1920, 3) against split / equalize / merge",
            cv2.resize(skimage.data.astronaut(), (1920, 1080)),
            cv2_channels,
            last,
        ),
        Case("every second row and column of (200, 1, 192, 192)", every_second(real[:200]), cv2_planes),
        Case("(1800, 1, 96, 96) real, avx2 kernels", real, cv2_planes, kernel="avx2"),
        Case("(1800, 1, 96, 96) real, scalar kernels", real, cv2_planes, kernel="scalar"),
        Case(
            "histogram of 16.6 MB uniform against cv2.calcHist", uniform(4050, 4096), cv2_histogram, ours=cheq.histogram
        ),
        Case("histogram of 16.6 MB real against cv2.calcHist", flat, cv2_histogram, ours=cheq.histogram),
        Case("apply_lut of 16.6 MB against cv2.LUT", flat, cv2_lut, {"lut": LUT}, ours=cheq.apply_lut),
    ]
