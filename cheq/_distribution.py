"""cumulative_distribution: the CDF of every plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cheq import _arguments, _call, _methods
from cheq._core import work
from cheq._equalize import NAN_POLICIES, equalize_floats
from cheq._steps import count

if TYPE_CHECKING:
    import numpy.typing as npt

    from cheq._call import Call
    from cheq._typing import Array, ArrayLike, Axes, NanPolicy


def cumulative_distribution(
    images: ArrayLike,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    nbins: int = _methods.NBINS,
    nan_policy: NanPolicy = "raise",
    num_threads: int | None = None,
) -> tuple[Array, Array]:
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
    call = _call.of_planes(images, how.dtypes, axes, channel_axis, mask, num_threads)
    dtype = call.images.dtype
    nan_policy = _arguments.as_choice("nan_policy", nan_policy, NAN_POLICIES)
    nbins = _arguments.as_number_of_bins(nbins, dtype)
    if dtype.kind in "iu":
        hist = count(call)
        return _of_counts(hist), np.arange(hist.shape[-1]) + np.iinfo(dtype).min
    cdf, centers = distributions(call, how, nbins, nan_policy)
    kind = np.float32 if dtype == np.float32 else np.float64
    return cdf.astype(kind, copy=False), centers.astype(kind, copy=False)


def distributions(
    call: Call, how: _methods.Method, nbins: int, nan_policy: NanPolicy
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the CDF of every plane and its points, batch shape + (nbins,) each; equalize to the call's result too."""
    shape, dtype = (*call.batch, nbins), call.images.dtype
    cdf, points = np.full(shape, np.nan), np.full(shape, np.nan)
    equalize_floats(call, how, nbins, nan_policy, cdf, points)
    points[np.isnan(cdf[..., 0])] = _points_of_nothing(how, nbins, dtype)
    return cdf, points


def _points_of_nothing(how: _methods.Method, nbins: int, dtype: np.dtype[Any]) -> Array:
    """Return the points of a plane without a counted pixel: np.histogram makes bins from 0 to 1 for it."""
    with work.usual_arithmetic():
        edges = np.linspace(0, 1, nbins + 1, dtype=dtype if dtype.kind == "f" else np.float64)
        left: Array = edges[:-1]
        return (left + edges[1:]) / 2.0 if how is _methods.SKIMAGE else left


def _of_counts(hist: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    running = np.cumsum(hist, axis=-1, out=hist)
    with work.usual_arithmetic(), np.errstate(invalid="ignore"):  # no pixel: 0 / 0, NaN
        return running / running[..., -1:].astype(np.float64)
