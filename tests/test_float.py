"""Are float planes NumPy 2's np.histogram and np.interp to the last bit? Edges, ranges, NaN, errors, memory."""

import numpy as np
import pytest
import reference
from lists import FLOAT_CASES, FLOATS, methods_of
from marks import exhaustive
from pixel_tools import assert_bits, peer, refused_since_numpy_2_2, refuses, scikit_image

import cheq
from cheq.bench.peers import recipe
from cheq.parity.pixels import plane

METHODS = methods_of("float64")
PATTERN = 0.625
NBINS = (1, 2, 3, 10, 256, 1000)
each = pytest.mark.parametrize(("method", "dtype"), FLOAT_CASES)


def judged(method, image, nbins=256):
    """What the library gives for one plane, or its ValueError."""
    try:
        if refused_since_numpy_2_2(image, nbins):
            return ValueError("too many bins")
        with np.errstate(all="ignore"):
            return scikit_image(image, None, nbins) if method == "skimage" else recipe(image, nbins)[0]
    except ValueError as error:
        return error


def blank(method, images):
    """An ``out`` that holds a pattern."""
    return np.full(images.shape, PATTERN, images.dtype.newbyteorder("=") if method == "skimage" else np.float64)


def same(method, image, nbins=256, **named):
    """Demand the library's answer for one plane or, where it raises, a ValueError and nothing written."""
    before = image.copy()
    expected, out = judged(method, image, nbins), blank(method, image)
    call = lambda **more: cheq.equalize(image, method=method, nbins=nbins, **named, **more)  # noqa: E731
    if isinstance(expected, ValueError):
        refuses(ValueError, lambda: call(out=out), "images")
        assert (out == PATTERN).all()
    else:
        assert_bits(call(), expected, f"{nbins} bins")
        assert call(out=out) is out
        assert_bits(out, expected)
    assert image.tobytes() == before.tobytes()
    return expected


def neighbors(values, dtype):
    """The values, and those next to them on both sides."""
    values = np.asarray(values, dtype)
    infinity = np.array(np.inf, dtype)
    with np.errstate(over="ignore", under="ignore"):
        return np.concatenate([values, np.nextafter(values, infinity), np.nextafter(values, -infinity)])


# ---------------------------------------------------------------- values at the edges of bins

RANGES = {
    "0 to 1": (0, 1),
    "0 to 255": (0, 255),
    "-1 to 1": (-1, 1),
    "thirds": (1 / 3, 7 / 3),
    "0.1 to 0.7": (0.1, 0.7),
    "-5.3 to 900": (-5.3, 900),
    "far from 0": (1000, 1001),
    "small": (1e-30, 7e-30),
    "large": (-1e30, 3e30),
    "around 0": (-0.001, 3),
}


@pytest.mark.parametrize("nbins", NBINS)
@pytest.mark.parametrize("limits", RANGES)
@each
def test_values_on_below_and_above_every_edge(method, dtype, limits, nbins):
    low, high = np.array(RANGES[limits], dtype)
    edges = np.linspace(low, high, nbins + 1, dtype=dtype)
    centers = (edges[1:] + edges[:-1]) / np.array(2, dtype)
    values = np.concatenate([[low, high], np.clip(neighbors([*edges, *centers], dtype), low, high)]).astype(dtype)
    same(method, values[np.newaxis], nbins)
    same(method, np.random.default_rng(nbins).permutation(values)[:, np.newaxis], nbins)


@each
def test_values_at_the_edges_of_other_numbers_of_bins(method, dtype):
    for nbins in (7, 49, 100, 255, 257, 640):
        edges = np.linspace(0, 1, nbins + 1, dtype=dtype)
        values = np.clip(neighbors(edges, dtype), 0, 1)
        for other in (nbins, 256):
            same(method, values[np.newaxis], other)


@each
def test_levels_as_fractions(method, dtype):
    for top in (255, 256, 1023, 4095, 65535):
        image = (np.random.default_rng(top).integers(0, top + 1, (31, 67)) / top).astype(dtype)
        for nbins in (256, 255, 100):
            same(method, image, nbins)
        same(method, image * np.array(0.9, dtype) - np.array(0.3, dtype))
        same(method, (image * 255).astype(dtype))


# ---------------------------------------------------------------- distributions and ranges

DISTRIBUTIONS = {
    "uniform": lambda random, size: random.random(size),
    "normal": lambda random, size: random.normal(0, 1, size),
    "exponential": lambda random, size: random.exponential(3, size),
    "lognormal": lambda random, size: random.lognormal(0, 4, size),
    "integers": lambda random, size: random.integers(-9, 500, size),
    "few values": lambda random, size: random.choice([0.1, 0.3, 0.7], size),
    "two values": lambda random, size: random.choice([-1.7, 8.25], size),
    "an outlier": lambda random, size: np.where(np.arange(np.prod(size)).reshape(size) == 7, 1e6, random.random(size)),
    "all exponents": lambda random, size: 2.0 ** random.uniform(-140, 120, size) * random.choice([-1, 1], size),
    "zeros of both signs": lambda random, size: random.choice([-0.0, 0.0], size),
    "-0.0 lowest": lambda random, size: random.choice([-0.0, 0.0, 0.25, 1.0], size),
    "-0.0 highest": lambda random, size: random.choice([-0.0, 0.0, -0.25, -1.0], size),
}  # fmt: skip


@pytest.mark.parametrize("nbins", NBINS)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
@each
def test_distributions(method, dtype, name, nbins):
    for seed, size in enumerate([(31, 67), (8, 9), (1, 2), (96, 96)]):
        image = DISTRIBUTIONS[name](np.random.default_rng([seed, nbins]), size).astype(dtype)
        assert not isinstance(same(method, image, nbins), ValueError)


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 0.3, -0.37, 255.0, 4095.5, 1e-300, -5e-324, 2.0**20 + 0.25])
@each
def test_equal_minimum_and_maximum(method, dtype, value):
    with np.errstate(under="ignore"):
        image = np.full((5, 7), value, dtype)
    for nbins in NBINS:
        same(method, image, nbins)
    same(method, image[:1, :1])


HUGE = {
    "float64": [(0, 1e308), (1e308, 1.7e308), (-8e307, 8e307), (-1.7e308, -1e308), (0, 1.7976931348623157e308)],
    "float32": [(0, 3e38), (2e38, 3e38), (-1.6e38, 1.6e38), (-3e38, -2e38), (0, 3.4028234663852886e38)],
}  # fmt: skip


@pytest.mark.parametrize("place", range(5))
@each
def test_huge_ranges(method, dtype, place):
    low, high = HUGE[dtype][place]
    image = np.random.default_rng(place).uniform(low, high, (31, 67)).astype(dtype)
    image[0, :2] = low, high
    for nbins in NBINS:
        same(method, image, nbins)


@pytest.mark.parametrize("nbins", NBINS)
@each
def test_a_range_whose_width_overflows(method, dtype, nbins):
    limit = np.finfo(dtype).max
    for low, high in ((-limit, limit), (-limit, limit / 1000), (-limit * 0.6, limit * 0.6)):
        image, out = np.array([[low, 0, high]], dtype), blank(method, np.zeros((1, 3), dtype))
        refuses(ValueError, lambda: cheq.equalize(image, method=method, nbins=nbins, out=out), "images")  # noqa: B023
        assert (out == PATTERN).all()


@pytest.mark.parametrize("nbins", NBINS)
@each
def test_denormals(method, dtype, nbins):
    smallest = float(np.finfo(dtype).smallest_subnormal)
    random = np.random.default_rng(nbins)
    for most in (1, 2, 255, 256, 257, 1000, 5000, 10**6):
        image = (random.integers(0, most + 1, (13, 21)) * smallest).astype(dtype)
        image[0, :2] = 0, most * smallest
        same(method, image, nbins)
        same(method, image - image[:, ::-1], nbins)


@pytest.mark.parametrize("method", METHODS)
def test_centers_of_bins_that_coincide_or_overflow(method):
    for values in ([-5e-324, 0, 5e-324], [-5e-324, 5e-324], [0, 1e-323], [5e-324, 1.5e-323]):
        for nbins in (1, 2, 3):
            same(method, np.array([values]), nbins)
    for values in ([1e308, 1.7e308], [-1.7e308, -1e308], [8.9e307, 9.1e307], [1e308, 1.1e308, 1.2e308, 1.7e308]):
        for nbins in (1, 2, 3, 10):
            same(method, np.array([values]), nbins)


@pytest.mark.parametrize("nbins", NBINS)
@each
def test_the_smallest_normal_numbers(method, dtype, nbins):
    tiny = np.finfo(dtype).tiny
    image = np.random.default_rng(1).random((13, 21)).astype(dtype) * tiny
    for factor in (1, 4, 100, 1000, 1e5):
        same(method, image * np.array(factor, dtype), nbins)


@pytest.mark.parametrize("nbins", NBINS)
@each
def test_tiny_ranges_beside_a_large_offset(method, dtype, nbins):
    found = set()
    for offset in (1.0, 1000.0, -1e6, 2.0**23, 2.0**24, 1e16, 1e20, -1e20):
        for steps in (0, 1, 2, 100, 256, 257, 1000, 10**5):
            image = (
                np.array(offset, dtype) + np.arange(35).reshape(5, 7) % 2 * np.spacing(np.array(offset, dtype)) * steps
            )
            found.add(type(same(method, image.astype(dtype), nbins)))
    assert found == ({np.ndarray, ValueError} if nbins > 1 else found)


def test_too_many_bins_says_so_as_numpy_does():
    image = np.array([[1.0, np.nextafter(1.0, 2)]])
    if not refused_since_numpy_2_2(image, 256):
        refuses(ValueError, lambda: np.histogram(image, 256), "Too many bins")
    for method in METHODS:
        with pytest.raises(ValueError, match=r"(?i)too many bins"):
            cheq.equalize(image, method=method)


def test_float32_has_edges_of_its_own():
    edges = np.linspace(0.1, 0.7, 257, dtype=np.float32)
    values = np.clip(neighbors(edges, np.float32), edges[0], edges[-1])[np.newaxis]
    both = [np.histogram(values.astype(dtype), 256)[0] for dtype in FLOATS]
    assert (both[0] != both[1]).any()  # or the next lines prove nothing
    same("skimage", values)
    same("numpy", values)
    same("skimage", values.astype(np.float64))


# ---------------------------------------------------------------- the blocks of np.histogram, threads, batches


@pytest.mark.parametrize("length", [65537, *exhaustive(65535, 65536, 3 * 65536 + 5)])
@each
def test_the_blocks_of_numpy_s_histogram_make_no_difference(method, dtype, length):
    random = np.random.default_rng(length)
    for values in (random.normal(0, 1, length), random.integers(0, 256, length) / 255):
        for threads in (1, 2):
            same(method, values.astype(dtype)[np.newaxis], num_threads=threads)


@pytest.mark.parametrize("threads", [1, 2])
@each
def test_many_planes_each_with_a_range_of_its_own(method, dtype, threads):
    random = np.random.default_rng(6)
    images = (random.normal(0, 1, (700, 1, 9, 11)) * 10.0 ** random.integers(-8, 9, (700, 1, 1, 1))).astype(dtype)
    images[::7] = 0.37
    expected = np.stack([peer(method, image[0])[np.newaxis] for image in images])
    assert_bits(cheq.equalize(images, method=method, num_threads=threads), expected)
    assert_bits(cheq.equalize(images[::-3, 0], method=method, num_threads=threads), expected[::-3, 0])


@pytest.mark.parametrize("nbins", NBINS)
@each
def test_more_bins_than_pixels_and_fewer(method, dtype, nbins):
    images = plane("normal", dtype, (40, 3, 5))
    expected = np.stack([judged(method, image, nbins) for image in images])
    for threads in (1, 2):
        assert_bits(cheq.equalize(images, method=method, nbins=nbins, num_threads=threads), expected)
    large = plane("both ends", dtype, (200, 301))
    same(method, large, nbins, num_threads=2)


@each
def test_a_very_large_number_of_bins(method, dtype):
    for nbins in (65536, 100_003):
        same(method, np.random.default_rng(1).uniform(0, 1, (40, 50)).astype(dtype) ** 9, nbins)


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("threads", [1, 2])
@each
def test_in_place_and_in_the_memory_of_images(method, dtype, threads):
    for shape in ((5, 31, 43), (501, 777)):
        kept = plane("both ends", dtype, shape)
        expected = reference.equalize(kept, method=method)
        if expected.dtype == kept.dtype:
            images = kept.copy()
            assert cheq.equalize(images, method=method, out=images, num_threads=threads) is images
            assert_bits(images, expected)
            buffer = np.concatenate([kept.ravel(), kept.ravel()[:99]])
            images, out = (buffer[start : start + kept.size].reshape(shape) for start in (0, 99))
            cheq.equalize(images, method=method, out=out, num_threads=threads)
            assert_bits(out, expected)
            images = kept.copy()
            cheq.equalize(images, method=method, out=images[..., ::-1], num_threads=threads)
            assert_bits(images[..., ::-1], expected)
        else:  # float32 in the first half of a float64 out
            buffer = np.zeros(kept.size, np.float64)
            images = buffer.view(np.float32)[: kept.size].reshape(shape)
            images[...] = kept
            cheq.equalize(images, method=method, out=buffer.reshape(shape), num_threads=threads)
            assert_bits(buffer.reshape(shape), expected)


@each
def test_a_strided_out_is_written_between_what_is_not(method, dtype):
    images = plane("both ends", dtype, (5, 31, 43))
    expected = reference.equalize(images, method=method)
    buffer = np.full((5, 33, 90), PATTERN, expected.dtype)
    out = buffer[:, 1:-1, 2:88:2]
    for threads in (1, 2):
        assert cheq.equalize(images, method=method, out=out, num_threads=threads) is out
        assert_bits(out, expected)
    out[...] = PATTERN
    assert (buffer == PATTERN).all()


@each
@pytest.mark.parametrize("stride", [76, 81])
def test_rows_that_are_aligned_one_and_not_another(method, dtype, stride):
    """Only tools/sanitize.sh undefined sees a number that is written where it must not lie."""
    images = plane("both ends", dtype, (20, 9))
    expected = reference.equalize(images, method=method)
    out = np.ndarray((20, 9), expected.dtype, np.zeros(20 * stride, np.uint8), 0, (stride, expected.itemsize))
    cheq.equalize(images, method=method, out=out)
    assert_bits(out, expected)
    strided = np.ndarray((20, 9), dtype, np.zeros(20 * stride, np.uint8), 0, (stride, images.itemsize))
    strided[...] = images
    assert_bits(cheq.equalize(strided, method=method), expected)


@each
def test_out_in_the_memory_of_the_mask(method, dtype):
    images = plane("both ends", dtype, (9, 16))
    buffer = np.random.default_rng(1).integers(0, 2, images.size * 8, np.uint8)
    expected_dtype = np.float64 if method == "numpy" else dtype
    mask = buffer[:144].view(bool).reshape(9, 16)
    out = buffer.view(expected_dtype)[:144].reshape(9, 16)
    expected = reference.equalize(images, method=method, mask=mask.copy())
    assert cheq.equalize(images, method=method, mask=mask, out=out) is out
    assert_bits(out, expected)
