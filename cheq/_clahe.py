"""CLAHE: contrast limited adaptive histogram equalization, tile by tile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from cheq import _arguments, _call, _methods
from cheq._core import tiles

if TYPE_CHECKING:
    from typing import Literal, Unpack

    import numpy.typing as npt

    from cheq._call import Call
    from cheq._typing import Array, ArrayLike, Axes, DType, Level, Masked, Outside

_METHODS = ("opencv",)
_COLORS = ("channels",)

# OpenCV's defaults.
_CLIP_LIMIT = 40.0
_TILE_GRID_SIZE = (8, 8)

_MOST = (1 << 31) - 1  # tiles along an axis, pixels of a tile and counts of a bin: OpenCV's int


@overload
def clahe(
    images: npt.NDArray[Level],
    *,
    clip_limit: ArrayLike | None = ...,
    tile_grid_size: Iterable[int] | None = ...,
    method: Literal["opencv"] = ...,
    color: Literal["channels"] = ...,
    out: Array | None = ...,
    dtype: DType = ...,
    **options: Unpack[Masked],
) -> npt.NDArray[Level]: ...
@overload
def clahe(
    images: ArrayLike,
    *,
    clip_limit: ArrayLike | None = ...,
    tile_grid_size: Iterable[int] | None = ...,
    method: Literal["opencv"] = ...,
    color: Literal["channels"] = ...,
    out: Array | None = ...,
    dtype: DType = ...,
    **options: Unpack[Masked],
) -> Array: ...
def clahe(
    images: ArrayLike,
    *,
    clip_limit: ArrayLike | None = None,
    tile_grid_size: Iterable[int] | None = None,
    method: Literal["opencv"] = "opencv",
    color: Literal["channels"] = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    outside: Outside = "lut",
    out: Array | None = None,
    dtype: DType = None,
    num_threads: int | None = None,
) -> Array:
    """
    Equalize every image of a batch locally: contrast limited adaptive histogram equalization (CLAHE).

    Each tile of an image has a histogram and a lookup table (LUT) of its own, and a pixel becomes what the LUTs of the
    four tiles around it say, weighted by how near their centers are.

    Parameters
    ----------
    images : array_like of uint8 or uint16, shape (..., height, width)
        One image or a batch with any number of batch axes. Any strides are taken without a copy; the array is not
        changed (unless it is `out`).
    clip_limit : float or array_like of float, default: 40.0
        How many times the average bin of a tile's histogram a bin may hold; what is above it is shared out among all
        bins. The lower, the less contrast; 0 or less: no limit. An array broadcasts to the batch shape, a limit for
        each plane, or, with `channel_axis` and fewer axes, to the batch shape without channels.
    tile_grid_size : (int, int), default: (8, 8)
        The number of columns and of rows of tiles, each at least 1; more than pixels will do.
    method : {"opencv"}
        Whose definition is used: ``cv2.createCLAHE(clip_limit, tile_grid_size).apply``, byte for byte for each plane.
    color : {"channels"}, optional
        What is equalized in color images: every channel on its own.
    axes : (int, int), optional
        The axes of height and width. By default the last two, not counting `channel_axis`.
    channel_axis : int, optional
        The axis of R, G, B: each channel is equalized on its own.
    mask : array_like of bool, optional
        Only pixels under True are counted, and a tile's size is their number; a tile without any leaves levels as they
        are. It broadcasts against the images' shape or, with `channel_axis` and fewer axes than the images, against
        their shape without the channel axis.
    outside : {"lut", "keep"}, optional
        What pixels outside `mask` become. ``"lut"``: what the LUTs say. ``"keep"``: they keep their value.
    out : ndarray, shape and dtype of images, optional
        Where the result is written; `images` itself works in place. With other overlapping memory the result is as if
        `images` had been copied first.
    dtype : None, "same" or the images' dtype, optional
        The result's dtype, which is the images'.
    num_threads : int, optional
        The most threads to use, as for `equalize`.

    Returns
    -------
    ndarray, shape and dtype of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError
        If a dtype is not one that the method takes (nothing is converted silently), if `images` is a masked array, or
        if a number is not one.
    ValueError
        If an option, an axis, a shape or a number is out of range, `clip_limit` is NaN or so large that its number of
        pixels is not below 2**31 (OpenCV's result is undefined there), or if `out` is read-only or overlaps itself.
        Also if neither `axes` nor `channel_axis` is given for images whose last axis looks like channels, as in
        `equalize`. Nothing has been written then.

    See Also
    --------
    equalize : the same with one histogram for each plane.

    Notes
    -----
    The definition is OpenCV's, ``modules/imgproc/src/clahe.cpp``. Where the grid does not divide the image, both sides
    grow, by at least a pixel, until it does; the pixels that are added mirror those at the edge. A tile of a pixels
    whose levels are N in number, 256 or 65,536, may hold ``max(int(clip_limit * a / N), 1)`` of each level; the others
    are shared out among all N. Level v becomes ``round(c[v] * ((N - 1) / a))`` for the running count c, and a pixel the
    mean of four such levels, weighted along rows first and then along columns, in float32, rounded half to even.

    Ctrl-C (``KeyboardInterrupt``) during a long call leaves each plane of `out` either finished or untouched, as in
    `equalize`. Beside the result a thread needs the LUTs of two rows of tiles and 0.3 MB, or threads that share a plane
    those of all its tiles: 256 bytes each, 131,072 with uint16.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> scans = np.random.default_rng(0).integers(90, 120, (10, 224, 224), dtype=np.uint8)
    >>> clear = cheq.clahe(scans, clip_limit=2.0, tile_grid_size=(8, 8))
    >>> clear.shape, clear.dtype
    ((10, 224, 224), dtype('uint8'))
    """
    _arguments.as_choice("method", method, _METHODS)
    _arguments.as_choice("color", color, _COLORS)
    keeps = _arguments.keeps(outside, mask)
    grid = _TILE_GRID_SIZE if tile_grid_size is None else _as_grid(tile_grid_size)
    limits = np.array(_CLIP_LIMIT) if clip_limit is None else _as_limits(clip_limit)
    call = _call.of_planes(images, _methods.OPENCV.dtypes, axes, channel_axis, mask, num_threads)
    call.keeps = keeps
    if call.images.ndim - call.n_batch != 2:
        raise ValueError(f"axes: expected two axes, height and width, got {axes!r}")
    if dtype is not None:
        _arguments.is_same(dtype, call.images.dtype)
    tile = _tile_of(call.images.shape[-2:], grid)
    if limits.ndim > 0:
        limits = _of_planes(limits, call, channel_axis)
    _check_limits(limits, tile, _methods.levels_of(call.images.dtype))
    result = call.give(out, call.images.dtype)
    tiles.equalize(call, limits, grid, tile)
    return result


def _as_grid(tile_grid_size: Iterable[int]) -> tuple[int, int]:
    try:
        columns, rows = tile_grid_size
    except (TypeError, ValueError):
        raise ValueError(f"tile_grid_size: expected two ints, (columns, rows), got {tile_grid_size!r}") from None
    grid = tuple(_arguments.as_int("tile_grid_size", number, "two ints") for number in (columns, rows))
    if min(grid) < 1 or max(grid) > _MOST:
        raise ValueError(f"tile_grid_size: expected 1 to {_MOST} columns and rows, got {tile_grid_size!r}")
    return grid[0], grid[1]


def _as_limits(clip_limit: ArrayLike) -> npt.NDArray[np.float64]:
    limits = _arguments.as_array("clip_limit", clip_limit)
    if limits.dtype.kind not in "fiu":
        raise TypeError(f"clip_limit: expected a number or an array of numbers, got dtype {limits.dtype}")
    return limits.astype(np.float64)


def _tile_of(shape: tuple[int, ...], grid: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height of a tile: of the images, if their sides are multiples of the grid's, or else of ones
    that have grown, both.
    """
    sides = shape[::-1]
    if any(side % number for side, number in zip(sides, grid, strict=True)):
        sides = tuple(side + number - side % number for side, number in zip(sides, grid, strict=True))
    width, height = (side // number for side, number in zip(sides, grid, strict=True))
    if width * height > _MOST:
        raise ValueError(
            f"tile_grid_size: expected tiles of at most {_MOST} pixels, got {grid}, so tiles of {width} x {height}"
        )
    return width, height


def _of_planes(limits: npt.NDArray[np.float64], call: Call, channel_axis: int | None) -> npt.NDArray[np.float64]:
    """Return limits as one a plane, contiguous."""
    channel = None
    if channel_axis is not None:
        axis = _arguments.axis_index("channel_axis", channel_axis, len(call.shape))
        channel = axis if call.order is None else call.order.index(axis)
    without = "the batch shape without channel_axis"
    return np.ascontiguousarray(_arguments.broadcast("clip_limit", limits, call.batch, channel, without))


def _check_limits(limits: npt.NDArray[np.float64], tile: tuple[int, int], levels: int) -> None:
    """Raise unless each gives a number of pixels that an int holds; elsewhere OpenCV's answer is undefined."""
    highest: Any = limits.max(initial=0.0)
    if np.isnan(highest):
        raise ValueError("clip_limit: expected numbers, got NaN")
    with np.errstate(over="ignore"):
        if highest * (tile[0] * tile[1]) / levels >= 1 << 31:
            raise ValueError(
                f"clip_limit: expected fewer than {1 << 31} pixels, clip_limit * {tile[0]} * {tile[1]} / {levels}, "
                f"got clip_limit={highest}; 0 is no limit"
            )
