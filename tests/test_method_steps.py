"""Do the three steps give what the naive versions give, of every method and dtype, from any counts?"""

import numpy as np
import pytest
import reference
from lists import DTYPES, INTEGER_CASES, INTEGERS, METHODS, methods_of
from pixel_tools import assert_bits

import cheq
from cheq.parity.pixels import KINDS, plane

# ---------------------------------------------------------------- the three steps


@pytest.mark.parametrize("same_dtype", [None, "same"])
@pytest.mark.parametrize(("method", "dtype"), INTEGER_CASES)
def test_the_steps_together_are_equalize(method, dtype, same_dtype):
    images = np.stack([plane(kind, dtype, (2, 23, 41)) for kind in KINDS])
    mask = plane("uniform", bool, images.shape, 3)
    mask[:, 1] = mask[0, 1] & (images[:, 1] == images[:, 1, :1, :1])
    mask[1] = False
    for named in ({}, {"mask": mask}):
        counts = cheq.histogram(images, **named)
        assert_bits(counts, reference.histogram(images, **named))
        luts = cheq.equalization_lut(counts, method=method, dtype=same_dtype, images_dtype=dtype)
        expected = reference.equalization_lut(counts, method=method, dtype=same_dtype, images_dtype=dtype)
        assert_bits(luts, expected)
        if not dtype.startswith("int"):
            assert_bits(cheq.equalization_lut(counts, method=method, dtype=same_dtype), expected)
        for threads in (1, 2):
            result = cheq.apply_lut(images, luts, num_threads=threads)
            assert_bits(result, cheq.equalize(images, method=method, dtype=same_dtype, **named))
            assert_bits(result, reference.apply_lut(images, luts))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_histogram_of_all_levels(dtype):
    limits = np.iinfo(dtype)
    levels = np.arange(limits.min, limits.max + 1).astype(dtype)
    counts = cheq.histogram(np.stack([levels, np.full_like(levels, limits.min)]), axes=1)
    assert counts.shape == (2, len(levels))
    assert counts.dtype == np.int64
    assert (counts[0] == 1).all()
    assert counts[1].tolist() == [len(levels)] + [0] * (len(levels) - 1)


@pytest.mark.parametrize("method", methods_of("uint16"))
@pytest.mark.parametrize("bits", [8, 16, 24, 31, 32, 40, 52])
def test_luts_of_synthetic_histograms_of_16_bits(method, bits):
    random = np.random.default_rng(bits)
    counts = (random.dirichlet(np.full(65536, 0.02), 3) * 2.0**bits).astype(np.int64)
    counts[1] *= random.random(65536) < 0.001
    counts[2, :60000] = 0
    counts[:, 61000] += 1
    for images_dtype in {"uint16", "int16"}.intersection(DTYPES[method]):
        result = cheq.equalization_lut(counts, method=method, images_dtype=images_dtype)
        assert_bits(result, reference.equalization_lut(counts, method=method, images_dtype=images_dtype))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits", [8, 16, 24, 31, 32, 33, 52])
def test_luts_of_synthetic_histograms_of_8_bits(method, bits):
    random = np.random.default_rng(bits)
    counts = (random.dirichlet(np.full(256, 0.3), 6) * 2.0**bits).astype(np.int64)
    counts[2:4] *= random.random((2, 256)) < 0.05
    counts[:, 200] += 1
    counts[4, 201:] = 0
    assert_bits(cheq.equalization_lut(counts, method=method), reference.equalization_lut(counts, method=method))


@pytest.mark.parametrize(("method", "dtype"), INTEGER_CASES)
def test_luts_of_one_occupied_bin_and_of_none(method, dtype):
    levels = 2 ** (8 * np.dtype(dtype).itemsize)
    counts = np.zeros((4, levels), np.int64)
    counts[1, 0], counts[2, 99], counts[3, -1] = 3, 1, 2**40
    for same_dtype in (None, "same"):
        named = {"method": method, "dtype": same_dtype, "images_dtype": dtype}
        result = cheq.equalization_lut(counts, **named)
        assert_bits(result, reference.equalization_lut(counts, **named))
        if method in reference.LEVELS:
            assert (result == np.arange(levels)).all()


@pytest.mark.parametrize("lut_dtype", [*INTEGERS, "float64"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_apply_lut_returns_the_lut_s_dtype(dtype, lut_dtype):
    images = plane("uniform", dtype, (3, 11, 17))
    levels, random = 2 ** (8 * np.dtype(dtype).itemsize), np.random.default_rng(2)
    for shape in ((levels,), (3, levels)):
        lut = random.integers(0, 2**62, shape).astype(lut_dtype)
        expected = reference.apply_lut(images, lut)
        assert_bits(cheq.apply_lut(images, lut), expected)
        out = np.zeros_like(expected)
        assert cheq.apply_lut(images, lut, out=out, num_threads=2) is out
        assert_bits(out, expected)
        assert_bits(cheq.apply_lut(images[..., ::-2], lut), expected[..., ::-2].copy())
    nan = np.full(levels, np.nan)
    assert np.isnan(cheq.apply_lut(images, nan)).all()
