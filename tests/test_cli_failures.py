"""When something goes wrong, does `cheq` say so in one line, leave nothing behind, and go on where it can?"""

import errno
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, save, tree
from PIL import Image

import cheq
import cheq.cli
from cheq.pictures import arrays, formats

pytestmark = pytest.mark.cli

PYTHON_M = [sys.executable, "-m", "cheq"]


# ---------------------------------------------------------------- bad files


def _bomb(path):
    """A PNG of a few bytes that claims 200 million pixels."""
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)


def _cut(path, array):
    save(path, array)
    os.truncate(path, path.stat().st_size // 2)


def _without_directory(path):
    tifffile.imwrite(path, pixels(40, 60))
    data = path.read_bytes()
    path.write_bytes(data[:4] + (10_000).to_bytes(4, "little") + data[8:])


BAD = {
    "bomb.png": (_bomb, "Image size (200000000 pixels) exceeds limit of 178956970 pixels"),
    "cut.jpg": (lambda path: _cut(path, pixels(40, 60, 3)), "truncated"),
    "cut.npy": (lambda path: _cut(path, pixels(40, 60)), "not an array that can be read: mmap length is greater"),
    "cut.png": (lambda path: _cut(path, pixels(40, 60)), "damaged or cut off"),
    "cut.tif": (lambda path: _cut(path, pixels(40, 60)), "the file is cut off: pixels lie behind its end"),
    "end.tif": (_without_directory, "the file has no page, or is cut off"),
    "cut.npz": (lambda path: path.write_bytes(b"PK\3\4 ......"), "not an .npz archive, or a damaged one"),
    "labels.npz": (lambda path: np.savez(path, labels=np.arange(9)), "no array of dtype uint8 or uint16 with two"),
    "dangling.png": (lambda path: path.symlink_to("gone.png"), "No such file or directory"),
    "empty.npy": (lambda path: path.touch(), "the file is empty"),
    "empty.png": (lambda path: path.touch(), "the file is empty"),
    "float.npy": (
        lambda path: np.save(path, np.zeros((4, 6))),
        "--method opencv does not take float64;",
    ),
    "line.npy": (lambda path: save(path, pixels(6)), "images: expected at least two axes (height, width)"),
    "objects.npy": (lambda path: np.save(path, np.array([{}])), "not an array that can be read: Array can't be"),
    "pipe.png": (os.mkfifo, "neither a file nor a folder"),
    "text.png": (lambda path: path.write_text("hello"), "not a picture in a known format, or damaged at its beginning"),
    "zip.npy": (lambda path: path.write_bytes(b"PK\3\4 ......"), "not an array that can be read: the magic string"),
}


def test_bad_files_are_reported_by_name_and_the_rest_go_on(tmp_path, opencv):
    (tmp_path / "in").mkdir()
    for name, (make, _) in BAD.items():
        make(tmp_path / "in" / name)
    first, last = save(tmp_path / "in/a.png", pixels(31, 47)), save(tmp_path / "in/z.npy", pixels(3, 31, 47))
    # A process of its own with a time limit: opening the pipe would never end.
    command = [*PYTHON_M, "equalize", "in", "-o", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == f"2 of {len(BAD) + 2} files equalized into out, {len(BAD)} failed\n"
    lines = done.stderr.splitlines()
    warned = [line for line in lines if line.startswith("warning: in/end.tif: <tifffile.TiffPages")]
    assert len(warned) == 1
    lines.remove(*warned)
    assert len(lines) == len(BAD)
    for name, (_, message) in BAD.items():
        (line,) = [line for line in lines if line.startswith(f"error: in/{name}: ")]
        assert message in line
    assert tree(tmp_path / "out") == ["a.png", "z.npy"]
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), opencv(first), strict=True)
    np.testing.assert_array_equal(load(tmp_path / "out/z.npy"), opencv(last), strict=True)


@pytest.mark.parametrize("error", [KeyError("x"), MemoryError(), IndexError("list index"), SystemError("a b\n  c")])
def test_whatever_a_damaged_file_raises_is_one_line(run, tmp_path, monkeypatch, error):
    save(tmp_path / "in/a.png", pixels(9, 14))
    save(tmp_path / "in/b.npy", pixels(9, 14))

    def read(_, **options):
        raise error

    monkeypatch.setattr(formats, "pages", read)
    result = run("equalize", "in", "-o", "out")
    said = {KeyError: "KeyError: 'x'", MemoryError: "MemoryError", IndexError: "list index", SystemError: "a b c"}
    assert (result.exit_code, result.stderr) == (1, f"error: in/a.png: {said[type(error)]}\n")
    assert tree(tmp_path / "out") == ["b.npy"]


def test_any_file_name_is_one_line(run, tmp_path):
    names = [b"[bold red]x :smile:.png", b"new\nline\x1b[31m.png", b"no text \xff.png", "ä\u202e.png".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("bad")
    result = run("equalize", ".", "-o", "out")
    said = ["[bold red]x :smile:.png", "new\\nline\\x1b[31m.png", "no text \\udcff.png", "ä\\u202e.png"]
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: {name}: not a picture in a known format, or damaged at its beginning" for name in said
    ]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*PYTHON_M, "equalize", ".", "-o", "out ä"]
    done = subprocess.run(command, cwd=tmp_path, env=ascii_only, capture_output=True, timeout=60, check=False)
    assert b"error: \\xe4\\u202e.png: not" in done.stderr
    assert done.stderr.count(b"\n") == len(names)
    assert done.stdout == b"0 of 4 files equalized into out \\xe4, 4 failed\n"


def test_a_folder_that_cannot_be_listed(run, tmp_path, monkeypatch):
    save(tmp_path / "in/a.npy", pixels(9, 14))
    save(tmp_path / "in/shut/b.npy", pixels(9, 14))
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("shut"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    # Not by permissions: they do not stop a test that is run as root.
    monkeypatch.setattr(os, "scandir", refuse)
    result = run("equalize", "in", "-o", "out")
    assert (result.exit_code, result.stderr) == (1, "error: in/shut: Permission denied\n")
    assert tree(tmp_path / "out") == ["a.npy"]


def test_a_target_whose_folder_is_a_file(run, tmp_path):
    save(tmp_path / "in/sub/a.npy", pixels(9, 14))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sub").write_text("a file")
    result = run("equalize", "in", "-o", "out")
    assert (result.exit_code, result.stderr) == (1, "error: in/sub/a.npy: File exists: out/sub\n")


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("name", ["a.png", "a.npy"])
def test_nothing_is_left_of_a_write_that_fails(run, tmp_path, monkeypatch, name, overwrite):
    def full_disk(file):
        file.write(b"half a")
        file.flush()
        assert any(entry.suffix == ".tmp" for entry in (tmp_path / "out").iterdir())
        raise OSError(errno.ENOSPC, "No space left on device")

    save(tmp_path / name, pixels(9, 14))
    (tmp_path / "out").mkdir()
    if overwrite:
        (tmp_path / "out" / name).write_text("the old one")
    monkeypatch.setattr(formats, "write", lambda pages, file, *options: full_disk(file))
    monkeypatch.setattr(arrays, "_reserve", lambda file, *room: full_disk(file))
    result = run("equalize", name, "-o", "out/", *["--overwrite"] * overwrite)
    assert (result.exit_code, result.stderr) == (1, f"error: {name}: No space left on device\n")
    assert tree(tmp_path / "out") == [name] * overwrite
    assert not overwrite or (tmp_path / "out" / name).read_text() == "the old one"


# ---------------------------------------------------------------- Ctrl-C


def test_ctrl_c_in_the_middle_of_a_write(run, tmp_path, monkeypatch):
    for name in "abc":
        save(tmp_path / f"in/{name}.png", pixels(9, 14))
    original = formats.write

    def interrupted(pages, file, *options):
        original(pages, file, *options)
        if len(tree(tmp_path / "out")) == 2:  # a.png, and the temporary file of b.png
            raise KeyboardInterrupt

    monkeypatch.setattr(formats, "write", interrupted)
    result = run("equalize", "in", "-o", "out", "--threads", 1)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "interrupted: 1 of 3 files equalized; no file is half written\n"
    assert tree(tmp_path / "out") == ["a.png"]


def test_ctrl_c_for_real(tmp_path, opencv):
    image = save(tmp_path / "in/00.png", pixels(800, 1300, 3), compress_level=1)
    for number in range(1, 60):
        (tmp_path / f"in/{number:02}.png").hardlink_to(tmp_path / "in/00.png")
    command = [*PYTHON_M, "equalize", "in", "-o", "out"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        limit = time.monotonic() + 60
        while not (tmp_path / "out/01.png").exists():
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    done = tree(tmp_path / "out")
    assert (process.returncode, out) == (130, "")
    assert 2 <= len(done) < 60
    assert done == [f"{number:02}.png" for number in range(len(done))]
    # The last one may have got its name just before the interruption, and its count not.
    counts = [len(done), len(done) - 1]
    assert err in [f"interrupted: {count} of 60 files equalized; no file is half written\n" for count in counts]
    expected = opencv(image, channel_axis=-1)
    for name in done:
        np.testing.assert_array_equal(load(tmp_path / "out" / name), expected, strict=True)


# ---------------------------------------------------------------- the command itself


def test_the_module_is_the_command(tmp_path, opencv):
    image = save(tmp_path / "in.npy", pixels(4, 31, 47))
    command = [*PYTHON_M, "equalize", "in.npy", "-o", "out.npy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 file equalized into out.npy\n", "")
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), opencv(image), strict=True)


def test_version_and_help(run):
    assert run("--version").stdout == f"cheq {cheq.__version__}\n"
    assert run("-h").exit_code == 0
    assert "Usage:" in run("equalize", "--help").stdout
    script = subprocess.run([*PYTHON_M, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert script.stdout == f"cheq {cheq.__version__}\n"


@pytest.mark.parametrize("package", ["typer", "rich", "PIL", "tifffile", "imagecodecs"])
def test_without_the_packages_of_the_extra(package):
    code = f"import sys; sys.modules[{package!r}] = None; from cheq.cli import main; sys.argv[1:] = []; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    needs = f"cheq: the command line needs {package}, which is not installed; to get it: pip install 'cheq[cli]'\n"
    assert done.stderr == needs


def test_packages_that_do_not_load():
    error = ImportError("libGL.so.1: cannot open shared\nobject file", name="cv2")
    assert cheq.cli.without(error, "the demo", "demo") == (
        "the demo needs cv2, which does not load (libGL.so.1: cannot open shared object file); "
        "to get it: pip install 'cheq[demo]'"
    )
    with pytest.raises(ImportError, match="own fault"):
        cheq.cli.without(ImportError("own fault", name="cheq.cli.app"), "the demo", "demo")


def test_importing_cheq_imports_nothing_of_the_command_line():
    code = "import sys, cheq, cheq.cli; print({'typer', 'rich', 'PIL', 'cv2', 'skimage'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "set()\n"


def test_the_progress_bar_is_for_terminals(tmp_path):
    pty = pytest.importorskip("pty", reason="pseudo-terminals are a Unix thing")
    save(tmp_path / "in/a.png", pixels(9, 14))
    (tmp_path / "in/b.png").write_text("bad")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [*PYTHON_M, "equalize", "in", "-o", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        with open(ours, "rb", buffering=0) as terminal:
            try:
                while part := terminal.read(4096):
                    seen += part
            except OSError:  # Linux says so when the other end is closed
                pass
        out = process.communicate(timeout=60)[0]
    assert out == b"1 of 2 files equalized into out, 1 failed\n"
    assert b"2/2" in seen
    assert b": in/b.png: not a picture" in seen
