"""The definition of what cheq computes: slow, readable, in plain Python and NumPy.

The names are those of cheq's API. ``num_threads`` and ``out`` are left out: they never change a value, so a test
compares what cheq wrote to ``out`` with what this module returns for a copy of the input. Neither cheq nor cv2 is
imported here; ``test_values.py`` checks this module against cv2 itself.

The rule is that of OpenCV's ``equalizeHist`` (``modules/imgproc/src/histogram.cpp``), for one plane of n pixels whose
lowest level i occurs h times::

    scale  = float32(255) / float32(n - h)                      one rounding
    LUT[v] = round_half_even(float32(count of i < level <= v) * scale)       v > i, product in float32
    LUT[v] = 0                                                               v <= i

A plane with one level, or none, is left as it is. What OpenCV does not define follows cheq's own rules: a mask selects
the pixels that are counted, and the LUT is applied to all pixels of the plane.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

LEVELS = 256


def equalize(images, *, method="opencv", axes=None, channel_axis=None, mask=None):
    """Equalize every plane on its own."""
    counts = histogram(images, axes=axes, channel_axis=channel_axis, mask=mask)
    lut = equalization_lut(counts, method=method)
    return apply_lut(images, lut, axes=axes, channel_axis=channel_axis)


def histogram(images, *, axes=None, channel_axis=None, mask=None):
    """Count the levels of every plane: batch shape + (256,), int64."""
    images = _images(images)
    axes = _plane_axes(images.ndim, axes, channel_axis)
    counted = np.ones(images.shape, bool) if mask is None else _mask(mask, images.shape, channel_axis)
    planes, selected = _batch_first(images, axes), _batch_first(counted, axes)
    batch = planes.shape[: images.ndim - len(axes)]
    counts = np.zeros((*batch, LEVELS), np.int64)
    for place in np.ndindex(batch):
        counts[place] = np.bincount(planes[place][selected[place]], minlength=LEVELS)
    return counts


def equalization_lut(histogram, *, method="opencv"):
    """Turn every histogram (last axis) into a LUT."""
    if method != "opencv":
        raise ValueError(f"method {method!r}")
    histogram = np.asarray(histogram)
    if not np.issubdtype(histogram.dtype, np.integer):
        raise TypeError(f"counts of dtype {histogram.dtype}")
    if histogram.ndim == 0 or histogram.shape[-1] != LEVELS or (histogram < 0).any():
        raise ValueError("counts must be 256 numbers >= 0")
    lut = np.zeros(histogram.shape, np.uint8)
    for place in np.ndindex(histogram.shape[:-1]):
        lut[place] = _opencv_lut([int(count) for count in histogram[place]])
    return lut


def apply_lut(images, lut, *, axes=None, channel_axis=None):
    """Look every pixel up, in one LUT or in the LUT of its plane."""
    images, lut = _images(images), np.asarray(lut)
    axes = _plane_axes(images.ndim, axes, channel_axis)
    planes = _batch_first(images, axes)
    batch = planes.shape[: images.ndim - len(axes)]
    if lut.dtype != np.uint8:
        raise TypeError(f"LUT of dtype {lut.dtype}")
    if lut.shape not in ((LEVELS,), (*batch, LEVELS)):
        raise ValueError(f"LUT of shape {lut.shape}")
    result = np.empty(images.shape, np.uint8)
    written = _batch_first(result, axes)  # a view
    for place in np.ndindex(batch):
        one = lut if lut.ndim == 1 else lut[place]
        written[place] = one[planes[place]]
    return result


def _opencv_lut(counts):
    lut = np.arange(LEVELS)
    present = [level for level in range(LEVELS) if counts[level] > 0]
    if len(present) < 2:
        return lut
    lowest = present[0]
    scale = np.float32(255) / float32(sum(counts) - counts[lowest])
    lut[:] = 0
    running = 0
    for level in present[1:]:
        running += counts[level]
        lut[level:] = min(np.rint(float32(running) * scale), 255)  # levels that are absent repeat the one below
    return lut


def float32(count):
    """Round a count to float32 once, half to even; ``np.float32(count)`` would round to float64 first."""
    return np.uint64(count).astype(np.float32)


def _images(images):
    if isinstance(images, np.ma.MaskedArray):
        raise TypeError("a masked array")
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise TypeError(f"images of dtype {images.dtype}")
    return images


def _plane_axes(ndim, axes, channel_axis):
    """The axes, counted from the front and in order, whose pixels share one histogram."""
    channel = None if channel_axis is None else normalize_axis_index(channel_axis, ndim)
    if axes is None:
        rest = [axis for axis in range(ndim) if axis != channel]
        if len(rest) < 2:
            raise ValueError("fewer than two axes, and axes not given")
        return tuple(rest[-2:])
    axes = tuple(sorted(normalize_axis_tuple(axes, ndim)))
    if not axes or channel in axes:
        raise ValueError(f"axes {axes}, channel axis {channel}")
    return axes


def _mask(mask, shape, channel_axis):
    """The mask in the shape of the images."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"mask of dtype {mask.dtype}")
    if channel_axis is None or mask.ndim >= len(shape):
        return np.broadcast_to(mask, shape)
    channel = normalize_axis_index(channel_axis, len(shape))
    without = shape[:channel] + shape[channel + 1 :]
    return np.broadcast_to(np.expand_dims(np.broadcast_to(mask, without), channel), shape)


def _batch_first(array, axes):
    """A view with the batch axes, in order, in front of the plane axes."""
    batch = [axis for axis in range(array.ndim) if axis not in axes]
    return array.transpose(*batch, *axes)
