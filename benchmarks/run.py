"""cheq beside cv2, on one thread and on two: the table of the README.

    python benchmarks/run.py                    # under a minute
    python benchmarks/run.py --full             # some minutes: longer, with the growth and flat data tables
    python benchmarks/run.py --full --readme --json results.json

On one thread both are held to one. On two, cheq has two and cv2 is what its users have: a loop in Python, with cv2's
own threads on. A figure is a ratio of best times from interleaved rounds, after the outputs were found equal.
"""

import argparse
import json
import platform
import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cases import Case, cases, cv2_planes, uniform
from timing import Contestant, compete

import cheq
from cheq._core import integer

README = Path(__file__).parent.parent / "README.md"
BEST_KERNEL = integer.kernel()
Row = dict[str, Any]


def measure(case: Case, threads: int, seconds: float, peer: str = "cv2") -> Row:
    """Time cheq and the peer, and return a row for the result file."""
    results = [np.empty(case.images.shape, np.uint8) for _ in range(2)]
    peers = Contestant(peer, partial(case.peer, case.images, results[0]), lambda: cv2.setNumThreads(threads))
    ours = Contestant("cheq", case.run(results[1], threads))
    integer.use_kernel(case.kernel or BEST_KERNEL)
    try:
        compete([peers, ours], seconds=seconds)
    finally:
        integer.use_kernel(BEST_KERNEL)
    scale = 1e9 / case.images.size
    return {
        "work": case.name,
        "threads": threads,
        "kernel": case.kernel or BEST_KERNEL,
        "ratio": peers.best / ours.best,
        "ratio_of_medians": peers.median / ours.median,
        **{
            f"{each.name}_{figure}": getattr(each, figure) * (1 if figure == "spread" else scale)
            for each in (ours, peers)
            for figure in ("best", "median", "spread")
        },
    }


def table(rows: list[Row], first: str = "work") -> str:
    """Return Markdown: a line a case, ratios on one and two threads, nanoseconds a pixel."""
    lines = [f"| {first} | 1 thread | 2 threads | ns/px on 1: cheq | cv2 |", "| --- | --- | --- | --- | --- |"]
    for name in dict.fromkeys(row["work"] for row in rows):
        on = {row["threads"]: row for row in rows if row["work"] == name}
        ratios = " | ".join(f"{on[n]['ratio']:.2f}" if n in on else "" for n in (1, 2))
        lines.append(f"| {name} | {ratios} | {on[1]['cheq_best']:.3f} | {on[1]['cv2_best']:.3f} |")
    return "\n".join(lines)


def against_memcpy(seconds: float) -> Row:
    """Return how near apply_lut comes to copying; a different job, so outputs are not compared here."""
    lut = next(case for case in cases() if case.name.startswith("apply_lut"))
    out = np.empty_like(lut.images)
    copy = Contestant("memcpy", partial(np.copyto, out, lut.images))
    ours = Contestant("cheq", lut.run(out, 1))
    compete([copy, ours], seconds=seconds, compare=False)
    return {"work": "apply_lut of 16.6 MB against memcpy", "threads": 1, "ratio": copy.best / ours.best}


def growth() -> list[Case]:
    numbers = [Case(f"{n} x (96, 96)", uniform(n, 1, 96, 96), cv2_planes) for n in (1, 10, 100, 1000, 10_000)]
    sizes = [
        Case(f"16 MiB of ({n}, {n})", uniform(2**24 // n**2, 1, n, n), cv2_planes)
        for n in (8, 16, 32, 64, 256, 1024, 4096)
    ]
    return numbers + sizes


def flat_data(seconds: float) -> str:
    """Return how flat data compare with uniform, for each kernel: cheq beside itself."""
    lines = ["| kernel | constant | two levels | (time on uniform data = 1) |", "| --- | --- | --- | --- |"]
    images = {
        "uniform": uniform(1800, 1, 96, 96),
        "constant": np.full((1800, 1, 96, 96), 77, np.uint8),
        "two": np.where(uniform(1800, 1, 96, 96) & 1, 10, 200).astype(np.uint8),
    }
    out = np.empty_like(images["uniform"])
    for kernel in (name for name, runs in integer.kernels().items() if runs):
        integer.use_kernel(kernel)
        runs = [
            Contestant(name, lambda each=each: cheq.equalize(each, out=out, num_threads=1))
            for name, each in images.items()
        ]
        compete(runs, seconds=seconds, compare=False)
        base, constant, two = (run.best for run in runs)
        lines.append(f"| {kernel} | {constant / base:.2f} | {two / base:.2f} | |")
    integer.use_kernel(BEST_KERNEL)
    return "\n".join(lines)


def cpu() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.machine()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--full", action="store_true", help="longer rounds, and the growth and flat data tables")
    options.add_argument("--readme", action="store_true", help="paste the table into README.md")
    options.add_argument("--json", metavar="FILE", help="write all figures there")
    chosen = options.parse_args()
    seconds = 4.0 if chosen.full else 0.8
    head = (
        f"{cpu()}, {platform.machine()}; cheq {cheq.__version__} ({BEST_KERNEL} kernels unless named), "
        f"cv2 {cv2.__version__}, NumPy {np.__version__}, Python {platform.python_version()}; {date.today()}."
    )
    print(head + "\n")
    rows = [measure(case, threads, seconds) for case in cases() for threads in (1, 2)]
    memcpy = against_memcpy(seconds)
    text = table(rows) + f"\n| {memcpy['work']} | {memcpy['ratio']:.2f} | | | |"
    print(text, flush=True)
    if chosen.full:
        grown = [measure(case, threads, 1.0) for case in growth() for threads in (1, 2)]
        text += "\n\nHow the cost grows with the number of images and with their size (uniform pixels):\n\n" + table(
            grown
        )
        print("\n" + table(grown) + "\n\n" + flat_data(seconds))
        rows += grown
    if chosen.json:
        Path(chosen.json).write_text(json.dumps({"head": head, "rows": [*rows, memcpy]}, indent=1) + "\n")
    if chosen.readme:
        begin, end = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
        before, after = README.read_text().split(begin)[0], README.read_text().split(end)[1]
        README.write_text(f"{before}{begin}\n{head}\n\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
