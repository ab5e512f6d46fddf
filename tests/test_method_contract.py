"""What do the methods, dtypes and steps refuse? Which error, what it says, and that nothing is written before it."""

import enum
import inspect
import warnings

import numpy as np
import pytest
import reference
from lists import CASES, DTYPES, FLOATS, INTEGERS, SPACES, methods_of
from numpy.lib.stride_tricks import as_strided
from pixel_tools import assert_bits, refuses, result_dtype

import cheq
from cheq.parity.pixels import plane

all_cases = pytest.mark.parametrize(("method", "dtype"), CASES)


def blank(method, dtype, shape=(5, 7)):
    return np.full(shape, 77, result_dtype(method, dtype))


def refused(error, fragments, images, out=None, **named):
    """Demand an error of equalize that holds the fragments, and that neither the images nor ``out`` change."""
    out = blank(named.get("method", "opencv"), "uint8", np.shape(images)) if out is None else out
    base = out if out.base is None else out.base
    kept, before = images.tobytes(), base.tobytes()
    refuses(error, lambda: cheq.equalize(images, out=out, **named), *fragments)
    assert images.tobytes() == kept
    assert base.tobytes() == before


# ---------------------------------------------------------------- signatures

SIGNATURES = {
    "equalize": {
        "images": ..., "method": "opencv", "color": "channels", "axes": None, "channel_axis": None, "mask": None,
        "outside": "lut", "out": None, "dtype": None, "nbins": 256, "nan_policy": "raise", "num_threads": None,
    },
    "histogram": {"images": ..., "axes": None, "channel_axis": None, "mask": None, "num_threads": None},
    "equalization_lut": {"histogram": ..., "method": "opencv", "dtype": None, "images_dtype": None},
    "apply_lut": {
        "images": ..., "lut": ..., "axes": None, "channel_axis": None, "mask": None, "outside": "lut", "out": None,
        "num_threads": None,
    },
    "cumulative_distribution": {
        "images": ..., "axes": None, "channel_axis": None, "mask": None, "nbins": 256, "nan_policy": "raise",
        "num_threads": None,
    },
    "otsu_threshold": {"images": ..., "axes": None, "channel_axis": None, "mask": None, "num_threads": None},
    "binarize": {
        "images": ..., "threshold": "otsu", "axes": None, "channel_axis": None, "mask": None, "out": None,
        "num_threads": None,
    },
    "recipes.image_histogram_equalization": {
        "image": ..., "number_bins": 256, "axes": None, "channel_axis": None, "num_threads": None,
    },
}  # fmt: skip
POSITIONAL = ("images", "image", "histogram", "lut", "threshold", "number_bins")


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    call = cheq
    for part in name.split("."):
        call = getattr(call, part)
    parameters = inspect.signature(call).parameters
    assert list(parameters) == list(SIGNATURES[name])
    for parameter, default in SIGNATURES[name].items():
        found = parameters[parameter]
        assert found.default == (inspect.Parameter.empty if default is ... else default)
        assert (found.kind is inspect.Parameter.KEYWORD_ONLY) == (parameter not in POSITIONAL)
    same = [parameter for parameter in parameters if parameter not in ("out", "num_threads")]
    assert list(inspect.signature(getattr(reference, call.__name__)).parameters) == same


# ---------------------------------------------------------------- dtypes of images


@pytest.mark.parametrize("dtype", [
    "bool", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64",
    "longdouble", "complex64", "complex128", "object", "U3", "M8[s]", "m8[s]",
])  # fmt: skip
@pytest.mark.parametrize("method", DTYPES)
def test_images_of_another_dtype(method, dtype):
    images = np.zeros((5, 7), dtype)
    if dtype in DTYPES[method]:
        cheq.equalize(images, method=method)
        return
    for some in (images, images[:0], images.astype(images.dtype.newbyteorder())):
        refused(TypeError, ["images", str(some.dtype), *DTYPES[method]], some, method=method)


def test_pillow_on_uint16_names_the_method_that_takes_it():
    refused(TypeError, ["images", "uint16", "opencv"], np.zeros((5, 7), np.uint16), method="pillow")


def test_lists_are_not_converted_silently():
    for method in DTYPES:
        refuses(TypeError, lambda: cheq.equalize([[1, 2], [3, 4]], method=method), "images", "int64")  # noqa: B023
    for method in methods_of("float64"):
        assert cheq.equalize([[0.5, 0.25], [1.0, 2.0]], method=method).dtype == np.float64


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("argument", ["method", "nan_policy", "color"])
@pytest.mark.parametrize(
    "value", ["Same", "", "opencv ", "SKIMAGE", "RAISE", "propagate", "YCrCb", "rgb", "scikit-image"]
)
def test_another_name(argument, value):
    valid = {"method": tuple(DTYPES), "nan_policy": ("raise", "omit"), "color": ("channels", *SPACES)}[argument]
    for images in (np.zeros((5, 7), np.uint8), np.zeros((0, 7), np.uint8)):
        out = np.full_like(images, 77)
        refused(ValueError, [argument, repr(value), *map(repr, valid)], images, out, **{argument: value})
    if argument == "method":
        refuses(ValueError, lambda: cheq.equalization_lut(np.zeros(256, int), method=value), "method", repr(value))


@pytest.mark.parametrize("argument", ["method", "nan_policy", "color", "dtype"])
@pytest.mark.parametrize("value", [3, b"same", ["opencv"], np.int8, np.array(["a", "b"]), {}, 0.5, True])
def test_what_is_not_a_name(argument, value):
    refused((TypeError, ValueError), [argument], np.zeros((5, 7), np.uint8), **{argument: value})


def test_a_name_may_be_a_member_of_an_enum():
    class Name(str, enum.Enum):  # noqa: UP042  (a StrEnum is its value in str())
        numpy, same, omit = "numpy", "same", "omit"

    images = plane("both ends", "float64", (5, 7))
    result = cheq.equalize(images, method=Name.numpy, dtype=Name.same, nan_policy=Name.omit)
    assert_bits(result, cheq.equalize(images, method="numpy"))
    assert_bits(
        cheq.equalization_lut(np.arange(256), method=Name.numpy),
        reference.equalization_lut(np.arange(256), method="numpy"),
    )


@pytest.mark.parametrize(
    "value",
    ["Same", "", "uint32", np.int64, np.dtype("f2"), "(2,)u1", 8, ",", "\ud800", ("u1", -1), {"a": ("u1", 2**70)}],
)
@all_cases
def test_another_dtype_of_the_result(method, dtype, value):
    images, out = plane("both ends", dtype, (5, 7)), blank(method, dtype)
    fragments = ["dtype: expected None, 'same' or", dtype, repr(value)]
    refused(ValueError, fragments, images, out, method=method, dtype=value)
    if dtype == "uint8":
        refuses(ValueError, lambda: cheq.equalization_lut(np.zeros(256, int), dtype=value), "dtype", "same", "uint8")


@all_cases
def test_the_images_own_dtype_means_the_same(method, dtype):
    images = plane("both ends", dtype, (5, 7))
    for value in (np.dtype(dtype), np.dtype(dtype).type, dtype, np.dtype(dtype).newbyteorder()):
        if dtype == "bool":
            refuses(TypeError, lambda: cheq.equalize(images, method=method, dtype=value), "dtype", "bool")  # noqa: B023
        else:
            same = cheq.equalize(images, method=method, dtype="same")
            assert_bits(cheq.equalize(images, method=method, dtype=value), same)
    if dtype in ("uint8", "uint16"):
        counts = cheq.histogram(images)
        assert_bits(
            cheq.equalization_lut(counts, method=method, dtype=dtype),
            cheq.equalization_lut(counts, method=method, dtype="same"),
        )


def test_bool_has_no_levels_to_keep():
    images = plane("uniform", bool, (5, 7))
    for out in (np.zeros((5, 7), bool), np.zeros((5, 7))):
        refused(TypeError, ["dtype", "bool"], images, out, method="skimage", dtype="same")
    refused(TypeError, ["dtype", "bool"], images[:0], np.zeros((0, 7)), method="skimage", dtype="same")


# ---------------------------------------------------------------- nbins, nan_policy


@pytest.mark.parametrize("nbins", [1, 10, 255, 257, 65536])
@pytest.mark.parametrize(("method", "dtype"), [case for case in CASES if case[1] not in FLOATS])
def test_nbins_where_there_is_a_bin_a_level(method, dtype, nbins):
    images = plane("both ends", dtype, (5, 7))
    for some in (images, images[:0]):
        out = blank(method, dtype, some.shape)
        refused(ValueError, ["nbins", "256", str(nbins)], some, out, method=method, nbins=nbins)
    cheq.equalize(images, method=method, nbins=256)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("method", methods_of("float64"))
def test_nbins_out_of_range_or_not_an_integer(method, dtype):
    images, out = plane("both ends", dtype, (5, 7)), blank(method, dtype)
    for nbins in (0, -1, -256, -(2**70)):
        refused(ValueError, ["nbins", str(nbins)], images, out, method=method, nbins=nbins)
    for nbins in (256.0, 2.5, "256", None, (256,), np.array([1, 2])):
        refused(TypeError, ["nbins"], images, out, method=method, nbins=nbins)
    for nbins in (2**62, 2**70):
        refused((ValueError, MemoryError), [], images, out, method=method, nbins=nbins)
    expected = reference.equalize(images, method=method, nbins=10)
    assert_bits(cheq.equalize(images, method=method, nbins=np.uint8(10)), expected)


@all_cases
def test_nan_policy_is_taken_by_all_and_matters_to_floats(method, dtype):
    images = plane("both ends", dtype, (5, 7))
    assert_bits(cheq.equalize(images, method=method, nan_policy="omit"), reference.equalize(images, method=method))


# ---------------------------------------------------------------- out


@all_cases
def test_out_of_another_dtype(method, dtype):
    images, right = plane("both ends", dtype, (5, 7)), result_dtype(method, dtype)
    for other in ("bool", *INTEGERS, "int64", "float16", *FLOATS, "complex128", "object"):
        if other != right:
            out = np.ones((5, 7), other)
            refused(TypeError, ["out", np.dtype(other).name, right.name], images, out, method=method)
            refused(TypeError, ["out"], images[:0], out[:0], method=method)
    if right.itemsize > 1:
        refused(TypeError, ["out"], images, np.ones((5, 7), right.newbyteorder()), method=method)
    if dtype != "bool":
        wrong = np.ones((5, 7), "float64" if dtype == "float32" or method in reference.LEVELS else "float32")
        refused(TypeError, ["out", wrong.dtype.name, dtype], images, wrong, method=method, dtype="same")


@all_cases
def test_out_whose_elements_overlap_in_part(method, dtype):
    right = result_dtype(method, dtype)
    if right.itemsize == 1:
        return
    buffer = np.zeros(600, np.uint8)
    for step in (right.itemsize - 1, 1, right.itemsize // 2):
        out = as_strided(buffer[:8].view(right), (1, 7), (64, step))
        refuses(ValueError, lambda: cheq.equalize(plane("both ends", dtype, (1, 7)), method=method, out=out), "out")  # noqa: B023
    assert (buffer == 0).all()


@pytest.mark.parametrize("method", methods_of("float64"))
def test_images_of_another_size_an_element_in_the_memory_of_out(method):
    shape = (6, 9)
    for dtype in ("uint8", "int16", "float32", "bool"):
        right, count = result_dtype(method, dtype) if dtype in DTYPES[method] else None, 54
        if right is None:
            continue
        for start in (0, 8, 54 * right.itemsize - 54, 300):
            buffer = np.zeros(54 * 8 + 320, np.uint8)
            images = buffer[start : start + count * np.dtype(dtype).itemsize].view(dtype).reshape(shape)
            images[...] = plane("both ends", dtype, shape)
            out = buffer[: count * right.itemsize].view(right).reshape(shape)
            expected = reference.equalize(images.copy(), method=method)
            assert cheq.equalize(images, method=method, out=out) is out
            assert_bits(out, expected)


@all_cases
def test_an_error_elsewhere_leaves_out_as_it_was(method, dtype):
    images, out = plane("both ends", dtype, (4, 5, 7)), blank(method, dtype, (4, 5, 7))
    for error, argument, value in (
        (ValueError, "num_threads", 0), (TypeError, "num_threads", 1.5), (TypeError, "num_threads", True),
        (ValueError, "axes", (0, 0)), (ValueError, "axes", (7,)), (TypeError, "axes", "01"),
        (ValueError, "channel_axis", 9), (TypeError, "channel_axis", 1.0),
        (TypeError, "mask", np.ones((5, 7))), (ValueError, "mask", np.ones((3, 5, 7), bool)),
    ):  # fmt: skip
        refused(error, [argument], images, out, method=method, **{argument: value})
    refused(ValueError, [], images[0, 0], out[0, 0], method=method)


# ---------------------------------------------------------------- lightness


@pytest.mark.parametrize("space", SPACES)
def test_what_spaces_refuse(space):
    rgb = plane("both ends", "uint8", (4, 5, 7, 3))
    named = {"color": space}
    refused(ValueError, ["channel_axis"], rgb, np.full_like(rgb, 77), **named)
    for channels in (1, 2, 5):
        wrong = np.zeros((5, 7, channels), np.uint8)
        refused(ValueError, ["3", "4", str(channels)], wrong, np.full_like(wrong, 77), channel_axis=-1, **named)
    for dtype in ("uint16", "int8", "float32", "float64", "bool"):
        wrong = rgb.astype(dtype)
        with pytest.raises(TypeError, match="uint8"):
            cheq.equalize(wrong, channel_axis=-1, **named)
    for method in set(DTYPES).difference(reference.LEVELS):
        out = np.full_like(rgb, 77)
        refused((TypeError, ValueError), [["method", "color"][0]], rgb, out, channel_axis=-1, method=method, **named)
    for shape in ((4, 5, 7, 3), (4, 5, 7, 1), (4, 5, 6), (5, 5, 7), (1, 4, 5, 7)):
        mask = np.ones(shape, bool)
        refused(ValueError, ["mask", str(shape)], rgb, np.full_like(rgb, 77), channel_axis=-1, mask=mask, **named)
    refused(ValueError, ["axes"], rgb, np.full_like(rgb, 77), channel_axis=-1, axes=(2, 3), **named)


@pytest.mark.parametrize("space", SPACES)
def test_spaces_with_axes_masks_and_a_fourth_channel(space):
    images = np.random.default_rng(1).integers(0, 256, (2, 4, 13, 21)).astype(np.uint8) // 3
    mask = plane("uniform", bool, (2, 13, 21))
    for named in ({}, {"mask": mask}, {"mask": mask[0]}, {"axes": (0, 2, 3)}, {"axes": (0, 2, 3), "mask": mask}):
        for method in reference.LEVELS:
            where = {"color": space, "channel_axis": 1, "method": method, **named}
            result = cheq.equalize(images, **where)
            assert_bits(result, reference.equalize(images, **where))
            assert_bits(result[:, 3], images[:, 3])


# ---------------------------------------------------------------- what all functions have in common


@all_cases
def test_floats_and_16_bits_are_asked_about_too_and_nothing_warns(method, dtype):
    images, out = plane("both ends", dtype, (5, 7, 3)), blank(method, dtype, (5, 7, 3))
    refused(ValueError, ["images: ", "channel_axis=-1"], images, out, method=method)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # np.histogram's about bool among them
        cheq.equalize(images, method=method, channel_axis=-1)
        cheq.equalize(images, method=method, axes=(0, 1), mask=np.zeros((5, 7, 3), bool))
        cheq.equalize(images[:, :0], method=method, channel_axis=-1)
