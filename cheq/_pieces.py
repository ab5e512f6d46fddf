"""Planes of floats that come in pieces, by NumPy: their range, the counts in its bins, and their interpolation.

What `cheq.equalize` does to a plane in one go, with the same roundings: bins depend on the range alone, and counts add.
The ends of the bins stay in the images' dtype, since NumPy's bins of float32 are float32 themselves. A plane's axes
are given by number, and the results have them too, 1 long, so that pieces lie side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cheq import _equalize, _methods
from cheq._core import floating, work

if TYPE_CHECKING:
    import numpy.typing as npt

    from cheq._typing import Array

_NOTHING = -np.inf  # the largest of no values
_LOWEST, _HIGHEST, _HAS_NAN, _HAS_INFINITY = range(4)
FACTS = 4  # of a plane: its lowest value times -1, its highest, whether there is NaN, and an infinity


def facts_of(images: Array, mask: Array | None = None, *, axes: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return what is to be known of each plane before it is counted: of several pieces the largest of each fact."""
    facts = np.full((*_batch(images, axes), FACTS), _NOTHING)
    for place, values in _counted(images, mask, axes):
        finite = values[np.isfinite(values)]
        if finite.size:
            facts[place][:2] = -float(finite.min()), finite.max()
        facts[place][2:] = np.isnan(values).any(), np.isinf(values).any()
    return np.expand_dims(facts, axes)


def checked(
    facts: npt.NDArray[np.float64], *, kind: np.dtype[Any], nbins: int, nan_policy: str
) -> npt.NDArray[np.float64]:
    """Return what is known of all planes, or raise, as `cheq.equalize` does, if one of them has no distribution."""
    for number, place in enumerate(np.ndindex(facts.shape[:-1])):
        fact = facts[place]
        if nan_policy == "raise" and fact[_HAS_NAN] > 0:
            wrong = floating.NAN_FOUND
        elif nan_policy == "raise" and fact[_HAS_INFINITY] > 0:
            wrong = floating.INFINITY_FOUND
        elif fact[_HIGHEST] != _NOTHING and not _increase(_edges(fact, kind, nbins)):
            wrong = floating.NO_BINS
        else:
            continue
        raise _equalize.without_bins(facts.shape[:-1], nbins, number, wrong)
    return facts


def count(
    images: Array, facts: npt.NDArray[np.float64], mask: Array | None = None, *, axes: tuple[int, ...], nbins: int
) -> npt.NDArray[np.int64]:
    """Count the finite pixels in each bin of each plane's range."""
    counts = np.zeros((*_batch(images, axes), nbins), np.int64)
    for place, values in _counted(images, mask, axes):
        finite = values[np.isfinite(values)]
        if finite.size:
            with work.usual_arithmetic(), np.errstate(all="ignore"):
                counts[place] = np.histogram(finite, nbins, range=tuple(_ends(facts[place], finite.dtype)))[0]
    return np.expand_dims(counts, axes)


def curves_of(
    counts: npt.NDArray[np.int64], facts: npt.NDArray[np.float64], *, kind: np.dtype[Any], method: str
) -> npt.NDArray[np.float64]:
    """Return the curve of each plane, batch shape + (2, nbins): its distribution, and where that is known."""
    curves = np.full((*counts.shape[:-1], 2, counts.shape[-1]), np.nan)
    for place in np.ndindex(counts.shape[:-1]):
        if counts[place].any():
            with work.usual_arithmetic(), np.errstate(all="ignore"):
                curves[place] = _curve(counts[place], _edges(facts[place], kind, counts.shape[-1]), method)
    return curves


def _curve(counts: npt.NDArray[np.int64], edges: Array, method: str) -> tuple[Array, Array]:
    if method == _methods.SKIMAGE.name:
        cdf = np.cumsum(counts) / float(counts.sum())
        return cdf.astype(edges.dtype), (edges[:-1] + edges[1:]) / 2.0  # scikit-image rounds both to float32
    sums = np.cumsum(counts / np.diff(edges).astype(np.float64) / counts.sum())
    return 255.0 * sums / sums[-1], edges[:-1]


def interpolate(
    images: Array,
    curves: npt.NDArray[np.float64],
    mask: Array | None = None,
    *,
    axes: tuple[int, ...],
    result: np.dtype[Any],
) -> Array:
    """Return the images on the curves of their planes; with a mask its pixels alone, the others keep their value."""
    equalized = np.empty(images.shape, result)
    planes, written = _planes(images, axes), _planes(equalized, axes)
    for place in np.ndindex(_batch(images, axes)):
        pixels, (cdf, points) = planes[place], curves[place]
        with work.usual_arithmetic(), np.errstate(all="ignore"):
            values = np.interp(pixels, points, cdf) if not np.isnan(cdf[0]) else np.full(pixels.shape, np.nan)
            values[np.isnan(pixels)] = np.nan  # of one bin np.interp gives a number
            written[place] = values
    return equalized if mask is None else np.where(mask, equalized, images).astype(result, copy=False)


def _ends(fact: npt.NDArray[np.float64], kind: np.dtype[Any]) -> Array:
    return np.array([-fact[_LOWEST], fact[_HIGHEST]], kind)


def _edges(fact: npt.NDArray[np.float64], kind: np.dtype[Any], nbins: int) -> Array:
    """Return the edges of np.histogram's bins, in order or not."""
    first, last = _ends(fact, kind)
    with work.usual_arithmetic(), np.errstate(all="ignore"):
        if first == last:
            first, last = first - 0.5, last + 0.5
        return np.linspace(first, last, nbins + 1, dtype=kind)


def _increase(edges: Array) -> bool:
    return bool((edges[:-1] < edges[1:]).all())


def _planes(array: Array, axes: tuple[int, ...]) -> Array:
    """Return a view with the batch axes first."""
    return np.moveaxis(array, axes, range(-len(axes), 0))


def _batch(images: Array, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for axis, length in enumerate(images.shape) if axis not in axes)


def _counted(images: Array, mask: Array | None, axes: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Yield the place of each plane in the batch, and its counted pixels."""
    planes = _planes(images, axes)
    counted = None if mask is None else _planes(np.broadcast_to(mask, images.shape), axes)
    for place in np.ndindex(_batch(images, axes)):
        values = planes[place] if counted is None else planes[place][counted[place]]
        yield place, values.astype(np.float64) if values.dtype == np.bool_ else values
