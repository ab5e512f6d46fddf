"""NumPy's files: .npy is mapped and not read, so that it may be larger than memory; .npz is taken array by array."""

import os
import shutil
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.lib.format import open_memmap

from cheq.cli.pixels import Equalizer, Pixels
from cheq.cli.settings import Color

EXTENSIONS = frozenset({".npy", ".npz"})

_BLOCK = 64 << 20  # bytes of an array that are made gray at a time to be counted


def read(source: Path) -> Iterator[tuple[str, Pixels]]:
    """Yield the arrays of a file that are images, with their names in an archive."""
    if source.suffix.lower() == ".npy":
        yield "", _mapped(source)
        return
    with _archive(source) as archive:
        yield from ((member.filename, _load(archive, member)) for member in _images(archive))


def count(source: Path, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Add a file's arrays to the shared histograms."""
    settings = equalizer.settings
    for _, images in read(source):
        _check_color(images, equalizer)
        for block in _blocks(images, settings.channel_axis):
            equalizer.count(block, settings.channel_axis, mask, settings.threads)


def equalize(source: Path, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write a file's arrays, those that are images equalized."""
    if source.suffix.lower() == ".npy":
        _equalize_mapped(_mapped(source), file, equalizer, mask)
    else:
        _equalize_archive(source, file, equalizer, mask)


def _check_color(images: Pixels, equalizer: Equalizer) -> None:
    """Refuse to pass over a --color for an array whose channels may be any axis of three or four."""
    settings = equalizer.settings
    if settings.color is Color.CHANNELS or settings.channel_axis is not None:
        return
    if images.ndim > 2 and {3, 4} & {images.shape[-1], images.shape[-3]}:
        raise ValueError(f"--color {settings.color} of an array of shape {images.shape} needs its --channel-axis")


def _mapped(source: Path) -> Pixels:
    _refuse_empty(source)
    try:
        # Unlike np.load, this knows no pickles and no archives, and calls a damaged file damaged.
        return open_memmap(source, mode="r")
    except ValueError as error:
        raise ValueError(f"not an array that can be read: {error}") from error


def _refuse_empty(source: Path) -> None:
    if source.stat().st_size == 0:
        raise ValueError("the file is empty")


def _equalize_mapped(images: Pixels, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write the result through memory that is mapped too."""
    _check_color(images, equalizer)
    settings = equalizer.settings
    shape, axis = images.shape, settings.channel_axis
    if equalizer.makes_gray(axis) and axis is not None and -len(shape) <= axis < len(shape):
        shape = tuple(length for each, length in enumerate(shape) if each != axis % len(shape))
    if not images.size or not images.ndim:  # nothing to map; and what is wrong is said before anything is written
        npy.write_array(file, equalizer.equalize(images, axis, mask, settings.threads), allow_pickle=False)
        return
    dtype = images.dtype.newbyteorder("=")
    form = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_2_0(file, form)
    start, size = file.tell(), int(np.prod(shape, dtype=object)) * dtype.itemsize
    _reserve(file, start, size)
    result = np.memmap(file, dtype, "r+", start, shape)
    equalizer.equalize(images, axis, mask, settings.threads, out=result)
    result.flush()


def _reserve(file: BinaryIO, start: int, size: int) -> None:
    """Take the room on the disk now: writing to mapped memory that has none ends the process."""
    file.flush()
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), start, size)
    else:
        file.truncate(start + size)
    file.seek(0, os.SEEK_END)


def _blocks(images: Pixels, axis: int | None) -> Iterator[Pixels]:
    """Yield an array in parts of which copies fit into memory, where its first axis is a batch axis."""
    planes = 2 if axis is None else 3
    if images.ndim <= planes or not images.size or (axis is not None and axis % images.ndim == 0):
        yield images
        return
    step = max(1, _BLOCK // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        yield images[start : start + step]


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
    """Look at an array's header alone."""
    if not member.filename.endswith(".npy"):
        return False
    with archive.open(member) as file:
        try:
            version = npy.read_magic(file)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read_header(file)
        except ValueError:
            return False
    return len(shape) > 1 and dtype.kind == "u" and dtype.itemsize < 3


def _load(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Pixels:
    with archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))


def _equalize_archive(source: Path, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write an archive; what is no image is copied as it is."""
    settings = equalizer.settings
    with _archive(source) as archive, zipfile.ZipFile(file, "w", allowZip64=True) as target:
        images = _images(archive)
        others = [member for member in archive.infolist() if member not in images]
        if others:
            kept = ", ".join(member.filename.removesuffix(".npy") for member in others)
            warnings.warn(f"kept as they are, being no uint8 or uint16 images: {kept}", UserWarning, stacklevel=2)
        for member in archive.infolist():
            written = zipfile.ZipInfo(member.filename, member.date_time)
            written.compress_type = member.compress_type
            with target.open(written, "w", force_zip64=True) as part:
                if member in images:
                    pixels = _load(archive, member)
                    _check_color(pixels, equalizer)
                    result = equalizer.equalize(pixels, settings.channel_axis, mask, settings.threads)
                    npy.write_array(part, result, allow_pickle=False)
                else:
                    with archive.open(member) as content:
                        shutil.copyfileobj(content, part)
