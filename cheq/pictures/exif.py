"""EXIF, byte for byte: a block is the directories of a TIFF, whose values keep the types that they were written with.

Values are taken as they stand, in the block's byte order, and written in the same.
"""

import struct
import warnings
from collections.abc import Callable, Container
from typing import NamedTuple

ORIENTATION, X, Y, UNIT = 274, 282, 283, 296
START = b"Exif\0\0"  # before the block itself, in some formats

# Bytes of a value of each type (TIFF 6.0, section 2, its supplement 1 and BigTIFF).
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_BIG_ONLY = {16, 17, 18}
_SHORT, _LONG, _RATIONAL = 3, 4, 5

Pointers = dict[int, "Pointers"]
POINTERS: Pointers = {
    0x8769: {0xA005: {}},
    0x8825: {},
}  # to the directories of exposures, with interoperability, and GPS


class Value(NamedTuple):
    """What a directory has under a code: a type, how many of it there are, and the bytes."""

    kind: int
    number: int
    content: bytes


Directory = dict[int, "Value | Directory"]


class Layout(NamedTuple):
    """How numbers are written: byte order as `struct` has it, and whether offsets have 64 bits."""

    order: str
    big: bool = False

    @property
    def number(self) -> struct.Struct:
        """How many entries a directory has."""
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def entry(self) -> struct.Struct:
        """Code, type, count, and the value or its place."""
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def offset(self) -> struct.Struct:
        """A place."""
        return struct.Struct(self.order + ("Q" if self.big else "I"))


# ---------------------------------------------------------------- reading


def read(
    source: Callable[[int, int], bytes],
    place: int,
    layout: Layout,
    pointers: Pointers = POINTERS,
    without: Container[int] = (),
    quiet: bool = False,
) -> Directory:
    """Read a directory with those that it points to.

    Parameters
    ----------
    source : callable
        Returns so many bytes from a place on; fewer where there are no more.
    place : int
        Where the directory is.
    layout : Layout
        How numbers are written.
    pointers : dict
        Codes that point to other directories, each with those of its own.
    without : container of int
        Codes that are passed over.
    quiet : bool
        Whether what is damaged is passed over without a warning.

    Raises
    ------
    ValueError
        If the directory lies outside.

    Warns
    -----
    UserWarning
        If a value, or a directory that is pointed to, lies outside and is left out.
    """
    found: Directory = {}
    head = _all(source, place, layout.number.size)
    entries = _all(source, place + len(head), layout.number.unpack(head)[0] * layout.entry.size)
    for code, kind, count, where in layout.entry.iter_unpack(entries):
        if code in without or code in found or not count:
            continue
        try:
            if code in pointers:
                found[code] = read(source, layout.offset.unpack(where)[0], layout, pointers[code], (), quiet)
            else:
                found[code] = Value(kind, count, _value(source, kind, count, where, layout))
        except ValueError:
            if not quiet:
                warnings.warn(f"its tag {code} is damaged and left out", UserWarning, stacklevel=2)
    return found


def _value(source: Callable[[int, int], bytes], kind: int, count: int, where: bytes, layout: Layout) -> bytes:
    if kind not in _SIZES:
        raise ValueError(f"type {kind} is not known")
    size = _SIZES[kind] * count
    return where[:size] if size <= len(where) else _all(source, layout.offset.unpack(where)[0], size)


def _all(source: Callable[[int, int], bytes], place: int, size: int) -> bytes:
    content = source(place, size)
    if len(content) != size:
        raise ValueError("it lies outside")
    return content


def layout_of(block: bytes) -> Layout:
    """Return how a block's numbers are written; ValueError if it is none."""
    if block[:4] not in (b"II*\0", b"MM\0*"):
        raise ValueError("it does not begin as EXIF")
    return Layout("<" if block[:2] == b"II" else ">")


def parse(block: bytes, quiet: bool = False) -> Directory:
    """Return what a block says; nothing of an empty one.

    Raises
    ------
    ValueError
        If it is none, or its first directory lies outside.
    """
    if not block:
        return {}
    layout = layout_of(block)
    (place,) = layout.offset.unpack(block[4:8].ljust(4, b"\xff"))
    return read(lambda start, size: block[start : start + size], place, layout, quiet=quiet)


# ---------------------------------------------------------------- writing


def packed(directory: Directory, place: int, layout: Layout) -> bytes:
    """Return a directory as it stands at an even place, with those that it points to behind it."""
    kept = {
        code: value
        for code, value in sorted(directory.items())
        if value and (isinstance(value, dict) or layout.big or value.kind not in _BIG_ONLY)
    }
    entries, behind = [], b""
    start = place + layout.number.size + len(kept) * layout.entry.size + layout.offset.size
    for code, value in kept.items():
        there = start + len(behind)
        if isinstance(value, dict):
            kind, count, content = _LONG, 1, layout.offset.pack(there)
            if layout.big:
                kind = 18  # IFD8
            behind += packed(value, there, layout)
        else:
            kind, count, content = value
            if len(content) > layout.offset.size:
                behind += content + bytes(len(content) % 2)
                content = layout.offset.pack(there)
        entries.append(layout.entry.pack(code, kind, count, content))
    return b"".join([layout.number.pack(len(kept)), *entries, bytes(layout.offset.size), behind])


def block_of(directory: Directory, order: str) -> bytes:
    """Return a directory as a block of EXIF; nothing for an empty one."""
    if not directory:
        return b""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + packed(directory, 8, Layout(order))


# ---------------------------------------------------------------- single values


def orientation(block: bytes) -> int:
    """Return the orientation that a block names, 1 where it names none."""
    if not block:
        return 1
    return int((numbers(parse(block, quiet=True), ORIENTATION, layout_of(block).order) or [1])[0])


def numbers(directory: Directory, code: int, order: str) -> list[float]:
    """Return the numbers under a code; none where they are of another type, or one divides by zero."""
    value = directory.get(code)
    if not isinstance(value, Value) or value.kind not in (_SHORT, _LONG, _RATIONAL):
        return []
    form = "H" if value.kind == _SHORT else "I"
    found = [number for (number,) in struct.iter_unpack(order + form, value.content)]
    if value.kind != _RATIONAL:
        return list(found)
    if not all(found[1::2]):
        return []
    return [top / bottom for top, bottom in zip(found[::2], found[1::2], strict=True)]


def resolution(directory: Directory, order: str) -> tuple[float, float, int] | None:
    """Return pixels horizontally and vertically for each unit, and the unit (inches where none is named)."""
    x, y, unit = (numbers(directory, code, order) for code in (X, Y, UNIT))
    found = int(unit[0]) if unit else 2
    if not (x and y and x[0] and y[0] and found in (1, 2, 3)):
        return None
    # A ratio alone says something of pixels that are not square.
    return None if found == 1 and x[0] == y[0] else (x[0], y[0], found)


def with_resolution(block: bytes, found: tuple[float, float, int]) -> bytes:
    """Return a block that names a resolution, if 32 bits can; one that names its own keeps it."""
    directory, order = parse(block), order_of(block)
    if X in directory or Y in directory or not all(1e-3 < number < 1e5 for number in found[:2]):
        return block
    for code, number in zip((X, Y), found, strict=False):
        directory[code] = Value(_RATIONAL, 1, struct.pack(order + "II", *_ratio(number)))
    directory[UNIT] = Value(_SHORT, 1, struct.pack(order + "H", found[2]))
    return block_of(directory, order)


def _ratio(number: float) -> tuple[int, int]:
    scale = 1 if number == round(number) else 10**4
    return round(number * scale), scale


def order_of(block: bytes) -> str:
    """Return the byte order of a block's numbers, that of most machines for an empty one."""
    return layout_of(block).order if block else "<"


def without_thumbnail(block: bytes) -> bytes:
    """Cut off the second directory, which is the thumbnail's; the first names its place last."""
    if not block:
        return b""
    layout = layout_of(block)
    order = layout.order
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        (entries,) = struct.unpack_from(order + "H", block, first)
        pointer = first + 2 + 12 * entries
        (second,) = struct.unpack_from(order + "I", block, pointer)
    except struct.error:
        return block
    if not second:
        return block
    try:
        where = read(lambda start, size: block[start : start + size], second, layout, {}, quiet=True)
    except ValueError:
        where = {}
    start, length = (int((numbers(where, code, order) or [0])[0]) for code in (513, 514))
    block = block[:pointer] + bytes(4) + block[pointer + 4 :]
    if start and length:
        block = block[:start] + bytes(len(block[start : start + length])) + block[start + length :]
    return block
