"""cheq beside the cv2 loop, on one thread and on two.

    python benchmarks/run.py [SECONDS A CASE]

On one thread both are held to one. On two, cheq has two and cv2 is what its users have: a loop in Python, cv2's own
threads on. Prints a Markdown table of ratios (cv2's best time divided by cheq's), with nanoseconds a pixel.
"""

import platform
import sys
from datetime import date

import cv2
import numpy as np
from cases import Case, cases, cheq_run
from timing import Contestant, compete

import cheq


def measure(case: Case, threads: int, seconds: float) -> tuple[Contestant, Contestant]:
    results = [np.empty_like(case.images) for _ in range(2)]
    peer = Contestant("cv2", lambda: case.peer(case.images, results[0]), lambda: cv2.setNumThreads(threads))
    ours = Contestant("cheq", cheq_run(case, results[1], threads))
    compete([peer, ours], seconds=seconds)
    return peer, ours


def cell(case: Case, threads: int, seconds: float) -> str:
    peer, ours = measure(case, threads, seconds)
    scale = 1e9 / case.images.size
    return (
        f"**{peer.best / ours.best:.2f}** ({ours.best * scale:.3f} to {peer.best * scale:.3f} ns/px; "
        f"medians {peer.median / ours.median:.2f})"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    kernels = cheq.show_config("dicts")["kernels"]["chosen"]
    print(
        f"{platform.machine()}, cheq {cheq.__version__} ({kernels} kernels), cv2 {cv2.__version__}, "
        f"NumPy {np.__version__}, {date.today()}\n"
    )
    print("| work | 1 thread | 2 threads |\n| --- | --- | --- |")
    for case in cases():
        print(f"| {case.name} | {cell(case, 1, seconds)} | {cell(case, 2, seconds)} |", flush=True)


if __name__ == "__main__":
    main()
