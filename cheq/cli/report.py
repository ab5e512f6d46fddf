"""What the user sees: a progress bar, one line for every problem, and a summary; or a line of JSON for every file."""

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cheq.cli.plan import Job, Plan
from cheq.cli.settings import UsageError

INTERRUPTED = 130  # the exit status after Ctrl-C: 128 + SIGINT, as a shell has it


def say(console: Console, text: str, label: str = "", style: str = "", colon: str = ": ") -> None:
    """Print one line, however long it is and whatever it contains.

    File names may hold line breaks, bytes that are no text, and characters that the terminal cannot show.
    """
    line = printable(text).encode(console.encoding, "backslashreplace").decode(console.encoding)
    start = Text.assemble((label, style), colon) if label else Text()
    console.print(start + Text(line), soft_wrap=True)


def printable(text: str) -> str:
    """A text with escapes for the characters that cannot be seen."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode() for char in text
    )


def one_line(text: str) -> str:
    """A message without its line breaks and indents."""
    return " ".join(text.split())


def fail(console: Console, message: str, path: Path | str | None = None, label: str = "error") -> None:
    """Say in one line what went wrong, and with which file."""
    say(console, f"{path}: {one_line(message)}" if path else message, label, "bold red")


def warn(console: Console, message: str, path: Path | str | None = None) -> None:
    """Say in one line what is to be known of a result, and of which file."""
    say(console, f"{path}: {one_line(message)}" if path else message, "warning", "yellow")


class CommandError(Exception):
    """A command cannot do what it is asked; the message is for the user."""


@contextmanager
def leaving(interrupted: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Leave a command with the exit status of an error or of Ctrl-C, after saying which."""
    try:
        yield
    except UsageError as error:
        raise typer.BadParameter(printable(str(error))) from None
    except CommandError as error:
        fail(Console(stderr=True), str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        interrupted()
        raise typer.Exit(INTERRUPTED) from None


class Report:
    """The course of a run over a plan; used as a context, it shows a progress bar if stderr is a terminal.

    Parameters
    ----------
    plan : Plan
        The files to come, and the inputs that were refused already.
    doing, what : str
        What is done to them, while it is and afterwards.
    output : str or None
        Where to, as the user typed it.
    dry : bool
        Whether nothing is written.
    verbose, as_json : bool
        Whether each file gets a line on stdout, or each a line of JSON; the summary is one too then.
    names : dict of Path to str
        What paths are called that stand for standard input and output.
    to_stdout : bool
        Whether the result is on stdout: what is said is on stderr then, and the summary there only if asked for.
    """

    def __init__(
        self,
        plan: Plan,
        doing: str = "equalizing",
        what: str = "equalized",
        *,
        output: str | None = None,
        dry: bool = False,
        verbose: bool = False,
        as_json: bool = False,
        names: Mapping[Path, str] | None = None,
        to_stdout: bool = False,
    ) -> None:
        self.doing = "reading" if dry else doing
        self.done = self.failed = self.there = 0
        self._what, self._output, self._dry = what, output, dry
        self._verbose, self._as_json = verbose or dry, as_json
        self._plan = plan
        self._lock = threading.Lock()
        self._said: set[tuple[Path, str]] = set()
        self._names = names or {}
        self._out = Console(stderr=to_stdout)
        self._silent = to_stdout and not (verbose or dry)
        self._err = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _FilesASecond(),
            TimeRemainingColumn(),
        )
        # redirect_stdout: what is printed to stdout belongs there, and not above the bar.
        self._bar = Progress(*columns, console=self._err, transient=True, redirect_stdout=False)
        self._task = self._bar.add_task(doing, total=len(plan.jobs))

    def __enter__(self) -> Self:
        # Not left to Progress(disable=...): before rich 14 that still prints an empty line at the end.
        if self._shows_bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shows_bar:
            self._bar.stop()

    @property
    def _shows_bar(self) -> bool:
        """Whether stderr is a terminal, and no line of a file's own comes between."""
        lines = self._verbose or self._as_json
        return self._err.is_terminal and not (lines and self._out.is_terminal)

    def begin(self, doing: str, total: int) -> None:
        """Begin another pass over the files."""
        self._bar.reset(self._task, description=doing, total=total)

    def step(self) -> None:
        """One more file of a pass that writes nothing; any thread may say so."""
        self._bar.advance(self._task)

    def success(self) -> None:
        """One more file is written; any thread may say so."""
        with self._lock:
            self.done += 1
        self._bar.advance(self._task)

    def warned(self, job: Job, failure: str | None, warnings: Sequence[str]) -> None:
        """Say what there is to know of a file of which more comes, unless it has failed."""
        for message in warnings:
            self.warning(job.source, message)
        if failure is not None:
            self.failure(job.source, failure, job.target, warnings)

    def finished(self, job: Job, failure: str | None, warnings: Sequence[str]) -> None:
        """Say what has become of a file."""
        self.warned(job, failure, warnings)
        if failure is None:
            self._line(job, "would be written" if self._dry else "written", warnings)

    def skipped(self, job: Job) -> None:
        """One more file is not looked at, for its result is there."""
        self.there += 1
        self._line(job, "skipped", ())

    def _line(self, job: Job, status: str, warnings: Sequence[str]) -> None:
        source, target = self._name(job.source), self._name(job.target)
        if self._as_json:
            self._json(source=source, target=target, status=status, warnings=warnings)
        elif self._verbose:
            say(self._out, f"{source} -> {target}{' (skipped: it exists already)' * (status == 'skipped')}")

    def _name(self, path: Path | None) -> str | None:
        return None if path is None else self._names.get(path, os.fspath(path))

    def _json(self, **fields: Any) -> None:
        """One line; what is no text in a name is escaped as in Python's own (PEP 383)."""
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()

    def failure(self, path: Path, message: str, target: Path | None = None, warnings: Sequence[str] = ()) -> None:
        """One more file has failed."""
        self.failed += 1
        fail(self._err, message, self._name(path))
        if self._as_json:
            more = {"error": one_line(message), "warnings": warnings}
            self._json(source=self._name(path), target=self._name(target), status="failed", **more)
        self._bar.advance(self._task)

    def warning(self, path: Path, message: str) -> None:
        """A warning about a file that is still equalized; printed once, though the file may be read twice."""
        if (path, message) in self._said:
            return
        self._said.add((path, message))
        warn(self._err, message, self._name(path))

    def interrupted(self) -> None:
        """Ctrl-C."""
        total = len(self._plan.jobs)
        fail(self._err, f"{self.done} of {_files(total)} {self._what}; no file is half written", label="interrupted")

    def summary(self) -> None:
        """The run's last words."""
        total, passed_over = self.done + self.there + self.failed, _passed_over(self._plan, self._output)
        if not total:
            fail(self._err, "no file to equalize was found")
        if self._as_json:
            counts = {"written": self.done, "skipped": self.there, "failed": self.failed}
            self._json(summary=counts, dry_run=self._dry, passed_over=passed_over)
            return
        if total and not self._silent:
            say(self._out, self._counts(total))
        if passed_over:
            say(self._out, f"passed over: {'; '.join(passed_over)}")

    def _counts(self, total: int) -> str:
        where = "beside the sources" if self._output is None else f"into {self._output}"
        skipped = f", {self.there} skipped that exist already" if self.there else ""
        if self._dry:
            return f"{_files(self.done)} would be {self._what}{skipped}, {self.failed} would fail"
        if not self.failed + self.there:
            return f"{_files(total)} {self._what} {where}"
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {_files(total)} {self._what} {where}{skipped}{failed}"


class _FilesASecond(ProgressColumn):
    """How fast it goes."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} files/s")


def _passed_over(plan: Plan, output: str | None) -> list[str]:
    parts = []
    if plan.unknown:
        kinds = ", ".join(f"{kind or 'none'} {count}" for kind, count in _most_first(plan.unknown))
        parts.append(f"{_files(plan.unknown.total())} with unknown extensions ({kinds})")
    if plan.unmatched:
        parts.append(f"{_files(plan.unmatched)} that do not match")
    if plan.results:
        parts.append(f"{_files(plan.results)} with the suffix of results")
    if plan.links:
        parts.append(f"{plan.links} linked folder{'s' * (plan.links > 1)}")
    if plan.own is not None:
        parts.append(f"{output} itself ({_files(plan.own)})")
    return parts


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"
