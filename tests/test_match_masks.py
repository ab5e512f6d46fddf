"""Matching with masks, of lightness and of nothing: is what is counted as if it were alone, the rest as promised?"""

import numpy as np
import pytest
import reference
from match_tools import DTYPES, FLOATS, INTEGERS, check, matched, matched_planes, nearest
from pixel_tools import assert_bits, opencv_lightness

import cheq
from cheq.parity.pixels import MASKS, plane
from cheq.parity.pixels import mask as mask_of

# ---------------------------------------------------------------- masks


def beside(pixels, matched, others, lowest):
    """What others become: as the largest counted pixel at or below them, or the reference's lowest value."""
    order = np.argsort(pixels, kind="stable")
    entries = np.concatenate([[lowest], matched[order]]).astype(matched.dtype)
    return entries[np.searchsorted(pixels[order], others, side="right")]


@pytest.mark.parametrize("kind", MASKS[1:])
@pytest.mark.parametrize("dtype", DTYPES)
def test_counted_pixels_get_what_they_would_get_alone(dtype, kind):
    for seed, pixels in enumerate(("uniform", "narrow", "three levels", "both ends")):
        image, wanted = plane(pixels, dtype, (13, 21), seed), plane("normal", dtype, (17, 11), seed)
        mask, other = mask_of(kind, image, seed), mask_of("random", wanted, seed)
        expected = matched(image, wanted, mask, other)
        outside = beside(image[mask], expected, image[~mask], wanted[other].min())
        options = {"mask": mask, "reference_mask": other}
        for same in (False, True):
            result = cheq.match_histograms(image, wanted, **options, dtype="same" if same else None)
            assert_bits(result[mask], nearest(expected, dtype) if same else expected)
            assert_bits(result[~mask], nearest(outside, dtype) if same else outside)
            kept = cheq.match_histograms(image, wanted, **options, outside="keep", dtype="same" if same else None)
            assert_bits(kept[mask], result[mask])
            assert_bits(kept[~mask], image[~mask].astype(kept.dtype))
        alone = cheq.match_histograms(image, wanted, reference_mask=other)
        assert_bits(alone, matched(image, wanted, None, other))


@pytest.mark.parametrize("dtype", DTYPES)
def test_masks_of_channels_and_of_batches(dtype):
    images, wanted = plane("both ends", dtype, (2, 13, 21, 3)), plane("normal", dtype, (17, 11, 3))
    mask, other = np.random.default_rng(1).random(images.shape) < 0.4, wanted[..., 0] > np.median(wanted)
    for given in (mask, mask[..., 0], mask[0, ..., 1], mask[:1, :1]):
        whole = given[..., np.newaxis] if given.ndim < 4 else given
        whole = np.broadcast_to(whole, images.shape)
        result = cheq.match_histograms(images, wanted, channel_axis=-1, mask=given, reference_mask=other)
        for at in np.ndindex(2, 3):
            counted, pixels = whole[at[0], ..., at[1]], images[at[0], ..., at[1]]
            expected = matched(pixels, wanted[..., at[1]], counted, other)
            assert_bits(result[at[0], ..., at[1]][counted], expected.astype(dtype))  # cut off toward zero


@pytest.mark.parametrize("dtype", DTYPES)
def test_planes_without_a_counted_pixel(dtype):
    images, wanted = plane("both ends", dtype, (3, 7, 9)), plane("normal", dtype, (5, 5))
    mask = np.ones(images.shape, bool)
    mask[1] = False
    expected = matched_planes(images, wanted)
    for options, unknown in (({}, np.nan), ({"dtype": "same"}, images[1]), ({"channel_axis": 0}, images[1])):
        given = np.broadcast_to(wanted, (3, 5, 5)) if "channel_axis" in options else wanted
        for masked in (mask, mask[:, :1, :1]):
            result = cheq.match_histograms(images, given, mask=masked, **options)
            if options:
                wanted_here = nearest(expected, dtype) if "dtype" in options else expected.astype(dtype)
                assert_bits(result[::2], wanted_here[::2])
                assert_bits(result[1], images[1] if dtype in INTEGERS else np.full_like(images[1], np.nan))
            else:
                assert_bits(result[::2], expected[::2])
                assert_bits(result[1], np.full_like(expected[1], unknown))
    kept = cheq.match_histograms(images, wanted, mask=mask, outside="keep", dtype="same")
    assert_bits(kept[1], images[1])


@pytest.mark.parametrize("dtype", FLOATS)
def test_what_is_not_counted_may_be_nan_or_infinite(dtype):
    image, wanted = plane("normal", dtype, (13, 21)), plane("both ends", dtype, (17, 11))
    mask, other = (np.random.default_rng(3).random(array.shape) < 0.7 for array in (image, wanted))
    expected = matched(image, wanted, mask, other)
    image[~mask] = np.resize([np.nan, np.inf, -np.inf, -np.nan, 9], (~mask).sum())
    wanted[~other] = np.resize([np.nan, np.inf, -np.inf], (~other).sum())
    for options in ({}, {"outside": "keep"}):
        result = cheq.match_histograms(image, wanted, mask=mask, reference_mask=other, **options)
        assert_bits(result[mask], expected)
        assert np.array_equal(np.isnan(result), np.isnan(image))
        if not options:
            assert (result[image == np.inf] == expected.max()).all()
            assert (result[image == -np.inf] == wanted[other].min()).all()
        else:
            assert_bits(result[~mask], image[~mask])


# ---------------------------------------------------------------- lightness


@pytest.mark.parametrize("color", reference.COLORS)
def test_lightness(color):
    images, wanted = plane("both ends", "uint8", (3, 13, 21, 3)), plane("normal", "uint8", (2, 17, 11, 3))
    wanted[1] //= 3

    def expected(image, own):
        """Both by cvtColor, the lightness matched to the nearest level, and back."""
        levels = []
        opencv_lightness(own, color, lambda lightness: levels.append(lightness) or lightness)
        return opencv_lightness(image, color, lambda each: np.rint(matched(each, levels[0])).astype("u1"))

    options = {"color": color, "channel_axis": -1}
    one = np.stack([expected(image, wanted[1]) for image in images])
    check(images, wanted[1], one, **options)
    check(images, wanted[1], one, **options, dtype="same", num_threads=2)
    each = np.stack([expected(*pair) for pair in zip(images, wanted[[0, 1, 1]], strict=True)])
    check(images, wanted[[0, 1, 1]], each, **options)
    planar = [np.ascontiguousarray(np.moveaxis(array, -1, -3)) for array in (images, wanted[1], one)]
    check(*planar, color=color, channel_axis=1)
    alpha = np.concatenate([images, images[..., :1]], axis=-1)
    result = cheq.match_histograms(alpha, wanted[1], **options)
    assert_bits(result, np.concatenate([one, images[..., :1]], axis=-1))
    pooled = expected(images.reshape(39, 21, 3), wanted.reshape(34, 11, 3)).reshape(images.shape)
    check(images, wanted, pooled, **options, axes=(0, 1, 2))


# ---------------------------------------------------------------- nothing


@pytest.mark.parametrize("shape", [(0, 8), (8, 0), (0, 5, 5), (2, 0, 5, 5), (3, 0, 4)])
def test_empty_images(shape):
    for dtype in DTYPES:
        images, wanted = np.zeros(shape, dtype), plane("normal", dtype, (4, 4))
        assert_bits(cheq.match_histograms(images, wanted, axes=(-2, -1), dtype="same"), images)
        floats = images.astype(dtype if dtype in FLOATS else "float64")
        out = np.zeros_like(floats)
        result = cheq.match_histograms(images, wanted, axes=(-2, -1), out=out, mask=np.ones(shape, bool))
        assert result is out
        with pytest.raises(ValueError, match=r"^reference: expected "):
            cheq.match_histograms(wanted, images, axes=(-2, -1))
