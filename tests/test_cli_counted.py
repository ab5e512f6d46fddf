"""Which pixels share a histogram: of the pages of a file, of files that fail midway, of pictures with alpha?"""

import cv2
import numpy as np
import pytest
import reference
import tifffile
from cli_tools import load, pixels, save
from PIL import Image
from reference_clahe import clahe
from test_cli_match import naive

pytestmark = pytest.mark.cli


def together(*planes):
    """What cv2 makes of planes that share a histogram."""
    long = cv2.equalizeHist(np.concatenate([plane.reshape(1, -1) for plane in planes], axis=1))
    ends = np.cumsum([plane.size for plane in planes])[:-1]
    return [part.reshape(plane.shape) for part, plane in zip(np.split(long[0], ends), planes, strict=True)]


# ---------------------------------------------------------------- --shared-lut-pages


@pytest.mark.parametrize("options", [["--shared-lut-pages"], ["--shared-lut"], []])
def test_the_pages_of_a_file_share_a_histogram(run, tmp_path, options):
    stacks = {name: pixels(3, 31, 47, seed=seed) // (seed + 1) for seed, name in enumerate("ab")}
    for name, stack in stacks.items():
        stack[1:] //= 2
        (tmp_path / "in").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"in/{name}.tif", stack, photometric="minisblack")
        np.save(tmp_path / f"in/{name}.npy", stack)
    planes = [*stacks["a"], *stacks["b"]]
    if options == ["--shared-lut-pages"]:
        expected = together(*stacks["a"]) + together(*stacks["b"])
    else:
        expected = together(*planes) if options else [cv2.equalizeHist(plane) for plane in planes]
    assert run("equalize", "in", "-o", "out", *options).exit_code == 0
    for kind in ("tif", "npy"):
        read = tifffile.imread if kind == "tif" else np.load
        found = [plane for name in "ab" for plane in read(tmp_path / f"out/{name}.{kind}")]
        np.testing.assert_array_equal(found, expected, strict=True)


def test_the_arrays_of_an_archive_share_a_histogram(run, tmp_path):
    arrays = {"x": pixels(2, 9, 14), "y": pixels(31, 47, seed=1) // 2}
    np.savez(tmp_path / "in.npz", **arrays)
    assert run("equalize", "in.npz", "-o", "out.npz", "--shared-lut-pages").exit_code == 0
    with np.load(tmp_path / "out.npz") as found:
        for name, expected in zip("xy", together(*arrays.values()), strict=True):
            np.testing.assert_array_equal(found[name], expected, strict=True)


@pytest.mark.parametrize("option", ["--shared-lut", "--shared-lut-pages"])
def test_an_overview_of_another_kind_is_of_its_own_kind(run, tmp_path, option):
    page, small = pixels(40, 60), pixels(20, 30).astype(np.uint16) * 9
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(page)
        file.write(small, subfiletype=1)
    result = run("equalize", "in.tif", "-o", "out.tif", option)
    assert (result.exit_code, result.stderr) == (0, "")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        found = [each.asarray() for each in file.pages]
    np.testing.assert_array_equal(found[0], cv2.equalizeHist(page))
    np.testing.assert_array_equal(found[1], reference.equalize(small))


# ---------------------------------------------------------------- a file counts wholly or not at all


@pytest.mark.parametrize("option", ["--shared-lut", "--match-average"])
def test_pages_of_a_file_that_fails_do_not_count(run, tmp_path, option):
    for seed, name in enumerate("ab"):
        save(tmp_path / f"in/{name}.png", pixels(31, 47, seed=seed))
    assert run("equalize", "in", "-o", "alone", option).exit_code == 0
    with tifffile.TiffWriter(tmp_path / "in/c.tif") as file:
        file.write(pixels(31, 47, seed=2) // 3)
        file.write(pixels(31, 47, seed=2).astype(np.float32))
    result = run("equalize", "in", "-o", "out", option)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    for name in "ab":
        np.testing.assert_array_equal(load(tmp_path / f"out/{name}.png"), load(tmp_path / f"alone/{name}.png"))


# ---------------------------------------------------------------- --alpha mask


@pytest.fixture
def shown(tmp_path):
    """A gray and a color picture and a palette, of which less than half is seen; and what of them is."""
    seen = np.zeros((31, 47), bool)
    seen[4:20, 7:31] = True
    alpha = np.where(seen, pixels(31, 47, seed=5), 0).astype(np.uint8)  # nowhere quite opaque
    save(tmp_path / "in/gray.png", np.dstack([pixels(31, 47), alpha]))
    save(tmp_path / "in/rgb.png", np.dstack([pixels(31, 47, 3), alpha]))
    palette = Image.fromarray(pixels(31, 47) * seen).convert("P")
    palette.save(tmp_path / "in/palette.png", transparency=0)
    save(tmp_path / "in/opaque.png", pixels(31, 47))
    return seen


@pytest.mark.parametrize("outside", ["lut", "keep"])
@pytest.mark.parametrize("masked", [False, True])
def test_transparent_pixels_are_not_counted(run, tmp_path, shown, outside, masked):
    own = np.zeros_like(shown)
    own[:15] = True
    save(tmp_path / "own.png", own)
    mask = shown & own if masked else shown
    options = ["--mask", "own.png"] * masked
    assert run("equalize", "in", "-o", "out", "--alpha", "mask", "--outside", outside, *options).exit_code == 0
    for name, selected in (("gray", mask), ("rgb", mask), ("palette", mask), ("opaque", own if masked else None)):
        with Image.open(tmp_path / f"in/{name}.png") as image:
            array = np.array(image.convert("RGBA") if name == "palette" else image)
        colors = array if name == "opaque" else array[..., :-1]
        axis = None if colors.ndim == 2 else -1
        expected = reference.equalize(colors, channel_axis=axis, mask=selected)
        if outside == "keep" and selected is not None:
            expected = np.where(selected if axis is None else selected[..., None], expected, colors)
        whole = expected if name == "opaque" else np.dstack([expected, array[..., -1]])
        np.testing.assert_array_equal(load(tmp_path / f"out/{name}.png"), whole, strict=True)


def test_transparent_pixels_are_not_counted_in_tiles_and_references(run, tmp_path, shown):
    with Image.open(tmp_path / "in/gray.png") as image:
        gray, alpha = np.moveaxis(np.array(image), -1, 0)
    assert run("clahe", "in/gray.png", "-o", "out.png", "--alpha", "mask", "--tiles", "2x2").exit_code == 0
    expected = clahe(gray, tile_grid_size=(2, 2), mask=shown)
    np.testing.assert_array_equal(load(tmp_path / "out.png"), np.dstack([expected, alpha]), strict=True)
    array = save(tmp_path / "a.png", pixels(31, 47, seed=9))
    assert run("equalize", "a.png", "-o", "b.png", "--match", "in/gray.png", "--alpha", "mask").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "b.png"), naive(array, gray[shown]), strict=True)
