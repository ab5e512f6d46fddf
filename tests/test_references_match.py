"""Does the naive version of matching say what scikit-image does? Tolerance 0, without cheq."""

import numpy as np
import pytest
import reference
import skimage.exposure
from match_cases import pairs_of_planes
from match_tools import DTYPES, INTEGERS, matched, nearest
from pixel_tools import assert_bits, opencv_lightness, scikit_image

from cheq.parity.pixels import MASKS, plane
from cheq.parity.pixels import mask as mask_of

FEW = pytest.param(0, 60, id="60")
MANY = pytest.param(1, 3000, marks=pytest.mark.long, id="3000")


@pytest.mark.parametrize(("seed", "number"), [FEW, MANY])
@pytest.mark.parametrize("dtype", DTYPES)
def test_planes(dtype, seed, number):
    for image, wanted in pairs_of_planes(number, dtype, seed):
        expected = matched(image, wanted)
        assert_bits(reference.match_histograms(image, wanted), expected)
        assert_bits(reference.match_histograms(image, wanted, dtype="same"), nearest(expected, dtype))
        channels = [np.stack([array, array[::-1, ::-1]], axis=-1) for array in (image, wanted)]
        with np.errstate(all="ignore"):
            expected = skimage.exposure.match_histograms(*channels, channel_axis=-1)
        assert_bits(reference.match_histograms(*channels, channel_axis=-1), expected)


@pytest.mark.parametrize("kind", MASKS[1:])
@pytest.mark.parametrize("dtype", DTYPES)
def test_masks(dtype, kind):
    image, wanted = plane("narrow", dtype, (13, 21)), plane("both ends", dtype, (9, 30))
    mask, other = mask_of(kind, image), mask_of("random", wanted)
    options = {"mask": mask, "reference_mask": other}
    assert_bits(reference.match_histograms(image, wanted, **options)[mask], matched(image, wanted, mask, other))
    kept = reference.match_histograms(image, wanted, **options, outside="keep")
    assert_bits(kept[~mask], image[~mask].astype(kept.dtype))


@pytest.mark.parametrize("color", reference.COLORS)
def test_lightness(color):
    image, wanted = plane("both ends", "uint8", (31, 33, 3)), plane("dark", "uint8", (29, 40, 3))
    levels = []
    opencv_lightness(wanted, color, lambda lightness: levels.append(lightness) or lightness)
    expected = opencv_lightness(image, color, lambda each: np.rint(matched(each, levels[0])).astype(np.uint8))
    assert_bits(reference.match_histograms(image, wanted, color=color, channel_axis=-1), expected)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_luts_of_counts_and_of_whole_weights(dtype):
    for image, wanted in pairs_of_planes(10, dtype):
        hist, other = reference.histogram(image), reference.histogram(wanted)
        for weights in (other, other * 0.25):
            lut = reference.matching_lut(hist, weights, images_dtype=dtype)
            assert_bits(reference.apply_lut(image, lut), matched(image, wanted))
        lut = reference.equalization_lut(hist * 0.5, method="skimage", images_dtype=dtype)
        assert_bits(reference.apply_lut(image, lut), scikit_image(image))
