"""Does the reference say what the installed libraries do? Tolerance 0, without cheq."""

import subprocess
import sys
from fractions import Fraction

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import reference
import skimage.exposure
from lists import CASES, DTYPES, FLOATS, INTEGERS
from pixel_tools import (
    assert_bits,
    has_peer,
    opencv,
    opencv_fuses,
    opencv_otsu,
    peer,
    pillow,
    refused_since_numpy_2_2,
    result_dtype,
    scikit_image,
)

from cheq.bench.peers import recipe
from cheq.parity.pixels import FLOAT_KINDS, KINDS, MASKS, plane, single_pixels
from cheq.parity.pixels import counted as counted_plane
from cheq.parity.pixels import mask as mask_of

WITH_PEER = [(method, dtype) for method, dtype in CASES if has_peer(method, dtype)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("method", "dtype"), WITH_PEER)
def test_planes_of_every_kind(method, dtype, kind):
    for seed, shape in enumerate([(31, 67), (8, 9), (1, 1), (123, 321), (3, 1)]):
        image = plane(kind, dtype, shape, seed)
        expected = peer(method, image)
        assert expected.dtype == result_dtype(method, dtype)
        assert_bits(reference.equalize(image, method=method), expected)


@pytest.mark.parametrize("kind", MASKS[1:])
@pytest.mark.parametrize(("method", "dtype"), WITH_PEER)
def test_masks(method, dtype, kind):
    for seed, pixels in enumerate(("uniform", "narrow", "three levels", "both ends")):
        image = plane(pixels, dtype, (13, 21), seed)
        mask = mask_of(kind, image if dtype != "bool" else image.astype(np.uint8), seed)
        result = reference.equalize(image, method=method, mask=mask)
        expected = peer(method, image, mask)
        if method == "opencv":  # it has no mask: its LUT is known at the counted levels
            result, expected = result[mask], expected[mask]
        assert_bits(result, expected)


def test_an_empty_mask():
    image, mask = plane("uniform", np.uint8, (5, 7)), np.zeros((5, 7), bool)
    assert_bits(reference.equalize(image, method="pillow", mask=mask), pillow(image, mask))
    assert_bits(reference.equalize(image, mask=mask), image)
    for dtype in (*FLOATS, "bool"):
        expected = peer("skimage", image.astype(dtype), mask)
        assert np.isnan(expected).all()
        assert_bits(reference.equalize(image.astype(dtype), method="skimage", mask=mask), expected)
    for dtype in INTEGERS:
        with pytest.raises(ValueError):
            scikit_image(image.astype(dtype), mask)  # here the reference does for integers what it does for floats
        result = reference.equalize(image.astype(dtype), method="skimage", mask=mask)
        assert_bits(result, np.full((5, 7), np.nan))


# ---------------------------------------------------------------- opencv


def test_opencv_on_small_counts():
    for m in range(1, 40):
        for k in range(1, 30):
            image = counted_plane((1, m, k * m), (3, 77, 78))
            assert_bits(reference.equalize(image), opencv(image))


def test_the_rule_for_16_bits_is_that_for_8_bits_with_another_top():
    # Where levels are 257 times those of an 8-bit image, the scale is 257 times as large, up to its rounding.
    image = plane("both ends", np.uint8, (31, 67))
    wide = reference.equalize(image.astype(np.uint16) * 257)
    np.testing.assert_allclose(wide / 257, reference.equalize(image), atol=0.5)
    counts = np.bincount([7, 9, 9, 40000], minlength=65536)
    lut = reference.equalization_lut(counts)
    scale = np.float32(65535) / np.float32(3)
    assert lut.dtype == np.uint16
    assert lut[[0, 7, 8, 9, 39999, 40000, 65535]].tolist() == [0, 0, 0, int(np.rint(2 * scale)), 43690, 65535, 65535]


# ---------------------------------------------------------------- pillow


def test_pillow_on_small_counts():
    for total in (1, 2, 254, 255, 256, 257, 509, 510, 511, 764, 765, 766, 2000):
        for last in (1, 3, 254, 255):
            for levels in ((0, 255), (3, 200), (254, 255), (0, 1)):
                image = counted_plane((total, last), levels)
                assert_bits(reference.equalize(image, method="pillow"), pillow(image))
            image = counted_plane((1, total, last), (3, 77, 78))
            assert_bits(reference.equalize(image, method="pillow"), pillow(image))


def test_pillow_values_above_255_are_clipped():
    image = counted_plane((508, 1, 1), (4, 9, 12))
    assert_bits(reference.equalize(image, method="pillow"), pillow(image))
    assert pillow(image).max() == 255
    image = np.concatenate([counted_plane((508, 1), (4, 9))[0], [200]]).astype(np.uint8)[np.newaxis]
    assert_bits(reference.equalize(image, method="pillow"), pillow(image))


def test_pillow_takes_rgb_band_by_band(pictures):
    rgb = pictures["astronaut"][:99, :55]
    assert_bits(reference.equalize(rgb, method="pillow", channel_axis=-1), pillow(rgb))
    counted = np.random.default_rng(3).random(rgb.shape[:2]) < 0.3
    result = reference.equalize(rgb, method="pillow", channel_axis=-1, mask=counted)
    assert_bits(result, pillow(rgb, counted))


def test_pillow_counts_a_pixel_once_whatever_the_value_of_its_mask():
    image = plane("both ends", np.uint8, (31, 67))
    values = np.random.default_rng(1).choice(np.array([0, 1, 128, 255], np.uint8), image.shape)
    expected = PIL.ImageOps.equalize(PIL.Image.fromarray(image), PIL.Image.fromarray(values))
    assert_bits(reference.equalize(image, method="pillow", mask=values != 0), np.asarray(expected))


TORCHVISION = """
import sys, numpy, torch
kept = torch.library.Library("torchvision", "FRAGMENT")
try:
    import torchvision
except RuntimeError:  # the operators of a wheel for another torch; equalize needs none of them
    for name in ("nms", "qnms"):
        kept.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
from torchvision.transforms.v2.functional import equalize
print("torchvision", torchvision.__version__)
numpy.save(sys.argv[2], equalize(torch.from_numpy(numpy.load(sys.argv[1]))).numpy())
"""


def test_torchvision_agrees_with_pillow(tmp_path):
    images = np.stack([plane(kind, np.uint8, (23, 45), seed) for kind in KINDS for seed in range(3)])
    images = np.concatenate([images, images // 9, images[:, ::-1] // 200])
    np.save(tmp_path / "images.npy", images)
    command = [sys.executable, "-W", "ignore", "-c", TORCHVISION, tmp_path / "images.npy", tmp_path / "equalized.npy"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"torchvision cannot be imported: {ran.stderr.strip().splitlines()[-1]}")
    assert_bits(reference.equalize(images, method="pillow"), np.load(tmp_path / "equalized.npy"))


# ---------------------------------------------------------------- scikit-image and the recipe


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", [*FLOAT_KINDS, "constant"])
def test_awkward_floats(kind, dtype):
    image = plane(kind, dtype, (31, 67))
    for nbins in (1, 2, 3, 10, 256, 1000):
        for method, call in (("skimage", lambda nbins: scikit_image(image, None, nbins)),
                             ("numpy", lambda nbins: recipe(image, nbins)[0])):  # fmt: skip
            with np.errstate(all="ignore"):
                try:
                    expected = call(nbins)
                except (ValueError, IndexError) as error:  # a range that overflows float32 is an index
                    expected = str(error)
            if isinstance(expected, str) or refused_since_numpy_2_2(image, nbins):
                with pytest.raises(ValueError):
                    reference.equalize(image, method=method, nbins=nbins)
            elif np.isfinite(image).all() and np.isfinite(np.ptp(image)):
                assert_bits(reference.equalize(image, method=method, nbins=nbins), expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("method", ["skimage", "numpy"])
def test_nan_outside_the_mask_and_omitted(method, dtype):
    image = plane("normal", dtype, (13, 21))
    image[::5, ::4], image[1, 2], image[2, 1] = np.nan, np.inf, -np.inf
    finite = np.isfinite(image)
    expected = peer(method, image, finite)
    assert np.isnan(expected[::5, ::4]).all()
    assert_bits(reference.equalize(image, method=method, mask=finite), expected)
    assert_bits(reference.equalize(image, method=method, nan_policy="omit"), expected)
    with pytest.raises(ValueError):
        peer(method, image)
    with pytest.raises(ValueError):
        reference.equalize(image, method=method)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16"])
def test_all_levels_of_wide_integers(dtype):
    limits = np.iinfo(dtype)
    levels = np.arange(limits.min, limits.max + 1).astype(dtype)[np.newaxis]
    for image in (levels, levels[:, 100:-3], np.repeat(levels, 3, axis=0)[:, ::7]):
        for method in ("skimage", "numpy"):
            assert_bits(reference.equalize(image, method=method), peer(method, image))


@pytest.mark.parametrize("method", ["skimage", "numpy"])
@pytest.mark.parametrize("dtype", [">u2", ">i2", ">f4", ">f8"])
def test_another_byte_order(method, dtype):
    image = plane("both ends", np.dtype(dtype).newbyteorder("="), (13, 21)).astype(dtype)
    assert_bits(reference.equalize(image, method=method), peer(method, image).astype(np.dtype(dtype).newbyteorder("="))
                if (method, dtype) == ("skimage", ">f4") else peer(method, image))  # fmt: skip


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("method", ["skimage", "numpy"])
def test_the_same_dtype_is_the_cdf_times_the_span(method, dtype):
    image = plane("both ends", dtype, (31, 67))
    limits = np.iinfo(dtype)
    cdf = scikit_image(image) if method == "skimage" else recipe(image, top=1)[0]
    expected = (limits.min + np.rint(cdf * (limits.max - limits.min))).astype(dtype)
    assert_bits(reference.equalize(image, method=method, dtype="same"), expected)
    empty = np.zeros(image.shape, bool)
    assert_bits(reference.equalize(image, method=method, dtype="same", mask=empty), image)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("nbins", [1, 2, 256, 300])
def test_cumulative_distribution_of_floats(dtype, nbins):
    image = plane("normal", dtype, (31, 67))
    result = reference.cumulative_distribution(image, nbins=nbins)
    for one, expected in zip(result, skimage.exposure.cumulative_distribution(image, nbins), strict=True):
        assert_bits(one, expected)
        assert one.dtype == dtype


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("kind", ["uniform", "narrow", "constant", "three levels"])
def test_cumulative_distribution_of_integers(dtype, kind):
    image = plane(kind, dtype, (31, 67))
    cdf, centers = reference.cumulative_distribution(image)
    expected, levels = skimage.exposure.cumulative_distribution(image)
    inside = (centers >= levels[0]) & (centers <= levels[-1])
    assert_bits(cdf[inside], expected)
    np.testing.assert_array_equal(centers[inside], levels)
    assert (cdf[centers < levels[0]] == 0).all()
    assert (cdf[centers > levels[-1]] == 1).all()
    assert (cdf.dtype, centers.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize("dtype", DTYPES["numpy"])
@pytest.mark.parametrize("number_bins", [1, 2, 10, 256, 1000])
def test_the_recipe_and_its_cdf(dtype, number_bins):
    for kind in ("both ends", "constant", "two levels"):
        image = plane(kind, dtype, (13, 21))
        for one, expected in zip(
            reference.image_histogram_equalization(image, number_bins), recipe(image, number_bins), strict=True
        ):
            assert_bits(one, expected)


def test_the_recipe_pools_colors(pictures):
    rgb = pictures["astronaut"][:99, :55]
    for one, expected in zip(reference.image_histogram_equalization(rgb), recipe(rgb), strict=True):
        assert_bits(one, expected)


# ---------------------------------------------------------------- thresholds


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_otsu(kind, dtype):
    for seed, shape in enumerate([(31, 67), (8, 9), (1, 1), (123, 321), (5, 1)]):
        image = plane(kind, dtype, shape, seed)
        threshold, binary = opencv_otsu(image)
        assert int(reference.otsu_threshold(image)) == threshold
        assert_bits(reference.binarize(image), binary)
        as_installed, _ = cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)
        assert threshold == as_installed or is_a_tie(image, threshold, as_installed)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_otsu_with_gaps_and_ties(dtype):
    random = np.random.default_rng(5)
    for _ in range(60 if dtype == "uint8" else 15):
        levels = np.sort(random.choice(np.iinfo(dtype).max, random.integers(2, 5), replace=False))
        image = counted_plane(random.integers(1, 4, len(levels)), levels, dtype)
        assert int(reference.otsu_threshold(image)) == opencv_otsu(image)[0], image


def is_a_tie(image, *thresholds):
    """Whether the variances between the classes that the thresholds make are equal, in whole numbers."""
    variances = set()
    for threshold in thresholds:
        low, high = ([int(v) for v in image[part]] for part in (image <= threshold, image > threshold))
        difference = Fraction(sum(low), len(low)) - Fraction(sum(high), len(high))
        variances.add(len(low) * len(high) * difference**2)
    return len(variances) == 1


@pytest.mark.skipif(opencv_fuses(), reason="this cv2 fuses products and sums, and decides near-ties otherwise")
def test_the_code_for_intel_s_processors_differs_in_ties_alone():
    random = np.random.default_rng(1)
    for _ in range(200):
        step, number = random.integers(1, 10), random.integers(2, 6)
        levels = random.integers(0, 200) + step * np.arange(number)
        image = counted_plane([random.integers(1, 6)] * number, levels)
        threshold, installed = int(reference.otsu_threshold(image)), cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)[0]
        assert threshold == opencv_otsu(image)[0] == cv2.threshold(image.astype(np.uint16), 0, 255, cv2.THRESH_OTSU)[0]
        assert threshold == installed or is_a_tie(image, threshold, installed)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_otsu_with_a_mask(dtype):
    for seed, kind in enumerate(MASKS):
        image = plane("both ends", dtype, (13, 21), seed)
        mask = mask_of(kind, image, seed)
        named = (0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        threshold, _ = cv2.thresholdWithMask(image, image.copy(), mask.astype(np.uint8) * 255, *named)
        assert int(reference.otsu_threshold(image, mask=mask)) == threshold
        if mask.any():
            assert opencv_otsu(image[mask][np.newaxis])[0] == threshold


def test_a_level_of_too_few_pixels_is_passed_over():
    image = single_pixels()
    assert 1 / image.size < 2**-23
    assert int(reference.otsu_threshold(image)) == opencv_otsu(image)[0]


@pytest.mark.parametrize("threshold", [-1e6, -0.5, 0, 1, 99.5, 254.9, 255, 300])
def test_numbers_as_thresholds(threshold):
    image = plane("uniform", np.uint8, (13, 21))
    assert_bits(reference.binarize(image, threshold), cv2.threshold(image, threshold, 255, cv2.THRESH_BINARY)[1])
