"""Does every kernel build the LUT that the definition gives, from any histogram?

``equalization_lut`` gives histograms of up to 2^31 - 1 pixels to the kernel and larger ones to the scalar definition.
Expected values come from a model for many histograms at once, which is first held against reference.py.
"""

import numpy as np
import pytest
import reference
from kernel_tools import opencv_luts, same

import cheq

pytestmark = pytest.mark.kernels

MOST = 2**31 - 1  # the largest total that a kernel gets
BATCH = 8192  # histograms at a time: 16 MiB of counts
DIVISORS = (1, 3, 5, 15, 17, 51, 85, 255)  # of 255: with 2^k times one of them as divisor the scale is exact


def check(histograms, where):
    same(cheq.equalization_lut(histograms), opencv_luts(histograms), where)


def from_running(running, first_count):
    """Histograms, (n, 256), whose pixels above the first occupied bin, 0, add up so: ``running`` is (n, 255)."""
    first = np.broadcast_to(np.reshape(first_count, (-1, 1)), (len(running), 1))
    return np.concatenate([first, np.diff(running, axis=1, prepend=0)], axis=1)


def around_ties(rest, offset):
    """Running counts, for each rest, next to where the LUT's rounding goes from one level to the next."""
    rest = np.asarray(rest, np.int64)[:, np.newaxis]
    ties = ((2 * np.arange(254) + 1) * rest + 255) // 510 + offset
    return np.concatenate([np.maximum.accumulate(np.clip(ties, 0, rest), axis=1), rest], axis=1)


def assorted(seed, number=4000):
    """Histograms of few to all levels and of totals of every magnitude up to 2^40."""
    random = np.random.default_rng(seed)
    histograms = random.integers(0, 2 ** random.integers(1, 32, (number, 1)), (number, 256))
    return np.where(random.random((number, 256)) < random.choice([0.01, 0.03, 0.3, 1], (number, 1)), histograms, 0)


def test_the_model_is_the_reference():
    rests = [1, 2, 509, 510, 2**24 + 1, 2**24 + 3, MOST - 1, MOST, 2**31, 2**32 + 513, 2**40 + 1]
    edges = from_running(around_ties(rests, 0), 1)
    few = np.eye(256, dtype=np.int64)[::17]
    histograms = np.concatenate([assorted(0, 600), edges, few, few + few[::-1], np.zeros((1, 256), np.int64)])
    same(opencv_luts(histograms), reference.equalization_lut(histograms), "model")


# ---------------------------------------------------------------- enumerated


def test_every_count_of_every_total_up_to_3000(kernel):
    """lut[v] depends on the total without the first bin and on the running count: all pairs of them."""
    rests = np.arange(1, 3001)
    for begin in range(0, 3000, 254):
        running = np.minimum(begin + np.arange(1, 255), rests[begin:, np.newaxis])
        check(from_running(np.column_stack([running, rests[begin:]]), 1 + begin), begin)


@pytest.mark.exhaustive
def test_every_first_count_and_rest_up_to_300(kernel):
    first, rest = np.divmod(np.arange(300 * 301), 301)
    histograms = np.zeros((len(first), 256), np.int64)
    place, row = (first * 7 + rest) % 253, np.arange(len(first))
    for offset, counts in enumerate((first + 1, rest // 3, rest - rest // 3)):
        histograms[row, place + offset] = counts
    check(histograms, "first and rest")


@pytest.mark.parametrize("count", [1, 2**24 + 1, MOST, MOST + 1, 2**32, 2**32 + 1, 2**62])
def test_one_bin_of_every_level_gives_the_identity(kernel, count):
    luts = cheq.equalization_lut(count * np.eye(256, dtype=np.int64))
    same(luts, np.tile(np.arange(256, dtype=np.uint8), (256, 1)), count)


def test_no_pixel_gives_the_identity(kernel):
    same(cheq.equalization_lut(np.zeros(256, np.int64)), np.arange(256, dtype=np.uint8), "no pixel")


@pytest.mark.parametrize("counts", [(1, 1), (5, 250), (1, MOST - 1), (MOST - 1, 1), (2**30, 2**30), (2**32, 2**32)])
def test_two_bins_of_every_pair_of_levels(kernel, counts):
    low, high = np.triu_indices(256, 1)
    histograms = np.zeros((len(low), 256), np.int64)
    histograms[np.arange(len(low)), low], histograms[np.arange(len(low)), high] = counts
    expected = np.where(np.arange(256) >= high[:, np.newaxis], 255, 0).astype(np.uint8)
    same(cheq.equalization_lut(histograms), expected, counts)


@pytest.mark.parametrize("total", [256 * 37, 2**24, 2**26 + 3, MOST])
def test_the_first_occupied_bin_at_every_level(kernel, total):
    for seed in range(20):
        weights = np.random.default_rng([seed, total]).random((256, 256)) ** (1 + seed % 4 * 5) + 1e-9
        weights[np.tril_indices(256, -1)] = 0
        histograms = np.floor(weights * (total / weights.sum(axis=1, keepdims=True)) * 0.999).astype(np.int64)
        histograms[np.arange(256), np.arange(256)] += 1
        histograms[:, 255] += total - histograms.sum(axis=1)
        check(histograms, (total, seed))


# ---------------------------------------------------------------- ties, and totals that float32 rounds


@pytest.mark.parametrize("divisor", DIVISORS)
def test_exact_ties_round_to_even(kernel, divisor):
    powers = np.array([2**k for k in range(1, 31) if divisor * 2**k < MOST])
    rests = divisor * powers
    ties = (2 * np.arange(127) + 1) * powers[:, np.newaxis] // 2  # odd multiples of a half level, where the rest allows
    running = np.column_stack([np.minimum(ties, rests[:, np.newaxis]), np.tile(rests[:, np.newaxis], 128)])
    scaled = running[:, :127] * (255.0 / rests[:, np.newaxis])
    assert (scaled % 1 == 0.5).any(axis=1).all()
    check(from_running(running, 1), divisor)


ROUNDED = (2**23, 2**24, 2**24 + 2**23, 2**25, 2**26, 2**28 + 2**5, 2**30, MOST - 3000, MOST, 2**32, 2**40, 2**62)


@pytest.mark.exhaustive
@pytest.mark.parametrize("around", ROUNDED)
@pytest.mark.parametrize("offset", [-128, -2, -1, 0, 1, 2, 64])
def test_next_to_ties_of_totals_that_float32_rounds(kernel, around, offset):
    rests = around + np.arange(-700, 701)
    for first_count in (1, 2**24 + 1):
        check(from_running(around_ties(rests, offset), first_count), (around, offset, first_count))


def test_totals_around_the_largest_that_a_kernel_gets(kernel):
    for first_count in (1, 2, 1000, 2**24 + 1, 2**30, MOST - 300):
        totals = MOST + np.arange(-200, 201)
        check(from_running(around_ties(totals - first_count, 0), first_count), first_count)


@pytest.mark.exhaustive
@pytest.mark.parametrize("magnitude", range(2, 31))
def test_next_to_ties_of_totals_of_every_magnitude(kernel, magnitude):
    random = np.random.default_rng(magnitude)
    rests = random.integers(2**magnitude, 2 ** (magnitude + 1), BATCH // 2)
    apart = 2 ** max(0, magnitude - 24)  # half the distance of float32's numbers there
    for offset in (-2 * apart, -apart, 0, apart, 2 * apart):
        check(from_running(around_ties(rests, offset), MOST - rests), (magnitude, offset))


@pytest.mark.parametrize("seed", range(1, 25))
def test_assorted_histograms(kernel, seed):
    check(assorted(seed), seed)


# ---------------------------------------------------------------- method "pillow"

MOST_PILLOW = 2**30 - 1  # the largest total that a kernel gets


def pillow_luts(histograms):
    """ImageOps.equalize's tables of many histograms at once; the last bin is the last occupied one."""
    step = (histograms.sum(axis=1) - histograms[:, -1]) // 255
    below = np.cumsum(histograms, axis=1) - histograms
    divisor = np.maximum(step, 1)[:, np.newaxis]
    luts = np.minimum((step[:, np.newaxis] // 2 + below) // divisor, 255)
    return np.where(step[:, np.newaxis] == 0, np.arange(256), luts).astype(np.uint8)


def from_below(below, last=1):
    """Histograms with so many pixels below each level, (n, 256), and so many of the last one."""
    return np.concatenate([np.diff(below, axis=1), np.full((len(below), 1), last)], axis=1)


def next_to_quotients(steps, offset, rest):
    """Pixels below each level, for each step, next to where the level's quotient goes from one number to the next."""
    steps = np.asarray(steps, np.int64)[:, np.newaxis]
    total = 255 * steps + np.minimum(rest, steps * 255)
    where = np.arange(1, 255) * steps - steps // 2 + offset
    edges = np.clip(where, 0, total)
    return np.concatenate([np.zeros_like(steps), edges, total], axis=1)


def test_the_pillow_model_is_the_reference():
    few = from_below(next_to_quotients([1, 2, 3, 10, 77], 0, 30))
    none = from_below(np.minimum(np.arange(256), 254)[np.newaxis])  # step 0
    histograms = np.concatenate([few, none])
    same(pillow_luts(histograms), reference.equalization_lut(histograms, method="pillow"), "model")


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_pillow_next_to_every_quotient(kernel, offset):
    largest = (MOST_PILLOW - 1 - 254) // 255
    random = np.random.default_rng(offset + 1)
    steps = np.concatenate([np.arange(1, 3000), random.integers(3000, largest, 5000), largest - np.arange(300)])
    for rest in (0, 1, 254):
        histograms = from_below(next_to_quotients(steps, offset, rest))
        same(cheq.equalization_lut(histograms, method="pillow"), pillow_luts(histograms), (offset, rest))


def test_pillow_beyond_the_kernels(kernel):
    for total in (MOST_PILLOW, MOST_PILLOW + 1, 2**32 + 5, 2**40):
        histograms = from_below(next_to_quotients([(total - 1) // 255], 0, (total - 1) % 255))
        same(cheq.equalization_lut(histograms, method="pillow"), pillow_luts(histograms), total)


def test_pillow_with_few_levels(kernel):
    random = np.random.default_rng(5)
    for occupied in (1, 2, 3, 20):
        histograms = np.zeros((400, 256), np.int64)
        for histogram in histograms:
            histogram[random.choice(256, occupied, replace=False)] = random.integers(1, 3000, occupied)
        expected = reference.equalization_lut(histograms, method="pillow")
        same(cheq.equalization_lut(histograms, method="pillow"), expected, occupied)
