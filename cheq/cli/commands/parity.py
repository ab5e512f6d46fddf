"""cheq parity: proof on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cheq.cli.parity import run_again, run_check
from cheq.cli.report import fail, leaving
from cheq.parity.references import NAMES

_Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="Your own pictures and .npy files, or folders of them, to compare as well."),
]
_Quick = Annotated[bool, typer.Option("--quick", help="A part of the suite: seconds instead of a minute or two.")]
_Require = Annotated[
    list[str],
    typer.Option(
        metavar="NAME",
        help=f"A library without which the check fails, of {', '.join(NAMES)}; may be given several times. none: any "
        "that is installed will do.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
_Save = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the first mismatches are saved, a small .npz each.")]
_Rerun = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Compare again what a saved mismatch holds, and nothing else."),
]
_ChannelAxis = Annotated[
    int | None,
    typer.Option(metavar="AXIS", help="The axis of R, G, B in .npy arrays, such as -1. Pictures do not need it."),
]


def parity(
    paths: _Paths = None,
    quick: _Quick = False,
    require: _Require = ["cv2"],  # noqa: B006
    as_json: _Json = False,
    save: _Save = Path(),
    rerun: _Rerun = None,
    channel_axis: _ChannelAxis = None,
) -> None:
    """Compare cheq, bit for bit, with the libraries that are installed beside it.

    Every method, with every kernel of this CPU, on one thread and on several, is compared with cv2, Pillow,
    scikit-image, NumPy, albumentations, torchvision and kornia, where they are installed, as cv2 must be unless
    --require says otherwise: on a fixed suite of awkward
    images and on your own. What was not compared is listed.

    Example: cheq parity --quick photos/ scans.npy

    The exit status is 0 if everything is equal; 1 if anything differs, or if nothing, or not everything that you named,
    or required, could be compared; 2 for wrong arguments; 130 after Ctrl-C.
    """
    console, errors = Console(), Console(stderr=True)
    if rerun is not None and (paths or quick):
        raise typer.BadParameter("--rerun takes neither PATH nor --quick: it compares what the file holds")
    required = [] if require == ["none"] else require
    for name in required:
        if name not in NAMES:
            raise typer.BadParameter(f"--require takes {', '.join(NAMES)} or, alone, none, not '{name}'")
    with leaving(lambda: fail(errors, "the comparison is not complete", label="interrupted")):
        if rerun is not None:
            equal = run_again(console, errors, rerun, as_json=as_json)
        else:
            equal = run_check(
                console,
                errors,
                paths or [],
                quick=quick,
                as_json=as_json,
                channel_axis=channel_axis,
                require=required,
                save=save,
            )
    if not equal:
        raise typer.Exit(1)
