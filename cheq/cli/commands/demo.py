"""cheq demo: the main job on real pictures, checked and timed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cheq.bench.timing import busy_elsewhere, distrust
from cheq.cli import without
from cheq.cli.report import CommandError, leaving, warn


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to write the picture of before and after; the file must not exist. "
            "By default cheq-demo.png in this folder, which is replaced.",
        ),
    ] = None,
) -> None:
    """Equalize 1800 real pictures in one call, check every byte against OpenCV, and compare the times.

    For example: cheq demo -o sheet.png

    The pictures come with scikit-image; nothing is downloaded. The exit status is 1 if a single byte differs.
    """
    with leaving():
        try:
            from cheq.cli.demo import run_demo
        except ImportError as error:
            raise CommandError(without(error, "the demo", "demo")) from None
        busy = busy_elsewhere()
        run_demo(Console(), output)
        if told := distrust(busy()):
            warn(Console(stderr=True), told)
