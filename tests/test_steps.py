"""The three steps of equalize, each a public function: histogram, equalization_lut, apply_lut."""

from fractions import Fraction

import numpy as np
import pytest
import reference
from conftest import LAYOUTS
from lists import methods_of

import cheq

IDENTITY = np.arange(256, dtype=np.uint8)


def random_pixels(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 256, shape, np.uint8)


# ---------------------------------------------------------------- histogram


@pytest.mark.parametrize(("shape", "where", "batch"), [
    ((6, 9), {}, ()),
    ((4, 6, 9), {}, (4,)),
    ((1800, 1, 6, 5), {}, (1800, 1)),
    ((4, 6, 9, 3), {"channel_axis": -1}, (4, 3)),
    ((4, 3, 6, 9), {"channel_axis": 1}, (4, 3)),
    ((3, 6, 9), {"channel_axis": 0}, (3,)),
    ((4, 6, 9, 3), {"axes": (0, 2)}, (6, 3)),
    ((4, 6, 9, 3), {"axes": (0, 1, 2, 3)}, ()),
    ((0, 6, 9), {}, (0,)),
    ((4, 0, 9), {}, (4,)),
])  # fmt: skip
def test_the_shape_is_the_batch_shape_and_256(shape, where, batch):
    images = random_pixels(*shape)
    counts = cheq.histogram(images, **where)
    assert counts.shape == (*batch, 256)
    assert counts.dtype == np.int64
    assert counts.dtype.isnative
    assert type(counts) is np.ndarray
    assert counts.flags.c_contiguous
    assert counts.flags.writeable
    assert counts.sum() == images.size
    np.testing.assert_array_equal(counts, reference.histogram(images, **where), strict=True)


def test_histograms_can_be_added_to_equalize_a_set_with_one_lut(opencv):
    data = random_pixels(60, 17, 23) // np.arange(1, 61, dtype=np.uint8)[:, None, None]
    parts = [data[:7], data[7:31], data[31:]]
    total = sum(cheq.histogram(part).sum(axis=0) for part in parts)
    np.testing.assert_array_equal(total, cheq.histogram(data, axes=(0, 1, 2)), strict=True)
    lut = cheq.equalization_lut(total)
    result = np.concatenate([cheq.apply_lut(part, lut) for part in parts])
    np.testing.assert_array_equal(result, opencv(data.reshape(1, -1)).reshape(data.shape), strict=True)
    np.testing.assert_array_equal(result, cheq.equalize(data, axes=(0, 1, 2)), strict=True)


# ---------------------------------------------------------------- equalization_lut


def lut_by_fractions(counts):
    """Section 1's rule with whole numbers alone: every rounding to 24 bits, half to even, is written out."""

    def float32(number):
        number = Fraction(number)
        exponent = number.numerator.bit_length() - number.denominator.bit_length()
        exponent -= number < Fraction(2) ** exponent
        unit = Fraction(2) ** (exponent - 23)
        return round(number / unit) * unit

    present = [level for level in range(256) if counts[level]]
    if len(present) < 2:
        return list(range(256))
    scale = float32(255 / float32(sum(counts) - counts[present[0]]))
    lut = [0] * 256
    for level in range(present[0] + 1, 256):
        above = sum(counts[present[0] + 1 : level + 1])
        lut[level] = min(round(float32(float32(above) * scale)) if above else 0, 255)
    return lut


def synthetic(total, seed):
    """Histograms (8, 256) with totals near the given one: dense, sparse, and one bin far above the others."""
    random = np.random.default_rng(seed)
    weights = random.dirichlet(np.full(256, 0.3), 8)
    weights[3:6] *= random.random((3, 256)) < 0.05
    weights[6, 100] = weights[7, 255] = 50
    counts = (weights / weights.sum(axis=1, keepdims=True) * total).astype(np.int64)
    return counts + random.integers(0, 2, counts.shape)


@pytest.mark.parametrize("bits", [8, 12, 16, 23, 24, 25, 28, 31, 32, 33, 40, 52, 53, 54, 60])
def test_luts_of_synthetic_histograms(bits):
    for seed in range(6):
        counts = synthetic(2**bits, seed)
        expected = reference.equalization_lut(counts)
        if seed == 0:
            assert expected.tolist() == [lut_by_fractions([int(c) for c in one]) for one in counts]
        np.testing.assert_array_equal(cheq.equalization_lut(counts), expected, strict=True)


@pytest.mark.parametrize("bits", [46, 50, 53])
def test_counts_are_rounded_to_float32_at_once(bits):
    # float32 rounds s up; float64 on the way would lose the 1, and float32 then round the tie down to 257 * 2**bits.
    total, s = 510 << bits, (257 << bits) + (1 << (bits - 16)) + 1
    assert float(np.float32(float(s))) < float(reference.float32(s))
    counts = np.zeros(256, np.int64)
    counts[[3, 4, 5]] = 1, s, total - s
    assert reference.equalization_lut(counts)[4] == lut_by_fractions(counts.tolist())[4] == 129
    np.testing.assert_array_equal(cheq.equalization_lut(counts), reference.equalization_lut(counts), strict=True)


def test_entries_up_to_the_lowest_occupied_bin_are_0_and_above_the_highest_255():
    counts = np.zeros(256, np.int64)
    counts[[50, 60, 70]] = 4, 1, 1
    lut = cheq.equalization_lut(counts)
    assert lut.tolist() == [0] * 60 + [128] * 10 + [255] * 186


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((2, 3), name) for name in LAYOUTS]
    + [(shape, "contiguous") for shape in ((), (1,), (4,), (2, 1, 3, 2), (0,), (3, 0))],
)
def test_any_leading_axes(shape, layout):
    counts = np.random.default_rng(2).integers(0, 50, (*shape, 256))
    awkward = LAYOUTS[layout](counts)
    expected = reference.equalization_lut(np.array(awkward))
    result = cheq.equalization_lut(awkward)
    np.testing.assert_array_equal(result, expected, strict=True)
    assert type(result) is np.ndarray
    assert result.flags.c_contiguous
    assert result.flags.writeable


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">u2", ">i2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8", ">u8"])
def test_counts_of_any_integer_dtype_and_byte_order(dtype):
    counts = np.random.default_rng(3).integers(0, 100, (3, 256)).astype(dtype)
    expected = reference.equalization_lut(counts.astype(np.int64))
    np.testing.assert_array_equal(cheq.equalization_lut(counts), expected, strict=True)
    np.testing.assert_array_equal(cheq.equalization_lut(counts[0].tolist()), expected[0], strict=True)


@pytest.mark.parametrize("counts", [
    np.full(256, 2**62, np.int64),
    np.full(256, 2**64 - 1, np.uint64),
    np.full(256, 2**63, np.uint64),
    np.eye(256, dtype=np.uint64)[7] * np.uint64(2**63) + np.eye(256, dtype=np.uint64)[9],
])  # fmt: skip
def test_a_total_too_large_for_64_bits_is_never_counted_wrongly(counts):
    try:
        result = cheq.equalization_lut(counts).tolist()
    except ValueError as error:
        result = str(error)
    assert result == lut_by_fractions([int(count) for count in counts]) or "histogram" in result


# ---------------------------------------------------------------- apply_lut


@pytest.mark.parametrize(("shape", "where", "batch"), [
    ((6, 9), {}, ()),
    ((4, 2, 6, 9), {}, (4, 2)),
    ((4, 6, 9, 3), {"channel_axis": -1}, (4, 3)),
    ((4, 6, 9, 5), {"axes": (0, 2)}, (6, 5)),
    ((1, 6, 9), {}, (1,)),
    ((0, 6, 9), {}, (0,)),
    ((2, 0, 9), {}, (2,)),
])  # fmt: skip
def test_one_lut_a_plane_or_one_for_all(shape, where, batch):
    images = random_pixels(*shape)
    for lut_shape in ((256,), (*batch, 256)):
        lut = random_pixels(*lut_shape, seed=1)
        expected = reference.apply_lut(images, lut, **where)
        np.testing.assert_array_equal(cheq.apply_lut(images, lut, **where), expected, strict=True)
    np.testing.assert_array_equal(cheq.apply_lut(images, IDENTITY, **where), images, strict=True)


def test_one_lut_for_all_is_numpy_indexing():
    lut = random_pixels(256, seed=3)
    for length in range(1, 200):
        image = random_pixels(1, length)
        np.testing.assert_array_equal(cheq.apply_lut(image, lut), lut[image], strict=True)


def test_every_layout_of_a_lut(layout):
    images = random_pixels(3, 17, 26)
    lut = layout(random_pixels(3, 256, seed=4))
    expected = reference.apply_lut(images, np.array(lut))
    np.testing.assert_array_equal(cheq.apply_lut(images, lut), expected, strict=True)
    one = layout(random_pixels(256, seed=5))
    np.testing.assert_array_equal(cheq.apply_lut(images, one), np.array(one)[images], strict=True)


@pytest.mark.parametrize("dtype", [">u2", ">i2", "<u2", "<i2"])
@pytest.mark.parametrize("same", [None, "same"])
def test_luts_for_images_of_the_other_byte_order(dtype, same):
    """A file's dtype is passed on as it is; the LUT is in the machine's own order."""
    images = np.random.default_rng(0).integers(0, 3000, (20, 30)).astype(dtype)
    for method in methods_of(np.dtype(dtype).name):
        lut = cheq.equalization_lut(cheq.histogram(images), method=method, dtype=same, images_dtype=images.dtype)
        assert lut.dtype.isnative
        expected = reference.equalize(images.astype(images.dtype.newbyteorder("=")), method=method, dtype=same)
        np.testing.assert_array_equal(cheq.apply_lut(images, lut), expected, strict=True)
