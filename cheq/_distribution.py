"""cumulative_distribution: the CDF of every plane."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _floating, _methods, _planes, _threads
from cheq._equalize import SMALL_WORK, histogram


def cumulative_distribution(
    images: npt.ArrayLike,
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    nbins: int = _methods.NBINS,
    nan_policy: str = "raise",
    num_threads: int | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """
    Return the cumulative distribution function of every plane, and where it is known.

    Parameters
    ----------
    images : array_like of bool, uint8, int8, uint16, int16, float32 or float64
        As for `equalize`.
    axes, channel_axis, mask, nbins, nan_policy, num_threads
        As for `equalize` with method ``"skimage"``.

    Returns
    -------
    cdf : ndarray of float64, or float32 for float32 images
        Of floats and bool, shape batch shape + (nbins,): for each plane what
        ``skimage.exposure.cumulative_distribution`` gives. Of integers, shape batch shape + (256,) or
        + (65536,), one value a level of the dtype: 0 below and 1 above the plane's range, and within it what
        scikit-image gives. NaN for a plane without a counted pixel.
    bin_centers : ndarray
        Of floats and bool, the shape of `cdf` and the dtype of the bins' edges. Of integers, int64: all levels
        of the dtype.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> cdf, levels = cheq.cumulative_distribution(np.array([[7, 7], [7, 9]], np.uint8))
    >>> cdf[[6, 7, 8, 9]].tolist()
    [0.0, 0.75, 0.75, 1.0]
    """
    how = _methods.SKIMAGE
    images = _planes.as_images(images, how.dtypes)
    _methods.result(how, images.dtype, None, nbins, nan_policy)
    if images.dtype.kind in "iu":
        hist = histogram(images, axes=axes, channel_axis=channel_axis, mask=mask, num_threads=num_threads)
        return _of_counts(hist), np.arange(hist.shape[-1]) + np.iinfo(images.dtype).min
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis)
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, images.shape, channel_axis)
    cdf, centers = _floating.distributions(images, mask, n_batch, order, threads, how, nbins, nan_policy)
    kind = np.float32 if images.dtype == np.float32 else np.float64
    return cdf.astype(kind, copy=False), centers.astype(kind, copy=False)


def _of_counts(hist: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    running = np.cumsum(hist, axis=-1, out=hist)
    with np.errstate(invalid="ignore"):  # no pixel: 0 / 0, NaN
        return running / running[..., -1:].astype(np.float64)
