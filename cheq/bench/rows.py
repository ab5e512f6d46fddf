"""cheq beside a library: the same planes, outputs compared first, nanoseconds a pixel."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

import cheq
from cheq.bench.peers import PEERS, Peer, Work
from cheq.bench.timing import Contestant, NotEqual, compete
from cheq.pictures import Pixels

SHARE = 1 << 20  # pixels, and images, that are enough of a slow peer's work
_FEW = 64


@dataclass(frozen=True)
class Row:
    """A peer beside cheq: nanoseconds a pixel on one thread and on all, best of all rounds; or why there are none."""

    peer: str
    version: str
    function: str
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
    found = [(peer, peer.absent()) for peer in PEERS]
    left = sum(reason is None for _, reason in found)
    for peer, reason in found:
        if reason is not None:
            yield Row(peer.name, "", peer.function, peer.method, note=reason)
        else:
            yield beside(peer, batches, threads, max(0.0, end - time.perf_counter()) / left)
            left -= 1


def beside(peer: Peer, batches: list[Pixels], threads: int, seconds: float) -> Row:
    """Time one peer, on a share of the images if it is slow, and cheq on all of them; arguments as for `run`."""
    some = batches if peer.name == "cv2" else _share(batches)
    works = [peer.prepare(batch) for batch in some]
    size = sum(batch.size for batch in batches)
    dtype = np.dtype(np.uint8 if peer.method in ("opencv", "pillow") else np.float64)
    outs = [np.empty(batch.shape, dtype) for batch in batches]
    theirs, ours = [], []
    for count in (1, threads) if threads > 1 else (1,):
        theirs.append(Contestant(peer.name, partial(_run_all, works), partial(works[0].set_threads, count), count))
        theirs[-1].arrange, theirs[-1].parts = partial(_flat, works), size / sum(batch.size for batch in some)
        call = partial(_change_all, peer, batches, outs, count)
        ours.append(Contestant("cheq", call, threads=count, arrange=partial(_first_of_each, some)))
    try:
        compete([*theirs, *ours], seconds=seconds, rounds=2)
    except NotEqual as error:
        return Row(peer.name, peer.version(), peer.function, peer.method, note=str(error), equal=False)
    finally:
        works[0].set_threads(works[0].threads)
    figures = [1e9 * each.best / size for each in (ours[0], ours[-1], theirs[0], theirs[-1])]
    return Row(peer.name, peer.version(), peer.function, peer.method, "", True, *figures)


def _share(batches: list[Pixels]) -> list[Pixels]:
    """Return the first images of each batch, a few at the most of all."""
    total = sum(batch.size for batch in batches)
    kept = (max(1, min(_FEW, len(batch) * SHARE // max(total, SHARE))) for batch in batches)
    return [batch[:count] for batch, count in zip(batches, kept, strict=True)]


def _run_all(works: list[Work]) -> list[Any]:
    return [work.run() for work in works]


def _flat(works: list[Work], results: list[Any]) -> Pixels:
    return np.concatenate([work.as_array(result).ravel() for work, result in zip(works, results, strict=True)])


def _change_all(peer: Peer, batches: list[Pixels], outs: list[Pixels], threads: int) -> list[Pixels]:
    options: dict[str, Any] = {**peer.options, "method": peer.method, "axes": (-2, -1), "num_threads": threads}
    function = getattr(cheq, peer.function)
    return [function(batch, out=out, **options) for batch, out in zip(batches, outs, strict=True)]


def _first_of_each(some: list[Pixels], results: list[Pixels]) -> Pixels:
    """Return what peers did too, and wipe it out: all threads cannot pass with what one thread has written."""
    found = np.concatenate([result[: len(few)].ravel() for result, few in zip(results, some, strict=True)])
    for result in results:
        result.fill(0)
    return found
