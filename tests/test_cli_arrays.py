"""Are .npy files equalized along the right axes, and read without trusting them?"""

import cli_tools
import numpy as np
import pytest
from cli_tools import load, pixels, save

pytestmark = pytest.mark.cli


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command in tmp_path."""
    monkeypatch.chdir(tmp_path)
    return cli_tools.run


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
    assert not (tmp_path / "out.npy").exists()


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
