"""Are floats ranked rightly, whatever their bits: at once, in two steps or by insertion, as jobs/sort.h does?

Of the bits in which doubles differ the upper 32 are sorted first, then runs of equal ones by the lower bits: up to 48
pixels by insertion, and more of them by radix again.
"""

import numpy as np
import pytest
import reference
from marks import exhaustive
from match_tools import FLOATS, matched
from pixel_tools import assert_bits

import cheq

SIZES = (*range(1, 101), 2047, 2048, 2049, 5000)
LOWEST, HIGHEST = 0x0010_0000_0000_0000, 0xFFEF_FFFF_FFFF_FFFF  # keys of the finite doubles, which ascend as these do


def of_keys(keys):
    """The doubles that keys stand for."""
    keys = np.clip(np.asarray(keys, np.uint64), LOWEST, HIGHEST)
    sign = np.uint64(1 << 63)
    return np.where(keys & sign, keys ^ sign, ~keys).view(np.float64)


def with_runs(seed, below, n, uppers, lowers):
    """Doubles that differ in 32 + `below` bits: of so many different upper parts, and of lower ones."""
    random = np.random.default_rng([seed, below, n])
    upper = random.choice(random.integers(0, 1 << 32, uppers, np.uint64), n)
    lower = random.choice(random.integers(0, 1 << below, lowers, np.uint64), n)
    base = (0xBFF0_0000_0000_0000 >> (32 + below)) << (32 + below) if below < 32 else 0
    keys = np.uint64(base) + (upper << np.uint64(below) | lower)
    keys[:2] = [base, base + (1 << (32 + below)) - 1][:n]  # the first and the last that differ in no other bits
    return random.permutation(of_keys(keys))


def ranked(image, wanted):
    """Both are sorted, the image and the reference."""
    image, wanted = (np.atleast_2d(array) for array in (image, wanted))
    for one, other in ((image, wanted), (wanted, image)):
        assert_bits(cheq.match_histograms(one, other) + one.dtype.type(0), matched(one, other) + one.dtype.type(0))


def spread(dtype, n=997):
    """A reference whose values tell each share of the pixels."""
    return (np.arange(n) ** 1.5).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_size(dtype):
    random = np.random.default_rng(1)
    for n in SIZES:
        values = random.normal(size=n).astype(dtype)
        for image in (values, np.sort(values), np.sort(values)[::-1], random.choice(values[:9], n)):
            ranked(image, spread(dtype))


FEW = (0, 1, 11, 20, 31, 32)


@pytest.mark.parametrize("below", [*FEW, *exhaustive(*(below for below in range(33) if below not in FEW))])
def test_runs_of_equal_upper_bits(below):
    for seed, n in enumerate((2, 47, 48, 49, 50, 400, 3000)):
        for uppers, lowers in (
            (1, n),
            (2, n),
            (7, n),
            (n, 3),
            (n, n),
            (3, 2),
            (max(1, n // 48), n),
            (max(1, n // 60), n),
        ):
            ranked(with_runs(seed, below, n, uppers, lowers), spread("float64"))


def test_runs_of_every_length():
    """Of neighbors, beside a value far away, so that they differ in the lowest bits alone."""
    for n in range(1, 101):
        for step in (1, 3, 1 << 11, 1 << 22, (1 << 32) // n):
            keys = np.uint64(0xBFF0_0000_0000_0000) + np.arange(n, dtype=np.uint64) * np.uint64(step)
            keys = np.random.default_rng([n, step]).permutation(
                np.concatenate([keys, keys[: n // 3], [LOWEST, HIGHEST]])
            )
            ranked(of_keys(keys), spread("float64"))


@pytest.mark.parametrize("dtype", FLOATS)
def test_values_of_every_magnitude(dtype):
    random, info = np.random.default_rng(2), np.finfo(dtype)
    exponents = random.uniform(info.minexp - info.nmant, info.maxexp, 4000)
    heavy = (np.exp2(exponents) * random.choice([-1, 1], 4000)).astype(dtype)
    extremes = np.array([info.max, -info.max, info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal,
                         0, 1, -1, np.nextafter(info.dtype.type(1), 2)], dtype)  # fmt: skip
    denormal = (random.integers(-900, 900, 3000) * info.smallest_subnormal).astype(dtype)
    for image in (heavy, extremes, np.repeat(extremes, 37), denormal, np.concatenate([heavy, denormal, extremes])):
        for wanted in (spread(dtype), denormal, heavy):
            ranked(random.permutation(image), wanted)


@pytest.mark.parametrize("dtype", FLOATS)
def test_zeros_of_both_signs_are_one_value(dtype):
    for seed in range(30):
        random = np.random.default_rng(seed)
        image = random.choice(np.array([-0.0, 0.0, -1e-40, 1e-40, 0.25], dtype), (1, random.integers(1, 200)))
        for wanted in (spread(dtype)[np.newaxis], image, np.abs(image), -np.abs(image)):
            result = cheq.match_histograms(image, wanted)
            assert_bits(result + result.dtype.type(0), matched(image, wanted) + result.dtype.type(0))
            assert_bits(result, reference.match_histograms(image, wanted))
            assert len(np.unique(result[image == 0])) <= 1


@pytest.mark.parametrize("dtype", FLOATS)
def test_planes_of_every_kind_one_after_the_other(dtype):
    """What a plane leaves in a thread's memory is nothing to the next one; masked ones have fewer pixels to rank."""
    rows = [with_runs(3, below, 300, uppers, 300) for below, uppers in ((32, 2), (0, 300), (20, 5), (32, 300), (9, 1))]
    with np.errstate(over="ignore"):
        images = np.nan_to_num(np.stack(rows * 3)).astype(dtype).reshape(15, 20, 15)
    wanted = np.nan_to_num(images[::-1, :7]).copy()
    mask = np.random.default_rng(4).random(images.shape) < np.linspace(0.01, 1, 15)[:, np.newaxis, np.newaxis]
    mask[:, 0, 0] = True
    images, wanted = (np.clip(array, -1e38, 1e38) for array in (images, wanted))
    for threads in (1, 2, 4):
        result = cheq.match_histograms(images, wanted, mask=mask, num_threads=threads)
        whole = cheq.match_histograms(images, wanted, num_threads=threads)
        for i in range(15):
            assert_bits(whole[i], matched(images[i], wanted[i]))
            assert_bits(result[i][mask[i]], matched(images[i], wanted[i], mask[i]))
