"""`cheq bench`: cheq beside every library that is installed, on the user's images or the built-in batch."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import cheq
from cheq.cli import arrays, pictures
from cheq.cli.files import describe
from cheq.cli.peers import PEERS, Peer, Work
from cheq.cli.timing import Contestant, NotEqual, compete

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MOST = 1 << 26  # pixels that are timed: more tell nothing more
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


def images_of(paths: Iterable[Path], problem: Callable[[Path, str], None]) -> list[Pixels]:
    """Read 8-bit pictures and arrays; return their planes as batches of one size each, `MOST` pixels at the most.

    Parameters
    ----------
    paths : iterable of Path
        Files.
    problem : callable
        Is told of each file that is not used, and why.
    """
    planes: dict[tuple[int, ...], list[Pixels]] = defaultdict(list)
    total = 0
    for path in paths:
        if total >= MOST:
            problem(path, f"not used: {MOST:,} pixels are enough")
            continue
        try:
            for plane in _planes(path):
                if total < MOST:
                    planes[plane.shape].append(plane)
                    total += plane.size
        except Exception as error:  # damaged files make libraries raise nearly anything
            problem(path, describe(error, path))
    if not total:
        raise BenchError("no 8-bit image was found")
    return [np.stack(group) for group in planes.values()]


def _planes(path: Path) -> Iterator[Pixels]:
    if path.suffix.lower() in arrays.EXTENSIONS:
        for _, images in arrays.read(path):
            _check_8_bits(images)
            if images.ndim < 2:
                raise ValueError(f"height and width are needed, and the array's shape is {images.shape}")
            yield from images.reshape(-1, *images.shape[-2:])
        return
    for picture in pictures.pages(path):
        _check_8_bits(picture.pixels)
        channels = picture.pixels.reshape(*picture.pixels.shape[:2], -1)
        yield from (np.ascontiguousarray(channels[..., index]) for index in range(picture.colors))


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
        For all peers together, about.
    """
    found = {peer.name: peer.absent() for peer in PEERS}
    there = sum(reason is None for reason in found.values())
    for peer in PEERS:
        if found[peer.name] is not None:
            yield Row(peer.name, "", peer.method, note=str(found[peer.name]))
        else:
            yield _beside(peer, batches, threads, seconds / there)


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
            partial(_equalize_all, batches, outs, peer.method, count),
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


def _equalize_all(batches: list[Pixels], outs: list[Pixels], method: str, threads: int) -> list[Pixels]:
    return [
        cheq.equalize(batch, method=method, out=out, num_threads=threads)
        for batch, out in zip(batches, outs, strict=True)
    ]


def _first_of_each(counts: list[int], results: list[Pixels]) -> Pixels:
    return np.concatenate([result[:count].ravel() for result, count in zip(results, counts, strict=True)])
