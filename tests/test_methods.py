"""Is every answer of every method and dtype the one of the library it is named after? Tolerance 0 and the same dtype.

``opencv`` on uint16 and under masks has no library to ask: there the reference stands for it.
"""

import itertools
import sys

import numpy as np
import pytest
import reference
from lists import CASES, FLOATS, INTEGERS, METHODS, NOT_BOOL, methods_of
from pixel_tools import PEERS, assert_bits, has_peer, of_each_plane, peer, result_dtype, scikit_image

import cheq
from cheq.parity.pixels import KINDS, MASKS, plane
from cheq.parity.pixels import counted as counted_plane
from cheq.parity.pixels import mask as mask_of

EIGHT_BITS = [(method, dtype) for method, dtype in CASES if dtype in ("uint8", "int8")]
all_cases = pytest.mark.parametrize(("method", "dtype"), CASES)


def judged(method, images, counted=None):
    """Plane by plane: the peer's answer, or the reference's where there is no peer."""
    if not has_peer(method, images.dtype.name) or (method == "opencv" and counted is not None):
        return reference.equalize(images, method=method, mask=counted)
    if counted is None:
        return of_each_plane(lambda image: peer(method, image), images)
    planes, masks = (array.reshape(-1, *array.shape[-2:]) for array in (images, counted))
    results = [peer(method, image, mask) for image, mask in zip(planes, masks, strict=True)]
    return np.stack(results).reshape(images.shape)


def same(method, images, what="", *, mask=None, **named):
    """Demand the judged answer for (height, width) planes, with and without ``out``, and unchanged input."""
    before, mask_before = images.copy(), None if mask is None else mask.copy()
    expected = judged(method, images, mask)
    assert_bits(cheq.equalize(images, method=method, mask=mask, **named), expected, what)
    assert expected.dtype == result_dtype(method, images.dtype.name)
    out = np.full_like(expected, 77)
    assert cheq.equalize(images, method=method, mask=mask, out=out, **named) is out
    assert_bits(out, expected, f"with out: {what}")
    np.testing.assert_array_equal(images, before, "images changed", strict=True)
    if mask is not None:
        np.testing.assert_array_equal(mask, mask_before, "mask changed", strict=True)


# ---------------------------------------------------------------- planes


@all_cases
def test_stated_sizes(method, dtype):
    for kind in KINDS:
        same(method, plane(kind, dtype, (123, 321)), kind)
    for kind in ("uniform", "both ends", "narrow"):
        same(method, plane(kind, dtype, (256, 256), 1), kind)


@all_cases
def test_small_sizes_with_many_seeds(method, dtype):
    for kind, seed in itertools.product(KINDS, range(3)):
        height, width = np.random.default_rng(seed).integers(1, 40, 2)
        same(method, plane(kind, dtype, (height, width + (height == width)), seed), f"{kind}, {seed}")


@all_cases
def test_batches_of_small_planes(method, dtype):
    for size in ((8, 8), (28, 28), (1, 1), (3, 65)):
        images = np.stack([plane(kind, dtype, (2, *size), seed) for seed, kind in enumerate(KINDS)])
        for threads in (None, 2):
            same(method, images, num_threads=threads)


@all_cases
def test_many_planes(method, dtype):
    images = plane("both ends", dtype, (300 if np.dtype(dtype).itemsize == 1 else 100, 6, 7))
    for threads in (1, 2):
        same(method, images, num_threads=threads)


@pytest.mark.parametrize(("method", "dtype"), EIGHT_BITS)
def test_8_bits_with_every_kernel(kernel, method, dtype):
    for kind in KINDS:
        for width in (1, 31, 64, 65):
            same(method, plane(kind, dtype, (2, 11, width)))
    same(method, plane("both ends", dtype, (601, 307)), num_threads=2)
    images, mask = plane("uniform", dtype, (5, 31, 67)), plane("uniform", bool, (5, 31, 67))
    same(method, images, mask=mask)
    rgb = plane("both ends", dtype, (40, 33, 3))
    expected = np.moveaxis(judged(method, np.ascontiguousarray(np.moveaxis(rgb, -1, 0))), 0, -1)
    assert_bits(cheq.equalize(rgb, method=method, channel_axis=-1), expected)


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["camera", "coins", "moon", "faces"])
def test_real_pictures(pictures, name, method):
    picture = pictures[name]
    same(method, picture)
    if method in ("skimage", "numpy"):
        for dtype in ("float32", "float64"):
            same(method, (picture[-160:, :130] / 255).astype(dtype))
        same(method, picture[:90].astype(np.uint16) * 16)
        same(method, (picture[:90].astype(np.int16) - 128) * 9)


@pytest.mark.parametrize("method", PEERS)
def test_a_color_picture(pictures, method):
    rgb = pictures["astronaut"][:100, :73]
    expected = np.stack([peer(method, np.ascontiguousarray(rgb[..., c])) for c in range(3)], axis=-1)
    assert_bits(cheq.equalize(rgb, method=method, channel_axis=-1), expected)
    assert_bits(cheq.equalize(rgb.transpose(2, 1, 0), method=method, channel_axis=0), expected.transpose(2, 1, 0))
    if method == "pillow":
        assert_bits(cheq.equalize(rgb, method=method, channel_axis=-1), peer(method, rgb))
    pooled = cheq.equalize(rgb, method=method, axes=(0, 1, 2))
    assert_bits(pooled.reshape(100, -1), peer(method, rgb.reshape(100, -1)))


# ---------------------------------------------------------------- counts where the arithmetic shows


@pytest.mark.parametrize("method", METHODS)
def test_three_levels_with_counts_1_m_km(method):
    for m in (1, 2, 3, 7, 97, 127, 255, 256):
        for k in (1, 2, 3, 10, 31):
            same(method, counted_plane((1, m, k * m), (3, 77, 78)))
            same(method, counted_plane((k * m, 1, m), (0, 128, 255)))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16"])
def test_few_levels_of_other_integers(dtype):
    limits = np.iinfo(dtype)
    middle = int(limits.min) + 100
    for method in methods_of(dtype):
        for counts in ((1, 1), (3, 1), (1, 97), (255, 510)):
            for levels in ((limits.min, limits.max), (middle, middle + 1), (limits.min, limits.min + 1)):
                same(method, counted_plane(counts, levels, dtype))
        for m in (1, 2, 7, 97, 255):
            same(method, counted_plane((1, m, 31 * m), (limits.min, middle, limits.max), dtype))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_a_constant_plane_of_every_kind_of_level(dtype):
    limits = np.iinfo(dtype)
    for level in (limits.min, limits.min + 1, -1 if limits.min else 1, 0, 1, limits.max - 1, limits.max):
        image = np.full((5, 7), level, dtype)
        for method in methods_of(dtype):
            same(method, image)
            if method in reference.LEVELS:
                np.testing.assert_array_equal(cheq.equalize(image, method=method), image)
        assert (cheq.equalize(image, method="skimage") == 1).all()
        assert (cheq.equalize(image, method="numpy") == peer("numpy", image)).all()


def test_pillow_with_a_step_of_0_leaves_the_plane_alone():
    for others in (1, 254):
        image = counted_plane((others, 3), (200, 255))
        same("pillow", image)
        np.testing.assert_array_equal(cheq.equalize(image, method="pillow"), image)
    image = counted_plane((255, 3), (200, 255))
    same("pillow", image)
    assert (cheq.equalize(image, method="pillow") != image).any()
    mixed = np.stack([counted_plane((254, 255), (9, 99)), counted_plane((255, 254), (9, 99))])
    same("pillow", mixed)


def test_pillow_clips_values_above_255():
    image = np.concatenate([np.arange(200).repeat(3)[:508], [209], [212]]).astype(np.uint8)[np.newaxis]
    assert (image.size - 1) // 255 == 1  # the step: more than 255 pixels below the last level give 255 and more
    same("pillow", image)
    for total in range(500, 520):
        same("pillow", np.arange(total).reshape(1, -1).astype(np.uint8) // 2)


# ---------------------------------------------------------------- 16 bits


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("size", [(8, 8), (28, 28), (61, 97)])
def test_small_planes_of_wide_ranges_and_of_narrow_ones(dtype, size):
    limits, random = np.iinfo(dtype), np.random.default_rng(size)
    images = np.stack([
        random.integers(limits.min, limits.max, size, dtype, endpoint=True),
        random.integers(limits.min, limits.min + 4096, size, dtype),
        random.integers(limits.max - 255, limits.max, size, dtype, endpoint=True),
        random.choice(np.array([limits.min, limits.max], dtype), size),
        random.integers(limits.max - 70, limits.max - 67, size, dtype),
        np.clip(np.rint(random.normal(limits.max // 2, 3000, size)), limits.min, limits.max).astype(dtype),
        np.full(size, limits.min + 5, dtype),
    ])  # fmt: skip
    for method in methods_of(dtype):
        for threads in (1, 2):
            same(method, images, num_threads=threads)
            same(method, images[::-1, ::-1], num_threads=threads)  # the levels of a plane must not leak into the next


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_every_level_once(dtype):
    limits = np.iinfo(dtype)
    levels = np.arange(limits.min, limits.max + 1).astype(dtype)
    np.random.default_rng(1).shuffle(levels)
    for method in methods_of(dtype):
        same(method, levels.reshape(128, 512))
        same(method, levels.reshape(8, 64, 128))


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 15, 16])
def test_uint16_of_fewer_bits(bits):
    images = np.random.default_rng(bits).integers(0, 2**bits, (3, 61, 97)).astype(np.uint16)
    images[0] |= 2 ** (bits - 1)
    for method in methods_of("uint16"):
        same(method, images)


def test_opencv_on_uint16_is_not_that_on_uint8():
    image = plane("both ends", np.uint8, (31, 67))
    result = cheq.equalize(image.astype(np.uint16))
    assert result.dtype == np.uint16
    assert result.max() == 65535
    assert_bits(result, reference.equalize(image.astype(np.uint16)))


# ---------------------------------------------------------------- masks


@all_cases
def test_masks(method, dtype):
    for kind, (seed, pixels) in itertools.product(MASKS, enumerate(("uniform", "narrow", "three levels", "both ends"))):
        image = plane(pixels, dtype, (23, 41), seed)
        mask = mask_of(kind, image if dtype != "bool" else image.astype(np.uint8), seed)
        if mask.any():
            same(method, image, f"{kind}, {pixels}", mask=mask)
        else:
            unchanged = method in reference.LEVELS
            expected = image if unchanged else np.full(image.shape, np.nan, result_dtype(method, dtype))
            assert_bits(cheq.equalize(image, method=method, mask=mask), expected, kind)
        naive = reference.equalize(image, method=method, mask=mask)
        assert_bits(cheq.equalize(image, method=method, mask=mask), naive, f"{kind}, {pixels}")


@all_cases
def test_a_batch_of_masks_and_a_mask_for_all(method, dtype):
    images = np.stack([plane("both ends", dtype, (23, 41), seed) for seed in range(len(MASKS))])
    quantiles = images if dtype != "bool" else images.astype(np.uint8)
    masks = np.stack([mask_of(kind, image) for kind, image in zip(MASKS, quantiles, strict=True)])
    for mask in (masks, masks[5], masks[5][:1], masks[:1, :, :1]):
        for threads in (1, 2):
            result = cheq.equalize(images, method=method, mask=mask, num_threads=threads)
            assert_bits(result, reference.equalize(images, method=method, mask=mask))


def test_levels_outside_a_mask_s_range():
    image = np.arange(-100, 100, dtype=np.int8).reshape(10, 20)
    mask = (image >= -50) & (image < 30)
    result = cheq.equalize(image, method="skimage", mask=mask)
    assert (result[image < -50] == 1 / 80).all()
    assert (result[image >= 29] == 1).all()
    assert_bits(result, scikit_image(image, mask))
    assert_bits(cheq.equalize(image, method="numpy", mask=mask), peer("numpy", image, mask))


# ---------------------------------------------------------------- dtype="same"


@pytest.mark.parametrize(("method", "dtype"), NOT_BOOL)
def test_the_same_dtype(method, dtype):
    for kind in KINDS:
        image = plane(kind, dtype, (31, 67))
        result = cheq.equalize(image, method=method, dtype="same")
        assert_bits(result, reference.equalize(image, method=method, dtype="same"), kind)
        assert result.dtype == dtype
        plain = cheq.equalize(image, method=method)
        if result.dtype.kind == "f" or method in reference.LEVELS:
            assert_bits(result, plain.astype(dtype), kind)
        elif method == "skimage":
            limits = np.iinfo(dtype)
            expected = limits.min + np.rint(scikit_image(image) * (limits.max - limits.min))
            assert_bits(result, expected.astype(dtype), kind)
        elif dtype == "uint8":
            np.testing.assert_allclose(result, plain, atol=0.5 + 1e-9)


@pytest.mark.parametrize(("method", "dtype"), NOT_BOOL)
def test_the_same_dtype_in_place_and_under_masks(method, dtype):
    images = np.stack([plane("both ends", dtype, (23, 41), seed) for seed in range(len(MASKS))])
    masks = np.stack([mask_of(kind, image) for kind, image in zip(MASKS, images, strict=True)])
    expected = reference.equalize(images, method=method, dtype="same", mask=masks)
    if dtype in INTEGERS:
        assert_bits(expected[0], images[0])  # nothing is counted
    out = images.copy()
    assert cheq.equalize(out, method=method, dtype="same", mask=masks, out=out) is out
    assert_bits(out, expected)


# ---------------------------------------------------------------- axes, layouts, byte order, empty arrays


SHAPES_AND_AXES = [
    ((3, 9, 14), {}),
    ((2, 1, 3, 9, 14), {}),
    ((9, 14, 3), {"channel_axis": -1}),
    ((2, 9, 14, 3), {"channel_axis": -1}),
    ((2, 3, 9, 14), {"channel_axis": 1}),
    ((3, 9, 14), {"channel_axis": 0}),
    ((2, 5, 6, 7), {"axes": (-3, -2, -1)}),
    ((5, 6, 7, 2), {"axes": (0, 1, 2), "channel_axis": -1}),
    ((5, 6, 7), {"axes": (2, 0)}),
    ((40,), {"axes": 0}),
    ((3, 40), {"axes": 1}),
    ((5, 7, 3), {"axes": (0, 1, 2)}),
]  # fmt: skip


@all_cases
def test_shapes_and_axes(method, dtype):
    for shape, where in SHAPES_AND_AXES:
        images = plane("both ends", dtype, shape if len(shape) > 1 else (1, *shape)).reshape(shape)
        mask = plane("uniform", bool, shape if len(shape) > 1 else (1, *shape), 1).reshape(shape)
        for named in ({}, {"mask": mask}, {"num_threads": 2}):
            result = cheq.equalize(images, method=method, **where, **named)
            named.pop("num_threads", None)
            naive = reference.equalize(images, method=method, **where, **named)
            assert_bits(result, naive, f"{shape}, {where}, {[*named]}")


@pytest.mark.parametrize(("method", "dtype"), [case for case in CASES if np.dtype(case[1]).itemsize > 1])
def test_another_byte_order(method, dtype):
    images = plane("both ends", dtype, (5, 11, 17))
    swapped = images.astype(images.dtype.newbyteorder())
    kept = swapped.tobytes()
    expected = reference.equalize(images, method=method)
    assert_bits(cheq.equalize(swapped, method=method), expected)
    assert_bits(
        cheq.equalize(swapped[:, ::-1, ::2], method=method), reference.equalize(images[:, ::-1, ::2], method=method)
    )
    out = np.empty(images.shape, expected.dtype)
    assert cheq.equalize(swapped, method=method, out=out) is out
    assert_bits(out, expected)
    assert swapped.tobytes() == kept


def by_name(array):
    """The same array, whose dtype names the machine's byte order, as those of zarr 3 do; to NumPy they are equal."""
    named = array.view(array.dtype.newbyteorder("<" if sys.byteorder == "little" else ">"))
    assert memoryview(named).format[0] in "<>"
    return named


@pytest.mark.parametrize("dtype", [name for name in (*INTEGERS, *FLOATS) if np.dtype(name).itemsize > 1])
def test_the_byte_order_of_the_machine_by_name(dtype):
    images = plane("both ends", dtype, (2, 11, 16))
    if dtype.startswith("float"):
        images = np.clip(images, -1, 1)
    calls = [lambda x, m=m, d=d: cheq.equalize(x, method=m, dtype=d) for m in methods_of(dtype) for d in (None, "same")]
    calls += [lambda x: cheq.match_histograms(x, x, dtype="same"), lambda x: cheq.clahe(x, method="skimage")]
    calls.append(lambda x: cheq.cumulative_distribution(x)[0])
    if dtype in INTEGERS:
        lut = cheq.equalization_lut(cheq.histogram(images), method="numpy", images_dtype=dtype, dtype="same")
        calls += [cheq.histogram, lambda x: cheq.apply_lut(x, lut), lambda x: cheq.apply_lut(x, by_name(lut))]
    if dtype == "uint16":
        calls += [cheq.clahe, cheq.binarize, lambda x: cheq.rgb_to_gray(x[[0, 1, 0]], channel_axis=0)]
        calls.append(lambda x: cheq.clahe(x[[0, 1, 0]], channel_axis=0, color="yuv"))
    for call in calls:
        expected, result = call(images), call(by_name(images))
        assert_bits(result, expected)
        assert memoryview(result).format[0] not in "<>"
    out = by_name(np.zeros_like(images))
    assert cheq.match_histograms(images, images, dtype="same", out=out) is out
    np.testing.assert_array_equal(out, images)


@all_cases
def test_empty_arrays(method, dtype):
    for shape in ((0, 7), (7, 0), (0, 5, 7), (3, 0, 7), (0, 0)):
        empty = np.empty(shape, dtype)
        for same_dtype in (None, "same") if dtype != "bool" else (None,):
            result = cheq.equalize(empty, method=method, dtype=same_dtype)
            assert_bits(result, np.empty(shape, result_dtype(method, dtype, bool(same_dtype))))
        masked = cheq.equalize(empty, method=method, mask=np.ones(shape, bool))
        assert_bits(masked, cheq.equalize(empty, method=method))
