"""Histograms instead of pixels: matching_lut, sums over a data set, and weights, there and in equalization_lut."""

from functools import partial

import numpy as np
import pytest
import reference
import skimage.exposure
from marks import exhaustive
from match_tools import INTEGERS, matched, nearest
from pixel_tools import assert_bits, refuses

import cheq
from cheq.parity.pixels import KINDS, plane


def luts(hist, wanted, dtype):
    """Both kinds of LUTs for images of a dtype."""
    for same in (None, "same"):
        yield same, cheq.matching_lut(hist, wanted, images_dtype=dtype, dtype=same)


@pytest.mark.parametrize("kind", [*KINDS[::4], *exhaustive(*(kind for kind in KINDS if kind not in KINDS[::4]))])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_by_hand_it_is_the_whole(dtype, kind):
    images, wanted = plane(kind, dtype, (3, 17, 21)), plane(KINDS[-1 - KINDS.index(kind)], dtype, (13, 30), 1)
    hist, other = cheq.histogram(images), cheq.histogram(wanted)
    expected = np.stack([matched(image, wanted) for image in images])
    for given in (other, other[np.newaxis], np.stack([other] * 3)):
        for same, lut in luts(hist, given, dtype):
            assert_bits(cheq.apply_lut(images, lut), nearest(expected, dtype) if same else expected)
            assert_bits(lut, reference.matching_lut(hist, given, images_dtype=dtype, dtype=same))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_sums_of_histograms_are_pooled_pixels(dtype):
    """The sum stands for the average too: shares are the same."""
    sets = [
        [plane(kind, dtype, (n, 11, 13), n) for n, kind in enumerate(kinds, 1)] for kinds in (KINDS[:5], KINDS[5:9])
    ]
    images, wanted = (sum(cheq.histogram(part, axes=(0, 1, 2)) for part in parts) for parts in sets)
    pooled = [np.concatenate(parts) for parts in sets]
    expected = matched(*pooled)
    for same, lut in luts(images, wanted, dtype):
        assert_bits(cheq.apply_lut(pooled[0], lut), nearest(expected, dtype) if same else expected)
    for more in (7, 1 << 40):  # shares are the same
        lut = cheq.matching_lut(images * more, wanted * (more + 1), images_dtype=dtype)
        assert_bits(cheq.apply_lut(pooled[0], lut), expected)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_an_empty_histogram_changes_nothing(dtype):
    levels = np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1)
    hist = np.zeros((2, len(levels)), np.int64)
    hist[1, 7:99] = 5
    for same, lut in luts(hist, hist[1], dtype):
        assert_bits(lut[0], levels.astype(dtype if same else np.float64))
        assert_bits(lut, reference.matching_lut(hist, hist[1], images_dtype=dtype, dtype=same))
    assert cheq.matching_lut(hist[:0], hist[1], images_dtype=dtype).shape == (0, len(levels))


TARGETS = {
    "uniform": lambda x: np.ones_like(x),
    "normal": lambda x: np.exp(-(((x - 0.4) / 0.15) ** 2) / 2),
    "exponential": lambda x: np.exp(-9 * x),
    "Rayleigh": lambda x: x * np.exp(-20 * x * x),
    "a curve with gaps": lambda x: np.interp(x, [0.1, 0.2, 0.5, 0.9], [0, 1, 0, 0.3]) * (x < 0.4),
    "one level": lambda x: (x == x[99]) * 0.3,
    "what sums do not feel": lambda x: np.where(x == x[5], 1.0, 1e-300 * (x > x[40])),
    "denormal": lambda x: np.arange(len(x)) % 3 * 5e-324,
    "huge": lambda x: np.full_like(x, np.finfo(float).max / len(x) / 2) * x,
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["int8", "uint16", *exhaustive("uint8", "int16")])
def test_any_target_distribution(dtype, target):
    images = plane("both ends", dtype, (2, 30, 41))
    hist = cheq.histogram(images)
    weights = TARGETS[target](np.linspace(0, 1, hist.shape[-1]))
    for same, lut in luts(hist, weights, dtype):
        assert_bits(lut, reference.matching_lut(hist, weights, images_dtype=dtype, dtype=same))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_weights_are_counts(dtype):
    images, wanted = plane("both ends", dtype, (30, 41)), plane("dark", dtype, (23, 29))
    hist, other = cheq.histogram(images), cheq.histogram(wanted)
    expected = matched(images, wanted)
    for kind in ("f2", "f4", "f8", ">f8", "u8", "i4"):
        for weights in (other.astype(kind), np.stack([other] * 2, -1).astype(kind)[:, 0]):
            lut = cheq.matching_lut(hist, weights, images_dtype=dtype)
            assert_bits(cheq.apply_lut(images, lut), expected)
    each_once = np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1).astype(dtype)[np.newaxis]
    lut = cheq.matching_lut(hist, np.ones(other.shape), images_dtype=dtype)
    assert_bits(cheq.apply_lut(images, lut), matched(images, each_once))


# ---------------------------------------------------------------- equalization_lut


@pytest.mark.parametrize("dtype", ["uint8", "int16", *exhaustive("int8", "uint16")])
@pytest.mark.parametrize("method", ["skimage", "numpy"])
def test_equalization_by_weights(method, dtype):
    images = plane("both ends", dtype, (3, 30, 41))
    hist = cheq.histogram(images)
    for same in (None, "same"):
        options = {"method": method, "images_dtype": dtype, "dtype": same}
        for kind in ("f2", "f4", "f8", ">f8"):
            lut = cheq.equalization_lut(hist.astype(kind), **options)
            assert_bits(lut, reference.equalization_lut(hist, **options))
        for weights in (hist**0.5, hist**0.3, np.minimum(hist, 3.5), np.log1p(hist), hist * 1e-310):
            assert_bits(cheq.equalization_lut(weights, **options), reference.equalization_lut(weights, **options))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_equalization_by_whole_weights_is_that_of_the_pixels(dtype):
    image = plane("both ends", dtype, (30, 41))
    lut = cheq.equalization_lut(cheq.histogram(image) * 1.0, method="skimage", images_dtype=dtype)
    assert_bits(cheq.apply_lut(image, lut), skimage.exposure.equalize_hist(image))


# ---------------------------------------------------------------- refusals

ONE = np.ones(256, np.int64)


def test_weights_that_are_none():
    wrong = {"nan": np.nan, "inf": np.inf, "-1.0": -1.0}
    for told, value in wrong.items():
        weights = np.ones((2, 256))
        weights[1, 9] = value
        message = f"expected finite weights of 0 or more, got {told}"
        refuses(ValueError, partial(cheq.matching_lut, ONE, weights[1]), f"reference_histogram: {message}")
        for method in ("skimage", "numpy"):
            refuses(ValueError, partial(cheq.equalization_lut, weights, method=method), f"histogram: {message}")
    for weights, total in ((ONE * 0.0, "0.0"), (ONE * 1e308, "inf")):
        message = f"expected weights with a finite total above 0, got a total of {total}"
        refuses(ValueError, partial(cheq.matching_lut, ONE, weights), f"reference_histogram: {message}")
        refuses(ValueError, partial(cheq.equalization_lut, weights, method="skimage"), f"histogram: {message}")
    for method in ("opencv", "pillow"):
        refuses(
            TypeError, partial(cheq.equalization_lut, ONE * 1.0, method=method), "histogram: expected integer counts"
        )


def test_histograms_of_other_kinds_and_shapes():
    for wrong in (ONE * 1.0, ONE > 0, ONE * 1j, ONE.astype(object), ONE.astype("m8[s]")):
        refuses(TypeError, partial(cheq.matching_lut, wrong, ONE), "histogram: expected integer counts, got dtype")
        if wrong.dtype.kind != "f":
            message = "reference_histogram: expected integer counts or float weights, got dtype"
            refuses(TypeError, partial(cheq.matching_lut, ONE, wrong), message)
    for shape in ((), (0,), (255,), (3, 512), (256, 3)):
        refuses(
            ValueError, partial(cheq.matching_lut, np.ones(shape, int), ONE), "histogram: expected a last axis of 256"
        )
        refuses(
            ValueError, partial(cheq.matching_lut, ONE, np.ones(shape)), "reference_histogram: expected a last axis"
        )
    cases = {
        "reference_histogram: expected 256 bins as histogram has, got shape (65536,)": (ONE, np.ones(65536)),
        "reference_histogram: expected a batch shape that broadcasts to (), got (2,)": (ONE, np.ones((2, 256))),
        "reference_histogram: expected a batch shape that broadcasts to (3,), got (2,)": (
            np.ones((3, 256), int), np.ones((2, 256))),
        "reference_histogram: expected a count above 0 in every histogram": (ONE, ONE * 0),
        "reference_histogram: expected counts of 0 or more, got -1": (ONE, -ONE),
        "histogram: expected counts of 0 or more, got -1": (-ONE, ONE),
        "reference_histogram: expected a total of at most": (ONE, ONE << 60),
        "histogram: expected a total of at most": (ONE << 60, ONE),
    }  # fmt: skip
    for message, arguments in cases.items():
        refuses(ValueError, partial(cheq.matching_lut, *arguments), message)
    refuses(ValueError, partial(cheq.matching_lut, ONE, ONE, dtype="float32"), "dtype: expected None, 'same' or")
    refuses((TypeError, ValueError), partial(cheq.matching_lut, ONE, ONE, images_dtype="uint16"), "256")
