"""Does `cheq parity` say what it did not compare, take the user's images, and run saved mismatches again?"""

import json
import sys

import cli_tools
import numpy as np
import pytest
from cli_tools import save
from parity_tools import KERNELS, PIXELS, compared, one_byte, only_a_few, plant
from PIL import Image

import cheq
import cheq.parity
from cheq._core import dispatch
from cheq.parity import checking, compare, mismatch, references, suite, users_images
from cheq.pictures import formats


@pytest.fixture
def few(monkeypatch, tmp_path):
    """A suite of a few inputs, in tmp_path."""
    return only_a_few(monkeypatch, tmp_path)


# ---------------------------------------------------------------- what is absent, and what fails


def test_absent_references_are_never_passed(few, monkeypatch):
    monkeypatch.setattr(checking, "find", references.find)
    for module in ("cv2", "skimage", "albumentations", "torchvision", "kornia"):
        monkeypatch.setitem(sys.modules, module, None)
    result = cheq.parity.check()
    assert result.passed
    for name in ("cv2", "scikit-image", "albumentations", "torchvision", "kornia"):
        assert f"{name}: not installed" in result.not_checked
        assert name not in result.versions
    assert {row.reference for row in result.rows} == {"Pillow", "NumPy"}
    (without,) = (text for text in result.not_checked if text.startswith("no installed reference answers for: "))
    assert 'equalize, "opencv"' in without
    assert "otsu_threshold" in without
    assert "apply_lut" not in without


def test_a_library_that_does_not_load_is_absent(few, monkeypatch):
    (few / "packages" / "kornia").mkdir(parents=True)
    (few / "packages" / "kornia" / "__init__.py").write_text("raise RuntimeError('built for\\nanother torch')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "kornia"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", np)  # it is imported first, and takes a second
    monkeypatch.syspath_prepend(few / "packages")
    monkeypatch.setattr(checking, "find", lambda: references.find(("kornia", "NumPy")))
    result = cheq.parity.check()
    assert "kornia: does not load: RuntimeError: built for another torch" in result.not_checked
    assert {row.reference for row in result.rows} == {"NumPy"}


def test_without_any_reference_nothing_passes(few, monkeypatch):
    monkeypatch.setattr(checking, "find", list)
    result = cheq.parity.check()
    assert not result.passed
    assert "nothing was compared" in repr(result)
    done = cli_tools.run("parity")
    assert done.exit_code == 1
    assert "nothing was compared" in done.stdout


def test_a_reference_that_fails_is_an_error(few, monkeypatch):
    def failing(plane, mask, images):
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(checking, "find", lambda: [
        *references.find(("NumPy",)), references.Reference("other", "1", answers={"opencv": failing})
    ])  # fmt: skip
    result = cheq.parity.check()
    assert not result.passed
    assert not compared(result)
    assert any(
        text.startswith('other failed on equalize, "opencv": RuntimeError: no kernel image') for text in result.errors
    )
    assert "but not everything was compared" in repr(result)


def test_what_both_refuse_is_equal(few, monkeypatch):
    monkeypatch.setattr(suite, "cases", list)
    result = cheq.parity.check([np.array([[1.0, 1.0, np.nextafter(1.0, 2)]])])
    assert result.passed
    if compare.GIVES_EMPTY_BINS:
        assert any("since 2.2" in text for text in result.not_checked)
        return
    with pytest.raises(ValueError):
        np.histogram([1.0, np.nextafter(1.0, 2)], 256)
    plant(monkeypatch, "equalize", lambda result: result)
    monkeypatch.setattr(cheq, "equalize", lambda images, **options: np.zeros(images.shape))
    assert not cheq.parity.check([np.array([[1.0, 1.0, np.nextafter(1.0, 2)]])]).passed


def test_a_range_that_overflows_is_refused_whatever_numpy_makes_of_it(few, monkeypatch):
    """On x86-64 it is an IndexError of NumPy's, on 64-bit ARM one bin has an answer."""
    monkeypatch.setattr(compare, "GIVES_EMPTY_BINS", False)
    of_arm = references.Reference("NumPy", "1", answers={"numpy": lambda array, *_: np.zeros(array.shape)})
    monkeypatch.setattr(checking, "find", lambda: [of_arm])
    monkeypatch.setattr(suite, "cases", list)
    result = cheq.parity.check([np.array([[-1.7e308, 0, 1.7e308]])])
    assert [row.mismatches for row in result.rows] == [0]

    def refusing(images, **_):
        raise ValueError("too many bins")

    monkeypatch.setattr(cheq, "equalize", refusing)
    assert [row.mismatches for row in cheq.parity.check([np.array([[0.0, 1.0]])]).rows] == [1]


def test_a_kernel_that_the_cpu_lacks_is_not_passed(few, monkeypatch):
    monkeypatch.setattr(dispatch, "kernels", lambda: {**dict.fromkeys(KERNELS, True), "avx1024": False})
    result = cheq.parity.check()
    assert result.kernels == tuple(KERNELS)
    assert "kernel avx1024: this CPU lacks its instructions" in result.not_checked


# ---------------------------------------------------------------- the user's images


def test_a_folder_is_searched_for_every_format():
    assert set(users_images.EXTENSIONS) == {".npy", *formats.FORMATS}


def test_files_and_folders(few):
    save(few / "photos" / "gray.png", PIXELS)
    save(few / "photos" / "deep" / "color.png", np.stack([PIXELS, PIXELS // 2, 255 - PIXELS], -1))
    save(few / "photos" / "wide.png", PIXELS.astype(np.uint16) * 257)
    save(few / "batch.npy", np.stack([PIXELS, PIXELS // 3]))
    (few / "photos" / "notes.txt").write_text("passed over")
    without = cheq.parity.check()
    result = cheq.parity.check([few / "photos", str(few / "batch.npy"), PIXELS.astype(">u2"), PIXELS / 255])
    assert result.passed
    assert result.inputs == {**without.inputs, "given": 6}
    more = {row.compared: row.pixels - before.pixels for row, before in zip(result.rows, without.rows, strict=True)}
    size = PIXELS.size
    assert more['equalize, "opencv"'] == size * 6  # gray, three channels, two images
    assert more['rgb_to_gray, "opencv"'] == size
    assert more['clahe, "opencv"'] == size * 8  # and two of 16 bits
    assert more['clahe, color="lab"'] == size * 3
    assert more['clahe, "skimage"'] == size * 9  # and the floats
    assert more['equalize, "numpy"'] == size * 9  # and what has 16 bits, and the floats
    done = cli_tools.run("parity", "photos", "batch.npy")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "of the suite, 4 given" in done.stdout


def test_the_user_s_image_is_compared(few, monkeypatch):
    def wrong(images, **options):
        result = right(images, **options)
        if images.shape == (50, 40):
            result[49, 39] ^= 1
        return result

    right = cheq.binarize
    monkeypatch.setattr(cheq, "binarize", wrong)
    assert cheq.parity.check().passed
    save(few / "mine.png", PIXELS[:5].repeat(10, 0)[:, :40])
    result = cheq.parity.check([few / "mine.png"])
    assert compared(result) == {"binarize"}
    assert result.mismatches[0].case.endswith("mine.png")


def test_channels_of_arrays(few):
    images = np.stack([PIXELS, PIXELS // 2, 255 - PIXELS], -1)
    save(few / "color.npy", images)
    pixels = {}
    for options in ((), ("--channel-axis", "-1")):
        done = cli_tools.run("parity", "color.npy", "--json", *options)
        assert done.exit_code == 0, done.stdout
        rows = {row["compared"]: row["pixels"] for row in json.loads(done.stdout)["rows"]}
        pixels[options] = rows['rgb_to_gray, "opencv"']
    assert pixels["--channel-axis", "-1"] - pixels[()] == PIXELS.size
    done = cli_tools.run("parity", "color.npy", "--channel-axis", "3")
    assert done.exit_code == 1
    assert "error: color.npy: channel_axis 3 is not an axis of shape (31, 67, 3)" in done.stderr


def test_large_batches_are_compared_in_pieces(few, monkeypatch):
    monkeypatch.setattr(users_images, "_PIECE", 3 * PIXELS.size)
    monkeypatch.setattr(suite, "cases", list)
    result = cheq.parity.check([np.stack([PIXELS // n for n in range(1, 8)])])
    assert result.inputs["given"] == 3
    assert {row.pixels for row in result.rows if row.compared == 'equalize, "opencv"'} == {7 * PIXELS.size}


def test_what_cannot_be_compared_is_named(few):
    save(few / "good.png", PIXELS)
    (few / "broken.png").write_bytes((few / "good.png").read_bytes()[:200])
    (few / "no.png").write_text("not a picture")
    (few / "empty.npy").write_bytes(b"")
    (few / "no.npy").write_text("not an array")
    (few / "folder").mkdir()
    save(few / "long.npy", PIXELS.astype(np.int64))
    save(few / "row.npy", PIXELS[0])
    save(few / "nan.npy", np.where(PIXELS > 99, np.nan, 0.5))
    Image.fromarray(PIXELS.astype(np.float32)).save(few / "float.tif")
    Image.fromarray(PIXELS).save(few / "pages.tif", save_all=True, append_images=[Image.fromarray(PIXELS)])
    bad = ["broken.png", "no.png", "empty.npy", "no.npy", "folder", "long.npy", "row.npy", "nan.npy"]
    done = cli_tools.run("parity", "good.png", "float.tif", "pages.tif", *bad, "absent.png")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert {line.split(": ")[1] for line in lines} == {*bad, "absent.png"}
    assert len(lines) == len(bad) + 1
    assert "of the suite, 4 given" in done.stdout
    assert "but not everything was compared" in done.stdout
    assert done.stdout.count("Traceback") == done.stderr.count("Traceback") == 0
    only = json.loads(cli_tools.run("parity", "--json", "no.png").stdout)
    assert (only["passed"], len(only["errors"])) == (False, 1)


# ---------------------------------------------------------------- files of mismatches


@pytest.fixture
def saved(few, monkeypatch):
    """A file of a mismatch, of a fault that is gone again."""
    with monkeypatch.context() as planted:
        planted.setattr(suite, "cases", list)
        plant(planted, "binarize", one_byte)
        return few / cheq.parity.check([PIXELS]).mismatches[0].path


def edited(path, **changes):
    """The file with another account of itself."""
    with np.load(path) as file:
        content = dict(file)
    about = {**json.loads(str(content["about"])), **changes}
    np.savez(path, **{**content, "about": np.array(json.dumps(about))})
    return path


def test_a_file_holds_what_reproduces_it(saved):
    with np.load(saved) as file:
        about = json.loads(str(file["about"]))
        found, expected = file["found"], file["expected"][0]
        assert np.count_nonzero(found != expected) == 1
        np.testing.assert_array_equal(cheq.binarize(file["images"]), expected)
    assert (about["reference"], about["question"], about["cheq"]) == ("cv2", "binarize", cheq.__version__)
    assert about["kernel"] in KERNELS
    assert saved.stat().st_size < 5000


def test_another_version_than_when_it_was_saved(saved):
    assert "(4.99 when it was saved): equal" in cheq.parity.rerun(edited(saved, version="4.99")).text


@pytest.mark.parametrize("changes", [
    {"format": 99}, {"question": "nonsense"}, {"reference": "nobody"}, {"layout": "spiral"}, {"axes": 3},
    {"channel_axis": "x"}, {"channel_axis": 7}, {"axes": [5, 6]}, {"question": 'rgb_to_gray, "opencv"'},
    {"threads": None}, {"threads": 0}, {"nbins": 3}, {"out": 5}, {"nan_policy": "x"}, {"threads": 1.5},
    {"question": 'clahe, "opencv"', "tile_grid_size": [0, 8]}, {"question": 'clahe, "opencv"', "clip_limit": 1e999},
    {"question": 'clahe, "opencv"', "tile_grid_size": [1.5, 8]}, {"question": 'clahe, "opencv"', "kernel_size": [8, 8]},
])  # fmt: skip
def test_a_damaged_account_is_refused(saved, changes):
    done = cli_tools.run("parity", "--rerun", edited(saved, **changes))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "is not a file that cheq parity saved, or it is damaged" in done.stderr


def test_files_that_are_none(few):
    (few / "text.npz").write_text("text")
    (few / "empty.npz").write_bytes(b"")
    np.savez(few / "other.npz", images=PIXELS)
    np.save(few / "array.npy", PIXELS)
    np.savez(few / "pickle.npz", about=np.array({"a": 1}, dtype=object), images=PIXELS)
    for name in ("text.npz", "empty.npz", "other.npz", "array.npy", "pickle.npz"):
        done = cli_tools.run("parity", "--rerun", name)
        assert done.exit_code == 1, name
        assert done.stderr == f"error: {name} is not a file that cheq parity saved, or it is damaged\n"
    done = cli_tools.run("parity", "--rerun", "absent.npz")
    assert (done.exit_code, done.stderr) == (1, "error: absent.npz: No such file or directory\n")


def test_a_file_for_another_machine(saved, monkeypatch):
    done = cli_tools.run("parity", "--rerun", edited(saved, kernel="sse2"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the kernel sse2, which this build or this CPU lacks" in done.stderr
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ValueError, match="compared with cv2, which is absent: not installed"):
        mismatch.rerun(edited(saved, kernel="scalar"))


def test_usage_errors(few):
    for arguments in (
        ("--rerun", "a.npz", "photos"),
        ("--rerun", "a.npz", "--quick"),
        ("--channel-axis", "x"),
        ("--fast",),
    ):
        done = cli_tools.run("parity", *arguments)
        assert (done.exit_code, done.stdout) == (2, ""), arguments
