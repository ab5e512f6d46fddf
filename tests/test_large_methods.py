"""Every method on planes that threads share, on planes of over 2^24 and 2^31 pixels, and on a million tiny ones."""

import numpy as np
import pytest
import reference
from lists import CASES, FLOAT_CASES, INTEGERS
from pixel_tools import assert_bits, has_peer, peer
from test_large import has_memory

import cheq
from cheq.parity.pixels import plane

exhaustive = pytest.mark.exhaustive
long_test = pytest.mark.long  # minutes, or 8 GiB of files


def cases(*usual, among=CASES):
    """All methods and dtypes; other ones than the usual are long tests."""
    return [pytest.param(*case, marks=() if case in usual else long_test) for case in among]


def judged(method, image):
    """The peer's answer for one plane, or the reference's where there is no peer."""
    return peer(method, image) if has_peer(method, image.dtype.name) else reference.equalize(image, method=method)


# ---------------------------------------------------------------- planes that threads share


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("method", "dtype"), CASES)
def test_one_plane_that_threads_share(method, dtype, threads):
    image = plane("both ends", dtype, (601, 907))
    assert_bits(cheq.equalize(image, method=method, num_threads=threads), judged(method, image))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("method", "dtype"), FLOAT_CASES)
def test_one_large_plane_of_floats(method, dtype, threads):
    image = plane("both ends", dtype, (1201, 977))
    assert_bits(cheq.equalize(image, method=method, num_threads=threads), peer(method, image))
    mask = image > 0.2
    assert_bits(cheq.equalize(image, method=method, mask=mask, num_threads=threads), peer(method, image, mask))
    image[7, 9] = np.nan
    expected = peer(method, image, np.isfinite(image))
    assert_bits(cheq.equalize(image, method=method, nan_policy="omit", num_threads=threads), expected)


# ---------------------------------------------------------------- more results than the caches hold


def laid(memory, shape):
    """Return doubles of another value in such memory."""
    doubles = memory[: 8 * np.prod(shape)].view(np.float64).reshape(shape)
    doubles[:] = -7
    return doubles


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_doubles_past_the_caches(dtype, threads):
    shape = (3, 701, 999)  # more than 16 MiB of them
    images = plane("both ends", dtype, (2103, 999)).reshape(shape)
    expected = np.stack([judged("skimage", image) for image in images])
    memory = np.empty(8 * images.size + 16, np.uint8)
    for offset in (0, 8, 3):
        out = laid(memory[offset:], shape)
        assert_bits(cheq.equalize(images, method="skimage", out=out, num_threads=threads), expected)
    spaced = laid(np.empty(16 * images.size, np.uint8), (*shape, 2))[..., 1]
    assert_bits(cheq.equalize(images, method="skimage", out=spaced, num_threads=threads), expected)
    mask = images > images.min()
    masked = reference.equalize(images, method="skimage", mask=mask)
    found = cheq.equalize(images, method="skimage", mask=mask, out=laid(memory, shape), num_threads=threads)
    assert_bits(found, masked)


# ---------------------------------------------------------------- more than 2^24 pixels

# One more column than 2^24 pixels need: most counts, running counts and totals above it are no float32.
MANY = (4096, 4099)


def many(dtype):
    """More than 2**24 pixels, most of them of one level, so that nearly all running counts are above it, and odd."""
    image = np.resize(plane("dark", dtype, (1, 1_000_003)), MANY)
    image[:, 300:] = image[0, 0]
    image[:5, 301] = image[0, :5]
    return image


@exhaustive
@pytest.mark.parametrize(
    ("method", "dtype"),
    cases(("opencv", "uint8"), ("opencv", "uint16"), ("pillow", "uint8"), ("skimage", "float32"), ("numpy", "int8")),
)
def test_more_than_2_to_the_24_pixels(method, dtype):
    image = np.resize(plane("dark", dtype, (1, 1_000_003)), MANY)
    expected = judged(method, image)
    for threads in (1, 2):
        assert_bits(cheq.equalize(image, method=method, num_threads=threads), expected, f"{threads} threads")


@exhaustive
@pytest.mark.parametrize(
    ("method", "dtype"),
    cases(
        *[("opencv", "uint8"), ("opencv", "uint16"), ("pillow", "uint8"), ("skimage", "uint8")],
        among=[case for case in CASES if case[1] in ("uint8", "uint16")],
    ),
)
def test_running_counts_that_no_float32_holds(method, dtype):
    image = many(dtype)
    running = np.bincount(image.ravel()).cumsum()
    assert np.count_nonzero(running.astype(np.float32) != running) > 20
    assert_bits(cheq.equalize(image, method=method), judged(method, image))


# ---------------------------------------------------------------- more than 2^31 pixels

WIDTH, ROWS = 65_536, 32_770


def row_of(dtype):
    return np.resize(plane("12 of 16 bits", dtype, (1, 1009))[0], WIDTH)


def check_rows(result, row, lut):
    for first in range(0, len(result), 512):
        assert (result[first : first + 512] == lut[row]).all(), f"rows from {first} on"


@exhaustive
@long_test
@pytest.mark.skipif(not has_memory(5), reason="the result takes 2 GiB, and less than 5 GiB are free or known to be")
@pytest.mark.parametrize(("method", "dtype"), [("pillow", None), ("skimage", "same"), ("numpy", "same")])
def test_more_than_2_to_the_31_bytes(method, dtype):
    """Method "opencv" is in test_large.py."""
    row = row_of("uint8")
    counts = np.bincount(row, minlength=256) * ROWS
    assert counts.sum() > 2**31
    lut = reference.equalization_lut(counts, method=method, dtype=dtype)
    check_rows(cheq.equalize(np.broadcast_to(row, (ROWS, WIDTH)), method=method, dtype=dtype), row, lut)


@pytest.fixture
def out_of(tmp_path):
    """An array in a file, sparse until it is written, and deleted after the test: pytest would keep it."""
    file = tmp_path / "out"
    yield lambda dtype: np.memmap(file, dtype, "w+", shape=(ROWS, WIDTH))
    file.unlink()


@exhaustive
@long_test
@pytest.mark.parametrize("method", ["opencv", "skimage", "numpy"])
def test_more_than_2_to_the_31_words(out_of, method):
    row = row_of("uint16")
    dtype = None if method == "opencv" else "same"
    lut = reference.equalization_lut(np.bincount(row, minlength=65_536) * ROWS, method=method, dtype=dtype)
    out = out_of(np.uint16)
    cheq.equalize(np.broadcast_to(row, out.shape), method=method, dtype=dtype, out=out)
    check_rows(out, row, lut)


@exhaustive
@pytest.mark.parametrize(
    "dtype", [pytest.param(dtype, marks=() if dtype == "int16" else long_test) for dtype in INTEGERS]
)
def test_histogram_of_more_than_2_to_the_31_pixels(dtype):
    row = row_of(dtype)
    low = int(np.iinfo(dtype).min)
    levels = int(np.iinfo(dtype).max) - low + 1
    counts = cheq.histogram(np.broadcast_to(row, (ROWS, WIDTH)))
    np.testing.assert_array_equal(counts, np.bincount(row.astype(int) - low, minlength=levels) * ROWS)


def float_row():
    """Floats that lie in the middle of bins, so that their distribution can be told from one row's."""
    row = np.resize(np.array([0.0, 0.3, 0.31, 0.7, 0.3, 1.0, 0.9], np.float32), WIDTH)
    counts, edges = np.histogram(row, 256, (0, 1))
    running = (counts * ROWS).cumsum()
    assert running[-1] > 2**31
    return row, (running / float(running[-1])).astype(np.float32), (edges[:-1] + edges[1:]).astype(np.float32) / 2


@exhaustive
@long_test
def test_distribution_of_more_than_2_to_the_31_floats():
    row, cdf, centers = float_row()
    found, points = cheq.cumulative_distribution(np.broadcast_to(row, (ROWS, WIDTH)))
    np.testing.assert_array_equal(found, cdf, strict=True)
    np.testing.assert_array_equal(points, centers, strict=True)


@exhaustive
@long_test
def test_more_than_2_to_the_31_floats(out_of):
    row, cdf, centers = float_row()
    out = out_of(np.float32)
    cheq.equalize(np.broadcast_to(row, out.shape), method="skimage", out=out)
    expected = np.interp(row, centers, cdf).astype(np.float32)
    for first in range(0, ROWS, 512):
        assert (out[first : first + 512] == expected).all(), f"rows from {first} on"


# ---------------------------------------------------------------- a million planes


@exhaustive
@pytest.mark.parametrize(
    ("method", "dtype"), cases(("opencv", "uint8"), ("pillow", "uint8"), ("skimage", "bool"), ("numpy", "float32"))
)
def test_a_million_tiny_planes(method, dtype):
    """A thousand planes, each of them a thousand times, in any order."""
    planes = np.concatenate(
        [plane(kind, dtype, (250, 3, 2)) for kind in ("uniform", "both ends", "narrow", "two levels")]
    )
    expected = np.stack([judged(method, image) for image in planes])
    order = np.random.default_rng(0).permutation(1_000_000) % len(planes)
    result = cheq.equalize(planes[order], method=method)
    assert_bits(result, expected[order])
