"""The one way this project times things: contestants in turn, round after round, outputs compared first.

Machines are shared and their speed drifts; only contestants timed in the same rounds can be compared. The best
round is what the code costs, the median what its user sees, and the spread how far to trust either.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SHORTEST = 2e-3  # seconds: shorter runs are repeated until they take this long, the clock and the call being noise


def nothing() -> None:
    """Prepare nothing."""


@dataclass
class Contestant:
    """One way to do a job: ``run`` is timed, ``prepare`` is called before it, untimed, for settings that are global."""

    name: str
    run: Callable[[], Any]
    prepare: Callable[[], Any] = nothing
    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Return the distance from the best to the median, as a share of the best."""
        return self.median / self.best - 1


def check_equal(contestants: Sequence[Contestant]) -> None:
    """Run each once and compare what it returns with the first one's result, byte for byte."""
    expected = None
    for contestant in contestants:
        contestant.prepare()
        result = np.array(contestant.run())
        if expected is None:
            expected = result
        elif not np.array_equal(result, expected):
            wrong = np.count_nonzero(result != expected)
            raise SystemExit(f"{contestant.name} differs from {contestants[0].name} in {wrong} of {result.size} values")


def compete(contestants: Sequence[Contestant], *, seconds: float, rounds: int = 5, compare: bool = True) -> None:
    """Time the contestants in turn for about ``seconds`` altogether, at least ``rounds`` rounds."""
    if compare:
        check_equal(contestants)
    repeats = [_repeats(contestant) for contestant in contestants]
    end = time.perf_counter() + seconds
    done = 0
    while done < rounds or time.perf_counter() < end:
        for contestant, times in zip(contestants, repeats, strict=True):
            contestant.prepare()
            contestant.seconds.append(_time(contestant.run, times))
        done += 1


def _repeats(contestant: Contestant) -> int:
    contestant.prepare()
    return max(1, round(SHORTEST / max(_time(contestant.run, 1), 1e-7)))


def _time(run: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times
