"""Is CLAHE, seen from outside, what the installed cv2 and scikit-image give? Tolerance 0.

Random cases, real pictures, and what the libraries' own tests of CLAHE ask, in other words: OpenCV's CLAHETest
(``modules/imgproc/test/ocl/test_imgproc.cpp``), scikit-image's ``test_adapthist_*`` (``test_exposure.py``).
"""

from pathlib import Path

import numpy as np
import pytest
import skimage.color
import skimage.data
import skimage.io
from clahe_cases import SKIMAGE_DTYPES, opencv_cases, skimage_cases
from pixel_tools import assert_bits, of_each_plane, opencv_clahe, opencv_lightness, scikit_image_clahe

import cheq
from cheq.parity.pixels import plane

FEW = pytest.param(0, 60, id="60")
MANY = pytest.param(2, 1500, marks=pytest.mark.long, id="1500")

# ---------------------------------------------------------------- random cases


@pytest.mark.parametrize(("seed", "number"), [FEW, MANY])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_opencv(kernel, dtype, seed, number):
    for i, (image, options) in enumerate(opencv_cases(number, dtype, seed)):
        expected, where = opencv_clahe(image, **options), f"{image.shape}, {options}"
        assert_bits(cheq.clahe(image, **options, num_threads=i % 5 + 1), expected, where)
        place = np.ascontiguousarray(image[:, ::-1])[:, ::-1]
        assert cheq.clahe(place, **options, out=place, num_threads=i % 5 + 1) is place
        assert_bits(place, expected, where)


@pytest.mark.parametrize(("seed", "number"), [FEW, MANY])
@pytest.mark.parametrize("dtype", SKIMAGE_DTYPES)
def test_skimage(kernel, dtype, seed, number):
    for i, (image, options) in enumerate(skimage_cases(number, dtype, seed)):
        expected, where = scikit_image_clahe(image, **options), f"{image.shape}, {options}"
        named = options | {"method": "skimage", "axes": tuple(range(image.ndim)), "num_threads": i % 5 + 1}
        assert_bits(cheq.clahe(image, **named), expected, where)
        laid = np.flip(np.flip(image).copy())
        assert_bits(cheq.clahe(laid, **named, out=np.zeros_like(expected)), expected, where)


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
def test_fewer_bits_than_16(kernel, bits):
    """What scanners give: levels at the bottom of 16 bits, or shifted to its top."""
    image = plane("both ends", "uint16", (211, 160)) >> (16 - bits)
    for shifted in (image, image << (16 - bits)):
        for clip_limit in (None, 2.0, 100.0):
            for grid in ((8, 8), (3, 2)):
                options = {"clip_limit": clip_limit, "tile_grid_size": grid}
                assert_bits(cheq.clahe(shifted, **options), opencv_clahe(shifted, **options))
        assert_bits(cheq.clahe(shifted, method="skimage"), scikit_image_clahe(shifted))


# ---------------------------------------------------------------- pictures


def shipped():
    """The pictures that scikit-image ships."""
    return sorted(path.name for path in Path(skimage.data.data_dir).iterdir() if path.suffix in (".png", ".jpg"))


def channels_of(name):
    """The channels of a picture, (n, height, width), uint8 and not too large."""
    picture = skimage.io.imread(Path(skimage.data.data_dir) / name)
    channels = np.moveaxis(picture, -1, 0) if picture.ndim == 3 else picture[np.newaxis]
    channels = channels.astype(np.uint8) * np.uint8(255 if picture.dtype == bool else 1)
    return channels[:, ::2, ::2] if channels[0].size > 300_000 else channels


@pytest.mark.parametrize("name", shipped())
def test_pictures(name):
    images = channels_of(name)
    for options in ({}, {"clip_limit": 2.0}, {"clip_limit": 3.5, "tile_grid_size": (5, 11)}):
        expected = of_each_plane(lambda image, options=options: opencv_clahe(image, **options), images)
        assert_bits(cheq.clahe(images, axes=(-2, -1), **options), expected)
        last = np.ascontiguousarray(np.moveaxis(images, 0, -1))
        assert_bits(cheq.clahe(last, channel_axis=-1, **options), np.moveaxis(expected, 0, -1))
    assert_bits(cheq.clahe(images[0], method="skimage"), scikit_image_clahe(images[0]))
    floats = images[0] / np.float32(255)
    assert_bits(cheq.clahe(floats, method="skimage", clip_limit=0.03), scikit_image_clahe(floats, clip_limit=0.03))
    if len(images) == 3:
        for color in ("ycrcb", "yuv", "lab"):
            expected = opencv_lightness(last, color, lambda lightness: opencv_clahe(lightness, 2.0))
            assert_bits(cheq.clahe(last, channel_axis=-1, color=color, clip_limit=2.0), expected)


# ---------------------------------------------------------------- OpenCV's own test


@pytest.mark.parametrize("of_larger", [False, True], ids=["whole", "part of a larger image"])
@pytest.mark.parametrize("clip_limit", [0.0, 10.0, 62.0, 300.0])
@pytest.mark.parametrize("grid", [(4, 4), (32, 8), (8, 64)])
def test_of_opencv(grid, clip_limit, of_larger):
    """Random sizes from the larger number of tiles on; images and results with or without borders around them."""
    random = np.random.default_rng([*grid, int(clip_limit), of_larger])
    for _ in range(10):
        height, width = random.integers(max(grid), 300, 2)
        top, left, bottom, right = random.integers(0, 60, 4) * of_larger
        whole = random.integers(5, 256, (top + height + bottom, left + width + right), np.uint8)
        image = whole[top : top + height, left : left + width]
        written = random.integers(5, 16, (left + height + 1, bottom + width + 2), np.uint8)
        out, around = written[left : left + height, bottom : bottom + width], written.copy()
        cheq.clahe(image, clip_limit=clip_limit, tile_grid_size=grid, out=out)
        around[left : left + height, bottom : bottom + width] = opencv_clahe(image, clip_limit, grid)
        assert_bits(written, around)


# ---------------------------------------------------------------- scikit-image's own tests


def of_value(rgb, **options):
    """What scikit-image does with colors: V of HSV, and back; a fourth channel is dropped."""
    hsv = skimage.color.rgb2hsv(rgb[..., :3])
    hsv[..., 2] = cheq.clahe(hsv[..., 2], method="skimage", **options)
    return skimage.color.hsv2rgb(hsv)


@pytest.fixture(scope="module")
def astronaut(pictures):
    return skimage.img_as_float(pictures["astronaut"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_skimage_gray_as_three_channels(astronaut, dtype):
    gray = skimage.color.rgb2gray(astronaut.astype(dtype))
    image, options = np.dstack([gray] * 3), {"kernel_size": (57, 51), "clip_limit": 0.01, "nbins": 128}
    assert_bits(of_value(image, **options), scikit_image_clahe(image, **options))
    assert_bits(cheq.clahe(gray, method="skimage", **options), scikit_image_clahe(gray, **options))


def test_of_skimage_colors_of_16_bits(pictures):
    image = skimage.img_as_uint(pictures["astronaut"])
    result = of_value(image, clip_limit=0.01)
    assert_bits(result, scikit_image_clahe(image, clip_limit=0.01))
    assert (result.min(), result.max()) == (0, 1)


def test_of_skimage_a_fourth_channel(astronaut):
    image = np.dstack([astronaut, np.ones(astronaut.shape[:2])])
    assert_bits(of_value(image), scikit_image_clahe(image))


def test_of_skimage_volumes(astronaut):
    """A stack of one image 34 times becomes, in its middle, much what the image becomes."""
    flat = skimage.color.rgb2gray(astronaut)[:-1:15, :-1:15]
    stack = np.stack([flat] * (512 // 15))
    options = {"kernel_size": 5, "clip_limit": 0.05}
    of_flat, of_stack = (cheq.clahe(a, method="skimage", axes=tuple(range(a.ndim)), **options) for a in (flat, stack))
    assert_bits(of_flat, scikit_image_clahe(flat, **options))
    assert_bits(of_stack, scikit_image_clahe(stack, **options))
    assert np.abs(of_flat - of_stack[len(stack) // 2]).mean() < 0.02


@pytest.mark.parametrize("value", [np.uint16(2), np.float64(0.1), np.uint8(0), np.float32(-1), np.int16(-3), True])
def test_of_skimage_one_value(value):
    image = np.full((8, 8), value)
    result = cheq.clahe(image, method="skimage", kernel_size=3)
    assert_bits(result, scikit_image_clahe(image, kernel_size=3))
    assert result.min() == result.max()


def test_of_skimage_borders(astronaut):
    """The last column and the last row are changed, whatever the kernel."""
    image = skimage.color.rgb2gray(astronaut) / 100
    image[256, 256] = 1
    for kernel_size in range(51, 71, 2):
        result = cheq.clahe(image, method="skimage", kernel_size=kernel_size, clip_limit=0.5)
        assert abs(result[:, -1].mean() - image[:, -1].mean()) > 0.1
        assert abs(result[-1].mean() - image[-1].mean()) > 0.1
        assert_bits(result, scikit_image_clahe(image, kernel_size=kernel_size, clip_limit=0.5))


def test_of_skimage_limits_that_clip_nothing(pictures):
    for image in (pictures["moon"], pictures["moon"] / 255.0):
        results = [cheq.clahe(image, method="skimage", clip_limit=limit) for limit in (0, 1, -3.0)]
        for result in results:
            assert_bits(result, scikit_image_clahe(image, clip_limit=1))


def test_of_skimage_a_kernel_of_too_many_axes():
    with pytest.raises(ValueError, match="kernel_size: "):
        cheq.clahe(np.ones((8, 8)), method="skimage", kernel_size=(3, 3, 3))
