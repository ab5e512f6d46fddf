"""CLAHE: contrast limited adaptive histogram equalization, tile by tile."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from cheq import _adapthist, _arguments, _call, _color, _methods
from cheq._core import tiles

if TYPE_CHECKING:
    from typing import Literal, Unpack

    import numpy.typing as npt

    from cheq._call import Call, Work
    from cheq._typing import (
        Array,
        ArrayLike,
        Axes,
        ClaheMethod,
        ClaheOptions,
        Color,
        DType,
        KernelOptions,
        KernelSize,
        Level,
        Outside,
        Scalar,
        TileOptions,
    )

_METHODS = ("opencv", "skimage")

# OpenCV's defaults.
_CLIP_LIMIT = 40.0
_TILE_GRID_SIZE = (8, 8)

_MOST = (1 << 31) - 1  # tiles along an axis, pixels of a tile and counts of a bin: OpenCV's int


@overload
def clahe(
    images: npt.NDArray[Scalar],
    *,
    dtype: Literal["same"],
    method: ClaheMethod = ...,
    out: Array | None = ...,
    **options: Unpack[ClaheOptions],
) -> npt.NDArray[Scalar]: ...
@overload
def clahe(
    images: npt.NDArray[Level],
    *,
    method: Literal["opencv"] = ...,
    dtype: DType = ...,
    out: Array | None = ...,
    **options: Unpack[TileOptions],
) -> npt.NDArray[Level]: ...
@overload
def clahe(
    images: npt.NDArray[np.float32],
    *,
    method: Literal["skimage"],
    dtype: None = ...,
    out: Array | None = ...,
    **options: Unpack[KernelOptions],
) -> npt.NDArray[np.float32]: ...
@overload
def clahe(
    images: Array,
    *,
    method: Literal["skimage"],
    dtype: None = ...,
    out: Array | None = ...,
    **options: Unpack[KernelOptions],
) -> npt.NDArray[np.float64]: ...
@overload
def clahe(
    images: ArrayLike,
    *,
    method: ClaheMethod = ...,
    dtype: DType = ...,
    out: Array | None = ...,
    **options: Unpack[ClaheOptions],
) -> Array: ...
def clahe(
    images: ArrayLike,
    *,
    clip_limit: ArrayLike | None = None,
    tile_grid_size: Iterable[int] | None = None,
    method: ClaheMethod = "opencv",
    kernel_size: KernelSize = None,
    nbins: int | None = None,
    color: Color = "channels",
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
    images : array_like, shape (..., height, width)
        One image or a batch with any number of batch axes, of a dtype that the method takes. Any strides are taken
        without a copy; the array is not changed (unless it is `out`).
    clip_limit : float or array_like of float, optional
        How much of a tile a bin of its histogram may hold; what is above it is shared out among all bins. The lower,
        the less contrast; 0 or less: no limit. The two methods have different units: c with ``"opencv"`` is c / 256
        with ``"skimage"``.

        - ``"opencv"``, by default 40.0: how many times the average bin. An array broadcasts to the batch shape, a limit
          for each plane, or, with `channel_axis` and fewer axes, to the batch shape without channels.
        - ``"skimage"``, by default 0.01: which share of the tile's pixels, at most 1.
    tile_grid_size : (int, int), default: (8, 8)
        With ``"opencv"``: the number of columns and of rows of tiles, each at least 1; more than pixels will do.
    method : {"opencv", "skimage"}
        Whose definition is used, byte for byte for each plane:

        - ``"opencv"``: ``cv2.createCLAHE(clip_limit, tile_grid_size).apply``, for uint8 and uint16.
        - ``"skimage"``: ``skimage.exposure.equalize_adapthist(image, kernel_size, clip_limit, nbins)``, for uint8,
          uint16, bool, and int16, float32 and float64 whose negative values count as 0 (floats: from -1 to 1); in
          planes of one axis or more, of which at most 10 are longer than 1. The result goes from 0 to 1, float32 for
          float32 and else float64.
    kernel_size : float or sequence of float, optional
        With ``"skimage"``: a tile's pixels along the axes of a plane, in the order that the array has them (rows
        before columns, unlike `tile_grid_size`), or a number for all; fractions are dropped. More than a side has will
        do, up to 2**30 in all. By default an eighth of each side.
    nbins : int, default: 256
        With ``"skimage"``: the number of bins.
    color : {"channels", "ycrcb", "yuv", "lab"}, optional
        What is equalized in color images: every channel on its own; or, with ``"opencv"``, the lightness of R, G, B as
        in `equalize`: Y of YCrCb or YUV (uint8 and uint16), L of Lab (uint8).
    axes : int or tuple of int, optional
        The axes of a plane. By default the last two, height and width, not counting `channel_axis`. With ``"opencv"``
        there are two; ``axes=(-3, -2, -1)`` equalizes volumes with ``"skimage"``.
    channel_axis : int, optional
        The axis of R, G, B: each channel is equalized on its own, unless `color` says otherwise. See the notes for
        what scikit-image does with RGB.
    mask : array_like of bool, optional
        With ``"opencv"``: only pixels under True are counted, and a tile's size is their number; a tile without any
        leaves levels as they are. It broadcasts against the images' shape or, with `channel_axis` and fewer axes than
        the images or another `color`, against their shape without the channel axis.
    outside : {"lut", "keep"}, optional
        What pixels outside `mask` become. ``"lut"``: what the LUTs say. ``"keep"``: they keep their value.
    out : ndarray, shape of images, optional
        Where the result is written, of the result's dtype; `images` itself works in place where dtypes agree. With
        other overlapping memory the result is as if `images` had been copied first.
    dtype : None, "same" or the images' dtype, optional
        ``"same"``, or their dtype itself, keeps the images' dtype with ``"skimage"`` too. As in `equalize`, integers
        are then ``min + rint(r * (max - min))`` of the dtype's limits and the result r in 0..1.
    num_threads : int, optional
        The most threads to use, as for `equalize`.

    Returns
    -------
    ndarray, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError
        If a dtype is not one that the method takes (nothing is converted silently), if `images` is a masked array, or
        if a number is not one.
    ValueError
        If an option, an axis, a shape or a number is out of range, or is one that only the other method has;
        `clip_limit` is NaN, above 1 with ``"skimage"`` (where OpenCV's 2.0 would silently mean no limit), or so large
        with ``"opencv"`` that its number of pixels is not below 2**31 (OpenCV's result is undefined there); floats are
        not from -1 to 1; or if `out` is read-only or overlaps itself. Also if neither `axes` nor `channel_axis` is
        given for images whose last axis looks like channels, as in `equalize`. Nothing has been written then.

    See Also
    --------
    equalize : the same with one histogram for each plane.

    Notes
    -----
    With ``"opencv"`` (``modules/imgproc/src/clahe.cpp``), where the grid does not divide the image, both sides grow, by
    at least a pixel, until it does; the pixels that are added mirror those at the edge. A tile of a pixels whose levels
    are N in number, 256 or 65,536, may hold ``max(int(clip_limit * a / N), 1)`` of each level; the others are shared
    out among all N. Level v becomes ``round(c[v] * ((N - 1) / a))`` for the running count c, and a pixel the mean of
    four such levels, weighted along rows first and then along columns, in float32, rounded half to even.

    With ``"skimage"`` (``skimage/exposure/_adapthist.py``), pixels become 16,384 grays between the lowest and the
    highest of their plane, so that every result depends on the whole plane. Tiles begin at pixel 0, and the last ones
    mirror what they lack. A tile of a pixels may hold ``max(int(clip_limit * a), 1)`` in each bin. A pixel becomes the
    mean of what the LUTs of the tiles around it have for its bin, two along each axis, in float32; in the end these are
    stretched to 0..1.
    For an RGB image scikit-image equalizes the V of HSV; with its own conversions this gives the same bytes, also for
    batches, which it does not take::

        hsv = skimage.color.rgb2hsv(image)
        cheq.clahe(hsv[..., 2], method="skimage", out=hsv[..., 2])
        result = skimage.color.hsv2rgb(hsv)

    Ctrl-C (``KeyboardInterrupt``) during a long call leaves each plane of `out` either finished or untouched, as in
    `equalize`.

    Beside the result a thread needs with ``"opencv"`` the LUTs of two rows of tiles and 0.3 MB (uint16: 0.6), or
    threads that share a plane those of all its tiles: 256 bytes each, 131,072 with uint16; with a lightness as `color`
    also that of an image, or of as many images as have 262,144 pixels together. With ``"skimage"`` it needs two bytes
    for each pixel of a plane, 16 bytes a bin for each tile in a row of tiles (in volumes: a layer), 8 a bin, and 0.3
    MB; threads that share a plane need the first two once, of the second at least 2 MB. scikit-image takes 40 to 355
    bytes a pixel.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> scans = np.random.default_rng(0).integers(90, 120, (10, 224, 224), dtype=np.uint8)
    >>> clear = cheq.clahe(scans, clip_limit=2.0, tile_grid_size=(8, 8))
    >>> clear.shape, clear.dtype
    ((10, 224, 224), dtype('uint8'))
    >>> volume = cheq.clahe(scans, method="skimage", axes=(0, 1, 2), kernel_size=(5, 28, 28))
    >>> float(volume.min()), float(volume.max()), volume.dtype
    (0.0, 1.0, dtype('float64'))
    """
    call, kind, work = check(
        images,
        clip_limit,
        tile_grid_size,
        method,
        kernel_size,
        nbins,
        color,
        axes,
        channel_axis,
        mask,
        outside,
        dtype,
        num_threads,
    )
    result = call.give(out, kind)
    work()
    return result


def check(
    images: ArrayLike,
    clip_limit: ArrayLike | None = None,
    tile_grid_size: Iterable[int] | None = None,
    method: ClaheMethod = "opencv",
    kernel_size: KernelSize = None,
    nbins: int | None = None,
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    num_threads: int | None = None,
) -> tuple[Call, np.dtype[Any], Work]:
    """Check all arguments of `clahe` but ``out``, without reading a pixel; return what `_equalize.check` does."""
    method = _arguments.as_choice("method", method, _METHODS)
    color = _color.as_color(color)
    outside = _arguments.as_choice("outside", outside, _arguments.OUTSIDE)
    if method == "skimage":
        others = {"tile_grid_size": tile_grid_size, "mask": mask}
        others |= {"color": None if color == "channels" else color, "outside": None if outside == "lut" else outside}
        _refuse_others("opencv", others)
        return _adapthist.check(images, clip_limit, kernel_size, nbins, axes, channel_axis, dtype, num_threads)
    _refuse_others("skimage", {"kernel_size": kernel_size, "nbins": nbins})
    keeps = _arguments.keeps(outside, mask)
    grid = _TILE_GRID_SIZE if tile_grid_size is None else _as_grid(tile_grid_size)
    limits = np.array(_CLIP_LIMIT) if clip_limit is None else as_limits(clip_limit)
    if color == "channels":
        call = _call.of_planes(images, _methods.OPENCV.dtypes, axes, channel_axis, mask, num_threads)
    else:
        dtypes = _color.BYTES if color == "lab" else _color.BYTES_AND_WORDS
        call = _color.of_images(images, color, dtypes, axes, channel_axis, mask, num_threads)
    call.keeps = keeps
    kind = call.images.dtype
    if call.images.ndim - call.n_batch != 2:
        raise ValueError(f"axes: expected two axes, height and width, got {axes!r}")
    if dtype is not None:
        _arguments.is_same(dtype, kind)
    tile = _tile_of(call.images.shape[-2:], grid)
    if limits.ndim > 0:
        limits = limits_of_planes(limits, call, channel_axis, color)
    _check_limits(limits, tile, _methods.levels_of(kind))
    if color == "channels":
        return call, kind, partial(tiles.equalize, call, limits, grid, tile)
    return call, kind, partial(_equalize_lightness, call, color, limits, grid, tile)


def _equalize_lightness(
    call: Call, color: Color, limits: npt.NDArray[np.float64], grid: tuple[int, int], tile: tuple[int, int]
) -> None:
    def equalize(planes: Call, at: tuple[slice, ...]) -> None:
        of_planes = limits if limits.ndim == 0 else np.ascontiguousarray(limits[at])
        tiles.equalize(planes, of_planes, grid, tile)

    _color.change_lightness(call, color, equalize)


def _refuse_others(method: str, given: dict[str, Any]) -> None:
    """Refuse arguments that only another method has, where they are given."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name}: expected it with method {method!r} only, got {_arguments.shown(value)}")


def _as_grid(tile_grid_size: Iterable[int]) -> tuple[int, int]:
    try:
        columns, rows = tile_grid_size
    except (TypeError, ValueError):
        raise ValueError(
            f"tile_grid_size: expected two ints, (columns, rows), got {_arguments.shown(tile_grid_size)}"
        ) from None
    grid = tuple(_arguments.as_int("tile_grid_size", number, "two ints") for number in (columns, rows))
    if min(grid) < 1 or max(grid) > _MOST:
        raise ValueError(
            f"tile_grid_size: expected 1 to {_MOST} columns and rows, got {_arguments.shown(tile_grid_size)}"
        )
    return grid[0], grid[1]


def as_limits(clip_limit: ArrayLike) -> npt.NDArray[np.float64]:
    limits = _arguments.as_array("clip_limit", clip_limit)
    if limits.dtype.kind not in "fiu":
        raise TypeError(f"clip_limit: expected a number or an array of numbers, got dtype {limits.dtype}")
    with np.errstate(over="ignore"):  # what is beyond float64 is infinite, and refused as that
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


def limits_of_planes(
    limits: npt.NDArray[np.float64], call: Call, channel_axis: int | None, color: str
) -> npt.NDArray[np.float64]:
    """Return limits as one a plane, contiguous: one an image where their lightness is equalized."""
    if color != "channels":
        return np.ascontiguousarray(_arguments.broadcast("clip_limit", limits, call.batch[:-1], None, ""))
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
