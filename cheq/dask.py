"""cheq for dask: the same functions for ``dask.array``, lazy, chunk by chunk, whatever the chunks.

A plane that is whole in a chunk is one task's work. Planes that are split over chunks are counted first, when the
function is called: in one graph with the look-up dask would keep every chunk in memory from the one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import cheq
from cheq import _arguments, _call, _clahe, _equalize, _match, _methods, _steps
from cheq._worlds import needed

with needed(__name__, "cheq[dask]"):
    import dask.array as da

    from cheq._chunks import Operand, Planes, blocks, check_array, laid_out, settled, stand_in

if TYPE_CHECKING:
    from typing import Literal

    import numpy.typing as npt

    from cheq._typing import Array, ArrayLike, Axes, ClaheMethod, Color, DType, KernelSize, Method, NanPolicy, Outside

__all__ = ["apply_lut", "clahe", "equalization_lut", "equalize", "histogram", "match_histograms", "matching_lut"]


def equalize(
    images: da.Array,
    *,
    method: Method = "opencv",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | da.Array | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    nbins: int = _methods.NBINS,
    nan_policy: NanPolicy = "raise",
    lazy: bool = False,
) -> da.Array:
    """
    Equalize the histogram of every image of a batch, byte for byte as `cheq.equalize` does.

    Parameters
    ----------
    images : dask.array.Array, shape (..., height, width)
        As for `cheq.equalize`, in any chunks of known sizes.
    method, color, axes, channel_axis, outside, dtype, nbins, nan_policy
        As for `cheq.equalize`. A lightness (`color`) needs chunks of whole planes with all channels.
    mask : ndarray or dask.array.Array of bool, optional
        As for `cheq.equalize`; it gets the images' chunks.
    lazy : bool, default: False
        Compute nothing at the call, even where planes are split over chunks. All chunks of a plane are then in memory
        together when the result is computed.

    Returns
    -------
    dask.array.Array, shape and chunks of images
        Lazy. Where chunks hold whole planes, each chunk is read once, when the result is computed. Where planes are
        split over chunks, their histograms are computed at the call (of floats the ranges, then the histograms) and
        chunks are read once more when the result is computed. LUTs stay where dask persists: with dask.distributed
        on the workers.

    Raises
    ------
    TypeError, ValueError
        As `cheq.equalize` does, at the call; but NaN in planes that are whole in a chunk, or with `lazy`, is found
        when the result is computed. Also if `images` is no dask array, if sizes of chunks are unknown, or if chunks
        must hold whole planes and do not.

    Notes
    -----
    With an asynchronous client of dask.distributed, which cannot wait at the call, pass ``lazy=True``, or take the
    steps: `histogram`, `equalization_lut`, `apply_lut`.

    Examples
    --------
    >>> import dask.array as da
    >>> import cheq.dask
    >>> volume = da.random.default_rng(0).integers(40, 90, (64, 96, 96), dtype="uint8", chunks=32)
    >>> equalized = cheq.dask.equalize(volume, axes=(0, 1, 2))
    >>> equalized.shape == volume.shape, equalized.chunks == volume.chunks, equalized.dtype
    (True, True, dtype('uint8'))
    """
    check_array("images", images)
    call, kind, _ = _equalize.check(
        stand_in("images", images),
        method,
        color,
        axes,
        channel_axis,
        stand_in("mask", mask),
        outside,
        dtype,
        nbins,
        nan_policy,
    )
    planes, same = Planes(images, call, channel_axis, mask), _same(dtype)
    beside = _lightness_axes(planes, color)
    if planes.are_whole(beside):
        options = {"color": color, "channel_axis": planes.channel, "outside": outside}
        function = partial(cheq.equalize, method=method, dtype=same, nbins=nbins, nan_policy=nan_policy, **options)
        return planes.each(function, "equalize", kind, planes.mask)
    if color != "channels":
        raise planes.not_whole(f"color={color!r}", beside)
    if images.dtype.kind in "fb":
        return planes.interpolated(kind, method, nbins, nan_policy, lazy)
    luts = equalization_lut(planes.histogram(), method=method, dtype=same, images_dtype=call.images.dtype)
    return planes.look_up(luts if lazy else settled(luts))


def clahe(
    images: da.Array,
    *,
    clip_limit: ArrayLike | None = None,
    tile_grid_size: Iterable[int] | None = None,
    method: ClaheMethod = "opencv",
    kernel_size: KernelSize = None,
    nbins: int | None = None,
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | da.Array | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
) -> da.Array:
    """
    Equalize every image of a batch tile by tile, byte for byte as `cheq.clahe` does.

    Parameters
    ----------
    images : dask.array.Array, shape (..., height, width)
        As for `cheq.clahe`, in chunks of whole planes, with all channels where a lightness (`color`) is equalized.
    clip_limit, tile_grid_size, method, kernel_size, nbins, color, axes, channel_axis, outside, dtype
        As for `cheq.clahe`.
    mask : ndarray or dask.array.Array of bool, optional
        As for `cheq.clahe`; it gets the images' chunks.

    Returns
    -------
    dask.array.Array, shape and chunks of images
        Lazy; each chunk is read once.

    Raises
    ------
    TypeError, ValueError
        As `cheq.clahe` does, at the call, but for floats beyond -1 to 1, which are found when the result is computed;
        also for planes that are split over chunks.

    Examples
    --------
    >>> import dask.array as da
    >>> import cheq.dask
    >>> scans = da.random.default_rng(0).integers(90, 120, (10, 224, 224), dtype="uint8", chunks=(5, -1, -1))
    >>> cheq.dask.clahe(scans, clip_limit=2.0).chunksize
    (5, 224, 224)
    """
    check_array("images", images)
    tile_grid_size, kernel_size = _kept(tile_grid_size), _kept(kernel_size)
    call, kind, _ = _clahe.check(
        stand_in("images", images), clip_limit, tile_grid_size, method, kernel_size, nbins, color, axes, channel_axis,
        stand_in("mask", mask), outside, dtype,
    )  # fmt: skip
    planes = Planes(images, call, channel_axis, mask)
    beside = _lightness_axes(planes, color)
    if not planes.are_whole(beside):
        raise planes.not_whole("clahe", beside)
    options: dict[str, Any] = {"tile_grid_size": tile_grid_size, "kernel_size": kernel_size, "nbins": nbins}
    others = dict(planes.mask)
    if np.ndim(clip_limit) == 0:  # type: ignore[arg-type]
        options["clip_limit"] = clip_limit
    else:
        limits = _clahe.limits_of_planes(_clahe.as_limits(clip_limit), call, channel_axis, color)  # type: ignore[arg-type]
        others["clip_limit"] = planes.laid(limits, planes.batch[: limits.ndim])
    options |= {"method": method, "color": color, "channel_axis": planes.channel, "outside": outside}
    return planes.each(partial(cheq.clahe, dtype=_same(dtype), **options), "clahe", kind, others)


def match_histograms(
    images: da.Array,
    reference: ArrayLike | None = None,
    *,
    reference_histogram: ArrayLike | da.Array | None = None,
    method: Literal["skimage"] = "skimage",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | da.Array | None = None,
    reference_mask: ArrayLike | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    lazy: bool = False,
) -> da.Array:
    """
    Give every image of a batch the histogram of a reference, byte for byte as `cheq.match_histograms` does.

    Parameters
    ----------
    images : dask.array.Array, shape (..., height, width)
        As for `cheq.match_histograms`. Of integers in any chunks of known sizes; of floats, or with `color`, in chunks
        of whole planes, with all channels.
    reference : ndarray
        As for `cheq.match_histograms`. Either this or `reference_histogram`.
    reference_histogram : ndarray or dask.array.Array, shape (levels,) or broadcasting to batch shape + (levels,)
        What integer images are to look like, as counts or weights: as for `cheq.matching_lut`, for example the
        `histogram` of another dask array.
    method, color, axes, channel_axis, reference_mask, outside, dtype
        As for `cheq.match_histograms`.
    mask : ndarray or dask.array.Array of bool, optional
        As for `cheq.match_histograms`; it gets the images' chunks.
    lazy : bool, default: False
        As for `equalize`.

    Returns
    -------
    dask.array.Array, shape and chunks of images
        As for `equalize`.

    Raises
    ------
    TypeError, ValueError
        As `cheq.match_histograms` and `cheq.matching_lut` do, at the call, but for what is not finite among the images'
        values, and for a `reference_histogram` that is not computed yet. Also where chunks must hold whole planes and
        do not, and if not one of `reference` and `reference_histogram` is given.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import cheq.dask
    >>> random = da.random.default_rng(0)
    >>> scan, other = (random.integers(0, high, (64, 96, 96), dtype="uint8", chunks=32) for high in (90, 200))
    >>> counts = cheq.dask.histogram(other, axes=(0, 1, 2))
    >>> matched = cheq.dask.match_histograms(scan, reference_histogram=counts, axes=(0, 1, 2), dtype="same")
    >>> int(matched.max())
    199
    """
    check_array("images", images)
    known = reference_histogram
    if isinstance(known, da.Array):
        known = _one("reference_histogram", known)
    call, kind, _ = _match.check(
        stand_in("images", images),
        reference,
        known,
        method,
        color,
        axes,
        channel_axis,
        stand_in("mask", mask),
        reference_mask,
        outside,
        dtype,
    )
    planes = Planes(images, call, channel_axis, mask)
    beside = _lightness_axes(planes, color)
    whole = planes.are_whole(beside)
    if not whole and (color != "channels" or images.dtype.kind == "f"):
        raise planes.not_whole(f"color={color!r}" if beside else "matching floats", beside)
    if reference is not None:
        reference = np.asarray(reference)
    if reference is not None and whole:
        others = planes.reference(reference, reference_mask, color)
    elif reference is not None:
        last_axes = tuple(axis - images.ndim for axis in planes.axes)
        channel = None if planes.channel is None else planes.channel - images.ndim
        counts = cheq.histogram(reference, axes=last_axes, channel_axis=channel, mask=reference_mask)
        others = planes.reference_histogram(counts)
    else:
        given = reference_histogram if isinstance(reference_histogram, da.Array) else np.asarray(known)
        _match.check_batch("reference_histogram", given.shape[:-1], call.batch[: call.n_batch - len(beside)])
        others = planes.reference_histogram(given, len(beside))
    if whole:
        options = {"color": color, "channel_axis": planes.channel, "outside": outside}
        function = partial(cheq.match_histograms, dtype=_same(dtype), **options)
        return planes.each(function, "match_histograms", kind, planes.mask | others)
    return planes.matched(others, kind, dtype is not None, lazy)


# ---------------------------------------------------------------- the steps


def histogram(
    images: da.Array,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | da.Array | None = None,
    split_every: int | None = None,
) -> da.Array:
    """
    Count the pixels of each gray level in every plane.

    Parameters
    ----------
    images : dask.array.Array of uint8, int8, uint16 or int16
        As for `equalize`, in any chunks of known sizes.
    axes, channel_axis
        As for `cheq.histogram`.
    mask : ndarray or dask.array.Array of bool, optional
        As for `equalize`.
    split_every : int, optional
        As for dask's reductions: how many counts of chunks are added at a time.

    Returns
    -------
    dask.array.Array of int64, shape batch shape + (256,) or, of 16-bit levels, + (65536,)
        Lazy. As that of `cheq.histogram`; the last axis has one chunk.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does, at the call.

    Examples
    --------
    >>> import dask.array as da
    >>> import cheq.dask
    >>> images = da.full((10, 64, 64), 7, dtype="uint8", chunks=(5, 32, 32))
    >>> cheq.dask.histogram(images, axes=(0, 1, 2))[7].compute()
    np.int64(40960)
    """
    check_array("images", images)
    call = _call.of_planes(
        stand_in("images", images), _methods.INTEGERS, axes, channel_axis, stand_in("mask", mask), None
    )
    return Planes(images, call, channel_axis, mask).histogram(split_every)


def equalization_lut(
    histogram: da.Array,
    *,
    method: Method = "opencv",
    dtype: DType = None,
    images_dtype: npt.DTypeLike | None = None,
) -> da.Array:
    """
    Return the lookup table that equalizes each histogram.

    Parameters
    ----------
    histogram : dask.array.Array, shape (..., 256) or (..., 65536)
        Counts, as `histogram` makes them, or weights, as for `cheq.equalization_lut`.
    method, dtype, images_dtype
        As for `cheq.equalization_lut`.

    Returns
    -------
    dask.array.Array, shape of histogram
        Lazy. As that of `cheq.equalization_lut`.

    Raises
    ------
    TypeError, ValueError
        As `cheq.equalization_lut` does, at the call, but for wrong counts, which are found when the result is computed.
    """
    one, operand = _one("histogram", histogram), _last_axis_whole(histogram)
    options: dict[str, Any] = {"method": method, "images_dtype": images_dtype}
    kind = cheq.equalization_lut(one, dtype=dtype, **options).dtype
    function = partial(cheq.equalization_lut, dtype=_same(dtype), **options)
    return blocks(function, "equalization_lut", operand[1], {"histogram": operand}, kind)


def matching_lut(
    histogram: da.Array,
    reference_histogram: ArrayLike | da.Array,
    *,
    images_dtype: npt.DTypeLike | None = None,
    dtype: DType = None,
) -> da.Array:
    """
    Return the lookup table that gives images the histogram of a reference.

    Parameters
    ----------
    histogram : dask.array.Array of int, shape (..., 256) or (..., 65536)
        Counts, as `histogram` makes them.
    reference_histogram : ndarray or dask.array.Array
        As for `cheq.matching_lut`.
    images_dtype, dtype
        As for `cheq.matching_lut`.

    Returns
    -------
    dask.array.Array, shape of histogram
        Lazy. As that of `cheq.matching_lut`.

    Raises
    ------
    TypeError, ValueError
        As `cheq.matching_lut` does, at the call, but for wrong counts of what is lazy, which are found when the result
        is computed.
    """
    one, (counts, labels) = _one("histogram", histogram), _last_axis_whole(histogram)
    reference = _as_reference(reference_histogram, one, histogram.shape[:-1], images_dtype)
    kind = cheq.matching_lut(one, np.ones_like(one), images_dtype=images_dtype, dtype=dtype).dtype
    given = laid_out(reference, labels[len(labels) - reference.ndim :], counts.chunks)
    function = partial(cheq.matching_lut, images_dtype=images_dtype, dtype=_same(dtype))
    operands = {"histogram": (counts, labels), "reference_histogram": given}
    return blocks(function, "matching_lut", labels, operands, kind)


def apply_lut(
    images: da.Array,
    lut: ArrayLike | da.Array,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | da.Array | None = None,
    outside: Outside = "lut",
) -> da.Array:
    """
    Replace every pixel by its level's entry in a lookup table.

    Parameters
    ----------
    images : dask.array.Array of uint8, int8, uint16 or int16
        As for `equalize`, in any chunks of known sizes.
    lut : ndarray or dask.array.Array, shape (levels,) or batch shape + (levels,)
        As for `cheq.apply_lut`: one LUT for all planes, or one a plane. A dask array is computed with the result, and
        in the same graph; one that was made from the same images is better persisted or computed before.
    axes, channel_axis, outside
        As for `cheq.apply_lut`.
    mask : ndarray or dask.array.Array of bool, optional
        As for `cheq.apply_lut`.

    Returns
    -------
    dask.array.Array of the LUT's dtype, shape and chunks of images
        Lazy; each chunk is read once.

    Raises
    ------
    TypeError, ValueError
        As `cheq.apply_lut` does, at the call.
    """
    check_array("images", images)
    lut = lut if isinstance(lut, da.Array) else _arguments.as_luts(lut)
    call, _ = _steps.check_apply(
        stand_in("images", images), stand_in("lut", lut), axes, channel_axis, stand_in("mask", mask), outside
    )
    return Planes(images, call, channel_axis, mask).look_up(lut)


def _same(dtype: DType) -> Literal["same"] | None:
    """Return what names the images' dtype to tasks; that it is theirs has been checked."""
    return None if dtype is None else "same"


def _kept(values: Any) -> Any:
    """Return several values in a tuple, which is read again and does not change; anything else as it is."""
    try:
        return tuple(values)
    except TypeError:
        return values


def _lightness_axes(planes: Planes, color: Color) -> tuple[int, ...]:
    """Return the axes beside those of a plane of which a task needs all."""
    return () if color == "channels" or planes.channel is None else (planes.channel,)


def _one(name: str, histogram: Any) -> Array:
    """Return one histogram to be checked in place of many that are lazy."""
    check_array(name, histogram)
    _arguments.check_bins(name, stand_in(name, histogram))
    return np.ones(histogram.shape[-1:], histogram.dtype)


def _last_axis_whole(histogram: da.Array) -> Operand:
    labels = tuple(range(histogram.ndim))
    return histogram.rechunk({histogram.ndim - 1: -1}), labels


def _as_reference(
    reference: ArrayLike | da.Array, one: Array, batch: tuple[int, ...], images_dtype: npt.DTypeLike | None
) -> Array | da.Array:
    """Return the histogram of a reference if it fits the images', one of which is given, and their batch shape."""
    name = "reference_histogram"
    if isinstance(reference, da.Array):
        array, known = reference, _one(name, reference)
    else:
        array = known = _arguments.as_array(name, reference)
        _arguments.check_bins(name, known)
    cheq.matching_lut(np.broadcast_to(one, (*known.shape[:-1], *one.shape)), known, images_dtype=images_dtype)
    _match.check_batch(name, array.shape[:-1], batch)
    return array
