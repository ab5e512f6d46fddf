"""Masks: one for all pictures, or a folder with one for each."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cheq.cli.settings import UsageError
from cheq.pictures import arrays, formats
from cheq.pictures.files import describe
from cheq.pictures.picture import Picture

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def finder(name: str | None) -> Callable[[Path], Mask | None]:
    """Return what finds the mask of a picture by its path below the input folder.

    Parameters
    ----------
    name : str or None
        A picture or ``.npy`` file, which is everyone's mask; a folder with a mask under each picture's relative
        path, with its extension or ``.png`` or ``.npy``; or None.

    Raises
    ------
    UsageError
        If there is no such file or folder, or the file is no mask.
    """
    if name is None:
        return lambda relative: None
    path = Path(name)
    if os.path.isdir(path):
        return lambda relative: _read(_in_folder(path, relative))
    if not os.path.isfile(path):
        raise UsageError(f"--mask '{name}' does not exist")
    try:
        mask = _read(path)
    except Exception as error:
        raise UsageError(f"--mask '{name}': {describe(error, path)}") from None
    return lambda relative: mask


def _in_folder(folder: Path, relative: Path) -> Path:
    for candidate in (relative, relative.with_suffix(".png"), relative.with_suffix(".npy")):
        if os.path.isfile(folder / candidate):
            return folder / candidate
    raise ValueError(f"there is no mask for it: {folder / relative.with_suffix('.png')} does not exist")


def _read(path: Path) -> Mask:
    """Return a mask as it is seen: True where a picture is not black, or an array is not 0."""
    if path.suffix.lower() == ".npy":
        return np.asarray(arrays.mapped(path) != 0)
    return np.asarray((np.atleast_3d(formats.upright(formats.read(path)).opaque) != 0).any(axis=-1))


def lying(mask: Mask | None, picture: Picture) -> Mask | None:
    """Return a mask, made for a picture as it is seen, as the picture's own pixels lie."""
    if mask is None or mask.ndim != 2:
        return mask
    turned = _fitting(formats.as_stored(mask, picture), picture)
    stored = picture.pixels.shape[:2]
    if any(side not in (1, whole) for side, whole in zip(turned.shape, stored, strict=True)):
        seen = formats.upright(picture).pixels.shape[:2]
        sizes = (f"{width} x {height}" for height, width in (mask.shape, seen))
        raise ValueError("mask: it has {} pixels, and the picture, as one sees it, {}".format(*sizes))
    return turned


def _fitting(mask: Mask, picture: Picture) -> Mask:
    """Return the mask of a smaller copy: of the whole's, the pixels in the middle of what each pixel covers."""
    whole = picture.reduces
    if whole is None or mask.shape != whole.pixels.shape[:2]:
        return mask
    sides = zip(picture.pixels.shape, mask.shape, strict=False)
    return mask[np.ix_(*((np.arange(few) * 2 + 1) * many // (2 * few) for few, many in sides))]
