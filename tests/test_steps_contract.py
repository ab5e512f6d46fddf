"""What do histogram, equalization_lut and apply_lut refuse, of every method and dtype?"""

import numpy as np
import pytest
import reference
from lists import DTYPES, FLOATS, INTEGERS, methods_of
from pixel_tools import assert_bits, refuses

import cheq
from cheq.parity.pixels import plane

# ---------------------------------------------------------------- histogram, equalization_lut


def test_pillow_has_no_lut_of_65536_bins():
    counts = np.ones(65536, np.int64)
    refuses(TypeError, lambda: cheq.equalization_lut(counts, method="pillow"), "pillow", "65536", "uint8")
    refuses(
        TypeError, lambda: cheq.equalization_lut(counts, method="pillow", images_dtype="uint16"), "pillow", "uint16"
    )
    refuses(TypeError, lambda: cheq.equalization_lut(counts[:256], method="pillow", images_dtype="int8"), "int8")


def test_opencv_has_no_lut_of_signed_images():
    for levels, dtype in ((256, "int8"), (65536, "int16")):
        call = lambda: cheq.equalization_lut(np.ones(levels, np.int64), images_dtype=dtype)  # noqa: B023, E731
        refuses(TypeError, call, "images_dtype", dtype, "uint8", "uint16")


@pytest.mark.parametrize("method", DTYPES)
def test_images_dtype_that_does_not_fit_the_bins(method):
    for levels, dtypes in ((256, ("uint16", "int16", ">u2")), (65536, ("uint8", "int8"))):
        for dtype in dtypes:
            call = lambda: cheq.equalization_lut(np.ones((2, levels), np.int64), method=method, images_dtype=dtype)  # noqa: B023, E731
            refuses((ValueError, TypeError), call, str(levels))
    for dtype in ("bool", "float32", "int64", "object", "nonsense"):
        call = lambda: cheq.equalization_lut(np.ones(256, np.int64), method=method, images_dtype=dtype)  # noqa: B023, E731
        refuses((ValueError, TypeError), call, "images_dtype", dtype)


def test_images_dtype_in_every_spelling():
    counts = np.random.default_rng(1).integers(0, 9, (2, 256))
    expected = reference.equalization_lut(counts, method="numpy", dtype="same", images_dtype="int8")
    for dtype in ("int8", np.int8, np.dtype("int8"), "i1"):
        assert_bits(cheq.equalization_lut(counts, method="numpy", dtype="same", images_dtype=dtype), expected)


@pytest.mark.parametrize("method", methods_of("uint16"))
def test_counts_of_another_shape_or_sign(method):
    for shape in ((), (0,), (255,), (257,), (4096,), (65535,), (65537,), (3, 512), (65536, 1), (256, 65535)):
        call = lambda: cheq.equalization_lut(np.zeros(shape, np.int64), method=method)  # noqa: B023, E731
        refuses(ValueError, call, "histogram", str(shape), "256", "65536")
    for levels in (256, 65536):
        counts = np.full((2, levels), 5)
        counts[1, levels - 1] = -3
        refuses(ValueError, lambda: cheq.equalization_lut(counts, method=method), "histogram", "-3")  # noqa: B023
        error = TypeError if method in ("opencv", "pillow") else ValueError  # which take weights, none of them negative
        refuses(error, lambda: cheq.equalization_lut(counts * 1.0, method=method), "histogram")  # noqa: B023


# ---------------------------------------------------------------- apply_lut


@pytest.mark.parametrize("dtype", INTEGERS)
def test_luts_of_another_length(dtype):
    images = plane("both ends", dtype, (3, 5, 7))
    levels = 2 ** (8 * images.itemsize)
    for shape in (
        (),
        (255,),
        (levels + 1,),
        (levels - 1,),
        (65536 + 256 - levels,),
        (2, levels),
        (levels, 3),
        (3, 1, levels),
    ):
        for lut_dtype in (dtype, "float64"):
            out = np.full((3, 5, 7), 77, lut_dtype)
            lut = np.zeros(shape, lut_dtype)
            refuses(ValueError, lambda: cheq.apply_lut(images, lut, out=out), "lut", str(shape), str(levels))  # noqa: B023
            assert (out == 77).all()


@pytest.mark.parametrize(
    "lut_dtype", ["bool", "int64", "uint32", "float16", "longdouble", "complex128", "object", "U3"]
)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_luts_of_another_dtype(dtype, lut_dtype):
    images = plane("both ends", dtype, (3, 5, 7))
    lut = np.zeros(2 ** (8 * images.itemsize), lut_dtype)
    refuses(TypeError, lambda: cheq.apply_lut(images, lut), "lut", str(lut.dtype))
    refuses(TypeError, lambda: cheq.apply_lut(images[:0], lut), "lut", str(lut.dtype))


@pytest.mark.parametrize("lut_dtype", [*INTEGERS, "float64"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_out_has_the_lut_s_dtype(dtype, lut_dtype):
    images = plane("both ends", dtype, (3, 5, 7))
    lut = np.arange(2 ** (8 * images.itemsize)).astype(lut_dtype)
    for other in (*INTEGERS, *FLOATS):
        if other != lut_dtype:
            out = np.full((3, 5, 7), 77, other)
            refuses(TypeError, lambda: cheq.apply_lut(images, lut, out=out), "out", other, lut_dtype)  # noqa: B023
            assert (out == 77).all()


def test_luts_of_another_byte_order():
    images = plane("both ends", "uint16", (3, 5, 7))
    for dtype in (">u2", ">f8", ">i2"):
        lut = np.random.default_rng(1).integers(0, 2**15, (3, 65536)).astype(dtype)
        assert_bits(cheq.apply_lut(images, lut), reference.apply_lut(images, lut))
