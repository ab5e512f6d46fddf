"""JPEG 2000 by imagecodecs, without loss: boxes (ISO/IEC 15444-1, annex I), or what they hold alone."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np

from cheq.pictures.picture import About, Format, Picture, refuse_bomb, whole_exif, widened

_NAMES = ("gray", "gray with alpha", "RGB", "RGB with alpha")
_KINDS = frozenset(f"{bits}-bit {name}" for bits in (8, 16) for name in _NAMES)
JP2 = Format("JPEG2000", _KINDS, frozenset({"exif", "icc_profile", "xmp", "resolution", "boxes"}))
J2K = Format("JPEG2000", _KINDS, frozenset())

START, _CODES = b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"  # of a file of boxes; of pixels and of how many there are
_HEADER, _PIXELS = b"jp2h", b"jp2c"
_STRUCTURE = {b"jP  ", b"ftyp", _HEADER, _PIXELS}
_EXIF, _XMP = b"JpgTiffExif->JP2", bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_ALPHA, _PREMULTIPLIED = 1, 2  # what a channel is
_INCH = 0.0254  # meters

Box = tuple[bytes, bytes]


def starts(start: bytes) -> bool:
    """Whether a file begins as one of these."""
    return start == START or start[:4] == _CODES


def read(data: bytes) -> Picture:
    """Read a picture; levels of fewer bits are scaled to 8 or 16."""
    boxes = list(_boxes(data)) if data[:8] == START else [(_PIXELS, data)]
    first = dict(reversed(boxes))
    bits = _bits(first.get(_PIXELS, b""))
    header = dict(_boxes(first.get(_HEADER, b"")))
    try:
        pixels = np.asarray(imagecodecs.jpeg2k_decode(data))
    except imagecodecs.Jpeg2kError as error:
        raise ValueError(f"damaged or cut off: {error}") from None
    if pixels.ndim > 3 or pixels.dtype.itemsize > 2:
        raise ValueError(f"a JPEG 2000 of shape {pixels.shape} and dtype {pixels.dtype} is not supported")
    if pixels.dtype.kind == "u" and b"pclr" not in header:
        pixels = widened(pixels, (1 << bits) - 1)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    kinds = [kind for _, kind, _ in struct.iter_unpack(">HHH", header.get(b"cdef", b"")[2:])]
    if _PREMULTIPLIED in kinds:
        raise ValueError("premultiplied alpha is not supported; take it out of the colors first, by dividing")
    alpha = _ALPHA in kinds if kinds else channels in (2, 4)
    return Picture(pixels, alpha, channels - alpha == 3, _about(boxes, header))


def _boxes(data: bytes) -> Iterator[Box]:
    """Yield name and content of boxes."""
    place = 0
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if length == 1 and place + 16 <= len(data):
            length, head = struct.unpack_from(">Q", data, place + 8)[0], 16
        end = place + length if length else len(data)
        if not place + head <= end <= len(data):
            raise ValueError("damaged or cut off: a box lies behind the end")
        yield name, data[place + head : end]
        place = end


def _bits(codes: bytes) -> int:
    """Return the bits of a level; refuse too many pixels."""
    if codes[:4] != _CODES or len(codes) < 43:
        raise ValueError("damaged or cut off: it has no pixels")
    right, bottom, left, top = struct.unpack_from(">4I", codes, 8)
    refuse_bomb(max(0, right - left) * max(0, bottom - top))
    return int(codes[42] & 0x7F) + 1


def _about(boxes: list[Box], header: dict[bytes, bytes]) -> About:
    own = {content[:16]: content[16:] for name, content in boxes if name == b"uuid"}
    colors = header.get(b"colr", b"")
    return About(
        exif=whole_exif(own.get(_EXIF, b"")),
        xmp=own.get(_XMP, b""),
        icc_profile=colors[3:] if colors[:1] in (b"\2", b"\3") else b"",
        resolution=_resolution(dict(_boxes(header.get(b"res ", b"")))),
        boxes=tuple(
            (name, content)
            for name, content in boxes
            if name not in _STRUCTURE and not (name == b"uuid" and content[:16] in (_EXIF, _XMP))
        ),
    )


def _resolution(found: dict[bytes, bytes]) -> tuple[float, float, int] | None:
    """Return pixels an inch of pixels a meter: fractions, and powers of ten."""
    said = found.get(b"resc", found.get(b"resd", b""))
    if len(said) != 10:
        return None
    top, below, left, under, down, across = struct.unpack(">HHHHbb", said)
    if not (top and below and left and under):
        return None
    return left / under * 10.0**across * _INCH, top / below * 10.0**down * _INCH, 2


# ---------------------------------------------------------------- writing


def write(picture: Picture, file: BinaryIO, boxed: bool) -> None:
    """Write a picture: in boxes with what travels with it, or its pixels alone."""
    pixels = np.ascontiguousarray(picture.pixels)
    form = "jp2" if boxed else "j2k"
    data = bytes(imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat=form))
    if boxed:
        for name, content in _boxes(data):
            file.write(_box(name, _header(content, picture) if name == _HEADER else content))
        for name, content in _own_boxes(picture.about):
            file.write(_box(name, content))
    else:
        file.write(data)


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _header(content: bytes, picture: Picture) -> bytes:
    """Return the head with a color profile, which channel is alpha, and the resolution."""
    about, parts = picture.about, []
    profile = about.profile_for(picture.colors)
    for name, part in _boxes(content):
        parts.append((name, b"\2\0\0" + profile if name == b"colr" and profile else part))
    if picture.alpha:
        # Each channel's number, that it is a color or alpha, and which color it is, from 1 on, or 0 for all.
        colors = [(number, 0, number + 1) for number in range(picture.colors)]
        channels = [*colors, (picture.colors, _ALPHA, 0)]
        said = b"".join(struct.pack(">3H", *channel) for channel in channels)
        parts.append((b"cdef", struct.pack(">H", len(channels)) + said))
    dpi = about.dpi
    if dpi is not None and all(0 < number < 1e6 for number in dpi):
        across, down = (_fraction(number / _INCH) for number in dpi)
        said = struct.pack(">HHHHbb", down[0], 1, across[0], 1, down[1], across[1])
        parts.append((b"res ", _box(b"resc", said)))
    return b"".join(_box(*part) for part in parts)


def _fraction(number: float) -> tuple[int, int]:
    """Return a number as one of 16 bits and a power of ten."""
    power = 0
    while number > 65535:
        number, power = number / 10, power + 1
    while number < 6553 and power > -8:
        number, power = number * 10, power - 1
    return round(number), power


def _own_boxes(about: About) -> Iterator[Box]:
    if about.exif:
        yield b"uuid", _EXIF + about.exif
    if about.xmp:
        yield b"uuid", _XMP + about.xmp
    yield from about.boxes
