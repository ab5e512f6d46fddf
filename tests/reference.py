"""The definition of what cheq computes: slow, readable, in plain Python and NumPy.

The names are those of cheq's API. ``num_threads`` and ``out`` are left out: they never change a value, so a test
compares what cheq wrote to ``out`` with what this module returns for a copy of the input. Neither cheq nor a library
that it is compared with is imported here; ``test_references.py`` holds this module against those libraries.

A level's bin is the level minus the dtype's minimum. For a plane of n counted pixels, h of them at level v:

- ``opencv`` (OpenCV's ``equalizeHist``, ``modules/imgproc/src/histogram.cpp``; 16 bits and masks are cheq's own), with
  the lowest level i and the highest possible level ``top``::

      scale  = float32(top) / float32(n - h[i])                  one rounding
      LUT[v] = round_half_even(float32(count of i < level <= v) * scale)       v > i, product in float32
      LUT[v] = 0                                                               v <= i

- ``pillow`` (``PIL.ImageOps.equalize``), with the highest level j, in whole numbers::

      step   = (n - h[j]) // 255
      LUT[v] = min((step // 2 + count of level < v) // step, 255)

- ``skimage`` (``skimage.exposure.equalize_hist``): integers become the CDF, the part of the pixels at their level or
  below, and levels below the lowest counted one its CDF; floats (and booleans) are interpolated between the centers of
  the bins of ``np.histogram``.
- ``numpy``: the recipe with ``np.histogram(density=True)``, 255 * cumulative sum / last, and ``np.interp`` between the
  left edges.

``opencv`` and ``pillow`` leave a plane with one level, or none, or a step of 0, as it is; ``skimage`` and ``numpy``
make a plane without a counted pixel NaN, or leave it as it is where ``dtype="same"`` keeps integers. A mask selects
the pixels that are counted, and all pixels of the plane are replaced or, with ``outside="keep"``, these alone.
"""

import numpy as np
from reference_call import (
    FLOATS,
    INTEGERS,
    batch_first,
    batch_shape,
    bins_of,
    counted_dtype,
    counts_of,
    images_of,
    is_same,
    keep_outside,
    levels_of,
    plane_axes,
    planes_of,
)
from reference_clahe import METHODS as CLAHE_METHODS  # noqa: F401
from reference_clahe import clahe as clahe
from reference_color import COLORS as COLORS
from reference_color import GRAY as GRAY
from reference_color import rgb_to_gray as rgb_to_gray
from reference_color import with_lightness
from reference_match import DTYPES as MATCH_DTYPES  # noqa: F401
from reference_match import match_histograms as match_histograms
from reference_match import matching_lut as matching_lut

METHODS = {
    "opencv": ("uint8", "uint16"),
    "pillow": ("uint8",),
    "skimage": (*INTEGERS, *FLOATS, "bool"),
    "numpy": (*INTEGERS, *FLOATS),
}
# Whose results are levels of the images' dtype, and so can be those of Y; others give floats.
LEVELS = ("opencv", "pillow")


def equalize(
    images,
    *,
    method="opencv",
    color="channels",
    axes=None,
    channel_axis=None,
    mask=None,
    outside="lut",
    dtype=None,
    nbins=256,
    nan_policy="raise",
):
    """Equalize every plane on its own."""
    if outside != "lut":
        result = equalize(
            images, method=method, color=color, axes=axes, channel_axis=channel_axis, mask=mask, dtype=dtype,
            nbins=nbins, nan_policy=nan_policy,
        )  # fmt: skip
        return keep_outside(images, mask, channel_axis, outside, result)
    images = images_of(images, _supported(method))
    kind = images.dtype
    same, nbins = is_same(dtype), bins_of(nbins)
    if nan_policy not in ("raise", "omit"):
        raise ValueError(f"nan_policy {nan_policy!r}")
    if same and kind.kind == "b":
        raise TypeError("booleans have no levels between")
    if nbins != 256 and kind.name not in FLOATS:
        raise ValueError(f"nbins {nbins} for {kind}")
    if color != "channels":
        return _equalize_lightness(images, method, color, axes, channel_axis, mask)
    if kind.name in INTEGERS:
        counts = histogram(images, axes=axes, channel_axis=channel_axis, mask=mask)
        lut = equalization_lut(counts, method=method, dtype=dtype, images_dtype=kind)
        return apply_lut(images, lut, axes=axes, channel_axis=channel_axis)
    result = np.empty(images.shape, kind if same or (method == "skimage" and kind.kind == "f") else np.float64)
    written = batch_first(result, plane_axes(images.shape, axes, channel_axis))  # a view
    for place, pixels, counted in planes_of(images, axes, channel_axis, mask):
        values = _counted_values(pixels[counted], nan_policy)
        if method == "skimage":
            y, x = _skimage_curve(values, nbins)
        else:
            y, edges = _recipe_curve(values, nbins)
            x = edges[:-1]
        written[place] = np.interp(pixels, x, y) if values.size else np.nan
        written[place][np.isnan(pixels)] = np.nan  # np.interp says so too, but for one bin
    return result


def _equalize_lightness(images, method, color, axes, channel_axis, mask):
    """OpenCV's color conversions there and back, and the lightness equalized between."""
    if color not in COLORS:
        raise ValueError(f"color {color!r}")
    if images.dtype != np.uint8:
        raise TypeError(f"images of dtype {images.dtype}")
    if method not in LEVELS:
        raise ValueError(f"method {method!r} for {color}")

    def equalized(lightness):
        return equalize(lightness, method=method, axes=axes, channel_axis=channel_axis, mask=mask)

    return with_lightness(images, color, channel_axis, mask, equalized)


def histogram(images, *, axes=None, channel_axis=None, mask=None):
    """Count the levels of every plane: batch shape + (256,) or (65536,), int64."""
    images = images_of(images, INTEGERS)
    lowest, levels = np.iinfo(images.dtype).min, levels_of(images.dtype)
    counts = np.zeros((*batch_shape(images, axes, channel_axis), levels), np.int64)
    for place, pixels, counted in planes_of(images, axes, channel_axis, mask):
        counts[place] = np.bincount(pixels[counted].astype(np.int64) - lowest, minlength=levels)
    return counts


def equalization_lut(histogram, *, method="opencv", dtype=None, images_dtype=None):
    """Turn every histogram (last axis) into a LUT; of counts or, but for methods of levels, of weights."""
    supported, same = _supported(method), is_same(dtype)
    histogram = counts_of(histogram, weights=method not in LEVELS)
    images_dtype = counted_dtype(images_dtype, histogram.shape[-1], supported)
    lut = np.empty(histogram.shape, images_dtype if same or method in LEVELS else np.float64)
    limits = np.iinfo(images_dtype)
    levels = np.arange(limits.min, limits.max + 1)
    for place in np.ndindex(histogram.shape[:-1]):
        counts = histogram[place]
        if method == "opencv":
            lut[place] = _opencv_lut(counts)
        elif method == "pillow":
            lut[place] = _pillow_lut([int(count) for count in counts])
        elif not counts.any():
            lut[place] = levels if same else np.nan
        else:
            top = 1 if same or method == "skimage" else 255
            cdf = _skimage_cdf(counts) if method == "skimage" else _numpy_cdf(counts, levels, top)
            lut[place] = limits.min + np.rint(cdf * (limits.max - limits.min)) if same else cdf
    return lut


def apply_lut(images, lut, *, axes=None, channel_axis=None, mask=None, outside="lut"):
    """Look every pixel up, in one LUT or in the LUT of its plane."""
    if outside != "lut":
        result = apply_lut(images, lut, axes=axes, channel_axis=channel_axis)
        return keep_outside(images, mask, channel_axis, outside, result)
    images, lut = images_of(images, INTEGERS), np.asarray(lut)
    levels = levels_of(images.dtype)
    if lut.ndim == 1 and channel_axis is None and images.ndim > 1:
        axes = (-2, -1) if axes is None else axes  # all planes are alike
    if lut.dtype.name not in (*INTEGERS, *FLOATS):
        raise TypeError(f"LUT of dtype {lut.dtype}")
    if lut.shape not in ((levels,), (*batch_shape(images, axes, channel_axis), levels)):
        raise ValueError(f"LUT of shape {lut.shape}")
    result = np.empty(images.shape, lut.dtype.newbyteorder("="))
    written = batch_first(result, plane_axes(images.shape, axes, channel_axis))  # a view
    for place, pixels, _ in planes_of(images, axes, channel_axis):
        one = lut if lut.ndim == 1 else lut[place]
        written[place] = one[pixels.astype(np.int64) - np.iinfo(images.dtype).min]
    return result


def cumulative_distribution(images, *, axes=None, channel_axis=None, mask=None, nbins=256, nan_policy="raise"):
    """Each plane's CDF, and the centers of its bins: of all levels of an integer dtype, of ``nbins`` bins of floats."""
    images = images_of(images, (*INTEGERS, *FLOATS))
    nbins = bins_of(nbins)
    if nan_policy not in ("raise", "omit"):
        raise ValueError(f"nan_policy {nan_policy!r}")
    if images.dtype.name in INTEGERS:
        if nbins != 256:
            raise ValueError(f"nbins {nbins} for {images.dtype}")
        counts = histogram(images, axes=axes, channel_axis=channel_axis, mask=mask)
        limits = np.iinfo(images.dtype)
        with np.errstate(invalid="ignore"):  # 0 / 0: no counted pixel
            return counts.cumsum(-1) / counts.sum(-1, keepdims=True), np.arange(limits.min, limits.max + 1)
    cdf = np.empty((*batch_shape(images, axes, channel_axis), nbins), images.dtype)
    centers = np.empty_like(cdf)
    for place, pixels, counted in planes_of(images, axes, channel_axis, mask):
        cdf[place], centers[place] = _skimage_curve(_counted_values(pixels[counted], nan_policy), nbins)
    return cdf, centers


def image_histogram_equalization(image, number_bins=256, *, axes=None, channel_axis=None):
    """The NumPy recipe, batched: (equalized, cdf). Without axes, R, G and B of a last axis of 3 are pooled."""
    image = images_of(image, METHODS["numpy"])
    number_bins = bins_of(number_bins)
    if axes is None and channel_axis is None and image.ndim > 2 and image.shape[-1] == 3:
        axes = (-3, -2, -1)
    equalized = np.empty(image.shape)
    written = batch_first(equalized, plane_axes(image.shape, axes, channel_axis))  # a view
    cdf = np.empty((*batch_shape(image, axes, channel_axis), number_bins))
    for place, pixels, counted in planes_of(image, axes, channel_axis):
        cdf[place], edges = _recipe_curve(_counted_values(pixels[counted], "raise"), number_bins)
        written[place] = np.interp(pixels, edges[:-1], cdf[place])
    return equalized, cdf


def otsu_threshold(images, *, axes=None, channel_axis=None, mask=None):
    """OpenCV's threshold of every plane: batch shape, the dtype of the images."""
    images = images_of(images, ("uint8", "uint16"))
    counts = histogram(images, axes=axes, channel_axis=channel_axis, mask=mask)
    thresholds = np.empty(counts.shape[:-1], images.dtype)
    for place in np.ndindex(thresholds.shape):
        thresholds[place] = _otsu(counts[place])
    return thresholds


def binarize(images, threshold="otsu", *, axes=None, channel_axis=None, mask=None):
    """Pixels above the threshold become the dtype's maximum, the others 0."""
    images = images_of(images, ("uint8", "uint16"))
    if np.ndim(threshold) == 0 and threshold != "otsu" and channel_axis is None and images.ndim > 1:
        axes = (-2, -1) if axes is None else axes  # all planes are alike
    planes = batch_first(images, plane_axes(images.shape, axes, channel_axis))
    if isinstance(threshold, str):
        if threshold != "otsu":
            raise ValueError(f"threshold {threshold!r}")
        threshold = otsu_threshold(images, axes=axes, channel_axis=channel_axis, mask=mask)
    batch, threshold = batch_shape(images, axes, channel_axis), np.asarray(threshold)
    one_each = np.broadcast_to(threshold, batch).reshape(*batch, *[1] * (images.ndim - len(batch)))
    result = np.empty(images.shape, images.dtype)
    written = batch_first(result, plane_axes(images.shape, axes, channel_axis))  # a view
    written[...] = np.where(planes > one_each, np.iinfo(images.dtype).max, 0)
    return result


# ---------------------------------------------------------------- integers: counts to LUT


def float32(count):
    """Round a count to float32 once, half to even; ``np.float32(count)`` would round to float64 first."""
    return np.asarray(count, np.uint64).astype(np.float32)[()]


def _opencv_lut(counts):
    levels = len(counts)
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return np.arange(levels)
    lowest = present[0]
    running = np.cumsum(counts[lowest + 1 :], dtype=np.uint64)  # levels that are absent repeat the one below
    scale = np.float32(levels - 1) / float32(running[-1])
    lut = np.zeros(levels, np.int64)
    lut[lowest + 1 :] = np.minimum(np.rint(float32(running) * scale), levels - 1)
    return lut


def _pillow_lut(counts):
    present = [count for count in counts if count]
    step = (sum(present) - present[-1]) // 255 if present else 0
    if step == 0:
        return list(range(256))
    return [min((step // 2 + sum(counts[:level])) // step, 255) for level in range(256)]


def _skimage_cdf(counts):
    running = np.cumsum(counts)
    cdf = running / running[-1]
    lowest = np.flatnonzero(counts)[0]
    cdf[:lowest] = cdf[lowest]  # np.interp's answer left of its first point
    return cdf


def _numpy_cdf(counts, levels, top):
    present = counts > 0
    weights = counts[present]  # one value with its count as weight stands for equal pixels
    exponent = np.frexp(weights.max())[1]  # weights are scaled, so that no density overflows
    weights = np.ldexp(weights, -exponent) if weights.dtype.kind == "f" else weights.astype(np.int64)
    cdf, edges = _recipe_curve(levels[present], 256, weights, top)
    return np.interp(levels, edges[:-1], cdf)


def _otsu(counts):
    """OpenCV's ``getThreshVal_Otsu`` (``modules/imgproc/src/thresh.cpp``), in Python's doubles and the same order."""
    epsilon = 2.0**-23  # FLT_EPSILON
    present = np.flatnonzero(counts).tolist()
    if not present:
        return 0
    scale = 1.0 / int(counts.sum())
    mu = sum(level * int(counts[level]) for level in present) * scale
    mu1 = q1 = best = 0.0
    threshold = 0
    for level in range(present[0], present[-1] + 1):  # outside, q1 or q2 is 0
        p = int(counts[level]) * scale
        mu1 *= q1
        q1 += p
        q2 = 1.0 - q1
        if min(q1, q2) < epsilon or max(q1, q2) > 1.0 - epsilon:
            continue
        mu1 = (mu1 + level * p) / q1
        mu2 = (mu - q1 * mu1) / q2
        sigma = q1 * q2 * (mu1 - mu2) * (mu1 - mu2)
        if sigma > best:
            best, threshold = sigma, level
    return threshold


# ---------------------------------------------------------------- floats: values to a curve for np.interp


def _counted_values(values, nan_policy):
    """The values that np.histogram gets, or its errors."""
    finite = np.isfinite(values)
    if not finite.all():
        if nan_policy == "raise":
            raise ValueError("NaN or infinity")
        values = values[finite]
    if values.size and values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            if np.isinf(values.max() - values.min()):
                raise ValueError("the range overflows")
    return values.astype(np.uint8) if values.dtype == bool else values


def _refuse_empty_bins(values, nbins):
    """As np.histogram does since NumPy 2.2."""
    edges = np.histogram_bin_edges(values, nbins)
    if (edges[:-1] >= edges[1:]).any():
        raise ValueError("too many bins for the range")


def _skimage_curve(values, nbins):
    """The CDF and the centers of the bins."""
    with np.errstate(all="ignore"):
        _refuse_empty_bins(values, nbins)
        counts, edges = np.histogram(values, nbins)
        cdf = counts.cumsum()
        cdf = cdf / float(cdf[-1])
        return cdf.astype(np.float32 if values.dtype == np.float32 else np.float64), (edges[:-1] + edges[1:]) / 2.0


def _recipe_curve(values, nbins, weights=None, top=255):
    """The recipe's CDF, times 255 or another number, and the edges of the bins."""
    with np.errstate(all="ignore"):
        _refuse_empty_bins(values, nbins)
        density, edges = np.histogram(values, nbins, density=True, weights=weights)
        cdf = density.cumsum()
        return top * cdf / cdf[-1], edges


# ---------------------------------------------------------------- methods


def _supported(method):
    if method not in METHODS:
        raise ValueError(f"method {method!r}")
    return METHODS[method]
