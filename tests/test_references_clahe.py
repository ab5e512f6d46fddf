"""Do the naive versions of CLAHE and of colors say what the installed libraries do? Tolerance 0, without cheq."""

import numpy as np
import pytest
import reference
from clahe_cases import SKIMAGE_DTYPES, opencv_cases, skimage_cases
from marks import exhaustive
from pixel_tools import assert_bits, opencv, opencv_clahe, opencv_lightness, pillow, scikit_image_clahe

from cheq.parity.pixels import every_color, plane

MANY = pytest.param(1, 2000, marks=pytest.mark.long, id="2000")
FEW = pytest.param(0, 120, id="120")


@pytest.mark.parametrize(("seed", "number"), [FEW, MANY])
@pytest.mark.parametrize("dtype", reference.CLAHE_METHODS["opencv"])
def test_opencv(dtype, seed, number):
    for image, options in opencv_cases(number, dtype, seed):
        assert_bits(reference.clahe(image, **options), opencv_clahe(image, **options), f"{image.shape}, {options}")


def test_opencv_of_large_planes(pictures):
    for image, grid in ((plane("both ends", np.uint8, (700, 500)), (8, 8)), (pictures["camera"], (7, 16))):
        for clip_limit in (None, 2.0):
            options = {"clip_limit": clip_limit, "tile_grid_size": grid}
            assert_bits(reference.clahe(image, **options), opencv_clahe(image, **options))


@pytest.mark.parametrize(("seed", "number"), [FEW, MANY])
@pytest.mark.parametrize("dtype", [*SKIMAGE_DTYPES[::2], *exhaustive(*SKIMAGE_DTYPES[1::2])])
def test_skimage(dtype, seed, number):
    for image, options in skimage_cases(number, dtype, seed):
        result = reference.clahe(image, method="skimage", axes=tuple(range(image.ndim)), **options)
        assert_bits(result, scikit_image_clahe(image, **options), f"{image.shape}, {options}")


def test_skimage_of_pictures(pictures):
    for image in (pictures["camera"], pictures["coins"][::2, ::3] / np.float32(255)):
        for options in ({}, {"clip_limit": 0.03, "kernel_size": (50, 41)}):
            assert_bits(reference.clahe(image, method="skimage", **options), scikit_image_clahe(image, **options))


# ---------------------------------------------------------------- color


def photos(dtype):
    """Four images of any colors, of one color, of dark ones and of bright ones."""
    top = np.iinfo(dtype).max
    images = np.random.default_rng(8).integers(0, top + 1, (4, 40, 51, 3)).astype(dtype)
    images[1] = images[1, :1, :1]
    images[2] //= 9
    images[3] |= top // 256 * 200 + 200
    return images


@pytest.mark.parametrize("color", reference.COLORS)
def test_equalize(color):
    for rgb in photos(np.uint8):
        for method, call in (("opencv", opencv), ("pillow", pillow)):
            expected = opencv_lightness(rgb, color, call)
            assert_bits(reference.equalize(rgb, method=method, color=color, channel_axis=-1), expected)
            planar = np.moveaxis(np.concatenate([rgb, rgb[..., :1]], axis=-1), -1, 0)
            result = reference.equalize(planar, method=method, color=color, channel_axis=0)
            assert_bits(result, np.concatenate([np.moveaxis(expected, -1, 0), planar[3:]]))


@pytest.mark.parametrize(
    ("color", "dtype"), [*((color, "uint8") for color in reference.COLORS), ("ycrcb", "uint16"), ("yuv", "uint16")]
)
def test_clahe(color, dtype):
    options = {"clip_limit": 3.0, "tile_grid_size": (5, 4)}
    for rgb in photos(dtype):
        expected = opencv_lightness(rgb, color, lambda lightness: opencv_clahe(lightness, **options))
        assert_bits(reference.clahe(rgb, color=color, channel_axis=-1, **options), expected)


@pytest.mark.long
@pytest.mark.parametrize("changed", [np.copy, np.invert, lambda lightness: lightness * np.uint8(167)])
@pytest.mark.parametrize("color", reference.COLORS)
def test_every_color_there_and_back(color, changed):
    """With its lightness as it is, and with another one."""
    for rgb in every_color().reshape(16, 256, 4096, 3):
        result = reference.with_lightness(rgb, color, -1, None, changed)
        assert_bits(result, opencv_lightness(rgb, color, changed))
