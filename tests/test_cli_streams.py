"""Does `-` read standard input and write standard output, the same bytes as with files?"""

import subprocess
import sys
import tempfile
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from cli_tools import pixels, save
from PIL import Image
from typer.testing import CliRunner

from cheq.cli.app import app
from cheq.cli.settings import UsageError
from cheq.cli.streams import as_files
from cheq.pictures import formats

pytestmark = pytest.mark.cli


@pytest.fixture
def piped(monkeypatch, tmp_path):
    """Run a command in tmp_path on bytes; no folder for temporary files is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def run(data, *arguments):
        result = CliRunner().invoke(app, [str(each) for each in arguments], input=data, catch_exceptions=False)
        assert not [*(tmp_path / "temporary").iterdir()]
        return result

    return run


def inputs(folder):
    """A file of every format, and its name."""
    for extension in sorted(formats.FORMATS):
        with open(folder / f"a{extension}", "w+b") as file:
            formats.write([formats.Picture(pixels(20, 32))], file, extension)
        yield f"a{extension}"
    save(folder / "a.npy", pixels(9, 14))
    yield "a.npy"
    save(folder / "rgb.ppm", pixels(9, 14, 3))
    yield "rgb.ppm"
    tifffile.imwrite(folder / "pages.tif", pixels(3, 9, 14).astype(np.uint16), photometric="minisblack")
    yield "pages.tif"
    tifffile.imwrite(folder / "big.tif", pixels(9, 14), bigtiff=True, byteorder=">")
    yield "big.tif"
    np.savez(folder / "a.npz", x=pixels(9, 14))
    yield "a.npz"
    frames = [Image.fromarray(pixels(9, 14, seed=seed)) for seed in (0, 1)]
    frames[0].save(folder / "mpo.jpg", format="MPO", save_all=True, append_images=frames[1:])
    yield "mpo.jpg"


def test_the_same_bytes_as_with_files(piped, tmp_path):
    for name in inputs(tmp_path):
        data = (tmp_path / name).read_bytes()
        expected = piped(b"", "equalize", name, "-o", f"out/{name}")
        assert expected.exit_code == 0, expected.stderr
        told = expected.stderr
        for given, output in (("-", "-"), (name, "-"), ("-", f"two/{name}")):
            result = piped(data, "equalize", given, "-o", output)
            assert result.exit_code == 0, result.stderr
            assert result.stderr == told.replace(name, "standard input" if given == "-" else name)
            found = result.stdout_bytes if output == "-" else (tmp_path / output).read_bytes()
            assert found == (tmp_path / "out" / name).read_bytes(), name


def test_what_is_said_is_said_of_streams_and_on_stderr(piped, tmp_path):
    data = (tmp_path / save_picture(tmp_path)).read_bytes()
    result = piped(data, "equalize", "-", "-o", "-", "-v")
    assert result.stderr == "standard input -> standard output\n1 file equalized into -\n"
    assert result.stdout_bytes.startswith(b"\x89PNG")
    result = piped(data, "equalize", "-", "-o", "-", "--dry-run")
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert "1 file would be equalized, 0 would fail" in result.stderr
    assert piped(data, "equalize", "-", "-o", "out.png").stdout == "1 file equalized into out.png\n"
    assert '"source": "standard input"' in piped(data, "equalize", "-", "-o", "b.png", "--json").stdout


def save_picture(folder):
    save(folder / "a.png", pixels(9, 14))
    return "a.png"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "error: standard input: the file is empty\n"),
        (b"not a picture", "error: standard input: not a picture in a known format, or damaged at its beginning\n"),
        (b"\x89PNG\r\n\x1a\n....", "error: standard input: damaged or cut off"),
        (b"\x93NUMPY....", "error: standard input: not an array that can be read"),
    ],
)
def test_bad_input(piped, data, told):
    result = piped(data, "equalize", "-", "-o", "-")
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert result.stderr.startswith(told)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-", "a.png", "-o", "out"], "standard input (-) is taken alone"),
        (["-", "-o", "folder"], "standard input (-) has no name: OUTPUT must be a file or -"),
        (["-", "-o", "new/"], "standard input (-) has no name: OUTPUT must be a file or -"),
        (["-"], "standard input (-) has no name: OUTPUT must be a file or -"),
        (["a.png", "a.png", "-o", "-"], "standard output (-) holds one file: INPUT must be one, too"),
        (["folder", "-o", "-"], "standard output (-) holds one file: INPUT must be one, too"),
        (["a.png", "-o", "-", "--json"], "--json and OUTPUT - do not go together"),
        (["-", "-o", "-", "--suffix", "_eq"], "--suffix is for names"),
    ],
)
def test_usage_errors(piped, tmp_path, monkeypatch, arguments, told):
    monkeypatch.setenv("COLUMNS", "200")
    save_picture(tmp_path)
    (tmp_path / "folder").mkdir()
    result = piped(b"", "equalize", *arguments)
    assert (result.exit_code, result.stdout_bytes) == (2, b"")
    assert told in result.stderr


def test_figures(piped, tmp_path):
    data = (tmp_path / save_picture(tmp_path)).read_bytes()
    result = piped(data, "figure", "-", "-o", "-", "--dpi", 30)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes.startswith(b"\x89PNG")


@pytest.mark.parametrize(("stream", "inputs", "output"), [("stdin", ["-"], "a.png"), ("stdout", ["a.png"], "-")])
def test_a_terminal_is_no_file(monkeypatch, stream, inputs, output):
    monkeypatch.setattr(sys, stream, SimpleNamespace(isatty=lambda: True))
    with pytest.raises(UsageError, match=r"\(-\) is a terminal; send it"), as_files(inputs, output):
        pass


def test_a_closed_pipe_is_no_traceback(tmp_path):
    save(tmp_path / "a.png", pixels(400, 500))
    command = [sys.executable, "-m", "cheq", "equalize"]
    with subprocess.Popen(
        [*command, "a.png", "-o", "-"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1
