"""cheq parity: a check with a progress bar, its report, and a mismatch run again."""

import json
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cheq.cli.report import fail, one_line, say
from cheq.parity import Result, check, rerun
from cheq.parity.result import table

_RED = "bold red"


def run_check(
    console: Console,
    errors: Console,
    paths: Iterable[Path],
    *,
    quick: bool,
    as_json: bool,
    channel_axis: int | None,
    require: Iterable[str],
    save: Path,
) -> bool:
    """Check, report, and return whether everything was compared and is equal."""
    columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=errors, transient=True, redirect_stdout=False)
    task = bar.add_task("", total=None)

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    if errors.is_terminal:
        bar.start()
    try:
        result = check(paths, channel_axis=channel_axis, quick=quick, require=require, save=save, progress=progress)
    finally:
        if errors.is_terminal:
            bar.stop()
    (_print_json if as_json else _print)(console, result)
    for text in result.errors:
        fail(errors, text)
    return result.passed


def run_again(console: Console, errors: Console, path: Path, *, as_json: bool) -> bool:
    """Run a saved mismatch again, report, and return whether it is equal now."""
    try:
        found = rerun(path)
    except OSError as error:
        fail(errors, error.strerror or str(error), path)
        return False
    except ValueError as error:
        fail(errors, one_line(str(error)))
        return False
    if as_json:
        console.out(json.dumps({"equal": found.equal, "text": found.text}, indent=2), highlight=False)
    else:
        say(console, found.text, "equal" if found.equal else "NOT EQUAL", "bold green" if found.equal else _RED)
    return found.equal


def _print_json(console: Console, result: Result) -> None:
    console.out(json.dumps(result.to_dict(), indent=2), highlight=False)


def _print(console: Console, result: Result) -> None:
    for label, text in result.about():
        say(console, text, f"{label:9}", "bold", "")
    if result.rows:
        console.print()
        for text, row in table(result.rows):
            console.print(Text(text, _RED if row is not None and row.mismatches else ""), soft_wrap=True)
    for title, texts in result.lists().items():
        if texts:
            console.print(f"\n{title}:", style=_RED if title == "mismatches" else "bold", highlight=False)
        for text in texts:
            say(console, text, "-", "", " ")
    console.print()
    style = "bold green" if result.passed else _RED
    say(console, f" ({result.seconds:.1f} s)", result.verdict(), style, "")
