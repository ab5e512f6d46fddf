"""Where may ``out`` lie? In place, strided, in the memory of the input; and what is refused."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import reference
from numpy.lib.stride_tricks import as_strided

import cheq
from cheq import _arguments

PATTERN = 0xA5
LUT = np.random.default_rng(7).permutation(256).astype(np.uint8)
STEPS = {
    "equalize": (cheq.equalize, reference.equalize),
    "apply_lut": (
        lambda images, **named: cheq.apply_lut(images, LUT, **named),
        lambda images, **named: reference.apply_lut(images, LUT, **named),
    ),
}


def image(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 60, shape, np.uint8)


@pytest.fixture(params=STEPS)
def step(request):
    """(what cheq does, what it must be) for each function with an ``out``."""
    return STEPS[request.param]


# ---------------------------------------------------------------- where out may lie


def test_out_is_images(step, writable_layout):
    for shape, where in (((3, 9, 6), {}), ((9, 6, 3), {"channel_axis": -1}), ((2, 3, 9, 6), {"axes": (0, 2, 3)})):
        images = writable_layout(image(*shape))
        expected = step[1](images.copy(), **where)
        assert step[0](images, out=images, **where) is images
        np.testing.assert_array_equal(images, expected)


def test_out_can_be_a_memory_mapped_file(step, tmp_path):
    images = image(3, 9, 6)
    out = np.memmap(tmp_path / "out", np.uint8, "w+", offset=5, shape=(3, 9, 6))
    assert step[0](images, out=out) is out
    out.flush()
    assert (tmp_path / "out").read_bytes()[5:] == step[1](images).tobytes()


def test_out_can_have_strides_that_interleave_without_overlap(step):
    # Offsets 0 3 6 and 2 5 8 and 4 7 10: all differ, though a row is longer than the step between rows.
    buffer = np.full(64, PATTERN, np.uint8)
    out = as_strided(buffer[20:], (3, 3), (2, 3))
    images = image(3, 3)
    assert step[0](images, out=out) is out
    np.testing.assert_array_equal(out, step[1](images))
    assert (np.delete(buffer, [20, 23, 26, 22, 25, 28, 24, 27, 30]) == PATTERN).all()


# ---------------------------------------------------------------- overlapping memory: as if images were copied first


@pytest.mark.parametrize("offset", [1, 2, 7, 8, 16, 63, 64, 65, 19, 209, 418, 600, 626, 627])
def test_out_beside_images_in_one_buffer(step, offset):
    size = 3 * 11 * 19
    for first, second, threads in ((0, offset, 1), (offset, 0, 1), (0, offset, 2)):
        buffer = image(1, size + offset, seed=offset)[0]
        images = buffer[first : first + size].reshape(3, 11, 19)
        out = buffer[second : second + size].reshape(3, 11, 19)
        expected = buffer.copy()
        expected[second : second + size] = step[1](images.copy()).ravel()
        assert step[0](images, out=out, num_threads=threads) is out
        np.testing.assert_array_equal(buffer, expected)


@pytest.mark.parametrize("where", [{}, {"channel_axis": -1}, {"axes": (0, 1, 2)}])
@pytest.mark.parametrize("view", [
    lambda array: array[::-1, ::-1],
    lambda array: array.transpose(1, 0, 2),
    lambda array: array[..., ::-1],
    lambda array: array.transpose(1, 0, 2)[::-1, :, ::-1],
])  # fmt: skip
def test_out_in_the_memory_of_images_in_another_order(step, view, where):
    buffer = image(23, 23, 5)  # square, for its transposition to have its shape
    expected = step[1](buffer.copy(), **where)
    out = view(buffer)
    assert step[0](buffer, out=out, **where) is out
    np.testing.assert_array_equal(out, expected)


def test_large_images_beside_out(step):
    size = 2 * 700 * 901
    for offset in (-901, -1, 1, 64, 100_000):
        buffer = image(1, size + 2 * 100_000, seed=3)[0]
        images = buffer[100_000 : 100_000 + size].reshape(2, 700, 901)
        out = buffer[100_000 + offset : 100_000 + offset + size].reshape(2, 700, 901)
        expected = step[1](images.copy())
        step[0](images, out=out, num_threads=2)
        np.testing.assert_array_equal(out, expected)


def test_interleaved_memory_without_a_common_element(step):
    buffer = image(9, 2 * 6)
    expected = buffer.copy()
    expected[:, 1::2] = step[1](buffer[:, ::2].copy())
    step[0](buffer[:, ::2], out=buffer[:, 1::2])
    np.testing.assert_array_equal(buffer, expected)


@pytest.mark.parametrize("show", [
    lambda array: SimpleNamespace(__array_interface__=array.__array_interface__, keep=array),
    memoryview,
    lambda array: array.view(np.recarray),
    lambda array: [*array],
])  # fmt: skip
def test_images_that_show_the_memory_of_out_through_an_object(step, show):
    buffer = image(1, 9 * 6 + 5)[0]
    images, out = buffer[5:].reshape(9, 6), buffer[:-5].reshape(9, 6)
    expected = step[1](images.copy())
    assert step[0](show(images), out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("offset", [0, 1, -1, 6, -6, 27, 53])
def test_out_in_the_memory_of_the_mask(offset):
    images, size = image(9, 6), 54
    buffer = np.random.default_rng(offset % 100).integers(0, 2, size + 2 * 54, np.uint8)
    mask = buffer[54 : 54 + size].view(bool).reshape(9, 6)
    out = buffer[54 + offset : 54 + offset + size].reshape(9, 6)
    expected = reference.equalize(images, mask=mask.copy())
    assert cheq.equalize(images, mask=mask, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_out_images_and_mask_in_one_memory():
    for shape, axes in (((2, 9, 6), None), ((2, 9, 6), (0, 1, 2))):
        buffer = np.random.default_rng(1).integers(0, 2, shape, np.uint8)
        expected = reference.equalize(buffer.copy(), mask=buffer.astype(bool), axes=axes)
        cheq.equalize(buffer, mask=buffer.view(bool), out=buffer, axes=axes)
        np.testing.assert_array_equal(buffer, expected)


def test_a_broadcast_mask_in_the_memory_of_out():
    images, out = image(4, 9, 6), np.random.default_rng(2).integers(0, 2, (4, 9, 6), np.uint8)
    expected = reference.equalize(images, mask=out[0].copy().astype(bool))
    cheq.equalize(images, mask=out[0].view(bool), out=out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("offset", [0, 1, 255, 256, 500])
def test_out_in_the_memory_of_the_lut(offset):
    images = image(3, 11, 19)
    for lut_shape in ((256,), (3, 256)):
        buffer = np.random.default_rng(offset).integers(0, 256, 3 * 256 + offset + images.size, np.uint8)
        lut = buffer[: np.prod(lut_shape)].reshape(lut_shape)
        out = buffer[offset : offset + images.size].reshape(images.shape)
        expected = reference.apply_lut(images, lut.copy())
        assert cheq.apply_lut(images, lut, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(("shape", "axes"), [((256,), 0), ((3, 256), 1), ((2, 3, 256), (2,))])
def test_out_is_the_lut_itself(shape, axes):
    images = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    lut = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    expected = reference.apply_lut(images, lut.copy(), axes=axes)
    assert cheq.apply_lut(images, lut, axes=axes, out=lut) is lut
    np.testing.assert_array_equal(lut, expected)
    both = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    expected = reference.apply_lut(both.copy(), both.copy(), axes=axes)
    cheq.apply_lut(both, both, axes=axes, out=both)
    np.testing.assert_array_equal(both, expected)


# ---------------------------------------------------------------- what is refused, and then nothing written


def refused(step, error, out, fragments, images=None, **named):
    images = image(4, 9, 6) if images is None else images
    base = out if not isinstance(out, np.ndarray) or out.base is None else out.base
    before = np.array(base)
    with pytest.raises(error) as caught:
        step[0](images, out=out, **named)
    for fragment in ("out", *fragments):
        assert fragment in str(caught.value)
    np.testing.assert_array_equal(np.array(base), before)


@pytest.mark.parametrize("shape", [
    (4, 9, 7), (4, 6, 9), (9, 6), (1, 4, 9, 6), (216,), (), (0, 9, 6), (4, 9, 1), (1, 9, 6),
])  # fmt: skip
def test_out_of_another_shape(step, shape):
    refused(step, ValueError, np.full(shape, PATTERN, np.uint8), [str(shape), "(4, 9, 6)"])


@pytest.mark.parametrize("dtype", ["i1", "?", "u2", ">u2", "i8", "f4", "f8", "O"])
def test_out_of_another_dtype(step, dtype):
    refused(step, TypeError, np.ones((4, 9, 6), dtype), [str(np.dtype(dtype)), "uint8"])


def test_out_that_is_not_an_array(step):
    refused(step, TypeError, [[0] * 6] * 9, ["list"], image(9, 6))
    refused(step, TypeError, bytearray(54), ["bytearray"], image(9, 6))
    refused(step, TypeError, memoryview(bytearray(54)).cast("B", (9, 6)), ["memoryview"], image(9, 6))
    refused(step, TypeError, "out.png", ["str"], image(9, 6))


def test_read_only_out(step):
    out = np.full((4, 9, 6), PATTERN, np.uint8)
    out.setflags(write=False)
    refused(step, ValueError, out, ["read-only"])
    images = image(4, 9, 6)
    images.setflags(write=False)
    refused(step, ValueError, images, ["read-only"], images)


@pytest.mark.parametrize("strides", [
    (54, 6, 0), (0, 6, 1), (54, 0, 1), (54, 1, 1), (54, 5, 1), (6, 6, 1), (-53, -6, -1), (0, 0, 0),
])  # fmt: skip
def test_out_whose_elements_overlap_each_other(step, strides):
    buffer = np.full(600, PATTERN, np.uint8)
    out = as_strided(buffer[300:], (4, 9, 6), strides)
    with pytest.raises(ValueError, match="out"):
        step[0](image(4, 9, 6), out=out)
    assert (buffer == PATTERN).all()


def test_elements_that_overlap_are_refused_and_no_others():
    """Beside the definition: every byte of every element, marked."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(3000):
        ndim, dtype = rng.integers(1, 5), rng.choice(["uint8", "uint16", "float64"])
        shape, strides = tuple(rng.integers(1, 6, ndim)), tuple(rng.integers(-12, 13, ndim))
        where = sum(np.multiply.outer(stride, np.arange(n)).reshape(np.roll((n, *[1] * (ndim - 1)), axis))
                    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)))  # fmt: skip
        touched = np.add.outer(where, np.arange(np.dtype(dtype).itemsize)).ravel()
        overlaps = len(np.unique(touched)) < touched.size
        view = as_strided(np.zeros(600, np.uint8)[300:308].view(dtype), shape, strides)
        try:
            _arguments.as_out(view, view.shape, view.dtype)
            assert not overlaps, (shape, strides, dtype)
        except ValueError:
            assert overlaps, (shape, strides, dtype)
        found.append(overlaps)
    assert 500 < sum(found) < 2500


@pytest.mark.parametrize(("shape", "strides"), [((3, 1 << 20), (2, 3)), ((1 << 20, 3), (3, 2)), ((2, 1 << 20), (1, 2))])
def test_interlocked_strides_take_no_memory(shape, strides):
    """Strides that no order of axes makes nested; the rows' elements lie between each other's."""
    out = as_strided(np.zeros(4 << 20, np.uint8), shape, strides)
    images = np.broadcast_to(image(shape[0], 1), shape)
    tracemalloc.start()
    try:
        assert cheq.equalize(images, out=out) is out
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(out, reference.equalize(images))


def test_strides_of_axes_of_length_one_do_not_matter(step):
    buffer = np.full(200, PATTERN, np.uint8)
    out = as_strided(buffer[100:], (1, 9, 6), (0, 6, 1))
    images = image(1, 9, 6)
    assert step[0](images, out=out) is out
    np.testing.assert_array_equal(out, step[1](images))
    empty = as_strided(buffer, (3, 0, 5), (0, 0, 0))
    assert step[0](image(3, 0, 5), out=empty) is empty
