"""What is timed: named batches, the axes of their planes, and the peers that do the same work on them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import skimage.data

import cheq
from cheq.cli.samples import real_batch

Images = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Case:
    """A batch and how cheq and cv2's users work on it, both into a result that is there already."""

    name: str
    images: Images
    peer: Callable[[Images, Images], Any]
    options: dict[str, Any]


def cv2_planes(images: Images, out: Images) -> Images:
    """Equalize each (height, width) slice."""
    planes, results = images.reshape(-1, *images.shape[-2:]), out.reshape(-1, *out.shape[-2:])
    for plane, result in zip(planes, results, strict=True):
        cv2.equalizeHist(plane, result)
    return out


def large_picture(edge: int) -> Images:
    """Return one square gray photograph, enlarged."""
    photograph = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)
    return cv2.resize(photograph, (edge, edge), interpolation=cv2.INTER_CUBIC)


def cases() -> list[Case]:
    rng = np.random.default_rng(0)
    return [
        Case("(1800, 1, 96, 96) real pictures", real_batch(1800, 96), cv2_planes, {}),
        Case("(1800, 1, 96, 96) uniform", rng.integers(0, 256, (1800, 1, 96, 96), np.uint8), cv2_planes, {}),
        Case("one (96, 96) real picture", real_batch(1, 96)[0, 0], cv2_planes, {}),
        Case("4096 x 4096 real picture", large_picture(4096), cv2_planes, {}),
    ]


def cheq_run(case: Case, out: Images, threads: int | None) -> Callable[[], Images]:
    return lambda: cheq.equalize(case.images, out=out, num_threads=threads, **case.options)
