"""What is timed: sections of cases, each a job that several contestants do to the same pixels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from peers import copying, cv2_channels, cv2_channels_allocated_once, cv2_histogram, cv2_planes, on_cv2_threads, others
from pictures import Images, channels_last, color, every_second, faces, flat_data, mosaic, tiles, uniform

import cheq
from cheq._core import dispatch
from cheq.bench.samples import real_batch
from cheq.bench.timing import Contestant

LOOP = "cv2.equalizeHist, a loop"
SPLIT = "cv2: split, equalizeHist, merge"
LUT = np.random.default_rng(0).permutation(256).astype(np.uint8)
CALL_SHAPES = ((0, 96), (1, 1), (8, 8), (28, 28), (96, 96))
EDGES = (8, 16, 28, 64, 96, 256, 512, 1024, 2048, 4096)
KERNELS = [name for name, runs in dispatch.kernels().items() if runs]
BEST_KERNEL = dispatch.kernel()  # or the one that CHEQ_KERNEL names


@dataclass
class Case:
    """A job, how many pixels it has, and those who do it; the first one's output is what others' are compared with."""

    work: str
    pixels: int
    contestants: list[Contestant]


def cheq_runs(call: Callable[..., Any], *kernels: str, threads: tuple[int, ...] = (1, 2)) -> Iterator[Contestant]:
    for kernel in kernels or [BEST_KERNEL]:
        for n in threads:
            yield Contestant("cheq", partial(call, num_threads=n), partial(dispatch.use_kernel, kernel), n, kernel)


def equalizing(work: str, images: Images, *kernels: str, call: Callable[..., Any] = cheq.equalize) -> Case:
    """Return the job that most are: planes equalized, by cheq in one call and by cv2 in a loop."""
    ours, theirs = np.empty(images.shape, np.uint8), np.empty(images.shape, np.uint8)
    contestants = [
        *on_cv2_threads(LOOP, partial(cv2_planes, images, theirs)),
        *cheq_runs(partial(call, images, out=ours), *kernels),
    ]
    return Case(work, images.size, contestants)


def one_a_call(images: Images, out: Images, num_threads: int) -> Images:
    """Equalize one (height, width) slice a call, as cv2_planes does, with threads as they come."""
    for plane, result in zip(images.reshape(-1, *images.shape[-2:]), out.reshape(-1, *out.shape[-2:]), strict=True):
        cheq.equalize(plane, out=result)
    return out


def channels(work: str, images: Images) -> Case:
    ours, theirs = np.empty_like(images), np.empty_like(images)
    contestants = [
        *on_cv2_threads(SPLIT, partial(cv2_channels, images, theirs)),
        *on_cv2_threads(f"{SPLIT}; channels allocated once", partial(cv2_channels_allocated_once, images, theirs)),
        *cheq_runs(partial(cheq.equalize, images, channel_axis=-1, out=ours)),
    ]
    return Case(work, images.size, contestants)


def counting(work: str, images: Images) -> Case:
    contestants = [
        *on_cv2_threads("cv2.calcHist", partial(cv2_histogram, images)),
        *cheq_runs(partial(cheq.histogram, images)),
    ]
    return Case(work, images.size, contestants)


def applying(work: str, images: Images) -> Case:
    ours, theirs = np.empty_like(images), np.empty_like(images)
    contestants = [
        *on_cv2_threads("cv2.LUT", partial(cv2.LUT, images, LUT, theirs)),
        copying(images, theirs),
        *cheq_runs(partial(cheq.apply_lut, images, LUT, out=ours)),
    ]
    return Case(work, images.size, contestants)


# ---------------------------------------------------------------- sections


def work() -> Iterator[Case]:
    """Yield the jobs of the README's table."""
    real = real_batch(1800, 96)
    yield equalizing("(1800, 1, 96, 96) real pictures", real, *dict.fromkeys([BEST_KERNEL, *KERNELS[::-1]]))
    yield equalizing("(1800, 1, 96, 96) uniform", uniform(1800, 1, 96, 96))
    yield equalizing("(60000, 28, 28) faces", faces())
    yield equalizing("one (96, 96) a call, 100 real pictures in turn", real[:100, 0], call=one_a_call)
    yield equalizing("4096 x 4096 real", mosaic())
    yield equalizing("(64, 3, 224, 224) real", real_batch(192, 224).reshape(64, 3, 224, 224))
    yield channels("(64, 224, 224, 3) real", channels_last(real_batch(192, 224)))
    yield channels("(1080, 1920, 3) real", color(1080, 1920))
    yield equalizing("every second row and column of (200, 1, 192, 192) real", every_second(real[:200]))
    yield counting("histogram of 16.6 MB uniform", uniform(4050, 4096))
    yield counting("histogram of 16.6 MB real", real.reshape(4050, 4096))
    yield applying("apply_lut to 16.6 MB real", real.reshape(4050, 4096))


def calls() -> Iterator[Case]:
    """Yield single calls: what they cost beside their pixels."""
    planes = {f"({height}, {width})": uniform(height, width) for height, width in CALL_SHAPES}
    for name, plane in {**planes, "(96, 96) real": real_batch(1)[0, 0]}.items():
        ours, theirs = np.empty_like(plane), np.empty_like(plane)
        best = partial(dispatch.use_kernel, BEST_KERNEL)
        contestants = [
            Contestant("cheq.equalize(plane, out=out)", partial(cheq.equalize, plane, out=ours), best),
            Contestant("cheq.equalize(plane)", partial(cheq.equalize, plane), best),
        ]
        if plane.size:  # of an empty plane cv2 makes None
            contestants += [
                Contestant("cv2.equalizeHist(plane, out)", partial(cv2.equalizeHist, plane, theirs)),
                Contestant("cv2.equalizeHist(plane)", partial(cv2.equalizeHist, plane)),
            ]
        yield Case(name, 1, contestants)


def numbers() -> Iterator[Case]:
    for count in (1, 10, 100, 1000, 10_000):
        yield equalizing(f"{count:,} of 96 x 96", uniform(count, 96, 96))


def sizes() -> Iterator[Case]:
    """Yield the same 16 Mi pixels of real pictures, cut into planes of many sizes."""
    for edge in EDGES:
        images = tiles(edge)
        ours, theirs = np.empty_like(images), np.empty_like(images)
        contestants = [
            *on_cv2_threads("cv2", partial(cv2_planes, images, theirs)),
            *cheq_runs(partial(cheq.equalize, images, out=ours), *KERNELS, threads=(1,)),
            *cheq_runs(partial(cheq.equalize, images, out=ours), threads=(2,)),
            *others(images),
            copying(images, theirs),
        ]
        yield Case(f"{edge} x {edge}", images.size, contestants)


def layouts() -> Iterator[Case]:
    """Yield the same planes in different places in memory; by one thread and the best kernels."""
    for edge in EDGES[:-1]:
        images = tiles(edge)
        images = images[: len(images) // 3 * 3]
        yield Case(f"{edge} x {edge}", images.size, list(_laid_out(images)))


def _laid_out(images: Images) -> Iterator[Contestant]:
    dense, (height, width) = np.empty_like(images), images.shape[1:]
    last = channels_last(images)
    mask = np.hypot(*np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]) < 1
    ways: dict[str, tuple[Images, Images, dict[str, Any]]] = {
        "dense": (images, dense, {}),
        "part of a wider picture": (np.concatenate([images, images], -1)[..., width:], dense, {}),
        "every second column": (np.repeat(images, 2, -1)[..., ::2], dense, {}),
        "every second row and column": (every_second(images), dense, {}),
        "transposed": (np.ascontiguousarray(images.swapaxes(1, 2)).swapaxes(1, 2), dense, {}),
        "channels last": (last, np.empty_like(last), {"channel_axis": -1}),
        "one channel of channels last": (np.repeat(images[..., np.newaxis], 3, -1)[..., 1], dense, {}),
        "under a mask": (images, dense, {"mask": mask}),
    }
    for name, (pixels, out, options) in ways.items():
        (contestant,) = cheq_runs(partial(cheq.equalize, pixels, out=out, **options), threads=(1,))
        contestant.name, contestant.same = name, name != "under a mask"
        if name == "channels last":
            contestant.arrange = lambda result: np.moveaxis(result, -1, 1).reshape(images.shape)
        yield contestant


def flat() -> Iterator[Case]:
    """Yield data that could make counters wait for themselves, for every kernel and in three sizes."""
    for kernel in KERNELS:
        for edge in (28, 96, 1024):
            runs = []
            for name, images in flat_data(max(1, 2**22 // edge**2), edge).items():
                call = partial(cheq.equalize, images, out=np.empty_like(images))
                (contestant,) = cheq_runs(call, kernel, threads=(1,))
                contestant.name, contestant.same = name, False
                runs.append(contestant)
            yield Case(f"{kernel}, {edge} x {edge}", images.size, runs)


SECTIONS: dict[str, Callable[[], Iterator[Case]]] = {
    section.__name__: section for section in (work, calls, numbers, sizes, layouts, flat)
}
