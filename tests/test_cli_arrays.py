"""Are .npy files equalized along the right axes, and read without trusting them?"""

import numpy as np
import pytest
from cli_tools import load, pixels, save

from cheq.pictures import arrays

pytestmark = pytest.mark.cli


@pytest.mark.parametrize(("axis", "shape"), [(None, (5, 1, 31, 47)), (-1, (5, 31, 47, 3)), (1, (5, 3, 31, 47))])
def test_arrays(run, tmp_path, opencv, axis, shape):
    array = save(tmp_path / "in.npy", np.asfortranarray(pixels(*shape)))
    options = [] if axis is None else ["--channel-axis", axis]
    result = run("equalize", "in.npy", "-o", "out/", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    np.testing.assert_array_equal(load(tmp_path / "out/in.npy"), opencv(array, axis), strict=True)


def test_a_last_axis_that_looks_like_channels_is_asked_about(run, tmp_path):
    save(tmp_path / "in.npy", pixels(31, 47, 3))
    result = run("equalize", "in.npy", "-o", "out.npy")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("error: in.npy: images: expected channel_axis or axes beside shape (31, 47, 3)")
    assert result.stderr.endswith(" (on the command line: --channel-axis -1 or --axes -2,-1)\n")
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("-3,-2,-1", (2, 5, 31, 47)),
        ("-2,-1", (5, 31, 3)),
        ("0 2", (31, 5, 47)),
        ("1", (5, 47)),
        ("-3,-2", (5, 9, 7, 4)),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_the_axes_of_arrays(run, tmp_path, opencv, axes, shape, suffix):
    array = pixels(*shape)
    if suffix == ".npy":
        save(tmp_path / "in.npy", array)
    else:
        np.savez(tmp_path / "in.npz", images=array)
    result = run("equalize", f"in{suffix}", "-o", f"out{suffix}", "--axes", axes)
    assert (result.exit_code, result.stderr) == (0, "")
    own = [int(axis) % array.ndim for axis in axes.replace(",", " ").split()]
    order = [axis for axis in range(array.ndim) if axis not in own] + own
    moved = array.transpose(order)
    planes = moved.reshape(-1, 1, int(np.prod(moved.shape[-len(own) :])))  # a histogram is blind to places
    expected = opencv(planes).reshape(moved.shape).transpose(np.argsort(order))
    ((_, found),) = arrays.read(tmp_path / f"out{suffix}")
    np.testing.assert_array_equal(found, expected, strict=True)


def test_axes_beside_a_channel_axis(run, tmp_path, opencv):
    array = save(tmp_path / "in.npy", pixels(5, 9, 7, 3))
    options = ["--axes", "0,1,2", "--channel-axis", -1]
    assert run("equalize", "in.npy", "-o", "out.npy", *options).exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.npy").reshape(45, 7, 3), opencv(array.reshape(45, 7, 3), -1))


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--axes", "4"], 1, "axes: expected an axis from -3 to 2 for 3 axes, got 4 (on the command line: --axes)"),
        (["--axes", "1,1"], 1, "axes: expected one or more different axes, got (1, 1) for 3 axes (on the command line"),
        (["--axes", "two"], 2, "'--axes': 'two' is not whole numbers with commas or x"),
        (["--axes", "1,2", "--shared-lut"], 2, "which pixels of an array share a histogram, and so does --shared-lut"),
        (["--axes", "1,2", "--color", "gray"], 2, "share a histogram, and so does --color gray"),
    ],
)
def test_axes_that_cannot_be(run, tmp_path, options, status, told):
    save(tmp_path / "in.npy", pixels(5, 31, 47))
    result = run("equalize", "in.npy", "-o", "out.npy", *options)
    assert result.exit_code == status
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out.npy").exists()


def test_an_array_of_one_axis_is_told_of_axes(run, tmp_path):
    save(tmp_path / "in.npy", pixels(47))
    result = run("equalize", "in.npy", "-o", "out.npy")
    assert result.exit_code == 1
    assert result.stderr.endswith("for others pass axes (on the command line: --axes)\n")


def test_a_channel_axis_that_an_array_does_not_have(run, tmp_path):
    save(tmp_path / "in/a.npy", pixels(31, 47))
    save(tmp_path / "in/b.npy", pixels(2, 31, 47))
    save(tmp_path / "in/c.png", pixels(31, 47, 3))
    result = run("equalize", "in", "-o", "out", "--channel-axis", "2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: in/a.npy: channel_axis: expected an axis from -2 to 1 for 2 axes, got 2")
    assert result.stdout == "2 of 3 files equalized into out, 1 failed\n"


@pytest.mark.parametrize("shape", [(0, 31, 47), (3, 0, 47), (0, 0)])
def test_empty_arrays(run, tmp_path, shape):
    save(tmp_path / "in.npy", np.zeros(shape, np.uint8))
    assert run("equalize", "in.npy", "-o", "out.npy").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), np.zeros(shape, np.uint8), strict=True)


def test_a_header_that_claims_terabytes(run, tmp_path):
    with open(tmp_path / "in.npy", "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
        np.lib.format.write_array_header_1_0(file, header)
    result = run("equalize", "in.npy", "-o", "out.npy")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: in.npy: not an array that can be read: ")


@pytest.mark.parametrize(("color", "more"), [("ycrcb", []), ("gray", []), ("gray", ["--shared-lut"])])
@pytest.mark.parametrize("shape", [(10, 3, 31, 47), (5, 31, 47, 3)])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_color_of_channels_that_are_not_named(run, tmp_path, color, more, shape, suffix):
    if suffix == ".npy":
        save(tmp_path / "in.npy", pixels(*shape))
    else:
        np.savez(tmp_path / "in.npz", images=pixels(*shape))
    result = run("equalize", f"in{suffix}", "-o", f"out{suffix}", "--color", color, *more)
    assert result.exit_code == 1
    assert f"--color {color} of an array of shape {shape} needs its --channel-axis" in result.stderr
    assert not (tmp_path / f"out{suffix}").exists()


def test_a_color_of_gray_arrays(run, tmp_path, opencv):
    array = save(tmp_path / "in.npy", pixels(5, 1, 31, 47))
    assert run("equalize", "in.npy", "-o", "out.npy", "--color", "gray").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), opencv(array), strict=True)


def test_a_single_channel_last_is_asked_about(run, tmp_path, opencv):
    array = save(tmp_path / "in.npy", pixels(5, 31, 47, 1))
    result = run("equalize", "in.npy", "-o", "out.npy")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    result = run("equalize", "in.npy", "-o", "right.npy", "--channel-axis", "-1")
    assert (result.exit_code, result.stderr) == (0, "")
    np.testing.assert_array_equal(load(tmp_path / "right.npy")[..., 0], opencv(array[..., 0]), strict=True)
