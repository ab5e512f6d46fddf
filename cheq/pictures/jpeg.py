"""JPEG: is what a file holds whole? Decoders make up what is missing, and most do not say so. How was it encoded?"""

import logging
import re
import struct
import threading
import warnings
from typing import Any, Literal, NamedTuple

import imagecodecs
import numpy as np
from PIL import Image

from cheq.pictures import Pixels

# Markers, which bits of pixels never look like (ITU-T T.81, annex B).
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_MARKER = re.compile(rb"\xff+([^\0\xff])", re.DOTALL)
# Progressive frames, and the interval of restarts.
_IN_PARTS = {b"\xc2", b"\xc6", b"\xca", b"\xce", b"\xdd"}
# How libjpeg's warnings of pixels begin (jerror.h).
_DAMAGE = ("Corrupt JPEG data", "Premature end of JPEG file", "Inconsistent progression sequence")
# What Pillow writes: how much finer than colors the lightness is sampled, across and down.
_SAMPLINGS = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}
_MORE = b"\x5a\x3c\xa5\xc3" * 16


def pixels_of(image: Image.Image, data: bytes) -> Pixels | None:
    """Decode a JPEG file by libtiff, which alone tells what libjpeg warns of; None if it does not take the file.

    Raises
    ------
    ValueError
        If libjpeg warns: what is missing or damaged in the middle is made up by all decoders.
    """
    if image.mode not in {"L", "RGB"} or data.rfind(_END_OF_IMAGE) < data.rfind(_START_OF_SCAN):
        return None
    said = _Said()
    logger = logging.getLogger("imagecodecs")
    logger.addFilter(said)
    try:
        pixels = np.asarray(imagecodecs.tiff_decode(_as_tiff(image, data), verbose=1))
    except imagecodecs.TiffError:
        return None
    finally:
        logger.removeFilter(said)
    if said.messages:
        raise ValueError(f"damaged: {'; '.join(said.messages)}")
    return pixels if pixels.shape == (image.height, image.width, 3)[: 2 if image.mode == "L" else 3] else None


class _Said(logging.Filter):
    """Keeps what imagecodecs logs in this thread, and from anyone else."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        if record.getMessage().startswith(_DAMAGE):  # and not what libtiff finds unusual
            self.messages.append(record.getMessage())
        return False


def _as_tiff(image: Image.Image, data: bytes) -> bytes:
    """Return a JPEG file as the only strip of a TIFF (TIFF Technical Note 2)."""
    channels, photometric = (1, 1) if image.mode == "L" else (3, 2 if _is_rgb(image) else 6)
    opened: Any = image
    _, across, down, _ = opened.layer[0]  # how much finer the first channel is than the others
    if channels == 1 and across * down > 1:  # of one channel it means nothing (T.81, A.2.2), but to libtiff
        frame = rb"(\xff[\xc0-\xcf]\0\x0b\x08%b\x01.)." % re.escape(struct.pack(">HH", image.height, image.width))
        data = re.sub(frame, rb"\1" + b"\x11", data, flags=re.DOTALL)
    tags = [(256, 4, 1, image.width), (257, 4, 1, image.height), (258, 3, 1, 8), (259, 3, 1, 7)]
    tags += [(262, 3, 1, photometric), (273, 4, 1, 8 + 2 + 12 * 10 + 4), (277, 3, 1, channels)]
    tags += [(278, 4, 1, image.height), (279, 4, 1, len(data)), (530, 3, 2, across | down << 16)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def _is_rgb(image: Image.Image) -> bool:
    """Whether a JPEG's three channels are R, G, B and not Y, Cb, Cr, as libjpeg decides (default_decompress_parms)."""
    if "jfif" in image.info:
        return False
    if "adobe" in image.info:
        return image.info.get("adobe_transform") == 0
    return [component[0] for component in getattr(image, "layer", ())] == [82, 71, 66]


def with_more(data: bytes) -> bytes | None:
    """Add bytes to the bits of a file's scans, over which a decoder passes if it has had all pixels before.

    None if it is not said so: a decoder goes on at the next restart, or scan of the same pixels, whatever is missing.
    """
    parts, place, seen = [data[:2]], 2, set[bytes]()
    while (marker := _MARKER.match(data, place)) and marker[0][-2:] != _END_OF_IMAGE:
        end = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        parts.append(data[place:end])
        place = end
        seen.add(marker[1])
        if marker[0][-2:] == _START_OF_SCAN and (found := _MARKER.search(data, place)):
            parts += [data[place : found.start()], _MORE]
            place = found.start()
    return None if seen & _IN_PARTS else b"".join([*parts, data[place:]])


# ---------------------------------------------------------------- how pixels are encoded

Quality = int | Literal["keep"]
QUALITY = 95  # the encoder should not undo what equalization brought out


class Coding(NamedTuple):
    """How a file's pixels were made fewer bytes.

    Attributes
    ----------
    tables : tuple of tuple of int
        The quantization table of each component, by which its frequencies were divided.
    finer : (int, int)
        How much finer than colors the lightness is sampled, across and down.
    progressive : bool
        Whether rough pixels come first.
    """

    tables: tuple[tuple[int, ...], ...]
    finer: tuple[int, int]
    progressive: bool


def coding(image: Any) -> Coding | None:
    """Return how Pillow says that a file's pixels were encoded; None if the file says it later than Pillow reads."""
    if not all(number in image.quantization for *_, number in image.layer):
        return None
    tables = tuple(tuple(image.quantization[number]) for *_, number in image.layer)
    (_, across, down, _), *others = image.layer
    least = [min(layer[axis] for layer in others or image.layer) for axis in (1, 2)]
    return Coding(tables, (across // least[0], down // least[1]), "progressive" in image.info)


def encoding(quality: Quality, coded: Coding | None, colors: int) -> dict[str, Any]:
    """Return Pillow's options for a quality; those of the source, if they are to be kept and it was a JPEG.

    Warns
    -----
    UserWarning
        If the source's sampling is one that Pillow does not write.
    """
    if quality != "keep" or coded is None:
        # 4:4:4: no channel is sampled more coarsely than another.
        return {"quality": QUALITY if quality == "keep" else quality, "subsampling": "4:4:4"}
    sampling = _SAMPLINGS.get(coded.finer)
    if sampling is None and colors > 1:
        across, down = coded.finer
        told = f"its colors, sampled {across} x {down} times as coarsely as its lightness, are now sampled as finely"
        warnings.warn(told, UserWarning, stacklevel=2)
    tables = [list(table) for table in coded.tables[:colors]]
    while len(tables) > 1 and tables[-1] == tables[-2]:  # one for both, from which readers also guess the quality
        tables.pop()
    return {"qtables": tables, "subsampling": sampling or "4:4:4", "progressive": coded.progressive}


_FRAME = re.compile(rb"\xff([\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf])..(.)", re.DOTALL)
_LOSSLESS = {b"\xc3", b"\xc7", b"\xcb", b"\xcf"}
_ARRAY = "imagecodecs.imread(PATH) makes an array of it, which tifffile.imwrite(NEW, ARRAY) saves"


def refuse_unknown(data: bytes) -> None:
    """Raise ValueError for a JPEG of 12 bits and a lossless one, which libjpeg as others build it does not take."""
    place = 2
    while data[:2] == b"\xff\xd8" and (marker := _MARKER.match(data, place)) and marker[0][-2:] != _START_OF_SCAN:
        found = _FRAME.match(data, marker.start())
        if found and found[1] in _LOSSLESS:
            raise ValueError(f"a lossless JPEG is not supported; {_ARRAY}")
        if found and found[2] != b"\x08":
            raise ValueError(f"a JPEG of {found[2][0]} bits is not supported; {_ARRAY}")
        place = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
