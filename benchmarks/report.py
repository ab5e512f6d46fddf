"""What is made of the figures: rows for a file, Markdown for people."""

import os
import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from cases import BEST_KERNEL, LOOP, SPLIT, Case

import cheq
from cheq.bench.peers import PEERS
from cheq.bench.timing import distrust

ROOT = Path(__file__).parent.parent
Row = dict[str, Any]


def rows_of(section: str, case: Case) -> list[Row]:
    """Return a row a contestant; times are seconds for all the work."""
    return [
        {
            "section": section,
            "work": case.work,
            "pixels": case.pixels,
            "contestant": each.name,
            "threads": each.threads,
            "kernel": each.kernel,
            "compared": each.same,
            "best": each.best,
            "median": each.median,
            "spread": each.spread,
            "samples": len(each.seconds),
        }
        for each in case.contestants
    ]


# ---------------------------------------------------------------- where it ran


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge the figures; nothing that tells whose machine it is."""
    config = cheq.show_config("dicts")
    used = [peer for peer in PEERS if peer.name != "albumentations"]
    absent = [peer.name for peer in used if peer.absent() is not None]
    versions = {peer.name.removesuffix(" recipe"): peer.version() for peer in used if peer.name not in absent}
    return {
        "cpu": config["cpu"]["name"],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "kernel": BEST_KERNEL,
        "kernels": config["kernels"]["available"],
        "compiler": config["compiler"],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {"cheq": cheq.__version__} | versions,
        "absent": list(dict.fromkeys(absent)),
        "date": str(date.today()),
    }


def head(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    absent = f"; not installed: {', '.join(about['absent'])}" if about["absent"] else ""
    busy = distrust(about.get("busy_elsewhere"))
    text = (
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, {about['compiler']}; {about['kernel']} kernels "
        f"unless named; {versions}, Python {about['python']}{absent}; {about['date']}."
    )
    return f"{text} **{busy.capitalize()}.**" if busy else text


# ---------------------------------------------------------------- tables


def ratios(rows: list[Row]) -> list[Row]:
    """Return, for each work, kernel and peer, how many times faster cheq is on 1 and 2 threads, by best times."""
    found = []
    for work in dict.fromkeys(row["work"] for row in rows):
        here = [row for row in rows if row["work"] == work]
        best = {(row["contestant"], row["kernel"], row["threads"]): row for row in here}
        for kernel in dict.fromkeys(row["kernel"] for row in here if row["contestant"] == "cheq"):
            for peer in dict.fromkeys(row["contestant"] for row in here if row["contestant"] != "cheq"):
                pairs = [(best["cheq", kernel, n], best.get((peer, None, n), best[peer, None, 1])) for n in (1, 2)]
                found.append({"work": work, "kernel": kernel, "peer": peer, "pairs": pairs})
                found[-1]["ratios"] = [theirs["best"] / ours["best"] for ours, theirs in pairs]
    return found


def ratio_table(rows: list[Row], first: str) -> str:
    lines = [
        f"| {first} | against | 1 thread | 2 threads | ns/px: cheq, 1 / 2 | peer, 1 / 2 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in ratios(rows):
        name = row["work"] + ("" if row["kernel"] == BEST_KERNEL else f", {row['kernel']} kernels")
        pixels = [" / ".join(_ns(side) for side in sides) for sides in zip(*row["pairs"], strict=True)]
        faster = [f"{ratio:.2f}" for ratio in row["ratios"]]
        lines.append(f"| {' | '.join([name, row['peer'], *faster, *pixels])} |")
    return "\n".join(lines)


def median_table(rows: list[Row]) -> str:
    """Return a ratio table with one more column: times faster on one thread by medians."""
    lines = ratio_table(rows, "images").splitlines()
    medians = [
        f"{theirs['median'] / ours['median']:.2f}" for (ours, theirs), _ in (row["pairs"] for row in ratios(rows))
    ]
    cells = ["1 thread, medians", "---", *medians]
    return "\n".join(f"{line} {cell} |" for line, cell in zip(lines, cells, strict=True))


def kernel_table(rows: list[Row], first: str) -> str:
    """Return how many times faster each kernel is on one thread, and the best one on two."""
    kernels = list(dict.fromkeys(row["kernel"] for row in rows if row["kernel"]))
    lines = [
        f"| {first} | against | {' | '.join(kernels)} | {BEST_KERNEL}, 2 threads | ns/px: cheq, 1 / 2 | peer, 1 / 2 |",
        "| --- " * (len(kernels) + 5) + "|",
    ]
    found = ratios(rows)
    for best in (row for row in found if row["kernel"] == BEST_KERNEL):
        one = {
            row["kernel"]: row["ratios"][0]
            for row in found
            if row["work"] == best["work"] and row["peer"] == best["peer"]
        }
        pixels = [" / ".join(_ns(side) for side in sides) for sides in zip(*best["pairs"], strict=True)]
        faster = [f"{ratio:.2f}" for ratio in (*one.values(), best["ratios"][1])]
        lines.append(f"| {' | '.join([best['work'], best['peer'], *faster, *pixels])} |")
    return "\n".join(lines)


def label(row: Row) -> str:
    """Return how a contestant is called where kernels and threads stand side by side."""
    if row["section"] != "sizes" or row["contestant"] not in ("cheq", "cv2"):
        return row["contestant"]
    return ", ".join(
        filter(None, [row["contestant"], row["kernel"], f"{row['threads']} thread{'s'[: row['threads'] - 1]}"])
    )


def grid(rows: list[Row], first: str, scale: float = 1e9) -> str:
    """Return a line a contestant and a column a work."""
    works = list(dict.fromkeys(row["work"] for row in rows))
    cells = {(label(row), row["work"]): _ns(row, scale) for row in rows}
    lines = [f"| {' | '.join([first, *works])} |", "| --- " * (len(works) + 1) + "|"]
    for name in dict.fromkeys(label(row) for row in rows):
        lines.append(f"| {' | '.join([name, *(cells.get((name, work), '') for work in works)])} |")
    return "\n".join(lines)


def flat_table(rows: list[Row]) -> str:
    """Return times as multiples of the first contestant's, which works on uniform pixels."""
    names = list(dict.fromkeys(row["contestant"] for row in rows))
    lines = [f"| kernel, plane | {names[0]}, ns/px | {' | '.join(names[1:])} |", "| --- " * (len(names) + 1) + "|"]
    for work in dict.fromkeys(row["work"] for row in rows):
        here = [row for row in rows if row["work"] == work]
        times = (f"{row['best'] / here[0]['best']:.2f}" for row in here[1:])
        lines.append(f"| {' | '.join([work, _ns(here[0]), *times])} |")
    return "\n".join(lines)


def _ns(row: Row, scale: float = 1e9) -> str:
    value = row["best"] / row["pixels"] * scale
    return f"{value:.3f}" if value < 0.9995 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


TITLES = {
    "work": "How many times faster than a peer doing the same work:",
    "calls": "Microseconds a call, one thread (uniform pixels):",
    "numbers": "How the cost grows with the number of images (uniform pixels):",
    "sizes": "How it depends on their size: ns/px for the same 16 Mi real pixels cut into planes. One thread unless "
    "named. Pillow, torchvision and kornia give Pillow's answer and scikit-image floats, so their outputs are others:",
    "methods": "The other methods, dtypes and steps, each beside the library whose answer it gives:",
    "words": "16 bits a pixel, beside the fastest ways in NumPy, and beside writing the result's memory alone: times "
    "faster on one thread with each kernel:",
    "floats": "Floats, by their values, sizes and numbers of bins, likewise:",
    "clahe": "CLAHE (clip limit 2, 8 x 8 tiles; scikit-image's defaults), likewise:",
    "lightness": "Lightness equalized alone, between `cv2.cvtColor` and back, likewise:",
    "match": "Matched to one image, beside scikit-image's `match_histograms`, the same by hand from cheq's steps, and "
    "for lightness cv2's `cvtColor`; by best times, and in the last column by medians:",
    "layouts": "Where the pixels are: ns/px, one thread:",
    "flat": "Data that could make counters wait, as multiples of the time for uniform pixels:",
}


def section(name: str, rows: list[Row]) -> str:
    tables: dict[str, Callable[[list[Row]], str]] = {
        "work": lambda rows: ratio_table(rows, "work"),
        "calls": lambda rows: grid(rows, "call", 1e6),
        "numbers": lambda rows: ratio_table(rows, "images"),
        "sizes": lambda rows: grid(rows, "plane"),
        "methods": lambda rows: ratio_table(rows, "method and images"),
        "words": lambda rows: kernel_table(rows, "method and images"),
        "floats": lambda rows: kernel_table(rows, "method and images"),
        "clahe": lambda rows: kernel_table(rows, "images"),
        "lightness": lambda rows: kernel_table(rows, "images"),
        "match": median_table,
        "layouts": lambda rows: grid(rows, "plane"),
        "flat": flat_table,
    }
    return f"{TITLES[name]}\n\n{tables[name](rows)}\n"


def spread(rows: list[Row]) -> str:
    shares = sorted(row["spread"] for row in rows)
    return (
        f"Medians were {shares[len(shares) // 2]:.0%} above the bests in the middle row, {shares[-1]:.0%} in the worst."
    )


# What the README shows: a work and a peer as the sections name them, and as a newcomer reads them.
IN_README = {
    ("(1800, 1, 96, 96) real pictures", LOOP): ("1,800 gray pictures of 96 x 96", "`cv2.equalizeHist`, a loop"),
    ("one (96, 96) a call, 100 real pictures in turn", LOOP): ("100 of them, one a call", "`cv2.equalizeHist`"),
    ("(64, 224, 224, 3) real", SPLIT): ("64 color pictures of 224 x 224", "cv2: split, `equalizeHist`, merge"),
    ("pillow, uint8 (1800, 96, 96)", "Pillow"): ('`method="pillow"`, 1,800 of 96 x 96', "`ImageOps.equalize`, a loop"),
    ("skimage, uint8 (48, 512, 512)", "scikit-image"): (
        '`method="skimage"`, 48 of 512 x 512',
        "`exposure.equalize_hist`, a loop",
    ),
    ("uint8 (64, 512, 512)", "cv2, a loop"): ("`clahe`, 64 of 512 x 512", "`createCLAHE`, a loop"),
    ("clahe, color='lab' (64, 224, 224, 3)", "cv2, a loop"): (
        '`clahe`, `color="lab"`, 64 of 224 x 224',
        "cv2: to Lab, `createCLAHE`, back",
    ),
}


def readme_table(rows: list[Row]) -> str:
    """Return the README's rows: the peer's time and cheq's on one thread, and how many times faster on one and two."""
    works = {work for work, _ in IN_README}
    chosen = ratios([row for row in rows if row["work"] in works])
    found = {(row["work"], row["peer"]): row for row in chosen if row["kernel"] == BEST_KERNEL}
    lines = ["| work | peer | takes | cheq, one thread | cheq, two threads |", "| --- | --- | --- | --- | --- |"]
    for key, names in IN_README.items():
        cheqs, peers = zip(*found[key]["pairs"], strict=True)
        times = [f"{_ms(ours)}, {ratio:.1f} x" for ours, ratio in zip(cheqs, found[key]["ratios"], strict=True)]
        lines.append(f"| {' | '.join([*names, _ms(peers[0]), *times])} |")
    return "\n".join(lines)


def _ms(row: Row) -> str:
    return f"{1e3 * row['best']:.3g} ms"


def paste(page: str, mark: str, text: str) -> None:
    """Write ``text`` between the two markers of this name in a page."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, rest = (ROOT / page).read_text().split(begin)
    (ROOT / page).write_text(f"{before}{begin}\n{text.strip()}\n{end}{rest.split(end)[1]}")
