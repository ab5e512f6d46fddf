"""Black and white: Otsu's threshold, and pixels above a threshold."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _methods, _planes, _threads
from cheq._core import integer
from cheq._equalize import SMALL_WORK, _run, apply_lut, histogram

_DTYPES = ("uint8", "uint16")


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
    levels part a plane equally well, OpenCV's wheels for x86 may take another of them for uint8 without a mask, as
    Intel's IPP does it there.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> int(cheq.otsu_threshold(np.array([[10, 10], [20, 20]], np.uint8)))
    10
    """
    images = _planes.as_images(images, _DTYPES)
    hist = histogram(images, axes=axes, channel_axis=channel_axis, mask=mask, num_threads=num_threads)
    thresholds = np.empty(hist.shape[:-1], np.int64)
    integer.otsu_thresholds(hist, thresholds)
    return thresholds.astype(images.dtype)


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
        luts = _luts_above(threshold, images.dtype, _planes.batch_shape(images, n_batch, order))
        return apply_lut(images, luts, axes=axes, channel_axis=channel_axis, out=out, num_threads=num_threads)
    if threshold != "otsu":
        raise ValueError(f"threshold: expected 'otsu' or numbers, got {threshold!r}")
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, images.shape, channel_axis)
    if out is None:
        out = np.empty(images.shape, images.dtype)
    else:
        _planes.check_out(out, images.shape, images.dtype)
    _run(images, mask, out, None, None, n_batch, order, threads, integer.OTSU)
    return out


def _luts_above(threshold: npt.ArrayLike, dtype: np.dtype[Any], batch: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return a LUT, or one a plane, with the dtype's maximum for levels above the threshold."""
    if isinstance(threshold, int) and not isinstance(threshold, bool):
        threshold = min(max(threshold, -1), np.iinfo(dtype).max)  # of any size
    numbers = np.asarray(threshold)
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
    levels = np.arange(_methods.levels_of(dtype))
    return np.where(levels > numbers[..., np.newaxis], np.iinfo(dtype).max, 0).astype(dtype)
