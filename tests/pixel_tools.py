"""What the tests of the methods share: comparison of bits, and the peers, one plane a call."""

import warnings

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import reference
import skimage.exposure
from lists import FLOATS

from cheq.bench.peers import recipe


def result_dtype(method, dtype, same=False):
    """The dtype that the naive version gives a result."""
    name = method if isinstance(method, str) else None  # some tests pass what is no name at all
    keeps = same or name in reference.LEVELS or (name == "skimage" and dtype in FLOATS)
    return np.dtype(dtype if keeps else "float64")


def assert_bits(result, expected, what=""):
    """Equal shapes and native dtypes and equal bits, -0.0 apart from 0.0; every NaN is like another."""
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.dtype.isnative
    same_kind = (result.shape, result.dtype) == (expected.shape, expected.dtype)
    if same_kind and result.tobytes() == expected.tobytes():  # nearly always, and much faster
        return
    np.testing.assert_array_equal(result, expected, what, strict=True)
    if result.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(result[result == 0]), np.signbit(expected[expected == 0]), what)


# ---------------------------------------------------------------- the peers


def pillow(image, counted=None):
    mask = None if counted is None else PIL.Image.fromarray(counted.astype(np.uint8) * 255)
    return np.asarray(PIL.ImageOps.equalize(PIL.Image.fromarray(np.ascontiguousarray(image)), mask))


def scikit_image(image, counted=None, nbins=256):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Converting input from bool", RuntimeWarning)
        return skimage.exposure.equalize_hist(image, nbins, mask=counted)


def opencv(image, counted=None):
    """With a mask: OpenCV's LUT of the counted pixels, for the pixels at one of their levels; the others stay."""
    if counted is None:
        return cv2.equalizeHist(image)
    result = image.copy()
    inside = cv2.equalizeHist(np.ascontiguousarray(image[counted])[np.newaxis])[0]
    result[counted] = inside
    return result


def opencv_clahe(image, clip_limit=None, tile_grid_size=None):
    """None stands for OpenCV's own default."""
    clahe = cv2.createCLAHE()
    if clip_limit is not None:
        clahe.setClipLimit(float(clip_limit))
    if tile_grid_size is not None:
        clahe.setTilesGridSize(tile_grid_size)
    return clahe.apply(image)


def scikit_image_clahe(image, **options):
    """None stands for scikit-image's own default."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Converting input from bool", RuntimeWarning)
        given = {name: value for name, value in options.items() if value is not None}
        return skimage.exposure.equalize_adapthist(image, **given)


def opencv_codes(color):
    """The numbers by which cvtColor knows the ways to a color space and back."""
    name = {"ycrcb": "YCrCb", "yuv": "YUV", "lab": "LAB"}[color]
    return getattr(cv2, f"COLOR_RGB2{name}"), getattr(cv2, f"COLOR_{name}2RGB")


def opencv_lightness(rgb, color, changed):
    """CvtColor to a color space, its lightness changed, and cvtColor back."""
    there, back = opencv_codes(color)
    parts = cv2.cvtColor(rgb, there)
    parts[..., 0] = changed(np.ascontiguousarray(parts[..., 0]))
    return cv2.cvtColor(parts, back)


PEERS = {
    "opencv": opencv,
    "pillow": pillow,
    "skimage": scikit_image,
    "numpy": lambda image, counted=None: recipe(image, 256, counted)[0],
}


def peer(method, image, counted=None):
    """What the library that a method is named after gives for one plane, its floating-point warnings aside."""
    with np.errstate(all="ignore"):
        return PEERS[method](image, counted)


def opencv_otsu(image):
    """(threshold, binary) of OpenCV's own code: Intel's, which x86 wheels use for uint8, chooses otherwise in ties."""
    with_intel = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    try:
        return cv2.threshold(image, 0, int(np.iinfo(image.dtype).max), cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    finally:
        cv2.ipp.setUseIPP(with_intel)


def opencv_fuses():
    """Whether this cv2 was compiled to fuse products and sums, as for 64-bit ARM: near-ties of Otsu fall otherwise."""
    return opencv_otsu(np.array([[81, 99, 43, 30, 152]], np.uint8))[0] == 43  # and not 81


def refused_since_numpy_2_2(image, nbins):
    """Whether bins would have no width, and the NumPy installed still gives what comes; later ones and cheq refuse."""
    if np.lib.NumpyVersion(np.__version__) >= "2.2.0":
        return False
    with np.errstate(all="ignore"):
        edges = np.histogram_bin_edges(image, nbins)
    return bool((edges[:-1] >= edges[1:]).any())


def has_peer(method, dtype):
    """Whether a library answers; where none does, the naive version is the judge."""
    return method in PEERS and (method != "opencv" or dtype == "uint8")


def of_each_plane(call, images):
    """``call`` of each (height, width) plane, stacked."""
    planes = images.reshape(-1, *images.shape[-2:])
    return np.stack([call(plane) for plane in planes]).reshape(images.shape)


def refuses(error, call, *fragments):
    """Demand an error whose message holds all the fragments."""
    with pytest.raises(error) as caught:
        call()
    for fragment in fragments:
        assert fragment in str(caught.value), f"{fragment!r} is not in: {caught.value}"
