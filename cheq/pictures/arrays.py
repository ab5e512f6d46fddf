"""NumPy's files: .npy is mapped and not read, so that it may be larger than memory; .npz is taken array by array."""

import io
import math
import os
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.lib.format import open_memmap

from cheq.pictures import Pixels

EXTENSIONS = frozenset({".npy", ".npz"})

# How files begin (numpy.lib.format; APPNOTE.TXT 4.3.7 for archives).
START, START_OF_ARCHIVE = npy.MAGIC_PREFIX, b"PK\3\4"

_LONGEST_HEADER = 1 << 14  # bytes; NumPy itself takes 10,000 beside the start


def read(source: Path) -> Iterator[tuple[str, Pixels]]:
    """Yield the arrays of a file that are images, with their names in an archive."""
    if source.suffix.lower() == ".npy":
        yield "", mapped(source)
        return
    with _archive(source) as archive:
        yield from ((member.filename, _load(archive, member)) for member in _images(archive))


def mapped(source: Path) -> Pixels:
    """Return the array of a .npy file, whose memory is the file's.

    Raises
    ------
    ValueError
        If it is damaged, or holds Python objects.
    """
    _refuse_empty(source)
    try:
        # Unlike np.load, this knows no pickles and no archives, and calls a damaged file damaged.
        return open_memmap(source, mode="r")
    except ValueError as error:
        raise ValueError(f"not an array that can be read: {error}") from error


def _refuse_empty(source: Path) -> None:
    if source.stat().st_size == 0:
        raise ValueError("the file is empty")


def create(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.memmap[Any, np.dtype[Any]]:
    """Make an array in a file, of which writing to the result's memory sets the values; `flush` it at the end."""
    form = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_2_0(file, form)
    start, size = file.tell(), int(np.prod(shape, dtype=object)) * dtype.itemsize
    _reserve(file, start, size)
    return np.memmap(file, dtype, "r+", start, shape)


def write(file: BinaryIO, array: Pixels) -> None:
    """Write an array."""
    npy.write_array(file, array, allow_pickle=False)


def _reserve(file: BinaryIO, start: int, size: int) -> None:
    """Take the room on the disk now: writing to mapped memory that has none ends the process."""
    file.flush()
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), start, size)
    else:
        file.truncate(start + size)
    file.seek(0, os.SEEK_END)


# ---------------------------------------------------------------- archives


def _archive(source: Path) -> zipfile.ZipFile:
    _refuse_empty(source)
    try:
        return zipfile.ZipFile(source)
    except zipfile.BadZipFile:
        raise ValueError("not an .npz archive, or a damaged one") from None


def _images(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members that are images: 8-bit or 16-bit levels, and at least height and width."""
    found = [member for member in archive.infolist() if _is_image(archive, member)]
    if not found:
        raise ValueError("no array of dtype uint8 or uint16 with two or more axes is in it")
    return found


def _is_image(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Look at an array's header alone; refuse one that claims too many pixels.

    Raises
    ------
    ValueError
        If a member's name leads out of the folder into which archives are unpacked.
    """
    parts = member.filename.replace("\\", "/").split("/")
    if ".." in parts or not parts[0] or ":" in parts[0]:
        raise ValueError(f"the archive is not safe: a member is named {member.filename!r}")
    if not member.filename.endswith(".npy"):
        return False
    with archive.open(member) as content:
        file = io.BytesIO(content.read(_LONGEST_HEADER))
    try:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
    except ValueError:
        return False
    found = len(shape) > 1 and dtype.kind == "u" and dtype.itemsize < 3
    if found:
        _refuse_bomb(math.prod(shape))
    return found


def _load(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Pixels:
    with archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))


def rewrite(source: Path, file: BinaryIO, change: Callable[[Pixels], Pixels]) -> None:
    """Write an archive anew with its images changed; what is no image is copied as it is, with a warning."""
    with _archive(source) as archive, zipfile.ZipFile(file, "w", allowZip64=True) as target:
        images = _images(archive)
        others = [member for member in archive.infolist() if member not in images]
        _refuse_bomb(0, sum(member.file_size for member in others))
        if others:
            kept = ", ".join(member.filename.removesuffix(".npy") for member in others)
            warnings.warn(f"kept as they are, not uint8 or uint16 images: {kept}", UserWarning, stacklevel=2)
        for member in archive.infolist():
            written = zipfile.ZipInfo(member.filename, member.date_time)
            written.compress_type = member.compress_type
            with target.open(written, "w", force_zip64=True) as part:
                if member in images:
                    npy.write_array(part, change(_load(archive, member)), allow_pickle=False)
                else:
                    with archive.open(member) as content:
                        shutil.copyfileobj(content, part)


def _refuse_bomb(pixels: int, size: int = 0) -> None:
    from cheq.pictures.picture import refuse_bomb  # with Pillow, which .npy files need not load

    refuse_bomb(pixels, size)
