"""User code that runs in the middle of a call and changes what was already checked: an error, never a crash."""

import numpy as np
import pytest
import reference

import cheq


@pytest.fixture
def images():
    images = np.zeros((300, 300), np.uint8)
    images[1] = 3
    return images


def change(images):
    images.shape = (90_000, 1)


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_an_int_that_reshapes_the_images(images):
    class Threads:
        def __index__(self):
            change(images)
            return 1

    with pytest.raises(ValueError, match="images: expected arrays that keep their shape"):
        cheq.equalize(images, num_threads=Threads())


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("shape", [(3, 300, 100), (300, 3, 100)])
@pytest.mark.parametrize(
    ("dtype", "options"),
    [("uint8", {"color": "ycrcb"}), ("float64", {"method": "numpy"}), ("float32", {"method": "skimage"})],
)
def test_an_int_that_reshapes_images_whose_axes_are_in_another_order(dtype, options, shape):
    """The call looks at them in its own order, so they stay for it what they were."""
    images = np.random.default_rng(0).integers(0, 256, (300, 100, 3), np.uint8).astype(dtype)
    expected = reference.equalize(images.copy(), channel_axis=-1, **options)

    class Threads:
        def __index__(self):
            images.shape = shape
            return 1

    result = cheq.equalize(images, channel_axis=-1, num_threads=Threads(), **options)
    np.testing.assert_array_equal(result, expected, strict=True)


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_a_mask_that_reshapes_the_images(images):
    class Mask:
        def __array__(self, dtype=None, copy=None):
            change(images)
            return np.ones((300, 300), bool)

    with pytest.raises(ValueError, match="images: expected arrays that keep their shape"):
        cheq.equalize(images, mask=Mask())


@pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")
@pytest.mark.parametrize("method", ["opencv", "pillow"])
def test_an_axis_that_makes_floats_of_images_whose_method_takes_none(images, method):
    class First:
        def __index__(self):
            images.dtype = np.float32
            return 0

    with pytest.raises(ValueError, match="images: expected arrays that keep their shape and dtype"):
        cheq.equalize(images, method=method, axes=(First(), 1))


def test_an_out_that_lies_about_its_shape():
    class Liar(np.ndarray):
        shape = property(lambda self: (4, 5, 3000))

    with pytest.raises(ValueError, match="images: expected arrays that keep their shape"):
        cheq.equalize(np.ones((4, 5, 3000), np.uint8), out=np.zeros(2, np.uint8).view(Liar))


def test_an_out_that_lies_about_its_transpose():
    class Liar(np.ndarray):
        def transpose(self, *axes):
            return np.zeros(1, np.uint8)

    images = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    out = np.zeros((4, 5, 3), np.uint8).view(Liar)
    assert cheq.equalize(images, out=out, channel_axis=-1) is out
    np.testing.assert_array_equal(np.asarray(out), reference.equalize(images, channel_axis=-1))


def test_axes_as_an_array_without_axes_and_an_object_with_an_index():
    class Last:
        def __index__(self):
            return -1

    images = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    assert cheq.histogram(images, axes=np.array(1)).shape == (6, 3, 256)
    mask = images[..., 0] > 9
    expected = reference.equalize(images, channel_axis=-1, mask=mask)
    np.testing.assert_array_equal(cheq.equalize(images, channel_axis=Last(), mask=mask), expected)
    with pytest.raises(ValueError, match="method: expected one of"):
        cheq.equalize(images, channel_axis=-1, method=np.array(["opencv", "x"]))


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2", "f4", "f8"])
def test_numbers_whose_dtype_names_parts_of_them(dtype):
    def named(array):
        return array.view((array.dtype, [("first", "u1"), ("others", f"V{array.itemsize - 1}")]))

    images = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(dtype)
    mask = np.ascontiguousarray(images > 50)
    method = "opencv" if images.dtype.kind == "u" else "numpy"
    expected = reference.equalize(images, method=method, channel_axis=-1, mask=mask)
    out = np.zeros_like(expected)
    cheq.equalize(named(images), method=method, channel_axis=-1, mask=named(mask), out=named(out))
    np.testing.assert_array_equal(out, expected, strict=True)
    if images.dtype.kind == "u":
        np.testing.assert_array_equal(cheq.histogram(named(images), axes=0), reference.histogram(images, axes=0))
        np.testing.assert_array_equal(cheq.rgb_to_gray(named(images)), reference.rgb_to_gray(images))
