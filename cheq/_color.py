"""Color images: gray, and their lightness equalized."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from cheq import _arguments, _call
from cheq._core import color, integer, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    import numpy.typing as npt

    from cheq._call import Call
    from cheq._methods import Method
    from cheq._typing import Array, ArrayLike, Axes, Color, GrayMethod, Level

# What is taken, by the dtypes' kinds and sizes, and the numbers of channels.
_UNSIGNED_8, _UNSIGNED_16 = "u1", "u2"
BYTES = {_UNSIGNED_8: "uint8"}
BYTES_AND_WORDS = {_UNSIGNED_8: "uint8", _UNSIGNED_16: "uint16"}
_GRAY_DTYPES = {
    "opencv": BYTES_AND_WORDS,
    "pillow": BYTES,
    "skimage": {
        _UNSIGNED_8: "uint8", _UNSIGNED_16: "uint16", "u4": "uint32", "u8": "uint64",
        "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
        "b1": "bool", "f2": "float16", "f4": "float32", "f8": "float64",
    },
}  # fmt: skip
_GRAY_CHANNELS = {"opencv": (3, 4), "pillow": (3, 4), "skimage": (3,)}

SPACES: tuple[Color, ...] = ("ycrcb", "yuv", "lab")  # those whose lightness is equalized
COLORS: tuple[Color, ...] = ("channels", *SPACES)
_INEXACT = ("hsv", "hls")

_WITHOUT_CHANNELS = "the images' shape without channel_axis"
_TOGETHER = 1 << 18  # pixels a thread whose lightness is changed at a time: their colors and lightness stay in L2
_PRODUCT = 1 << 18  # pixels whose channels are made floats at a time for scikit-image's product: 6 MiB

# scikit-image's weights, for the colors of today's screens (skimage.color.rgb2gray).
_SKIMAGE_WEIGHTS = (0.2125, 0.7154, 0.0721)


@overload
def rgb_to_gray(
    images: npt.NDArray[Level],
    *,
    channel_axis: int = ...,
    method: Literal["opencv", "pillow"] = ...,
    out: Array | None = ...,
    num_threads: int | None = ...,
) -> npt.NDArray[Level]: ...
@overload
def rgb_to_gray(
    images: ArrayLike,
    *,
    channel_axis: int = ...,
    method: GrayMethod = ...,
    out: Array | None = ...,
    num_threads: int | None = ...,
) -> Array: ...
def rgb_to_gray(
    images: ArrayLike,
    *,
    channel_axis: int = -1,
    method: GrayMethod = "opencv",
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """
    Turn color images into gray ones.

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
    by one on 21,745 of the 2**24 colors. ``"skimage"`` is ``0.2125 R + 0.7154 G + 0.0721 B`` of values scaled to
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
    method = _arguments.as_choice("method", method, _GRAY_DTYPES)
    array = _as_color(images, _GRAY_DTYPES[method], f"method={method!r}")
    channel = _channel(array.shape, channel_axis, _GRAY_CHANNELS[method])
    planes = np.moveaxis(array, channel, 0)
    shape = planes.shape[1:]
    call = _call.of_axes(planes[:3], 1, None, num_threads, math.prod(shape))
    if method == "skimage":
        dtype = np.dtype(np.float32 if array.dtype.char in "ef" else np.float64)
        gray = call.give(out, dtype, shape, _WITHOUT_CHANNELS)
        with work.usual_arithmetic():
            _gray_as_skimage(np.moveaxis(planes, 0, -1), np.asarray(gray), made_here=out is None)
    else:
        gray = call.give(out, array.dtype.newbyteorder("="), shape, _WITHOUT_CHANNELS)
        color.to_gray(call, color.SPACES[method])
    return gray


def as_color(color: Color) -> Color:
    """Return which color is meant, one of COLORS, or raise."""
    if isinstance(color, str) and str.__str__(color) in _INEXACT:
        raise ValueError(
            f"color: expected one of {', '.join(map(repr, COLORS))}; got {color!r}, in which cv2's own answer depends "
            "on where a pixel lies in its row; 'lab' has one answer"
        )
    return _arguments.as_choice("color", color, COLORS)


def of_images(
    images: ArrayLike,
    space: str,
    dtypes: dict[str, str],
    axes: Axes,
    channel_axis: int | None,
    mask: ArrayLike | None,
    num_threads: int | None,
    name: str = "images",
) -> Call:
    """Return the call of a function that changes a lightness; its last batch axis is that of the channels.

    dtypes: those that are taken, as for _as_color. The mask has no channels. name: of the argument.
    """
    array = _as_color(images, dtypes, f"color={space!r}", name)
    array = array if array.dtype.byteorder in "=|" else _arguments.native(array)
    if channel_axis is None:
        raise ValueError(f"channel_axis: expected the axis of R, G, B for color={space!r}, got None")
    channel = _channel(array.shape, channel_axis, (3, 4), name)
    n_batch, order = _arguments.order_axes(array.shape, axes, channel, name=name)
    order = list(range(array.ndim)) if order is None else order
    order = [axis for axis in order[:n_batch] if axis != channel] + [channel] + order[n_batch:]
    without = array.shape[:channel] + array.shape[channel + 1 :]
    call = _call.of_axes(array, n_batch, order, num_threads, math.prod(without))
    if mask is not None:
        beside = [axis - (axis > channel) for axis in order if axis != channel]
        call.mask = _arguments.as_mask(mask, without, None, name).transpose(beside)
    return call


def refuse_floats(space: str, how: Method) -> None:
    """Raise for a method whose result is no level: a lightness becomes R, G, B again."""
    if not how.levels:
        raise ValueError(f"method: expected 'opencv' or 'pillow' for color={space!r}, got {how.name!r}")


def change_lightness(call: Call, space: str, change: Callable[[Call, tuple[slice, ...]], None]) -> None:
    """Have the lightness of images changed in place, plane by plane, and write the images that have the new one.

    Some images at a time: ``change`` is given the call of their planes, and where they are in the batch.
    """
    if call.images.size == 0:
        return
    color.set_apart(call)
    pixels = math.prod(call.images.shape[call.n_batch :])
    for part, at in call.parts(call.threads * _TOGETHER // pixels, call.n_batch - 1):
        planes = lightness_of(part, space)
        planes.out = planes.images
        change(planes, at)
        color.recolor(part, color.SPACES[space], planes.out)


def lightness_of(call: Call, space: str) -> Call:
    """Return the call for the planes that are the lightness of a call's images, in memory of their own."""
    planes, n_batch = call.part(()), call.n_batch - 1
    planes.images = np.moveaxis(call.images, n_batch, 0)[:3]
    planes.n_batch, planes.mask, planes.keeps, planes.ownership = 1, None, False, integer.FRESH
    planes.out = np.empty(planes.images.shape[1:], call.images.dtype)
    color.to_gray(planes, color.SPACES[space])
    planes.images, planes.out, planes.n_batch, planes.mask = planes.out, None, n_batch, call.mask
    return planes


def _as_color(images: ArrayLike, dtypes: dict[str, str], what: str, name: str = "images") -> Array:
    """Return ``images`` as a plain array of one of the dtypes, or raise."""
    array = _arguments.as_array(name, images)
    if array.dtype.str[1:] not in dtypes:
        names = _arguments.listed(tuple(dtypes.values()))
        conversion = _arguments.conversion(array.dtype, name)
        raise TypeError(f"{name}: expected dtype {names} for {what}, got {array.dtype}; {conversion}")
    return array


def _channel(shape: tuple[int, ...], channel_axis: int, numbers: tuple[int, ...], name: str = "images") -> int:
    """Return ``channel_axis``, not negative, if it has one of these numbers of channels."""
    channel = _arguments.axis_index("channel_axis", channel_axis, len(shape))
    if shape[channel] not in numbers:
        expected = " or ".join(map(str, numbers))
        raise ValueError(
            f"{name}: expected {expected} channels along axis {operator.index(channel_axis)}, got shape {shape}"
        )
    return channel


def _gray_as_skimage(images: Array, gray: Array, made_here: bool) -> None:
    """skimage.color.rgb2gray of images (..., 3), by the same operations on the same memory order."""
    weights = np.array(_SKIMAGE_WEIGHTS, dtype=gray.dtype)
    if not made_here or not images.size or not images.flags.c_contiguous or images.ndim < 3:
        result = _as_float(images, gray.dtype) @ weights
        gray[...] = result  # a product written to `out` could take another way, and round otherwise
        return
    # Each row's product is the same whatever rows are beside it, so a few are taken at a time: this needs little
    # memory, and Ctrl-C takes effect in between.
    rows, to = images.reshape(-1, *images.shape[-2:]), gray.reshape(-1, gray.shape[-1])
    step = max(1, _PRODUCT // max(1, gray.shape[-1]))
    for start in range(0, len(rows), step):
        to[start : start + step] = _as_float(rows[start : start + step], gray.dtype) @ weights


def _as_float(images: Array, dtype: np.dtype[Any]) -> Array:
    """skimage.util.img_as_float: integers by their largest value, not below -1; floats as they are."""
    if images.dtype.kind == "f":
        return images if images.dtype.itemsize == dtype.itemsize else images.astype(dtype)
    if images.dtype.kind == "b":
        return images.astype(dtype)
    scaled = np.multiply(images, 1.0 / np.iinfo(images.dtype).max, dtype=dtype)
    if images.dtype.kind == "i":
        np.maximum(scaled, -1.0, out=scaled)
    return np.asarray(scaled)
