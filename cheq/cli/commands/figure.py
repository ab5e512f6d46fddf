"""cheq figure: before and after."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cheq.cli import options
from cheq.cli.figure import check_target, draw
from cheq.cli.report import leaving, say, warn
from cheq.cli.settings import ClaheSettings, Color, Method, Settings


def figure(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A gray or RGB picture.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A .png, .pdf or .svg file.")],
    method: Annotated[Method, typer.Option("--method", help="Whose definition of equalization is used.")] = "opencv",
    color: Annotated[
        Color,
        typer.Option("--color", help="What is equalized and drawn as curves: each channel, the lightness, or gray."),
    ] = "channels",
    clahe: Annotated[
        bool, typer.Option("--clahe", help="Also draw it after CLAHE, which equalizes tile by tile (see cheq clahe).")
    ] = False,
    clip_limit: options.ClipLimit = None,
    tiles: options.Tiles = None,
    kernel_size: options.KernelSize = None,
    dpi: Annotated[int, typer.Option("--dpi", min=20, max=1200, metavar="N", help="Pixels per inch of a .png.")] = 150,
    overwrite: options.Overwrite = False,
) -> None:
    """Draw a picture before and after equalization, with histogram and CDF under each.

    For example: cheq figure photo.jpg -o figure.png --color ycrcb

    With CLAHE as a third: cheq figure photo.jpg -o figure.png --clahe --clip-limit 2

    No display is needed. The exit status is 0 if the figure was written, 1 if not, 2 for wrong options.
    """
    with leaving():
        settings = Settings(method=method, color=color, overwrite=overwrite)
        local = None
        if clahe or clip_limit is not None or tiles or kernel_size:
            given = {"clip_limit": clip_limit, "tiles": tiles, "kernel_size": kernel_size}
            local = ClaheSettings(method=method, color=color, **given)
        check_target(output, overwrite)
        for message in draw(source, output, settings, local, dpi):
            warn(Console(stderr=True), message, source)
        say(Console(), f"before and after in {output}")
