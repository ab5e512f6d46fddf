"""PBM, PGM and PPM of 8 and 16 bits, several pictures in a file, with remarks: numbers, then samples (Netpbm's pages).

Pillow halves the bits of color, and netpbmfile takes the head of a second picture for pixels.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

from cheq.pictures import Pixels
from cheq.pictures.picture import About, Format, Picture, of, refuse_bomb, widened

_LEVELS = tuple(f"{bits}-bit gray" for bits in (8, 16))
PGM = Format("PPM", frozenset(_LEVELS), frozenset({"comments"}))
PPM = Format("PPM", frozenset({*_LEVELS, "8-bit RGB", "16-bit RGB"}), frozenset({"comments"}))

_START = re.compile(rb"\s*P([1-6])(?=[\s#])")
_NUMBER = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])++(\d{1,10})")
_REMARK = re.compile(rb"#[ \t]?([^\r\n]*)")
_BITS, _PLAIN = (1, 4), (1, 2, 3)  # kinds of samples: bits of which 1 is black, and numbers in text
_COLORS = (3, 6)


def starts(data: bytes) -> bool:
    """Whether a file begins as one of these."""
    return _START.match(data) is not None


def count(data: bytes) -> int:
    """Return how many pictures a file has, by their heads."""
    found = 0
    for _ in _heads(data):
        found += 1
    return found


def pages(data: bytes) -> Iterator[Picture]:
    """Yield the pictures of a file; levels are scaled where the head names another highest than 8 or 16 bits have."""
    end = 0
    for kind, numbers, remarks, start, end in _heads(data):
        width, height, highest = numbers
        refuse_bomb(width * height)
        about = About(comments=remarks, tail=("PPM", _behind(data, end)))
        yield of(_scaled(_samples(data, kind, (height, width), highest, start, end), highest, kind), about)


_Head = tuple[int, tuple[int, int, int], tuple[bytes, ...], int, int]


def _heads(data: bytes) -> Iterator[_Head]:
    """Yield of each picture its kind, width, height and highest level, remarks, and where its samples are."""
    place = 0
    while found := _START.match(data, place):
        kind, numbers, begin = int(found[1]), list[int](), found.start()
        place = found.end()
        for _ in range(2 if kind in _BITS else 3):
            number = _NUMBER.match(data, place)
            if number is None:
                raise ValueError("damaged: its head is no width, height and highest level")
            numbers.append(int(number[1]))
            place = number.end()
        width, height, highest = (*numbers, 1)[:3]
        if not (width and height and 0 < highest < 1 << 16):
            raise ValueError(f"a picture of {width} x {height} with levels up to {highest} is not supported")
        start = place + 1
        remarks = tuple(remark for remark in _REMARK.findall(data, begin, place) if remark)
        place = len(data) if kind in _PLAIN else start + _size(kind, width, height, highest)
        if place > len(data):
            raise ValueError("the file is cut off: pixels lie behind its end")
        yield kind, (width, height, highest), remarks, start, place


def _size(kind: int, width: int, height: int, highest: int) -> int:
    if kind in _BITS:
        return height * ((width + 7) // 8)
    return height * width * (3 if kind in _COLORS else 1) * (1 if highest < 256 else 2)


def _behind(data: bytes, place: int) -> bytes:
    """Return what is no picture behind one."""
    rest = data[place:]
    return rest if rest.strip(b"\0\r\n ") and not starts(rest) else b""


def _samples(data: bytes, kind: int, size: tuple[int, int], highest: int, start: int, end: int) -> Pixels:
    shape = (*size, 3) if kind in _COLORS else size
    if kind in _PLAIN:
        return _plain(data[start - 1 : end], kind, shape)
    part = memoryview(data)[start:end]
    if kind in _BITS:
        rows = np.frombuffer(part, np.uint8).reshape(size[0], -1)
        return np.unpackbits(rows, axis=1)[:, : size[1]]
    return np.frombuffer(part, np.uint8 if highest < 256 else ">u2").reshape(shape)


def _plain(text: bytes, kind: int, shape: tuple[int, ...]) -> Pixels:
    text = re.sub(rb"#[^\r\n]*", b"", text)
    number = math.prod(shape)
    if kind in _BITS:  # which need no blanks between them
        found: Iterable[bytes] = re.findall(rb"[01]", text)
    else:
        found = text.split()
    try:
        levels = np.array([int(level) for level in found], np.int64)
    except (ValueError, OverflowError):
        raise ValueError("damaged: a level is no number") from None
    if levels.size != number:
        raise ValueError(f"damaged: expected {number} levels, got {levels.size}")
    return levels.reshape(shape)


def _scaled(samples: Pixels, highest: int, kind: int) -> Pixels:
    """Return levels that use the range of their dtype."""
    if kind in _BITS:
        return ((1 - samples) * 255).astype(np.uint8)
    if samples.size and not 0 <= samples.min() <= samples.max() <= highest:
        raise ValueError(f"damaged: a level is not of 0 to {highest}")
    return widened(samples, highest)


def write(pictures: Iterable[Picture], file: BinaryIO) -> None:
    """Write pictures one behind the other."""
    tail = b""
    for picture in pictures:
        pixels, about = picture.pixels, picture.about
        height, width = pixels.shape[:2]
        kind = b"P6" if picture.colors == 3 else b"P5"
        lines = [line for comment in about.comments for line in re.split(rb"[\r\n]+", comment) if line]
        remarks = b"".join(b"# " + line + b"\n" for line in lines)
        file.write(kind + b"\n" + remarks + b"%d %d\n%d\n" % (width, height, (1 << 8 * pixels.dtype.itemsize) - 1))
        file.write(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).data)
        tail = about.tail[1] if about.tail[0] == PPM.name else b""
    file.write(tail)
