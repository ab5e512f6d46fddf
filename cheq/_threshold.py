"""Black and white: Otsu's threshold, and pixels above a threshold."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from cheq import _arguments, _call, _methods
from cheq._core import integer
from cheq._steps import count

if TYPE_CHECKING:
    from typing import Unpack

    import numpy.typing as npt

    from cheq._call import Call
    from cheq._typing import Array, ArrayLike, Axes, Level, Planes

_DTYPES = ("uint8", "uint16")

_MOST_BYTES = 1 << 25  # of histograms or LUTs at a time: enough for 16,384 planes of uint8, or 64 of uint16


def otsu_threshold(
    images: ArrayLike,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    num_threads: int | None = None,
) -> Array:
    """
    Return Otsu's threshold of every plane, as ``cv2.threshold`` with ``THRESH_OTSU`` finds it.

    Parameters
    ----------
    images : array_like of uint8 or uint16
        As for `equalize`.
    axes, channel_axis, mask, num_threads
        As for `equalize`; only pixels under the mask count.

    Returns
    -------
    ndarray of the images' dtype, batch shape
        The level that best separates what is at or below it from what is above: the one with the largest variance
        between the two classes, and the lowest of several such. 0 for a plane of one level, or without a counted pixel.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does.

    Notes
    -----
    The variance is computed in float64, in the order of OpenCV's ``modules/imgproc/src/thresh.cpp``. Where several
    levels separate a plane equally well, OpenCV's wheels may take another of them: those for x86 with uint8 and no
    mask, because Intel's IPP finds it there, and those for 64-bit ARM, whose compiler fused products and sums.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> int(cheq.otsu_threshold(np.array([[10, 10], [20, 20]], np.uint8)))
    10
    """
    call = _call.of_planes(images, _DTYPES, axes, channel_axis, mask, num_threads)
    result = np.empty(call.batch, call.images.dtype)
    for part, at in call.parts(_MOST_BYTES // (8 * _methods.levels_of(call.images.dtype))):
        hist = count(part)
        thresholds = np.empty(part.batch, np.int64)
        integer.otsu_thresholds(hist, thresholds)
        result[at] = thresholds
        del hist  # before the next are made
    return result


@overload
def binarize(
    images: npt.NDArray[Level],
    threshold: Literal["otsu"] | ArrayLike = ...,
    *,
    mask: ArrayLike | None = ...,
    out: Array | None = ...,
    **options: Unpack[Planes],
) -> npt.NDArray[Level]: ...
@overload
def binarize(
    images: ArrayLike,
    threshold: Literal["otsu"] | ArrayLike = ...,
    *,
    mask: ArrayLike | None = ...,
    out: Array | None = ...,
    **options: Unpack[Planes],
) -> Array: ...
def binarize(
    images: ArrayLike,
    threshold: Literal["otsu"] | ArrayLike = "otsu",
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """
    Make pixels above a threshold the dtype's maximum and the others 0, as ``cv2.threshold`` does.

    Parameters
    ----------
    images : array_like of uint8 or uint16
        As for `equalize`.
    threshold : "otsu", or array_like of numbers
        Otsu's threshold of each plane (see `otsu_threshold`), one number for all planes, or one a plane: an
        array that broadcasts to the batch shape.
    axes, channel_axis, out, num_threads
        As for `equalize`.
    mask : array_like of bool, optional
        The pixels that Otsu's threshold is found from; all pixels are compared with it.

    Returns
    -------
    ndarray of the images' dtype and shape
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does; also for a `threshold` that is not a number, or a `mask` beside numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> cheq.binarize(np.array([[10, 11], [20, 20]], np.uint8), 10).tolist()
    [[0, 255], [255, 255]]
    """
    if isinstance(threshold, str):
        if str.__str__(threshold) != "otsu":
            raise ValueError(f"threshold: expected 'otsu' or numbers, got {threshold!r}")
        call = _call.of_planes(images, _DTYPES, axes, channel_axis, mask, num_threads)
        result = call.give(out, call.images.dtype)
        integer.equalize(call, integer.MAKERS["otsu"])
        return result
    if mask is not None:
        raise ValueError("mask: expected None with a threshold in numbers, got a mask; it limits what Otsu counts")
    images = _arguments.as_images(images, _DTYPES)
    numbers = _as_numbers(threshold, images.dtype)
    call = _call.of_planes(images, _DTYPES, axes, channel_axis, None, num_threads, all_alike=numbers.ndim == 0)
    thresholds = _for_planes(numbers, call.batch)
    result = call.give(out, images.dtype)
    _write_above(call, thresholds)
    return result


def _as_numbers(threshold: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return thresholds as numbers, integers of any size limited to what images of the dtype can tell apart."""
    numbers = _arguments.as_array("threshold", threshold)
    if numbers.dtype.kind == "O":
        top = int(np.iinfo(dtype).max)
        try:
            limited = [min(max(operator.index(number), -1), top) for number in numbers.flat]
        except TypeError:
            raise TypeError(f"threshold: expected 'otsu' or numbers, got {threshold!r}") from None
        numbers = np.array(limited).reshape(numbers.shape)
    if numbers.dtype.kind not in "iuf":
        raise TypeError(f"threshold: expected 'otsu' or numbers, got {threshold!r}")
    if np.isnan(numbers).any():
        raise ValueError("threshold: expected numbers, got NaN")
    return numbers


def _for_planes(numbers: Array, batch: tuple[int, ...]) -> Array:
    """Return one number a plane, or a single one where that is all there is."""
    if numbers.ndim == 0:
        return numbers
    try:
        numbers = np.broadcast_to(numbers, batch)
    except ValueError:
        raise ValueError(
            f"threshold: expected a number or a shape that broadcasts to one a plane, {batch}, got {numbers.shape}"
        ) from None
    return np.asarray(numbers.flat[0]) if numbers.size and (numbers == numbers.flat[0]).all() else numbers


def _write_above(call: Call, thresholds: Array) -> None:
    """Make levels above the thresholds the dtype's maximum, by a LUT or one a plane."""
    dtype = call.images.dtype
    levels, top, zero = np.arange(_methods.levels_of(dtype)), dtype.type(np.iinfo(dtype).max), dtype.type(0)
    if thresholds.ndim == 0:
        integer.apply(call, np.where(levels > thresholds, top, zero))
        return
    parts = list(call.parts(_MOST_BYTES // (2 * len(levels) * dtype.itemsize)))
    if len(parts) > 1 and call.ownership == integer.MAY_OVERLAP:
        call.separate()  # before the first part is written
        parts = list(call.parts(_MOST_BYTES // (2 * len(levels) * dtype.itemsize)))
    for part, at in parts:
        luts = np.where(levels > thresholds[at][..., np.newaxis], top, zero)
        integer.apply(part, luts)
        del luts  # before the next are made
