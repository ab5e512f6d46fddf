"""Is CLAHE, byte for byte, what OpenCV gives for each plane, whatever the sizes, grids, limits, layouts and threads?"""

import re

import cv2
import numpy as np
import pytest
from pairs import pairs
from pixel_tools import assert_bits

import cheq
from cheq.parity.pixels import plane

SIDES = (1, 2, 3, 7, 8, 16, 31, 64, 97)
GRIDS = (1, 2, 3, 7, 8, 16, 100)
LIMITS = (-1.0, 0.0, 0.3, 1.0, 2.0, 3.7, 40.0, 1e6)
KINDS = ("uniform", "dark", "both ends", "narrow", "gradient", "constant", "lowest level", "two levels")
DTYPES = ("uint8", "uint16")


def expected(images, clip_limit=40.0, tile_grid_size=(8, 8)):
    """OpenCV's answer for every plane of the last two axes; limits broadcast to the batch shape."""
    limits = np.broadcast_to(clip_limit, images.shape[:-2])
    result = np.empty(images.shape, images.dtype)
    for at in np.ndindex(limits.shape):
        result[at] = cv2.createCLAHE(float(limits[at]), tile_grid_size).apply(np.ascontiguousarray(images[at]))
    return result


def check(images, num_threads=None, **options):
    """Demand OpenCV's bytes in a new array and in place."""
    check_against(expected(images, **options), images, num_threads, **options)


def check_against(wanted, images, num_threads=None, **options):
    assert_bits(cheq.clahe(images, num_threads=num_threads, **options), wanted)
    place = images.copy()
    assert cheq.clahe(place, out=place, num_threads=num_threads, **options) is place
    assert_bits(place, wanted)


# ---------------------------------------------------------------- one plane


def test_sizes_grids_and_limits(kernel):
    rows = pairs(SIDES, SIDES, GRIDS, GRIDS, LIMITS, KINDS, DTYPES)
    for seed, (height, width, columns, rows_of_tiles, limit, kind, dtype) in enumerate(rows):
        image = plane(kind, dtype, (height, width), seed)
        most = 100 if dtype == "uint8" else 9  # OpenCV's LUTs of 16 bits are 128 KiB each
        check(image, clip_limit=limit, tile_grid_size=(min(columns, most), min(rows_of_tiles, most)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_and_grids_at_random(kernel, dtype):
    random = np.random.default_rng(5)
    for seed in range(40):
        height, width = (int(random.integers(1, 500)) for _ in range(2))
        grid = tuple(int(random.integers(1, 17)) for _ in range(2))
        image = plane(KINDS[seed % len(KINDS)], dtype, (height, width), seed)
        check(image, clip_limit=random.choice(LIMITS), tile_grid_size=grid)


def test_every_small_size_and_grid():
    for height, width in np.ndindex(5, 5):
        for columns, rows in np.ndindex(6, 6):
            image = plane("uniform", "uint8", (height + 1, width + 1))
            check(image, clip_limit=2.0, tile_grid_size=(columns + 1, rows + 1))


def test_defaults_are_those_of_opencv():
    for dtype in DTYPES:
        image = plane("dark", dtype, (120, 160))
        assert_bits(cheq.clahe(image), cv2.createCLAHE().apply(image))


def test_tiles_whose_sides_are_powers_of_two(kernel):
    """Ties of the last rounding are frequent there."""
    for width, height, grid in ((64, 64, (8, 8)), (256, 128, (2, 8)), (128, 512, (1, 1)), (1024, 64, (8, 64))):
        check(plane("both ends", "uint8", (height, width)), clip_limit=3.0, tile_grid_size=grid)
        check(plane("uniform", "uint16", (height, width)), clip_limit=3.0, tile_grid_size=grid)


def test_wide_and_high_planes(kernel):
    shapes = ((3, 5000), (5000, 3), (1, 70_001), (70_001, 1), (40, 3001))
    for shape, grid, dtype in pairs(shapes, ((8, 8), (1, 1), (50, 2), (2, 50)), DTYPES):
        check(plane("dark", dtype, shape), clip_limit=2.0, tile_grid_size=grid)


# ---------------------------------------------------------------- batches and layouts


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype, layout):
    grid = (8, 8) if dtype == "uint8" else (3, 2)
    laid = layout(plane("both ends", dtype, (3, 41, 53)))
    assert_bits(cheq.clahe(laid, clip_limit=2.0, tile_grid_size=grid), expected(np.asarray(laid), 2.0, grid))
    for channels in (1, 2, 3, 4):
        laid = layout(plane("both ends", dtype, (2, 24, 37, channels)))
        wanted = np.moveaxis(expected(np.moveaxis(np.asarray(laid), -1, 1), 2.0, grid), 1, -1)
        assert_bits(cheq.clahe(laid, clip_limit=2.0, tile_grid_size=grid, channel_axis=-1), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts_of_out(dtype, writable_layout):
    images = plane("both ends", dtype, (3, 41, 53))
    out = writable_layout(np.zeros_like(images))
    for source in (images, images[:, ::-1], images[..., ::-1]):
        assert cheq.clahe(source, clip_limit=2.0, tile_grid_size=(3, 5), out=out) is out
        assert_bits(out, expected(source, 2.0, (3, 5)))
    place = writable_layout(images.copy())
    cheq.clahe(place, clip_limit=2.0, out=place)
    assert_bits(place, expected(images, 2.0))


def test_axes():
    images = plane("uniform", "uint8", (24, 3, 37))
    wanted = np.moveaxis(expected(np.moveaxis(images, 1, 0), 2.0), 0, 1)
    for axes in ((0, 2), (2, 0), (-3, -1)):
        assert_bits(cheq.clahe(images, clip_limit=2.0, axes=axes), wanted)


@pytest.mark.parametrize("offset", [-53, -1, 1, 53, 1000])
def test_out_beside_images_in_one_buffer(offset):
    buffer = plane("dark", "uint8", (1, 41 * 53 + 2000))[0]
    images, out = (buffer[1000 + begin : 1000 + begin + 41 * 53].reshape(41, 53) for begin in (0, offset))
    wanted = expected(images.copy())
    cheq.clahe(images, out=out)
    assert_bits(out, wanted)


def test_words_that_are_not_aligned():
    images = plane("dark", "uint16", (2, 41, 53))
    memory = np.zeros(images.nbytes + 1, np.uint8)
    odd = memory[1:].view(np.uint16).reshape(images.shape)
    odd[...] = images
    cheq.clahe(odd, clip_limit=2.0, out=odd)
    assert_bits(odd, expected(images, 2.0))
    assert memory[0] == 0


@pytest.mark.parametrize("shape", [(0, 8), (8, 0), (0, 5, 5), (2, 0, 5, 5), (3, 0, 4)])
def test_empty_images(shape):
    for dtype in DTYPES:
        images = np.zeros(shape, dtype)
        assert_bits(cheq.clahe(images, axes=(-2, -1)), images)
        out = np.zeros(shape, dtype)
        assert cheq.clahe(images, axes=(-2, -1), out=out, mask=np.ones(shape, bool)) is out


@pytest.mark.parametrize(("dtype", "shape", "grid"), [
    ("uint8", (1, 700, 901), (8, 8)), ("uint8", (3, 500, 700), (8, 8)), ("uint8", (5, 300, 400), (3, 4)),
    ("uint8", (1, 500, 600), (50, 40)), ("uint8", (1, 2, 200_000), (8, 8)), ("uint8", (40, 96, 96), (8, 8)),
    ("uint16", (1, 700, 901), (8, 8)), ("uint16", (3, 500, 700), (3, 4)), ("uint16", (12, 96, 96), (8, 8)),
    pytest.param("uint8", (1, 2200, 2100), (8, 8), marks=pytest.mark.exhaustive),
    pytest.param("uint16", (1, 500, 600), (9, 7), marks=pytest.mark.exhaustive),
    pytest.param("uint16", (1, 2, 200_000), (8, 8), marks=pytest.mark.exhaustive),
])  # fmt: skip
def test_threads(dtype, shape, grid):
    images = plane("dark", dtype, shape)
    wanted = expected(images, 2.0, grid)
    for threads in (1, 2, 5):
        check_against(wanted, images, threads, clip_limit=2.0, tile_grid_size=grid)


# ---------------------------------------------------------------- limits


def test_a_limit_for_each_plane():
    images = plane("dark", "uint8", (2, 3, 40, 50))
    for limits in ([1.0, 2.0, 40.0], [[3.0], [0.0]], np.arange(6).reshape(2, 3), np.float32(1.5), np.array([7])):
        assert_bits(cheq.clahe(images, clip_limit=limits), expected(images, limits))


def test_a_limit_for_each_image():
    images = plane("dark", "uint8", (2, 40, 50, 3))
    wanted = np.moveaxis(expected(np.moveaxis(images, -1, 1), [[2.0], [5.0]]), 1, -1)
    assert_bits(cheq.clahe(images, clip_limit=[2.0, 5.0], channel_axis=-1), wanted)
    images = images.transpose(3, 0, 1, 2)
    assert_bits(cheq.clahe(images, clip_limit=[2.0, 5.0], channel_axis=0), expected(images, [2.0, 5.0]))
    limits = np.arange(6.0).reshape(3, 2)
    assert_bits(cheq.clahe(images, clip_limit=limits, channel_axis=0), expected(images, limits))


# ---------------------------------------------------------------- masks


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_of_one_tile(dtype):
    """One tile's LUT is that of the pixels that are counted, as if they were an image."""
    image = plane("narrow", dtype, (37, 41))
    mask = np.random.default_rng(0).random(image.shape) < 0.6
    counted = np.ascontiguousarray(image[mask][np.newaxis])
    result = cheq.clahe(image, clip_limit=2.0, tile_grid_size=(1, 1), mask=mask)
    np.testing.assert_array_equal(result[mask], expected(counted, 2.0, (1, 1))[0])
    kept = cheq.clahe(image, clip_limit=2.0, tile_grid_size=(1, 1), mask=mask, outside="keep")
    assert_bits(kept, np.where(mask, result, image))


@pytest.mark.parametrize("dtype", DTYPES)
def test_masks_that_select_all_or_nothing(dtype):
    images = plane("both ends", dtype, (2, 37, 41))
    assert_bits(cheq.clahe(images, mask=np.True_), expected(images))
    assert_bits(cheq.clahe(images, mask=np.zeros(images.shape[1:], bool)), images)
    assert_bits(cheq.clahe(images, mask=np.zeros(images.shape[1:], bool), outside="keep"), images)


# ---------------------------------------------------------------- refusals

IMAGE = np.zeros((20, 30), np.uint8)


@pytest.mark.parametrize(("options", "message"), [
    ({"method": "pillow"}, "method: expected one of 'opencv'"),
    ({"color": "rgb"}, "color: expected one of 'channels'"),
    ({"tile_grid_size": 8}, "tile_grid_size: expected two ints, (columns, rows), got 8"),
    ({"tile_grid_size": (8,)}, "tile_grid_size: expected two ints, (columns, rows), got (8,)"),
    ({"tile_grid_size": (0, 8)}, "tile_grid_size: expected 1 to 2147483647 columns and rows, got (0, 8)"),
    ({"tile_grid_size": (8, -1)}, "tile_grid_size: expected 1 to 2147483647 columns and rows, got (8, -1)"),
    ({"tile_grid_size": (8, 1 << 31)}, "tile_grid_size: expected 1 to 2147483647 columns"),
    ({"clip_limit": np.nan}, "clip_limit: expected numbers, got NaN"),
    ({"clip_limit": np.inf}, "clip_limit: expected fewer than 2147483648 pixels"),
    ({"clip_limit": 2.0**40}, "clip_limit: expected fewer than 2147483648 pixels, clip_limit * 4 * 3 / 256, got"),
    ({"clip_limit": [1.0, 2.0]}, "clip_limit: expected a shape that broadcasts to (), got (2,)"),
    ({"axes": 0}, "axes: expected two axes, height and width, got 0"),
    ({"outside": "keep"}, "outside: expected 'lut' without a mask"),
    ({"dtype": "uint16"}, "dtype: expected None, 'same' or the images' own dtype, uint8"),
    ({"out": np.zeros((30, 20), np.uint8)}, "out: expected the images' shape"),
])  # fmt: skip
def test_values_out_of_range(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        cheq.clahe(IMAGE, **options)


@pytest.mark.parametrize(("options", "message"), [
    ({"tile_grid_size": (8, 8.0)}, "tile_grid_size: expected two ints, got 8.0"),
    ({"clip_limit": "2"}, "clip_limit: expected a number or an array of numbers"),
    ({"clip_limit": True}, "clip_limit: expected a number or an array of numbers, got dtype bool"),
    ({"clip_limit": 2j}, "clip_limit: expected a number or an array of numbers, got dtype complex128"),
    ({"mask": IMAGE}, "mask: expected dtype bool"),
    ({"out": np.zeros((20, 30), np.uint16)}, "out: expected dtype uint8"),
])  # fmt: skip
def test_values_of_another_type(options, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        cheq.clahe(IMAGE, **options)


def test_images_of_other_dtypes_and_shapes():
    for dtype in ("int8", "int16", "float32", "float64", "bool", "uint32"):
        with pytest.raises(TypeError, match=f"images: expected dtype uint8 or uint16, got {dtype}"):
            cheq.clahe(IMAGE.astype(dtype))
    with pytest.raises(ValueError, match=r"axes: expected two axes, height and width, got \(0, 1, 2\)"):
        cheq.clahe(np.zeros((5, 6, 7), np.uint8), axes=(0, 1, 2))
    with pytest.raises(ValueError, match="images: expected channel_axis or axes"):
        cheq.clahe(np.zeros((5, 6, 3), np.uint8))
    with pytest.raises(ValueError, match="tile_grid_size: expected tiles of at most 2147483647 pixels"):
        cheq.clahe(np.broadcast_to(np.uint8(0), (1 << 16, 1 << 15)), tile_grid_size=(1, 1))


def test_the_largest_limit_that_fits():
    image = plane("dark", "uint8", (64, 64))
    check(image, clip_limit=np.nextafter(2.0**33, 0), tile_grid_size=(8, 8))
    with pytest.raises(ValueError, match="clip_limit: expected fewer"):
        cheq.clahe(image, clip_limit=2.0**33)
