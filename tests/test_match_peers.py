"""Is matching, seen from outside, what the installed libraries give? Tolerance 0.

Random cases, real pictures, and what scikit-image's own tests (``tests/test_histogram_matching.py``) ask, in other
words; and the function of albumentations, where that is installed.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import skimage.io
from match_cases import pairs_of_planes
from match_tools import DTYPES, check, matched
from pixel_tools import assert_bits
from skimage.exposure import match_histograms

import cheq
from cheq.parity.pixels import plane

FEW = pytest.param(0, 60, id="60")
MANY = pytest.param(2, 3000, marks=pytest.mark.long, id="3000")


@pytest.mark.parametrize(("seed", "number"), [FEW, MANY])
@pytest.mark.parametrize("dtype", DTYPES)
def test_planes(kernel, dtype, seed, number):
    for i, (image, wanted) in enumerate(pairs_of_planes(number, dtype, seed)):
        check(image, wanted, matched(image, wanted), num_threads=i % 3 + 1)


# ---------------------------------------------------------------- pictures


@pytest.fixture(scope="module")
def colors():
    """Pictures of R, G and B that scikit-image ships."""
    files = [Path(skimage.data.data_dir) / name for name in ("chelsea.png", "coffee.png", "astronaut.png")]
    return [skimage.io.imread(file)[::2, ::2, :3] for file in files]


def test_pictures(pictures):
    grays = [pictures[name] for name in ("camera", "coins", "moon")]
    for image, wanted in itertools.permutations(grays, 2):
        check(image, wanted, matched(image, wanted))
        check(image / 255, wanted / 255, matched(image / 255, wanted / 255))
    faces = pictures["faces"]
    check(faces, grays[0], np.stack([matched(face, grays[0]) for face in faces]))
    check(faces, faces[::-1], np.stack([matched(*both) for both in zip(faces, faces[::-1], strict=True)]))


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_of_skimage_colors(colors, channel_axis):
    """Each channel has the shares of the reference's: no value's share is off by more than its own pixels."""
    for image, wanted in itertools.permutations(colors, 2):
        images = [np.moveaxis(array, -1, channel_axis) for array in (image, wanted)]
        result = cheq.match_histograms(*images, channel_axis=channel_axis)
        assert_bits(result, match_histograms(*images, channel_axis=channel_axis))
        planes = (np.moveaxis(array, channel_axis, 0) for array in (result, images[1]))
        for plane_, other in zip(*planes, strict=True):
            shares = [np.bincount(array.ravel(), minlength=256) / array.size for array in (plane_, other)]
            distance = np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1]))
            assert np.median(distance) < 0.02


def test_of_skimage_gray_and_pooled(colors):
    image, wanted = colors[:2]
    check(image, wanted, match_histograms(image, wanted), axes=(0, 1, 2))
    grays = [cheq.rgb_to_gray(array) for array in (image, wanted)]
    check(*grays, match_histograms(*grays))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_of_skimage_floats_keep_their_dtype(colors, dtype):
    images = [array.astype(dtype) for array in colors[:2]]
    expected = match_histograms(*images, channel_axis=-1)
    assert expected.dtype == dtype
    check(*images, expected, channel_axis=-1)


def test_of_skimage_channels_that_differ(colors):
    for wanted in (colors[1][..., :2], colors[1][..., 0]):
        with pytest.raises(ValueError):
            match_histograms(colors[0], wanted, channel_axis=-1)
        with pytest.raises(ValueError, match=r"^reference: expected "):
            cheq.match_histograms(colors[0], wanted, channel_axis=-1)


# ---------------------------------------------------------------- albumentations


def test_albumentations():
    """Of images of equal size, cut off toward zero."""
    reason = "albumentations is not installed"
    transforms = pytest.importorskip("albumentations.augmentations.mixing.domain_adaptation_functional", reason=reason)
    for seed in range(20):
        images = [plane(kind, "uint8", (31, 40, 3), seed) for kind in ("both ends", "dark")]
        expected = transforms.match_histograms(images[0].copy(), images[1].copy())
        assert_bits(cheq.match_histograms(*images, channel_axis=-1), expected)
