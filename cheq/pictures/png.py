"""PNG: by imagecodecs, which keeps 16 bits of every kind of picture and lets other threads run."""

import math
import struct
import time
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np

from cheq.pictures import Pixels
from cheq.pictures.picture import About, Format, Picture, of, refuse_bomb, whole_exif

_KINDS = [f"{bits}-bit {name}" for bits in (8, 16) for name in ("gray", "gray with alpha", "RGB", "RGB with alpha")]
_KEPT = {"exif", "icc_profile", "xmp", "resolution", "ratio", "comments", "chunks", "frame"}
FORMAT = Format("PNG", frozenset(_KINDS), frozenset(_KEPT))

START = b"\x89PNG\r\n\x1a\n"

# The fastest level, run lengths, and a filter that subtracts the left neighbor: equalized photographs and documents
# become 5 % smaller to 10 % larger than with zlib's level 6 and every filter tried, in a sixth of the time.
_LEVEL, _RUN_LENGTHS, _SUBTRACT = 1, 3, 16

HEADER = 33  # bytes of the signature and IHDR, after which other chunks may come
_INCH = 0.0254  # meters
_PROFILE_NAME = b"ICC profile"
# Chunks that are told anew: how pixels are stored (Apple's iDOT, too), and what has a place of its own.
_ELSEWHERE = {
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"tRNS",
    b"IEND",
    b"iDOT",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"iCCP",
    b"pHYs",
    b"eXIf",
}
_END = b"\0\0\0\0IEND\xaeB`\x82"
_COMMENT = b"Comment\0"  # the keyword of remarks for people
_XMP_START = b"XML:com.adobe.xmp\0\0\0\0\0"  # its keyword, not compressed, in no language
_LONGEST_PROFILE = 1 << 26  # bytes; a few can be the start of any number


Chunk = tuple[bytes, bytes]


def chunks_of(data: bytes) -> list[Chunk]:
    """Return the name and content of every chunk; refuse a file that claims too many pixels."""
    found = list(read_chunks(data))
    head = dict(found).get(b"IHDR", b"")
    if len(head) != 13:
        raise ValueError("damaged or cut off: it has no head")
    refuse_bomb(math.prod(struct.unpack_from(">II", head)))
    return found


def read(data: bytes, found: list[Chunk]) -> Picture:
    """Read a file: a palette is looked up, a transparent level or color becomes alpha.

    Chunks are those of the PNG specification (W3C, third edition, section 11).
    """
    return of(decoded(data), about_of(data, found))


def decoded(data: bytes) -> Pixels:
    """Return a file's pixels; ValueError if it is damaged."""
    try:
        return np.asarray(imagecodecs.png_decode(data))
    except (imagecodecs.PngError, UnicodeDecodeError) as error:
        raise ValueError(f"damaged or cut off: {error}") from None


def about_of(data: bytes, found: list[Chunk]) -> About:
    """Return what a file says beside its pixels."""
    chunks = dict(found)
    others = [(name, content) for name, content in found if name not in _ELSEWHERE and not _xmp(content)]
    _, _, tail = data.partition(_END)
    return About(
        exif=whole_exif(chunks.get(b"eXIf", b"")),
        icc_profile=_profile(chunks),
        xmp=next((_xmp(content) for name, content in found if name == b"iTXt" and _xmp(content)), b""),
        resolution=_resolution(chunks),
        comments=tuple(_comment(content) for name, content in others if _is_comment(name, content)),
        chunks=tuple((name, content) for name, content in others if not _is_comment(name, content)),
        tail=("PNG", tail if tail.strip(b"\0\r\n ") else b""),
    )


def read_chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the name and content of every chunk."""
    place, name = len(START), b""
    while place + 12 <= len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, data[place + 8 : place + 8 + length]
        place += 12 + length


def _is_comment(name: bytes, content: bytes) -> bool:
    return name == b"tEXt" and content.startswith(_COMMENT)


def _comment(content: bytes) -> bytes:
    """Return a text of Latin-1 as UTF-8, which other formats have."""
    return content.removeprefix(_COMMENT).decode("latin-1").encode()


def _xmp(text: bytes) -> bytes:
    """Return the XMP that an iTXt chunk holds, if it does."""
    return text.removeprefix(_XMP_START) if text.startswith(_XMP_START) else b""


def _profile(chunks: dict[bytes, bytes]) -> bytes:
    _, _, packed = chunks.get(b"iCCP", b"").partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], _LONGEST_PROFILE) if packed else b""
    except zlib.error:
        return b""


def _resolution(chunks: dict[bytes, bytes]) -> tuple[float, float, int] | None:
    said = chunks.get(b"pHYs", b"")
    if len(said) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", said)
    return (x * _INCH, y * _INCH, 2) if unit == 1 else (float(x), float(y), 1)


def write(picture: Picture, file: BinaryIO) -> None:
    """Write a picture, with EXIF, color profile and resolution."""
    data = encoded(picture)
    file.write(data[:HEADER])
    for name, content in own_chunks(picture):
        file.write(chunk(name, content))
    file.write(memoryview(data)[HEADER:])
    if picture.about.tail[0] == "PNG":
        file.write(picture.about.tail[1])


def encoded(picture: Picture) -> bytes:
    """Return a picture's pixels as a file."""
    pixels = np.ascontiguousarray(picture.pixels)
    return bytes(imagecodecs.png_encode(pixels, level=_LEVEL, strategy=_RUN_LENGTHS, filter=_SUBTRACT))


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk as it stands in a file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))


def own_chunks(picture: Picture) -> Iterator[Chunk]:
    """Yield what travels with the pixels."""
    about = picture.about
    profile = about.profile_for(picture.colors)
    if profile:
        yield b"iCCP", _PROFILE_NAME + b"\0\0" + zlib.compress(profile)
    for name, content in about.chunks:
        yield name, _now() if name == b"tIME" else content
    yield from (_text(comment) for comment in about.comments)
    # In pixels a meter, or without a unit.
    scaled = [value / _INCH for value in about.dpi] if about.dpi else (about.any_resolution or ())[:2]
    numbers = [round(value) for value in scaled if math.isfinite(value)]
    if len(numbers) == 2 and all(1 <= value < 2**31 for value in numbers):
        yield b"pHYs", struct.pack(">IIB", *numbers, about.dpi is not None)
    if about.exif:
        yield b"eXIf", about.exif
    if about.xmp:
        yield b"iTXt", _XMP_START + about.xmp


def _now() -> bytes:
    """Return when a picture was changed: now."""
    return struct.pack(">H5B", *time.gmtime()[:6])


def _text(comment: bytes) -> tuple[bytes, bytes]:
    """Return the chunk of a comment: in Latin-1 if it is in UTF-8 and can be, or in nothing that is known."""
    comment = comment.replace(b"\0", b"")
    try:
        return b"tEXt", _COMMENT + comment.decode().encode("latin-1")
    except UnicodeDecodeError:
        return b"tEXt", _COMMENT + comment
    except UnicodeEncodeError:
        return b"iTXt", _COMMENT + b"\0\0\0\0" + comment
