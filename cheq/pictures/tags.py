"""What travels with the pixels of a TIFF: its tags, of which some have another form in other formats."""

import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import tifffile
from PIL import Image, TiffImagePlugin

from cheq.pictures.picture import ORIENTATION, About, whole_exif

# Tags of the TIFF 6.0 specification (section 8) that EXIF has too, by their TIFF data types: 2 text, 3 a number of
# 16 bits. Compression, resolution, XMP and color profile have places of their own.
_IN_EXIF = {270: 2, 271: 2, 272: 2, ORIENTATION: 3, 305: 2, 306: 2, 315: 2, 33432: 2}
# Directories that EXIF and TIFF point to, and the names without which tifffile does not write their tags.
_DIRECTORIES = {0x8769: "ExifTag", 0x8825: "GPSTag"}
_INTEROPERABILITY = 0xA005  # EXIF's pointer to a directory that no reader needs
DESCRIPTION, _PROFILE, _XMP, _X, _Y, _UNIT, _NODATA = 270, 34675, 700, 282, 283, 296, 42113
_IMAGEJ = 50839  # and the lengths of its parts before it
# How the pixels are stored, which is told anew: sizes, strips, tiles, compression, colors and their tables.
_STRUCTURE = {
    *(*range(254, 260), 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 290, 291, 292, 293, 301, 317, 320),
    *(*range(321, 326), 330, 332, 334, 338, 339, 340, 341, 347, 512, 513, 514, 529, 530, 531, 532, 32997),
    *(_X, _Y, _UNIT, _PROFILE, _XMP, _NODATA, _IMAGEJ - 1, *_IN_EXIF, *_DIRECTORIES, *range(65420, 65460)),
}


def read(page: Any, path: Path) -> About:
    """Return what is known about a page beside its pixels; what is damaged is left out, with a warning."""
    try:
        exif = whole_exif(_exif_of(page, path))
    except Exception:  # damaged tags raise nearly anything
        warnings.warn("its EXIF is damaged and left out", UserWarning, stacklevel=2)
        exif = b""
    return About(
        exif=exif,
        icc_profile=_bytes_of(page, _PROFILE),
        xmp=_bytes_of(page, _XMP),
        resolution=_resolution(page),
        compression=page.compression.name,
        predictor=page.predictor > 1,
        tile=(page.tilelength, page.tilewidth) if page.is_tiled else None,
        subfile=page.subfiletype,
        nodata=_nodata(page),
        tags=tuple(_others(page)),
    )


def _nodata(page: Any) -> str:
    text = str(page.tags[_NODATA].value).strip(" \0") if _NODATA in page.tags else ""
    try:
        float(text or 0)
    except ValueError:
        warnings.warn(f"its GDAL_NODATA is no number and left out: {text[:40]!r}", UserWarning, stacklevel=2)
        return ""
    return text


def without_count(about: About) -> About:
    """Leave out how many pages there are, for a description that says what is not so."""

    def change(text: str) -> str:
        return (
            re.sub(r"^(images|channels|slices|frames|hyperstack)=.*\n?", "", text, flags=re.M)
            if text.startswith("ImageJ=")
            else ""
        )

    return described(about, change)


def described(about: About, change: Callable[[str], str]) -> About:
    """Change the description; one that becomes empty is left out."""
    if not about.exif:
        return about
    block = Image.Exif()
    block.load(about.exif)
    text = _text(block.get(DESCRIPTION, b""))
    changed = change(text.decode("latin-1")).encode("latin-1")
    if changed == text:
        return about
    if changed:
        block[DESCRIPTION] = changed
    else:
        del block[DESCRIPTION]
    return replace(about, exif=block.tobytes() if len(block) else b"")


def _bytes_of(page: Any, code: int) -> bytes:
    value = page.tags[code].value if code in page.tags else b""
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else b""


def _resolution(page: Any) -> tuple[float, float, int] | None:
    values = [page.tags[tag].value for tag in (_X, _Y) if tag in page.tags]
    try:
        (x, y) = (numerator / denominator for numerator, denominator in values)
        unit = int(page.tags[_UNIT].value) if _UNIT in page.tags else 2
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y, unit) if x and y and unit in (1, 2, 3) else None


def _exif_of(page: Any, path: Path) -> bytes:
    """Return tags and directories that EXIF has too, as one block of EXIF."""
    kept = Image.Exif()
    for code, kind in _IN_EXIF.items():
        if code in page.tags:
            value = page.tags[code].value
            # Text of today is UTF-8, of which Pillow would keep what is ASCII.
            kept[code] = value.encode() if kind == 2 else int(value)
    found = [code for code in _DIRECTORIES if code in page.tags]
    if found:
        source = Image.Exif()
        source.endian, source.bigtiff = page.parent.byteorder, page.parent.is_bigtiff
        with open(path, "rb") as file:
            source.load_from_fp(file, page.offset)
            for code in found:
                kept.get_ifd(code).update(source.get_ifd(code))
    return kept.tobytes() if found or len(kept) else b""


def _others(page: Any) -> Iterator[tuple[int, int, int, Any]]:
    """Yield the tags that no other place has, such as where on earth the pixels are: code, type, count, value."""
    for tag in page.tags:
        if tag.code in _STRUCTURE:
            continue
        value = tag.value
        if tag.code == _IMAGEJ and isinstance(value, dict):
            yield from _of_imagej(value)
            continue
        numbers = isinstance(value, tuple) and all(isinstance(each, int | float) for each in value)
        if isinstance(value, str):
            value = value.encode()
        elif not (isinstance(value, int | float | bytes) or numbers):
            if page.parent.byteorder != "<":
                warnings.warn(f"its tag {tag.code} ({tag.name}) is not kept", UserWarning, stacklevel=2)
                continue
            page.parent.filehandle.seek(tag.valueoffset)
            value = page.parent.filehandle.read(tag.valuebytecount)
        yield tag.code, int(tag.dtype), tag.count, value


def _of_imagej(said: dict[str, Any]) -> Iterator[tuple[int, int, int, Any]]:
    """Yield ImageJ's own metadata, without the ranges of levels that it shows, in the byte order that is written."""
    kept = {name: value for name, value in said.items() if name != "Ranges"}
    # tifffile reads a single label as a text.
    kept.update({name: [kept[name]] for name in ("Labels",) if isinstance(kept.get(name), str)})
    yield from (tag[:4] for tag in tifffile.imagej_metadata_tag(kept, "<"))


# ---------------------------------------------------------------- writing


def to_write(about: About, file: BinaryIO, form: Any) -> list[Any]:
    """Return a page's tags as tifffile takes them; the directories that they point to are appended to the file."""
    exif = Image.Exif()
    if about.exif:
        exif.load(about.exif)
    extra: list[Any] = [(code, kind, 1, _text(exif[code]), True) for code, kind in _IN_EXIF.items() if code in exif]
    for code, name in _DIRECTORIES.items():
        directory = exif.get_ifd(code)
        directory.pop(_INTEROPERABILITY, None)
        if directory:
            place = _write_directory(directory, file, form)
            extra.append((name, 16 if form.is_bigtiff else 4, 1, place, True))
    if about.xmp:
        extra.append((_XMP, 1, len(about.xmp), about.xmp, True))
    if about.nodata:
        extra.append((_NODATA, 2, 0, about.nodata.encode(), True))
    return [*extra, *((*tag, True) for tag in about.tags)]


def _text(value: Any) -> Any:
    """Pillow takes each byte of a text for a character."""
    return value.encode("latin-1") if isinstance(value, str) else value


def _write_directory(directory: dict[int, Any], file: BinaryIO, form: Any) -> int:
    """Append a directory, which tifffile does not write, before the page that points to it; return its place."""
    order: Literal["little", "big"] = "little" if form.byteorder == "<" else "big"
    head = (b"II" if order == "little" else b"MM") + form.version.to_bytes(2, order)
    written = TiffImagePlugin.ImageFileDirectory_v2(head + bytes(12 if form.is_bigtiff else 4))
    for code, value in directory.items():
        written[code] = value
    end = file.seek(0, os.SEEK_END)
    place = end + end % 2  # directories begin at even places
    file.seek(place)
    file.write(written.tobytes(place))
    return place
