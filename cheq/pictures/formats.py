"""Pictures: from files to pixels that can be equalized, and back without losing anything unsaid.

Each format is read and written by a library that keeps its pixels: imagecodecs for PNG, JPEG 2000 and AVIF, tifffile
for TIFF, Pillow for most others; what travels with them is copied as it stands. What would come out as less than its
owner has is refused here, or named in a warning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from cheq.pictures import animations, apng, arrays, avif, jp2, kept, png, pnm, simple, tiff
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
    "extension_of",
    "pages",
    "read",
    "stands_for_none",
    "upright",
    "wholes",
    "write",
]

FORMATS = {
    **simple.FORMATS,
    ".png": png.FORMAT,
    **dict.fromkeys((".tif", ".tiff"), tiff.FORMAT),
    **dict.fromkeys((".ppm", ".pnm"), pnm.PPM),
    ".pgm": pnm.PGM,
    ".jp2": jp2.JP2,
    ".j2k": jp2.J2K,
    ".avif": avif.FORMAT,
}
_PNM = (pnm.PPM, pnm.PGM)


def wholes(path: Path) -> list[int]:
    """Return the numbers of the pages that are pictures of their own, and no smaller copies or masks of others."""
    return tiff.wholes(path) if _start(path)[:4] in tiff.STARTS else [0]


def extension_of(path: Path) -> str:
    """Return the extension of a file's format, by its content; ValueError if it is none that is known."""
    start = _start(path)
    known = {
        png.START: ".png",
        arrays.START: ".npy",
        arrays.START_OF_ARCHIVE: ".npz",
        **dict.fromkeys(tiff.STARTS, ".tif"),
    }
    if pnm.starts(start):
        return ".ppm"
    if jp2.starts(start):
        return ".jp2" if start == jp2.START else ".j2k"
    if start[4:] == b"ftyp" and avif.starts(path.read_bytes()):
        return ".avif"
    found = next((extension for begin, extension in known.items() if start.startswith(begin)), None)
    return found or simple.extension_of(path)


def pages(path: Path, first: int = 0, all_frames: bool = False) -> Iterator[Picture]:
    """Yield the pictures of a file, one after the other: the pages of a TIFF, frames, or one of everything else.

    Parameters
    ----------
    path : Path
        A file in any format of `FORMATS`; its content decides, not its extension.
    first : int
        The number of the first one that is wanted.
    all_frames : bool
        Whether all frames of an animation, and all pictures of a PNM file, are; or the first.

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
    if start[:4] in tiff.STARTS:
        return tiff.pages(path, first)
    if start == png.START:
        found = _pages_of_png(path.read_bytes(), all_frames)
    elif pnm.starts(start):
        found = _pages_of_pnm(path.read_bytes(), all_frames)
    elif jp2.starts(start):
        found = (jp2.read(path.read_bytes()) for _ in range(1))
    elif start[4:] == b"ftyp" and avif.starts(data := path.read_bytes()):
        found = (avif.read(data) for _ in range(1))
    else:
        found = simple.pages(path, all_frames)
    return islice(found, first, None)


def _pages_of_png(data: bytes, all_frames: bool) -> Iterator[Picture]:
    chunks = png.chunks_of(data)
    number = apng.count(chunks)
    if all_frames and number > 1:
        yield from apng.pages(data, chunks)
    else:
        animations.warn_of_others(number, "frames")
        yield png.read(data, chunks)


def _pages_of_pnm(data: bytes, all_frames: bool) -> Iterator[Picture]:
    if not all_frames:
        animations.warn_of_others(pnm.count(data), "pictures")
    yield from islice(pnm.pages(data), None if all_frames else 1)


def _start(path: Path) -> bytes:
    """Return a file's first bytes, which tell what is in it."""
    with open(path, "rb") as file:
        start = file.read(8)
    if not start:
        raise ValueError("the file is empty")
    return start


def read(path: Path, number: int = 0) -> Picture:
    """Return a picture of a file, the first one unless another is named; see `pages`."""
    return next(pages(path, number))


def check(picture: Picture, extension: str) -> None:
    """Raise ValueError when the format of an extension cannot hold a picture."""
    holds = FORMATS[extension.lower()].holds
    if holds is not None and picture.kind not in holds:
        held = _listed(sorted(holds, key=lambda kind: (len(kind.partition("-")[0]), kind)))
        takers = [other for other in (".png", ".tif") if picture.kind in (FORMATS[other].holds or {picture.kind})]
        raise ValueError(f"a {extension} file cannot hold {picture.kind} (it holds {held}); {' and '.join(takers)} can")


def check_count(count: int, extension: str, picture: Picture) -> None:
    """Raise ValueError when the format of an extension cannot hold so many pictures, or frames; this is one of them."""
    chosen, animated = FORMATS[extension.lower()], picture.about.frame is not None
    if count < 2 or chosen in (tiff.FORMAT, *_PNM) or (animated and "frame" in chosen.keeps):
        return
    others = [
        each
        for each, form in sorted(FORMATS.items())
        if animated
        and "frame" in form.keeps
        and (form.holds is None or picture.kind in form.holds)
        and (each != ".gif" or picture.kind.endswith("gray"))  # of 256 colors, which others may pass
    ]
    raise ValueError(
        f"a {extension} file holds one picture, and the source has more; {_listed([*others, '.tif'])} "
        f"{'hold' if animated else 'holds'} them all"
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def write(pictures: Iterable[Picture], file: BinaryIO, extension: str, quality: Quality = JPEG_QUALITY) -> None:
    """Write pictures, with what travels with them as far as the format has a place for it.

    Parameters
    ----------
    pictures : iterable of Picture
        Several are the pages of a TIFF, pictures of a PNM file, or frames of an animation.
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

    Warns
    -----
    UserWarning
        If it has no place for something that travels with them.
    """
    chosen, fitting = FORMATS[extension.lower()], _fitting(pictures, extension)
    if chosen is tiff.FORMAT:
        tiff.write(fitting, file)
    elif chosen in _PNM:
        pnm.write(fitting, file)
    elif chosen is png.FORMAT:
        first = next(fitting)
        second = next(fitting, None)
        if second is None:
            png.write(first, file)
        else:
            apng.write(chain([first, second], fitting), file)
    elif chosen in (jp2.JP2, jp2.J2K):
        jp2.write(_only(fitting), file, chosen is jp2.JP2)
    elif chosen is avif.FORMAT:
        avif.write(_only(fitting), file)
    else:
        simple.write(fitting, file, chosen, quality)


def _only(pictures: Iterator[Picture]) -> Picture:
    """Return the picture of a format that holds one: a second is refused when it comes."""
    (picture,) = pictures
    return picture


def _fitting(pictures: Iterable[Picture], extension: str) -> Iterator[Picture]:
    """Yield pictures as a format holds them; say what it does not."""
    chosen = FORMATS[extension.lower()]
    for number, picture in enumerate(pictures):
        check(picture, extension)
        check_count(number + 1, extension, picture)
        warn_of_lost(picture, extension)
        if "exif" not in chosen.keeps:
            picture = upright(picture)
        if "extended_xmp" not in chosen.keeps:
            picture = replace(picture, about=without_extension(picture.about))
        yield picture


def warn_of_lost(picture: Picture, extension: str) -> None:
    """Warn of what a picture has and the format of an extension has no place for."""
    kept.warn_of_lost(picture.about, picture.colors, FORMATS[extension.lower()], extension)
