"""What spawned workers, such as a DataLoader's, get done together by the number of threads that each uses.

    python benchmarks/workers.py [WORKERS [SECONDS]]

As many workers as given, or 2, equalize batches of 64 images of 224 x 224, a call each, for so many seconds, or 3.
"""

import multiprocessing
import sys
import time
from typing import Any

import numpy as np

import cheq

BATCH = (64, 1, 224, 224)


def work(num_threads: int | None, seconds: float, done: Any) -> None:
    """Put the images a second, and the seconds of CPU for each second."""
    images = np.random.default_rng(0).integers(0, 256, BATCH, np.uint8)
    out, batches = np.empty_like(images), 0
    cheq.equalize(images, out=out, num_threads=num_threads)
    start, cpu = time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - start) < seconds:
        cheq.equalize(images, out=out, num_threads=num_threads)
        batches += 1
    done.put((batches * len(images) / passed, (time.process_time() - cpu) / passed))


def main() -> None:
    workers, seconds = [*map(int, sys.argv[1:]), *(2, 3)[len(sys.argv) - 1 :]]
    context = multiprocessing.get_context("spawn")
    for num_threads in (1, None, 2):
        done = context.Queue()
        processes = [context.Process(target=work, args=(num_threads, seconds, done)) for _ in range(workers)]
        for process in processes:
            process.start()
        images, cpus = map(sum, zip(*(done.get() for _ in processes), strict=True))
        print(f"{workers} workers, num_threads={num_threads}: {images:,.0f} images a second on {cpus:.1f} cores")
        for process in processes:
            process.join()


if __name__ == "__main__":
    main()
