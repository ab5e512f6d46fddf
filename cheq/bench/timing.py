"""The one way this project times things: contestants in turn, round after round, outputs compared first.

Machines are shared and their speed drifts; only contestants timed in the same rounds can be compared. The best
sample is what the code costs, the median what its user sees, and the spread how far to trust either.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SHORTEST = 2e-3  # seconds: shorter runs are repeated until they take this long, the clock and the call being noise
# Seconds before a turn: GNU OpenMP's second thread spins for 8 ms after its work (process_time over a sleep shows it),
# and the next contestant would have to share the second core with it.
SETTLE = 12e-3
BUSY = 0.1  # cores that others use: fewer is what a machine without other work has
SAMPLES = 2  # a turn, after a run that is not counted: it wakes the contestant's threads and fills caches with its data


def nothing() -> None:
    """Prepare nothing."""


@dataclass
class Contestant:
    """One way to do a job: ``run`` is timed; ``prepare`` is called before its turn, untimed, for global settings.

    Where ``same`` is true, ``arrange(run())`` must equal that of the first contestant in every byte. A slow one may do
    one part in ``parts`` of the work; its times are multiplied by it.
    """

    name: str
    run: Callable[[], Any]
    prepare: Callable[[], Any] = nothing
    threads: int = 1
    kernel: str | None = None
    same: bool = True
    arrange: Callable[[Any], Any] = np.asarray
    parts: float = 1
    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.seconds) * self.parts

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) * self.parts

    @property
    def spread(self) -> float:
        """Return the distance from the best to the median, as a share of the best."""
        return self.median / self.best - 1


class NotEqual(SystemExit):
    """Contestants gave different values; not caught, it ends the program with its message."""


def check_equal(contestants: Sequence[Contestant]) -> None:
    """Run each and compare its result with the first one's."""
    expected = None
    for contestant in (each for each in contestants if each.same):
        contestant.prepare()
        result = contestant.run()
        arranged = np.array(contestant.arrange(result))
        if isinstance(result, np.ndarray):
            result.fill(0)  # so that one that writes nothing cannot pass with what another wrote
        if expected is None:
            expected = arranged
        elif not np.array_equal(arranged, expected):
            wrong = f"{np.count_nonzero(arranged != expected):,} of {expected.size:,}"
            kernel = f" ({contestant.kernel})" if contestant.kernel else ""
            threads = "one thread" if contestant.threads == 1 else f"{contestant.threads} threads"
            raise NotEqual(f"{contestant.name}{kernel}, {threads}: {wrong} values are not the same")


def compete(contestants: Sequence[Contestant], *, seconds: float, rounds: int = 3) -> None:
    """Time the contestants in turn for about ``seconds`` altogether, at least ``rounds`` rounds."""
    check_equal(contestants)
    repeats = [_repeats(contestant) for contestant in contestants]
    end = time.perf_counter() + seconds
    done = 0
    while done < rounds or time.perf_counter() < end:
        for contestant, times in zip(contestants, repeats, strict=True):
            contestant.prepare()
            time.sleep(SETTLE)
            _time(contestant.run, times)
            contestant.seconds += [_time(contestant.run, times) for _ in range(SAMPLES)]
        done += 1


def _repeats(contestant: Contestant) -> int:
    contestant.prepare()
    contestant.run()
    return max(1, round(SHORTEST / max(_time(contestant.run, 1), 1e-7)))


def _time(run: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def busy_elsewhere() -> Callable[[], float | None]:
    """Return a function that tells how many cores other programs have used since; None where that is not known."""
    start, seconds = _others_seconds(), os.times().elapsed

    def share() -> float | None:
        now = _others_seconds()
        return None if start is None or now is None else (now - start) / (os.times().elapsed - seconds)

    return share


def distrust(cores: float | None) -> str:
    """Say that other programs kept the machine busy, if they have used so many cores."""
    if cores is None or cores <= BUSY:
        return ""
    return f"other programs used {cores:.1f} cores meanwhile: do not trust these figures"


def _others_seconds() -> float | None:
    """Return the seconds that all cores have been busy or taken away by the host, less this process's own.

    Those of its children that have ended are its own too.
    """
    file = Path("/proc/stat")
    if not file.exists():
        return None
    user, nice, system, _idle, _wait, interrupts, soft, stolen = map(int, file.read_text().split()[1:9])
    own = os.times()
    busy = user + nice + system + interrupts + soft + stolen
    return busy / os.sysconf("SC_CLK_TCK") - sum(own[:4])  # user and system, and the children's
