"""AVIF: read by Pillow, levels of 10 and 12 bits by imagecodecs, which also writes without loss."""

import io
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image, UnidentifiedImageError

from cheq.pictures import Pixels, animations
from cheq.pictures.picture import About, Format, Picture, of, refuse_bomb, whole_exif, widened

FORMAT = Format("AVIF", frozenset({"8-bit gray", "8-bit RGB", "8-bit RGB with alpha"}), frozenset())

# Of 0 to 10. A photograph of 3 megapixels takes seconds, and becomes a tenth larger than at the default: minutes.
_SPEED = 8

_BRANDS = (b"avif", b"avis")
_GRANTED = {1, 2, 13}  # transfer curves that are, or are taken for, sRGB's


def starts(data: bytes) -> bool:
    """Whether a file begins as one of these: its first box names whom it is for."""
    return data[4:8] == b"ftyp" and any(brand in data[8 : int.from_bytes(data[:4], "big")] for brand in _BRANDS)


def read(data: bytes) -> Picture:
    """Read a picture, the first of several; levels of 10 and 12 bits are scaled to 16."""
    try:
        opened = Image.open(io.BytesIO(data), formats=["AVIF"])
    except (UnidentifiedImageError, SyntaxError):
        raise ValueError("damaged or cut off, or of a kind that is not known") from None
    with opened as image:
        refuse_bomb(image.width * image.height)
        frames, bits = getattr(image, "n_frames", 1), _bits(data)
        if bits > 8 and frames > 1:  # imagecodecs writes past its memory when it is asked for one of several
            raise ValueError(f"an AVIF of {frames} frames of {bits} bits is not supported, of one it is")
        animations.warn_of_others(frames, "AVIF frames")
        pixels = np.array(image) if bits == 8 else _decoded(data)
        if _is_gray(data) and pixels.ndim == 3:  # to which Pillow before 12 gives three channels
            pixels = pixels[..., 0] if pixels.shape[2] % 2 else pixels[..., [0, -1]]
        about = About(
            exif=whole_exif(image.info.get("exif", b"")),
            icc_profile=image.info.get("icc_profile") or b"",
            xmp=image.info.get("xmp") or b"",
            chunks=_colors(data),
        )
    return of(widened(pixels, (1 << bits) - 1), about)


def _decoded(data: bytes) -> Pixels:
    """Decode levels of more than 8 bits, of which Pillow makes 8."""
    try:
        return np.asarray(imagecodecs.avif_decode(data))
    except imagecodecs.AvifError as error:
        raise ValueError(f"damaged or cut off: {error}") from None


def _flags(data: bytes) -> int:
    """Return what the decoder is told first (AV1 in ISO base media, section 2.3)."""
    return int.from_bytes(data[data.find(b"av1C") + 6 :][:1], "big")


def _is_gray(data: bytes) -> bool:
    return bool(_flags(data) & 0x10)


def _bits(data: bytes) -> int:
    """Return the bits of a level."""
    flags = _flags(data)
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _colors(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return which colors these are, where they are not sRGB's, as PNG has it."""
    place = data.find(b"colrnclx") + 8
    if place < 8:
        return ()
    primaries, transfer = data[place + 1], data[place + 3]
    return () if primaries in _GRANTED and transfer in _GRANTED else ((b"cICP", bytes([primaries, transfer, 0, 1])),)


def write(picture: Picture, file: BinaryIO) -> None:
    """Write a picture without loss."""
    file.write(imagecodecs.avif_encode(np.ascontiguousarray(picture.pixels), speed=_SPEED))
