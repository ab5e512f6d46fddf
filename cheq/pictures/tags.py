"""What travels with the pixels of a TIFF: its tags, of which some have another form in other formats."""

import os
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from cheq.pictures import exif
from cheq.pictures.exif import Directory, Layout, Value
from cheq.pictures.picture import About

DESCRIPTION, RESOURCES, IPTC = 270, 34377, 33723
_IPTC_NUMBER = 1028  # of Photoshop's resource
_PROFILE, _XMP, _NODATA = 34675, 700, 42113
_IMAGEJ_SIZES, _IMAGEJ = 50838, 50839
_TEXT, _SHORT, _LONG = 2, 3, 4
_FRACTIONS = {5: "I", 10: "i"}  # types of two numbers
_OFFSETS = {13, 18}  # types of places in the file
# Tags of the TIFF 6.0 specification (section 8) that EXIF's first directory has too, and those that Windows adds:
# ratings, and texts for people. Compression, resolution, XMP and color profile have places of their own.
_IN_EXIF = {269, DESCRIPTION, 271, 272, 274, 285, 305, 306, 315, 316, 18246, 18249, *range(40091, 40096), 33432}
# How the pixels are stored, which is told anew: sizes, strips, tiles, compression, colors and their tables.
_STRUCTURE = {
    *(*range(254, 260), 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292, 293, 301, 317),
    *(*range(320, 326), 330, 332, 334, 338, 339, 340, 341, 347, 512, 513, 514, 529, 530, 531, 532, 32997, 32998),
    *(exif.X, exif.Y, exif.UNIT, _PROFILE, _XMP, _NODATA, *range(65420, 65460)),
}


def read(page: Any, path: Path) -> About:
    """Return what is known about a page beside its pixels; what is damaged is left out, with a warning."""
    file = page.parent
    layout = Layout(file.byteorder, file.is_bigtiff)
    with open(path, "rb") as opened:

        def content(place: int, size: int) -> bytes:
            opened.seek(place)
            return opened.read(min(size, file.filehandle.size))  # room for what is claimed is not taken

        directory = exif.read(content, page.offset, layout, without=_STRUCTURE)
    of_exif = {code: value for code, value in directory.items() if code in _IN_EXIF or isinstance(value, dict)}
    return About(
        exif=exif.block_of(of_exif, layout.order),
        icc_profile=_bytes_of(page, _PROFILE),
        xmp=_bytes_of(page, _XMP),
        resolution=_resolution(page),
        compression=page.compression.name,
        predictor=page.predictor > 1,
        tile=(page.tilelength, page.tilewidth) if page.is_tiled else None,
        subfile=page.subfiletype,
        nodata=_nodata(page),
        byteorder=layout.order,
        resources=_content(directory.pop(RESOURCES, None)),
        tags=tuple(_others(directory, layout.order)),
    )


def resources_of(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, content and whole of Photoshop's resources: signature, number, name, content, of even lengths."""
    place = 0
    while content[place : place + 4] == b"8BIM" and place + 12 <= len(content):
        (number,) = struct.unpack_from(">H", content, place + 4)
        start = place + 6 + (content[place + 6] + 2) // 2 * 2 + 4
        length = int.from_bytes(content[start - 4 : start], "big")
        end = start + (length + 1) // 2 * 2
        yield number, content[start : start + length], content[place:end]
        place = end
    yield 0, b"", content[place:]


def iptc_of(resources: bytes) -> bytes:
    """Return the IPTC that is among Photoshop's resources."""
    return next((content for number, content, _ in resources_of(resources) if number == _IPTC_NUMBER), b"")


def _content(value: "Value | Directory | None") -> bytes:
    return value.content if isinstance(value, Value) else b""


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


def without_stack(about: About) -> About:
    """Leave out what the first of several pictures says of all: the description, and what ImageJ adds."""
    kept = tuple(tag for tag in about.tags if tag[0] not in (_IMAGEJ_SIZES, _IMAGEJ))
    return replace(described(about, lambda text: ""), tags=kept)


def described(about: About, change: Callable[[str], str]) -> About:
    """Change the description; one that becomes empty is left out."""
    directory, order = exif.parse(about.exif), exif.order_of(about.exif)
    text = _content(directory.get(DESCRIPTION)).rstrip(b"\0")
    changed = change(text.decode("latin-1")).encode("latin-1")
    if changed == text:
        return about
    if changed:
        directory[DESCRIPTION] = Value(_TEXT, len(changed) + 1, changed + b"\0")
    else:
        del directory[DESCRIPTION]
    return replace(about, exif=exif.block_of(directory, order))


def _bytes_of(page: Any, code: int) -> bytes:
    value = page.tags[code].value if code in page.tags else b""
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else b""


def _resolution(page: Any) -> tuple[float, float, int] | None:
    values = [page.tags[tag].value for tag in (exif.X, exif.Y) if tag in page.tags]
    try:
        (x, y) = (numerator / denominator for numerator, denominator in values)
        unit = int(page.tags[exif.UNIT].value) if exif.UNIT in page.tags else 2
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y, unit) if x and y and unit in (1, 2, 3) else None


def _others(directory: Directory, order: str) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the tags that no other place has, such as where on earth the pixels are: code, type, count, value."""
    imagej = _of_imagej(_content(directory.get(_IMAGEJ_SIZES)), _content(directory.get(_IMAGEJ)), order)
    for code, value in directory.items():
        if code in _IN_EXIF or isinstance(value, dict):
            continue
        if value.kind in _OFFSETS:
            warnings.warn(f"its tag {code}, which points to others, is not kept", UserWarning, stacklevel=2)
        elif code not in (_IMAGEJ_SIZES, _IMAGEJ):
            yield (code, *value)
        elif imagej is None:
            warnings.warn(f"its tag {code}, of ImageJ, is damaged and left out", UserWarning, stacklevel=2)
        elif imagej != (b"", b""):
            content = imagej[code - _IMAGEJ_SIZES]
            yield code, value.kind, len(content) // (4 if code == _IMAGEJ_SIZES else 1), content


def _of_imagej(sizes: bytes, content: bytes, order: str) -> tuple[bytes, bytes] | None:
    """Return ImageJ's own metadata without the ranges of levels that it shows; None if they are damaged.

    The first tag has the sizes of the second's parts: a head, which counts the parts of each kind, and those parts.
    """
    lengths = [length for (length,) in struct.iter_unpack(order + "I", sizes[: len(sizes) // 4 * 4])]
    if not lengths or sum(lengths) != len(content) or lengths[0] % 8 != 4:
        return None
    head, place = content[: lengths[0]], lengths[0]
    kept, counts, parts = head[:4], [0], b""
    numbers = iter(lengths[1:])
    for kind, number in struct.iter_unpack(order + "4sI", head[4:]):
        own = list(islice(numbers, number))
        end = place + sum(own)
        if kind not in (b"rang", b"gnar"):
            kept += struct.pack(order + "4sI", kind, number)
            counts += own
            parts += content[place:end]
        place = end
    counts[0] = len(kept)
    if len(counts) == 1:
        return b"", b""
    return struct.pack(f"{order}{len(counts)}I", *counts), kept + parts


# ---------------------------------------------------------------- writing


def to_write(about: About, file: BinaryIO, form: Any) -> list[Any]:
    """Return a page's tags as tifffile takes them; the directories that they point to are appended to the file."""
    layout, extra = Layout(form.byteorder, form.is_bigtiff), dict[int | str, tuple[int, int, bytes]]()
    for code, value in exif.parse(about.exif).items():
        if isinstance(value, dict):
            kind = 18 if layout.big else _LONG  # IFD8
            place = _append(value, file, layout)
            # Without its name, tifffile does not write such a tag.
            extra[_DIRECTORIES[code]] = (kind, 1, layout.offset.pack(place))
        elif code not in _STRUCTURE:
            extra[code] = value
    if about.xmp:
        extra[_XMP] = (1, len(about.xmp), about.xmp)
    if about.nodata:
        extra[_NODATA] = (_TEXT, 0, about.nodata.encode())
    if about.resources:
        extra[RESOURCES] = (1, len(about.resources), about.resources)
    if iptc := iptc_of(about.resources):
        extra[IPTC] = (7, len(iptc), iptc)
    extra.update({code: (kind, count, value) for code, kind, count, value in about.tags})
    return [(code, *_of_tifffile(*value, layout.order), True) for code, value in extra.items()]


def _of_tifffile(kind: int, number: int, content: bytes, order: str) -> tuple[int, int, Any]:
    """Return a value as tifffile takes it, which counts fractions in bytes twice."""
    if kind not in _FRACTIONS:
        return kind, number, content
    return kind, number, struct.unpack(f"{order}{2 * number}{_FRACTIONS[kind]}", content)


_DIRECTORIES = {0x8769: "ExifTag", 0x8825: "GPSTag"}


def _append(directory: Directory, file: BinaryIO, layout: Layout) -> int:
    """Append a directory, which tifffile does not write, before the page that points to it; return its place."""
    end = file.seek(0, os.SEEK_END)
    place = end + end % 2  # directories begin at even places
    file.seek(place)
    file.write(exif.packed(directory, place, layout))
    return place
