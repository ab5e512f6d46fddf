"""cheq figure: before and after."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cheq.cli.figure import FigureError, check_target, draw
from cheq.cli.report import INTERRUPTED, one_line, say
from cheq.cli.settings import Color, Method
from cheq.pictures.files import describe


def figure(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A gray or RGB picture.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A .png, .pdf or .svg file.")],
    method: Annotated[
        Method, typer.Option("--method", help="Whose definition of equalization is used.")
    ] = Method.OPENCV,
    color: Annotated[
        Color,
        typer.Option("--color", help="What is equalized, and drawn as curves: each channel, the luminance, or gray."),
    ] = Color.CHANNELS,
    dpi: Annotated[int, typer.Option("--dpi", min=20, max=1200, metavar="N", help="Pixels an inch of a .png.")] = 150,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Draw a picture before and after equalization, with histogram and CDF under each.

    For example: cheq figure photo.jpg -o figure.png --color ycrcb

    No display is needed. The exit status is 0 if the figure was written, 1 if not, 2 for wrong options.
    """
    errors = Console(stderr=True)
    try:
        check_target(output, overwrite)
        messages = draw(source, output, method, color, dpi, overwrite)
    except (ImportError, FigureError) as error:
        say(errors, str(error), "error", "bold red")
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # damaged files make libraries raise nearly anything
        say(errors, f"{source}: {one_line(describe(error, source))}", "error", "bold red")
    else:
        for message in messages:
            say(errors, f"{source}: {one_line(message)}", "warning", "yellow")
        say(Console(), f"before and after in {output}")
        return
    raise typer.Exit(1)
