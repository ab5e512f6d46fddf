"""cheq equalize: files and folders."""

from typing import Annotated

import typer

from cheq.cli.files import UsageError, make_plan
from cheq.cli.report import INTERRUPTED, Report
from cheq.cli.run import EXTENSIONS, run

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
            raise typer.Exit(INTERRUPTED) from None
    report.summary(output)
    if report.failed or not report.done:
        raise typer.Exit(1)
