"""`cheq figure`: pictures before and after, drawn into a file: one, or some of many on a sheet."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import cheq
from cheq.cli.pixels import Choice, Equalizer
from cheq.cli.plan import files_of
from cheq.cli.report import CommandError, one_line, printable
from cheq.cli.settings import ClaheSettings, Settings, UsageError, in_options
from cheq.pictures import Pixels, formats
from cheq.pictures.files import check_free, describe, whole_file
from cheq.pictures.reading import MOST_PIXELS, collected_warnings, pixel_limit

FORMATS = (".png", ".pdf", ".svg")
_LONGEST, _LONGEST_ON_SHEET = 80, 30  # characters of a name: more would run out of the figure, or into the next one
_GLYPH = re.compile(r"Glyph (\d+) .*missing from font\(s\) (.*?)\.?$")  # matplotlib's warning


@dataclass
class Told:
    """What there is to say of a figure.

    Attributes
    ----------
    drawn, found : int
        How many pictures are in it, and how many there were.
    warnings, failures : list of (Path, str)
        Of files: what there is to know of them, and why some are not in it.
    """

    drawn: int = 0
    found: int = 0
    warnings: list[tuple[Path, str]] = field(default_factory=list)
    failures: list[tuple[Path, str]] = field(default_factory=list)


class _Shown(NamedTuple):
    """A picture that is drawn: where it is, its pixels, and after CLAHE if that is drawn."""

    path: Path
    page: int
    pixels: Pixels
    local: Pixels | None


def check_target(target: Path, overwrite: bool) -> None:
    """Find out before the work that a figure cannot be written under this name."""
    if target.suffix.lower() not in FORMATS:
        raise UsageError(f"{target}: the figure's name must end in one of {' '.join(FORMATS)}")
    try:
        check_free(target, overwrite)
    except OSError as error:
        raise CommandError(f"{error} (replace it with --overwrite)") from None


def draw(
    inputs: Sequence[str],
    target: Path,
    settings: Settings,
    clahe: ClaheSettings | None,
    *,
    dpi: int,
    most: int,
    names: dict[Path, str],
) -> Told:
    """Draw pictures, and after CLAHE if asked to; alpha is left out.

    Parameters
    ----------
    inputs : sequence of str
        Files and folders. The pages of a file, and the files below a folder, are drawn on a sheet.
    most : int
        How many of more pictures are drawn, from the first to the last at equal distances.
    names : dict of Path to str
        What files are called that stand for something else.

    Raises
    ------
    CommandError
        Without matplotlib, and if the figure cannot be written. Without a picture it is not.
    """
    told = Told()
    try:
        with pixel_limit(MOST_PIXELS), collected_warnings() as collected:
            places = [place for path in _files(inputs) for place in _pages(path, told)]
            told.found = len(places) + len(told.failures)
            chosen = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))
            wanted = (places[number] for number in chosen)
            shown = [one for each in wanted if (one := _read(each, settings, clahe, told, collected))]
            told.drawn = len(shown)
            if not shown:
                return told
            figure = _figure(shown, settings, told, names)
            with whole_file(target, settings.overwrite) as file:
                figure.savefig(file, format=target.suffix[1:].lower(), dpi=dpi)
    except (ImportError, OSError) as error:  # those of files have been told
        problem = str(error) if isinstance(error, ImportError) else f"{target}: {one_line(describe(error, target))}"
        raise CommandError(problem) from None
    if message := _lacking([message for said in collected.values() for message in said]):
        told.warnings.append((shown[0].path, message))
    return told


def _files(inputs: Sequence[str]) -> Iterator[Path]:
    for name in inputs:
        if os.path.isdir(name):
            yield from files_of([name], formats.FORMATS)
        else:
            yield Path(name)


def _pages(path: Path, told: Told) -> list[tuple[Path, int]]:
    """Return where the pictures of a file are; none, with a failure, if something is wrong with it."""
    try:
        if path.suffix.lower() in {".npy", ".npz"}:
            raise ValueError("this is an array; cheq figure takes picture files, and cheq.plot takes arrays in Python")
        return [(path, number) for number in formats.wholes(path)]
    except Exception as error:  # damaged files make libraries raise nearly anything
        told.failures.append((path, describe(error, path)))
        return []


def _read(
    place: tuple[Path, int],
    settings: Settings,
    clahe: ClaheSettings | None,
    told: Told,
    collected: dict[int, list[str]],
) -> _Shown | None:
    """Read a picture; None, with a failure, if something is wrong with it."""
    path, page = place
    try:
        picture = formats.upright(formats.read(path, page))
        if picture.colors != 1 and not (picture.rgb and picture.colors == 3):
            raise ValueError(f"expected a gray or RGB picture, got {picture.kind}")
        settings.check_dtype(picture.pixels.dtype, picture.kind)
        pixels, axis = np.ascontiguousarray(picture.opaque), picture.channel_axis
        Equalizer(settings).equalize(pixels, axis, Choice(), None)  # so that one that cannot be spoils no sheet
        local = None if clahe is None else Equalizer(clahe).equalize(pixels, axis, Choice(), None)
        return _Shown(path, page, pixels, local)
    except Exception as error:  # damaged files make libraries raise nearly anything
        told.failures.append((path, in_options(describe(error, path))))
        return None
    finally:
        said = dict.fromkeys(message for messages in collected.values() for message in messages)
        told.warnings += [(path, message) for message in said if (path, message) not in told.warnings]
        collected.clear()


def _figure(shown: list[_Shown], settings: Settings, told: Told, names: dict[Path, str]) -> Any:
    first = shown[0]
    several = any(one.path != first.path for one in shown)
    title = "" if several else _short(names.get(first.path, first.path.name), _LONGEST)
    if told.found == 1:
        gray = first.pixels.ndim == 2
        return cheq.plot(
            first.pixels,
            method=settings.method,
            color="channels" if gray else settings.color,
            channel_axis=None if gray else -1,
            clahe=first.local,
            title=title,
        )
    note = f"{told.drawn:,} of {told.found:,} pictures" if told.drawn < told.found else ""
    return cheq.plot(
        [one.pixels for one in shown],
        method=settings.method,
        color=settings.color,
        channel_axis=-1,
        clahe=None if first.local is None else [one.local for one in shown if one.local is not None],
        title=": ".join(filter(None, (title, note))),
        names=[_label(one, several) for one in shown],
        most=len(shown),
    )


def _label(one: _Shown, several: bool) -> str:
    page = f"page {one.page + 1}"
    if not several:
        return page
    return _short(one.path.name, _LONGEST_ON_SHEET) + f", {page}" * (one.page > 0)


def _short(name: str, longest: int) -> str:
    name = printable(name)
    return name if len(name) <= longest else f"{name[: longest // 2]}…{name[-longest // 2 + 1 :]}"


def _lacking(messages: Sequence[str]) -> str:
    """Say which characters no font has, if matplotlib has said so of any."""
    found = [match for message in messages if (match := _GLYPH.match(message))]
    if not found:
        return ""
    characters = "".join(dict.fromkeys(chr(int(match[1])) for match in found))
    return f"no font here has {characters} (matplotlib's is {found[0][2]}); install one that has, to see them drawn"
