"""What does match_histograms refuse, and is nothing written then?"""

import re

import numpy as np
import pytest

import cheq
from cheq.parity.pixels import plane


def image(dtype="uint8", shape=(6, 7)):
    return plane("both ends", dtype, shape)


HALF = np.full((6, 7), 0.5)
NAN = np.where(np.arange(42).reshape(6, 7) == 9, np.nan, HALF)
TWO = np.stack([HALF, NAN])
REFUSED = [
    ((image(), image("uint16")), {}, TypeError, "reference: expected the images' dtype, uint8, got uint16"),
    ((image(), image("float32")), {}, TypeError, "reference: expected the images' dtype, uint8, got float32"),
    ((image("float32"), image("float64")), {}, TypeError,
     "reference: expected the images' dtype, float32, got float64"),
    ((image().astype("u4"), image()), {}, TypeError, "images: expected dtype uint8, int8, uint16, int16, float32 or"),
    ((image(), image() > 9), {}, TypeError, "reference: expected dtype uint8, int8, uint16, int16, float32 or float64"),
    ((image(), image().tolist()), {}, TypeError, "reference: expected dtype uint8"),
    ((np.ma.array(image()), image()), {}, TypeError, "images: "),
    ((image(), np.ma.array(image())), {}, TypeError, "reference: "),
    ((image(), image()), {"mask": image()}, TypeError, "mask: expected dtype bool"),
    ((image(), image()), {"reference_mask": image()}, TypeError, "reference_mask: expected dtype bool"),
    ((image(), image()), {"num_threads": 1.0}, TypeError, "num_threads: "),
    ((image(), image()), {"out": np.zeros((6, 7), np.uint8)}, TypeError, "out: expected dtype float64, got uint8"),
    ((image("uint16", (6, 7, 3)), image("uint16", (6, 7, 3))), {"color": "lab", "channel_axis": -1}, TypeError,
     "images: expected dtype uint8"),
    ((image(), image()), {"method": "opencv"}, ValueError, "method: expected one of 'skimage'"),
    ((image(), image()), {"color": "hsv"}, ValueError, "color: expected one of 'channels'"),
    ((image(), image()), {"color": "lab"}, ValueError, "channel_axis: "),
    ((image(), image()), {"dtype": "uint16"}, ValueError, "dtype: expected None, 'same' or the images' own dtype"),
    ((image(), image()), {"outside": "keep"}, ValueError, "outside: expected 'lut' without a mask"),
    ((image(), image()), {"num_threads": 0}, ValueError, "num_threads: "),
    ((image(), image()), {"axes": 2}, ValueError, "axes: "),
    ((image(), image()), {"mask": np.ones((7, 6), bool)}, ValueError, "mask: expected a shape that broadcasts to"),
    ((image(), image()), {"reference_mask": np.ones((7, 6), bool)}, ValueError,
     "reference_mask: expected a shape that broadcasts to"),
    ((image(), image(shape=(2, 6, 7))), {}, ValueError,
     "reference: expected 2 axes beside images of shape (6, 7)"),
    ((image(shape=(3, 6, 7)), image(shape=(2, 6, 7))), {}, ValueError,
     "reference: expected a batch shape that broadcasts to (3,), got (2,)"),
    ((image(shape=(3, 6, 7)), image()), {"axes": (0, 1, 2)}, ValueError,
     "reference: expected 3 axes beside images of shape (3, 6, 7)"),
    ((image(shape=(6, 7, 3)), image(shape=(6, 7, 2))), {"channel_axis": -1}, ValueError,
     "reference: expected the images' 3 channels along axis -1, got shape (6, 7, 2)"),
    ((image(shape=(6, 7, 3)), image(shape=(6, 7, 1))), {"channel_axis": -1}, ValueError,
     "reference: expected the images' 3 channels along axis -1, got shape (6, 7, 1)"),
    ((image(shape=(3, 6, 7)), image()), {"channel_axis": 0}, ValueError, "reference: expected 3 axes beside"),
    ((image(), image(shape=(5, 6, 7, 3))[0]), {}, ValueError,
     "reference: expected one plane or one for each image, got shape (6, 7, 3), whose last axis looks like"),
    ((image(shape=(6, 7, 3)), image()), {}, ValueError, "images: expected channel_axis or axes"),
    ((image(), image()[:0]), {}, ValueError, "reference: expected planes with at least one pixel, got shape (0, 7)"),
    ((image()[:0], image()[:0]), {}, ValueError,
     "reference: expected planes with at least one pixel, got shape (0, 7)"),
    ((image(), image()), {"reference_mask": np.zeros((6, 7), bool)}, ValueError,
     "reference_mask: expected True at a pixel of every plane of the reference, got none in one"),
    ((NAN, HALF), {}, ValueError, "images: expected finite values, got NaN; pass mask=np.isfinite(images)"),
    ((HALF, NAN), {}, ValueError,
     "reference: expected finite values, got NaN; pass reference_mask=np.isfinite(reference)"),
    ((HALF[:0], NAN), {}, ValueError, "reference: expected finite values, got NaN"),
    ((TWO, HALF), {}, ValueError, "images: expected finite values, got NaN in plane (1,)"),
    ((np.stack([HALF * np.inf, NAN]), HALF), {}, ValueError,
     "images: expected finite values, got an infinity in plane (0,)"),
    ((np.ones((2, 3, 5)), TWO * -np.inf), {}, ValueError,
     "reference: expected finite values, got an infinity in plane (0,)"),
    ((np.ones((2, 3, 5), "f4"), TWO.astype("f4")), {"channel_axis": 0}, ValueError,
     "reference: expected finite values, got NaN in plane (1,)"),
]  # fmt: skip


def test_planes_of_more_floats_than_can_be_ranked():
    many, few = np.broadcast_to(np.float32(0), (1 << 17, 1 << 15)), np.zeros((3, 3), np.float32)
    for name, arguments in (("images", (many, few)), ("reference", (few, many))):
        message = f"{name}: expected planes of floats of at most 4294967295 pixels, got 4294967296"
        with pytest.raises(ValueError, match=message):
            cheq.match_histograms(*arguments, out=few)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refusals_write_nothing(number):
    arguments, options, error, message = REFUSED[number]
    images = np.asarray(arguments[0])
    out = np.full(images.shape, 77, images.dtype if images.dtype.kind == "f" or "channel_axis" in options else "f8")
    before = [np.array(argument) for argument in arguments]
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        cheq.match_histograms(*arguments, **{"out": out, **options})
    assert (out == 77).all()
    for argument, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(np.array(argument), copy)
