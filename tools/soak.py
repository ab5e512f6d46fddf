"""Soak: threads, forks and spawned processes at random, each result compared with that of another library.

Usage: python tools/soak.py [--minutes M] [--seed S] [--round R]

Every round threads of Python call cheq at once, with shapes, layouts, methods, thread counts, masks and ``out`` as they
fall, while processes are forked from the main thread and from others, in the midst of it, and spawned. A wrong byte
ends the run with status 1 and the seed and round that it came in; a hang, with the stacks of all threads. ``--round``
runs that one round of a seed again and again: the calls are the same, their timing is the system's.
It needs what 'cheq[test]' brings, and a system that forks.
"""

import argparse
import faulthandler
import functools
import multiprocessing
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import soak_cases

import cheq
from cheq import recipes

HANG = 120  # seconds until a process is held to hang; the slowest round takes about a twentieth
CASES = 6 * len(soak_cases.MAKERS)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(cheq, name) for name in ("equalize", "histogram", "apply_lut", "binarize", "rgb_to_gray")
}
FUNCTIONS["image_histogram_equalization"] = lambda *args, **named: recipes.image_histogram_equalization(*args, **named)[
    0
]

case = functools.lru_cache(maxsize=None)(soak_cases.make)


# ---------------------------------------------------------------- one call


def spaced(array: Any) -> Any:
    large = np.zeros([3 + 2 * length for length in array.shape], array.dtype)
    view = large[tuple(slice(2, 2 + 2 * length, 2) for length in array.shape)]
    view[...] = array
    return view


# Each makes a copy: a call may change it.
LAYOUTS: list[Callable[[Any], Any]] = [
    lambda array: array.copy("C"),
    lambda array: array.copy("F"),
    spaced,
    lambda array: np.flip(np.flip(array).copy()),
    lambda array: array.astype(array.dtype.newbyteorder("S")),
]
OUTS = LAYOUTS[:4]


def call_once(random: np.random.Generator, seed: int) -> None:
    """Make one call of a case, in some layout, and compare."""
    number = int(random.integers(CASES))
    chosen = case(number, seed)
    images = LAYOUTS[random.integers(len(LAYOUTS))](chosen.images)
    others = dict(chosen.others)
    if "mask" in others and random.random() < 0.5:
        others["mask"] = np.asfortranarray(others["mask"])
    others["num_threads"] = (None, None, 1, 2, 3, 7)[random.integers(6)]
    before = images.copy()
    out = images if chosen.images.dtype == chosen.expected.dtype and images.dtype.isnative else None
    takes_out = chosen.function not in ("histogram", "image_histogram_equalization")
    in_place = takes_out and out is not None and out.shape == chosen.expected.shape and random.random() < 0.25
    if in_place:
        others["out"] = out
    elif takes_out and random.random() < 0.5:
        others["out"] = OUTS[random.integers(len(OUTS))](np.full(chosen.expected.shape, 77, chosen.expected.dtype))
    result = FUNCTIONS[chosen.function](images, **others)
    what = f"case {number}, {chosen}, strides {images.strides}, {others['num_threads']} threads"
    if not (result.dtype == chosen.expected.dtype and np.array_equal(result, chosen.expected)):
        raise AssertionError(f"wrong result: {what}")
    if not in_place and not np.array_equal(images, before):
        raise AssertionError(f"the images have changed: {what}")
    if "out" in others and result is not others["out"]:
        raise AssertionError(f"another array than out: {what}")


def call_many(words: tuple[int, ...], seed: int, calls: int) -> None:
    random = np.random.default_rng(words)
    for _ in range(calls):
        call_once(random, seed)


# ---------------------------------------------------------------- processes


def watch(seconds: int = HANG) -> None:
    """End this process with the stacks of all its threads, unless called again within so many seconds.

    By an alarm, which works in a forked process too, and whatever the threads hold.
    """
    signal.alarm(seconds)


def fork(words: tuple[int, ...], seed: int, calls: int, depth: int) -> int:
    """Fork a process that makes some calls, and perhaps forks one more; return its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        watch()
        call_many(words, seed, calls)
        if depth and words[-1] % 4 == 0:
            expect_success(fork((*words, 1), seed, calls, depth - 1))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def expect_success(pid: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise AssertionError(f"a forked process ended with status {status}")


def spawned(words: tuple[int, ...], seed: int, calls: int) -> None:
    """What a spawned process does; it makes the cases that it calls anew."""
    prepare_watch()
    watch()
    call_many(words, seed, calls)


def prepare_watch() -> None:
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, all_threads=True, chain=True)
    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)


class Counts:
    """How much was done; any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = self.forks = self.spawns = 0

    def add(self, calls: int = 0, forks: int = 0, spawns: int = 0) -> None:
        with self._lock:
            self.calls, self.forks, self.spawns = self.calls + calls, self.forks + forks, self.spawns + spawns


# ---------------------------------------------------------------- rounds


def run_round(seed: int, round_: int, counts: Counts, pool: ThreadPoolExecutor) -> None:
    random = np.random.default_rng([seed, round_])
    words = (seed, round_)
    workers, calls = int(random.integers(1, 7)), int(random.integers(1, 16))
    with_forks, spawns = random.random() < 0.6, int(random.random() < 0.06)

    def work(worker: int, forks: bool) -> None:
        if forks:
            pid = fork((*words, worker, 1), seed, 3, 1)
            counts.add(calls=3, forks=1)
        call_many((*words, worker), seed, calls)
        counts.add(calls=calls)
        if forks:
            expect_success(pid)

    forking = random.random(workers) < 0.3
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=spawned, args=((*words, 99, each), seed, 8)) for each in range(spawns)]
    futures = [pool.submit(work, worker, with_forks and bool(forking[worker])) for worker in range(workers)]
    for process in processes:
        process.start()
    children = [fork((*words, 50, each), seed, 4, 1) for each in range(int(random.integers(4)) if with_forks else 0)]
    call_many((*words, 60), seed, calls)
    counts.add(calls=calls + 4 * len(children) + 8 * spawns, forks=len(children), spawns=spawns)
    for pid in children:
        expect_success(pid)
    for future in futures:
        future.result()
    for process in processes:
        process.join()
        if process.exitcode:
            raise AssertionError(f"a spawned process ended with status {process.exitcode}")


def soak(minutes: float, seed: int, only: int | None) -> None:
    """Run rounds until the time is up, saying which before each."""
    prepare_watch()
    began, rounds, counts = time.monotonic(), 0, Counts()
    for number in range(CASES):
        watch()
        case(number, seed)
    with ThreadPoolExecutor(6) as pool:
        while time.monotonic() - began < 60 * minutes:
            watch()
            round_ = rounds if only is None else only
            print(f"round {round_}", flush=True)
            run_round(seed, round_, counts, pool)
            rounds += 1
    signal.alarm(0)
    done = f"{counts.calls} calls, {counts.forks} forks, {counts.spawns} spawns in {rounds} rounds"
    print(f"passed: {done}, {time.monotonic() - began:.0f} s, seed {seed}", flush=True)


def supervise(minutes: float, seed: int, only: int | None) -> int:
    """Run the soak in a process of its own, and say in which round it ended however it ends; return the status."""
    print(f"seed {seed}, {minutes:g} minutes; cheq {cheq.__version__} at {cheq.__path__[0]}", flush=True)
    command = [sys.executable, __file__, "--minutes", str(minutes), "--seed", str(seed), "--inner"]
    if only is not None:
        command += ["--round", str(only)]
    last = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("round "):
                last = int(line.split()[1])
            else:
                print(line, end="", flush=True)
    if process.returncode:
        how = "a hang" if process.returncode == -signal.SIGALRM else f"status {process.returncode}"
        print(f"failed, {how}, in round {last}; again: python tools/soak.py --seed {seed} --round {last}")
    return int(process.returncode != 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, help="where the random numbers begin (default: another each time)")
    parser.add_argument("--round", type=int, help="run this round alone, again and again")
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    seed = secrets.randbits(32) if given.seed is None else given.seed
    if not given.inner:
        return supervise(given.minutes, seed, given.round)
    soak(given.minutes, seed, given.round)
    return 0


if __name__ == "__main__":
    sys.exit(main())
