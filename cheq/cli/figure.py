"""`cheq figure`: a picture before and after, drawn into a file."""

from pathlib import Path

import numpy as np

import cheq
from cheq.cli.pixels import Choice, Equalizer
from cheq.cli.report import CommandError, one_line, printable
from cheq.cli.settings import ClaheSettings, Settings
from cheq.pictures import formats
from cheq.pictures.files import check_free, describe, whole_file
from cheq.pictures.reading import MOST_PIXELS, collected_warnings, pixel_limit

FORMATS = (".png", ".pdf", ".svg")
_LONGEST = 50  # characters of a title: more would run into the other one


def check_target(target: Path, overwrite: bool) -> None:
    """Find out before the work that a figure cannot be written under this name."""
    if target.suffix.lower() not in FORMATS:
        raise CommandError(f"{target}: the figure's name must end in one of {' '.join(FORMATS)}")
    try:
        check_free(target, overwrite)
    except OSError as error:
        raise CommandError(f"{error} (replace it with --overwrite)") from None


def draw(source: Path, target: Path, settings: Settings, clahe: ClaheSettings | None, dpi: int) -> list[str]:
    """Draw a picture file, and after CLAHE if asked to; alpha is left out, and of several pages all but the first.

    Returns
    -------
    list of str
        What there is to warn of.

    Raises
    ------
    CommandError
        Without matplotlib, and for whatever is wrong with the file.
    """
    try:
        with pixel_limit(MOST_PIXELS), collected_warnings() as collected:
            _draw(source, target, settings, clahe, dpi)
    except ImportError as error:
        raise CommandError(str(error)) from None
    except Exception as error:  # damaged files make libraries raise nearly anything
        raise CommandError(f"{source}: {one_line(describe(error, source))}") from None
    messages = [message for said in collected.values() for message in said]
    lacking = [message for message in messages if message.startswith("Glyph ")]
    others = [message for message in messages if message not in lacking]
    return [*dict.fromkeys(others), *["the figure's font lacks characters of the file's name"] * bool(lacking)]


def _draw(source: Path, target: Path, settings: Settings, clahe: ClaheSettings | None, dpi: int) -> None:
    if source.suffix.lower() in {".npy", ".npz"}:
        raise ValueError("this is an array; cheq figure takes picture files, and cheq.plot takes arrays in Python")
    picture = formats.upright(formats.read(source))
    if picture.colors != 1 and not (picture.rgb and picture.colors == 3):
        raise ValueError(f"expected a gray or RGB picture, got {picture.kind}")
    pixels, axis = np.ascontiguousarray(picture.opaque), picture.channel_axis
    figure = cheq.plot(
        pixels,
        method=settings.method,
        color="channels" if axis is None else settings.color,
        channel_axis=axis,
        clahe=None if clahe is None else Equalizer(clahe).equalize(pixels, axis, Choice(), None),
        title=_title(source),
    )
    with whole_file(target, settings.overwrite) as file:
        figure.savefig(file, format=target.suffix[1:].lower(), dpi=dpi)


def _title(source: Path) -> str:
    name = printable(source.name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 + 1 :]}"
