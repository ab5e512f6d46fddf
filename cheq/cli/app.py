"""The commands."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import cheq
from cheq.cli import without
from cheq.cli.files import UsageError, make_plan
from cheq.cli.report import Report, say
from cheq.cli.run import EXTENSIONS, run

app = typer.Typer(
    name="cheq",
    help="Exact, fast histogram equalization of images and of NumPy arrays of images.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_INTERRUPTED = 130  # 128 + SIGINT, as a shell has it


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cheq {cheq.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


_Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT", help="Files and folders; folders are taken with all below them.")
]
_Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        help="A file, or an existing folder or one written with a slash at its end, for one INPUT file; "
        "a folder for anything else.",
    ),
]
_ChannelAxis = Annotated[
    int | None,
    typer.Option(
        metavar="AXIS",
        help="The axis of R, G, B in .npy arrays, such as -1: each channel is equalized on its own. "
        "Pictures do not need it.",
    ),
]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


@app.command()
def equalize(
    inputs: _Inputs, output: _Output, channel_axis: _ChannelAxis = None, overwrite: _Overwrite = False
) -> None:
    """Equalize the histograms of image files and .npy arrays, exactly as OpenCV's equalizeHist does.

    Pictures are 8-bit gray or color (each of R, G and B is equalized on its own, alpha is kept): PNG, JPEG, TIFF,
    WebP, BMP, PPM and PGM. Arrays are uint8 or uint16, their last two axes height and width unless --channel-axis is
    one of them. Each result has its source's name and path below OUTPUT; other files in folders are passed over.

    A file that fails is named on stderr, the others go on, and the exit status is 1. No file is ever half written.
    """
    try:
        plan = make_plan(inputs, output, EXTENSIONS)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None
    with Report(plan) as report:
        try:
            run(plan, report, channel_axis=channel_axis, overwrite=overwrite)
        except KeyboardInterrupt:
            report.interrupted()
            raise typer.Exit(_INTERRUPTED) from None
    report.summary(output)
    if report.failed or not report.done:
        raise typer.Exit(1)


@app.command()
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
    try:
        run_demo(console, output)
    except DemoError as error:
        say(errors, str(error), "error", "bold red")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
