"""What calls take while other programs compute: cheq with its default threads, with one, and cv2.

    python benchmarks/busy.py [PROGRAMS [SECONDS]]

PROGRAMS, 4 unless given, compute beside it; with 0 the machine is as it is. Contestants take turns of some calls. CPU
is what the process used for a call of a turn, with what its threads used after the last one while they waited at work.
"""

import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from peers import cv2_planes

import cheq
from cheq.bench.timing import SETTLE

CALLS = 10  # in a turn
SHAPES = ((1800, 1, 96, 96), (4096, 4096))


def compute() -> None:
    """Keep a core busy."""
    while True:
        sum(range(1000))


def timed(run: Callable[[], Any]) -> list[tuple[float, float]]:
    """Return the milliseconds that each call of a turn takes, and those of CPU."""
    cpu, walls = time.process_time(), []
    for _ in range(CALLS):
        start = time.perf_counter()
        run()
        walls.append(time.perf_counter() - start)
    time.sleep(SETTLE)
    cpu = time.process_time() - cpu
    return [(wall * 1e3, cpu / CALLS * 1e3) for wall in walls]


def measure(shape: tuple[int, ...], seconds: float) -> None:
    """Print a line a contestant."""
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    out = np.empty_like(images)
    contestants: dict[str, Callable[[], Any]] = {
        "cheq, threads by default": partial(cheq.equalize, images, out=out),
        "cheq, one thread": partial(cheq.equalize, images, out=out, num_threads=1),
        "cv2": partial(cv2_planes, images, np.empty_like(images)),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name in random.sample(sorted(contestants), len(contestants)):  # who comes after cv2 waits for its turn
            times[name] += timed(contestants[name])
    print(f"{shape}, {len(times['cv2'])} calls".ljust(40) + "  wall ms: best  median   CPU ms: best  median")
    for name, taken in times.items():
        wall, cpu = zip(*taken, strict=True)
        cells = [min(wall), statistics.median(wall), min(cpu), statistics.median(cpu)]
        print(f"  {name:38}" + "{:>15.1f}{:>8.1f}{:>15.1f}{:>8.1f}".format(*cells))


def main() -> None:
    programs, seconds = [*map(int, sys.argv[1:]), *(4, 15)[len(sys.argv) - 1 :]]
    processes = [multiprocessing.get_context("spawn").Process(target=compute, daemon=True) for _ in range(programs)]
    for process in processes:
        process.start()
    time.sleep(1)  # until they compute
    print(
        f"{programs} programs beside this; {cv2.getNumThreads()} threads of cv2; {cheq.show_config('dicts')['threads']}"
    )
    for shape in SHAPES:
        measure(shape, seconds)
    for process in processes:
        process.terminate()


if __name__ == "__main__":
    main()
