"""cheq demo: the main job on real pictures, checked and timed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cheq.bench.timing import busy_elsewhere
from cheq.cli import without
from cheq.cli.report import INTERRUPTED, say, warn_of


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where the before/after sheet goes; must not exist yet. "
            "By default cheq-demo.png in this folder, which is replaced.",
        ),
    ] = None,
) -> None:
    """Equalize 1800 real pictures in one call, check every byte against OpenCV, and compare the times.

    The pictures come with scikit-image; nothing is downloaded. The exit status is 1 if a single byte differs.
    """
    console, errors = Console(), Console(stderr=True)
    try:
        from cheq.cli.demo import DemoError, run_demo
    except ImportError as error:
        say(errors, without(error, "the demo", "demo"), "error", "bold red")
        raise typer.Exit(1) from None
    busy = busy_elsewhere()
    try:
        run_demo(console, output)
    except DemoError as error:
        say(errors, str(error), "error", "bold red")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    warn_of(errors, busy())
