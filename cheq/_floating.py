"""Float planes, and planes of bool, which scikit-image treats as such: bins, a distribution, its interpolation."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _methods, _planes
from cheq._core import floating


def equalize(
    images: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_] | None,
    out: npt.NDArray[Any],
    n_batch: int,
    order: list[int] | None,
    threads: int,
    method: _methods.Method,
    nbins: int,
    nan_policy: str,
    fresh: bool,
) -> None:
    """Write the equalized ``images`` to ``out``, ``fresh`` if made for this; nothing, if a plane has no answer."""
    if order is not None:
        arrays = (None if array is None else array.transpose(order) for array in (images, mask, out))
        images, mask, out = arrays  # type: ignore[assignment]
    if not fresh and not _is_same(images, out):
        images = _planes.apart_from(out, images)
    mask = mask if fresh else _planes.apart_from(out, mask)
    run(images, mask, out, None, None, n_batch, threads, method, nbins, nan_policy, fresh)


def run(
    images: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_] | None,
    out: npt.NDArray[Any] | None,
    cdf: npt.NDArray[np.float64] | None,
    points: npt.NDArray[np.float64] | None,
    n_batch: int,
    threads: int,
    method: _methods.Method,
    nbins: int,
    nan_policy: str,
    fresh: bool,
) -> None:
    """Give the core its views, batch axes first; raise for a plane that has no answer."""
    if images.dtype == np.bool_:
        images = images.astype(np.float64)  # what np.histogram counts bools as, and np.interp looks up
    wrong = floating.run(
        images, mask, out, cdf, points, n_batch, threads, method.maker, nbins, nan_policy == "omit", fresh
    )
    if wrong is not None:
        raise _error(wrong, images.shape[:n_batch], nbins)


def _is_same(images: npt.NDArray[Any], out: npt.NDArray[Any]) -> bool:
    """Whether every pixel's result goes where the pixel is."""
    return images.dtype == out.dtype and images.strides == out.strides and images.ctypes.data == out.ctypes.data


def _error(wrong: tuple[int, int], batch: tuple[int, ...], nbins: int) -> ValueError:
    plane, what = wrong
    index = tuple(map(int, np.unravel_index(plane, batch))) if batch else ()
    where = f" in plane {index}" if batch else ""
    if what == floating.NO_BINS:
        return ValueError(
            f"images: expected a range of values with room for {nbins} bins, got too many bins for data range{where}"
        )
    found = "NaN" if what == floating.NAN_FOUND else "an infinity"
    return ValueError(f"images: expected finite values, got {found}{where}; pass nan_policy='omit' to leave it out")


def distributions(
    images: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_] | None,
    n_batch: int,
    order: list[int] | None,
    threads: int,
    method: _methods.Method,
    nbins: int,
    nan_policy: str,
    out: npt.NDArray[Any] | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the CDF of every plane and its points, batch shape + (nbins,) each; equalize to a fresh ``out`` too."""
    shape = (*_planes.batch_shape(images, n_batch, order), nbins)
    if order is not None:
        arrays = (None if array is None else array.transpose(order) for array in (images, mask, out))
        images, mask, out = arrays  # type: ignore[assignment]
    cdf, points = np.full(shape, np.nan), np.full(shape, np.nan)
    run(images, mask, out, cdf, points, n_batch, threads, method, nbins, nan_policy, True)
    points[np.isnan(cdf[..., 0])] = _points_of_nothing(method, nbins, images.dtype)
    return cdf, points


def _points_of_nothing(method: _methods.Method, nbins: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the points of a plane without a counted pixel: np.histogram makes bins from 0 to 1 for it."""
    edges = np.linspace(0, 1, nbins + 1, dtype=dtype if dtype.kind == "f" else np.float64)
    left: npt.NDArray[Any] = edges[:-1]
    return (left + edges[1:]) / 2.0 if method is _methods.SKIMAGE else left
