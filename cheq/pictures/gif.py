"""What a GIF says beside its pixels (GIF89a, CompuServe 1990): comments, and what applications add."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from cheq.pictures.picture import About

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_COMMENT, _TEXT, _APPLICATION = 0xFE, 0x01, 0xFF
_XMP, _PROFILE = b"XMP DataXMP", b"ICCRGBG1012"
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
# XMP stands without lengths; these bytes lead who reads lengths to its end (XMP specification, part 3, 1.1.2).
_LANDING = b"\1" + bytes(range(255, -1, -1)) + b"\0"
_ASPECT = 12  # where the ratio of a pixel's sides is


def read(data: bytes) -> dict[str, Any]:
    """Return the fields of `About` that a file's blocks fill."""
    comments, others, profile, xmp, end = list[bytes](), list[tuple[bytes, bytes]](), b"", b"", 0
    for label, content, place in _blocks(data):
        name = content[1:12]
        if label == _END:
            end = place
        elif label == _COMMENT:
            comments.append(_joined(content))
        elif label == _TEXT:
            warnings.warn("text that its plain text extension draws is left out", UserWarning, stacklevel=2)
        elif label == _APPLICATION and name == _XMP:
            xmp = content[12:].partition(_LANDING[:4])[0]
        elif label == _APPLICATION and name == _PROFILE:
            profile = _joined(content[12:])
        elif label == _APPLICATION and name not in _LOOPS:
            others.append((name, content[12:]))
    return {
        "resolution": _ratio(data[_ASPECT] if len(data) > _ASPECT else 0),
        "comments": tuple(comments),
        "blocks": tuple(others),
        "icc_profile": profile,
        "xmp": xmp,
        "tail": ("GIF", data[end:] if end and data[end:].strip(b"\0 \r\n") else b""),
    }


def _blocks(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield label, content (with the lengths of its parts) and place behind it, of each extension and of the end."""
    place = 13 + _table(data[10])
    while place < len(data) and data[place] in (_EXTENSION, _PICTURE):
        if data[place] == _PICTURE:
            place = _behind(data, place + 11 + _table(data[place + 9]) if place + 9 < len(data) else place)
            continue
        start = place + 2
        place = _behind(data, start)
        yield data[start - 1], data[start:place], place
    if place < len(data) and data[place] == _END:
        yield _END, b"", place + 1


def _table(flags: int) -> int:
    """Return the size of a color table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _behind(data: bytes, place: int) -> int:
    """Return the place behind parts, each of which begins with its length, and the last is empty."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1


def _joined(parts: bytes) -> bytes:
    found, place = [], 0
    while place < len(parts) and parts[place]:
        found.append(parts[place + 1 : place + 1 + parts[place]])
        place += 1 + parts[place]
    return b"".join(found)


def _ratio(byte: int) -> tuple[float, float, int] | None:
    """Return how many pixels there are horizontally to how many vertically: the byte has width to height, times 64."""
    return (64.0, byte + 15.0, 1) if byte and byte != 49 else None


# ---------------------------------------------------------------- writing


def write(about: About, written: bytes, file: BinaryIO) -> None:
    """Write a GIF that is written already, with what travels with its pixels."""
    head = bytearray(written[: 13 + _table(written[10])])
    blocks = b"".join(_to_write(about))
    byte = _byte(about.resolution)
    if byte or blocks:
        head[:6] = b"GIF89a"
        head[_ASPECT] = byte
    place = len(head)
    while written[place : place + 2] == bytes([_EXTENSION, _APPLICATION]):  # how often it is shown comes first
        place = _behind(written, place + 2)
    file.write(head + written[len(head) : place] + blocks)
    file.write(memoryview(written)[place:])
    if about.tail[0] == "GIF":
        file.write(about.tail[1])


def _byte(found: tuple[float, float, int] | None) -> int:
    if found is None or found[0] == found[1] or not all(0 < number < 1 << 31 for number in found[:2]):
        return 0
    byte = round(found[1] / found[0] * 64) - 15
    return byte if 1 <= byte <= 255 else 0


def _to_write(about: About) -> Iterator[bytes]:
    start = bytes([_EXTENSION, _APPLICATION, 11])
    if about.profile_for(3):
        yield start + _PROFILE + _parts(about.icc_profile)
    if about.xmp and b"\0" not in about.xmp:  # which would end it
        yield start + _XMP + about.xmp + _LANDING
    yield from (start + name + parts for name, parts in about.blocks)
    yield from (bytes([_EXTENSION, _COMMENT]) + _parts(comment) for comment in about.comments)


def _parts(content: bytes) -> bytes:
    cut: Iterable[bytes] = (content[place : place + 255] for place in range(0, len(content), 255))
    return b"".join(bytes([len(part)]) + part for part in cut) + b"\0"
