"""Archives, arrays that are larger than memory, and that sources are kept and no temporary file stays."""

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
from PIL import Image
from test_cli_options import each_channel

pytestmark = pytest.mark.cli

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
    said = "only the first of the file's 2 frames is taken (on the command line: --frames all)"
    assert result.stderr == f"warning: a.gif: {said}\n"


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
    method = "--method pillow does not take 16-bit gray; --method opencv or skimage or numpy does"
    said = method if kind == "gray" else "--color ycrcb takes 8 bits, and this is 16-bit RGB"
    assert (result.exit_code, result.stderr) == (1, f"error: a.tif: {said}\n")
