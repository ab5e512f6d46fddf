"""How the peers do the work: as well as their users can write it, into results allocated before where possible."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from pictures import Images

from cheq.bench.peers import PEERS
from cheq.bench.rows import SHARE
from cheq.bench.timing import Contestant

OTHERS = ("Pillow", "scikit-image", "torchvision", "kornia")


def cv2_planes(images: Images, out: Images) -> Images:
    """Equalize each (height, width) slice of (..., height, width)."""
    flat = images.reshape(-1, *images.shape[-2:]) if images.flags.c_contiguous else images[:, 0]
    for plane, result in zip(flat, out.reshape(-1, *out.shape[-2:]), strict=True):
        cv2.equalizeHist(plane, result)
    return out


def cv2_channels(images: Images, out: Images) -> Images:
    """Split, equalize and merge each (height, width, 3) picture."""
    for picture, result in zip(images.reshape(-1, *images.shape[-3:]), out.reshape(-1, *out.shape[-3:]), strict=True):
        cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(picture)], result)
    return out


def cv2_channels_allocated_once(images: Images, out: Images) -> Images:
    """Do the same without new memory for each picture, which few people write."""
    shape = images.shape[-3:]
    channels = [np.empty(shape[:2], np.uint8) for _ in range(shape[2])]
    for picture, result in zip(images.reshape(-1, *shape), out.reshape(-1, *shape), strict=True):
        cv2.split(picture, channels)
        for channel in channels:
            cv2.equalizeHist(channel, channel)
        cv2.merge(channels, result)
    return out


def cv2_histogram(images: Images) -> Any:
    return cv2.calcHist([images], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def on_cv2_threads(name: str, run: Callable[[], Any]) -> Iterator[Contestant]:
    for threads in (1, 2):
        yield Contestant(name, run, partial(cv2.setNumThreads, threads), threads)


def copying(images: Images, out: Images) -> Contestant:
    return Contestant("np.copyto", partial(np.copyto, out, images), same=False)


def others(images: Images) -> Iterator[Contestant]:
    """Yield those with answers of their own, on a share of (n, height, width); torchvision and kornia if installed."""
    batch = images[: max(1, SHARE // images[0].size)]
    for peer in PEERS:
        if peer.name in OTHERS and peer.function == "equalize" and peer.absent() is None:
            # The others take one image a call, or much memory.
            some = batch if peer.name == "torchvision" else batch[:64]
            work, parts = peer.prepare(some), images.size / some.size
            yield Contestant(peer.name, work.run, partial(work.set_threads, 1), same=False, parts=parts)
