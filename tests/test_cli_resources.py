"""Odd resources: pixels that archives claim, paths too long, signals, old files, pipes, names with escape codes."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from cli_tools import load, pixels, save, tree

import cheq.cli
from cheq.pictures import arrays, files

pytestmark = pytest.mark.cli

PYTHON_M = [sys.executable, "-m", "cheq"]


# ---------------------------------------------------------------- pixels of arrays


@pytest.mark.parametrize("name", ["in.npy", "in.npz"])
def test_the_most_pixels_of_an_array(run, tmp_path, name):
    array = np.zeros((30, 100, 100), np.uint8)
    (np.save if name == "in.npy" else np.savez_compressed)(tmp_path / name, array)
    target = name.replace("in", "out")
    for limit, status in ((299_999, 1), (300_000, 0)):
        result = run("equalize", name, "-o", target, "--max-pixels", limit)
        assert result.exit_code == status
        assert (
            "(300000 pixels) exceeds limit of 299999 pixels (on the command line: --max-pixels)" in result.stderr
        ) == status


def test_an_archive_of_a_few_bytes_that_claims_gigapixels(run, tmp_path):
    """Refused by its header, by the limit that pictures have: nothing is unpacked."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (3000, 1000, 1000)})
    with zipfile.ZipFile(tmp_path / "in.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue() + bytes(100))
    result = run("equalize", "in.npz", "-o", "out.npz")
    assert result.exit_code == 1
    assert "(3000000000 pixels) exceeds limit of 178956970 pixels" in result.stderr


@pytest.mark.parametrize("name", ["long.npy", "readme.txt"])
def test_members_that_are_no_images_are_not_unpacked_to_find_out(run, tmp_path, monkeypatch, name):
    """An array whose header says that it is 100 MB long, and a text."""
    with zipfile.ZipFile(tmp_path / "in.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"\x93NUMPY\2\0" + (100_000_000).to_bytes(4, "little") + b" " * 100_000_000)
        with archive.open("images.npy", "w") as file:
            np.lib.format.write_array(file, pixels(9, 14))
    read = []
    original = zipfile.ZipExtFile.read

    def reading(self, n=-1):
        data = original(self, n)
        read.append((self.name, len(data)))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", reading)
    assert [found for found, _ in arrays.read(tmp_path / "in.npz")] == ["images.npy"]
    assert sum(size for found, size in read if found == name) < 100_000
    result = run("equalize", "in.npz", "-o", "out.npz", "--max-pixels", 1000)
    assert result.exit_code == 1
    assert "bytes) exceeds 32 bytes for each of the limit of 1000 pixels" in result.stderr


@pytest.mark.parametrize("name", ["../../x.npy", "/x.npy", "a/../../x.npy", "..\\x.npy", "C:\\x.npy", "../x.txt"])
def test_names_that_lead_out_of_an_archive(run, tmp_path, name):
    with zipfile.ZipFile(tmp_path / "in.npz", "w") as archive:
        for member in ("images.npy", name):
            info = zipfile.ZipInfo(member)
            info.filename = member
            with archive.open(info, "w") as file:
                np.lib.format.write_array(file, pixels(9, 14))
    result = run("equalize", "in.npz", "-o", "out.npz")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: in.npz: the archive is not safe: a member is named ")
    assert tree(tmp_path) == ["in.npz"]


# ---------------------------------------------------------------- names


def test_a_path_too_long_does_not_stop_the_others(run, tmp_path, opencv):
    array = save(tmp_path / "in/z.png", pixels(9, 14))
    deep = os.open(tmp_path / "in", os.O_RDONLY)
    for _ in range(30):  # 6 kB: the system takes 4 in one piece
        os.mkdir("d" * 200, dir_fd=deep)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    for more in ([], ["--mask", "in"], ["--dry-run"]):
        result = run("equalize", "in", "-o", "out", "--overwrite", *more)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: in/ddd")
        assert result.stderr.endswith("d: File name too long\n"), result.stderr[-300:]
        assert result.stderr.count("\n") == 1
        if not more:
            np.testing.assert_array_equal(load(tmp_path / "out/z.png"), opencv(array), strict=True)
    for mask in ("x" * 300, "y/" * 3000):
        result = run("equalize", "in/z.png", "-o", "out/", "--mask", mask)
        assert (result.exit_code, "does not exist" in " ".join(result.stderr.split())) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["{}", "-o", "out/"],
        ["a.png", "-o", "out{}"],
        ["a.png", "-o", "out{}.xyz"],
        ["a.png", "-o", "out.png", "--mask", "{}"],
        ["a.png", "-o", "out.png", "--nodata", "{}"],
        ["a.png", "-o", "out.png", "--axes", "{}"],
        ["a.png", "--suffix", "/{}"],
        ["dangling{}", "-o", "out/"],
    ],
)
def test_escape_codes_in_names_do_not_reach_the_terminal(run, tmp_path, arguments):
    save(tmp_path / "a.png", pixels(9, 14))
    (tmp_path / "dangling\x1b[31m").symlink_to("gone")
    result = run("equalize", *(argument.format("\x1b[31m") for argument in arguments))
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr + result.stdout
    assert "\\x1b[31m" in result.stderr


# ---------------------------------------------------------------- temporary files


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a Unix thing")
@pytest.mark.parametrize("ignored", [False, True])
def test_a_terminal_that_is_closed_leaves_no_temporary_file(tmp_path, ignored):
    save(tmp_path / "in.npy", pixels(3, 9, 14))
    code = (
        "import os, signal, sys; from cheq.cli import main; from cheq.cli import run, arrays\n"
        "def hang_up(*_):\n    assert any('.cheq-' in name for name in os.listdir('.'))\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n    signal.sigtimedwait([], 0.1)\n"
        "arrays.equalize = hang_up\n"
        + f"signal.signal(signal.SIGHUP, signal.{'SIG_IGN' if ignored else 'SIG_DFL'})\n"  # or as nohup left it
        + "sys.argv[1:] = ['equalize', 'in.npy', '-o', 'out.npy']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    # Under nohup, the run goes on.
    assert done.returncode == (0 if ignored else 128 + signal.SIGHUP)
    assert tree(tmp_path) == ["in.npy", "out.npy"][: 1 + ignored]


def test_old_temporary_files_are_removed_and_nothing_else(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(9, 14))
    names = [".cheq-0123456789abcdef.tmp", ".cheq-fedcba9876543210.tmp", ".cheq-mine.tmp", "cheq-0123456789abcdef.tmp"]
    (tmp_path / "out").mkdir()
    old = time.time() - 2 * 24 * 3600
    for name in names:
        (tmp_path / "out" / name).write_text("half a picture")
        os.utime(tmp_path / "out" / name, (old, old))
    os.utime(tmp_path / "out" / names[1])  # another run's, now
    (tmp_path / "out/.cheq-aaaaaaaaaaaaaaaa.tmp").mkdir()
    assert run("equalize", "in", "-o", "out").exit_code == 0
    assert tree(tmp_path / "out") == sorted([*names[1:], "a.png"])
    assert (tmp_path / "out/.cheq-aaaaaaaaaaaaaaaa.tmp").is_dir()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_the_temporary_file_is_not_for_others_than_its_target(tmp_path, mode):
    target = tmp_path / "a.bin"
    target.write_text("old")
    target.chmod(mode)
    with files.whole_file(target, overwrite=True) as file:
        file.write(b"new")
        (temporary,) = [entry for entry in tmp_path.iterdir() if entry != target]
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", mode)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are a Unix thing")
def test_a_pipe_is_not_replaced(run, tmp_path):
    save(tmp_path / "a.png", pixels(9, 14))
    save(tmp_path / "a.npy", pixels(9, 14))
    for name in ("a.png", "a.npy"):
        (tmp_path / "out").mkdir(exist_ok=True)
        os.mkfifo(tmp_path / "out" / name)
        for more in ([], ["--dry-run"]):
            result = run("equalize", name, "-o", "out/", "--overwrite", *more)
            assert result.exit_code == 1
            assert result.stderr == f"error: {name}: out/{name} is neither a file nor a folder, and is not replaced\n"
        assert stat.S_ISFIFO((tmp_path / "out" / name).stat().st_mode)


# ---------------------------------------------------------------- kernels


@pytest.mark.parametrize("name", ["none-such", ""])
def test_a_kernel_that_is_not_here_is_a_sentence(name):
    command = [*PYTHON_M, "info"]
    environment = {**os.environ, "CHEQ_KERNEL": name}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (1 if name else 0)
    if name:
        assert done.stderr.startswith("cheq: CHEQ_KERNEL: kernel: expected one of ")
        assert done.stderr.count("\n") == 1
    code = f"import os; os.environ['CHEQ_KERNEL'] = {name!r}; import cheq"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ("ValueError: CHEQ_KERNEL: kernel: expected" in done.stderr) == bool(name)
    assert callable(cheq.cli.main)
