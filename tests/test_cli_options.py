"""Does every option of `cheq equalize` do what its help says, to pictures and to arrays?"""

import os
import signal
import subprocess
import sys
import time
import zipfile

import cv2
import numpy as np
import pytest
import reference
import tifffile
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


def test_a_dry_run_writes_nothing(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(9, 14))
    save(tmp_path / "in/b.npy", pixels(9, 14))
    save(tmp_path / "out/b.npy", pixels(9, 14))
    (tmp_path / "in/notes.txt").write_text("x")
    before = tree(tmp_path)
    result = run("equalize", "in", "-o", "out", "--dry-run")
    assert (result.exit_code, tree(tmp_path)) == (1, before)
    assert result.stderr == "error: in/b.npy: out/b.npy exists already (replace it with --overwrite)\n"
    assert result.stdout.splitlines() == [
        "in/a.png -> out/a.png",
        "1 file would be equalized, 1 would fail",
        "passed over: 1 file with unknown extensions (.txt 1)",
    ]
    result = run("equalize", "in", "-o", "out", "--dry-run", "--overwrite")
    assert (result.exit_code, tree(tmp_path)) == (0, before)


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


def test_quality(run, tmp_path):
    save(tmp_path / "in.png", pixels(64, 80))
    for quality in (30, 95):
        assert run("equalize", "in.png", "-o", f"{quality}.jpg", "--quality", quality).exit_code == 0
    assert run("equalize", "in.png", "-o", "usual.jpg").exit_code == 0
    Image.fromarray(cv2.equalizeHist(load(tmp_path / "in.png"))).save(tmp_path / "pillow.jpg", quality=30)
    assert (tmp_path / "30.jpg").read_bytes() == (tmp_path / "pillow.jpg").read_bytes()
    assert (tmp_path / "95.jpg").read_bytes() == (tmp_path / "usual.jpg").read_bytes()


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
        (["--color", "ycrcb", "--method", "numpy"], "--color ycrcb takes --method opencv or pillow, not numpy"),
        (["--color", "ycrcb", "--shared-lut"], "--shared-lut takes --color channels or gray, not ycrcb"),
        (["--mask", "nowhere.png"], "--mask 'nowhere.png' does not exist"),
        (["--mask", "bad.png"], "--mask 'bad.png': not a picture in a known format"),
        (["--threads", "0"], "Invalid value for '--threads'"),
        (["--quality", "101"], "Invalid value for '--quality'"),
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


# ---------------------------------------------------------------- archives, and what is larger than memory


@pytest.mark.parametrize("pack", [np.savez, np.savez_compressed])
def test_archives(run, tmp_path, opencv, pack):
    images, words, labels = pixels(5, 31, 47), pixels(31, 47).astype(np.uint16) * 9, np.arange(5)
    pack(tmp_path / "in.npz", images=images, words=words, labels=labels)
    result = run("equalize", "in.npz", "-o", "out.npz")
    said = "warning: in.npz: kept as they are, not uint8 or uint16 images: labels\n"
    assert (result.exit_code, result.stderr) == (0, said)
    with np.load(tmp_path / "out.npz") as out:
        assert out.files == ["images", "words", "labels"]
        np.testing.assert_array_equal(out["images"], opencv(images), strict=True)
        np.testing.assert_array_equal(out["words"], reference.equalize(words), strict=True)
        np.testing.assert_array_equal(out["labels"], labels, strict=True)
    kinds = [
        {info.compress_type for info in zipfile.ZipFile(tmp_path / name).infolist()} for name in ("in.npz", "out.npz")
    ]
    assert kinds[0] == kinds[1]


def test_what_an_archive_holds_besides_is_copied_and_not_trusted(run, tmp_path, opencv):
    images = pixels(9, 14)
    np.savez(tmp_path / "in.npz", images=images, objects=np.array([{}], dtype=object))
    with zipfile.ZipFile(tmp_path / "in.npz", "a") as archive:
        archive.writestr("readme.txt", "hello")
        archive.writestr("images", "a namesake")
    result = run("equalize", "in.npz", "-o", "out.npz")
    said = "warning: in.npz: kept as they are, not uint8 or uint16 images: objects, readme.txt, images\n"
    assert (result.exit_code, result.stderr) == (0, said)
    with zipfile.ZipFile(tmp_path / "in.npz") as before, zipfile.ZipFile(tmp_path / "out.npz") as after:
        assert after.namelist() == before.namelist()
        for name in ("objects.npy", "readme.txt", "images"):
            assert after.read(name) == before.read(name)
        with after.open("images.npy") as file:
            np.testing.assert_array_equal(np.lib.format.read_array(file), opencv(images), strict=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is limited as Linux does it")
def test_an_array_larger_than_memory(tmp_path):
    """With less memory of its own than the array has bytes, a process still equalizes it."""
    import resource

    size = 512 << 20
    images = np.lib.format.open_memmap(tmp_path / "in.npy", "w+", np.uint8, (size >> 16, 256, 256))
    images[::37] = pixels(256, 256)
    del images
    command = [sys.executable, "-m", "cheq", "equalize", "in.npy", "-o", "out.npy"]
    limit = resource.RLIMIT_DATA  # what is mapped from files does not count
    bound = lambda: resource.setrlimit(limit, (size - (128 << 20), size - (128 << 20)))  # noqa: E731
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, preexec_fn=bound, timeout=120, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    out = np.load(tmp_path / "out.npy", mmap_mode="r")
    expected = cv2.equalizeHist(pixels(256, 256))
    assert all((plane == expected).all() for plane in out[::37])
    assert not out[1::37].any()


def test_a_full_disk_is_said_before_anything_is_mapped(run, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    save(tmp_path / "in.npy", pixels(9, 14))
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    result = run("equalize", "in.npy", "-o", "out.npy")
    assert (result.exit_code, result.stderr) == (1, "error: in.npy: No space left on device\n")
    assert tree(tmp_path) == ["in.npy"]


# ---------------------------------------------------------------- sources are kept, and temporary files are not


def test_a_result_does_not_replace_another_input(run, tmp_path):
    mine = save(tmp_path / "a.png", pixels(20, 30))
    save(tmp_path / "sub/a.png", pixels(9, 9))
    for inputs in (["sub/a.png", "a.png"], ["a.png", "sub/a.png"]):
        result = run("equalize", *inputs, "-o", ".", "--overwrite", "--dry-run")
        assert result.exit_code == 1
        run("equalize", "sub/a.png", "a.png", "-o", ".", "--overwrite")
        np.testing.assert_array_equal(load(tmp_path / "a.png"), mine, strict=True)


def test_one_file_under_two_names_is_equalized_once(run, tmp_path, opencv):
    mine = save(tmp_path / "a.png", pixels(20, 30) // 4)
    (tmp_path / "b.png").symlink_to("a.png")
    result = run("equalize", ".", "-o", ".", "--overwrite", "--method", "numpy")
    assert result.stderr == "error: b.png: it is the file a.png, which is replaced\n"
    np.testing.assert_array_equal(load(tmp_path / "a.png"), each_channel(mine, "numpy"), strict=True)
    assert (tmp_path / "b.png").is_symlink()
    assert run("equalize", "a.png", "a.png", "-o", "out").stdout == "1 file equalized into out\n"


@pytest.mark.parametrize("color", ["gray", "ycrcb"])
def test_channels_that_are_no_colors_are_not_dropped(run, tmp_path, color):
    near_infrared = {"photometric": "rgb", "extrasamples": ["unspecified"]}
    tifffile.imwrite(tmp_path / "nir.tif", pixels(20, 30, 4), **near_infrared)
    tifffile.imwrite(tmp_path / "three.tif", pixels(20, 30, 3), photometric="minisblack", planarconfig="contig")
    result = run("equalize", "nir.tif", "three.tif", "-o", "out", "--color", color)
    assert f"three.tif: --color {color} takes gray and RGB, and this is 8-bit 3 channels" in result.stderr
    if color == "gray":
        assert "nir.tif: --color gray takes gray and RGB, and this is 8-bit 4 channels" in result.stderr
    else:
        assert tree(tmp_path / "out") == ["nir.tif"]


def test_suffixes_are_not_heaped_up(run, tmp_path):
    save(tmp_path / "a.png", pixels(20, 30))
    for _ in range(2):
        assert run("equalize", ".", "-o", ".", "--suffix", "_eq", "--overwrite").exit_code == 0
    assert tree(tmp_path) == ["a.png", "a_eq.png"]
    for inputs in (["a.png", "--suffix", "_x"], ["a.png", "a_eq.png"]):
        result = run("equalize", *inputs, "-o", "out.png")
        assert result.exit_code == 2
        assert "OUTPUT 'out.png' must be a folder here" in " ".join(result.stderr.replace("│", "").split())
    assert tree(tmp_path) == ["a.png", "a_eq.png"]


@pytest.mark.parametrize("shared", [True, False])
def test_arrays_of_the_other_byte_order_and_empty_ones(run, tmp_path, shared):
    words = np.random.default_rng(0).integers(0, 4000, (5, 9, 14)).astype(">u2")
    np.save(tmp_path / "words.npy", words)
    np.save(tmp_path / "empty.npy", np.zeros((0, 9, 14), np.uint8))
    result = run("equalize", "words.npy", "empty.npy", "-o", "out", *["--shared-lut"] * shared)
    assert (result.exit_code, result.stderr) == (0, "")
    axes = (0, 1, 2) if shared else (1, 2)
    expected = reference.equalize(words.astype(np.uint16), axes=axes)
    np.testing.assert_array_equal(load(tmp_path / "out/words.npy"), expected, strict=True)
    assert load(tmp_path / "out/empty.npy").shape == (0, 9, 14)


def test_the_limit_is_the_masks_too(run, tmp_path):
    save(tmp_path / "a.png", pixels(30, 50))
    save(tmp_path / "mask.png", pixels(30, 50) > 90)
    result = run("equalize", "a.png", "-o", "out/", "--mask", "mask.png", "--max-pixels", 1499)
    assert result.exit_code == 2
    assert "exceeds limit of 1499" in " ".join(result.stderr.replace("│", "").split())
    assert run("equalize", "a.png", "-o", "out/", "--mask", "mask.png", "--max-pixels", 1500).exit_code == 0


def test_warnings_are_said_once(run, tmp_path):
    frames = [Image.fromarray(pixels(20, 30, seed=seed)) for seed in range(2)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    result = run("equalize", "a.gif", "-o", "out/", "--shared-lut")
    assert result.stderr == "warning: a.gif: only the first of the file's 2 frames is taken\n"


@pytest.mark.parametrize("signals", [[signal.SIGINT] * 4, [signal.SIGTERM]])
def test_no_temporary_file_stays(tmp_path, signals):
    save(tmp_path / "in/00.png", pixels(900, 1300, 3), compress_level=1)
    for number in range(1, 60):
        (tmp_path / f"in/{number:02}.png").hardlink_to(tmp_path / "in/00.png")
    command = [sys.executable, "-m", "cheq", "equalize", "in", "-o", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while not (tmp_path / "out/01.png").exists():
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.005)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.01)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + signals[0], "")
    assert "Traceback" not in err
    assert all(name.endswith(".png") for name in tree(tmp_path / "out"))


@pytest.mark.parametrize(("options", "kind"), [(["--method", "pillow"], "gray"), (["--color", "ycrcb"], "RGB")])
def test_options_that_take_8_bits(run, tmp_path, options, kind):
    tifffile.imwrite(tmp_path / "a.tif", pixels(20, 30, *[3] * (kind == "RGB")).astype(np.uint16))
    result = run("equalize", "a.tif", "-o", "out/", *options)
    said = f"error: a.tif: {' '.join(options)} takes 8 bits, and this is 16-bit {kind}\n"
    assert (result.exit_code, result.stderr) == (1, said)
