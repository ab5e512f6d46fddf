"""The steps of equalizing integers: histogram, equalization_lut, apply_lut; for a LUT of one's own too."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

from cheq import _arguments, _call, _methods
from cheq._core import integer, work

if TYPE_CHECKING:
    from typing import Any, Unpack

    import numpy.typing as npt

    from cheq._call import Call
    from cheq._typing import Array, ArrayLike, Axes, DType, Masked, Method, Outside, Scalar


def histogram(
    images: ArrayLike,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.int64]:
    """
    Count the pixels of each gray level in every plane.

    Parameters
    ----------
    images : array_like of uint8, int8, uint16 or int16
        As for `equalize`.
    axes, channel_axis, mask, num_threads
        As for `equalize`.

    Returns
    -------
    ndarray of int64, shape batch shape + (256,) or, of 16-bit levels, + (65536,)
        Bin b counts the level b + the dtype's minimum. The batch shape is the images' shape without the planes'
        axes, in order: ``(N, C)`` for ``(N, H, W, C)`` with ``channel_axis=-1``. Histograms of parts of a data
        set can be added.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> cheq.histogram(np.array([[7, 7], [7, 9]], np.uint8))[[7, 8, 9]].tolist()
    [3, 0, 1]
    """
    return count(_call.of_planes(images, _methods.INTEGERS, axes, channel_axis, mask, num_threads))


def count(call: Call) -> npt.NDArray[np.int64]:
    """Return the histograms of a call's planes of integers."""
    shape = (*call.batch, _methods.levels_of(call.images.dtype))
    hist = np.empty(shape, np.int64) if call.images.size else np.zeros(shape, np.int64)
    integer.count(call, hist)
    return hist


def equalization_lut(
    histogram: ArrayLike,
    *,
    method: Method = "opencv",
    dtype: DType = None,
    images_dtype: npt.DTypeLike | None = None,
) -> Array:
    """
    Return the lookup table that equalizes each histogram.

    Parameters
    ----------
    histogram : array_like of int, shape (..., 256) or (..., 65536)
        Counts of all levels of the images' dtype, lowest first, none negative; the total of each histogram
        below 2**63. With ``"skimage"`` and ``"numpy"`` also float weights, such as ``hist ** 0.5``: finite, 0 or
        more, with a total above 0; their running sums, in order, are divided by the last.
    method : {"opencv", "pillow", "skimage", "numpy"}
        Whose definition is used; see `equalize`.
    dtype : None, "same" or the dtype of the images
        As for `equalize`.
    images_dtype : dtype, optional
        Of the images that were counted: by default uint8 for 256 bins and uint16 for 65,536; int8 and int16
        where their levels are signed.

    Returns
    -------
    ndarray, shape of histogram
        Entries have the dtype of `equalize`'s result. With ``"opencv"`` levels below the first occupied bin
        become 0. A histogram with one occupied bin, or none, gives the identity with ``"opencv"`` and
        ``"pillow"``.

    Raises
    ------
    TypeError
        If the counts are not integers, nor weights where these are taken, or the method does not take images of this
        dtype.
    ValueError
        If a count is negative, a weight is not finite, the last axis has another length or an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> hist = np.bincount([3, 3, 5, 8], minlength=256)
    >>> cheq.equalization_lut(hist)[[3, 5, 8]].tolist()
    [0, 128, 255]
    """
    how = _methods.of(method)
    if how.levels:
        counts = _arguments.as_histogram(histogram, instead="pass method='skimage' or 'numpy', which take weights")
    else:
        counts = as_counts_or_weights("histogram", histogram)
    images = _methods.counted_dtype(how, counts.shape[-1], images_dtype)
    luts = np.empty(counts.shape, how.result(images, _arguments.is_same(dtype, images)))
    if counts.dtype.kind == "f":
        with work.usual_arithmetic():
            _equalize_weights(counts, luts, how, images)
    else:
        integer.equalization_lut(counts, luts, how.maker, images.kind == "i")
    return luts


def as_counts_or_weights(name: str, histogram: ArrayLike) -> Array:
    """Return counts as contiguous int64, or floats as contiguous float64 weights; or raise."""
    weights = _arguments.as_array(name, histogram)
    if weights.dtype.kind in "iu":
        return _arguments.as_histogram(weights, name)
    if weights.dtype.kind != "f" or weights.dtype.itemsize > 8:
        raise TypeError(
            f"{name}: expected integer counts or float weights, got dtype {weights.dtype}; "
            f"convert with {name}.astype(np.float64)"
        )
    _arguments.check_bins(name, weights)
    with work.usual_arithmetic(), np.errstate(all="ignore"):
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        wrong = weights[~((weights >= 0) & (weights < np.inf))]
        if wrong.size:
            raise ValueError(f"{name}: expected finite weights of 0 or more, got {wrong[0]}")
        totals = np.cumsum(weights, axis=-1)[..., -1]
        wrong = totals[~((totals > 0) & (totals < np.inf))]
        if wrong.size:
            raise ValueError(f"{name}: expected weights with a finite total above 0, got a total of {wrong[0]}")
    return weights


def _equalize_weights(weights: Array, luts: Array, how: _methods.Method, images: np.dtype[Any]) -> None:
    """Fill ``luts`` by scikit-image's definition or the recipe's, where levels have weights instead of counts."""
    with work.usual_arithmetic(), np.errstate(all="ignore"):
        for index in np.ndindex(weights.shape[:-1]):
            make = _skimage_entries if how is _methods.SKIMAGE else _recipe_entries
            luts[index] = make(weights[index], images, luts.dtype == images)


def _skimage_entries(weights: Array, images: np.dtype[Any], same: bool) -> Array:
    sums = np.cumsum(weights)
    shares = np.maximum(sums, weights[weights > 0][0]) / sums[-1]
    return _as_levels(shares, images) if same else shares


def _recipe_entries(weights: Array, images: np.dtype[Any], same: bool) -> Array:
    limits = np.iinfo(images)
    levels, present = np.arange(limits.min, limits.max + 1), weights > 0
    scaled = np.ldexp(weights, -np.frexp(weights.max())[1])  # about 1, so that no density overflows
    density, edges = np.histogram(levels[present], _methods.NBINS, weights=scaled[present], density=True)
    sums = np.cumsum(density)
    entries = np.interp(levels, edges[:-1], (1.0 if same else 255.0) * sums / sums[-1])
    return _as_levels(entries, images) if same else entries


def _as_levels(shares: Array, images: np.dtype[Any]) -> Array:
    limits = np.iinfo(images)
    return np.asarray(np.rint(shares * (limits.max - limits.min)) + limits.min)


@overload
def apply_lut(
    images: ArrayLike, lut: npt.NDArray[Scalar], *, out: Array | None = ..., **options: Unpack[Masked]
) -> npt.NDArray[Scalar]: ...
@overload
def apply_lut(images: ArrayLike, lut: ArrayLike, *, out: Array | None = ..., **options: Unpack[Masked]) -> Array: ...
def apply_lut(
    images: ArrayLike,
    lut: ArrayLike,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    outside: Outside = "lut",
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """
    Replace every pixel by its level's entry in a lookup table.

    Parameters
    ----------
    images : array_like of uint8, int8, uint16 or int16
        As for `equalize`.
    lut : array_like, shape (levels,) or batch shape + (levels,)
        One LUT for all planes, or one a plane, as `equalization_lut` makes them from `histogram`'s result:
        256 entries for 8-bit images or 65,536, the lowest level's first; of 8-bit or 16-bit integers, float32
        or float64.
    mask, outside
        With a mask and ``outside="keep"`` only pixels under True are replaced; the others keep their value, which the
        LUT's dtype must be able to hold. The one without the other is an error.
    axes, channel_axis, out, num_threads
        As for `equalize`.

    Returns
    -------
    ndarray of the LUT's dtype, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does; also for a `lut` of another dtype or shape, and for a mask that would have no effect.

    Examples
    --------
    One LUT for a data set that is read in two parts:

    >>> import numpy as np
    >>> import cheq
    >>> parts = np.random.default_rng(0).integers(40, 90, (2, 100, 28, 28), dtype=np.uint8)
    >>> hist = sum(cheq.histogram(part, axes=(0, 1, 2)) for part in parts)
    >>> lut = cheq.equalization_lut(hist)
    >>> equalized = [cheq.apply_lut(part, lut) for part in parts]
    """
    call, luts = check_apply(images, lut, axes, channel_axis, mask, outside, num_threads)
    luts = np.asarray(luts, luts.dtype.newbyteorder("="), order="C")
    result = call.give(out, luts.dtype)
    integer.apply(call, luts)
    return result


def check_apply(
    images: ArrayLike,
    lut: ArrayLike,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    outside: Outside = "lut",
    num_threads: int | None = None,
) -> tuple[Call, Array]:
    """Check all arguments of `apply_lut` but ``out``, without reading a pixel or an entry; return the call and LUTs."""
    luts = _arguments.as_luts(lut)
    keeps = _arguments.keeps(outside, mask)
    if mask is not None and not keeps:
        raise ValueError("mask: expected None with outside='lut', which replaces all pixels; pass outside='keep' too")
    call = _call.of_planes(images, _methods.INTEGERS, axes, channel_axis, mask, num_threads, all_alike=luts.ndim == 1)
    call.keeps = keeps
    _arguments.check_luts(luts, call.batch, call.images.dtype, keeps)
    return call, luts
