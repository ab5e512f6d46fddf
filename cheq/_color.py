"""Colour images: gray, and YCrCb with its Y equalized."""

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _methods, _planes, _threads
from cheq._core import color, integer

# Pixels below which one thread is used: a second one gains little then.
SMALL_WORK = 1 << 17

# What each method takes, by the dtypes' kinds and sizes, and the numbers of channels.
_UNSIGNED_8, _UNSIGNED_16 = "u1", "u2"
_GRAY_DTYPES = {
    "opencv": {_UNSIGNED_8: "uint8", _UNSIGNED_16: "uint16"},
    "pillow": {_UNSIGNED_8: "uint8"},
    "skimage": {
        _UNSIGNED_8: "uint8", _UNSIGNED_16: "uint16", "u4": "uint32", "u8": "uint64",
        "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
        "b1": "bool", "f2": "float16", "f4": "float32", "f8": "float64",
    },
}  # fmt: skip
_LUMA_METHODS = ("opencv", "pillow")
_GRAY_CHANNELS = {"opencv": (3, 4), "pillow": (3, 4), "skimage": (3,)}

_PRODUCT = 1 << 18  # pixels whose channels are made floats at a time for scikit-image's product: 6 MiB

# scikit-image's weights, for phosphors of today (skimage.color.rgb2gray).
_SKIMAGE_WEIGHTS = (0.2125, 0.7154, 0.0721)


def rgb_to_gray(
    images: npt.ArrayLike,
    *,
    channel_axis: int = -1,
    method: str = "opencv",
    out: npt.NDArray[Any] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
    """
    Turn colour images into gray ones.

    Parameters
    ----------
    images : array_like
        One image or a batch with any number of batch axes, whose `channel_axis` holds R, G, B; for ``"opencv"`` and
        ``"pillow"`` there may be a fourth channel, which is ignored. Any strides and either byte order are taken
        without a copy; the array is not changed.
    channel_axis : int, default: -1
        The axis of R, G, B.
    method : {"opencv", "pillow", "skimage"}
        Whose definition is used. ``"opencv"``, for uint8 and uint16: ``cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)``.
        ``"pillow"``, for uint8: ``Image.convert("L")``. ``"skimage"``, for integers, bool and floats:
        ``skimage.color.rgb2gray``.
    out : ndarray, optional
        Where the result is written, of its shape and dtype. Where it shares memory with `images`, the result is as if
        they had been copied first.
    num_threads : int, optional
        The most threads to use, as for `equalize`; ``"skimage"`` uses those of NumPy's matrix product.

    Returns
    -------
    ndarray, shape of images without channel_axis
        A new C-contiguous array, or `out`. Its dtype is that of the images in native byte order; with ``"skimage"``
        it is float32 for float32 and float16, and float64 for the others.

    Raises
    ------
    TypeError
        If the dtype is not one of the method's (nothing is converted silently), if `out` has another dtype than the
        result, or if `images` is a masked array.
    ValueError
        If `method`, `channel_axis`, the number of channels, the shape of `out` or `num_threads` is out of range, or
        `out` is read-only or overlaps itself. Nothing has been written then.

    Notes
    -----
    ``"opencv"`` is ``(9798 R + 19235 G + 3735 B + 2**14) >> 15`` (OpenCV, ``modules/imgproc/src/color_rgb.simd.hpp``),
    ``"pillow"`` is ``(19595 R + 38470 G + 7471 B + 2**15) >> 16`` (Pillow, ``src/libImaging/Convert.c``); they differ
    by one on 21,745 of the 2**24 colours. ``"skimage"`` is ``0.2125 R + 0.7154 G + 0.0721 B`` of values scaled to
    0..1 (-1..1), computed by the same NumPy operations as scikit-image's.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> photos = np.random.default_rng(0).integers(0, 256, (10, 48, 64, 3), dtype=np.uint8)
    >>> gray = cheq.rgb_to_gray(photos)
    >>> gray.shape, gray.dtype
    ((10, 48, 64), dtype('uint8'))
    """
    _methods.check_choice("method", method, tuple(_GRAY_DTYPES))
    array = _as_colour(images, _GRAY_DTYPES[method], f"method={method!r}")
    channel = _channel(array.shape, channel_axis, _GRAY_CHANNELS[method])
    planes = np.moveaxis(array, channel, 0)
    shape = planes.shape[1:]
    threads = _team(num_threads, math.prod(shape))
    if method == "skimage":
        return _gray_as_skimage(planes, out, shape)
    dtype = array.dtype.newbyteorder("=")
    gray = _result(out, shape, dtype, "the images' shape without channel_axis")
    arguments = (method == "pillow", array.dtype != dtype, threads)
    if not color.to_gray(planes[:3], gray, *arguments, False):
        color.to_gray(_planes.apart_from(gray, planes[:3]), gray, *arguments, True)
    return gray


def equalize_ycrcb(
    images: npt.ArrayLike,
    *,
    method: str = "opencv",
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.uint8]:
    """
    Equalize the luma of every colour image: to YCrCb, equalize Y, and back.

    Parameters
    ----------
    images : array_like of uint8
        One image or a batch with any number of batch axes; R, G, B lie along `channel_axis`, and perhaps a fourth
        channel, which is kept as it is. Any strides are taken without a copy; the array is not changed (unless it is
        `out`).
    method : {"opencv", "pillow"}
        Whose definition is used for Y. The conversions are OpenCV's.
    axes : int or tuple of int, optional
        The axes of an image: the pixels whose Y shares one histogram. By default the last two, not counting
        `channel_axis`.
    channel_axis : int
        The axis of R, G, B; it has to be given.
    mask : array_like of bool, optional
        Only pixels under True are counted; the LUT is applied to all. It broadcasts to the images' shape without the
        channel axis. Where none is counted, Y is unchanged.
    out : ndarray of uint8, shape of images, optional
        Where the result is written; `images` itself works in place. Other overlapping memory is treated as if `images`
        had been copied first.
    num_threads : int, optional
        The most threads to use, as for `equalize`.

    Returns
    -------
    ndarray of uint8, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does; also where `channel_axis` is not 3 or 4 long. Nothing has been written then.

    Notes
    -----
    With ``"opencv"`` the result is that of ``cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)``, ``cv2.equalizeHist`` of its
    first channel, and ``cv2.cvtColor(image, cv2.COLOR_YCrCb2RGB)`` (``modules/imgproc/src/color_yuv.simd.hpp``). The
    conversions round, so that an image whose Y is unchanged may still change by a level or two.

    A ``KeyboardInterrupt`` during a long call leaves each image of `out` whole or untouched.
    """
    if method not in _LUMA_METHODS:
        raise ValueError(f"method: expected 'opencv' or 'pillow' for color='ycrcb', got {method!r}")
    array = _as_colour(images, {_UNSIGNED_8: "uint8"}, "color='ycrcb'")
    if channel_axis is None:
        raise ValueError("channel_axis: expected the axis of R, G, B for color='ycrcb', got None")
    channel = _channel(array.shape, channel_axis, (3, 4))
    n_batch, order = _channel_behind_batch(array.shape, axes, channel)
    without = array.shape[:channel] + array.shape[channel + 1 :]
    threads = _team(num_threads, math.prod(without))
    counted = None
    if mask is not None:
        beside = [axis - (axis > channel) for axis in order if axis != channel]
        counted = _planes.as_mask(mask, without, None).transpose(beside)
    result = _result(out, array.shape, np.dtype(np.uint8), "the images' shape")
    planes, to = array.transpose(order), result.transpose(order)
    arguments = (_methods.METHODS[method].maker, n_batch, threads)
    apart = integer.FRESH if out is None else integer.MAY_OVERLAP
    if not color.equalize_ycrcb(planes, counted, to, *arguments, apart):
        planes, counted = _planes.apart_from(to, planes), _planes.apart_from(to, counted)
        color.equalize_ycrcb(planes, counted, to, *arguments, integer.APART)
    return result


def _as_colour(images: npt.ArrayLike, dtypes: dict[str, str], what: str) -> npt.NDArray[Any]:
    """Return ``images`` as a plain array of one of the dtypes, or raise."""
    array = images if type(images) is np.ndarray else _planes.as_array("images", images)
    if array.dtype.str[1:] not in dtypes:
        *others, last = dtypes.values()
        names = f"{', '.join(others)} or {last}" if others else last
        raise TypeError(
            f"images: expected dtype {names} for {what}, got {array.dtype}; {_planes.conversion(array.dtype)}"
        )
    return array


def _channel(shape: tuple[int, ...], channel_axis: int, numbers: tuple[int, ...]) -> int:
    """Return ``channel_axis``, not negative, if it has one of these numbers of channels."""
    channel = _planes.axis_index("channel_axis", channel_axis, len(shape))
    if shape[channel] not in numbers:
        expected = " or ".join(map(str, numbers))
        raise ValueError(
            f"images: expected {expected} channels along axis {operator.index(channel_axis)}, got shape {shape}"
        )
    return channel


def _channel_behind_batch(
    shape: tuple[int, ...], axes: int | Iterable[int] | None, channel: int
) -> tuple[int, list[int]]:
    """Return an order of the axes, batch axes, channel, pixels, and how many are in front of the pixels."""
    n_batch, order = _planes.order_axes(shape, axes, channel)
    order = list(range(len(shape))) if order is None else order
    return n_batch, [axis for axis in order[:n_batch] if axis != channel] + [channel] + order[n_batch:]


def _team(num_threads: int | None, pixels: int) -> int:
    return 1 if num_threads is None and pixels < SMALL_WORK else _threads.resolve(num_threads)


def _result(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], which: str) -> npt.NDArray[Any]:
    """Return ``out``, or a new array if it is None; or raise."""
    if out is None:
        return np.empty(shape, dtype)
    _planes.check_out(out, shape, dtype, which)
    return np.asarray(out)


def _gray_as_skimage(planes: npt.NDArray[Any], out: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """skimage.color.rgb2gray of planes (3, ...), by the same operations on the same memory order."""
    images = np.moveaxis(planes, 0, -1)
    dtype = np.dtype(np.float32 if images.dtype.char in "ef" else np.float64)
    gray = _result(out, shape, dtype, "the images' shape without channel_axis")
    weights = np.array(_SKIMAGE_WEIGHTS, dtype=dtype)
    if out is not None or not images.size or not images.flags.c_contiguous or images.ndim < 3:
        result = _as_float(images, dtype) @ weights
        gray[...] = result  # a product written to `out` could take another way, and round otherwise
        return gray
    # A product of rows and weights for each row, whatever rows are beside it; so a few at a time, which takes little
    # memory, and Ctrl-C is answered in between.
    rows, to = images.reshape(-1, *images.shape[-2:]), gray.reshape(-1, shape[-1])
    step = max(1, _PRODUCT // max(1, shape[-1]))
    for start in range(0, len(rows), step):
        to[start : start + step] = _as_float(rows[start : start + step], dtype) @ weights
    return gray


def _as_float(images: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """skimage.util.img_as_float: integers by their largest value, not below -1; floats as they are."""
    if images.dtype.kind == "f":
        return images if images.dtype.itemsize == dtype.itemsize else images.astype(dtype)
    if images.dtype.kind == "b":
        return images.astype(dtype)
    scaled = np.multiply(images, 1.0 / np.iinfo(images.dtype).max, dtype=dtype)
    if images.dtype.kind == "i":
        np.maximum(scaled, -1.0, out=scaled)
    return np.asarray(scaled)
