"""Match: give images the histogram of a reference, by its pixels or by counts."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from cheq import _arguments, _call, _color, _methods, _steps
from cheq._core import color as _lightness
from cheq._core import floating, integer, matching, work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, Unpack

    import numpy.typing as npt

    from cheq._call import Call, Work
    from cheq._typing import Array, ArrayLike, Axes, Color, DType, MatchOptions, Outside, Scalar

_DTYPES = (*_methods.INTEGERS, "float32", "float64")
_MATCHERS = ("skimage",)
_TARGETS = 1 << 26  # bytes that targets may take, where planes have one each: those of a part and of the next

# Knots and rows: what matching.pyx makes of references.
_Targets: TypeAlias = "tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]"


@overload
def match_histograms(
    images: npt.NDArray[Scalar],
    reference: ArrayLike | None = ...,
    *,
    dtype: Literal["same"],
    out: Array | None = ...,
    **options: Unpack[MatchOptions],
) -> npt.NDArray[Scalar]: ...
@overload
def match_histograms(
    images: ArrayLike,
    reference: ArrayLike | None = ...,
    *,
    dtype: DType = ...,
    out: Array | None = ...,
    **options: Unpack[MatchOptions],
) -> Array: ...
def match_histograms(
    images: ArrayLike,
    reference: ArrayLike | None = None,
    *,
    reference_histogram: ArrayLike | None = None,
    method: Literal["skimage"] = "skimage",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    reference_mask: ArrayLike | None = None,
    outside: Outside = "lut",
    out: Array | None = None,
    dtype: DType = None,
    num_threads: int | None = None,
) -> Array:
    """
    Give every image of a batch the histogram of a reference.

    Parameters
    ----------
    images : array_like, shape (..., height, width)
        One image or a batch with any number of batch axes, of uint8, int8, uint16, int16, float32 or float64. Any
        strides are taken without a copy; the array is not changed (unless it is `out`).
    reference : array_like
        What the images are to look like, of their dtype: one plane of any size for all (with `channel_axis` one a
        channel), or one for each: its batch shape broadcasts to that of the images. Either this or
        `reference_histogram`.
    reference_histogram : array_like of int or float, shape (levels,) or batch shape + (levels,)
        The same for integers, by counts or weights, as for `matching_lut`: what `histogram` gives for a reference, the
        sum for many, or any distribution. Its batch shape broadcasts to that of the images, without channels where
        `color` is a lightness.
    method : {"skimage"}
        Whose definition is used: ``skimage.exposure.match_histograms``, bit for bit for each plane, the pixels that
        share one histogram.
    color : {"channels", "ycrcb", "yuv", "lab"}, optional
        What is matched in color images: every channel on its own; or the lightness, as in `equalize`, to that of the
        reference, both uint8, while colors stay.
    axes : int or tuple of int, optional
        The axes of a plane. By default the last two, not counting `channel_axis`. Both options count from the end, so
        that they name the same axes of `reference`, which may have fewer: axis 2 of images of four axes is
        the last but one of both arrays.
    channel_axis : int, optional
        The axis of R, G, B. Each channel is matched to the same one of the reference, unless `color` says otherwise.
    mask, reference_mask : array_like of bool, optional
        Which pixels are counted, of the images and of the reference: those under True. Each broadcasts as the mask of
        `equalize` does. A plane of the images without a counted pixel, or its lightness, is left as it is where the
        result is integer, else it becomes NaN.
    outside : {"lut", "keep"}, optional
        What pixels outside `mask` become. ``"lut"``: what the largest counted value at or below theirs becomes, or the
        reference's lowest value. ``"keep"``: they keep their value.
    out : ndarray, shape of images, optional
        Where the result is written, of the result's dtype; `images` itself works in place where dtypes agree. With
        other overlapping memory the result is as if all that is read had been copied first.
    dtype : None, "same" or the images' dtype, optional
        None: scikit-image's dtypes. Without `channel_axis` float64, or float32 for float32. With it the images' own;
        integers are then cut off toward zero, which makes about half of the values one level too low. ``"same"``, or
        the images' dtype: their dtype in every layout, integers rounded to the nearest level, half to even. A
        lightness always takes the nearest level.
    num_threads : int, optional
        The most threads to use, as for `equalize`. A plane of floats is the work of one thread.

    Returns
    -------
    ndarray, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError
        If a dtype is not one of these, if that of `reference` is not the images' (nothing is converted silently), if
        an array is a masked one, or if `num_threads` is not an int.
    ValueError
        If an option, an axis, a shape or `num_threads` is out of range, if a counted value is NaN or infinite, if a
        plane of the reference has no counted pixel, or if `out` is read-only or overlaps itself; also if neither `axes`
        nor `channel_axis` is given for images whose last axis looks like channels, as in `equalize`. Nothing has been
        written then.

    See Also
    --------
    matching_lut : the LUT alone, for data larger than memory.

    Notes
    -----
    A value becomes that of the reference at or below which the same share of pixels lies: ``np.interp(q, p, w)``, where
    q is the share of the plane's pixels at or below the value, w are the values that there are in the reference, and p
    their shares. Shares are running counts divided by the total, in float64 (scikit-image,
    ``exposure/histogram_matching.py``).

    Memory beside the result: for floats 24 bytes a pixel of a plane (25 with a mask) for each thread, 8 a plane, and 32
    a pixel of the reference; for integers at most 32 a level of the reference. References of more than one plane take
    16 bytes a plane of the images too; many take 64 MiB, or, of floats, 64 bytes a pixel of one for each thread, if
    that is more. Histograms take 57 bytes a level of each.

    Ctrl-C (``KeyboardInterrupt``) during a long call leaves each plane of `out` either finished or untouched, as in
    `equalize`; a plane of floats is finished first, some hundredths of a second a megapixel.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> random = np.random.default_rng(0)
    >>> frames = random.integers(40, 90, (20, 48, 64), dtype=np.uint8)
    >>> day = random.integers(100, 250, (30, 30), dtype=np.uint8)
    >>> bright = cheq.match_histograms(frames, day, dtype="same")
    >>> bright.shape, bright.dtype, int(bright.max())
    ((20, 48, 64), dtype('uint8'), 249)
    """
    call, kind, work = check(
        images,
        reference,
        reference_histogram,
        method,
        color,
        axes,
        channel_axis,
        mask,
        reference_mask,
        outside,
        dtype,
        num_threads,
    )
    result = call.give(out, kind)
    work()
    return result


def check(
    images: ArrayLike,
    reference: ArrayLike | None = None,
    reference_histogram: ArrayLike | None = None,
    method: Literal["skimage"] = "skimage",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    reference_mask: ArrayLike | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    num_threads: int | None = None,
) -> tuple[Call, np.dtype[Any], Work]:
    """Check all arguments of `match_histograms` but ``out``, without reading a pixel of the images.

    Returns what `_equalize.check` does.
    """
    _arguments.as_choice("method", method, _MATCHERS)
    color = _color.as_color(color)
    keeps = _arguments.keeps(outside, mask)
    if (reference is None) == (reference_histogram is None):
        given = "neither" if reference is None else "both"
        raise ValueError(f"reference: expected one of reference and reference_histogram, got {given}")
    if axes is not None:  # of any kind, read once for both
        axes = tuple(_arguments.as_int("axes", axis) for axis in _arguments.as_tuple(axes))
    if channel_axis is not None:
        channel_axis = _arguments.as_int("channel_axis", channel_axis)
    call = _planes_of("images", images, color, axes, channel_axis, mask, num_threads)
    call.keeps = keeps
    kind = call.images.dtype
    same = dtype is not None and _arguments.is_same(dtype, kind)
    truncates = not same and channel_axis is not None
    levels = kind.kind == "f" or same or truncates or color != "channels"
    result = kind if levels else np.dtype(np.float64)
    if reference is None:
        counts = _counts_of(reference_histogram, call, color, reference_mask)
        return call, result, partial(_match_to_counts, call, counts, color, truncates)
    planes = _reference_of(reference, call, color, axes, channel_axis, reference_mask, num_threads)
    if kind.kind == "f":
        _check_finite("reference", planes)
    return call, result, partial(_match, call, planes, color, truncates)


def _match(call: Call, given: Call, color: Color, truncates: bool) -> None:
    if call.images.dtype.kind == "f":
        _check_finite("images", call)
    if call.images.size == 0:
        return
    if color != "channels":
        given = _color.lightness_of(given, color)
    for part, targets in _parts(call, given, _n_batch(call, color)):
        _match_part(part, targets, color, truncates)


def _match_to_counts(call: Call, counts: Array, color: Color, truncates: bool) -> None:
    if call.images.size > 0:
        knots, rows = _targets_of_counts(counts, call.images.dtype)
        of_each = _of_each(rows, counts.shape[:-1], call.batch[: _n_batch(call, color)])
        _match_part(call, (knots, of_each), color, truncates)


def _match_part(call: Call, targets: _Targets, color: Color, truncates: bool) -> None:
    if color != "channels":
        _lightness.match(call, _lightness.SPACES[color], targets)
    elif call.images.dtype.kind == "f":
        matching.match_floats(call, targets)
    else:
        integer.match(call, targets, truncates)


def _planes_of(
    name: str,
    array: ArrayLike,
    color: Color,
    axes: Axes,
    channel_axis: int | None,
    mask: ArrayLike | None,
    num_threads: int | None,
) -> Call:
    if color != "channels":
        return _color.of_images(array, color, _color.BYTES, axes, channel_axis, mask, num_threads, name)
    call = _call.of_planes(array, _DTYPES, axes, channel_axis, mask, num_threads, name=name)
    pixels = math.prod(call.images.shape[call.n_batch :])
    if call.images.dtype.kind == "f" and pixels > matching.MOST_PIXELS:
        raise ValueError(f"{name}: expected planes of floats of at most {matching.MOST_PIXELS} pixels, got {pixels}")
    return call


def _reference_of(
    reference: ArrayLike,
    call: Call,
    color: Color,
    axes: tuple[int, ...] | None,
    channel_axis: int | None,
    mask: ArrayLike | None,
    num_threads: int | None,
) -> Call:
    """Return the call of the reference's planes, once it fits that of the images."""
    reference, most = _arguments.as_array("reference", reference), len(call.shape)
    if axes is not None:  # counted from the end they are those of both
        axes = tuple(axis % most - most for axis in axes)
    if channel_axis is not None:
        channel_axis = channel_axis % most - most
    fewest = max(2 if axes is None else -min(axes), 1 if channel_axis is None else -channel_axis)
    if axes is None and channel_axis is None and reference.ndim > 2 and _arguments.looks_like_channels(reference.shape):
        raise ValueError(
            f"reference: expected one plane or one for each image, got shape {reference.shape}, whose last axis looks "
            "like channels; pass one channel of it, or images that have channels too, and their channel_axis"
        )
    if not fewest <= reference.ndim <= most:
        raise ValueError(
            f"reference: expected {fewest if fewest == most else f'{fewest} to {most}'} axes beside images of shape "
            f"{call.shape}, whose axes and channel_axis count from the end; got shape {reference.shape}"
        )
    given = _planes_of("reference", reference, color, axes, channel_axis, mask, num_threads)
    if given.images.dtype != call.images.dtype:
        raise TypeError(f"reference: expected the images' dtype, {call.images.dtype}, got {given.images.dtype}")
    if channel_axis is not None and color == "channels" and given.shape[channel_axis] != call.shape[channel_axis]:
        raise ValueError(
            f"reference: expected the images' {call.shape[channel_axis]} channels along axis {channel_axis}, "
            f"got shape {given.shape}"
        )
    check_batch("reference", given.batch[: _n_batch(given, color)], call.batch[: _n_batch(call, color)])
    if given.images.size == 0 and (call.images.size > 0 or math.prod(given.batch) > 0):
        raise ValueError(f"reference: expected planes with at least one pixel, got shape {given.shape}")
    if given.mask is not None and not given.mask.any(axis=tuple(range(given.n_batch - given.images.ndim, 0))).all():
        raise ValueError("reference_mask: expected True at a pixel of every plane of the reference, got none in one")
    return given


def _counts_of(histogram: Any, call: Call, color: Color, mask: ArrayLike | None) -> Array:
    """Return a reference's histogram, one for all or one for each of the call's planes."""
    kind = call.images.dtype
    if mask is not None:
        raise ValueError("reference_mask: expected None with reference_histogram; count with a mask instead")
    if kind.kind == "f":
        raise TypeError(f"images: expected integers with reference_histogram, got {kind}; pass a reference")
    counts = _steps.as_counts_or_weights("reference_histogram", histogram)
    _check_counts(
        counts, _methods.levels_of(kind), f"images of {kind} have levels", call.batch[: _n_batch(call, color)]
    )
    return counts


def _check_counts(counts: Array, levels: int, why: str, batch: tuple[int, ...]) -> None:
    if counts.shape[-1] != levels:
        raise ValueError(f"reference_histogram: expected {levels} bins as {why}, got shape {counts.shape}")
    check_batch("reference_histogram", counts.shape[:-1], batch)
    if counts.dtype.kind != "f" and not counts.any(axis=-1).all():
        raise ValueError("reference_histogram: expected a count above 0 in every histogram, got an empty one")


def _n_batch(call: Call, color: Color) -> int:
    """Return how many batch axes the call has beside that of the channels of a lightness."""
    return call.n_batch - (color != "channels")


def check_batch(name: str, batch: tuple[int, ...], images: tuple[int, ...]) -> None:
    pairs = zip(reversed(batch), reversed(images), strict=False)
    if len(batch) > len(images) or any(own not in (1, length) for own, length in pairs):
        raise ValueError(f"{name}: expected a batch shape that broadcasts to {images}, got {batch}")


def _check_finite(name: str, call: Call) -> None:
    wrong = floating.find_outside(call, -math.inf, math.inf)
    if wrong is not None:
        plane, value = wrong
        index = tuple(map(int, np.unravel_index(plane, call.batch))) if call.batch else ()
        found = "NaN" if math.isnan(value) else "an infinity"
        where = f" in plane {index}" if index else ""
        mask = "mask" if name == "images" else "reference_mask"
        raise ValueError(f"{name}: expected finite values, got {found}{where}; pass {mask}=np.isfinite({name})")


# ---------------------------------------------------------------- targets


def _parts(call: Call, given: Call, n_batch: int) -> Iterator[tuple[Call, _Targets]]:
    """Yield calls for parts of the batch, of ``n_batch`` axes, each with the targets of its planes."""
    if math.prod(given.batch) == 1:
        yield call, _targets_of(given)
        return
    size = 2 * 32 * (_most_knots(given) + 1)  # of the knots and rows of two
    most = max(_TARGETS // size, call.threads)
    if math.prod(given.batch) > most:  # then what one part writes must not be what another reads
        _lightness.set_apart(call)
        given.images, given.mask = (_arguments.apart_from(call.out, array) for array in (given.images, given.mask))
    for some, at in given.parts(most):
        own = (slice(None) if length == 1 else place for length, place in zip(given.batch, at, strict=False))
        part = call.part((*[slice(None)] * (n_batch - given.n_batch), *own)) if at else call
        knots, rows = _targets_of(some)
        yield part, (knots, _of_each(rows, some.batch, part.batch[:n_batch]))


def _of_each(rows: npt.NDArray[np.int64], batch: tuple[int, ...], images: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the rows of a batch as one for each plane of the images, to whose batch shape that broadcasts."""
    return np.ascontiguousarray(np.broadcast_to(rows.reshape(*batch, 2), (*images, 2))).reshape(-1, 2)


def _targets_of(given: Call) -> _Targets:
    """Return a target for each of the call's planes."""
    planes = math.prod(given.batch)
    knots = np.empty((planes * _most_knots(given), 4))
    rows = np.zeros((planes, 2), np.int64)
    if given.images.dtype.kind == "f":
        matching.learn_floats(given, knots, rows)
    else:
        integer.learn(given, knots, rows)
    return knots, rows


def _most_knots(given: Call) -> int:
    """Return how many knots the target of a plane can have: as many as pixels, or levels, and one."""
    pixels, kind = math.prod(given.images.shape[given.n_batch :]), given.images.dtype
    return 1 + (pixels if kind.kind == "f" else min(pixels, _methods.levels_of(kind)))


def _targets_of_counts(counts: Array, kind: np.dtype[Any]) -> _Targets:
    """Return a target for each histogram, which is not empty, of images of an integer dtype."""
    counts = counts.reshape(-1, counts.shape[-1])
    rows = np.empty((len(counts), 2), np.int64)
    with work.usual_arithmetic(), np.errstate(all="ignore"):
        present = np.ascontiguousarray(counts != 0)
        knots = np.empty((np.count_nonzero(present) + len(counts), 4))
        sums = np.cumsum(counts, axis=-1)
        matching.learn_levels(sums / sums[:, -1:], present, float(np.iinfo(kind).min), knots, rows)
    return knots, rows


def matching_lut(
    histogram: ArrayLike,
    reference_histogram: ArrayLike,
    *,
    images_dtype: npt.DTypeLike | None = None,
    dtype: DType = None,
) -> Array:
    """
    Return the lookup table (LUT) that gives images the histogram of a reference.

    Parameters
    ----------
    histogram : array_like of int, shape (..., 256) or (..., 65536)
        Counts of all levels of the images' dtype, lowest first, as `histogram` makes them; also sums over a data set.
    reference_histogram : array_like of int or float, shape (levels,) or of histogram
        What it is to become, as counts or weights: a histogram, the sum of many, which stands for their average, or any
        distribution, such as ``np.ones(256)`` for a uniform one. Weights are finite and 0 or more, with a total above
        0. It broadcasts to the shape of `histogram`.
    images_dtype : dtype, optional
        Of the images that were counted: by default uint8 for 256 bins and uint16 for 65,536; int8 and int16 where their
        levels are signed.
    dtype : None, "same" or the dtype of the images
        None: float64, as scikit-image's. ``"same"``: the nearest levels, half to even.

    Returns
    -------
    ndarray, shape of histogram
        Applied by `apply_lut` it does what `match_histograms` does without `channel_axis`. An empty histogram gives the
        identity.

    Raises
    ------
    TypeError
        If `histogram` does not hold integers, or `reference_histogram` neither integers nor floats.
    ValueError
        If a count is negative, a weight is not finite, a reference has none above 0, or a shape or an option is not one
        of these.

    Notes
    -----
    As in `match_histograms`. Levels of weight 0 are left out, and shares are running sums, in order, divided by the
    last. Memory beside the result: 57 bytes a level of each reference, and 16 a LUT.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> hist = np.bincount([3, 3, 5, 8], minlength=256)
    >>> cheq.matching_lut(hist, np.bincount([10, 20], minlength=256))[[3, 5, 8]].tolist()
    [10.0, 15.0, 20.0]
    """
    counts = _arguments.as_histogram(histogram)
    given = _steps.as_counts_or_weights("reference_histogram", reference_histogram)
    kind = _methods.counted_dtype(_methods.SKIMAGE, counts.shape[-1], images_dtype)
    luts = np.empty(counts.shape, kind if _arguments.is_same(dtype, kind) else np.float64)
    _check_counts(given, counts.shape[-1], "histogram has", counts.shape[:-1])
    if counts.size == 0:
        return luts
    knots, rows = _targets_of_counts(given, kind)
    of_each = _of_each(rows, given.shape[:-1], counts.shape[:-1])
    integer.matching_lut(counts, luts, (knots, of_each), kind.kind == "i")
    if luts.dtype != kind:
        empty = ~counts.any(axis=-1)
        luts[empty] = np.arange(counts.shape[-1]) + np.iinfo(kind).min
    return luts
