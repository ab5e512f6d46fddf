"""`cheq bench`: cheq beside every library that is installed, on the user's images or the built-in batch."""

import math
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import cheq
from cheq.bench.peers import PEERS, Peer, Work
from cheq.bench.timing import Contestant, NotEqual, compete
from cheq.pictures import Pixels, arrays, formats
from cheq.pictures.files import describe
from cheq.pictures.reading import MOST_PIXELS, collected_warnings, pixel_limit

# Pixels that are timed, about as many as the built-in batch has: far beyond every cache, so that more tell nothing
# more, and 128 MiB as floats.
MOST = 1 << 24
SHARE = 1 << 20  # pixels, and images, that are enough of a slow peer's work
_FEW = 64


class BenchError(Exception):
    """There is nothing to time; the message is one line for the user."""


@dataclass(frozen=True)
class Row:
    """A peer beside cheq: nanoseconds a pixel on one thread and on all, best of all rounds; or why there are none."""

    peer: str
    version: str
    method: str
    note: str = ""
    equal: bool = True
    cheq_1: float = math.nan
    cheq_all: float = math.nan
    peer_1: float = math.nan
    peer_all: float = math.nan

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON, which knows no NaN."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


def images_of(paths: Sequence[Path], channel_axis: int | None, problem: Callable[[Path, str], None]) -> list[Pixels]:
    """Read 8-bit pictures and arrays; return their planes as batches of one size each, `MOST` pixels at the most.

    Parameters
    ----------
    paths : sequence of Path
        Files.
    channel_axis : int or None
        Of the arrays.
    problem : callable
        Is told of each file that is not used, or not as a whole, and why.
    """
    planes: dict[tuple[int, ...], list[Pixels]] = defaultdict(list)
    total = 0
    with pixel_limit(MOST_PIXELS), collected_warnings() as collected:
        for index, path in enumerate(paths):
            if total >= MOST:
                others = len(paths) - index - 1
                more = f", like {others:,} more after it" if others else ""
                problem(path, f"not used{more}: {MOST:,} pixels are enough")
                break
            try:
                for plane in _planes(path, channel_axis):
                    if total >= MOST:
                        problem(path, f"not used as a whole: {MOST:,} pixels are enough")
                        break
                    planes[plane.shape].append(plane)
                    total += plane.size
            except Exception as error:  # damaged files make libraries raise nearly anything
                problem(path, describe(error, path))
            for message in dict.fromkeys(collected.pop(threading.get_ident(), [])):
                problem(path, message)
    if not total:
        raise BenchError("no 8-bit image was found")
    return [np.stack(group) for group in planes.values()]


def _planes(path: Path, channel_axis: int | None) -> Iterator[Pixels]:
    if path.suffix.lower() in arrays.EXTENSIONS:
        for _, images in arrays.read(path):
            _check_8_bits(images)
            yield from _planes_of_array(images, channel_axis)
        return
    for picture in formats.pages(path):
        _check_8_bits(picture.pixels)
        channels = picture.pixels.reshape(*picture.pixels.shape[:2], -1)
        yield from (np.ascontiguousarray(channels[..., index]) for index in range(picture.colors))


def _planes_of_array(images: Pixels, channel_axis: int | None) -> Iterator[Pixels]:
    """Yield an array's planes one by one, as it may be larger than memory."""
    if images.ndim < (2 if channel_axis is None else 3):
        raise ValueError(f"height and width are needed, and the array's shape is {images.shape}")
    if images.size == 0:
        raise ValueError(f"not used: the array's shape is {images.shape}")
    if channel_axis is not None:
        images = np.moveaxis(images, channel_axis, 0)
    elif images.ndim > 2 and images.shape[-1] in (3, 4):
        told = f"its shape {images.shape} looks like channels last, which --channel-axis -1 is for"
        warnings.warn(told, UserWarning, stacklevel=2)
    yield from (images[index] for index in np.ndindex(images.shape[:-2]))


def _check_8_bits(pixels: Pixels) -> None:
    if pixels.dtype != np.uint8:
        raise ValueError(f"not used: only 8-bit images are timed, and these are {pixels.dtype}")


def run(batches: list[Pixels], threads: int, seconds: float) -> Iterator[Row]:
    """Time cheq beside every installed peer in turn, outputs compared first; yield a row for each peer.

    Parameters
    ----------
    batches : list of ndarray of uint8, shape (count, height, width)
        What is equalized.
    threads : int
        How many are all.
    seconds : float
        For all peers together, about: each is run a few times, however slow it is.
    """
    end = time.perf_counter() + seconds
    found = {peer.name: peer.absent() for peer in PEERS}
    left = sum(reason is None for reason in found.values())
    for peer in PEERS:
        if found[peer.name] is not None:
            yield Row(peer.name, "", peer.method, note=str(found[peer.name]))
        else:
            yield _beside(peer, batches, threads, max(0.0, end - time.perf_counter()) / left)
            left -= 1


def _beside(peer: Peer, batches: list[Pixels], threads: int, seconds: float) -> Row:
    """Time one peer, on a share of the images if it is slow, and cheq on all of them."""
    some = batches if peer.name == "cv2" else _share(batches)
    works = [peer.prepare(batch) for batch in some]
    teams = (1, threads) if threads > 1 else (1,)
    size = sum(batch.size for batch in batches)
    theirs = [
        Contestant(
            peer.name,
            partial(_run_all, works),
            partial(works[0].set_threads, count),
            count,
            arrange=partial(_flat, works),
            parts=size / sum(batch.size for batch in some),
        )
        for count in teams
    ]
    dtype = np.dtype(np.uint8 if peer.method in ("opencv", "pillow") else np.float64)
    outs: list[Any] = [np.empty(batch.shape, dtype) for batch in batches]
    counts = [len(batch) for batch in some]
    ours = [
        Contestant(
            "cheq",
            partial(_equalize_all, batches, outs, peer.method, 1 if count == 1 else None),
            threads=count,
            arrange=partial(_first_of_each, counts),
        )
        for count in teams
    ]
    try:
        compete([*theirs, *ours], seconds=seconds, rounds=2)
    except NotEqual as error:
        return Row(peer.name, peer.version(), peer.method, note=str(error), equal=False)
    finally:
        works[0].set_threads(threads)
    figures = [1e9 * each.best / size for each in (ours[0], ours[-1], theirs[0], theirs[-1])]
    return Row(peer.name, peer.version(), peer.method, "", True, *figures)


def _share(batches: list[Pixels]) -> list[Pixels]:
    """Return the first images of each batch, a few at the most of all."""
    total = sum(batch.size for batch in batches)
    kept = (max(1, min(_FEW, len(batch) * SHARE // max(total, SHARE))) for batch in batches)
    return [batch[:count] for batch, count in zip(batches, kept, strict=True)]


def _run_all(works: list[Work]) -> list[Any]:
    return [work.run() for work in works]


def _flat(works: list[Work], results: list[Any]) -> Pixels:
    return np.concatenate([work.as_array(result).ravel() for work, result in zip(works, results, strict=True)])


def _equalize_all(batches: list[Pixels], outs: list[Pixels], method: Any, threads: int | None) -> list[Pixels]:
    return [
        cheq.equalize(batch, method=method, axes=(-2, -1), out=out, num_threads=threads)
        for batch, out in zip(batches, outs, strict=True)
    ]


def _first_of_each(counts: list[int], results: list[Pixels]) -> Pixels:
    """Return what peers did too, and wipe it out: all threads cannot pass with what one thread has written."""
    found = np.concatenate([result[:count].ravel() for result, count in zip(results, counts, strict=True)])
    for result in results:
        result.fill(0)
    return found
