"""Gray and YCrCb by their formulas, in NumPy's 64-bit integers; ``test_color.py`` checks them against cv2 and Pillow.

OpenCV, ``modules/imgproc/src/color_rgb.simd.hpp`` and ``color_yuv.simd.hpp``; Pillow, ``src/libImaging/Convert.c``.
"""

import numpy as np
import reference

GRAY = {"opencv": (9798, 19235, 3735, 15), "pillow": (19595, 38470, 7471, 16)}
LUMA = (4899, 9617, 1868, 14)


def weighted(colours, weights):
    """The weighted sum of R, G, B, which lie along axis 0."""
    *factors, bits = weights
    total = sum(int(factor) * colours[c].astype(np.int64) for c, factor in enumerate(factors))
    return (total + 2 ** (bits - 1)) // 2**bits


def rounded(product):
    """A product with weights of 14 bits, scaled back; // rounds downwards, as a shift does."""
    return (product + 2**13) // 2**14


def rgb_to_gray(images, *, channel_axis=-1, method="opencv"):
    colours = np.moveaxis(np.array(images), channel_axis, 0)
    return weighted(colours, GRAY[method]).astype(colours.dtype.newbyteorder("="))


def equalize_ycrcb(images, *, axes=None, channel_axis=-1, mask=None):
    """To YCrCb, equalize Y by the rule of reference.py, and back; a fourth channel stays."""
    images = np.array(images)
    channel_axis %= images.ndim
    if axes is not None:  # they are counted without the channels here
        axes = [axis % images.ndim - (axis % images.ndim > channel_axis) for axis in np.atleast_1d(axes)]
    colours = np.moveaxis(images, channel_axis, 0).astype(np.int64)
    red, green, blue = colours[:3]
    luma = weighted(colours, LUMA)
    cr = np.clip(rounded(11682 * (red - luma) + 128 * 2**14), 0, 255) - 128
    cb = np.clip(rounded(9241 * (blue - luma) + 128 * 2**14), 0, 255) - 128
    luma = reference.equalize(luma.astype(np.uint8), axes=axes, mask=mask).astype(np.int64)
    red = luma + rounded(22987 * cr)
    green = luma + rounded(-5636 * cb - 11698 * cr)
    blue = luma + rounded(29049 * cb)
    result = np.clip(np.stack([red, green, blue, *colours[3:]]), 0, 255).astype(np.uint8)
    return np.moveaxis(result, 0, channel_axis)
