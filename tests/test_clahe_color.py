"""Is CLAHE of a lightness what OpenCV gives between cvtColor to the space and back, for all spaces and layouts?"""

import re
import signal
import threading
import time

import cv2
import numpy as np
import pytest
import reference
from conftest import LAYOUTS, WRITABLE
from lists import SPACES
from pairs import pairs
from pixel_tools import assert_bits, opencv_codes, opencv_lightness
from test_color import PATTERN, photos, photos16

import cheq
from cheq import _color
from cheq._core import color, dispatch
from cheq.parity.pixels import every_color

WORDS = ("ycrcb", "yuv")  # which 16 bits have too
CASES = [*((space, "uint8") for space in SPACES), *((space, "uint16") for space in WORDS)]

all_cases = pytest.mark.parametrize(("space", "dtype"), CASES)


def pixels(dtype, *shape, seed=0):
    return (photos if dtype == "uint8" else photos16)(*shape, seed=seed)


def of_cv2(image, space, clip_limit=40.0, tile_grid_size=(8, 8)):
    """What cv2's three calls make of one image, (height, width, 3 or 4); a fourth channel stays."""
    clahe = cv2.createCLAHE(clip_limit, tile_grid_size)
    rgb = opencv_lightness(np.ascontiguousarray(image[..., :3]), space, clahe.apply)
    return np.concatenate([rgb, image[..., 3:]], axis=-1)


def changed(images, space, channel_axis=-1, **options):
    return cheq.clahe(images, color=space, channel_axis=channel_axis, **options)


def naive(images, space, channel_axis=-1, **options):
    return reference.clahe(images, color=space, channel_axis=channel_axis, **options)


# ---------------------------------------------------------------- values


@pytest.mark.long
@pytest.mark.parametrize("space", SPACES)
def test_every_color_with_every_lightness_is_that_of_cv2(kernel, space):
    """All chromas that colors have, as they are held in a space, with all 256 levels beside them."""
    there, back = opencv_codes(space)
    colors = every_color().reshape(-1, 3)
    converted = cv2.cvtColor(colors[np.newaxis], there)[0]
    _, first = np.unique(converted[:, 1].astype(int) << 8 | converted[:, 2], return_index=True)
    images, converted = colors[first][np.newaxis], converted[first][np.newaxis]
    call = _color.of_images(images, space, _color.BYTES, (0, 1), -1, None, None)
    for level in range(256):
        converted[..., 0] = level
        result = call.give(None, images.dtype)
        color.recolor(call, color.SPACES[space], np.full(images.shape[:2], level, np.uint8))
        np.testing.assert_array_equal(result, cv2.cvtColor(converted, back), f"{level}")


@all_cases
def test_sizes_grids_and_limits(kernel, space, dtype):
    rows = pairs((1, 2, 7, 31, 64), (1, 3, 16, 65, 150), (1, 3, 8), (1, 2, 8), (0.0, 2.0, 40.0), (3, 4))
    for seed, (height, width, columns, rows_of_tiles, limit, channels) in enumerate(rows):
        image = pixels(dtype, height, width, channels, seed=seed)
        options = {"clip_limit": limit, "tile_grid_size": (columns, rows_of_tiles)}
        expected = of_cv2(image, space, **options)
        assert_bits(changed(image, space, **options), expected)
        assert changed(image, space, out=image, **options) is image
        assert_bits(image, expected)


@pytest.mark.parametrize("space", SPACES)
def test_pictures(kernel, space, pictures):
    picture = pictures["astronaut"]
    assert_bits(changed(picture, space, clip_limit=2.0), of_cv2(picture, space, 2.0))
    crops = np.stack([picture[i : i + 224, j : j + 200] for i in (0, 100, 280) for j in (7, 150, 290)])
    assert_bits(changed(crops, space), np.stack([of_cv2(crop, space) for crop in crops]))


@pytest.mark.parametrize("space", WORDS)
def test_words_at_the_ends(kernel, space):
    """Where sums are largest, chromas saturate and colors are cut off."""
    ends = np.array([0, 1, 2, 32767, 32768, 32769, 65533, 65534, 65535], np.uint16)
    image = np.random.default_rng(0).choice(ends, (60, 70, 3))
    for limit in (0.0, 2.0, 40.0):
        assert_bits(changed(image, space, clip_limit=limit), of_cv2(image, space, limit))


# ---------------------------------------------------------------- axes, layouts, masks


@pytest.mark.parametrize(
    ("case", "layout", "channels", "channel_axis", "masked"),
    pairs(CASES, list(LAYOUTS), (3, 4), (-1, -3, 0, 1), ("no mask", "of all images", "of one", "kept")),
)
def test_layouts(kernel, case, layout, channels, channel_axis, masked):
    space, dtype = case
    values = np.moveaxis(pixels(dtype, 2, 3, 13, 37, channels), -1, channel_axis)
    images = LAYOUTS[layout](values)
    before = np.array(images, copy=None, subok=False)
    options = {"tile_grid_size": (3, 2), "clip_limit": 3.0}
    if masked != "no mask":
        options["mask"] = np.random.default_rng(1).random((13, 37) if masked == "of one" else (2, 3, 13, 37)) < 0.6
    if masked == "kept":
        options["outside"] = "keep"
    expected = naive(before, space, channel_axis, **options)
    assert_bits(changed(images, space, channel_axis, **options), expected)
    out = LAYOUTS[WRITABLE[list(LAYOUTS).index(layout) % len(WRITABLE)]](np.zeros_like(before))
    assert changed(images, space, channel_axis, out=out, **options) is out
    assert_bits(np.asarray(out), expected)


@all_cases
def test_axes_that_are_not_the_last(space, dtype):
    images = pixels(dtype, 5, 11, 3, 2, 17)
    expected = naive(images, space, 2, axes=(1, 4))
    assert_bits(changed(images, space, 2, axes=(4, 1)), expected)


@all_cases
@pytest.mark.parametrize("change", ["flipped", "channels reversed", "shifted by a row", "shifted by a pixel"])
def test_overlapping_memory_is_as_if_copied_first(space, dtype, change):
    memory = pixels(dtype, 41 * 50 * 3)
    images = memory[: 40 * 50 * 3].reshape(4, 10, 50, 3)
    out = {
        "flipped": images[::-1],
        "channels reversed": images[..., ::-1],
        "shifted by a row": memory[150:].reshape(4, 10, 50, 3),
        "shifted by a pixel": memory[3 : 3 + 40 * 50 * 3].reshape(4, 10, 50, 3),
    }[change]
    expected = naive(images, space)
    changed(images, space, out=out)
    assert_bits(np.array(out), expected)


def test_the_mask_in_the_memory_of_out():
    images, out = photos(2, 40, 50, 3), photos(2, 40, 50, 3, high=2)
    mask = out[::-1, ..., 1].view(bool)
    expected = naive(images, "lab", mask=mask.copy())
    changed(images, "lab", mask=mask, out=out)
    assert_bits(out, expected)


def test_words_in_the_other_byte_order():
    images = photos16(2, 20, 30, 3)
    swapped = images.astype(images.dtype.newbyteorder())
    assert_bits(changed(swapped, "yuv"), naive(images, "yuv"))


@all_cases
def test_bytes_beside_the_result_stay(kernel, space, dtype):
    for width in (1, 5, 63, 64, 65, 130):
        for channels in (3, 4):
            image = pixels(dtype, 9, width, channels)
            memory = np.full((11, width + 2, channels + 1), PATTERN, dtype)
            view = memory[1:-1, 1:-1, :channels]
            changed(image, space, out=view, tile_grid_size=(2, 2))
            assert_bits(view.copy(), naive(image, space, tile_grid_size=(2, 2)))
            view[...] = PATTERN
            assert (memory == PATTERN).all()


# ---------------------------------------------------------------- limits, parts, threads


def test_a_limit_for_each_image():
    images = photos(2, 3, 30, 40, 3)
    for limits in ([1.0, 2.0, 40.0], [[3.0], [0.0]], np.arange(6).reshape(2, 3), np.float32(1.5), np.array([7])):
        each = np.broadcast_to(limits, (2, 3))
        expected = np.stack([[of_cv2(images[i, j], "lab", float(each[i, j])) for j in range(3)] for i in range(2)])
        assert_bits(changed(images, "lab", clip_limit=limits), expected)
        assert_bits(np.moveaxis(changed(np.moveaxis(images, -1, 0), "lab", 0, clip_limit=limits), 0, -1), expected)
    with pytest.raises(ValueError, match=re.escape("clip_limit: expected a shape that broadcasts to (2, 3), got (2,)")):
        changed(images, "lab", clip_limit=[1.0, 2.0])


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("space", "dtype"), [("lab", "uint8"), ("ycrcb", "uint16")])
def test_more_images_than_are_taken_at_a_time(space, dtype, threads, monkeypatch):
    images = pixels(dtype, 3, 7, 21, 22, 3)
    limits = np.arange(21).reshape(3, 7) / 4
    mask = np.random.default_rng(0).random((3, 7, 21, 22)) < 0.5
    options = {"clip_limit": limits, "mask": mask, "outside": "keep", "tile_grid_size": (2, 3)}
    expected = naive(images, space, **options)
    for together in (1, 21 * 22, 2 * 21 * 22, 8 * 21 * 22, 1 << 30):
        monkeypatch.setattr(_color, "_TOGETHER", together)
        assert_bits(changed(images, space, num_threads=threads, **options), expected)
        place = images.copy()
        changed(place, space, out=place, num_threads=threads, **options)
        assert_bits(place, expected)


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", [(1, 1700, 1300, 3), (90, 96, 96, 4), (3, 500, 400, 3)])
def test_threads_change_nothing(shape):
    images = photos(*shape)
    expected = np.stack([of_cv2(image, "lab") for image in images])
    for threads in (1, 2, 3, None):
        assert_bits(changed(images, "lab", num_threads=threads), expected)


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that signal")
@pytest.mark.parametrize("shape", [(2, 5000, 4000, 3), (3000, 200, 200, 3)])
@pytest.mark.parametrize("in_place", [False, True])
def test_an_interrupt_leaves_images_whole_or_untouched(shape, in_place):
    image = photos(*shape[1:], low=50, high=130)
    expected = of_cv2(image, "lab")
    images = np.ascontiguousarray(np.broadcast_to(image, shape))
    out = images if in_place else np.zeros(shape, np.uint8)
    before = out[0].copy()
    begun, used = time.monotonic(), dispatch.kernel()

    def interrupt():
        while np.array_equal(out[0, 0], before[0]) and time.monotonic() < begun + 60:
            time.sleep(0.001)
        signal.raise_signal(signal.SIGINT)

    def call():
        changed(images, "lab", out=out)
        time.sleep(60)

    dispatch.use_kernel("scalar")
    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            call()
    finally:
        thread.join()
        dispatch.use_kernel(used)
    kinds = {"whole" if np.array_equal(each, expected) else "untouched" for each in out}
    assert kinds == {"whole", "untouched"}
    for each in out:
        assert np.array_equal(each, expected) or np.array_equal(each, before)


# ---------------------------------------------------------------- empty, refused


@pytest.mark.parametrize("shape", [(0, 8, 9, 3), (2, 0, 9, 3), (2, 8, 0, 4)])
@all_cases
def test_empty(space, dtype, shape):
    result = changed(np.empty(shape, dtype), space)
    assert (result.shape, result.dtype) == (shape, dtype)


ERRORS = {
    "no channel_axis": ({"channel_axis": None}, ValueError, "channel_axis: expected the axis of R, G, B for color="),
    "channels": ({"channel_axis": 0}, ValueError, "images: expected 3 or 4 channels along axis 0, got"),
    "axes": ({"axes": (0, 2)}, ValueError, "channel_axis: expected an axis that is not in axes"),
    "one axis": ({"axes": 0}, ValueError, "axes: expected two axes, height and width, got 0"),
    "skimage": ({"method": "skimage"}, ValueError, "color: expected it with method 'opencv' only, got 'lab'"),
    "hsv": ({"color": "hsv"}, ValueError, "color: .*got 'hsv', in which cv2's own answer depends on .*; 'lab' has one"),
    "mask's shape": ({"mask": np.ones((5, 6, 3), bool)}, ValueError, r"mask: expected .* \(5, 6\)"),
    "limits": ({"clip_limit": [1, 2]}, ValueError, r"clip_limit: expected a shape that broadcasts to \(\), got \(2,\)"),
    "out's dtype": ({"out": np.zeros((5, 6, 3), np.uint16)}, TypeError, "out: expected dtype uint8, got uint16"),
    "dtype": ({"dtype": "uint16"}, ValueError, "dtype: expected None, 'same' or the images' own dtype, uint8"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_refused(error):
    given, kind, message = ERRORS[error]
    out = np.full((5, 6, 3), PATTERN, np.uint8)
    with pytest.raises(kind, match=message):
        cheq.clahe(photos(5, 6, 3), **{"color": "lab", "channel_axis": -1, "out": out, **given})
    assert (out == PATTERN).all()


def test_other_dtypes():
    for space, wanted in (("lab", "uint8"), ("yuv", "uint8 or uint16")):
        for dtype in ("int8", "float32", "uint16")[: 3 if space == "lab" else 2]:
            message = f"images: expected dtype {wanted} for color='{space}', got {dtype}; conv"
            with pytest.raises(TypeError, match=message):
                changed(photos(5, 6, 3).astype(dtype), space)
