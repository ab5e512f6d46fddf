"""What the naive versions share, as cheq/_call.py does for cheq: images, planes, masks and other arguments, checked."""

import operator

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

FLOATS = ("float32", "float64")
INTEGERS = ("uint8", "int8", "uint16", "int16")


def images_of(images, supported):
    if isinstance(images, np.ma.MaskedArray):
        raise TypeError("a masked array")
    images = np.asarray(images)
    if images.dtype.name not in supported:
        raise TypeError(f"images of dtype {images.dtype}")
    return images.astype(images.dtype.newbyteorder("="), copy=False)


def is_same(dtype):
    if dtype is not None and not (isinstance(dtype, str) and dtype == "same"):
        raise ValueError(f"dtype {dtype!r}")
    return dtype is not None


def bins_of(nbins):
    nbins = operator.index(nbins)
    if nbins < 1:
        raise ValueError(f"{nbins} bins")
    return nbins


def counts_of(histogram, weights=False):
    """Counts as uint64; or weights, where they are taken, as float64."""
    histogram = np.asarray(histogram)
    floats = weights and histogram.dtype.kind == "f"
    if not (floats or np.issubdtype(histogram.dtype, np.integer)):
        raise TypeError(f"counts of dtype {histogram.dtype}")
    if histogram.ndim == 0 or histogram.shape[-1] not in (256, 65536) or (histogram < 0).any():
        raise ValueError("counts must be 256 or 65536 numbers >= 0")
    with np.errstate(over="ignore"):
        totals = np.cumsum(histogram, axis=-1, dtype=np.float64)[..., -1]
    if floats and not (np.isfinite(totals) & (totals > 0)).all():
        raise ValueError("weights must be finite and have a total above 0")
    return histogram.astype(np.float64 if floats else np.uint64)


def counted_dtype(images_dtype, levels, supported):
    """The dtype of the images that were counted."""
    dtype = np.dtype(images_dtype or (np.uint8 if levels == 256 else np.uint16))
    if dtype.name not in INTEGERS or dtype.name not in supported:
        raise TypeError(f"images of dtype {dtype}")
    if levels_of(dtype) != levels:
        raise ValueError(f"{levels} bins for {dtype}")
    return dtype


def levels_of(dtype):
    return 2 ** (8 * dtype.itemsize)


def batch_shape(images, axes, channel_axis):
    """The batch shape."""
    planes = batch_first(images, plane_axes(images.shape, axes, channel_axis))
    return planes.shape[: images.ndim - len(plane_axes(images.shape, axes, channel_axis))]


def planes_of(images, axes, channel_axis, mask=None):
    """Every plane: its place in the batch, its pixels, and which of them are counted."""
    counted = np.ones(images.shape, bool) if mask is None else mask_of(mask, images.shape, channel_axis)
    where = plane_axes(images.shape, axes, channel_axis)
    planes, selected = batch_first(images, where), batch_first(counted, where)
    for place in np.ndindex(batch_shape(images, axes, channel_axis)):
        yield place, planes[place], selected[place]


def plane_axes(shape, axes, channel_axis):
    """The axes, counted from the front and in order, whose pixels share one histogram."""
    ndim = len(shape)
    channel = None if channel_axis is None else normalize_axis_index(channel_axis, ndim)
    if axes is None:
        rest = [axis for axis in range(ndim) if axis != channel]
        if len(rest) < 2:
            raise ValueError("fewer than two axes, and axes not given")
        single = shape[-1] == 1 and ndim > 3 and min(shape[-3:-1]) >= 16
        if channel is None and ndim > 2 and (shape[-1] in (3, 4) or single):
            raise ValueError("the last axis looks like channels, and neither axes nor channel_axis is given")
        return tuple(rest[-2:])
    axes = tuple(sorted(normalize_axis_tuple(axes, ndim)))
    if not axes or channel in axes:
        raise ValueError(f"axes {axes}, channel axis {channel}")
    return axes


def mask_of(mask, shape, channel_axis):
    """The mask in the shape of the images."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"mask of dtype {mask.dtype}")
    if channel_axis is None or mask.ndim >= len(shape):
        return np.broadcast_to(mask, shape)
    channel = normalize_axis_index(channel_axis, len(shape))
    without = shape[:channel] + shape[channel + 1 :]
    return np.broadcast_to(np.expand_dims(np.broadcast_to(mask, without), channel), shape)


def batch_first(array, axes):
    """A view with the batch axes, in order, in front of the plane axes."""
    batch = [axis for axis in range(array.ndim) if axis not in axes]
    return array.transpose(*batch, *axes)


def keep_outside(images, mask, channel_axis, outside, result):
    """The result under the mask, and the images in the result's dtype elsewhere."""
    if outside != "keep" or mask is None:
        raise ValueError(f"outside {outside!r}, mask {mask!r}")
    images = np.asarray(images)
    if not np.can_cast(images.dtype, result.dtype):
        raise TypeError(f"{images.dtype} kept in {result.dtype}")
    return np.where(mask_of(mask, images.shape, channel_axis), result, images.astype(result.dtype))
