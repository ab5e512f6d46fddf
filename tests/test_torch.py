"""Do the functions for PyTorch's tensors give cheq's bytes, without a copy, at once and in PyTorch's graphs?"""

import re

import numpy as np
import pytest

import cheq

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

pytestmark = pytest.mark.worlds

RANDOM = np.random.default_rng(0)
SHAPES = [(20, 24), (3, 20, 24), (4, 20, 24), (2, 3, 20, 24), (2, 1, 20, 3), (5, 2, 4, 20, 24), (0, 3, 20, 24)]


def batch(shape, dtype=np.uint8):
    """Pixels in the middle of the range, so that every method changes them; floats from 0 to 1."""
    levels = RANDOM.integers(60, 120, shape)
    if dtype == np.bool_:
        return levels > 90
    return (levels / 255).astype(dtype) if np.dtype(dtype).kind == "f" else levels.astype(dtype)


def channel_of(array):
    return -3 if array.ndim > 2 else None


def assert_same(result, expected):
    """Bytes, shape and dtype."""
    assert type(result) is torch.Tensor
    assert result.is_contiguous()
    array = result.numpy()
    assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(array, expected, strict=True)


# ---------------------------------------------------------------- the same bytes

CALLS = {
    "equalize": {},
    "equalize, pillow": {"method": "pillow"},
    "equalize, skimage": {"method": "skimage"},
    "equalize, numpy, same": {"method": "numpy", "dtype": "same"},
    "clahe": {"clip_limit": 2.0, "tile_grid_size": (3, 2)},
    "clahe, skimage": {"method": "skimage", "clip_limit": 0.02, "kernel_size": (5, 6), "nbins": 100},
    "match_histograms": {},
    "match_histograms, same": {"dtype": "same"},
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_the_bytes_of_cheq(name, shape):
    function, options, images = name.partition(",")[0], CALLS[name], batch(shape)
    reference = (batch((*shape[-3:-2], 9, 7)) + 50,) if function == "match_histograms" else ()
    expected = getattr(cheq, function)(images, *reference, channel_axis=channel_of(images), **options)
    tensors = map(torch.from_numpy, (images, *reference))
    assert_same(getattr(cheq.torch, function)(*tensors, **options), expected)


@pytest.mark.parametrize(
    ("method", "dtype"), [(method, dtype) for method, dtypes in cheq._methods.TAKEN.items() for dtype in dtypes]
)
def test_every_dtype(method, dtype):
    images = batch((2, 3, 20, 24), dtype)
    expected = cheq.equalize(images, method=method, channel_axis=-3)
    assert_same(cheq.torch.equalize(torch.from_numpy(images), method=method), expected)
    if dtype != "bool":
        expected = cheq.equalize(images, method=method, channel_axis=-3, dtype="same")
        for same in ("same", getattr(torch, dtype)):
            assert_same(cheq.torch.equalize(torch.from_numpy(images), method=method, dtype=same), expected)


@pytest.mark.parametrize("color", ["ycrcb", "yuv", "lab"])
def test_lightness(color):
    images, reference = batch((2, 3, 20, 24)), batch((3, 9, 7)) + 50
    given = {"color": color, "channel_axis": 1}
    tensor, of_reference = torch.from_numpy(images), torch.from_numpy(reference)
    assert_same(cheq.torch.equalize(tensor, color=color), cheq.equalize(images, **given))
    assert_same(cheq.torch.clahe(tensor, color=color), cheq.clahe(images, **given))
    expected = cheq.match_histograms(images, reference, color=color, channel_axis=-3)
    assert_same(cheq.torch.match_histograms(tensor, of_reference, color=color), expected)


@pytest.mark.parametrize("shape", [(20, 24), (2, 20, 24), (2, 1, 20, 24), (3, 20, 24), (2, 3, 20, 24)], ids=str)
@pytest.mark.parametrize("outside", ["lut", "keep"])
def test_masks(shape, outside):
    """Of fewer axes than the images they lack that of the channels: (N, H, W) for (N, C, H, W), whatever the sizes."""
    images, mask, of_reference = batch((2, 3, 20, 24)), RANDOM.random(shape) > 0.4, RANDOM.random((20, 24)) > 0.4
    given, tensor = {"channel_axis": 1, "outside": outside}, torch.from_numpy(images)
    options = {"mask": torch.from_numpy(mask), "outside": outside}
    if shape == (3, 20, 24):
        with pytest.raises(ValueError, match=r"mask: expected a shape that broadcasts to \(2, 20, 24\)"):
            cheq.torch.equalize(tensor, **options)
        return
    assert_same(cheq.torch.equalize(tensor, **options), cheq.equalize(images, mask=mask, **given))
    assert_same(cheq.torch.clahe(tensor, **options), cheq.clahe(images, mask=mask, **given))
    expected = cheq.match_histograms(images, images, mask=mask, reference_mask=of_reference, **given)
    options["reference_mask"] = torch.from_numpy(of_reference)
    assert_same(cheq.torch.match_histograms(tensor, tensor, **options), expected)


def test_clip_limits():
    images = batch((2, 3, 20, 24))
    tensor, dtypes = torch.from_numpy(images), (torch.float32, torch.float64, torch.int64)
    for limits in (np.array(2), np.array([1, 4]), np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2], [3]])):
        expected = cheq.clahe(images, clip_limit=limits, channel_axis=1)
        for dtype in dtypes:
            assert_same(cheq.torch.clahe(tensor, clip_limit=torch.from_numpy(limits).to(dtype)), expected)
    for limit in (3, 3.0, np.float32(3)):
        assert_same(cheq.torch.clahe(tensor, clip_limit=limit), cheq.clahe(images, clip_limit=3, channel_axis=1))


def test_a_histogram_as_reference():
    images = batch((2, 3, 20, 24))
    counts = cheq.histogram(batch((3, 9, 7)) + 50)
    for given in (counts, counts[0], counts / 7):
        for options in ({}, {"dtype": "same"}):
            expected = cheq.match_histograms(images, reference_histogram=given, channel_axis=-3, **options)
            histogram = torch.from_numpy(given)
            result = cheq.torch.match_histograms(torch.from_numpy(images), reference_histogram=histogram, **options)
            assert_same(result, expected)


def test_other_axes():
    images = batch((2, 3, 5, 20, 24))
    volumes = cheq.equalize(images, axes=(-3, -2, -1), channel_axis=1)
    tensor = torch.from_numpy(images)
    assert_same(cheq.torch.equalize(tensor, axes=(-3, -2, -1), channel_axis=-4), volumes)
    assert_same(cheq.torch.equalize(tensor, axes=(-3, -2, -1), channel_axis=None), volumes)
    with pytest.raises(ValueError, match="channel_axis: expected an axis that is not in axes"):
        cheq.torch.equalize(tensor, axes=(-3, -2, -1))
    last = cheq.equalize(images, channel_axis=-1, color="channels")
    assert_same(cheq.torch.equalize(tensor, channel_axis=-1), last)
    gray, reference = images[0, 0], images[1, 1, 2]
    expected = cheq.match_histograms(gray, reference)
    assert_same(
        cheq.torch.match_histograms(torch.from_numpy(gray), torch.from_numpy(reference), channel_axis=None), expected
    )
    with pytest.raises(ValueError, match="reference: expected 3 axes"):
        cheq.torch.match_histograms(torch.from_numpy(gray), torch.from_numpy(reference))


def test_floats_with_holes():
    images = batch((3, 20, 24), np.float32)
    images[1, 2, 3] = np.nan
    given = {"method": "skimage", "nbins": 50, "nan_policy": "omit"}
    assert_same(cheq.torch.equalize(torch.from_numpy(images), **given), cheq.equalize(images, channel_axis=0, **given))


# ---------------------------------------------------------------- memory and threads

STRIDED = {
    "channels last": lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
    "transposed": lambda x: x.transpose(-1, -2),
    "crop": lambda x: x[..., 1:-2, 3:],
    "every second": lambda x: x[::2, :, ::2, ::3],
    "expanded": lambda x: x[:, :1].expand(-1, 3, -1, -1),
    "unaligned": lambda x: x.view(-1)[1 : 1 + 3 * 20 * 24].view(1, 3, 20, 24),
}


@pytest.fixture
def calls(monkeypatch):
    """What cheq.equalize was called with, by way of cheq.torch, and what it gave."""
    seen = []

    def equalize(**arguments):
        result = cheq.equalize(**arguments)
        seen.append((arguments, result))
        return result

    monkeypatch.setattr(cheq.torch._EQUALIZE, "function", equalize)
    return seen


@pytest.mark.parametrize("layout", STRIDED)
def test_any_strides_without_a_copy(layout, calls):
    images = STRIDED[layout](torch.from_numpy(batch((2, 3, 20, 24))))
    before, mask = images.clone(), images > 80
    result = cheq.torch.equalize(images, mask=mask)
    ((given, array),) = calls
    for tensor, taken in ((images, given["images"]), (mask, given["mask"]), (result, array)):
        assert tensor.data_ptr() == taken.__array_interface__["data"][0]
        assert tensor.stride() == tuple(stride // taken.itemsize for stride in taken.strides)
    assert torch.equal(images, before)
    assert_same(result, cheq.equalize(before.numpy(), channel_axis=1, mask=mask.numpy()))


def test_one_thread_unless_asked_for(calls):
    images = torch.from_numpy(batch((3, 20, 24)))
    for options, expected in (({}, 1), ({"num_threads": 2}, 2), ({"num_threads": None}, None)):
        cheq.torch.equalize(images, **options)
        assert calls[-1][0]["num_threads"] == expected


# ---------------------------------------------------------------- errors

IMAGES = torch.from_numpy(batch((2, 3, 20, 24)))
REFUSED = {
    "array": (lambda: IMAGES.numpy(), "a torch.Tensor, got numpy.ndarray; "),
    "list": (lambda: [[1]], "a torch.Tensor, got builtins.list$"),
    "None": (lambda: None, "a torch.Tensor, got builtins.NoneType$"),
    "meta": (lambda: IMAGES.to("meta"), "a tensor in the CPU's memory, got one on meta$"),
    "gradient": (lambda: IMAGES.double().requires_grad_(), r"a tensor without requires_grad, .*; pass \w+.detach\(\)"),
    "sparse": (lambda: IMAGES.to_sparse(), r"a dense tensor, got torch.sparse_coo; pass \w+.to_dense\(\)"),
    "quantized": (
        lambda: torch.quantize_per_tensor(IMAGES.float(), 1, 0, torch.quint8),
        r"a tensor of numbers, got a quantized one; pass \w+.int_repr\(\)",
    ),
    "bfloat16": (
        lambda: IMAGES.bfloat16(),
        r"dtype uint8, .* or float64, got torch.bfloat16; convert with \w+.to\(torch.float32\)",
    ),
    "float8": (lambda: IMAGES.to(torch.float8_e5m2), "dtype uint8, .* or float64, got torch.float8_e5m2"),
}


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # PyTorch gives it up
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("function", cheq.torch.__all__)
def test_tensors_that_are_refused(function, name):
    make, message = REFUSED[name]
    call = getattr(cheq.torch, function)
    others = (IMAGES,) if function == "match_histograms" else ()
    own = f"call cheq.{function}, or pass torch.as_tensor" if name == "array" else ""
    with pytest.raises(TypeError, match=f"^images: expected {message}{own}"):
        call(make(), *others)
    if name != "None":
        if others:
            with pytest.raises(TypeError, match=f"^reference: expected {message}"):
                call(IMAGES, make())
        with pytest.raises(TypeError, match=f"^mask: expected {message}"):
            call(IMAGES, *others, mask=make())


def test_nested_tensors_are_refused():
    nested = torch.nested.nested_tensor([IMAGES[0], IMAGES[1]], layout=torch.jagged)
    with pytest.raises(TypeError, match=r"images: expected a dense tensor, got a nested one; pass each of images.unb"):
        cheq.torch.equalize(nested)


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_other_devices_are_named(device):
    """By fake tensors, which say that they are on one."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        images = torch.empty((3, 20, 24), dtype=torch.uint8, device=device)
    message = rf"images: expected a tensor in the CPU's memory, got one on {device}(:0)?; pass images.cpu\(\)"
    with pytest.raises(TypeError, match=message):
        cheq.torch.equalize(images)


ALL_DTYPES = [dtype for dtype in cheq.torch._DTYPES if not dtype.is_complex]


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=str)
@pytest.mark.parametrize("method", cheq._methods.METHODS)
def test_what_errors_propose_works(method, dtype):
    """Every conversion that a message names, and every other method."""
    images = IMAGES.to(dtype)
    try:
        cheq.torch.equalize(images, method=method)
    except TypeError as caught:
        message = str(caught)
    else:
        return
    assert "np." not in message
    assert f"got {str(dtype).removeprefix('torch.')}; " in message
    conversions = re.findall(r" with (.+?)(?:, or |$)", message)
    assert conversions
    for conversion in conversions:
        converted = eval(conversion, {"images": images, "torch": torch})
        assert converted.dtype == torch.uint8
        cheq.torch.equalize(converted, method=method)
    for other in re.findall(r"'(\w+)'", message):
        cheq.torch.equalize(images, method=other)


def test_other_words_of_numpy_become_those_of_torch():
    holes = IMAGES / 255
    holes[0, 1, 2, 3] = torch.nan
    with pytest.raises(ValueError, match=r"NaN in plane \(0, 1\); pass mask=torch.isfinite\(images\)"):
        cheq.torch.match_histograms(holes, IMAGES / 255)
    cheq.torch.match_histograms(holes, IMAGES / 255, mask=torch.isfinite(holes))
    with pytest.raises(TypeError, match=r"dtype bool, got 'same'; pass images.to\(torch.uint8\) \* 255"):
        cheq.torch.equalize(IMAGES > 90, method="skimage", dtype="same")
    with pytest.raises(TypeError, match="mask: expected dtype bool, got uint8; convert with mask != 0"):
        cheq.torch.equalize(IMAGES, mask=IMAGES)
    with pytest.raises(TypeError, match="reference: expected the images' dtype, uint8, got float32"):
        cheq.torch.match_histograms(IMAGES, IMAGES.float())
    with pytest.raises(
        ValueError, match="dtype: expected None, 'same' or the images' own dtype, uint8; got 'bfloat16'"
    ):
        cheq.torch.equalize(IMAGES, dtype=torch.bfloat16)
