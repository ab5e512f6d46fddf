"""A picture whose pixels are changed: what described the old ones is left out, all else stays."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace

from cheq.pictures import Pixels, exif, stacks, tags
from cheq.pictures.picture import About, Picture

_LAYERS, _GDAL, _CREDENTIALS = 37724, 42112, 52545
_THUMBNAILS = {1033, 1036}  # Photoshop's image resources of them
# Chunks of PNG that tell of levels: which of their bits count, and the background's; what they stand for; how light
# they are; which colors are frequent. Of those that are not known, the fourth letter says whether they may stay.
_KEPT_CHUNKS = {b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"sTER", b"sCAL", b"tIME"}
_IN_XMP = re.compile(rb"<(x[am]p:Thumbnails)\b[^>]*(/>|>.*?</\1\s*>)", re.DOTALL)
_APP11 = 0xEB
_SIGNED = "content credentials, which sign them"
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
    old: list[str] = []
    about = replace(
        about,
        exif=exif.without_thumbnail(about.exif),
        xmp=_IN_XMP.sub(b"", about.xmp),
        extended_xmp=_IN_XMP.sub(b"", about.extended_xmp),
        resources=b"".join(part for number, _, part in tags.resources_of(about.resources) if number not in _THUMBNAILS),
        tags=tuple(_tags(about, old)),
        chunks=tuple(_chunks(about, old)),
        segments=tuple(_segments(about, old)),
    )
    if old:
        names = ", ".join(dict.fromkeys(old))
        warnings.warn(f"what told of the old pixels is left out: {names}", UserWarning, stacklevel=2)
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
    return "" if channels and stacks.shaped(text) else text


def _tags(about: About, old: list[str]) -> Iterator[tuple[int, int, int, bytes]]:
    for code, kind, count, value in about.tags:
        if code == _LAYERS:
            old.append("Photoshop's layers")
        elif code == _CREDENTIALS:
            old.append(_SIGNED)
        elif code == _GDAL:
            kept = _STATISTICS.sub(b"", value)
            if b"<Item" in kept:
                yield code, kind, len(kept), kept
        else:
            yield code, kind, count, value


def _chunks(about: About, old: list[str]) -> Iterator[tuple[bytes, bytes]]:
    for name, content in about.chunks:
        if name in _KEPT_CHUNKS or (name.isalpha() and name[3:].islower()):
            yield name, content
        else:
            old.append(_SIGNED if name == b"caBX" else name.decode("latin-1"))


def _segments(about: About, old: list[str]) -> Iterator[tuple[int, bytes]]:
    boxes = [content for marker, content in about.segments if marker == _APP11 and content.startswith(b"JP")]
    signed = any(b"c2pa" in content for content in boxes)
    for marker, content in about.segments:
        if signed and content in boxes:
            old.append(_SIGNED)
        else:
            yield marker, content
