"""Black and white: Otsu's threshold, and pixels above a threshold."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cheq import _arguments, _call, _methods
from cheq._core import integer
from cheq._steps import apply_lut, histogram

if TYPE_CHECKING:
    from cheq._call import Call
    from cheq._typing import Array, ArrayLike, Axes

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
    call = _call.of_planes(images, _DTYPES, axes, channel_axis, mask, num_threads)
    result = np.empty(call.batch, call.images.dtype)
    for part in _parts(call.batch, 8 * _methods.levels_of(call.images.dtype)):
        counted = None if call.mask is None else call.mask[part]
        hist = histogram(call.images[part], axes=_plane_axes(call), mask=counted, num_threads=call.threads)
        thresholds = np.empty(hist.shape[:-1], np.int64)
        integer.otsu_thresholds(hist, thresholds)
        result[part] = thresholds
        del hist  # before the next are made
    return result


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
        if threshold != "otsu":
            raise ValueError(f"threshold: expected 'otsu' or numbers, got {threshold!r}")
        call = _call.of_planes(images, _DTYPES, axes, channel_axis, mask, num_threads)
        result = call.give(out, call.images.dtype)
        call.run(integer.equalize, integer.MAKERS["otsu"])
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


def _plane_axes(call: Call) -> tuple[int, ...]:
    return tuple(range(call.n_batch - call.images.ndim, 0))


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
        call.run(integer.apply, np.where(levels > thresholds, top, zero))
        return
    images, out = call.images, call.out
    parts = list(_parts(call.batch, 2 * len(levels) * dtype.itemsize))
    if len(parts) > 1:
        images = _arguments.apart_from(out, images)
    for part in parts:
        luts = np.where(levels > thresholds[part][..., np.newaxis], top, zero)
        apply_lut(images[part], luts, axes=_plane_axes(call), out=out[part], num_threads=call.threads)  # type: ignore[index]
        del luts  # before the next are made


def _parts(batch: tuple[int, ...], bytes_a_plane: int) -> Iterator[Any]:
    """Cut a batch along its axes, from the first on, so that what is made for each plane of a part stays below a bound.

    Yields an index of each part.
    """
    # The first axis whose single entries are small enough; those before it are taken one at a time.
    whole = next(
        a for a in range(len(batch) + 1) if a == len(batch) or bytes_a_plane * math.prod(batch[a + 1 :]) <= _MOST_BYTES
    )
    if whole == len(batch):
        yield from np.ndindex(batch)
        return
    step = max(1, _MOST_BYTES // max(1, bytes_a_plane * math.prod(batch[whole + 1 :])))
    for before in np.ndindex(batch[:whole]):
        for start in range(0, batch[whole], step):
            yield (*before, slice(start, start + step))
