"""cheq bench: how fast cheq is here, beside what is installed here."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

import cheq
from cheq.bench.images import images_of
from cheq.bench.rows import Row, run
from cheq.bench.timing import busy_elsewhere, distrust
from cheq.cli import without
from cheq.cli.plan import files_of
from cheq.cli.report import CommandError, fail, leaving, say, warn
from cheq.cli.run import EXTENSIONS
from cheq.cli.settings import threads_now
from cheq.pictures import Pixels


def bench(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Your images: 8-bit pictures, .npy, folders of them."),
    ] = None,
    channel_axis: Annotated[
        int | None, typer.Option("--channel-axis", metavar="AXIS", help="The axis of R, G, B in arrays, such as -1.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, metavar="N", help="About how long it may take.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Time cheq beside every library installed here, outputs compared first.

    For example: cheq bench photos/ --seconds 60

    Each library equalizes the same planes (of color pictures, each channel) one by one or in its own batches, and
    cheq all of them in one call, by the method that gives that library's answer; then by CLAHE, with a clip limit of 2
    and 8 x 8 tiles for cv2, and matched to a dark picture. Without PATH they are 1800 crops of real pictures, 96 x 96,
    or uniform noise where scikit-image is missing. Figures are the best of several rounds.

    The exit status is 0 if all outputs were equal, 1 if one was not, a file is damaged, or there was no image, 2 for
    wrong options.
    """
    console, errors, damaged = Console(), Console(stderr=True), list[Path]()

    def failed(path: Path, why: str) -> None:
        damaged.append(path)
        fail(errors, why, path)

    with leaving():
        if paths:
            files = files_of(paths, EXTENSIONS)
            batches = images_of(files, channel_axis, lambda path, why: warn(errors, why, path), failed)
            what = "your images"
        else:
            batches, what = _built_in()
        if not batches:
            raise CommandError("no 8-bit image was found")
        busy = busy_elsewhere()
        threads = threads_now()
        rows = _timed(batches, threads, seconds, errors)
        others = busy()
    size, count = sum(batch.size for batch in batches), sum(len(batch) for batch in batches)
    work = f"{what}: {count:,} planes, {size:,} pixels"
    if as_json:
        sys.stdout.write(json.dumps({**_as_dict(rows, work), "busy_elsewhere": others}, indent=1) + "\n")
    else:
        _print(console, rows, work, threads)
    if told := distrust(others):
        warn(errors, told)
    if damaged or not all(row.equal for row in rows):
        raise typer.Exit(1)


def _built_in() -> tuple[list[Pixels], str]:
    try:
        from cheq.bench.samples import real_batch
    except ImportError as error:
        without(error, "the pictures", "demo")  # an error in cheq itself is raised
        import numpy as np

        return [np.random.default_rng(0).integers(0, 256, (1800, 96, 96), np.uint8)], "uniform noise"
    return [real_batch()[:, 0]], "crops of real pictures"


def _timed(batches: list[Pixels], threads: int, seconds: float, errors: Console) -> list[Row]:
    rows = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("timing")
        for row in run(batches, threads, seconds):
            progress.update(task, description=f"timing: {row.peer} is done")
            rows.append(row)
    return rows


def _as_dict(rows: list[Row], work: str) -> dict[str, object]:
    config = cheq.show_config(mode="dicts")
    return {"work": work, "cheq": config, "rows": [row.as_dict() for row in rows]}


def _print(console: Console, rows: list[Row], work: str, threads: int) -> None:
    config = cheq.show_config(mode="dicts")
    say(console, f"{work}; {config['cpu']['name']}, {config['kernels']['chosen']} kernels, cheq {config['version']}")
    say(console, f"on 1 thread / on {threads}:")
    table = Table(box=None, pad_edge=False)
    for title in ("library", "method", "cheq, ns/px", "its, ns/px", "times as fast"):
        table.add_column(title, justify="left" if len(table.columns) < 2 else "right")
    for row in rows:
        if not row.note:
            ratios = (row.peer_1 / row.cheq_1, row.peer_all / row.cheq_all)
            pairs = ((row.cheq_1, row.cheq_all), (row.peer_1, row.peer_all), ratios)
            cells = (" / ".join(map(_three_digits, pair)) for pair in pairs)
            how = "" if row.function == "equalize" else row.function.partition("_")[0] + " "  # it is a narrow table
            table.add_row(f"{row.peer} {row.version}", how + row.method, *cells)
    console.print(table)
    for row in rows:
        if row.note:
            say(console, row.note, row.peer, "" if row.equal else "bold red")


def _three_digits(value: float) -> str:
    """At least three, and never an exponent."""
    digits = 3 - len(f"{value:.0f}") if value >= 1 else 3
    return f"{value:,.{max(digits, 0)}f}"
