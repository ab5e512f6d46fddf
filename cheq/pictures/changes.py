"""A picture whose pixels are changed: what described the old ones is left out, all else stays."""

import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PIL import ExifTags, Image

from cheq.pictures import Pixels, tags
from cheq.pictures.picture import About, Picture

_RESOURCES, _LAYERS, _GDAL = 34377, 37724, 42112
_THUMBNAILS = {1033, 1036}  # Photoshop's image resources of them
_IN_XMP = re.compile(rb"<(x[am]p:Thumbnails)\b[^>]*(/>|>.*?</\1\s*>)", re.DOTALL)
_STATISTICS = re.compile(rb'\s*<Item\s[^>]*name="STATISTICS_[^>]*?(/>|>[^<]*</Item>)')


def changed(picture: Picture, pixels: Pixels, rgb: bool) -> Picture:
    """Return a picture with other pixels of the same height and width.

    Warns
    -----
    UserWarning
        If something is left out that its owner may miss.
    """
    channels = pixels.shape != picture.pixels.shape
    about = tags.described(picture.about, lambda text: _description(text, channels))
    about = replace(
        about,
        exif=_without_thumbnail(about.exif),
        xmp=_IN_XMP.sub(b"", about.xmp),
        tags=tuple(_tags(about)),
    )
    return replace(picture, pixels=pixels, rgb=rgb, about=about)


def _description(text: str, channels: bool) -> str:
    """Change what ImageJ, OME and tifffile say of levels and, where they are others now, of channels."""
    if text.startswith("ImageJ="):
        return re.sub(r"^(min|max)=.*\n?", "", text, flags=re.MULTILINE)
    if "<OME" in text[:2000]:
        if channels:
            warnings.warn("its OME description is of other channels and left out", UserWarning, stacklevel=2)
            return ""
        return re.sub(r'\sSignificantBits="\d*"', "", text)
    return "" if channels and text.startswith('{"shape":') else text


def _without_thumbnail(exif: bytes) -> bytes:
    """Cut off EXIF's second directory, which is the thumbnail's; the first names its place last."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, first)
        pointer = first + 2 + 12 * entries
        (second,) = struct.unpack_from(order + "I", exif, pointer)
    except struct.error:
        return exif
    if not second:
        return exif
    block = Image.Exif()
    block.load(exif)
    where = block.get_ifd(ExifTags.IFD.IFD1)
    start, length = where.get(513), where.get(514)
    exif = exif[:pointer] + bytes(4) + exif[pointer + 4 :]
    if isinstance(start, int) and isinstance(length, int) and 0 < start < len(exif):
        exif = exif[:start] + bytes(len(exif[start : start + length])) + exif[start + length :]
    return exif


def _tags(about: About) -> Iterator[tuple[int, int, int, Any]]:
    for code, kind, count, value in about.tags:
        if code == _LAYERS:
            warnings.warn("its Photoshop layers show the old pixels and are left out", UserWarning, stacklevel=2)
        elif code == _RESOURCES:
            kept = b"".join(_resources(bytes(value)))
            if kept:
                yield code, kind, len(kept), kept
        elif code == _GDAL:
            kept = _STATISTICS.sub(b"", value)
            if b"<Item" in kept:
                yield code, kind, 0, kept
        else:
            yield code, kind, count, value


def _resources(content: bytes) -> Iterator[bytes]:
    """Yield Photoshop's image resources but thumbnails: signature, number, name and content, each of even length."""
    place = 0
    while content[place : place + 4] == b"8BIM" and place + 12 <= len(content):
        (number,) = struct.unpack_from(">H", content, place + 4)
        size = place + 6 + (content[place + 6] + 2) // 2 * 2
        end = size + 4 + (int.from_bytes(content[size : size + 4], "big") + 1) // 2 * 2
        if number not in _THUMBNAILS:
            yield content[place:end]
        place = end
    yield content[place:]
