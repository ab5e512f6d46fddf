"""PNG: written by imagecodecs, which has 16 bits for every kind of picture and lets other threads run."""

import math
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np

from cheq.cli.pictures.picture import Format, Picture

_KINDS = [f"{bits}-bit {name}" for bits in (8, 16) for name in ("gray", "gray with alpha", "RGB", "RGB with alpha")]
FORMAT = Format("PNG", frozenset(_KINDS), keeps_exif=True)

# Run lengths and the fastest level make photographs no larger than zlib's level 6 does, in a sixth of the time.
_LEVEL, _RUN_LENGTHS = 1, 3

_HEADER = 33  # bytes of the signature and IHDR, after which other chunks may come
_INCH = 0.0254  # meters


def read_16_bits(data: bytes) -> Picture:
    """Return the picture of a file with 16 bits a channel, of which Pillow keeps 8 where there are colors or alpha."""
    pixels = imagecodecs.png_decode(data)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return Picture(pixels, channels in (2, 4), channels > 2)


def write(picture: Picture, file: BinaryIO) -> None:
    """Write a picture, with EXIF, color profile and resolution."""
    data = imagecodecs.png_encode(np.ascontiguousarray(picture.pixels), level=_LEVEL, strategy=_RUN_LENGTHS)
    file.write(data[:_HEADER])
    for name, content in _chunks(picture):
        body = name + content
        file.write(struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body)))
    file.write(memoryview(data)[_HEADER:])


def _chunks(picture: Picture) -> Iterator[tuple[bytes, bytes]]:
    """Yield what travels with the pixels, as the PNG specification (W3C, third edition, section 11.3) has it."""
    about = picture.about
    profile = about.profile_for(picture.colors)
    if profile:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)
    per_meter = [round(value / _INCH) for value in about.dpi or () if math.isfinite(value)]
    if len(per_meter) == 2 and all(1 <= value < 2**31 for value in per_meter):
        yield b"pHYs", struct.pack(">IIB", *per_meter, 1)
    if about.exif:
        yield b"eXIf", about.exif
