"""Are gray and equalized lightness those of cv2, Pillow and scikit-image, for all colors, spaces, layouts, kernels?"""

import functools
import itertools
import sys

import cv2
import numpy as np
import pytest
import reference
import skimage.color
from conftest import LAYOUTS
from lists import SPACES
from numpy.lib.stride_tricks import as_strided
from pairs import pairs
from PIL import Image, ImageOps
from pixel_tools import opencv_codes, opencv_lightness

import cheq
from cheq.parity.pixels import every_color

PATTERN = 0xA5

all_spaces = pytest.mark.parametrize("space", SPACES)


def photos(*shape, dtype=np.uint8, low=0, high=256, seed=0):
    return np.random.default_rng([seed, *shape]).integers(low, high, shape, np.uint16).astype(dtype)


def photos16(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 65536, shape, np.uint16)


@functools.cache  # of many millions of pixels, the same for all kernels and layouts
def large_photos(shape, channel_axis, *, low, high, fraction=None, space="ycrcb"):
    """Photos, a mask of this fraction, and by the slow formulas: equalized in a space, with the mask too, and gray."""
    images = photos(*shape, low=low, high=high)
    images.setflags(write=False)
    expected = naive(images, space, channel_axis=channel_axis)
    gray = reference.rgb_to_gray(images, channel_axis=channel_axis)
    if fraction is None:
        return images, expected, gray
    mask = np.random.default_rng(0).random(np.delete(shape, channel_axis)) < fraction
    return images, expected, gray, mask, naive(images, space, channel_axis=channel_axis, mask=mask)


def cv2_chain(image, space, equalize=cv2.equalizeHist):
    return opencv_lightness(image, space, equalize)


def pillow_equalize(lightness):
    return np.asarray(ImageOps.equalize(Image.fromarray(lightness)))


def equalized(images, space, *, channel_axis=-1, **named):
    return cheq.equalize(images, color=space, channel_axis=channel_axis, **named)


def naive(images, space, *, channel_axis=-1, **named):
    return reference.equalize(images, color=space, channel_axis=channel_axis, **named)


@pytest.fixture(scope="module")
def all_colors():
    """(4096, 4096, 3): each of the 2**24 colors once."""
    colors = every_color()
    colors.setflags(write=False)
    return colors


# ---------------------------------------------------------------- values


@pytest.mark.exhaustive
def test_gray_of_all_colors_is_that_of_cv2(kernel, all_colors):
    np.testing.assert_array_equal(cheq.rgb_to_gray(all_colors), cv2.cvtColor(all_colors, cv2.COLOR_RGB2GRAY))


@pytest.mark.exhaustive
def test_gray_of_all_colors_is_that_of_pillow(kernel, all_colors):
    expected = np.asarray(Image.fromarray(all_colors).convert("L"))
    np.testing.assert_array_equal(cheq.rgb_to_gray(all_colors, method="pillow"), expected)


def test_gray_of_a_fourth_channel_is_that_of_cv2_and_pillow():
    images = photos(70, 51, 4)
    np.testing.assert_array_equal(cheq.rgb_to_gray(images), cv2.cvtColor(images, cv2.COLOR_RGBA2GRAY))
    expected = np.asarray(Image.fromarray(images).convert("L"))
    np.testing.assert_array_equal(cheq.rgb_to_gray(images, method="pillow"), expected)


@pytest.mark.parametrize("channels", [3, 4])
def test_gray_of_16_bits_is_that_of_cv2(kernel, channels):
    corners = np.array(list(itertools.product([0, 1, 32767, 32768, 65534, 65535], repeat=channels)), np.uint16)
    code = cv2.COLOR_RGB2GRAY if channels == 3 else cv2.COLOR_RGBA2GRAY
    for images in (photos16(1000, 1001, channels), corners[np.newaxis]):
        np.testing.assert_array_equal(cheq.rgb_to_gray(images), cv2.cvtColor(images, code))


def masks_of_all_colors(lightness):
    """Masks whose counted pixels make LUTs of every kind: spread, identity, two levels, dark, bright."""
    yield "all", None
    yield "none", np.zeros(lightness.shape, bool)
    yield "two levels", (lightness == 100) | (lightness == 101)
    yield "the dark ones", lightness < 60
    yield "the bright ones", lightness > 190


@pytest.mark.exhaustive
@all_spaces
def test_all_colors_are_those_of_cv2(kernel, space, all_colors):
    there, back = opencv_codes(space)
    converted = cv2.cvtColor(all_colors, there)
    for name, mask in masks_of_all_colors(converted[..., 0]):
        counts = reference.histogram(converted[..., 0], mask=mask)
        changed = converted.copy()
        changed[..., 0] = reference.equalization_lut(counts)[converted[..., 0]]
        expected = cv2.cvtColor(changed, back)
        np.testing.assert_array_equal(equalized(all_colors, space, mask=mask), expected, name)
        if mask is None:
            result = equalized(np.ascontiguousarray(np.moveaxis(all_colors, -1, 0)), space, channel_axis=0)
            np.testing.assert_array_equal(np.moveaxis(result, 0, -1), expected, "channels apart")


@all_spaces
def test_pictures_are_those_of_cv2(kernel, space, pictures):
    picture = pictures["astronaut"]
    np.testing.assert_array_equal(equalized(picture, space), cv2_chain(picture, space))
    crops = np.stack([picture[i : i + 224, j : j + 200] for i in (0, 100, 280) for j in (7, 150, 290)])
    expected = np.stack([cv2_chain(crop, space) for crop in crops])
    np.testing.assert_array_equal(equalized(crops, space), expected)


@all_spaces
def test_random_images_are_those_of_cv2(kernel, space):
    for seed, (height, width) in enumerate([(1, 1), (1, 2), (5, 7), (28, 28), (33, 65), (131, 127), (400, 333)]):
        low, high = sorted(np.random.default_rng(seed).integers(0, 256, 2))
        images = photos(3, height, width, 3, low=low, high=high + 1, seed=seed)
        expected = np.stack([cv2_chain(image, space) for image in images])
        np.testing.assert_array_equal(equalized(images, space), expected)


@all_spaces
def test_rows_of_every_width_wherever_they_begin_are_those_of_cv2(kernel, space):
    """cv2 has vectors and a rest; where a pixel lies in a row does not matter to either."""
    colors = photos(3, 150, 3)
    for width in range(1, 71):
        for offset in (0, 1, 17):
            images = colors[:, offset : offset + width]
            np.testing.assert_array_equal(equalized(images, space), cv2_chain(images, space), f"{width} {offset}")


@all_spaces
def test_pillow_s_rule(kernel, space, pictures):
    picture = pictures["astronaut"]
    expected = cv2_chain(picture, space, pillow_equalize)
    np.testing.assert_array_equal(equalized(picture, space, method="pillow"), expected)
    large = np.tile(picture, (4, 4, 1))
    results = [equalized(large, space, method="pillow", num_threads=n) for n in (1, 2)]
    np.testing.assert_array_equal(*results)


@all_spaces
def test_one_color_keeps_its_lightness(space):
    for color in ([0, 0, 0], [255, 255, 255], [255, 0, 0], [12, 200, 31]):
        image = np.full((9, 11, 3), color, np.uint8)
        np.testing.assert_array_equal(equalized(image, space), cv2_chain(image, space))


# ---------------------------------------------------------------- axes, masks, layouts


@pytest.mark.parametrize(
    ("space", "channels", "channel_axis", "axes"),
    pairs(SPACES, (3, 4), (-1, -3, 0, 1), (None, (1, 2, 3), 2, (-1, 2), (0, 1, 2, 3))),
)
def test_axes_and_masks(kernel, space, channels, channel_axis, axes):
    shape = np.insert([2, 5, 7, 6], channel_axis % 5, channels)
    images = photos(*shape, low=30, high=120)
    if axes is not None:  # the same axes beside the channels
        beside = [axis for axis in range(5) if axis != channel_axis % 5]
        axes = tuple(beside[axis] for axis in np.atleast_1d(axes))
    without = tuple(np.delete(shape, channel_axis % 5))
    rng = np.random.default_rng(1)
    masks = [None, rng.random(without) < 0.5, rng.random(without[-2:]) < 0.5, rng.random((5, 1, 6)) < 0.5]
    masks += [np.zeros(without, bool), np.True_, np.asfortranarray(rng.random(without) < 0.5)]
    for mask in masks:
        expected = naive(images, space, axes=axes, channel_axis=channel_axis, mask=mask)
        result = equalized(images, space, axes=axes, channel_axis=channel_axis, mask=mask)
        np.testing.assert_array_equal(result, expected, strict=True)
        assert result.flags.c_contiguous


@pytest.mark.parametrize("shape", [(4,), (5, 4), (3, 5, 4), (2, 3, 5, 4), (1, 1, 3), (2, 1, 70, 3)])
def test_gray_of_any_number_of_axes(kernel, shape):
    for channel_axis in range(-len(shape), len(shape)):
        full = list(shape)
        full[channel_axis] = 3
        for images in (photos(*full), photos16(*full)):
            before = np.array(images)
            result = cheq.rgb_to_gray(images, channel_axis=channel_axis)
            expected = reference.rgb_to_gray(images, channel_axis=channel_axis)
            np.testing.assert_array_equal(result, expected, strict=True)
            np.testing.assert_array_equal(images, before)


def test_byte_swapped_16_bits(kernel):
    swapped = photos16(5, 70, 3).astype(">u2" if sys.byteorder == "little" else "<u2")
    for view in (swapped, swapped[..., ::-1], np.asfortranarray(swapped), swapped[:, ::2]):
        result = cheq.rgb_to_gray(view)
        assert result.dtype.isnative
        np.testing.assert_array_equal(result, reference.rgb_to_gray(view))


# ---------------------------------------------------------------- empty, refused


@pytest.mark.parametrize("shape", [(0, 3), (0, 4, 5, 3), (2, 0, 5, 3), (2, 4, 0, 4)])
def test_empty(shape):
    for method in ("opencv", "pillow", "skimage")[: 3 if shape[-1] == 3 else 2]:
        result = cheq.rgb_to_gray(np.empty(shape, np.uint8), method=method)
        assert (result.shape, result.dtype) == (shape[:-1], float if method == "skimage" else np.uint8)
    for space in SPACES:
        result = equalized(np.empty(shape, np.uint8), space, axes=0)
        assert (result.shape, result.dtype) == (shape, np.uint8)


IMAGES = photos(4, 5, 3)
GRAY_ERRORS = {
    "method": (IMAGES, {"method": "cv2"}, ValueError, "method: expected one of 'opencv', 'pillow', .*; got 'cv2'"),
    "method's type": (IMAGES, {"method": None}, ValueError, "method: .*got None"),
    "float": (IMAGES / 255.0, {}, TypeError, "uint8 or uint16 for method='opencv', got float64; conv"),
    "int16": (IMAGES.astype(np.int16), {}, TypeError, "images: expected dtype uint8 or uint16"),
    "pillow": (photos16(4, 5, 3), {"method": "pillow"}, TypeError, "dtype uint8 for method='pillow', got uint16"),
    "complex": (IMAGES * 1j, {"method": "skimage"}, TypeError, "images: expected dtype .*, got complex128"),
    "masked": (np.ma.array(IMAGES), {}, TypeError, "images: expected an array without a mask"),
    "ragged": ([[1, 2], [1]], {}, ValueError, "images: expected an array"),
    "no axes": (np.uint8(3), {}, ValueError, "channel_axis: expected an axis of images that have axes"),
    "channels": (IMAGES, {"channel_axis": 0, "method": "skimage"}, ValueError, r"3 channels along axis 0, got"),
    "two": (IMAGES[..., :2], {}, ValueError, r"images: expected 3 or 4 channels along axis -1, got shape \(4, 5, 2\)"),
    "axis": (IMAGES, {"channel_axis": 3}, ValueError, "channel_axis: expected an axis from -3 to 2 for 3 axes, got 3"),
    "axis' type": (IMAGES, {"channel_axis": 1.0}, TypeError, "channel_axis: expected an int, got 1.0"),
    "axis None": (IMAGES, {"channel_axis": None}, TypeError, "channel_axis: expected an int, got None"),
    "threads": (IMAGES, {"num_threads": 0}, ValueError, "num_threads: expected None or an int of at least 1, got 0"),
    "out's type": (IMAGES, {"out": [0]}, TypeError, "out: expected a numpy.ndarray, got list"),
    "out's dtype": (IMAGES, {"out": np.zeros((4, 5), np.int8)}, TypeError, "out: expected dtype uint8, got int8"),
    "out's order": (photos16(4, 5, 3), {"out": np.zeros((4, 5), ">u2")}, TypeError, "expected dtype uint16, got >u2"),
    "out's shape": (IMAGES, {"out": IMAGES.copy()}, ValueError, r"out: expected .*\(4, 5\), got \(4, 5, 3\)"),
    "skimage's out": (IMAGES, {"method": "skimage", "out": np.zeros((4, 5), "f4")}, TypeError, "dtype float64"),
}  # fmt: skip


@pytest.mark.parametrize("error", GRAY_ERRORS)
def test_gray_refuses(error):
    images, given, kind, message = GRAY_ERRORS[error]
    with pytest.raises(kind, match=message):
        cheq.rgb_to_gray(images, **given)


LIGHTNESS_ERRORS = {
    "no channel_axis": ({"channel_axis": None}, ValueError, "channel_axis: expected the axis of R, G, B for .* None"),
    "channels": ({"channel_axis": 0}, ValueError, r"images: expected 3 or 4 channels along axis 0, got"),
    "method": ({"method": "skimage"}, ValueError, "method: expected 'opencv' or 'pillow' .*got 'skimage'"),
    "axes": ({"axes": (0, 2)}, ValueError, "channel_axis: expected an axis that is not in axes"),
    "mask's dtype": ({"mask": np.ones((5, 6), np.uint8)}, TypeError, "mask: expected dtype bool, got uint8"),
    "mask's shape": ({"mask": np.ones((6, 5), bool)}, ValueError, r"mask: expected a shape .* to \(5, 6\)"),
    "mask of channels": ({"mask": np.ones((5, 6, 3), bool)}, ValueError, r"mask: expected .* \(5, 6\)"),
    "threads": ({"num_threads": -1}, ValueError, "num_threads: expected"),
    "out's dtype": ({"out": np.zeros((5, 6, 3))}, TypeError, "out: expected dtype uint8, got float64"),
    "out's shape": ({"out": np.zeros((5, 6), np.uint8)}, ValueError, r"out: expected the .* shape .*got \(5, 6\)"),
}  # fmt: skip


@all_spaces
@pytest.mark.parametrize("error", LIGHTNESS_ERRORS)
def test_spaces_refuse(error, space):
    given, kind, message = LIGHTNESS_ERRORS[error]
    out = np.full((5, 6, 3), PATTERN, np.uint8)
    with pytest.raises(kind, match=message):
        equalized(photos(5, 6, 3), space, **{"out": out, **given})
    assert (out == PATTERN).all()


@all_spaces
def test_spaces_refuse_other_dtypes(space):
    for images in (photos16(5, 6, 3), photos(5, 6, 3) / 255.0, photos(5, 6, 3).astype(np.int8)):
        message = f"images: expected dtype uint8 for color='{space}', got {images.dtype}; conv"
        with pytest.raises(TypeError, match=message):
            equalized(images, space)


@pytest.mark.parametrize("space", ["hsv", "hls"])
def test_spaces_without_one_answer_are_refused_with_the_reason(space):
    message = f"^color: .*got '{space}', in which cv2's own answer depends on where a pixel lies .*; 'lab' has one"
    with pytest.raises(ValueError, match=message):
        equalized(photos(5, 6, 3), space)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_out_that_cannot_be_written_whole_is_refused(dtype):
    images = photos(5, 6, 3, dtype=dtype)
    read_only = np.zeros((5, 6), dtype)
    read_only.setflags(write=False)
    with pytest.raises(ValueError, match="out: expected a writable array, got a read-only one"):
        cheq.rgb_to_gray(images, out=read_only)
    size = read_only.itemsize
    for strides in ((0, size), (size, size), (6 * size, size // 2), (1, 2)):
        out = as_strided(np.zeros(200, dtype), (5, 6), strides)
        with pytest.raises(ValueError, match="out: expected elements apart in memory, got strides"):
            cheq.rgb_to_gray(images, out=out)
        assert not out.any()
    with pytest.raises(ValueError, match="out: expected elements apart in memory"):
        equalized(photos(5, 6, 3), "lab", out=as_strided(np.zeros(200, np.uint8), (5, 6, 3), (18, 2, 1)))


# ---------------------------------------------------------------- scikit-image
# NumPy's matrix product rounds as its BLAS does, and by the memory order: cheq makes the same call on the same order.

SKIMAGE_DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "?", "f2", "f4", "f8", ">u2", ">f4", ">f8"]


@pytest.mark.parametrize(("layout", "dtype", "channel_axis"), pairs(list(LAYOUTS), SKIMAGE_DTYPES, (-1, 0, 1)))
def test_gray_is_that_of_skimage(layout, dtype, channel_axis):
    dtype = np.dtype(dtype)
    values = np.random.default_rng(0).integers(0, 2**63, (7, 33, 10), np.int64)
    values = (
        (values % 1000 / 999 - (0.2 if dtype == "f8" else 0)).astype(dtype)
        if dtype.kind == "f"
        else values.astype(dtype)
    )
    images = LAYOUTS[layout](np.moveaxis(values.reshape(7, 110, 3), -1, channel_axis))
    expected = skimage.color.rgb2gray(np.array(images, copy=None, subok=False), channel_axis=channel_axis)
    result = cheq.rgb_to_gray(images, channel_axis=channel_axis, method="skimage")
    np.testing.assert_array_equal(result, expected, strict=True)
    out = np.full((110, 14), np.nan, expected.dtype)[:, ::2].T
    assert cheq.rgb_to_gray(images, channel_axis=channel_axis, method="skimage", out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize(
    "shape",
    [(3, 301, 401, 3), (1100, 1021, 3), (300_001, 1, 3), (2, 1, 300_007, 3), (4, 0, 3), (0, 5, 3), (2, 0, 0, 3)],
)
def test_gray_as_skimage_in_parts(shape, dtype):
    """More pixels than are multiplied at a time: the same bytes as of all at once."""
    images = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    images = images / dtype(200) if images.dtype.kind == "f" else images
    expected = skimage.color.rgb2gray(images)
    np.testing.assert_array_equal(cheq.rgb_to_gray(images, method="skimage"), expected, strict=True)
