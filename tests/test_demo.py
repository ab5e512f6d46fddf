"""Does `cheq demo` show what it promises, on real pictures, and fail when a single byte differs?"""

import re
import socket
import subprocess
import sys

import cli_tools
import cv2
import numpy as np
import pytest
from cli_tools import load, save, tree

import cheq
from cheq.bench import samples
from cheq.cli import demo
from cheq.cli.commands import demo as demo_command

pytestmark = pytest.mark.cli


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command in tmp_path, with fewer rounds of timing, where no other program runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_SECONDS", 0)
    monkeypatch.setattr(demo_command, "busy_elsewhere", lambda: lambda: 0.0)
    return cli_tools.run


@pytest.fixture
def small(monkeypatch):
    """A demo of 50 pictures."""
    monkeypatch.setattr(demo, "real_batch", lambda: samples.real_batch(50))


def test_the_demo_as_users_run_it(tmp_path):
    command = [sys.executable, "-m", "cheq", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    told = r"(warning: other programs used .* cores meanwhile: do not trust these figures\n)?"
    assert re.fullmatch(told, done.stderr)
    assert f"cheq {cheq.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}" in done.stdout
    assert "(1800, 1, 96, 96) uint8" in done.stdout
    assert "all 16,588,800 bytes equal those of cv2.equalizeHist, on one thread and on all" in done.stdout
    times = r"^(\d+) threads? +(\d+\.\d\d) times as fast as cv2: (\d+\.\d) ms in one call, (\d+\.\d) ms in a cv2 loop$"
    rows = re.findall(times, done.stdout, re.MULTILINE)
    most = cheq.show_config(mode="dicts")["threads"]["most"]  # other programs may leave one core
    assert {1} <= {int(row[0]) for row in rows} <= set(range(1, most + 1))
    for _, ratio, ours, theirs in rows:
        assert float(ratio) == pytest.approx(float(theirs) / float(ours), rel=0.05)
    assert done.stdout.endswith("before and after in cheq-demo.png\n")
    assert tree(tmp_path) == ["cheq-demo.png"]


def test_the_sheet_shows_pictures_before_and_after(run, small, tmp_path):
    threads = cv2.getNumThreads()
    assert run("demo", "-o", "folder/sheet.png").exit_code == 0
    assert cv2.getNumThreads() == threads
    sheet = load(tmp_path / "folder/sheet.png")
    assert sheet.ndim == 3
    gray = np.ascontiguousarray(sheet[..., 0])
    for before in samples.real_batch(50)[:40, 0]:
        places = [_place(gray, before), _place(gray, cv2.equalizeHist(before))]
        assert places[0][0] == places[1][0]
        assert places[0][1] < places[1][1]


def _place(sheet, image):
    """Where an image stands on the sheet, byte for byte; its left and its top."""
    left, top = cv2.minMaxLoc(cv2.matchTemplate(sheet, image, cv2.TM_SQDIFF))[2]
    np.testing.assert_array_equal(sheet[top : top + 96, left : left + 96], image, strict=True)
    return left, top


@pytest.mark.parametrize("threads", [1, 2])
def test_one_wrong_byte_fails_the_demo(run, small, tmp_path, monkeypatch, threads):
    right = cheq.equalize

    def wrong(images, *, num_threads=None, **options):
        result = right(images, num_threads=num_threads, **options)
        result[-1, -1, -1] ^= num_threads == threads
        return result

    monkeypatch.setattr(cheq, "equalize", wrong)
    monkeypatch.setattr(demo, "threads_now", lambda: 2)
    result = run("demo")
    team = "one thread" if threads == 1 else "2 threads"
    assert result.exit_code == 1
    said = f"error: not the bytes of cv2.equalizeHist: cheq, {team}: 1 of 460,800 values are not the same\n"
    assert result.stderr == said
    assert tree(tmp_path) == []


def test_other_programs_are_told_of(run, small, monkeypatch):
    monkeypatch.setattr(demo_command, "busy_elsewhere", lambda: lambda: 1.25)
    result = run("demo")
    told = "warning: other programs used 1.2 cores meanwhile: do not trust these figures\n"
    assert (result.exit_code, result.stderr) == (0, told)


def test_the_usual_sheet_is_replaced_and_no_other(run, small, tmp_path):
    for name in ["cheq-demo.png", "mine.png"]:
        save(tmp_path / name, np.zeros((2, 3), np.uint8))
    assert run("demo").exit_code == 0
    assert load(tmp_path / "cheq-demo.png").shape[0] > 500
    result = run("demo", "-o", "mine.png")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: mine.png exists already; remove it or choose another name\n"
    assert load(tmp_path / "mine.png").shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sheet", "sheet: the sheet's name must end in one of ."),
        ("sheet.npy", "sheet.npy: the sheet's name must end in one of ."),
        ("sheet.pgm", "sheet.pgm: a .pgm file cannot hold 8-bit RGB"),
        ("file/sheet.png", "file/sheet.png: "),
    ],
)
def test_a_sheet_that_cannot_be_written(run, small, tmp_path, name, said):
    (tmp_path / "file").write_text("x")
    result = run("demo", "-o", name)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {said}")
    assert result.stderr.count("\n") == 1
    assert tree(tmp_path) == ["file"]


@pytest.mark.parametrize("package", ["skimage", "cv2"])
def test_without_the_packages_of_the_extra(tmp_path, package):
    code = f"import sys; sys.modules[{package!r}] = None; from cheq.cli import main; sys.argv[1:] = ['demo']; main()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, tree(tmp_path)) == (1, "", [])
    needs = f"error: the demo needs {package}, which is not installed; to get it: pip install 'cheq[demo]'\n"
    assert done.stderr == needs


def test_ctrl_c_leaves_nothing_behind(run, small, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "contact_sheet", interrupted)
    assert run("demo").exit_code == 130
    assert tree(tmp_path) == []


# ---------------------------------------------------------------- the batch


def test_the_batch_is_made_of_real_pictures_without_a_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a download was tried")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    batch = samples.real_batch()
    assert (batch.shape, batch.dtype) == ((1800, 1, 96, 96), np.uint8)
    assert len(np.unique(batch.reshape(1800, -1), axis=0)) > 1700
    # None is flat, and together they hold every level.
    assert (batch.max(axis=(1, 2, 3)) - batch.min(axis=(1, 2, 3))).min() > 0
    assert np.unique(batch).size == 256


def test_the_batch_is_the_same_every_time():
    np.testing.assert_array_equal(samples.real_batch(60, 32, 5), samples.real_batch(60, 32, 5), strict=True)
    assert not np.array_equal(samples.real_batch(60, 32, 5), samples.real_batch(60, 32, 6))
    np.testing.assert_array_equal(samples.real_batch(12), samples.real_batch(60)[:12], strict=True)


@pytest.mark.parametrize("size", [1, 7, 96, 400])
def test_any_size(size):
    assert samples.real_batch(7, size).shape == (7, 1, size, size)
    assert samples.real_batch(0, size).shape == (0, 1, size, size)


def test_the_sources_take_turns(monkeypatch):
    flat = {name: np.full((200, 300), level, np.uint8) for level, name in enumerate(samples.SOURCES[:-1], start=201)}
    flat["astronaut"] = np.full((200, 300, 3), 202, np.uint8)
    flat["lfw_subset"] = np.arange(200).repeat(25 * 25).reshape(200, 25, 25) / 255
    monkeypatch.setattr(samples, "_load", flat.__getitem__)
    batch = samples.real_batch(600, 8)
    for source, level in enumerate([201, 202, 203, 204]):
        assert (batch[source::5] == level).all()
    # The hundred faces in turn, and none of the samples behind them.
    np.testing.assert_array_equal(batch[4::5, 0, 3, 3], np.arange(120) % 100)
