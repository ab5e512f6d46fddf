"""User code that runs in the middle of a call and changes what was already checked: an error, never a crash."""

import numpy as np
import pytest
import reference
from numpy.lib.stride_tricks import as_strided

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

    for function in (cheq.equalize, cheq.clahe, lambda images, **named: cheq.match_histograms(images, IMAGE, **named)):
        images.shape = (300, 300)
        with pytest.raises(ValueError, match="images: expected arrays that keep their shape"):
            function(images, num_threads=Threads())


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("shape", [(3, 300, 100), (300, 3, 100)])
@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("uint8", {"color": "ycrcb"}),
        ("uint8", {"color": "lab"}),
        ("float64", {"method": "numpy"}),
        ("float32", {"method": "skimage"}),
    ],
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

    for function in (cheq.equalize, cheq.clahe):
        images.shape = (300, 300)
        with pytest.raises(ValueError, match="images: expected arrays that keep their shape"):
            function(images, mask=Mask())


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("changed", ["images", "reference"])
def test_what_reshapes_images_or_a_reference_that_are_matched(dtype, changed):
    """While masks are looked at: those of the images before the reference is, which is looked at last."""
    values = np.random.default_rng(0).integers(0, 90, (300, 300)).astype(dtype)

    class Mask:
        def __array__(self, dtype=None, copy=None):
            given[changed].shape = (90_000, 1)
            return np.ones((300, 300), bool)

    for name in ("mask", "reference_mask"):
        given = {"images": values.copy(), "reference": values[::-1].copy()}
        out = np.full((300, 300), 77, values.dtype)
        options = {name: Mask(), "out": out, "dtype": "same"}
        try:
            cheq.match_histograms(given["images"], given["reference"], **options)
        except ValueError as error:
            assert "expected" in str(error)  # noqa: PT017
            assert (out == 77).all()
        else:
            before = reference.match_histograms(values, values[::-1], dtype="same")
            np.testing.assert_array_equal(out, before)


@pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_an_axis_that_makes_other_numbers_of_what_is_matched(dtype):
    """A reference is refused that is of another dtype than the images by then; both may have changed to one."""
    images = np.random.default_rng(0).integers(0, 90, (64, 64)).astype(dtype)
    wanted, arrays = images[::-1].copy(), []

    class Last:
        def __index__(self):
            for array in arrays:
                array.dtype = np.float64
            return -1

    arrays.append(wanted)
    with pytest.raises(TypeError, match=f"^reference: expected the images' dtype, {dtype}, got float64"):
        cheq.match_histograms(images, wanted, axes=(0, Last()))
    arrays.append(images)
    result = cheq.match_histograms(images, wanted, axes=(0, Last()))
    np.testing.assert_array_equal(result, reference.match_histograms(images, wanted), strict=True)


@pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")
@pytest.mark.parametrize("method", ["opencv", "pillow"])
def test_an_axis_that_makes_floats_of_images_whose_method_takes_none(images, method):
    class First:
        def __index__(self):
            images.dtype = np.float32
            return 0

    with pytest.raises(ValueError, match="images: expected arrays that keep their shape and dtype"):
        cheq.equalize(images, method=method, axes=(First(), 1))


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_a_kernel_size_that_reshapes_the_images(images):
    class Sides:
        def __iter__(self):
            change(images)
            return iter((5, 5))

    with pytest.raises(ValueError, match="images: expected arrays that keep their shape"):
        cheq.clahe(images, method="skimage", kernel_size=Sides())


def lying(array, **lies):
    """The array as a subclass of ndarray that tells other attributes than it has."""
    told = {name: property(lambda self, value=value: value) for name, value in lies.items()}
    return array.view(type("Liar", (np.ndarray,), told))


def flags_of(array):
    return {"flags": array.flags}


IMAGE = np.arange(60, dtype=np.uint8).reshape(4, 15)


@pytest.mark.parametrize(
    ("out", "lies", "method", "message"),
    [
        (np.zeros(2, np.uint8), {"shape": (4, 15)}, "opencv", r"out: expected the images' shape \(4, 15\), got \(2,\)"),
        (np.zeros((4, 15), object), {"dtype": np.dtype("f8")}, "skimage", "out: expected dtype float64, got object"),
        (np.zeros((4, 15), "f4"), {"dtype": np.dtype("f8")}, "skimage", "out: expected dtype float64, got float32"),
        (np.zeros((4, 15), ">f8"), {"dtype": np.dtype("f8")}, "numpy", "out: expected dtype float64, got >f8"),
        (np.zeros((4, 15), "u2"), {"dtype": np.dtype("u1")}, "opencv", "out: expected dtype uint8, got uint16"),
        (np.frombuffer(bytes(60), "u1").reshape(4, 15), flags_of(IMAGE), "opencv", "out: expected a writable array"),
        (as_strided(np.zeros(60, np.uint8), (4, 15), (1, 1)), flags_of(IMAGE) | {"strides": (15, 1)}, "opencv",
         r"out: expected elements apart in memory, got strides \(1, 1\)"),
    ],
)  # fmt: skip
def test_an_out_that_lies(out, lies, method, message):
    before = out.tobytes()
    with pytest.raises((ValueError, TypeError), match=message):
        cheq.equalize(IMAGE, method=method, out=lying(out, **lies))
    if np.dtype(np.uint8) == np.result_type(lies.get("dtype", np.uint8)):
        with pytest.raises((ValueError, TypeError), match=r"^out: "):
            cheq.apply_lut(IMAGE, np.arange(256, dtype=np.uint8), out=lying(out, **lies))
    assert out.tobytes() == before


def test_lies_about_other_arrays_change_nothing():
    """They are looked at as what they are."""
    mask, lut = IMAGE > 20, np.arange(256, dtype=np.uint8)[::-1].copy()
    expected = reference.equalize(IMAGE, mask=mask)
    lies = {"dtype": np.dtype("f8"), "shape": (9, 9), "strides": (0, 0)}
    np.testing.assert_array_equal(cheq.equalize(lying(IMAGE, **lies), mask=lying(mask, **lies)), expected)
    np.testing.assert_array_equal(cheq.apply_lut(IMAGE, lying(lut, **lies)), lut[IMAGE])
    counts = cheq.histogram(lying(IMAGE, **lies))
    np.testing.assert_array_equal(cheq.equalization_lut(lying(counts, **lies)), reference.equalization_lut(counts))
    told = {"mask": lying(mask, **lies), "reference_mask": lying(mask, **lies)}
    result = cheq.match_histograms(lying(IMAGE, **lies), lying(IMAGE[::-1], **lies), **told)
    expected = reference.match_histograms(IMAGE, IMAGE[::-1], mask=mask, reference_mask=mask)
    np.testing.assert_array_equal(result, expected)
    lut = cheq.matching_lut(lying(counts, **lies), lying(counts[::-1] * 0.5, **lies))
    np.testing.assert_array_equal(lut, reference.matching_lut(counts, counts[::-1] * 0.5))


class Odd(str):
    """A str that equals nothing, and says so with an error."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other):
        raise RuntimeError("odd")

    def __str__(self):
        return "odd"


class Greedy(Odd):
    """One that equals everything."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other):
        return True


@pytest.mark.parametrize("kind", [Odd, Greedy])
def test_a_str_that_is_equal_to_other_things_than_its_text(kind):
    images = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    options = {"method": "pillow", "color": "lab", "dtype": "same", "nan_policy": "omit", "outside": "lut"}
    told = {name: kind(value) for name, value in options.items()}
    np.testing.assert_array_equal(
        cheq.equalize(images, channel_axis=-1, **told), reference.equalize(images, channel_axis=-1, **options)
    )
    np.testing.assert_array_equal(
        cheq.clahe(images, channel_axis=-1, method=kind("opencv"), color=kind("lab"), outside=kind("lut")),
        reference.clahe(images, channel_axis=-1, color="lab"),
    )
    told = {"method": kind("skimage"), "color": kind("channels"), "outside": kind("lut"), "dtype": kind("same")}
    np.testing.assert_array_equal(
        cheq.clahe(images, channel_axis=-1, **told),
        reference.clahe(images, channel_axis=-1, method="skimage", dtype="same"),
    )
    np.testing.assert_array_equal(
        cheq.rgb_to_gray(images, method=kind("pillow")), reference.rgb_to_gray(images, method="pillow")
    )
    np.testing.assert_array_equal(
        cheq.binarize(images[..., 0], kind("otsu")), reference.binarize(images[..., 0], "otsu")
    )
    told = {"method": kind("skimage"), "color": kind("yuv"), "outside": kind("lut"), "dtype": kind("same")}
    np.testing.assert_array_equal(
        cheq.match_histograms(images, images[:2], channel_axis=-1, **told),
        reference.match_histograms(images, images[:2], channel_axis=-1, color="yuv"),
    )
    hist = cheq.histogram(images[..., 0])
    np.testing.assert_array_equal(
        cheq.matching_lut(hist, hist[::-1], dtype=kind("same")), reference.matching_lut(hist, hist[::-1], dtype="same")
    )
    for name in options:
        with pytest.raises(ValueError, match=f"^{name}: expected .*; got "):
            cheq.equalize(images, **{"channel_axis": -1, name: kind("x")})
    with pytest.raises(ValueError, match=r"^threshold: expected"):
        cheq.binarize(images[..., 0], kind("x"))


@pytest.mark.parametrize("axes", [
    np.zeros(()), np.array("1"), memoryview(np.zeros((2, 2), int)), memoryview(np.ones((), int)), {1.5: 0}, "1", [[0]],
    [None], iter([0.5]), np.zeros((1, 2), int),
])  # fmt: skip
def test_axes_that_are_no_ints(axes):
    with pytest.raises((TypeError, ValueError), match=r"^axes: expected "):
        cheq.histogram(np.zeros((6, 5, 7), np.uint8), axes=axes)
    if not isinstance(axes, memoryview):
        with pytest.raises((TypeError, ValueError), match=r"^channel_axis: expected "):
            cheq.histogram(np.zeros((6, 5, 7), np.uint8), channel_axis=axes)


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
