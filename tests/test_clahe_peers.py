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
from clahe_cases import opencv_cases
from pixel_tools import assert_bits, of_each_plane, opencv_clahe

import cheq
from cheq.parity.pixels import plane

FEW = pytest.param(0, 60, id="60")
MANY = pytest.param(2, 1500, marks=pytest.mark.exhaustive, id="1500")

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


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
def test_fewer_bits_than_16(kernel, bits):
    """What scanners give: levels at the bottom of 16 bits, or shifted to its top."""
    image = plane("both ends", "uint16", (211, 160)) >> (16 - bits)
    for shifted in (image, image << (16 - bits)):
        for clip_limit in (None, 2.0, 100.0):
            for grid in ((8, 8), (3, 2)):
                options = {"clip_limit": clip_limit, "tile_grid_size": grid}
                assert_bits(cheq.clahe(shifted, **options), opencv_clahe(shifted, **options))


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
