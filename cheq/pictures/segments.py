"""What a JPEG says beside its pixels (ITU-T T.81, annex B): segments, and bytes behind the picture."""

import hashlib
import re
import struct
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, BinaryIO

from PIL import Image

from cheq.pictures import exif
from cheq.pictures.picture import About
from cheq.pictures.tags import IPTC, iptc_of

_MARKER = re.compile(rb"\xff+([^\0\xff])", re.DOTALL)
_AFTER_SCAN = re.compile(rb"\xff+([^\0\xff\xd0-\xd7])", re.DOTALL)
_APP0, _APP1, _APP2, _APP13, _APP14, _COMMENT, _SCAN, _END = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE, 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without content
_LONGEST = 65533  # bytes of a segment
LONGEST_EXIF = _LONGEST - len(exif.START)
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"  # then the hash, the size of the whole, and this part's place
_PART = 65400  # bytes of it in a segment, as Adobe's specification has it (XMP, part 3, 1.1.3.1)
_RESOURCES = b"Photoshop 3.0\0"
_IPTC_RESOURCE = b"8BIM\x04\x04\0\0"  # number 1028, without a name
_PICTURES = b"MPF\0"
# Segments that are told anew, or tell of other pictures or of thumbnails.
_ELSEWHERE = {
    _APP0: (b"JFIF\0", b"JFXX\0"),
    _APP1: (exif.START, _XMP),
    _APP2: (b"ICC_PROFILE\0", _PICTURES),
    _APP14: (b"Adobe",),
}
_DENSITY = 13  # where JFIF has its unit and two numbers


def read(image: Image.Image, data: bytes) -> dict[str, Any]:
    """Return the fields of `About` that a file's segments fill."""
    extension: dict[bytes, bytearray] = {}
    comments, resources, others, end = list[bytes](), b"", list[tuple[int, bytes]](), 0
    for marker, place, content in _segments(data):
        if marker == _END:
            end = max(end, place)
        elif marker == _COMMENT:
            comments.append(content)
        elif marker == _APP13 and content.startswith(_RESOURCES):
            resources += content[len(_RESOURCES) :]
        elif marker == _APP1 and content.startswith(_EXTENSION):
            _add_part(extension, content[len(_EXTENSION) :])
        elif marker == _APP2 and content.startswith(_PICTURES):
            end = max(end, _end_of_pictures(image, place + len(_PICTURES)))
        elif 0xE0 <= marker <= 0xEF and not content.startswith(_ELSEWHERE.get(marker, ())):
            others.append((marker, content))
    return {
        "resolution": _resolution(image.info),
        "comments": tuple(comments),
        "resources": resources,
        "segments": tuple(others),
        "extended_xmp": _belonging(extension, image.info.get("xmp") or b""),
        "tail": ("JPEG", _without_pictures(data[end:] if end else b"")),
    }


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield marker, place and content of each segment; of the end of the picture, the place behind it."""
    place, search = 2, _MARKER
    while found := search.search(data, place):
        marker, place, search = found[1][0], found.end(), _MARKER
        if marker == _END:
            yield marker, place, b""
            return
        if marker in _ALONE:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        yield marker, place + 2, data[place + 2 : place + length]
        place += max(length, 2)
        if marker == _SCAN:
            search = _AFTER_SCAN


def _end_of_pictures(image: Image.Image, start: int) -> int:
    """Return where the last picture of several ends, whose places are counted from the head of their index."""
    try:
        entries = getattr(image, "mpinfo", {})[0xB002]
        return max(start + int(entry["DataOffset"]) + int(entry["Size"]) for entry in entries[1:])
    except (KeyError, TypeError, ValueError):
        return 0


def _without_pictures(tail: bytes) -> bytes:
    """Return what stands behind a picture without padding; further pictures, which show old pixels, go."""
    number = 0
    while (picture := tail.lstrip(b"\0")).startswith(b"\xff\xd8\xff"):
        number += 1
        end = next((place for marker, place, _ in _segments(picture) if marker == _END), len(picture))
        tail = picture[end:]
    if number:
        pictures = f"{number} more pictures" if number > 1 else "another picture"
        warnings.warn(f"only its picture is taken; {pictures} behind it left out", UserWarning, stacklevel=2)
    return tail if tail.strip(b"\0\r\n ") else b""


def _add_part(found: dict[bytes, bytearray], content: bytes) -> None:
    name, (size, place) = content[:32], struct.unpack(">II", content[32:40].ljust(8, b"\0"))
    whole = found.setdefault(name, bytearray(min(size, 1 << 28)))
    whole[place : place + len(content) - 40] = content[40:]


def _belonging(found: dict[bytes, bytearray], xmp: bytes) -> bytes:
    """Return the extension that XMP names by its hash."""
    for name, content in found.items():
        if name in xmp and hashlib.md5(content, usedforsecurity=False).hexdigest().encode() == name.lower():
            return bytes(content)
    if found:
        warnings.warn("its extended XMP is damaged and left out", UserWarning, stacklevel=2)
    return b""


def _resolution(info: dict[str | tuple[int, int], Any]) -> tuple[float, float, int] | None:
    """Return what JFIF says: pixels an inch, a centimeter, or their ratio alone, which is one only if it is not 1."""
    x, y = info.get("jfif_density") or (0, 0)
    unit = info.get("jfif_unit")
    if not (x and y and unit in (0, 1, 2)) or (unit == 0 and x == y):
        return None
    return float(x), float(y), 1 + unit


# ---------------------------------------------------------------- writing


def to_write(about: About) -> bytes:
    """Return the segments of all but EXIF and color profile, as they stand in a file."""
    xmp, extension = about.xmp, about.extended_xmp
    if extension or len(xmp) + len(_XMP) > _LONGEST:
        xmp, extension = _split(xmp, extension)
    parts = [_segment(_APP1, _XMP + xmp)] if xmp else []
    parts += _extensions(extension)
    parts += [_segment(_APP13, _RESOURCES + part) for part in _cut(_resources(about), _PART)]
    parts += [_segment(marker, content) for marker, content in about.segments]
    parts += [_segment(_COMMENT, part) for comment in about.comments for part in _cut(comment, _LONGEST)]
    return b"".join(parts)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _cut(content: bytes, length: int) -> Iterable[bytes]:
    return (content[place : place + length] for place in range(0, len(content), length))


_HASH = re.compile(rb"(HasExtendedXMP\s*(?:=\s*[\"']|>))[0-9A-Fa-f]{32}")
_NAMING = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%b"/></rdf:RDF>\
</x:xmpmeta>"""


def _split(xmp: bytes, extension: bytes) -> tuple[bytes, bytes]:
    """Return XMP that names its extension by its hash; what has no room becomes an extension."""
    if not extension:
        xmp, extension = _NAMING % bytes(32), xmp
    return _HASH.sub(rb"\g<1>" + _hash(extension), xmp) if _HASH.search(xmp) else _NAMING % _hash(extension), extension


def _hash(extension: bytes) -> bytes:
    return hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()


def _extensions(extension: bytes) -> Iterator[bytes]:
    for number, part in enumerate(_cut(extension, _PART)):
        head = _EXTENSION + _hash(extension) + struct.pack(">II", len(extension), number * _PART)
        yield _segment(_APP1, head + part)


def _resources(about: About) -> bytes:
    """Return Photoshop's resources; IPTC, which TIFF has a tag for, is one of them."""
    iptc = b"".join(value for code, _, _, value in about.tags if code == IPTC)
    if not iptc or iptc_of(about.resources):
        return about.resources
    return about.resources + _IPTC_RESOURCE + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)


def without_extension(about: About) -> About:
    """Return what goes where there is no extension: XMP does not name one."""
    if not about.extended_xmp:
        return about
    naming = re.compile(rb"""\s*xmpNote:HasExtendedXMP\s*=\s*("[^"]*"|'[^']*')|<(xmpNote:HasExtendedXMP)>[^<]*</\2>""")
    return replace(about, xmp=naming.sub(b"", about.xmp), extended_xmp=b"")


def set_density(file: BinaryIO, found: tuple[float, float, int] | None) -> None:
    """Say in a written file's JFIF what its resolution or ratio is."""
    if found is None or not all(0 < number < 1 << 31 for number in found[:2]):
        return
    x, y, unit = found
    if unit == 1:
        ratio = Fraction(x / y).limit_denominator(255)
        x, y = ratio.numerator, ratio.denominator
    if all(1 <= round(number) < 1 << 16 for number in (x, y)):
        file.seek(_DENSITY)
        file.write(struct.pack(">BHH", unit - 1, round(x), round(y)))
