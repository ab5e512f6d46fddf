"""The naive version of ``cheq.clahe``: slow, readable, in plain NumPy; of one tile after the other.

``opencv`` (OpenCV's ``createCLAHE``, ``modules/imgproc/src/clahe.cpp``; masks are cheq's own): of a tile with h pixels
at each of N levels, ``area`` in all,

- ``limit = max(int(clip * area / N), 1)``; what is above it is the excess, whose N-th part every level gets, and whose
  rest r is one more for the levels 0, step, 2 step, ..., with ``step = max(N // r, 1)``;
- ``LUT[v] = round_half_even(float32(count of level <= v) * (float32(N - 1) / float32(area)))``.

A pixel is interpolated in float32 between the LUTs of the four tiles whose centers are around it: first between left
and right, then between upper and lower, each operation rounded. A mask selects the pixels that are counted; a tile
without one has the LUT that changes nothing.

``skimage`` (``skimage.exposure.equalize_adapthist``, ``_adapthist.py``): values become 16384 levels between the lowest
and the highest, tiles are those of ``kernel_size``, counted in bins of equal width, and a pixel is interpolated between
the tiles around it along every axis.
"""

import math
import operator

import numpy as np
from reference_call import (
    batch_first,
    batch_shape,
    images_of,
    is_same,
    keep_outside,
    levels_of,
    plane_axes,
    planes_of,
)
from reference_color import COLORS, with_lightness

METHODS = {"opencv": ("uint8", "uint16"), "skimage": ("uint8", "uint16", "int16", "bool", "float32", "float64")}
TOP = 16383  # scikit-image's highest level


def clahe(
    images,
    *,
    clip_limit=None,
    tile_grid_size=None,
    method="opencv",
    kernel_size=None,
    nbins=None,
    color="channels",
    axes=None,
    channel_axis=None,
    mask=None,
    outside="lut",
    dtype=None,
):
    """Equalize every plane tile by tile."""
    if method not in METHODS:
        raise ValueError(f"method {method!r}")
    images, same = images_of(images, METHODS[method]), is_same(dtype)
    of_other = (kernel_size, nbins) if method == "opencv" else (tile_grid_size, mask)
    if any(argument is not None for argument in of_other) or (
        method == "skimage" and (color, outside) != ("channels", "lut")
    ):
        raise ValueError(f"an argument that {method} does not have")
    if method == "skimage":
        return _each_skimage(images, clip_limit, kernel_size, nbins, axes, channel_axis, same)
    if outside != "lut":
        result = clahe(
            images, clip_limit=clip_limit, tile_grid_size=tile_grid_size, color=color, axes=axes,
            channel_axis=channel_axis, mask=mask,
        )  # fmt: skip
        return keep_outside(images, mask, channel_axis, outside, result)
    if color == "channels":
        return _each_opencv(images, clip_limit, tile_grid_size, axes, channel_axis, mask)
    if color not in COLORS:
        raise ValueError(f"color {color!r}")
    if np.ndim(clip_limit) > max(images.ndim - 3, 0):
        raise ValueError("a clip limit for each channel")
    return with_lightness(
        images, color, channel_axis, mask,
        lambda lightness: _each_opencv(lightness, clip_limit, tile_grid_size, axes, channel_axis, mask),
    )  # fmt: skip


# ---------------------------------------------------------------- opencv


def _each_opencv(images, clip_limit, tile_grid_size, axes, channel_axis, mask):
    grid = tuple(map(operator.index, (8, 8) if tile_grid_size is None else tile_grid_size))
    if len(grid) != 2 or min(grid) < 1:
        raise ValueError(f"tile_grid_size {tile_grid_size!r}")
    where = plane_axes(images.shape, axes, channel_axis)
    if len(where) != 2:
        raise ValueError(f"axes {axes!r}")
    limits = _limit_of_each(40.0 if clip_limit is None else clip_limit, images, axes, channel_axis)
    result = np.empty(images.shape, images.dtype)
    area = math.prod(tile_shape([images.shape[axis] for axis in where], grid))
    if not (limits * area / levels_of(images.dtype) < 2**31).all():  # nor is NaN
        raise ValueError(f"clip_limit {clip_limit!r}")
    written = batch_first(result, where)  # a view
    for place, pixels, counted in planes_of(images, axes, channel_axis, mask):
        if pixels.size:
            written[place] = opencv_clahe(pixels, limits[place], grid, counted)
    return result


def _limit_of_each(clip_limit, images, axes, channel_axis):
    """One clip limit a plane; those without a channel axis are the same for all channels."""
    limits, batch = np.asarray(clip_limit, np.float64), batch_shape(images, axes, channel_axis)
    if channel_axis is None or limits.ndim >= len(batch):
        return np.broadcast_to(limits, batch)
    where = plane_axes(images.shape, axes, channel_axis)
    before = [axis for axis in range(channel_axis % images.ndim) if axis not in where]
    without = batch[: len(before)] + batch[len(before) + 1 :]
    return np.broadcast_to(np.expand_dims(np.broadcast_to(limits, without), len(before)), batch)


def opencv_clahe(plane, clip_limit, grid, counted=None):
    """One (height, width) plane; the grid is (columns, rows)."""
    levels, (height, width) = levels_of(plane.dtype), plane.shape
    tile_height, tile_width = tile_shape(plane.shape, grid)
    upper, lower, below = neighbors(height, grid[1], tile_height)
    left, right, beside = neighbors(width, grid[0], tile_width)
    rows, row = np.unique([upper, lower], return_inverse=True)  # of grids larger than the image not all are used
    columns, column = np.unique([left, right], return_inverse=True)
    (upper, lower), (left, right) = row.reshape(2, -1, 1), column.reshape(2, 1, -1)
    luts = np.empty((len(rows), len(columns), levels), plane.dtype)
    for place in np.ndindex(luts.shape[:2]):
        y = rows[place[0]] * tile_height + np.arange(tile_height)
        x = columns[place[1]] * tile_width + np.arange(tile_width)
        tile = np.ix_(mirrored(y, height), mirrored(x, width))
        luts[place] = tile_lut(plane[tile] if counted is None else plane[tile][counted[tile]], levels, clip_limit)
    corners = [luts[row, column, plane] for row in (upper, lower) for column in (left, right)]
    return interpolated(*corners, beside, below[:, np.newaxis], levels - 1).astype(plane.dtype)


def tile_shape(shape, grid):
    """Height and width of a tile; tiles that do not fit both sides exactly reach beyond the image.

    Both sides grow then: an even one by as many pixels as there are tiles along it.
    """
    (height, width), (columns, rows) = shape, grid
    if height % rows == 0 and width % columns == 0:
        return height // rows, width // columns
    return height // rows + 1, width // columns + 1


def mirrored(places, length):
    """Places beyond an axis, mirrored at its first and last pixel as often as it takes."""
    if length == 1:
        return np.zeros_like(places)
    places = places % (2 * (length - 1))
    return np.minimum(places, 2 * (length - 1) - places)


def neighbors(length, tiles, tile_length):
    """For each pixel along an axis: the tiles before and after it, and the weight of the latter."""
    centers = np.arange(length).astype(np.float32) * (np.float32(1) / np.float32(tile_length)) - np.float32(0.5)
    before = np.floor(centers)
    weight = centers - before
    before = before.astype(np.int64)
    return np.maximum(before, 0), np.minimum(before + 1, tiles - 1), weight


def tile_lut(pixels, levels, clip_limit):
    """The LUT of a tile's pixels."""
    if not pixels.size:
        return np.arange(levels)
    counts = np.bincount(pixels.ravel(), minlength=levels)
    if clip_limit > 0:
        limit = max(int(clip_limit * pixels.size / levels), 1)
        excess = np.maximum(counts - limit, 0).sum()
        counts = np.minimum(counts, limit) + excess // levels
        rest = excess % levels
        if rest:
            step = max(levels // rest, 1)
            counts[np.arange(rest) * step] += 1
    scale = np.float32(levels - 1) / np.float32(pixels.size)
    return np.minimum(np.rint(np.cumsum(counts).astype(np.float32) * scale), levels - 1)


def interpolated(upper_left, upper_right, lower_left, lower_right, beside, below, top):
    """Between four values; all is float32."""
    one = np.float32(1)
    upper_left, upper_right, lower_left, lower_right = (
        corner.astype(np.float32) for corner in (upper_left, upper_right, lower_left, lower_right)
    )
    upper = upper_left * (one - beside) + upper_right * beside
    lower = lower_left * (one - beside) + lower_right * beside
    return np.clip(np.rint(upper * (one - below) + lower * below), 0, top)


# ---------------------------------------------------------------- skimage


def _each_skimage(images, clip_limit, kernel_size, nbins, axes, channel_axis, same):
    if same and images.dtype.kind == "b":
        raise TypeError("booleans have no levels between")
    clip_limit, nbins = 0.01 if clip_limit is None else clip_limit, 256 if nbins is None else operator.index(nbins)
    if np.ndim(clip_limit) or not clip_limit <= 1 or nbins < 1:
        raise ValueError(f"clip_limit {clip_limit!r}, nbins {nbins!r}")
    result = np.empty(images.shape, np.float32 if images.dtype == np.float32 else np.float64)
    where = plane_axes(images.shape, axes, channel_axis)
    written = batch_first(result, where)  # a view
    kernel = kernel_of(kernel_size, [images.shape[axis] for axis in where])
    for place, pixels, _ in planes_of(images, axes, channel_axis):
        written[place] = skimage_clahe(pixels, kernel, clip_limit, nbins)
    if not same or images.dtype.kind == "f":
        return result.astype(images.dtype) if same else result
    lowest, highest = np.iinfo(images.dtype).min, np.iinfo(images.dtype).max
    return (lowest + np.rint(result * (highest - lowest))).astype(images.dtype)


def kernel_of(kernel_size, shape):
    """The shape of a tile: an eighth of each side, or one number for all axes, or one each."""
    if kernel_size is None:
        return [max(length // 8, 1) for length in shape]
    kernel = [
        operator.index(length) for length in (kernel_size if np.ndim(kernel_size) else [kernel_size] * len(shape))
    ]
    if len(kernel) != len(shape) or min(kernel) < 1:
        raise ValueError(f"kernel_size {kernel_size!r}")
    return kernel


def skimage_clahe(plane, kernel, clip_limit, nbins):
    """One plane of any number of axes: float32 for float32, and else float64."""
    if not plane.size:
        return plane.astype(np.float32 if plane.dtype == np.float32 else np.float64)
    bins = levels_between(plane) // (1 + (TOP + 1) // nbins)
    lengths = [-(-length // side) for length, side in zip(plane.shape, kernel, strict=True)]
    area = math.prod(kernel)
    limit = int(max(clip_limit * area, 1)) if clip_limit > 0 else area
    maps = np.empty((*lengths, nbins))
    for tile in np.ndindex(*lengths):
        places = [t * side + np.arange(side) for t, side in zip(tile, kernel, strict=True)]
        pixels = bins[np.ix_(*[mirrored(p, length) for p, length in zip(places, plane.shape, strict=True)])]
        counts = redistributed(np.bincount(pixels.ravel(), minlength=nbins), limit)
        maps[tile] = np.trunc(np.minimum(np.cumsum(counts) * (TOP / area), TOP))
    levels = between_tiles(bins, maps, kernel).astype(np.uint16)
    levels = levels.astype(np.float32 if plane.dtype == np.float32 else np.float64)
    lowest, highest = levels.min(), levels.max()
    return np.clip(levels, 0, 1) if lowest == highest else (levels - lowest) / (highest - lowest)


def levels_between(plane):
    """Levels 0 to 16383 from the lowest value to the highest one, by way of uint16."""
    if plane.dtype.kind == "f":
        if not (np.abs(plane) <= 1).all():  # nor is NaN
            raise ValueError("values must be -1 to 1")
        wide = np.clip(np.rint(plane * plane.dtype.type(65535)), 0, 65535).astype(np.int64)
    else:
        wide = plane.astype(np.int64)
        if plane.dtype == np.int16:
            wide = np.where(wide < 0, 0, wide << 1 | wide >> 14)
        elif plane.dtype != np.uint16:
            wide *= 257 if plane.dtype == np.uint8 else 65535
    lowest, highest = int(wide.min()), int(wide.max())
    if lowest == highest:
        return np.clip(wide, 0, TOP)
    return np.rint((wide - lowest) / (highest - lowest) * TOP).astype(np.int64)


def redistributed(counts, limit):
    """Clip the counts and hand the excess out as scikit-image does."""
    n, excess = len(counts), int(np.maximum(counts - limit, 0).sum())
    counts = np.minimum(counts, limit)
    share = excess // n
    low = counts < limit - share
    counts[low] += share
    excess -= share * np.count_nonzero(low)
    filled = (counts >= limit - share) & (counts < limit)  # judged by what they became
    excess -= int((limit - counts[filled]).sum())
    counts[filled] = limit
    while excess > 0:
        before = excess
        for start in range(n):
            step = max(1, np.count_nonzero(counts < limit) // excess)
            below = np.arange(start, n, step)
            below = below[counts[below] < limit]
            counts[below] += 1
            excess -= len(below)  # may become negative: all of a pass get one
            if excess <= 0:
                break
        if excess == before:
            break
    return counts


def between_tiles(bins, maps, kernel):
    """The sum of what the maps of the 2^d tiles around a pixel say, each times its weight, in float32."""
    places = [np.arange(length) + side // 2 for length, side in zip(bins.shape, kernel, strict=True)]
    upper = [place % side / side for place, side in zip(places, kernel, strict=True)]
    weights = [(1 - weight, weight) for weight in upper]
    result = np.zeros(bins.shape, np.float32)
    for corner in np.ndindex(*[2] * bins.ndim):
        tiles = [
            np.clip(place // side + up - 1, 0, length - 1)
            for place, side, up, length in zip(places, kernel, corner, maps.shape, strict=False)
        ]
        product = np.ones([1] * bins.ndim)
        for axis in reversed(range(bins.ndim)):
            product = product * np.expand_dims(weights[axis][corner[axis]], tuple(set(range(bins.ndim)) - {axis}))
        result += (maps[(*np.ix_(*tiles), bins)] * product).astype(np.float32)
    return result
