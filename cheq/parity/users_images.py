"""The user's own images: arrays, pictures and .npy files become cases, large batches in pieces."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cheq.parity.inputs import UNITS, Array, Input
from cheq.parity.questions import FLOATS, INTEGERS
from cheq.parity.suite import Case
from cheq.pictures import arrays

Given = Array | str | os.PathLike[str]

EXTENSIONS = (
    *(".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".ppm", ".pnm", ".pgm"),
    *(".jp2", ".j2k", ".avif"),
)
PART = "given images"

# Pixels of a batch that are compared at once: float64 of them, of which there are several at a time, take 32 MB.
_PIECE = 1 << 22


def cases(given: Iterable[Given], channel_axis: int | None) -> tuple[list[Case], list[str]]:
    """Return the cases, and a line for everything that cannot be one; pictures are read when their turn comes."""
    found: list[Case] = []
    errors: list[str] = []
    for name, images in _listed(given, errors):
        try:
            if isinstance(images, Path) and images.suffix.lower() != ".npy":
                found += _pictures(name, images)
            else:
                array = arrays.mapped(images) if isinstance(images, Path) else images
                found += _pieces(name, array, channel_axis)
        except Exception as error:  # damaged files make libraries raise nearly anything
            errors.append(f"{name}: {' '.join(str(error).split())}")
    return found, errors


def _listed(given: Iterable[Given], errors: list[str]) -> Iterator[tuple[str, Array | Path]]:
    for number, one in enumerate(given):
        if isinstance(one, np.ndarray):
            yield f"array {number}", one
            continue
        path = Path(one)
        if not path.exists():
            errors.append(f"{path}: no such file or folder")
        elif not path.is_dir():
            yield str(path), path
        else:
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in EXTENSIONS)
            if not files:
                errors.append(f"{path}: no file with a known extension in this folder")
            yield from ((str(file), file) for file in files)


def _pieces(name: str, array: Array, channel_axis: int | None) -> Iterator[Case]:
    """Cut an array along its first axis, if that is a batch axis; refuse what cheq does not take."""
    if array.dtype.newbyteorder("=").name not in (*INTEGERS, "bool", *FLOATS):
        raise ValueError(f"dtype {array.dtype} is not one that cheq takes")
    if channel_axis is not None and not -array.ndim <= channel_axis < array.ndim:
        raise ValueError(f"channel_axis {channel_axis} is not an axis of shape {array.shape}")
    own_axes = 2 + (channel_axis is not None)
    if array.ndim < own_axes or not array.size:
        raise ValueError(f"shape {array.shape} holds no image")
    batch = array.ndim > own_axes and (channel_axis is None or channel_axis % array.ndim != 0)
    step = max(1, _PIECE * len(array) // array.size) if batch else len(array)
    for start in range(0, len(array), step):
        part = slice(start, min(start + step, len(array)))
        label = name if step >= len(array) else f"{name}[{part.start}:{part.stop}]"
        yield Case(PART, label, partial(_piece, array, part, channel_axis), True)


def _piece(array: Array, part: slice, channel_axis: int | None) -> Input:
    images = np.ascontiguousarray(array[part], array.dtype.newbyteorder("="))
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise ValueError("it holds NaN or infinities, which the references refuse")
    # Said explicitly where a last axis could be taken for colors.
    axes = (-2, -1) if channel_axis is None and images.ndim > 2 else None
    return Input(images, channel_axis=channel_axis, axes=axes, units=UNITS)


def _pictures(name: str, path: Path) -> Iterator[Case]:
    """A case for each page; the pixels are read when its turn comes."""
    pictures = _reader()
    pages = pictures.wholes(path)
    for page in pages:
        label = name if len(pages) == 1 else f"{name}, page {page + 1}"
        yield Case(PART, label, partial(_picture, path, page), True)


def _picture(path: Path, page: int) -> Input:
    """The pixels of a picture without alpha, which is not equalized."""
    picture = next(_reader().pages(path, page))
    return Input(np.ascontiguousarray(picture.opaque), channel_axis=picture.channel_axis, units=UNITS)


def _reader() -> Any:
    """What the command line reads pictures with."""
    try:
        return import_module("cheq.pictures.formats")
    except ImportError as error:
        raise ValueError(f"pictures need {error.name}: pip install 'cheq[cli]'") from None
