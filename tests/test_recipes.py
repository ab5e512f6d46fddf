"""Do the published recipes, batched and under their own names, give what they give for each image? To the last bit."""

import warnings

import numpy as np
import pytest
import reference
import skimage.color
import skimage.exposure
from lists import DTYPES, FLOATS, INTEGERS
from pixel_tools import assert_bits, refuses

import cheq
from cheq.bench.peers import recipe
from cheq.parity.pixels import KINDS, MASKS, plane
from cheq.parity.pixels import mask as mask_of

NUMBERS = (1, 2, 10, 255, 256, 1000)
each_dtype = pytest.mark.parametrize("dtype", DTYPES["numpy"])


def original(image, number_bins=256):
    with np.errstate(all="ignore"):
        return recipe(image, number_bins)


def assert_pair(result, expected):
    assert isinstance(result, tuple)
    assert len(result) == 2
    for one, wanted in zip(result, expected, strict=True):
        assert_bits(one, wanted)


# ---------------------------------------------------------------- image_histogram_equalization


@pytest.mark.parametrize("kind", KINDS)
@each_dtype
def test_one_image_and_its_cdf(dtype, kind):
    for seed, shape in enumerate([(31, 67), (1, 1), (8, 9), (96, 96)]):
        image = plane(kind, dtype, shape, seed)
        before = image.copy()
        assert_pair(cheq.recipes.image_histogram_equalization(image), original(image))
        assert image.tobytes() == before.tobytes()


@pytest.mark.parametrize("number_bins", NUMBERS)
@each_dtype
def test_any_number_of_bins(dtype, number_bins):
    for kind in ("both ends", "narrow", "constant", "two levels"):
        image = plane(kind, dtype, (31, 67))
        expected = original(image, number_bins)
        assert expected[1].shape == (number_bins,)
        assert_pair(cheq.recipes.image_histogram_equalization(image, number_bins), expected)
        assert_pair(cheq.recipes.image_histogram_equalization(image, number_bins=np.int16(number_bins)), expected)


@each_dtype
def test_a_batch_is_equalized_image_by_image(dtype):
    images = np.stack([plane(kind, dtype, (2, 13, 21)) for kind in KINDS])
    for threads in (None, 1, 2):
        equalized, cdf = cheq.recipes.image_histogram_equalization(images, 100, num_threads=threads)
        assert equalized.shape == images.shape
        assert cdf.shape == (len(KINDS), 2, 100)
        for place in np.ndindex(images.shape[:2]):
            assert_pair((equalized[place], cdf[place]), original(images[place], 100))
    assert_pair(
        cheq.recipes.image_histogram_equalization(images[::-1, :, ::2]),
        reference.image_histogram_equalization(images[::-1, :, ::2]),
    )


@pytest.mark.parametrize("number_bins", [10, 256])
def test_colors_are_pooled_as_the_original_does(pictures, number_bins):
    rgb = pictures["astronaut"][:99, :55]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_pair(cheq.recipes.image_histogram_equalization(rgb, number_bins), original(rgb, number_bins))
        floats = (rgb / 255).astype(np.float32)
        assert_pair(cheq.recipes.image_histogram_equalization(floats, number_bins), original(floats, number_bins))


def test_a_batch_of_color_images_is_pooled_image_by_image(pictures):
    images = np.stack([pictures["astronaut"][:60, :50], pictures["astronaut"][200:260, 100:150] // 3])
    equalized, cdf = cheq.recipes.image_histogram_equalization(images)
    assert cdf.shape == (2, 256)
    for one, curve, image in zip(equalized, cdf, images, strict=True):
        assert_pair((one, curve), original(image))


def test_no_other_last_axis_is_taken_for_colors():
    images = plane("both ends", "uint8", (13, 21, 4))
    refuses(ValueError, lambda: cheq.recipes.image_histogram_equalization(images), "image: ", "channel_axis=-1")
    result = cheq.recipes.image_histogram_equalization(images, axes=(-2, -1))
    assert_pair(result, reference.image_histogram_equalization(images, axes=(-2, -1)))
    assert result[1].shape == (13, 256)
    assert cheq.recipes.image_histogram_equalization(images[..., :2])[1].shape == (13, 256)


@pytest.mark.parametrize(("shape", "where", "batch"), [
    ((13, 21, 3), {"channel_axis": -1}, (3,)),
    ((13, 21, 3), {"axes": (0, 1)}, (3,)),
    ((13, 21, 3), {"axes": (0, 1, 2)}, ()),
    ((2, 13, 21, 3), {"channel_axis": -1}, (2, 3)),
    ((2, 3, 13, 21), {"channel_axis": 1}, (2, 3)),
    ((2, 5, 6, 7), {"axes": (-3, -2, -1)}, (2,)),
    ((5, 6, 7), {"axes": (0, 2)}, (6,)),
    ((40,), {"axes": 0}, ()),
    ((3, 13, 21), {}, (3,)),
    ((300, 1, 5, 6), {}, (300, 1)),
    ((0, 5, 6), {}, (0,)),
    ((2, 0, 6), {}, (2,)),
    ((5, 0), {}, ()),
])  # fmt: skip
def test_shapes_and_axes(shape, where, batch):
    for dtype in ("uint8", "int16", "float32", "float64"):
        images = plane("both ends", dtype, (1, 1, *shape))[0, 0]
        result = cheq.recipes.image_histogram_equalization(images, 50, **where)
        assert result[1].shape == (*batch, 50)
        assert_pair(result, reference.image_histogram_equalization(images, 50, **where))


def test_the_recipe_is_the_method_numpy():
    for dtype in DTYPES["numpy"]:
        images = plane("both ends", dtype, (5, 11, 17))
        assert_bits(cheq.recipes.image_histogram_equalization(images)[0], cheq.equalize(images, method="numpy"))


def test_what_the_recipe_refuses():
    call, image = cheq.recipes.image_histogram_equalization, plane("both ends", "float64", (5, 7))
    for number in (0, -3):
        refuses(ValueError, lambda: call(image, number), "number_bins", str(number))  # noqa: B023
    for number in (2.0, "256", None, [0, 1]):
        refuses(TypeError, lambda: call(image, number), "number_bins")  # noqa: B023
    for dtype in ("bool", "int32", "int64", "uint32", "float16", "complex128", "object"):
        refuses(TypeError, lambda: call(image.astype(dtype)), dtype)  # noqa: B023
    for bad in (np.nan, np.inf, -np.inf):
        wrong = np.stack([image, image])
        wrong[1, 2, 3] = bad
        refuses(ValueError, lambda: call(wrong))  # noqa: B023
    refuses(ValueError, lambda: call(np.array([[1.0, np.nextafter(1.0, 2)]])))
    refuses(ValueError, lambda: call(image[0]))
    refuses(ValueError, lambda: call(image, axes=(0, 0)), "axes")
    refuses(ValueError, lambda: call(image, num_threads=0), "num_threads")
    refuses(TypeError, lambda: call(np.ma.MaskedArray(image)))


# ---------------------------------------------------------------- histogram_equalize


def gray_recipe(img, nbins=256):
    """scikit-image's recipe."""
    gray = skimage.color.rgb2gray(img)
    cdf, centers = skimage.exposure.cumulative_distribution(gray, nbins)
    return np.interp(gray, centers, cdf)


def close(result, expected):
    """Equal but for the last bits of rgb2gray (BLAS adds in any order), so that a few pixels may change their bin."""
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    few = 6 / expected[..., 0].size if expected.ndim > 2 else 6 / expected.size
    np.testing.assert_allclose(result, expected, rtol=0, atol=few + 1e-12)
    assert np.mean(np.abs(result - expected) > 1e-6) < 0.05


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("nbins", [256, 100])
def test_scikit_image_s_recipe(pictures, dtype, nbins):
    rgb = pictures["astronaut"][:120, :150]
    if dtype != "uint8":
        rgb = rgb.astype(dtype) * 257 if dtype == "uint16" else (rgb / 255).astype(dtype)
    before = rgb.copy()
    close(cheq.recipes.histogram_equalize(rgb, nbins=nbins), gray_recipe(rgb, nbins))
    assert rgb.tobytes() == before.tobytes()


def test_scikit_image_s_recipe_on_a_batch(pictures):
    images = np.stack([pictures["astronaut"][:120, :150], pictures["astronaut"][300:420, 200:350] // 2])
    expected = np.stack([gray_recipe(image) for image in images])
    for threads in (1, 2):
        result = cheq.recipes.histogram_equalize(images, num_threads=threads)
        close(result[0], expected[0])
        close(result[1], expected[1])
        planar = cheq.recipes.histogram_equalize(np.moveaxis(images, -1, 1), channel_axis=1, num_threads=threads)
        assert_bits(planar, result)


def test_scikit_image_s_recipe_is_its_three_steps():
    images = plane("uniform", "uint8", (4, 31, 67, 3))
    gray = cheq.rgb_to_gray(images, method="skimage")
    cdf, centers = cheq.cumulative_distribution(gray, axes=(-2, -1), nbins=77)
    expected = np.stack([np.interp(*curve) for curve in zip(gray, centers, cdf, strict=True)])
    assert_bits(cheq.recipes.histogram_equalize(images, nbins=77), expected)


def test_what_scikit_image_s_recipe_refuses():
    rgb = plane("uniform", "uint8", (5, 7, 3))
    for channels in (1, 2, 5):
        wrong = np.zeros((5, 7, channels), np.uint8)
        refuses(ValueError, lambda: cheq.recipes.histogram_equalize(wrong))  # noqa: B023
    refuses(ValueError, lambda: cheq.recipes.histogram_equalize(rgb, nbins=0), "nbins")
    refuses(ValueError, lambda: cheq.recipes.histogram_equalize(rgb, channel_axis=3), "channel_axis")
    refuses(ValueError, lambda: cheq.recipes.histogram_equalize(rgb * np.nan))


# ---------------------------------------------------------------- cumulative_distribution


@pytest.mark.parametrize("nbins", NUMBERS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_cumulative_distribution_of_floats(dtype, nbins):
    for kind in KINDS:
        image = plane(kind, dtype, (31, 67))
        result = cheq.cumulative_distribution(image, nbins=nbins)
        assert_pair(result, skimage.exposure.cumulative_distribution(image, nbins))
        assert result[0].dtype == result[1].dtype == dtype


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_cumulative_distribution_of_integers(dtype, kind):
    image = plane(kind, dtype, (31, 67))
    cdf, centers = result = cheq.cumulative_distribution(image)
    limits = np.iinfo(dtype)
    np.testing.assert_array_equal(centers, np.arange(limits.min, limits.max + 1), strict=True)
    expected, levels = skimage.exposure.cumulative_distribution(image)
    inside = slice(levels[0] - limits.min, levels[-1] - limits.min + 1)
    assert_bits(cdf[inside], expected)
    assert (cdf[: inside.start] == 0).all()
    assert (cdf[inside.stop :] == 1).all()
    assert_pair(result, reference.cumulative_distribution(image))
    assert_bits(cheq.equalize(image, method="skimage"), cdf[image.astype(np.int64) - limits.min])


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_cumulative_distributions_of_batches(dtype):
    images, mask = plane("both ends", dtype, (3, 11, 7)), plane("uniform", bool, (3, 11, 7))
    for named in ({}, {"channel_axis": -1}, {"axes": (0, 2)}, {"axes": (0, 1, 2)}, {"mask": mask}, {"mask": mask[0]}):
        expected = reference.cumulative_distribution(images, **named)
        for threads in (1, 2):
            assert_pair(cheq.cumulative_distribution(images, **named, num_threads=threads), expected)


@pytest.mark.parametrize("kind", MASKS[1:])
@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_cumulative_distributions_of_what_a_mask_selects(dtype, kind):
    image = plane("both ends", dtype, (13, 21))
    mask = mask_of(kind, image)
    result = cheq.cumulative_distribution(image, mask=mask)
    assert_pair(result, cheq.cumulative_distribution(image[mask], axes=0))
    if dtype in FLOATS:
        assert_pair(result, skimage.exposure.cumulative_distribution(image[mask]))


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_no_counted_pixel_has_no_cdf(dtype):
    images, mask = plane("both ends", dtype, (3, 5, 7)), np.ones((3, 5, 7), bool)
    mask[1] = False
    cdf, _ = cheq.cumulative_distribution(images, mask=mask)
    assert np.isnan(cdf[1]).all()
    assert_bits(cdf[::2], reference.cumulative_distribution(images, mask=mask)[0][::2])
    assert cheq.cumulative_distribution(images[:0])[0].shape == cdf[:0].shape


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_bins_of_nothing_are_numpy_s(dtype):
    image, none = plane("both ends", dtype, (5, 7)), np.zeros((5, 7), bool)
    for nbins in NUMBERS:
        with np.errstate(invalid="ignore"):
            expected = skimage.exposure.cumulative_distribution(image[none], nbins)  # of 0 to 1
        assert_pair(cheq.cumulative_distribution(image, mask=none, nbins=nbins), expected)
        assert_pair(cheq.cumulative_distribution(image[:0], nbins=nbins), expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_cumulative_distributions_of_nan(dtype):
    images = plane("normal", dtype, (3, 13, 21))
    images[1, ::3, ::2], images[1, 1, 1], images[1, 1, 3] = np.nan, np.inf, -np.inf
    finite = np.isfinite(images)
    with pytest.raises(ValueError) as caught:
        cheq.cumulative_distribution(images)
    assert "(1,)" in str(caught.value) or "plane 1" in str(caught.value)
    result = cheq.cumulative_distribution(images, nan_policy="omit", nbins=50)
    assert_pair(result, reference.cumulative_distribution(images, nan_policy="omit", nbins=50))
    assert_pair(result, cheq.cumulative_distribution(images, mask=finite, nbins=50))


def test_what_cumulative_distribution_refuses():
    image = plane("both ends", "float64", (5, 7))
    call = cheq.cumulative_distribution
    for nbins in (0, -1):
        refuses(ValueError, lambda: call(image, nbins=nbins), "nbins", str(nbins))  # noqa: B023
    refuses(TypeError, lambda: call(image, nbins=2.5), "nbins")
    refuses(ValueError, lambda: call((image * 255).astype(np.uint8), nbins=100), "nbins", "100")
    refuses(ValueError, lambda: call(image, nan_policy="ignore"), "nan_policy", "'ignore'")
    refuses(ValueError, lambda: call(np.array([[1.0, np.nextafter(1.0, 2)]])))
    refuses(TypeError, lambda: call(image.astype(np.float16)), "float16")
    refuses(TypeError, lambda: call(image.astype(np.int64)), "int64")
    refuses(TypeError, lambda: call(image, mask=image), "mask")


def test_errors_name_the_recipes_own_arguments():
    recipes = cheq.recipes
    for image in (np.full((3, 4), np.nan), np.zeros(3), np.zeros((3, 4), np.int64)):
        with pytest.raises((TypeError, ValueError), match=r"^image: expected") as caught:
            recipes.image_histogram_equalization(image)
        assert "nan_policy" not in str(caught.value)
    for img in (np.full((3, 4, 3), np.nan), np.zeros((3, 4, 3), complex)):
        with pytest.raises((TypeError, ValueError), match=r"^img: expected") as caught:
            recipes.histogram_equalize(img)
        assert "nan_policy" not in str(caught.value)


@pytest.mark.parametrize("width", [3, 4])
def test_narrow_pictures_are_not_taken_for_channels(width):
    images = np.random.default_rng(0).integers(0, 256, (5, 28, width, 3), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = cheq.recipes.histogram_equalize(images)
    assert_bits(batch, np.stack([cheq.recipes.histogram_equalize(image) for image in images]))
