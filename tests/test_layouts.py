"""Which pixels share a histogram, and where do they lie? axes, channel_axis, masks, strides, shapes."""

import itertools
import tracemalloc

import numpy as np
import pytest
import reference

import cheq


def pixels(*shape, seed=0):
    """Planes that differ much from each other, so that one more or one less pixel in a histogram shows."""
    random = np.random.default_rng([seed, *shape])
    images = random.integers(0, 256, shape, np.uint8)
    shift = random.integers(1, 6, (*shape[:-2], 1, 1)).astype(np.uint8) if len(shape) > 1 else 1
    return images // shift


def check(images, mask=None, **where):
    """Demand that equalize, histogram and apply_lut do what the reference does."""
    images_copy, mask_copy = np.array(images), None if mask is None else np.array(mask)
    expected = reference.equalize(images_copy, mask=mask_copy, **where)
    counts = reference.histogram(images_copy, mask=mask_copy, **where)
    np.testing.assert_array_equal(cheq.equalize(images, mask=mask, **where), expected, strict=True)
    np.testing.assert_array_equal(cheq.histogram(images, mask=mask, **where), counts, strict=True)
    lut = reference.equalization_lut(counts)
    np.testing.assert_array_equal(cheq.apply_lut(images, lut, **where), expected, strict=True)
    for call in (lambda out: cheq.equalize(images, mask=mask, **where, out=out),
                 lambda out: cheq.apply_lut(images, lut, **where, out=out)):  # fmt: skip
        np.testing.assert_array_equal(call(~expected), expected, "a pixel not written")
    np.testing.assert_array_equal(np.array(images), images_copy, "images changed", strict=True)
    return expected


# ---------------------------------------------------------------- shapes and axes


@pytest.mark.parametrize("shape", [(9, 6), (2, 9, 6), (2, 1, 9, 6), (2, 3, 9, 6), (2, 1, 3, 2, 9, 6)])
def test_by_default_the_last_two_axes_share_a_histogram(opencv, shape):
    images = pixels(*shape)
    np.testing.assert_array_equal(check(images), opencv(images))
    assert cheq.histogram(images).shape == (*shape[:-2], 256)


AXES = [axes for number in (1, 2, 3, 4) for axes in itertools.combinations(range(4), number)]


@pytest.mark.parametrize("axes", AXES)
def test_any_axes_can_share_a_histogram(axes):
    images = pixels(3, 5, 4, 7)
    check(images, axes=axes)
    for order in itertools.islice(itertools.permutations(axes), 1, 4):
        check(images, axes=order)
    check(images, axes=tuple(axis - 4 for axis in axes))
    check(images, axes=[axes[0], *(axis - 4 for axis in axes[1:])])
    check(images, axes=tuple(np.int64(axis) for axis in axes))
    assert cheq.histogram(images, axes=axes).shape == (*np.delete(images.shape, axes), 256)


def test_one_axis_can_be_an_integer():
    images = pixels(3, 5, 7)
    for axis in (-3, -2, -1, 0, 1, 2, np.int8(1)):
        check(images, axes=axis)
    check(pixels(1, 40)[0], axes=0)


def test_volumes(opencv):
    volumes = pixels(2, 3, 4, 9, 6)
    expected = opencv(volumes.reshape(2, 3, 1, 4 * 9 * 6)).reshape(volumes.shape)
    np.testing.assert_array_equal(check(volumes, axes=(-3, -2, -1)), expected)


def test_all_axes_give_one_histogram(opencv):
    images = pixels(4, 3, 9, 6)
    expected = opencv(images.reshape(1, -1)).reshape(images.shape)
    np.testing.assert_array_equal(check(images, axes=(0, 1, 2, 3)), expected)
    assert cheq.histogram(images, axes=range(4)).shape == (256,)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 16])
@pytest.mark.parametrize("ndim", [3, 4, 5])
def test_every_channel_is_equalized_on_its_own(opencv, ndim, channels):
    for channel_axis in range(-ndim, ndim):
        shape = list((2, 4, 9, 6)[5 - ndim :])
        shape.insert(channel_axis % ndim, channels)
        images = pixels(*shape)
        expected = opencv(images, channel_axis)
        np.testing.assert_array_equal(check(images, channel_axis=channel_axis), expected)


def test_channel_axis_beside_axes(opencv):
    images = pixels(2, 9, 6, 3)
    np.testing.assert_array_equal(check(images, axes=(1, 2), channel_axis=-1), opencv(images, -1))
    check(images, axes=(0, 1, 2), channel_axis=3)
    check(images, axes=(-3,), channel_axis=-1)
    assert cheq.histogram(images, axes=(0, 1, 2), channel_axis=3).shape == (3, 256)
    assert cheq.histogram(images, channel_axis=-1).shape == (2, 3, 256)
    assert cheq.histogram(images, channel_axis=0).shape == (2, 9, 256)


@pytest.mark.parametrize("order", [[2, 1, 0], [1, 2, 0], [0, 2, 1]])
def test_other_channel_orders(opencv, order):
    images = pixels(2, 31, 17, 3)
    reversed_view = images[..., ::-1]
    np.testing.assert_array_equal(check(reversed_view, channel_axis=-1), opencv(images, -1)[..., ::-1])
    check(images[..., order], channel_axis=-1)
    check(images[..., ::2], channel_axis=-1)
    check(pixels(2, 31, 17, 4)[..., 2::-1], channel_axis=-1)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (0, 4, 5), (3, 0, 5), (3, 4, 0), (2, 0, 4, 5), (0, 0, 0)])
def test_empty_arrays(shape):
    images = np.empty(shape, np.uint8)
    check(images)
    check(images, axes=(0, 1))
    check(images, mask=np.ones(shape, bool))
    out = np.empty(shape, np.uint8)
    assert cheq.equalize(images, out=out) is out
    counts = cheq.histogram(images)
    assert counts.shape == (*shape[:-2], 256)
    assert not counts.any()


def test_empty_channels():
    for shape in ((4, 5, 0), (0, 5, 3), (4, 0, 3), (2, 4, 5, 0)):
        check(np.empty(shape, np.uint8), channel_axis=-1)
    check(pixels(4, 5, 3)[..., :0], channel_axis=-1)
    check(pixels(4, 5, 3)[:, :0], channel_axis=-1, mask=np.ones((4, 0), bool))


@pytest.mark.parametrize("shape", [(1, 1), (3, 1, 1), (1, 7), (7, 1), (2, 2, 1, 5), (2, 5, 1)])
def test_axes_of_length_one(shape):
    for level in (0, 1, 254, 255):
        images = np.full(shape, level, np.uint8)
        np.testing.assert_array_equal(check(images), images)
    check(pixels(*shape))


@pytest.mark.parametrize("shape", [(1,) * 60 + (3, 2, 9, 6), (2,) * 10, (1, 2) * 6 + (1,) * 52])
def test_as_many_axes_as_numpy_allows(shape):
    images = pixels(*shape)
    check(images)
    check(images.T)
    check(images, axes=(0, -2), channel_axis=-1)
    check(images[..., ::-1, :], mask=images > 40)


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("shape", [(123, 321), (256, 256), (70, 1031), (1031, 70), (2, 3, 123, 321)])
def test_larger_strided_images(opencv, shape):
    images = pixels(*(2 * length for length in shape))
    for rows, columns in itertools.product((1, 2, -1, -2), repeat=2):
        view = images[..., ::rows, ::columns]
        np.testing.assert_array_equal(cheq.equalize(view), opencv(view), strict=True)
        view = view.swapaxes(-1, -2)
        np.testing.assert_array_equal(cheq.equalize(view), opencv(view), strict=True)


@pytest.mark.parametrize("offset", range(17))
def test_every_alignment(opencv, offset):
    buffer = pixels(1, 5000)[0]
    for width in (15, 16, 31, 64, 96):
        images = buffer[offset : offset + 2 * 17 * width].reshape(2, 17, width)
        np.testing.assert_array_equal(cheq.equalize(images), opencv(images), strict=True)


def test_the_input_is_not_copied():
    height, width = 1200, 1700
    large = pixels(2 * height, 2 * width)
    views = {
        "every second": (large[::2, ::2], None),
        "transposed": (large[:width, :height].T, None),
        "reversed": (large[height - 1 :: -1, width - 1 :: -1], None),
        "channels": (large[: height // 2, : width * 3 // 2].reshape(-1, width // 2, 3)[..., ::-1], -1),
    }
    for name, (view, channel_axis) in views.items():
        out = np.empty(view.shape, np.uint8)
        for call in (
            lambda view=view, out=out, axis=channel_axis: cheq.equalize(view, channel_axis=axis, out=out),
            lambda view=view, axis=channel_axis: cheq.histogram(view, channel_axis=axis),
        ):
            tracemalloc.start()
            call()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < view.size // 4, f"{name}: {peak} bytes for {view.size} pixels"


def test_a_broadcast_batch_axis(opencv):
    image = pixels(9, 6)
    images = np.broadcast_to(image, (4, 9, 6))
    np.testing.assert_array_equal(check(images), opencv(images))
    check(images, axes=(0, 1))
    check(np.broadcast_to(np.uint8(7), (3, 9, 6)))


# ---------------------------------------------------------------- masks


@pytest.mark.parametrize("kind", ["sparse", "half", "dense", "bright"])
def test_only_true_pixels_are_counted(opencv, kind):
    for seed in range(20):
        images = pixels(3, 23, 31, seed=seed)
        images[:, 0, 0] = 200  # a pixel of every plane is counted
        chosen = np.random.default_rng(seed).random(images.shape)
        mask = images > 60 if kind == "bright" else chosen < {"sparse": 0.03, "half": 0.5, "dense": 0.97}[kind]
        result = check(images, mask=mask)
        for image, counted, one in zip(images, mask, result, strict=True):
            np.testing.assert_array_equal(one[counted], opencv(image[counted][np.newaxis])[0])


def test_the_lut_is_applied_to_all_pixels_and_is_0_below_the_lowest_counted_level():
    image = np.array([[0, 10, 50, 60, 70, 255]], np.uint8)
    mask = np.array([[False, False, True, True, True, False]])
    result = check(image, mask=mask)
    assert result.tolist() == [[0, 0, 0, 128, 255, 255]]


@pytest.mark.parametrize("counted", [0, 1, 5])
def test_no_true_pixel_or_a_single_level_leaves_the_plane_unchanged(counted):
    images = pixels(4, 9, 6)
    images[2, 0, :counted] = 33
    mask = np.ones((4, 9, 6), bool)
    mask[2] = False
    mask[2, 0, :counted] = True
    result = check(images, mask=mask)
    np.testing.assert_array_equal(result[2], images[2])
    assert (result[[0, 1, 3]] != images[[0, 1, 3]]).any(axis=(1, 2)).all()


def test_a_mask_of_true_alone_changes_nothing():
    images = pixels(3, 9, 6)
    for mask in (np.ones((3, 9, 6), bool), np.True_, True, [[True] * 6] * 9):
        np.testing.assert_array_equal(cheq.equalize(images, mask=mask), cheq.equalize(images), strict=True)
    np.testing.assert_array_equal(cheq.equalize(images, mask=np.False_), images, strict=True)


@pytest.mark.parametrize("shape", [(4, 6, 9), (6, 9), (1, 9), (6, 1), (9,), (4, 1, 1), (1, 6, 9), (4, 6, 1), ()])
def test_a_mask_broadcasts_against_the_shape_of_the_images(shape):
    check(pixels(4, 6, 9), mask=np.random.default_rng(1).random(shape) < 0.6)
    check(pixels(2, 4, 6, 9), mask=np.random.default_rng(2).random(shape) < 0.6)
    check(pixels(4, 6, 9), mask=np.random.default_rng(3).random(shape) < 0.6, axes=(0, 1, 2))


@pytest.mark.parametrize("channel_axis", [0, 1, 2, 3, -1])
def test_with_channel_axis_a_mask_of_fewer_axes_broadcasts_without_it(channel_axis):
    shape = [4, 6, 9]
    shape.insert(channel_axis % 4, 3)
    images = pixels(*shape)
    for mask_shape in ((4, 6, 9), (6, 9), (9,), (6, 1), (1, 6, 9), (4, 1, 1), ()):
        mask = np.random.default_rng(len(mask_shape)).random(mask_shape) < 0.6
        result = check(images, mask=mask, channel_axis=channel_axis)
        every_channel = np.expand_dims(np.broadcast_to(mask, (4, 6, 9)), channel_axis % 4)
        full = np.broadcast_to(every_channel, shape)
        np.testing.assert_array_equal(result, check(images, mask=full, channel_axis=channel_axis))
        for channel in range(3):
            one = images.take(channel, channel_axis)
            expected = reference.equalize(one, mask=mask)
            np.testing.assert_array_equal(result.take(channel, channel_axis), expected)


def test_with_channel_axis_a_mask_of_as_many_axes_selects_channel_by_channel():
    images = pixels(2, 6, 9, 3)
    for shape in ((2, 6, 9, 3), (1, 6, 9, 3), (2, 6, 9, 1), (1, 1, 1, 3)):
        check(images, mask=np.random.default_rng(9).random(shape) < 0.5, channel_axis=-1)
