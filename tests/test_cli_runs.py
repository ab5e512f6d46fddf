"""Does a run tell what it did, promise only what it has read, and go on where another was broken off?"""

import json
import re
import shlex

import cv2
import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, save, tree
from PIL import Image
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from cheq.cli.app import app
from cheq.cli.plan import Plan
from cheq.cli.report import Report
from cheq.pictures import formats

pytestmark = pytest.mark.cli


# ---------------------------------------------------------------- --skip-existing


def test_a_second_run_passes_over_what_is_there(run, tmp_path, monkeypatch):
    images = {
        name: save(tmp_path / f"in/{name}", pixels(9, 14, seed=seed)) for seed, name in enumerate(["a.png", "b.npy"])
    }
    assert run("equalize", "in", "-o", "out", "--skip-existing").exit_code == 0
    (tmp_path / "out/a.png").write_text("mine")
    (tmp_path / "out/b.npy").unlink()
    result = run("equalize", "in", "-o", "out", "--skip-existing")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 of 2 files equalized into out, 1 skipped that exist already\n"
    assert (tmp_path / "out/a.png").read_text() == "mine"
    np.testing.assert_array_equal(load(tmp_path / "out/b.npy"), cv2.equalizeHist(images["b.npy"]), strict=True)
    monkeypatch.setattr(formats, "pages", lambda path: pytest.fail("was read"))
    for more in ([], ["--shared-lut"]):
        result = run("equalize", "in", "-o", "out", "--skip-existing", *more)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == "0 of 2 files equalized into out, 2 skipped that exist already\n"


def test_what_is_no_file_is_not_taken_for_a_result(run, tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / "in" / name, pixels(9, 14))
    (tmp_path / "out/a.png").mkdir(parents=True)
    (tmp_path / "out/b.png").symlink_to("nowhere")
    result = run("equalize", "in", "-o", "out", "--skip-existing")
    assert result.exit_code == 1
    exists = "exists already (replace it with --overwrite)"
    assert result.stderr.splitlines() == [f"error: in/{name}.png: out/{name}.png {exists}" for name in "ab"]
    assert tree(tmp_path / "out") == ["b.png", "c.png"]


def test_a_run_that_goes_on_has_the_histogram_it_began_with(run, tmp_path):
    for seed, name in enumerate("abc"):
        save(tmp_path / f"in/{name}.png", pixels(31, 47, seed=seed) // (seed + 1))
    assert run("equalize", "in", "-o", "out", "--shared-lut").exit_code == 0
    expected = load(tmp_path / "out/b.png")
    (tmp_path / "out/b.png").unlink()
    result = run("equalize", "in", "-o", "out", "--shared-lut", "--skip-existing")
    assert (result.exit_code, result.stdout) == (0, "1 of 3 files equalized into out, 2 skipped that exist already\n")
    np.testing.assert_array_equal(load(tmp_path / "out/b.png"), expected)


# ---------------------------------------------------------------- --dry-run


def test_a_dry_run_promises_what_a_run_then_does(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(9, 14))
    save(tmp_path / "in/b.npy", pixels(5, 9, 14))
    save(tmp_path / "in/channels.npy", pixels(5, 9, 14, 3))
    save(tmp_path / "in/lonely/c.png", pixels(9, 15))
    save(tmp_path / "in/sub/d.png", pixels(9, 14))
    save(tmp_path / "in/there.npy", pixels(9, 14))
    save(tmp_path / "out/there.npy", pixels(9, 14))
    (tmp_path / "out/sub").write_text("a file")
    (tmp_path / "in/bad.png").write_text("bad")
    Image.new("CMYK", (14, 9)).save(tmp_path / "in/cmyk.jpg")
    tifffile.imwrite(tmp_path / "in/float.tif", pixels(9, 14).astype(np.float32))
    with tifffile.TiffWriter(tmp_path / "in/second.tif") as file:
        file.write(pixels(9, 14))
        file.write(pixels(9, 14).astype(np.float32))
    (tmp_path / "in/notes.txt").write_text("x")
    save(tmp_path / "mask.png", pixels(9, 14))
    for more in ([], ["--overwrite"], ["--shared-lut"], ["--shared-lut-pages"], ["--match-first"]):
        before = tree(tmp_path)
        dry = run("equalize", "in", "-o", "out", "--mask", "mask.png", *more, "--dry-run")
        assert (dry.exit_code, tree(tmp_path)) == (1, before)
        done = run("equalize", "in", "-o", "out", "--mask", "mask.png", *more)
        good = [line.split(" -> ")[1] for line in dry.stdout.splitlines() if " -> " in line]
        assert good == sorted(good, key=lambda name: name.endswith(".npy"))
        assert set(tree(tmp_path)) == {*before, *good}
        assert dry.stderr == done.stderr
        word = "matched" if more == ["--match-first"] else "equalized"
        assert f"{len(good)} files would be {word}, {done.stderr.count('error: ')} would fail\n" in dry.stdout
        assert done.stdout.startswith(f"{len(good)} of 10 files {word} into out, ")
        for name in set(good) - {"out/there.npy"}:
            (tmp_path / name).unlink()
    assert len(good) == 2


def test_a_dry_run_knows_how_many_pages_a_format_holds(run, tmp_path):
    tifffile.imwrite(tmp_path / "two.tif", pixels(2, 9, 14), photometric="minisblack")
    result = run("equalize", "two.tif", "-o", "out.png", "--dry-run")
    assert (result.exit_code, tree(tmp_path)) == (1, ["two.tif"])
    assert result.stderr == run("equalize", "two.tif", "-o", "out.png").stderr != ""


# ---------------------------------------------------------------- --verbose, --json


@pytest.fixture
def mixed(tmp_path):
    """A folder with a file of each fate."""
    save(tmp_path / "in/a.png", pixels(9, 14))
    (tmp_path / "in/b.png").write_text("bad")
    frames = [Image.fromarray(pixels(9, 14, seed=seed)) for seed in (0, 1)]
    frames[0].save(tmp_path / "in/c.gif", save_all=True, append_images=frames[1:])
    save(tmp_path / "in/d.png", pixels(9, 14))
    save(tmp_path / "out/d.png", pixels(9, 14))
    (tmp_path / "in/notes.txt").write_text("x")


def test_a_line_for_each_file(run, mixed):
    result = run("equalize", "in", "-o", "out", "-v", "--skip-existing")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "in/d.png -> out/d.png (skipped: it exists already)",
        "in/a.png -> out/a.png",
        "in/c.gif -> out/c.gif",
        "2 of 4 files equalized into out, 1 skipped that exist already, 1 failed",
        "passed over: 1 file with unknown extensions (.txt 1)",
    ]


@pytest.mark.parametrize(("more", "status"), [([], "written"), (["--dry-run"], "would be written")])
def test_lines_of_json(run, mixed, more, status):
    result = run("equalize", "in", "in/none.xyz", "-o", "out", "--json", "--skip-existing", *more)
    assert result.exit_code == 2  # and nothing on stdout
    assert result.stdout == ""
    result = run("equalize", "in", "in/notes.txt", "-o", "out", "--json", "--skip-existing", *more)
    assert result.exit_code == 1
    *files, last = map(json.loads, result.stdout.splitlines())
    assert last == {
        "summary": {"written": 2, "skipped": 1, "failed": 2},
        "dry_run": bool(more),
        "passed_over": ["1 file with unknown extensions (.txt 1)"],
    }
    told = {file["source"]: (file["target"], file["status"], len(file["warnings"])) for file in files}
    assert told == {
        "in/a.png": ("out/a.png", status, 0),
        "in/b.png": ("out/b.png", "failed", 0),
        "in/c.gif": ("out/c.gif", status, 1),
        "in/d.png": ("out/d.png", "skipped", 0),
        "in/notes.txt": (None, "failed", 0),
    }
    for file in files:
        errors = [line for line in result.stderr.splitlines() if line.startswith(f"error: {file['source']}: ")]
        assert errors == [f"error: {file['source']}: {file['error']}" for _ in errors]
        assert len(errors) == (file["status"] == "failed")


@pytest.mark.parametrize("lines", [{}, {"verbose": True}, {"as_json": True}, {"dry": True}])
def test_no_bar_is_drawn_between_lines(monkeypatch, capsys, lines):
    monkeypatch.setattr(Console, "is_terminal", True)
    with Report(Plan(), **lines):
        pass
    assert (capsys.readouterr().err == "") == bool(lines)


# ---------------------------------------------------------------- what the options look like


def test_flags_are_shown_without_a_value(run):
    for command in ([], ["equalize"], ["clahe"], ["figure"], ["bench"], ["parity"], ["info"], ["demo"]):
        shown = run(*command, "--help").stdout
        assert "--help" in shown
        assert "<bool>" not in shown
        assert not command or "xit status" in shown


def test_the_examples_of_help_are_commands():
    commands = vars(get_command(app))["commands"]
    examples = [line for command in commands.values() for line in re.findall("`(cheq [^`<]*)", command.help)]
    assert len(examples) >= 9
    for line in examples:
        _, name, *arguments = shlex.split(line)
        assert "-o" not in arguments or commands[name].make_context(name, arguments).params["output"], line


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--color", "red"], "'--color': 'red' is not one of 'channels'"),
        (["--threads", "many"], "'many'"),
        (["--threads", "0"], "0"),
        (["--overwrite", "--skip-existing"], "--overwrite and --skip-existing do not go together"),
        (["--shared-lut", "--shared-lut-pages"], "--shared-lut and --shared-lut-pages do not go together"),
        (["--shared-lut-pages", "--color", "lab"], "--shared-lut-pages takes --color channels or gray, not lab"),
        (
            ["--shared-lut-pages", "--axes", "0,1"],
            "which pixels of an array share a histogram, and so does --shared-lut-p",
        ),
    ],
)
def test_messages_of_options(run, tmp_path, monkeypatch, options, told):
    monkeypatch.setenv("COLUMNS", "200")
    save(tmp_path / "a.png", pixels(9, 14))
    result = run("equalize", "a.png", "-o", "out/", *options)
    assert (result.exit_code, tree(tmp_path)) == (2, ["a.png"])
    assert told in result.stderr
    assert "Value error" not in result.stderr


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cheq eq", "equalize"),
        ("cheq equalize --skip", "--skip-existing"),
        ("cheq equalize --color yc", "ycrcb"),
    ],
)
def test_a_shell_completes_commands_options_and_their_values(words, found):
    shell = {"_CHEQ_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = CliRunner().invoke(app, env=shell, prog_name="cheq")
    assert done.stdout.split() == [found]
