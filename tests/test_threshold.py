"""Are otsu_threshold and binarize those of cv2.threshold? Every byte, each plane on its own.

Otsu's threshold is OpenCV's own code's: Intel's, which x86 wheels use for uint8, may take another of equal ones
(``test_references.py`` proves that it differs in ties alone).
"""

import cv2
import numpy as np
import pytest
import reference
from pixel_tools import assert_bits, opencv_fuses, opencv_otsu, refuses

import cheq
from cheq.parity.pixels import KINDS, MASKS, plane, single_pixels
from cheq.parity.pixels import counted as counted_plane
from cheq.parity.pixels import mask as mask_of

each_dtype = pytest.mark.parametrize("dtype", ["uint8", "uint16"])


def judged(images):
    """(thresholds, binary images) of (height, width) planes."""
    results = [opencv_otsu(np.ascontiguousarray(image)) for image in images.reshape(-1, *images.shape[-2:])]
    thresholds = np.array([threshold for threshold, _ in results]).reshape(images.shape[:-2])
    return thresholds.astype(images.dtype), np.stack([binary for _, binary in results]).reshape(images.shape)


def same(images, **named):
    before = images.copy()
    thresholds, binary = judged(images)
    result = cheq.otsu_threshold(images, **named)
    assert_bits(result, thresholds)
    assert_bits(cheq.binarize(images, **named), binary)
    assert_bits(cheq.binarize(images, thresholds, **named), binary)
    out = np.full_like(binary, 77)
    assert cheq.binarize(images, "otsu", out=out, **named) is out
    assert_bits(out, binary)
    assert_bits(images, before)


# ---------------------------------------------------------------- Otsu


@pytest.mark.parametrize("kind", KINDS)
@each_dtype
def test_otsu_on_planes_of_every_kind(dtype, kind):
    for seed, shape in enumerate([(123, 321), (31, 67), (8, 9), (1, 1), (5, 1)]):
        same(plane(kind, dtype, shape, seed))


@pytest.mark.parametrize("name", ["camera", "coins", "moon", "faces"])
def test_otsu_on_real_pictures(pictures, name):
    same(pictures[name])
    same(pictures[name][..., :90].astype(np.uint16) * 16)


@each_dtype
@pytest.mark.skipif(opencv_fuses(), reason="this cv2 fuses products and sums, and decides near-ties otherwise")
def test_gaps_and_ties(dtype):
    random = np.random.default_rng(5)
    top = np.iinfo(dtype).max
    for _ in range(300 if dtype == "uint8" else 60):
        number = random.integers(2, 6)
        levels = random.choice(top + 1, number, replace=False)
        same(counted_plane(random.integers(1, 6, number), levels, dtype))
        step = random.integers(1, 10)
        levels = random.integers(0, top - 60) + step * np.arange(number)
        same(counted_plane([random.integers(1, 6)] * number, levels, dtype))


@each_dtype
def test_two_values(dtype):
    top = np.iinfo(dtype).max
    for low, high in ((10, 20), (0, 1), (0, top), (top - 1, top), (77, 78)):
        for counts in ((1, 1), (1, 97), (97, 1), (5, 5)):
            image = counted_plane(counts, (low, high), dtype)
            same(image)
            assert int(cheq.otsu_threshold(image)) == low
            assert set(cheq.binarize(image).ravel().tolist()) == {0, top}


@each_dtype
def test_constant_planes(dtype):
    for level in (0, 1, 77, np.iinfo(dtype).max):
        image = np.full((5, 7), level, dtype)
        same(image)
        assert int(cheq.otsu_threshold(image)) == 0


def test_a_level_of_too_few_pixels_is_passed_over():
    same(single_pixels(), num_threads=2)


@each_dtype
def test_batches(dtype):
    images = np.stack([plane(kind, dtype, (3, 13, 21)) for kind in KINDS])
    for threads in (None, 1, 2):
        same(images, num_threads=threads)
    same(images[::-1, :, ::2])
    many = plane("both ends", dtype, (40, 6, 7))
    same(many)


@pytest.mark.parametrize(("shape", "where", "batch"), [
    ((13, 21), {}, ()),
    ((4, 13, 21), {}, (4,)),
    ((13, 21, 3), {"channel_axis": -1}, (3,)),
    ((4, 13, 21, 3), {"channel_axis": -1}, (4, 3)),
    ((4, 3, 13, 21), {"channel_axis": 1}, (4, 3)),
    ((2, 5, 6, 7), {"axes": (-3, -2, -1)}, (2,)),
    ((5, 6, 7), {"axes": (2, 0)}, (6,)),
    ((40,), {"axes": 0}, ()),
    ((0, 5, 6), {}, (0,)),
])  # fmt: skip
@each_dtype
def test_shapes_and_axes(dtype, shape, where, batch):
    images = plane("narrow", dtype, (1, *shape))[0]
    thresholds = cheq.otsu_threshold(images, **where)
    assert np.shape(thresholds) == batch
    assert_bits(thresholds, reference.otsu_threshold(images, **where))
    expected = reference.binarize(images, **where)
    assert_bits(cheq.binarize(images, **where), expected)
    assert_bits(cheq.binarize(images, thresholds, **where), expected)


@pytest.mark.parametrize("kind", MASKS)
@each_dtype
def test_a_mask_limits_the_statistics_alone(dtype, kind):
    for seed, pixels in enumerate(("uniform", "three levels", "both ends")):
        image = plane(pixels, dtype, (23, 41), seed)
        mask = mask_of(kind, image, seed)
        threshold = cheq.otsu_threshold(image, mask=mask)
        assert_bits(threshold, reference.otsu_threshold(image, mask=mask))
        if mask.any():
            assert int(threshold) == opencv_otsu(image[mask][np.newaxis])[0]
        with_mask, _ = cv2.thresholdWithMask(image, image.copy(), mask.astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
        assert int(threshold) == with_mask
        expected = np.where(image > threshold, np.iinfo(dtype).max, 0).astype(dtype)
        assert_bits(cheq.binarize(image, mask=mask), expected)


@each_dtype
def test_masks_of_a_batch_and_of_channels(dtype):
    images = plane("narrow", dtype, (4, 13, 21, 3))
    mask = plane("uniform", bool, (4, 13, 21))
    for one in (mask, mask[0], mask[..., np.newaxis]):
        named = {"channel_axis": -1, "mask": one}
        assert_bits(cheq.otsu_threshold(images, **named), reference.otsu_threshold(images, **named))
        assert_bits(cheq.binarize(images, **named), reference.binarize(images, **named))


# ---------------------------------------------------------------- numbers as thresholds


@pytest.mark.parametrize("threshold", [
    -1e300, -1e6, -257, -1, -0.5, -0.0, 0, 0.5, 1, 99, 99.5, 100.0, 254, 254.5, 255, 255.5, 256, 4000.25, 65534.9,
    65535, 65536, 1e6, 1e300, np.uint8(100), np.float32(99.7), np.int64(-3), np.array(55), np.inf, -np.inf,
])  # fmt: skip
@each_dtype
def test_a_number(dtype, threshold):
    image = plane("uniform", dtype, (23, 41))
    image[0, :6] = 0, 1, 99, 100, 254, 255
    top = np.iinfo(dtype).max
    expected = np.where(image.astype(float) > float(threshold), top, 0).astype(dtype)
    assert_bits(cheq.binarize(image, threshold), expected)
    assert_bits(cheq.binarize(np.stack([image, image // 2]), threshold)[0], expected)
    if abs(float(threshold)) < 2**30:  # cv2 converts larger ones to int, which overflows
        assert_bits(cv2.threshold(image, float(threshold), top, cv2.THRESH_BINARY)[1], expected)


@each_dtype
def test_one_threshold_a_plane(dtype):
    images = plane("uniform", dtype, (6, 2, 23, 41))
    top = np.iinfo(dtype).max
    for thresholds in (
        np.random.default_rng(1).integers(0, top, (6, 2)),
        np.random.default_rng(1).integers(0, top, (6, 2)).astype(dtype),
        np.random.default_rng(1).uniform(-5, top + 5, (6, 2)),
        np.random.default_rng(1).uniform(-5, top + 5, (6, 2)).astype(np.float32),
        [[-1, top + 1], [0, 0.5], [99, 99.5], [top, top - 1], [top - 0.5, 3], [-0.5, 7]],
    ):
        expected = np.where(images > np.array(thresholds)[..., np.newaxis, np.newaxis], top, 0).astype(dtype)
        assert_bits(cheq.binarize(images, thresholds), expected)
        assert_bits(cheq.binarize(images, thresholds), reference.binarize(images, thresholds))
        last = np.moveaxis(images, 1, -1)
        assert_bits(cheq.binarize(last, thresholds, channel_axis=-1), np.moveaxis(expected, 1, -1))


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("shape", [(0, 7), (7, 0), (0, 5, 7), (3, 0, 7)])
@each_dtype
def test_empty_arrays(dtype, shape):
    empty = np.empty(shape, dtype)
    assert_bits(cheq.binarize(empty), empty)
    assert_bits(cheq.binarize(empty, 99), empty)
    assert_bits(cheq.otsu_threshold(empty), np.zeros(shape[:-2], dtype))


@pytest.mark.parametrize("threads", [1, 2])
@each_dtype
def test_one_large_plane(dtype, threads):
    same(plane("both ends", dtype, (901, 777)), num_threads=threads)


def test_8_bits_with_every_kernel(kernel):
    same(plane("both ends", "uint8", (7, 31, 67)))
    rgb = plane("both ends", "uint8", (31, 67, 3))
    assert_bits(cheq.binarize(rgb, channel_axis=-1), reference.binarize(rgb, channel_axis=-1))
    assert_bits(cheq.binarize(rgb, 99, channel_axis=-1), reference.binarize(rgb, 99, channel_axis=-1))


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "int16", "int32", "uint32", "int64", "float16", "float32", "float64"]
)
def test_other_dtypes(dtype):
    images = np.ones((5, 7), dtype)
    for call in (cheq.otsu_threshold, cheq.binarize, lambda images: cheq.binarize(images, 3)):
        refuses(TypeError, lambda: call(images), "images", dtype, "uint8", "uint16")  # noqa: B023


def test_other_thresholds():
    images, out = plane("both ends", "uint8", (4, 5, 7)), np.full((4, 5, 7), 77, np.uint8)
    for threshold in ("Otsu", "", "triangle", "99"):
        refuses(ValueError, lambda: cheq.binarize(images, threshold, out=out), "threshold", "'otsu'")  # noqa: B023
    for threshold in (None, b"otsu", 2j, [None] * 4, ["1"] * 4, np.zeros(4, "M8[s]"), {}):
        with pytest.raises((TypeError, ValueError), match="threshold"):
            cheq.binarize(images, threshold, out=out)
    for threshold in ([1, 2, 3], [1] * 5, [[1, 2, 3, 4]], np.ones((4, 5, 7)), np.ones((4, 1, 1)), []):
        refuses(ValueError, lambda: cheq.binarize(images, threshold, out=out), "threshold", "(4,)")  # noqa: B023
    for threshold in (np.nan, [1, 2, np.nan, 3]):
        refuses(ValueError, lambda: cheq.binarize(images, threshold, out=out), "threshold")  # noqa: B023
    assert (out == 77).all()


def test_other_outs():
    images = plane("both ends", "uint8", (4, 5, 7))
    for out, error in ((np.zeros((4, 5, 7), np.uint16), TypeError), (np.zeros((4, 5, 6), np.uint8), ValueError),
                       (np.zeros((4, 5, 7), bool), TypeError), ([1], TypeError)):  # fmt: skip
        refuses(error, lambda: cheq.binarize(images, out=out), "out")  # noqa: B023
