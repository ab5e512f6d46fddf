"""Is CLAHE, byte for byte, what scikit-image's equalize_adapthist gives, in any number of axes?"""

import numpy as np
import pytest
from marks import exhaustive
from pairs import pairs
from pixel_tools import assert_bits, refuses, scikit_image_clahe
from skimage.color import hsv2rgb, rgb2hsv
from skimage.exposure import equalize_adapthist

import cheq
from cheq.parity.pixels import plane

DTYPES = ("uint8", "uint16", "int16", "bool", "float32", "float64")
FLOATS = ("float32", "float64")
SIDES = (1, 2, 3, 5, 8, 9, 16, 31, 64, 97)
KERNELS = (None, 1, 2, 3, 7, 8.9, (5, 4), (1, 9), (30, 2), (200, 3), (64, 130))
LIMITS = (None, 0.01, 0.002, 0.03, 0.2, 1, 0, -1.0)
NBINS = (None, 1, 2, 3, 100, 128, 255, 257, 1000, 16383, 16384, 20000)


def expected(image, kernel_size=None, clip_limit=None, nbins=None):
    """scikit-image's answer for one plane; for one that it would take for RGB, with another axis of length 1."""
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        sides = kernel_size if np.ndim(kernel_size) else [kernel_size] * 3
        sides = [max(side // 8, 1) if own is None else own for side, own in zip(image.shape, sides, strict=True)]
        return scikit_image_clahe(image[np.newaxis], kernel_size=(1, *sides), clip_limit=clip_limit, nbins=nbins)[0]
    return scikit_image_clahe(image, kernel_size=kernel_size, clip_limit=clip_limit, nbins=nbins)


def of_planes(images, n_axes=2, **options):
    """The same for every plane of the last axes."""
    batch = images.shape[:-n_axes]
    planes = [expected(images[at], **options) for at in np.ndindex(batch)]
    return np.stack(planes).reshape(images.shape)


def scaled(image, dtype):
    """A uint16 image in another dtype, some of its values negative where there are such."""
    if dtype == "uint8":
        return (image >> 8).astype(dtype)
    if dtype == "bool":
        return image >= np.median(image)
    if dtype == "int16":
        return (image.astype(np.int32) - 9000).clip(-32768, 32767).astype(dtype)
    return image if dtype == "uint16" else (image / 65535 * 1.2 - 0.2).astype(dtype)


KINDS = ("uniform", "dark", "both ends", "narrow", "gradient", "constant", "lowest level", "two levels")


def sample(shape, dtype="uint16", kind="uniform", seed=0):
    size = int(np.prod(shape))
    return scaled(plane(kind, "uint16", (1, size), seed).reshape(shape), dtype)


def clahe(images, **options):
    return cheq.clahe(images, method="skimage", **options)


# ---------------------------------------------------------------- one plane


@pytest.mark.parametrize("part", [0, *exhaustive(1, 2, 3, 4)])
def test_sizes_kernels_limits_bins_and_dtypes(part):
    rows = pairs(SIDES, SIDES, KERNELS, LIMITS, NBINS, KINDS, DTYPES)
    for seed, (height, width, kernel_size, clip_limit, nbins, kind, dtype) in [*enumerate(rows)][part::5]:
        image = sample((height, width), dtype, kind, seed)
        options = {"kernel_size": kernel_size, "clip_limit": clip_limit, "nbins": nbins}
        assert_bits(clahe(image, **options), expected(image, **options), f"{image.shape} {dtype} {kind} {options}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_defaults_are_those_of_scikit_image(dtype):
    image = sample((120, 161), dtype, "dark")
    assert_bits(clahe(image), equalize_adapthist(image))


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_every_level_of_16_bits(dtype):
    image = np.arange(1 << 16, dtype=np.uint16).view(dtype).reshape(256, 256)
    for part in (image, image[:, :100], image[::-1, 3:5]):  # more and fewer pixels than levels
        assert_bits(clahe(part, kernel_size=50), expected(part, kernel_size=50))


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_beside_the_levels(dtype):
    """Halves between two levels, their neighbors, the ends and zeros of both signs."""
    halves = (np.arange(0, 65535, 17) + 0.5) / 65535
    ends = np.array([-1, 1], dtype)
    values = np.concatenate([halves, -halves, ends, [0.0, -0.0, 1e-45]]).astype(dtype)
    values = np.concatenate([values, *(np.nextafter(values, end) for end in ends)])
    image = np.resize(values, (150, 160))
    for part in (image, np.abs(image), -np.abs(image)):
        assert_bits(clahe(part), expected(part))


def test_constants():
    """They are clipped, not scaled: what they become depends on the level."""
    for dtype, values in (("uint8", (0, 1, 2, 63, 64, 255)), ("uint16", (0, 1, 2, 16382, 16383, 16384, 65535))):
        for value in values:
            image = np.full((10, 12), value, dtype)
            for clip_limit in (0, 0.01):
                assert_bits(clahe(image, clip_limit=clip_limit), expected(image, clip_limit=clip_limit))
    options = {"kernel_size": 150, "nbins": 64, "clip_limit": 1e-6}  # a bin each, so that level 257 just is above 0
    for value in (0, 1):
        image = np.full((10, 12), value, np.uint8)
        assert_bits(clahe(image, **options), expected(image, **options))
    assert clahe(image, **options).any()


def test_excess_that_takes_many_rounds_to_share_out():
    """Few levels, all of them above the limit, or all but one; every share of bins to excess."""
    random = np.random.default_rng(1)
    for seed in range(60):
        levels = random.choice(256, random.integers(1, 200), replace=False).astype(np.uint8)
        weights = random.random(levels.size) ** random.integers(1, 9)
        image = random.choice(levels, (32, 48), p=weights / weights.sum())
        options = {"kernel_size": (16, 24), "clip_limit": random.choice([0.0027, 0.003, 0.004, 0.0055, 0.01, 0.05])}
        options["nbins"] = int(random.choice([256, 200, 64, 17, 2000]))
        assert_bits(clahe(image, **options), expected(image, **options), f"{seed} {options}")
    image = np.resize([0, 255], (10, 20)).astype(np.uint8)
    image[:, 10:] = random.choice([128, 255], (10, 10))  # bin 0 of this tile has the only room, for one a round
    options = {"kernel_size": 10, "clip_limit": 0.4, "nbins": 3}
    assert_bits(clahe(image, **options), expected(image, **options))


# ---------------------------------------------------------------- axes, batches, layouts


@pytest.mark.parametrize("dtype", ["float32", *exhaustive("uint8")])
@pytest.mark.parametrize(
    "shape", [(1,), (100,), (16, 16, 3), (3, 4, 2, 5, 3), *exhaustive((9, 20, 31), (1, 7, 4), (5, 6, 7, 8))]
)
def test_planes_of_other_numbers_of_axes(shape, dtype):
    image = sample(shape, dtype)
    axes = tuple(range(len(shape)))
    beyond = {1: 300, 2: 90, 3: 40, 4: 10, 5: 5}[len(shape)]  # scikit-image fills as much memory as this needs
    for kernel_size in (None, 1, 3, 4.5, tuple(range(2, 2 + len(shape))), beyond):
        assert_bits(clahe(image, axes=axes, kernel_size=kernel_size), expected(image, kernel_size), f"{kernel_size}")


@pytest.mark.parametrize("n", [7, pytest.param(10, marks=pytest.mark.long)])  # a minute of scikit-image's
def test_many_axes(n):
    image = sample((2,) * n, "uint8")
    assert_bits(clahe(image, axes=range(n)), expected(image))


def test_most_axes():
    image = sample((2, 1, 2, 3, 1, 2, 2), "uint8")
    assert_bits(clahe(image, axes=range(7), kernel_size=2), expected(image, 2))
    refuses(ValueError, lambda: clahe(sample((2,) * 11, "uint8"), axes=range(11)), "axes", "10", "2, 2")


def test_kernel_size_follows_axes_in_ascending_order():
    images = sample((4, 20, 3, 30), "uint8")
    result = clahe(images, axes=(3, 1), kernel_size=(6, 11))
    for first, third in np.ndindex(4, 3):
        image = images[first, :, third]
        assert_bits(result[first, :, third], expected(image, (6, 11)))


def test_each_channel_is_a_plane():
    images = sample((2, 40, 50, 3), "uint8")
    wanted = np.moveaxis(of_planes(np.moveaxis(images, -1, 1)), 1, -1)
    assert_bits(clahe(images, channel_axis=-1), wanted)
    volume = sample((3, 8, 9, 10), "float64")
    assert_bits(clahe(volume, axes=(1, 2, 3), channel_axis=0), of_planes(volume, 3))


@pytest.mark.parametrize("dtype", ["uint8", "float64"])  # the others: test_every_layout.py
def test_layouts(layout, dtype):
    images = sample((3, 21, 34), dtype)
    laid_out = layout(images)
    assert_bits(clahe(laid_out, clip_limit=0.02), of_planes(np.array(laid_out), clip_limit=0.02))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_out(writable_layout, dtype):
    images = sample((2, 5, 12, 13), dtype)
    out = writable_layout(np.zeros(images.shape, np.float32 if dtype == "float32" else np.float64))
    assert clahe(images, axes=(1, 2, 3), out=out) is out
    assert_bits(out, of_planes(images, 3))


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name != "bool"])
def test_same_dtype_and_in_place(writable_layout, dtype):
    images = sample((3, 30, 41), dtype)
    wanted = of_planes(images)
    if dtype not in FLOATS:
        limits = np.iinfo(dtype)
        wanted = (limits.min + np.rint(wanted * (limits.max - limits.min))).astype(dtype)
    assert_bits(clahe(images, dtype="same"), wanted)
    place = writable_layout(images.copy())
    assert clahe(place, dtype=dtype, out=place) is place
    assert_bits(place, wanted)


def test_out_that_overlaps_the_images():
    buffer = sample((70, 50), "float64")
    before, out = buffer[:60].copy(), buffer[10:]
    clahe(buffer[:60], out=out)
    assert_bits(out, expected(before))


def test_no_pixels():
    assert clahe(np.zeros((0, 5, 6), np.uint8)).shape == (0, 5, 6)
    assert clahe(np.zeros((3, 0, 6), np.float32)).dtype == np.float32


# With LUTs that are kept all, four layers at a time, and two.
SHARED = [
    *(((700, 500), 2, None, 256), ((3, 400, 401), 2, (37, 400), 256), ((150_000,), 1, 5000, 256)),
    *(((60, 61, 70), 3, None, 256), ((60, 61, 70), 3, None, 700), ((4, 45_000), 2, (1, 45), 256)),
]


@pytest.mark.parametrize(("shape", "n_axes", "kernel_size", "nbins"), SHARED)
@pytest.mark.parametrize("dtype", ["uint8", *exhaustive("float32")])
def test_threads_that_share_a_plane(shape, n_axes, kernel_size, nbins, dtype):
    images, options = sample(shape, dtype, "dark"), {"kernel_size": kernel_size, "nbins": nbins}
    axes, wanted = tuple(range(-n_axes, 0)), of_planes(images, n_axes, **options)
    for threads in (1, 2, 5):
        assert_bits(clahe(images, axes=axes, num_threads=threads, **options), wanted)


# ---------------------------------------------------------------- RGB


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [3, 4])
def test_rgb_as_scikit_image_does_it(dtype, channels):
    image = np.abs(sample((50, 61, channels), dtype))
    hsv = rgb2hsv(image[..., :3])
    clahe(hsv[..., 2], out=hsv[..., 2])
    assert_bits(hsv2rgb(hsv), equalize_adapthist(image))


# ---------------------------------------------------------------- errors

IMAGE = sample((20, 30), "float64")


@pytest.mark.parametrize(
    ("options", "error", "fragments"),
    [
        ({"clip_limit": 2.0}, ValueError, ("clip_limit", "at most 1", "2.0", "256", "0.0078125")),
        ({"clip_limit": np.inf}, ValueError, ("clip_limit", "at most 1")),
        ({"clip_limit": np.nan}, ValueError, ("clip_limit", "NaN")),
        ({"clip_limit": [0.1, 0.2]}, ValueError, ("clip_limit", "one number", "(2,)")),
        ({"clip_limit": "0.1"}, TypeError, ("clip_limit", "a number", "'0.1'")),
        ({"clip_limit": True}, TypeError, ("clip_limit", "a number", "True")),
        ({"kernel_size": 0}, ValueError, ("kernel_size", "1 or more", "0")),
        ({"kernel_size": 0.9}, ValueError, ("kernel_size", "1 or more", "0.9")),
        ({"kernel_size": (4, np.nan)}, ValueError, ("kernel_size", "1 or more", "nan")),
        ({"kernel_size": (4, -3)}, ValueError, ("kernel_size", "1 or more", "-3")),
        ({"kernel_size": np.inf}, ValueError, ("kernel_size", "1 or more", "inf")),
        ({"kernel_size": (8, 8, 8)}, ValueError, ("kernel_size", "2 axes", "(8, 8, 8)")),
        ({"kernel_size": ()}, ValueError, ("kernel_size", "2 axes", "()")),
        ({"kernel_size": (1 << 16, 1 << 15)}, ValueError, ("kernel_size", "1073741823 pixels", "65536")),
        ({"kernel_size": "88"}, TypeError, ("kernel_size", "2 axes", "'88'")),
        ({"kernel_size": True}, TypeError, ("kernel_size", "2 axes", "True")),
        ({"kernel_size": object()}, TypeError, ("kernel_size", "2 axes", "object")),
        ({"nbins": 0}, ValueError, ("nbins", "1 to", "0")),
        ({"nbins": 256.0}, TypeError, ("nbins", "int", "256.0")),
        ({"dtype": "uint8"}, ValueError, ("dtype", "'same'", "uint8")),
        ({"tile_grid_size": (8, 8)}, ValueError, ("tile_grid_size", "'opencv' only", "(8, 8)")),
        ({"mask": IMAGE > 0}, ValueError, ("mask", "'opencv' only", "array(")),
        ({"outside": "keep"}, ValueError, ("outside", "'opencv' only", "'keep'")),
        ({"out": np.zeros((20, 30), np.float32)}, TypeError, ("out", "float64", "float32")),
    ],
)
def test_arguments_are_refused(options, error, fragments):
    refuses(error, lambda: clahe(IMAGE, **options), *fragments)


@pytest.mark.parametrize("name", ["kernel_size", "nbins"])
def test_its_arguments_are_refused_by_the_other_method(name):
    refuses(ValueError, lambda: cheq.clahe(np.zeros((9, 9), np.uint8), **{name: 8}), name, "'skimage' only", "8")


def test_dtypes_are_refused():
    refuses(TypeError, lambda: clahe(IMAGE.astype(np.float16)), "images", "float16", "overflow", "np.float32")
    for dtype in ("int8", "int32", "uint64", "complex64"):
        refuses(TypeError, lambda dtype=dtype: clahe(IMAGE.astype(dtype)), "images", "uint16, int16, bool", dtype)
    refuses(TypeError, lambda: clahe(IMAGE > 0, dtype="same"), "dtype", "bool")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.001, -1.001, 1e30])
def test_values_are_refused_before_anything_is_written(value, dtype):
    images = sample((3, 20, 30), dtype)
    images[2, 7, 5] = value
    out = np.full(images.shape, 7.0, dtype)
    shown = "NaN" if np.isnan(value) else "an infinity" if np.isinf(value) else str(float(images.dtype.type(value)))
    refuses(ValueError, lambda: clahe(images, out=out), "images", "from -1 to 1", f"got {shown} in plane (2,)")
    refuses(ValueError, lambda: clahe(images[2]), "images", "from -1 to 1")
    assert (out == 7.0).all()
