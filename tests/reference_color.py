"""The naive versions of colors: R, G and B to gray, and to a lightness and back, in whole numbers.

The rules are those of OpenCV's ``color_rgb.simd.hpp``, ``color_yuv.simd.hpp`` and ``color_lab.cpp`` in
``modules/imgproc/src``, and of Pillow's ``Convert.c``.
"""

from fractions import Fraction

import numpy as np

# Weights of R, G and B, and the bits that they are scaled by.
GRAY = {"opencv": (9798, 19235, 3735, 15), "pillow": (19595, 38470, 7471, 16)}
COLORS = ("ycrcb", "yuv", "lab")  # whose lightness can be changed
LUMA = (4899, 9617, 1868, 14)
# What R - Y and B - Y are multiplied by, and these differences by for R, for G (two) and for B; 14 bits.
DIFFERENCES = {
    "ycrcb": (11682, 9241, 22987, -11698, -5636, 29049),
    "yuv": (14369, 8061, 18678, -9519, -6472, 33292),
}


def rgb_to_gray(images, *, channel_axis=-1, method="opencv"):
    """OpenCV's RGB2GRAY or Pillow's mode L, of the first three channels."""
    images = np.array(images)
    channels = np.moveaxis(images, channel_axis, 0).astype(np.int64)
    return _weighted(channels, *GRAY[method]).astype(images.dtype.newbyteorder("="))


def with_lightness(images, color, channel_axis, mask, equalized):
    """The lightness of R, G and B replaced by what a function makes of it; a fourth channel stays.

    The lightness is given a channel axis of one, so that axes mean the same.
    """
    if images.dtype.name not in ("uint8", "uint16") or (color == "lab" and images.dtype != np.uint8):
        raise TypeError(f"images of dtype {images.dtype}")
    if channel_axis is None or images.shape[channel_axis] not in (3, 4):
        raise ValueError(f"channel axis {channel_axis!r}, shape {images.shape}")
    if np.ndim(mask) >= images.ndim:
        raise ValueError("a mask with a channel axis")
    channels = np.moveaxis(images.astype(np.int64), channel_axis, 0)
    top = np.iinfo(images.dtype).max
    lightness, *others = _to_lab(channels) if color == "lab" else _to_differences(channels, top, *DIFFERENCES[color])
    lightness = equalized(np.expand_dims(lightness.astype(images.dtype), channel_axis))
    lightness = lightness.astype(np.int64).squeeze(channel_axis)
    if color == "lab":
        rgb = _from_lab(lightness, *others)
    else:
        rgb = _from_differences(lightness, *others, top, *DIFFERENCES[color])
    return np.moveaxis(np.stack([*rgb, *channels[3:]]), 0, channel_axis).astype(images.dtype)


def _weighted(channels, red, green, blue, bits):
    return (red * channels[0] + green * channels[1] + blue * channels[2] + 2 ** (bits - 1)) >> bits


# ---------------------------------------------------------------- lightness and two differences


def _to_differences(channels, top, of_red, of_blue, *_):
    r, _, b = channels[:3]
    y, middle = _weighted(channels, *LUMA), (top + 1) // 2
    differences = [middle + ((of_red * (r - y) + 2**13) >> 14), middle + ((of_blue * (b - y) + 2**13) >> 14)]
    return y, *np.clip(differences, 0, top)


def _from_differences(y, red, blue, top, _, __, to_r, red_to_g, blue_to_g, to_b):
    red, blue = red - (top + 1) // 2, blue - (top + 1) // 2
    r = y + ((to_r * red + 2**13) >> 14)
    g = y + ((red_to_g * red + blue_to_g * blue + 2**13) >> 14)
    b = y + ((to_b * blue + 2**13) >> 14)
    return np.clip([r, g, b], 0, top)


# ---------------------------------------------------------------- Lab


def _nearest(value):
    """The nearest whole number of a fraction that lies on no half."""
    return int((value + Fraction(1, 2)) // 1)


def _nearest_cube_root(i):
    """32768 times the cube root of i / 2040, rounded: the largest n with (n - 1/2)^3 <= 32768^3 i / 2040."""
    n = round(32768 * (i / 2040) ** (1 / 3)) + 2
    while (2 * n - 1) ** 3 * 2040 > 65536**3 * i:
        n -= 1
    return n


def _linear(value):
    """The curve of sRGB, from 0..1 to 0..1."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _curved(value):
    """The same curve, back."""
    return np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)


def _lab_curve():
    """f(t), 0 to 2040; twice OpenCV's float32 lands on a half and goes the other way."""
    low = [_nearest(32768 * (Fraction(i, 2040) * Fraction(841, 108) + Fraction(4, 29))) for i in range(19)]
    curve = np.array(low + [_nearest_cube_root(i) for i in range(19, 2041)])
    curve[[49, 628]] = 9454, 22126
    return curve


def _heights():
    """What L stands for, in 14 bits: f(Y), and Y itself."""
    f = [(Fraction(100 * lightness, 255) + 16) / 116 for lightness in range(256)]
    y = [
        Fraction(27 * 100 * lightness, 24389 * 255) if lightness <= 20 else f[lightness] ** 3
        for lightness in range(256)
    ]
    return [np.array([_nearest(16384 * height) for height in heights]) for heights in (f, y)]


LINEAR = np.rint(2040 * _linear(np.arange(256) / 255)).astype(np.int64)
CURVE = _lab_curve()
F, Y = _heights()
CURVED = np.rint(255 * _curved(np.arange(4096) / 4096)).astype(np.int64)
# Weights of linear R, G and B for X, Y and Z, and back; 12 bits, with the white of D65.
TO_XYZ = np.array([[1777, 1541, 778], [871, 2929, 296], [73, 448, 3575]])
FROM_XYZ = np.array([[12615, -6296, -2223], [-3773, 7684, 185], [217, -836, 4715]])


def _to_lab(channels):
    x, y, z = CURVE[(np.tensordot(TO_XYZ, LINEAR[channels[:3]], 1) + 2**11) >> 12]
    lightness = (296 * y - 1336934 + 2**14) >> 15
    a = 128 + ((500 * (x - y) + 2**14) >> 15)
    b = 128 + ((200 * (y - z) + 2**14) >> 15)
    return lightness, *np.clip([a, b], 0, 255)


def _from_lab(lightness, a, b):
    x = _cube(F[lightness] + ((268435 * a + 128) >> 13) - 4194)
    z = _cube(F[lightness] - ((41943 * b + 16) >> 9) + 10484)
    linear = (np.tensordot(FROM_XYZ, np.stack([x, Y[lightness], z]), 1) + 2**13) >> 14
    return CURVED[np.clip(linear, 0, 4095)]


def _cube(f):
    """The cube, or below some point the line that continues it, cut off towards 0."""
    line = np.sign(f) * (108 * np.abs(f) // 841) - 290
    return np.where(f <= 3390, line, (((f * f) >> 14) * f) >> 14)
