"""CLAHE as scikit-image's ``equalize_adapthist`` defines it: its arguments, and the call of the core."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from functools import partial
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from cheq import _arguments, _call, _methods
from cheq._core import floating, tiles

if TYPE_CHECKING:
    from cheq._call import Call, Work
    from cheq._typing import ArrayLike, Axes, DType

DTYPES = ("uint8", "uint16", "int16", "bool", "float32", "float64")

# scikit-image's defaults; of kernel_size an eighth of every side.
_CLIP_LIMIT = 0.01
_NBINS = 256
_TILES = 8


def check(
    images: ArrayLike,
    clip_limit: ArrayLike | None,
    kernel_size: float | Iterable[float] | None,
    nbins: int | None,
    axes: Axes,
    channel_axis: int | None,
    dtype: DType,
    num_threads: int | None,
) -> tuple[Call, np.dtype[Any], Work]:
    """`_clahe.check` with ``method="skimage"``."""
    limit = _CLIP_LIMIT if clip_limit is None else _as_limit(clip_limit)
    bins = _NBINS if nbins is None else _arguments.as_bins("nbins", nbins)
    array = _arguments.as_array("images", images)
    if array.dtype.name == "float16":
        raise TypeError(
            f"images: expected dtype {_arguments.listed(DTYPES)}, got float16, in which scikit-image's levels "
            "overflow; convert with images.astype(np.float32)"
        )
    call = _call.of_planes(array, DTYPES, axes, channel_axis, None, num_threads)
    kind = call.images.dtype
    same = _arguments.is_same(dtype, kind)
    tile = _as_tile(kernel_size, call.images.shape[call.n_batch :])
    return call, _methods.SKIMAGE.result(kind, same), partial(_adapt, call, tile, limit, bins)


def _adapt(call: Call, tile: tuple[int, ...], limit: float, bins: int) -> None:
    if call.images.dtype.kind == "f":
        _check_range(call)
    tiles.adapt(call, tile, limit, bins)


def _as_limit(clip_limit: ArrayLike) -> float:
    limit = _arguments.as_array("clip_limit", clip_limit)
    if limit.ndim > 0:
        raise ValueError(f"clip_limit: expected one number with method 'skimage', got an array of shape {limit.shape}")
    if limit.dtype.kind not in "fiu":
        raise TypeError(f"clip_limit: expected a number, got {_arguments.shown(clip_limit)}")
    number = float(limit)
    if math.isnan(number):
        raise ValueError("clip_limit: expected a number, got NaN")
    if number > 1:
        raise ValueError(
            f"clip_limit: expected at most 1 with method 'skimage', the share of a tile's pixels that a bin may hold; "
            f"got {number}; OpenCV's limit is 256 times scikit-image's: {number} there is {number / 256} here"
        )
    return number


def _as_tile(kernel_size: float | Iterable[float] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides of a tile."""
    if kernel_size is None:
        tile = tuple(max(side // _TILES, 1) for side in shape)
    else:
        tile = _as_sides(kernel_size, len(shape))
    if math.prod(tile) > tiles.MOST_TILE_PIXELS:
        raise ValueError(
            f"kernel_size: expected tiles of at most {tiles.MOST_TILE_PIXELS} pixels, "
            f"got {_arguments.shown(kernel_size)}, so {tile}"
        )
    long = [side for side, of_tile in zip(shape, tile, strict=True) if side > 1 or of_tile > 1]
    if len(long) > tiles.MOST_AXES:
        raise ValueError(f"axes: expected planes of at most {tiles.MOST_AXES} axes longer than 1, got shape {shape}")
    return tile


def _as_sides(kernel_size: float | Iterable[float], ndim: int) -> tuple[int, ...]:
    expected = f"kernel_size: expected a number, or one for each of the {ndim} axes of a plane"
    try:
        several: Iterable[Any] = repeat(kernel_size, ndim) if isinstance(kernel_size, numbers.Real) else kernel_size  # type: ignore[assignment]
        sides = list(islice(several, ndim + 1))
    except TypeError:
        raise TypeError(f"{expected}, got {_arguments.shown(kernel_size)}") from None
    if len(sides) != ndim:
        raise ValueError(f"{expected}, got {_arguments.shown(kernel_size)}")
    if any(isinstance(side, bool) or not isinstance(side, numbers.Real) for side in sides):
        raise TypeError(f"{expected}, got {_arguments.shown(kernel_size)}")
    if not all(1 <= side < math.inf for side in sides):  # nor NaN
        raise ValueError(f"kernel_size: expected 1 or more pixels along each axis, got {_arguments.shown(kernel_size)}")
    return tuple(int(side) for side in sides)


def _check_range(call: Call) -> None:
    """Raise unless floats are from -1 to 1, as scikit-image demands; NaN, which it would count as anything, is not."""
    wrong = floating.find_outside(call, -1.0, 1.0)
    if wrong is not None:
        plane, value = wrong
        index = tuple(map(int, np.unravel_index(plane, call.batch))) if call.batch else ()
        found = "NaN" if math.isnan(value) else "an infinity" if math.isinf(value) else value
        where = f" in plane {index}" if call.batch else ""
        raise ValueError(f"images: expected values from -1 to 1, got {found}{where}")
