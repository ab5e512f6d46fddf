"""cheq figure: before and after."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cheq.cli import options
from cheq.cli.figure import check_target, draw
from cheq.cli.report import fail, leaving, say, warn
from cheq.cli.settings import ClaheSettings, Color, Method, Settings
from cheq.cli.streams import STREAM, as_files


def figure(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Gray or RGB pictures, and folders of them. - is standard input."),
    ],
    output: Annotated[
        str,
        options.FILES(
            "--output", "-o", metavar="OUTPUT", help="A .png, .pdf or .svg file; - is standard output, and a .png."
        ),
    ],
    method: Annotated[Method, options.METHOD("--method", help="Whose definition of equalization is used.")] = "opencv",
    color: Annotated[
        Color,
        options.METHOD("--color", help="What is equalized and drawn as curves: each channel, the lightness, or gray."),
    ] = "channels",
    clahe: Annotated[
        bool, options.METHOD("--clahe", help="Also draw it after CLAHE, which equalizes tile by tile (see cheq clahe).")
    ] = False,
    clip_limit: options.ClipLimit = None,
    tiles: options.Tiles = None,
    kernel_size: options.KernelSize = None,
    most: Annotated[
        int,
        typer.Option("--most", min=1, metavar="N", help="How many of more pictures are drawn, at equal distances."),
    ] = 8,
    dpi: Annotated[int, typer.Option("--dpi", min=20, max=1200, metavar="N", help="Pixels per inch of a .png.")] = 150,
    overwrite: options.Overwrite = False,
) -> None:
    """Draw pictures before and after equalization, with histogram and CDF under each.

    Examples
    --------
    - `cheq figure photo.jpg -o figure.png --color ycrcb`: one picture
    - `cheq figure photo.jpg -o figure.png --clahe --clip-limit 2`: with CLAHE as a third
    - `cheq figure photos/ -o sheet.pdf --most 20`: a sheet of a folder's pictures; of a file of several pages, too

    No display is needed.

    Exit status: 0 if all went well, 1 if a file failed or there was none, 2 for wrong options. A file that fails is
    named on stderr and the others are drawn.
    """
    with leaving(), as_files(inputs, output, ".png") as files:
        settings = Settings(method=method, color=color, overwrite=overwrite)
        local = None
        if clahe or clip_limit is not None or tiles or kernel_size:
            given = {"clip_limit": clip_limit, "tiles": tiles, "kernel_size": kernel_size}
            local = ClaheSettings(method=method, color=color, **given)
        target = Path(files.output or output)
        check_target(target, overwrite)
        told = draw(files.inputs, target, settings, local, dpi=dpi, most=most, names=files.names)
        errors = Console(stderr=True)
        for path, message in told.warnings:
            warn(errors, message, files.names.get(path, path))
        for path, message in told.failures:
            fail(errors, message, files.names.get(path, path))
        if not told.found:
            fail(errors, "no picture was found")
        elif told.drawn and output != STREAM:
            what = "" if told.found == 1 else f"{told.drawn:,} of {told.found:,} pictures, "
            say(Console(), f"{what}before and after in {output}")
    if told.failures or not told.drawn:
        raise typer.Exit(1)
