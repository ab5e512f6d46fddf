"""Does every option of `cheq equalize` do what its help says, to pictures and to arrays?"""

import cv2
import numpy as np
import pytest
import reference
from cli_tools import load, pixels, save, tree
from PIL import Image, ImageOps
from skimage.exposure import equalize_hist

from cheq.bench.peers import recipe

pytestmark = pytest.mark.cli


PEERS = {
    "opencv": cv2.equalizeHist,
    "pillow": lambda plane: np.array(ImageOps.equalize(Image.fromarray(plane))),
    "skimage": lambda plane: np.rint(equalize_hist(plane) * 255).astype(np.uint8),
    "numpy": lambda plane: np.rint(recipe(plane)[0]).astype(np.uint8),
}


def each_channel(array, method="opencv"):
    if array.ndim == 2:
        return PEERS[method](array)
    return np.dstack([PEERS[method](np.ascontiguousarray(array[..., index])) for index in range(array.shape[2])])


# ---------------------------------------------------------------- --method, --color


@pytest.mark.parametrize("method", PEERS)
@pytest.mark.parametrize("name", ["a.png", "a.npy"])
@pytest.mark.parametrize("channels", [0, 3])
def test_method(run, tmp_path, method, name, channels):
    array = save(tmp_path / name, pixels(31, 47, *[channels] * (channels > 0)))
    axis = ["--channel-axis", -1] * (name == "a.npy" and channels > 0)
    assert run("equalize", name, "-o", "out/", "--method", method, *axis).exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out" / name), each_channel(array, method), strict=True)


def test_lightness(run, tmp_path):
    array = save(tmp_path / "in/a.png", pixels(31, 47, 3))
    gray = save(tmp_path / "in/b.png", pixels(31, 47))
    save(tmp_path / "in/c.png", np.dstack([array, gray]))
    assert run("equalize", "in", "-o", "out", "--color", "ycrcb").exit_code == 0
    lightness = cv2.cvtColor(array, cv2.COLOR_RGB2YCrCb)
    lightness[..., 0] = cv2.equalizeHist(lightness[..., 0])
    expected = cv2.cvtColor(lightness, cv2.COLOR_YCrCb2RGB)
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)
    np.testing.assert_array_equal(load(tmp_path / "out/b.png"), cv2.equalizeHist(gray), strict=True)
    np.testing.assert_array_equal(load(tmp_path / "out/c.png"), np.dstack([expected, gray]), strict=True)


@pytest.mark.parametrize("method", ["opencv", "pillow"])
def test_gray(run, tmp_path, method):
    array = save(tmp_path / "in/a.png", pixels(31, 47, 3))
    alpha = save(tmp_path / "in/b.png", np.dstack([array, pixels(31, 47)]))[..., 3]
    gray = save(tmp_path / "in/c.png", pixels(31, 47, seed=5))
    assert run("equalize", "in", "-o", "out", "--color", "gray", "--method", method).exit_code == 0
    if method == "opencv":
        expected = cv2.equalizeHist(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY))
    else:
        expected = np.array(ImageOps.equalize(Image.fromarray(array).convert("L")))
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)
    np.testing.assert_array_equal(load(tmp_path / "out/b.png"), np.dstack([expected, alpha]), strict=True)
    np.testing.assert_array_equal(load(tmp_path / "out/c.png"), PEERS[method](gray), strict=True)


def test_gray_arrays_lose_their_channel_axis(run, tmp_path):
    array = save(tmp_path / "in.npy", pixels(5, 3, 31, 47))
    assert run("equalize", "in.npy", "-o", "out.npy", "--color", "gray", "--channel-axis", 1).exit_code == 0
    gray = [cv2.cvtColor(np.moveaxis(image, 0, -1).copy(), cv2.COLOR_RGB2GRAY) for image in array]
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), np.stack([*map(cv2.equalizeHist, gray)]), strict=True)


# ---------------------------------------------------------------- --shared-lut


@pytest.mark.parametrize("color", ["channels", "gray"])
def test_one_lut_for_all_pictures_of_a_kind(run, tmp_path, color):
    rgb = {name: save(tmp_path / f"in/{name}.png", pixels(31, 47, 3, seed=seed)) for seed, name in enumerate("abc")}
    rgb["b"] = save(tmp_path / "in/b.png", rgb["b"] // 2)
    gray = {name: save(tmp_path / f"in/{name}.png", pixels(9, 14, seed=seed) // 3) for seed, name in enumerate("de")}
    (tmp_path / "in/bad.png").write_text("bad")
    result = run("equalize", "in", "-o", "out", "--shared-lut", "--color", color)
    assert (result.exit_code, result.stdout) == (1, "5 of 6 files equalized into out, 1 failed\n")
    assert result.stderr.count("bad.png") == 1
    groups = [rgb, gray]
    if color == "gray":
        groups = [{name: cv2.cvtColor(array, cv2.COLOR_RGB2GRAY) for name, array in rgb.items()} | gray]
    for group in groups:
        # cv2 itself, on all the pictures put together into a long one.
        together = each_channel(np.concatenate([array.reshape(-1, 1, *array.shape[2:]) for array in group.values()]))
        start = 0
        for name, array in group.items():
            size = array.shape[0] * array.shape[1]
            expected = together[start : start + size].reshape(array.shape)
            np.testing.assert_array_equal(load(tmp_path / f"out/{name}.png"), expected, err_msg=name, strict=True)
            start += size


@pytest.mark.parametrize(("axis", "shape"), [(None, (31, 47)), (1, (3, 31, 47)), (-1, (31, 47, 3))])
def test_one_lut_for_arrays(run, tmp_path, axis, shape, monkeypatch):
    monkeypatch.setattr("cheq.cli.arrays._BLOCK", 10_000)  # several blocks each
    arrays = [save(tmp_path / f"in/{name}.npy", pixels(7, *shape, seed=seed)) for seed, name in enumerate("ab")]
    options = [] if axis is None else ["--channel-axis", axis]
    assert run("equalize", "in", "-o", "out", "--shared-lut", *options).exit_code == 0
    whole = np.concatenate(arrays)
    axes = tuple(each for each in range(whole.ndim) if axis is None or each != axis % whole.ndim)
    expected = reference.equalize(whole, axes=axes, channel_axis=axis)
    np.testing.assert_array_equal(
        np.concatenate([load(tmp_path / f"out/{name}.npy") for name in "ab"]), expected, strict=True
    )


# ---------------------------------------------------------------- --mask


def masked(array, mask):
    return reference.equalize(array, channel_axis=None if array.ndim == 2 else -1, mask=mask)


def test_one_mask_for_all(run, tmp_path):
    mask = pixels(31, 47, seed=9) > 100
    save(tmp_path / "mask.png", np.dstack([mask * np.uint8(1)] * 3))
    arrays = {"a.png": pixels(31, 47), "b.png": pixels(31, 47, 3), "c.npy": pixels(5, 31, 47)}
    for name, array in arrays.items():
        save(tmp_path / "in" / name, array)
    save(tmp_path / "in/other.png", pixels(9, 14))
    result = run("equalize", "in", "-o", "out", "--mask", "mask.png")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: in/other.png: mask: ")
    for name in ("a.png", "b.png"):
        np.testing.assert_array_equal(load(tmp_path / "out" / name), masked(arrays[name], mask), strict=True)
    expected = np.stack([masked(plane, mask) for plane in arrays["c.npy"]])
    np.testing.assert_array_equal(load(tmp_path / "out/c.npy"), expected, strict=True)


def test_a_folder_of_masks(run, tmp_path):
    names = ["a.png", "sub/b.tif", "sub/c.bmp"]
    arrays = {name: save(tmp_path / "in" / name, pixels(31, 47, seed=seed)) for seed, name in enumerate(names)}
    masks = {name: pixels(31, 47, seed=9 + seed) > 100 for seed, name in enumerate(names)}
    save(tmp_path / "masks/a.png", masks["a.png"])
    save(tmp_path / "masks/sub/b.png", masks["sub/b.tif"])
    np.save(tmp_path / "masks/sub/c.npy", masks["sub/c.bmp"])
    save(tmp_path / "in/lonely.png", pixels(31, 47))
    result = run("equalize", "in", "-o", "out", "--mask", "masks")
    assert result.stderr == "error: in/lonely.png: there is no mask for it: masks/lonely.png does not exist\n"
    for name in names:
        np.testing.assert_array_equal(load(tmp_path / "out" / name), masked(arrays[name], masks[name]), strict=True)


# ---------------------------------------------------------------- which files, and where to


def test_a_pattern_chooses_files_in_folders(run, tmp_path):
    for name in ["a.png", "b.bmp", "train/c.png", "train/d.bmp", "test/e.png"]:
        save(tmp_path / "in" / name, pixels(9, 14))
    result = run("equalize", "in", "-o", "one", "--glob", "*.png")
    assert (result.exit_code, tree(tmp_path / "one")) == (0, ["a.png", "test/e.png", "train/c.png"])
    assert result.stdout.splitlines()[1] == "passed over: 2 files that do not match"
    assert run("equalize", "in", "in/b.bmp", "-o", "two", "--glob", "train/*").exit_code == 0
    # A file that is named is meant.
    assert tree(tmp_path / "two") == ["b.bmp", "train/c.png", "train/d.bmp"]


def test_results_beside_their_sources(run, tmp_path, opencv):
    array = save(tmp_path / "in/a.png", pixels(9, 14))
    save(tmp_path / "in/sub/b.npy", pixels(9, 14))
    for again in (False, True):
        result = run("equalize", "in", "--suffix", "_eq", *["--overwrite"] * again)
        assert (result.exit_code, tree(tmp_path / "in")) == (0, ["a.png", "a_eq.png", "sub/b.npy", "sub/b_eq.npy"])
        assert result.stdout.splitlines()[0] == "2 files equalized beside the sources"
        assert ("2 files with the suffix of results" in result.stdout) == again
    np.testing.assert_array_equal(load(tmp_path / "in/a_eq.png"), opencv(array), strict=True)
    assert run("equalize", "in/a.png", "-o", "out", "--suffix", "-x").exit_code == 0
    assert tree(tmp_path / "out") == ["a-x.png"]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(run, tmp_path, opencv, threads):
    images = {f"{number:02}.png": pixels(31, 47, seed=number) for number in range(40)}
    for name, image in images.items():
        save(tmp_path / "in" / name, image)
    (tmp_path / "in/05.png").write_text("bad")
    result = run("equalize", "in", "-o", "out", "--threads", threads)
    assert (result.exit_code, result.stdout) == (1, "39 of 40 files equalized into out, 1 failed\n")
    assert result.stderr.startswith("error: in/05.png: ")
    for name in sorted(set(images) - {"05.png"}):
        np.testing.assert_array_equal(load(tmp_path / "out" / name), opencv(images[name]), strict=True)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_the_most_pixels(run, tmp_path, name):
    save(tmp_path / name, pixels(30, 50))
    result = run("equalize", name, "-o", "out/", "--max-pixels", 1499)
    assert result.exit_code == 1
    assert "Image size (1500 pixels) exceeds limit of 1499 pixels" in result.stderr
    assert run("equalize", name, "-o", "out/", "--max-pixels", 1500).exit_code == 0
    assert Image.MAX_IMAGE_PIXELS == 89_478_485


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "cv2"], "'cv2' is not one of"),
        (["--color", "ycrcb", "--method", "numpy"], "for color='ycrcb', got 'numpy' (on the command line: --method)"),
        (["--axes", "-2,x"], "'-2,x' is not whole numbers with commas or x between them"),
        (["--color", "ycrcb", "--shared-lut"], "--shared-lut takes --color channels or gray, not ycrcb"),
        (["--mask", "nowhere.png"], "--mask 'nowhere.png' does not exist"),
        (["--mask", "bad.png"], "--mask 'bad.png': not a picture in a known format"),
        (["--threads", "0"], "Invalid value for '--threads'"),
    ],
)
def test_usage_errors(run, tmp_path, monkeypatch, options, message):
    monkeypatch.setenv("COLUMNS", "200")
    save(tmp_path / "a.png", pixels(9, 14))
    (tmp_path / "bad.png").write_text("bad")
    result = run("equalize", "a.png", "-o", "out/", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()
