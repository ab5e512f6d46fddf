"""Black and white: Otsu's threshold, and pixels above a threshold."""

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _methods, _planes, _threads
from cheq._core import integer
from cheq._equalize import SMALL_WORK, _run, apply_lut, histogram

_DTYPES = ("uint8", "uint16")

_MOST_BYTES = 1 << 25  # of histograms or LUTs at a time: enough for 16,384 planes of uint8, or 64 of uint16


def otsu_threshold(
    images: npt.ArrayLike,
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
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
        The level that best parts what is at or below it from what is above: of those whose variance between the
        two classes is largest, the lowest. 0 for a plane of one level, or without a counted pixel.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does.

    Notes
    -----
    The variance is computed in float64, in the order of OpenCV's ``modules/imgproc/src/thresh.cpp``. Where several
    levels part a plane equally well, OpenCV's wheels may take another of them: those for x86 for uint8 without a mask,
    as Intel's IPP does it there, and those for 64-bit ARM, whose compiler fused products and sums.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> int(cheq.otsu_threshold(np.array([[10, 10], [20, 20]], np.uint8)))
    10
    """
    images = _planes.as_images(images, _DTYPES)
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis)
    if mask is not None:
        mask = _planes.as_mask(mask, images.shape, channel_axis)
    planes = range(images.ndim)[n_batch:] if order is None else order[n_batch:]
    result = np.empty(_planes.batch_shape(images, n_batch, order), images.dtype)
    histogram_bytes = 8 * _methods.levels_of(images.dtype)
    for of_images, of_result in _blocks(images.shape, planes, histogram_bytes):
        counted = None if mask is None else mask[of_images]
        hist = histogram(images[of_images], axes=planes, mask=counted, num_threads=num_threads)
        thresholds = np.empty(hist.shape[:-1], np.int64)
        integer.otsu_thresholds(hist, thresholds)
        result[of_result] = thresholds
        del hist  # before the next are made
    return result


def binarize(
    images: npt.ArrayLike,
    threshold: str | npt.ArrayLike = "otsu",
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    out: npt.NDArray[Any] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
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
    images = _planes.as_images(images, _DTYPES)
    otsu = isinstance(threshold, str)
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis, warn=otsu)
    if not otsu:
        if mask is not None:
            raise ValueError("mask: expected None with a threshold in numbers, got a mask; it limits what Otsu counts")
        batch = _planes.batch_shape(images, n_batch, order)
        planes = range(images.ndim)[n_batch:] if order is None else order[n_batch:]
        return _above(images, _as_levels(threshold, images.dtype, batch), planes, out, num_threads)
    if threshold != "otsu":
        raise ValueError(f"threshold: expected 'otsu' or numbers, got {threshold!r}")
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, images.shape, channel_axis)
    apart = integer.MAY_OVERLAP
    if out is None:
        out, apart = np.empty(images.shape, images.dtype), integer.FRESH
    else:
        _planes.check_out(out, images.shape, images.dtype)
    _run(images, mask, out, None, None, n_batch, order, threads, apart, integer.MAKERS["otsu"])
    return out


def _as_levels(threshold: npt.ArrayLike, dtype: np.dtype[Any], batch: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return thresholds as numbers, a scalar where one is all there is, or one a plane."""
    top = int(np.iinfo(dtype).max)
    numbers = _planes.as_array("threshold", threshold)
    if numbers.dtype.kind == "O":  # integers of any size
        try:
            limited = [min(max(operator.index(number), -1), top) for number in numbers.flat]
        except TypeError:
            raise TypeError(f"threshold: expected 'otsu' or numbers, got {threshold!r}") from None
        numbers = np.array(limited).reshape(numbers.shape)
    if numbers.dtype.kind not in "iuf":
        raise TypeError(f"threshold: expected 'otsu' or numbers, got {threshold!r}")
    if np.isnan(numbers).any():
        raise ValueError("threshold: expected numbers, got NaN")
    if numbers.ndim > 0:
        try:
            numbers = np.broadcast_to(numbers, batch)
        except ValueError:
            raise ValueError(
                f"threshold: expected a number or a shape that broadcasts to one a plane, {batch}, got {numbers.shape}"
            ) from None
        if numbers.size and (numbers == numbers.flat[0]).all():
            numbers = numbers.flat[0]
    return np.asarray(numbers)


def _above(
    images: npt.NDArray[Any],
    thresholds: npt.NDArray[Any],
    planes: Sequence[int],
    out: npt.NDArray[Any] | None,
    num_threads: int | None,
) -> npt.NDArray[Any]:
    """Make levels above the thresholds the dtype's maximum, by a LUT or one a plane."""
    dtype = images.dtype
    levels, top, zero = np.arange(_methods.levels_of(dtype)), dtype.type(np.iinfo(dtype).max), dtype.type(0)
    if thresholds.ndim == 0:
        lut = np.where(levels > thresholds, top, zero)
        return apply_lut(images, lut, axes=planes, out=out, num_threads=num_threads)
    if out is None:
        out = np.empty(images.shape, dtype)
    else:
        _planes.check_out(out, images.shape, dtype)
    blocks = list(_blocks(images.shape, planes, 2 * len(levels) * dtype.itemsize))
    if len(blocks) > 1:
        images = _planes.apart_from(out, images)
    for of_images, of_thresholds in blocks:
        luts = np.where(levels > thresholds[of_thresholds][..., np.newaxis], top, zero)
        apply_lut(images[of_images], luts, axes=planes, out=out[of_images], num_threads=num_threads)
        del luts  # before the next are made
    return out


def _blocks(
    shape: tuple[int, ...], planes: Sequence[int], bytes_a_plane: int, at: tuple[slice, ...] = ()
) -> Iterator[tuple[Any, Any]]:
    """Cut a batch along its axes, from the first on, so that what is made for each plane of a part stays below a bound.

    Yields an index of the images, and the same of an array of the batch's shape. ``at`` is where the axes before are
    cut already.
    """
    batch = [axis for axis in range(len(shape)) if axis not in planes]
    behind = math.prod(shape[axis] for axis in batch[len(at) + 1 :]) * bytes_a_plane
    if len(at) == len(batch) or shape[batch[len(at)]] * behind <= _MOST_BYTES:
        index = [slice(None)] * len(shape)
        for axis, part in zip(batch, at, strict=False):
            index[axis] = part
        yield tuple(index), at or ...
        return
    length = shape[batch[len(at)]]
    step = max(1, _MOST_BYTES // behind)
    for start in range(0, length, step):
        # Where one step is too much still, the next axis is cut too; else nothing more is.
        rest = bytes_a_plane if behind > _MOST_BYTES and len(at) + 1 < len(batch) else 0
        yield from _blocks(shape, planes, rest, (*at, slice(start, start + step)))
