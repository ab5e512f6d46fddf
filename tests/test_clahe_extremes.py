"""CLAHE at its bounds: grids of millions, the largest tiles, limits at the edge, pixels that change under its hands."""

import itertools
import threading

import numpy as np
import pytest
import reference_clahe
from pixel_tools import assert_bits, opencv_clahe, refuses

import cheq
from cheq.parity.pixels import plane


@pytest.mark.parametrize(
    ("dtype", "grids"),
    [
        ("uint8", [(10**5, 1), (1, 10**5), (300, 500), (53, 37), (54, 38), (1000, 2)]),
        ("uint16", [(54, 38)]),
    ],
)
def test_grids_larger_than_the_image(kernel, dtype, grids):
    image = plane("both ends", dtype, (37, 53))
    for grid in grids:
        expected = opencv_clahe(image, 3.0, grid)
        for threads in (1, 3):
            assert_bits(cheq.clahe(image, clip_limit=3.0, tile_grid_size=grid, num_threads=threads), expected)


@pytest.mark.parametrize("grid", [(2**31 - 1, 1), (1, 2**31 - 1), (2**31 - 1, 2**31 - 1), (10**6, 10**6)])
def test_grids_that_opencv_has_no_memory_for(kernel, grid):
    """Of tiles of a pixel, few of which are used: each counts one, as in a grid that just exceeds the image."""
    image = plane("both ends", "uint8", (37, 53))
    columns, rows = (min(number, 2 * side) for number, side in zip(grid, (53, 37), strict=True))
    expected = opencv_clahe(image, 3.0, (columns, rows))
    assert_bits(cheq.clahe(image, clip_limit=3.0, tile_grid_size=grid), expected)


@pytest.mark.parametrize("pixels", [254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537])
@pytest.mark.parametrize("kind", ["constant", "highest level", "two levels", "one pixel off", "uniform"])
def test_tiles_whose_counts_just_fit_a_byte_or_a_word(kernel, kind, pixels):
    """One level may have them all; also as the last of four tiles, each counted after another one."""
    for dtype in ("uint8", "uint16"):
        for grid in ((1, 1), (4, 1), (1, 4)) if dtype == "uint8" else ((1, 1),):
            image = plane(kind, dtype, (grid[1], grid[0] * pixels))
            for clip_limit in (0, 1.0, 3.0, 255.9):
                options = {"clip_limit": clip_limit, "tile_grid_size": grid}
                assert_bits(cheq.clahe(image, **options), opencv_clahe(image, **options), f"{options}")
        if np.sqrt(pixels) % 1 == 0:
            image = plane(kind, dtype, (int(np.sqrt(pixels)),) * 2)
            assert_bits(cheq.clahe(image, tile_grid_size=(1, 1)), opencv_clahe(image, None, (1, 1)))


def test_limits_at_the_edge_of_an_int():
    """Of a tile of 256 pixels of 256 levels a limit is its number of pixels."""
    image = plane("both ends", "uint8", (16, 16))
    for limit in (255, 256, 2**31 - 1, np.nextafter(2.0**31, 0)):
        assert_bits(cheq.clahe(image, clip_limit=limit, tile_grid_size=(1, 1)), opencv_clahe(image, limit, (1, 1)))
    for limit in (2.0**31, 2**40, 2**63, np.inf, 1e308, np.longdouble("1e4000"), [2.0**31], np.uint64(2**63)):
        images = image[np.newaxis] if np.ndim(limit) else image
        refuses(
            ValueError, lambda images=images, limit=limit: cheq.clahe(images, clip_limit=limit, tile_grid_size=(1, 1)),
            "clip_limit: expected fewer than 2147483648 pixels",
        )  # fmt: skip


# ---------------------------------------------------------------- tiles of a gigapixel


def of_one_tile(row, kernel, clip_limit):
    """scikit-image's answer for a row in one tile, whose pixels are counted as often as the tile mirrors them."""
    last, bins = len(row) - 1, reference_clahe.levels_between(row) // 65
    times = [len(range(i, kernel, 2 * last)) + len(range(2 * last - i, kernel, 2 * last)) * (0 < i < last)
             for i in range(len(row))]  # fmt: skip
    assert sum(times) == kernel
    counts = np.bincount(bins, times, minlength=256).astype(np.int64)
    counts = reference_clahe.redistributed(counts, int(max(clip_limit * kernel, 1)) if clip_limit > 0 else kernel)
    lut = np.trunc(np.minimum(np.cumsum(counts) * (16383 / kernel), 16383))
    grays = reference_clahe.between_tiles(bins, lut[np.newaxis], [kernel]).astype(np.uint16)
    lowest, highest = int(grays.min()), int(grays.max())
    return np.clip(grays, 0.0, 1.0) if lowest == highest else (grays - lowest) / (highest - lowest)


@pytest.mark.parametrize("clip_limit", [0, 1e-8, 1e-3, 0.5])
@pytest.mark.parametrize("kernel_size", [2**20, 2**29 + 1, 2**30 - 1])
def test_the_largest_tiles(kernel_size, clip_limit):
    row = np.array([3, 200, 9, 9, 77, 120], np.uint8)
    result = cheq.clahe(row, method="skimage", axes=0, kernel_size=kernel_size, clip_limit=clip_limit)
    assert_bits(result, of_one_tile(row, kernel_size, clip_limit))


@pytest.mark.parametrize(("kernel_size", "axes"), [(2**30, 0), (10**400, 0), ((2**15, 2**15), (0, 1))])
def test_tiles_that_are_too_large(kernel_size, axes):
    options = {"method": "skimage", "axes": axes, "kernel_size": kernel_size}
    image = np.zeros((6,) * np.size(axes), np.uint8)
    refuses(ValueError, lambda: cheq.clahe(image, **options), "expected tiles of at most 1073741823 pixels")


@pytest.mark.parametrize(
    "options", [{"tile_grid_size": [0] * 10**6}, {"method": "skimage", "kernel_size": [1] * 10**6}]
)
def test_messages_stay_short(options):
    with pytest.raises(ValueError) as caught:
        cheq.clahe(np.zeros((6, 6), np.uint8), **options)
    assert len(str(caught.value)) < 250


def test_options_that_are_no_texts_and_sides_without_end():
    image = np.zeros((6, 6), np.uint8)
    for method in ("opencv", "skimage"):
        for value in (np.array(["lut", "x"]), np.array([1, 2]), None, 0):
            refuses(
                ValueError, lambda method=method, value=value: cheq.clahe(image, method=method, outside=value),
                "outside: expected one of 'lut', 'keep'; got ",
            )  # fmt: skip
    refuses(ValueError, lambda: cheq.clahe(image, method="skimage", kernel_size=itertools.count(1)), "kernel_size: ")
    refuses(ValueError, lambda: cheq.clahe(image, tile_grid_size=itertools.count(1)), "tile_grid_size: ")


# ---------------------------------------------------------------- pixels that change


@pytest.mark.parametrize("method", ["opencv", "skimage"])
def test_pixels_that_another_thread_writes_meanwhile(kernel, method):
    """What comes out is some picture, and nothing outside is read or written: levels are not what they were before."""
    images, stop = np.full((600, 800), 30_000, np.uint16), threading.Event()
    one, any_level = images.copy(), np.random.default_rng(0).integers(0, 1 << 16, images.shape).astype(np.uint16)

    def write():
        while not stop.is_set():
            images[...] = one
            images[...] = any_level

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            assert cheq.clahe(images, method=method, num_threads=1).shape == images.shape
    finally:
        stop.set()
        writer.join()
