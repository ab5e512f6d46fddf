"""`cheq figure`: a picture before and after, drawn into a file."""

from pathlib import Path

import numpy as np

import cheq
from cheq.cli import pictures
from cheq.cli.files import check_free, whole_file
from cheq.cli.settings import Color, Method

FORMATS = (".png", ".pdf", ".svg")


class FigureError(Exception):
    """The figure cannot be made; the message is one line for the user."""


def check_target(target: Path, overwrite: bool) -> None:
    """Find out before the work that a figure cannot be written under this name."""
    if target.suffix.lower() not in FORMATS:
        raise FigureError(f"{target}: the figure's name must end in one of {' '.join(FORMATS)}")
    try:
        check_free(target, overwrite)
    except OSError as error:
        raise FigureError(str(error)) from None


def draw(source: Path, target: Path, method: Method, color: Color, dpi: int, overwrite: bool) -> None:
    """Draw a picture file; alpha is left out, and of several pages all but the first.

    Raises
    ------
    ImportError
        Without matplotlib.
    Exception
        Whatever is wrong with the file.
    """
    picture = pictures.upright(pictures.read(source))
    pixels = picture.pixels
    if picture.colors == 1:
        pixels, axis, color = (pixels if pixels.ndim == 2 else pixels[..., 0]), None, Color.CHANNELS
    elif picture.rgb and picture.colors == 3:
        pixels, axis = np.ascontiguousarray(pixels[..., :3]), -1
    else:
        raise ValueError(f"expected a gray or RGB picture, got {picture.kind}")
    figure = cheq.plot(pixels, method=method.value, color=color.value, channel_axis=axis, title=source.name)
    with whole_file(target, overwrite) as file:
        figure.savefig(file, format=target.suffix[1:].lower(), dpi=dpi)
