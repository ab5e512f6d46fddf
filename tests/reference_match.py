"""The naive versions of ``cheq.match_histograms`` and ``cheq.matching_lut``: slow, readable, in plain NumPy.

A value becomes that of the reference at or below which the same share of pixels lies, by ``np.interp``; shares are
running counts divided by their total (scikit-image, ``exposure/histogram_matching.py``). Values between those that are
counted become what the next lower one becomes, and below all of them the reference's lowest value.

Zeros of both signs are one value, which is -0.0 where one of a plane of the reference is.
"""

import numpy as np
from reference_call import (
    FLOATS,
    INTEGERS,
    batch_first,
    batch_shape,
    counted_dtype,
    counts_of,
    images_of,
    is_same,
    keep_outside,
    plane_axes,
    planes_of,
)
from reference_color import COLORS, with_lightness

DTYPES = (*INTEGERS, *FLOATS)


def match_histograms(
    images,
    reference,
    *,
    method="skimage",
    color="channels",
    axes=None,
    channel_axis=None,
    mask=None,
    reference_mask=None,
    outside="lut",
    dtype=None,
):
    """Give every plane the histogram of the reference's, or of its own one."""
    if outside != "lut":
        result = match_histograms(
            images, reference, method=method, color=color, axes=axes, channel_axis=channel_axis, mask=mask,
            reference_mask=reference_mask, dtype=dtype,
        )  # fmt: skip
        return keep_outside(images, mask, channel_axis, outside, result)
    images, reference, same = images_of(images, DTYPES), images_of(reference, DTYPES), is_same(dtype)
    if method != "skimage" or color not in ("channels", *COLORS):
        raise ValueError(f"method {method!r}, color {color!r}")
    if images.dtype != reference.dtype:
        raise TypeError(f"a reference of dtype {reference.dtype} for images of dtype {images.dtype}")
    there = _from_the_end(images, axes, channel_axis)
    if color != "channels":
        return _with_lightness(images, reference, color, axes, channel_axis, there[1], mask, reference_mask)
    targets = _targets(reference, *there, reference_mask)
    if channel_axis is not None and images.shape[channel_axis] != reference.shape[there[1]]:
        raise ValueError(f"channels of images of shape {images.shape} and of a reference of shape {reference.shape}")
    own = np.arange(len(targets)).reshape(batch_shape(reference, *there))
    of_each = np.broadcast_to(own, batch_shape(images, axes, channel_axis))
    kind = images.dtype
    result = np.empty(images.shape, kind if same or kind.kind == "f" or channel_axis is not None else np.float64)
    written = batch_first(result, plane_axes(images.shape, axes, channel_axis))  # a view
    for place, pixels, counted in planes_of(images, axes, channel_axis, mask):
        if pixels.size:
            entries = _matched(pixels, counted, *targets[of_each[place]], known=result.dtype.kind != "f")
            written[place] = np.rint(entries) if same and kind.kind != "f" else entries  # or else cut off
    return result


def _from_the_end(images, axes, channel_axis):
    """``axes`` and ``channel_axis`` so that they name those of a reference, which may have other batch axes."""
    valid = plane_axes(images.shape, axes, channel_axis)
    named = None if axes is None else tuple(axis - images.ndim for axis in valid)
    return named, None if channel_axis is None else channel_axis % images.ndim - images.ndim


def _targets(reference, axes, channel_axis, mask):
    """The levels and the shares of each plane of the reference."""
    targets = []
    for _, pixels, counted in planes_of(reference, axes, channel_axis, mask):
        if not counted.any():
            raise ValueError("a plane of the reference without a counted pixel, or any")
        targets.append(_levels(pixels[counted]))
    return targets


def _levels(values):
    """The values that there are, and the shares of pixels at or below each."""
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinity")
    levels, counts = np.unique(values, return_counts=True)
    levels = levels.astype(np.float64)
    if np.signbit(values[values == 0].astype(np.float64)).any():
        levels[levels == 0] = -0.0
    return levels, np.cumsum(counts) / values.size


def _matched(pixels, counted, levels, shares, known):
    """What pixels become; where none is counted, NaN, unless what they are is `known` to be a result."""
    if not counted.any():
        return pixels if known else np.full(pixels.shape, np.nan)
    own_levels, own_shares = _levels(pixels[counted])
    entries = np.concatenate([levels[:1], np.interp(own_shares, shares, levels)])
    result = entries[np.searchsorted(own_levels, pixels, side="right")]
    return np.where(np.isnan(pixels), pixels, result)


def _with_lightness(images, reference, color, axes, channel_axis, there, mask, reference_mask):
    if images.dtype != np.uint8:
        raise TypeError(f"images of dtype {images.dtype}")
    wanted = []
    with_lightness(reference, color, there, reference_mask, lambda lightness: wanted.append(lightness) or lightness)

    def matched(lightness):
        return match_histograms(
            lightness, wanted[0], axes=axes, channel_axis=channel_axis, mask=mask, reference_mask=reference_mask,
            dtype="same",
        )  # fmt: skip

    return with_lightness(images, color, channel_axis, mask, matched)


def matching_lut(histogram, reference_histogram, *, images_dtype=None, dtype=None):
    """The LUT of every histogram (last axis); an empty one has the one that changes nothing."""
    same, counts, weights = is_same(dtype), counts_of(histogram), counts_of(reference_histogram, weights=True)
    kind = counted_dtype(images_dtype, counts.shape[-1], INTEGERS)
    if counts.shape[-1] != weights.shape[-1] or not weights.any(axis=-1).all():
        raise ValueError(f"a reference of shape {weights.shape}, or one that is empty")
    weights = np.broadcast_to(weights, counts.shape)
    lut = np.empty(counts.shape, kind if same else np.float64)
    levels = np.arange(np.iinfo(kind).min, np.iinfo(kind).max + 1)
    for place in np.ndindex(counts.shape[:-1]):
        entries, present = levels, weights[place] > 0
        if counts[place].any():
            running, wanted = np.cumsum(counts[place]), np.cumsum(weights[place])
            entries = np.interp(running / running[-1], wanted[present] / wanted[-1], levels[present])
        lut[place] = np.rint(entries) if same else entries
    return lut
