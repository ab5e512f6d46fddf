"""cheq beside its peers.

    python benchmarks/run.py                    # the most important tables: under a minute
    python benchmarks/run.py --full --paste     # all sections, for longer, pasted into README and docs: minutes

On one thread cheq and cv2 are held to one. On two, cheq has two and cv2 is what its users have: a loop in Python, with
cv2's own threads on. A figure is of best times from interleaved rounds, after the outputs were found equal.
"""

import argparse
import json
import time
from pathlib import Path

import report
from cases import BEST_KERNEL
from cases import SECTIONS as CASES
from depths import DEPTHS
from local import clahe, lightness
from match import match
from methods import methods

from cheq._core import dispatch
from cheq.bench.timing import busy_elsewhere, compete

SECTIONS = {**CASES, "methods": methods, **DEPTHS, "clahe": clahe, "lightness": lightness, "match": match}
QUICK = ("work", "calls")
PASTED = ("work", "methods", "words", "floats", "clahe", "lightness", "match", "calls", "numbers", "sizes")
SECONDS = {  # a case, with --full
    "work": 10.0,
    "methods": 4.0,
    "words": 2.0,
    "floats": 3.0,
    "clahe": 6.0,
    "lightness": 6.0,
    "match": 8.0,
    "calls": 2.0,
    "numbers": 3.0,
    "sizes": 4.0,
    "layouts": 3.0,
    "flat": 1.5,
}
QUICK_SHARE = 0.15


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all sections, and more rounds of each")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument(
        "--paste",
        action="store_true",
        help="paste the tables, except layouts and flat, into docs/benchmarks.md, and seven rows into README.md",
    )
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    parser.add_argument("--plot", metavar="FILE", help="draw sizes and layouts, which it adds to the sections")
    chosen = parser.parse_args()
    names = set(chosen.only or (SECTIONS if chosen.full else QUICK)) | ({"sizes", "layouts"} if chosen.plot else set())
    if chosen.paste and not names.issuperset(PASTED):
        parser.error(f"--paste needs the sections {', '.join(PASTED)}: give --full")
    chosen.sections = [name for name in SECTIONS if name in names]
    return chosen


def measure(name: str, share: float) -> list[report.Row]:
    rows = []
    for case in SECTIONS[name]():
        compete(case.contestants, seconds=SECONDS[name] * share)
        rows += report.rows_of(name, case)
    dispatch.use_kernel(BEST_KERNEL)
    return rows


def main() -> None:
    chosen = options()
    about, busy, start = report.machine(), busy_elsewhere(), time.perf_counter()
    rows: list[report.Row] = []
    texts = {}
    for name in chosen.sections:
        found = measure(name, 1.0 if chosen.full else QUICK_SHARE)
        texts[name] = report.section(name, found)
        print(texts[name], flush=True)
        rows += found
    about["busy_elsewhere"] = busy()
    foot = f"{report.head(about)} {report.spread(rows)}"
    print(f"{foot}\n{time.perf_counter() - start:.0f} s")
    if chosen.json:
        Path(chosen.json).write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")
    if chosen.paste:
        report.paste("docs/benchmarks.md", "benchmarks", "\n".join([*(texts[name] for name in PASTED), foot]))
        report.paste("README.md", "fast", f"{report.readme_table(rows)}\n\n{report.head(about)}")
    if chosen.plot:
        import picture  # here, so that matplotlib is needed by nothing else

        picture.draw(rows, f"{about['cpu']}, {about['kernel']} kernels unless named, real pictures", chosen.plot)


if __name__ == "__main__":
    main()
