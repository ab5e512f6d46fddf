"""Do pixels outside the mask keep their value with ``outside="keep"``, whatever the method, dtype, layout and path?

Layouts are crossed in test_every_layout.py, bytes are held in golden.txt; here are the sizes and cases of their own.
"""

import itertools

import numpy as np
import pytest
import reference
from lists import CASES, INTEGERS, SPACES
from marks import exhaustive
from pixel_tools import assert_bits

import cheq
from cheq.parity.pixels import MASKS, plane
from cheq.parity.pixels import mask as mask_of

LARGE = exhaustive((2, 1500, 1501), (1, 2200, 2100))

all_cases = pytest.mark.parametrize(("method", "dtype"), CASES)


def kept(images, mask, out=None, num_threads=None, **options):
    """Demand the naive version's answer, and before all that what is outside the mask is what it was."""
    before, mask_before = np.array(images), np.array(mask)
    result = cheq.equalize(images, mask=mask, outside="keep", out=out, num_threads=num_threads, **options)
    assert out is None or result is out
    expected = reference.equalize(before, mask=mask_before, outside="keep", **options)
    channel = options.get("channel_axis")
    wide = np.expand_dims(mask_before, channel) if channel is not None and np.ndim(mask) < before.ndim else mask_before
    outside = ~np.broadcast_to(wide, before.shape)
    assert_bits(np.asarray(result)[outside], before[outside].astype(expected.dtype))
    assert_bits(np.asarray(result), expected)


@pytest.mark.parametrize("kind", MASKS)
@all_cases
def test_masks(method, dtype, kind):
    image = plane("both ends", dtype, (23, 41), 1)
    mask = mask_of(kind, image if dtype != "bool" else image.astype(np.uint8), 1)
    kept(image, mask, method=method)
    kept(image[:, ::-2], mask[:, ::-2], method=method)


@all_cases
def test_planes_without_a_counted_pixel(method, dtype):
    images = np.stack([plane("both ends", dtype, (9, 30), seed) for seed in range(3)])
    mask = np.zeros(images.shape, bool)
    mask[1, 2:5] = True
    kept(images, mask, method=method)
    assert_bits(
        cheq.equalize(images[0], method=method, mask=mask[0], outside="keep").astype(np.float64),
        images[0].astype(np.float64),
    )


@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (2, 5, 1023), (400, 1025), *LARGE])
@pytest.mark.parametrize(("method", "dtype"), [("opencv", "uint8"), ("opencv", "uint16"), ("skimage", "float32")])
def test_sizes_and_threads(method, dtype, shape):
    images = plane("both ends", dtype, shape, 3)
    mask = np.random.default_rng(4).random(shape) < 0.5
    for threads in (1, 3):
        kept(images, mask, num_threads=threads, method=method)
        kept(images, mask, np.zeros_like(images), threads, method=method)
        kept(images.copy(), mask[..., :1], num_threads=threads, method=method)


def test_every_length_with_every_kernel(kernel):
    for length, channels in itertools.product((*range(1, 40), 63, 64, 65, 1023, 1024, 1025, 2049), (1, 3, 4)):
        images = plane("both ends", "uint8", (2, length, channels), length)
        mask = np.random.default_rng(length).random((2, length)) < 0.7
        kept(images, mask, channel_axis=-1)
        kept(images, np.random.default_rng(1).random(images.shape) < 0.4, channel_axis=-1)
        if channels > 1:
            kept(images, mask, channel_axis=-1, color=SPACES[length % len(SPACES)])


@pytest.mark.parametrize(("method", "dtype"), [("opencv", "uint8"), ("opencv", "uint16"), ("numpy", "float64")])
def test_in_place_and_in_memory_that_overlaps(method, dtype):
    for move in (slice(None), slice(None, None, -1)):
        images = plane("both ends", dtype, (5, 40, 41), 2)
        mask = images > np.median(images)
        before = images.copy()
        out = images[:, move]
        assert cheq.equalize(images, method=method, mask=mask, outside="keep", out=out) is out
        assert_bits(np.array(out), reference.equalize(before, method=method, mask=mask, outside="keep"))


def test_the_mask_in_the_memory_of_out():
    images = plane("both ends", "uint8", (4, 9, 30))
    out = (np.random.default_rng(2).random(images.shape) < 0.5).astype(np.uint8)
    expected = reference.equalize(images, mask=out.astype(bool), outside="keep")
    cheq.equalize(images, mask=out.view(bool), outside="keep", out=out)
    assert_bits(out, expected)


def test_any_byte_but_zero_selects():
    image = plane("both ends", "uint8", (40, 41))
    for dtype in ("uint8", "int16", "uint16", "float32"):
        method = "skimage" if dtype in ("int16", "float32") else "opencv"
        mask = np.where(image > 99, 255, 0).astype(np.uint8).view(bool)
        result = cheq.equalize(image.astype(dtype), method=method, mask=mask, outside="keep")
        assert_bits(result, reference.equalize(image.astype(dtype), method=method, mask=image > 99, outside="keep"))


def test_values_that_are_not_finite():
    images = plane("both ends", "float32", (23, 41))
    mask = images > np.median(images)
    images[~mask] = np.resize(np.array([np.nan, np.inf, -np.inf, 3], np.float32), (~mask).sum())
    kept(images, mask, method="skimage")
    images[3, :7] = np.nan
    kept(images, mask, method="numpy", nan_policy="omit", dtype="same")
    nothing = np.isnan(images)
    kept(images, nothing, method="numpy", nan_policy="omit")


@pytest.mark.parametrize(
    ("dtype", "quiet", "signaling"),
    [(np.float32, 0xFFC12345, 0x7FA00001), (np.float64, 0xFFF8123456789ABC, 0x7FF4000000000001)],
)
def test_nan_keeps_its_bits(dtype, quiet, signaling):
    images = np.random.default_rng(0).random((2, 9, 70)).astype(dtype)
    mask = images < 0.6
    bits = images.view(f"u{images.itemsize}")
    bits[~mask] = np.resize(np.array([quiet, signaling], bits.dtype), (~mask).sum())
    found = cheq.equalize(images, method="skimage", mask=mask, outside="keep")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.view(bits.dtype)[~mask], bits[~mask])


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", reference.LEVELS)
def test_colors_keep_all_channels(method, space):
    images = plane("both ends", "uint8", (2, 31, 33, 4), 5)
    mask = images[..., 1] > 99
    mask[1] = False
    for channels in (3, 4):
        kept(images[..., :channels], mask, method=method, color=space, channel_axis=-1)
        kept(np.moveaxis(images[..., :channels], -1, 1), mask, method=method, color=space, channel_axis=1)
    kept(images[..., ::-1], mask, method=method, color=space, channel_axis=-1)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("lut_dtype", ["uint8", "int8", "uint16", "int16", "float32", "float64"])
def test_apply_lut(dtype, lut_dtype):
    images = plane("both ends", dtype, (3, 23, 41), 1)
    mask = np.random.default_rng(1).random((23, 41)) < 0.5
    luts = np.random.default_rng(2).integers(0, 120, (3, 1 << 8 * images.itemsize)).astype(lut_dtype)
    if not np.can_cast(dtype, lut_dtype):
        with pytest.raises(
            TypeError, match=rf"lut: expected a dtype that holds all levels of {dtype}.*got {lut_dtype}"
        ):
            cheq.apply_lut(images, luts, mask=mask, outside="keep")
        return
    for lut in (luts, luts[0]):
        for where in (images, images[:, ::-1]):
            result = cheq.apply_lut(where, lut, mask=mask, outside="keep")
            assert_bits(result, reference.apply_lut(where, lut, mask=mask, outside="keep"))
            assert_bits(result[:, ~mask], where[:, ~mask].astype(lut_dtype))


@pytest.mark.parametrize(("method", "dtype"), [case for case in CASES if case[1] in INTEGERS])
def test_the_steps_are_the_whole(method, dtype):
    images = plane("both ends", dtype, (3, 23, 41), 1)
    mask = images > np.median(images)
    lut = cheq.equalization_lut(cheq.histogram(images, mask=mask), method=method, images_dtype=dtype)
    whole = cheq.equalize(images, method=method, mask=mask, outside="keep")
    assert_bits(cheq.apply_lut(images, lut, mask=mask, outside="keep"), whole)


def test_what_has_no_effect_or_no_meaning_is_refused():
    image, mask, lut = np.zeros((5, 6), np.uint8), np.ones((5, 6), bool), np.zeros(256, np.uint8)
    for call in (cheq.equalize, lambda images, **options: cheq.apply_lut(images, lut, **options)):
        with pytest.raises(ValueError, match="outside: expected 'lut' without a mask, got 'keep'"):
            call(image, outside="keep")
        for wrong in ("same", None, True, b"keep"):
            with pytest.raises(ValueError, match="outside: expected one of 'lut', 'keep'; got "):
                call(image, mask=mask, outside=wrong)
    with pytest.raises(ValueError, match="mask: expected None with outside='lut', which replaces all pixels"):
        cheq.apply_lut(image, lut, mask=mask)
