"""Pictures: from files to pixels that can be equalized, and back without losing anything unsaid.

Each format is read and written by a library that keeps what it holds: imagecodecs for PNG, tifffile for TIFF, Pillow
for the others. What would come out as less than its owner has is refused here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from cheq.pictures import kept, png, simple, tiff
from cheq.pictures.changes import changed
from cheq.pictures.jpeg import QUALITY as JPEG_QUALITY
from cheq.pictures.jpeg import Quality
from cheq.pictures.picture import About, Picture, as_stored, stands_for_none, upright
from cheq.pictures.segments import without_extension

__all__ = [
    "FORMATS",
    "JPEG_QUALITY",
    "About",
    "Picture",
    "Quality",
    "as_stored",
    "changed",
    "check",
    "check_count",
    "count",
    "pages",
    "read",
    "stands_for_none",
    "upright",
    "write",
]

FORMATS = {**simple.FORMATS, ".png": png.FORMAT, ".tif": tiff.FORMAT, ".tiff": tiff.FORMAT}


def count(path: Path) -> int:
    """Return how many pictures `pages` would yield, if all are well."""
    return tiff.count(path) if _start(path)[:4] in tiff.STARTS else 1


def pages(path: Path, first: int = 0) -> Iterator[Picture]:
    """Yield the pictures of a file, one after the other: the pages of a TIFF, and one of everything else.

    Parameters
    ----------
    path : Path
        A file in any format of `FORMATS`; its content decides, not its extension.
    first : int
        The number of the first page that is wanted.

    Raises
    ------
    ValueError
        For a picture that cannot be equalized without losing part of it.
    OSError, SyntaxError, ...
        Whatever the libraries raise on files that are no pictures, or damaged ones.

    Warns
    -----
    UserWarning
        If there are more frames than the one that is read.
    """
    start = _start(path)
    if start == png.START:
        yield png.read(path)
    elif start[:4] in tiff.STARTS:
        yield from tiff.pages(path, first)
    else:
        yield simple.read(path)


def _start(path: Path) -> bytes:
    """Return a file's first bytes, which tell what is in it."""
    with open(path, "rb") as file:
        start = file.read(8)
    if not start:
        raise ValueError("the file is empty")
    return start


def read(path: Path) -> Picture:
    """Return the first picture of a file; see `pages`."""
    return next(pages(path))


def check(picture: Picture, extension: str) -> None:
    """Raise ValueError when the format of an extension cannot hold a picture."""
    holds = FORMATS[extension.lower()].holds
    if holds is not None and picture.kind not in holds:
        held = " and ".join(sorted(holds))
        takers = [other for other in (".png", ".tif") if picture.kind in (FORMATS[other].holds or {picture.kind})]
        raise ValueError(f"a {extension} file cannot hold {picture.kind} (it holds {held}); {' and '.join(takers)} can")


def check_count(count: int, extension: str) -> None:
    """Raise ValueError when the format of an extension cannot hold so many pictures."""
    if count > 1 and FORMATS[extension.lower()] is not tiff.FORMAT:
        raise ValueError(f"a {extension} file holds one picture, and the source {count}; .tif holds them all")


def write(pictures: Iterable[Picture], file: BinaryIO, extension: str, quality: Quality = JPEG_QUALITY) -> None:
    """Write pictures, with their EXIF, color profile and resolution as far as the format has a place for them.

    Parameters
    ----------
    pictures : iterable of Picture
        Several are the pages of a TIFF.
    file : binary file
        Open for reading and writing.
    extension : str
        Of the format.
    quality : int or "keep"
        Of a JPEG, 1 to 100, or that of its source if this was one.

    Raises
    ------
    ValueError
        If the format cannot hold a picture, or more than one.
    """
    chosen = FORMATS[extension.lower()]
    if chosen is tiff.FORMAT:
        tiff.write(_checked(pictures, extension), file)
        return
    first, *others = pictures
    check_count(1 + len(others), extension)
    check(first, extension)
    kept.warn_of_lost(first.about, first.colors, chosen, extension)
    if "exif" not in chosen.keeps:
        first = upright(first)
    if "extended_xmp" not in chosen.keeps:
        first = replace(first, about=without_extension(first.about))
    if chosen is png.FORMAT:
        png.write(first, file)
    else:
        simple.write(first, file, chosen, quality)


def _checked(pictures: Iterable[Picture], extension: str) -> Iterator[Picture]:
    for picture in pictures:
        check(picture, extension)
        kept.warn_of_lost(picture.about, picture.colors, tiff.FORMAT, extension)
        yield replace(picture, about=without_extension(picture.about))
