"""Do the commands beside `equalize` do what they say: figure, info, bench?"""

import importlib.metadata
import json
import math
import subprocess
import sys

import cv2
import matplotlib.figure
import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, save, tree
from marks import exhaustive
from matplotlib import font_manager
from PIL import Image

import cheq
from cheq.bench import images, peers, rows
from cheq.cli.commands import bench as bench_command

pytestmark = pytest.mark.cli


# ---------------------------------------------------------------- figure


@pytest.mark.parametrize("target", ["new/out.PNG", "out.pdf", *exhaustive("out.png", "out.svg")])
def test_a_figure_in_every_format(run, tmp_path, target):
    save(tmp_path / "in.png", pixels(31, 47, 3))
    result = run("figure", "in.png", "-o", target)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"before and after in {target}\n", "")
    start = (tmp_path / target).read_bytes()[:5]
    assert start == {"png": b"\x89PNG\r", "pdf": b"%PDF-", "svg": b"<?xml"}[target[-3:].lower()]
    assert [name for name in tree(tmp_path) if name.endswith(".tmp")] == []


@pytest.mark.parametrize("kind", ["L", "LA", "RGB", "RGBA", "16 bits", "float"])
@pytest.mark.parametrize("color", ["channels", *exhaustive("ycrcb", "gray")])
def test_a_figure_of_every_kind(run, tmp_path, kind, color):
    if kind == "16 bits":
        tifffile.imwrite(tmp_path / "in.tif", pixels(31, 47).astype(np.uint16) * 99)
    elif kind == "float":
        tifffile.imwrite(tmp_path / "in.tif", pixels(31, 47) / np.float32(255))
    else:
        save(tmp_path / "in.tif", pixels(31, 47, *{"L": [], "LA": [2], "RGB": [3], "RGBA": [4]}[kind]))
    method = "skimage" if kind == "float" else "opencv"
    result = run("figure", "in.tif", "-o", "out.png", "--color", color, "--method", method, "--dpi", 30)
    if (method, color) == ("skimage", "ycrcb"):  # not even of gray pictures, as for `cheq equalize`
        assert (result.exit_code, (tmp_path / "out.png").exists()) == (2, False)
        return
    assert (result.exit_code, result.stderr) == (0, "")
    assert np.ptp(load(tmp_path / "out.png")[..., :3]) > 200


@pytest.fixture
def plotted(monkeypatch):
    """What was given to cheq.plot, instead of a drawing of it."""
    given = []
    figure = matplotlib.figure.Figure(figsize=(1, 1))
    monkeypatch.setattr(cheq, "plot", lambda image, **options: given.append((image, options)) or figure)
    return given


@pytest.mark.parametrize(
    ("options", "limit", "grid"),
    [(["--clahe"], 40, (8, 8)), (["--clip-limit", 2], 2, (8, 8)), (["--tiles", "3x5", "--clahe"], 40, (3, 5))],
)
@pytest.mark.parametrize("color", ["channels", *exhaustive("gray")])
def test_a_figure_with_clahe(run, tmp_path, plotted, options, limit, grid, color):
    array = save(tmp_path / "in.png", pixels(31, 47, 3))
    result = run("figure", "in.png", "-o", "out.png", "--color", color, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    apply = cv2.createCLAHE(limit, grid).apply
    expected = cv2.merge([apply(each) for each in cv2.split(array)])
    expected = apply(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)) if color == "gray" else expected
    ((_, given),) = plotted
    np.testing.assert_array_equal(given["clahe"], expected, strict=True)


def test_a_figure_of_a_method_without_clahe(run, tmp_path):
    save(tmp_path / "in.png", pixels(31, 47))
    result = run("figure", "in.png", "-o", "out.png", "--method", "pillow", "--clahe")
    assert (result.exit_code, (tmp_path / "out.png").exists()) == (2, False)
    assert "(on the command line: --method)" in " ".join(result.stderr.replace("│", " ").split())


def test_the_resolution_of_a_figure(run, tmp_path):
    save(tmp_path / "in.png", pixels(31, 47))
    sizes = []
    for dpi in (50, 100):
        assert run("figure", "in.png", "-o", "out.png", "--dpi", dpi, "--overwrite").exit_code == 0
        sizes.append(load(tmp_path / "out.png").shape)
    assert [length // 2 for length in sizes[1][:2]] == pytest.approx(sizes[0][:2], abs=1)


def test_a_figure_is_upright(run, tmp_path, plotted):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "in.jpg", pixels(31, 47), exif=exif)
    assert run("figure", "in.jpg", "-o", "out.png").exit_code == 0
    assert plotted[0][0].shape == (47, 31)


# A formula for matplotlib, a line break, no text, no end.
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a$x_{$b.png", "a$x_{$b.png"),
        ("b\nc.png", "b\\nc.png"),
        (b"b\xff.png".decode("utf-8", "surrogateescape"), "b\\udcff.png"),
        ("x" * 100 + ".png", "x" * 40 + "…" + "x" * 35 + ".png"),
    ],
)
def test_any_file_name_is_a_title(run, tmp_path, plotted, name, title):
    save(tmp_path / name, pixels(31, 47))
    result = run("figure", name, "-o", "out.png")
    assert (result.exit_code, result.stderr, plotted[0][1]["title"]) == (0, "", title)


def test_warnings_of_a_figure_are_lines(run, tmp_path, monkeypatch):
    fonts = font_manager.fontManager
    monkeypatch.setattr(fonts, "ttflist", [font for font in fonts.ttflist if font.name.startswith("DejaVu")])
    save(tmp_path / "日本.png", pixels(31, 47))
    result = run("figure", "日本.png", "-o", "out.png", "--dpi", 30)
    lacks = "no font here has 日本 (matplotlib's is DejaVu Sans); install one that has, to see them drawn"
    assert (result.exit_code, result.stderr) == (0, f"warning: 日本.png: {lacks}\n")
    frames = [Image.fromarray(pixels(31, 47, seed=seed)) for seed in (0, 1)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    result = run("figure", "two.gif", "-o", "two.png", "--dpi", 30)
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert result.stderr.startswith("warning: two.gif: only the first of the file's 2 frames")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in.png", "-o", "old.png"], "old.png exists already (replace it with --overwrite)"),
        (["no.png", "-o", "out.png"], "no.png: No such file or directory"),
        (["bad.png", "-o", "out.png"], "bad.png: not a picture in a known format, or damaged at its beginning"),
        (["five.tif", "-o", "out.png"], "five.tif: expected a gray or RGB picture, got 8-bit 5 channels"),
        (["in.png", "-o", "bad.png/out.png"], "bad.png/out.png: "),
        (["empty", "-o", "out.png"], "no picture was found"),
        (["in.npy", "-o", "out.png"], "in.npy: this is an array; cheq figure takes picture files, and cheq.plot takes"),
    ],
)
def test_figures_that_cannot_be_made(run, tmp_path, arguments, message):
    save(tmp_path / "in.png", pixels(31, 47))
    save(tmp_path / "old.png", pixels(31, 47))
    save(tmp_path / "in.npy", pixels(31, 47))
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.png").write_text("bad")
    tifffile.imwrite(tmp_path / "five.tif", pixels(31, 47, 5), photometric="minisblack", planarconfig="contig")
    before = tree(tmp_path)
    result = run("figure", *arguments)
    assert (result.exit_code, result.stderr.count("\n"), tree(tmp_path)) == (1, 1, before)
    assert result.stderr.startswith(f"error: {message}")


def test_a_figure_of_another_format_is_a_wrong_option(run, tmp_path):
    save(tmp_path / "in.png", pixels(31, 47))
    result = run("figure", "in.png", "-o", "out.jpg")
    assert (result.exit_code, tree(tmp_path)) == (2, ["in.png"])
    assert "out.jpg: the figure's name must end in one of .png .pdf .svg" in " ".join(result.stderr.split())


def test_the_pages_of_a_file_are_a_sheet(run, tmp_path, plotted):
    stack = pixels(5, 9, 14)
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for number, page in enumerate(stack):  # a mask and an overview are no pictures of their own
            if number == 3:
                file.write(page > 90, photometric="mask", subfiletype=4)
            else:
                file.write(page, photometric="minisblack", subfiletype=int(number == 1))
    result = run("figure", "in.tif", "-o", "out.png", "--most", 2, "--clahe")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "2 of 3 pictures, before and after in out.png\n"
    ((images, options),) = plotted
    np.testing.assert_array_equal(images, stack[[0, 4]])
    np.testing.assert_array_equal(options["clahe"], [cv2.createCLAHE(40, (8, 8)).apply(page) for page in stack[[0, 4]]])
    assert (options["title"], options["names"]) == ("in.tif: 2 of 3 pictures", ["page 1", "page 5"])


def test_a_folder_is_a_sheet_without_what_cannot_be_drawn(run, tmp_path, plotted):
    kept = [save(tmp_path / "in/a.png", pixels(9, 14)), save(tmp_path / "in/sub/b.png", pixels(31, 47, 3))]
    save(tmp_path / "in/c.npy", pixels(9, 14))  # as of any folder, what is no picture is passed over
    (tmp_path / "in/bad.png").write_text("bad")
    tifffile.imwrite(tmp_path / "in/float.tif", pixels(9, 14).astype(np.float32))
    result = run("figure", "in", "-o", "out.png", "--color", "lab")
    assert (result.exit_code, result.stdout) == (1, "2 of 4 pictures, before and after in out.png\n")
    told = sorted(result.stderr.splitlines())
    assert told[0] == "error: in/bad.png: not a picture in a known format, or damaged at its beginning"
    assert told[1].startswith("error: in/float.tif: --method opencv does not take float32 gray; ")
    ((images, options),) = plotted
    for image, array in zip(images, kept, strict=True):
        np.testing.assert_array_equal(image, array)
    assert (options["names"], options["channel_axis"], options["color"]) == (["a.png", "b.png"], -1, "lab")
    result = run("figure", "in/bad.png", "in/float.tif", "-o", "none.png")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 2)
    assert not (tmp_path / "none.png").exists()


def test_a_sheet_is_drawn(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(9, 14))
    save(tmp_path / "in/b.png", pixels(31, 47, 3))
    assert run("figure", "in", "-o", "out.png", "--dpi", 30).exit_code == 0
    assert np.ptp(load(tmp_path / "out.png")[..., :3]) > 200


def test_a_figure_without_matplotlib(tmp_path):
    save(tmp_path / "in.png", pixels(31, 47))
    code = (
        "import sys; sys.modules['matplotlib.figure'] = None; from cheq.cli import main; "
        "sys.argv[1:] = ['figure', 'in.png', '-o', 'out.png']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, tree(tmp_path)) == (1, ["in.png"])
    assert done.stderr.startswith("error: cheq.plot needs matplotlib; to get it: pip install 'cheq[plot]'")


# ---------------------------------------------------------------- info

OPENCV = ("python", "python-headless", "contrib-python", "contrib-python-headless")


def test_info(run):
    result = run("info")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(run("info", "--json").stdout)
    config = cheq.show_config(mode="dicts")
    assert {name: found[name] for name in config} == config
    assert found["libraries"]["pillow"] == importlib.metadata.version("pillow")
    for name, version in found["libraries"].items():
        assert f"{name} {version or 'is not installed'}" in result.stdout
    for text in (config["cpu"]["name"], config["kernels"]["chosen"], found["python"], found["numpy"]):
        assert text in result.stdout


def test_info_imports_nothing_to_know_its_version():
    code = (
        "import sys; from cheq.cli import main; sys.argv[1:] = ['info']\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "print('LOADED', sorted({'torch', 'cv2', 'skimage', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize("name", [f"opencv-{name}" for name in OPENCV])
def test_info_and_bench_know_every_name_of_opencv(run, monkeypatch, name):
    version = importlib.metadata.version

    def only(package):
        if "opencv" in package and package != name:
            raise importlib.metadata.PackageNotFoundError(package)
        return "9.8.7" if package == name else version(package)

    monkeypatch.setattr(importlib.metadata, "version", only)
    found = json.loads(run("info", "--json").stdout)["libraries"]
    assert {library: version for library, version in found.items() if "opencv" in library} == {name: "9.8.7"}
    assert peers.PEERS[0].version() == "9.8.7"


# ---------------------------------------------------------------- bench


@pytest.fixture
def few(monkeypatch):
    """Three peers, and one that is not installed."""
    chosen = [peer for peer in peers.PEERS if peer.name in ("cv2", "Pillow", "NumPy recipe")]
    absent = peers.Peer("Nobody", ("nobody-s-package",), "opencv", chosen[0].prepare)
    monkeypatch.setattr(rows, "PEERS", (*chosen, absent))
    monkeypatch.setattr(bench_command, "busy_elsewhere", lambda: lambda: 0.0)


def test_bench_of_users_images(run, few, tmp_path):
    save(tmp_path / "in/a.png", pixels(31, 47, 3))
    save(tmp_path / "in/b.png", pixels(31, 47, 3, seed=1))
    save(tmp_path / "in/c.npy", pixels(5, 9, 14))
    save(tmp_path / "in/words.npy", pixels(5, 9, 14).astype(np.uint16))
    (tmp_path / "in/bad.png").write_text("bad")
    result = run("bench", "in", "--seconds", 1, "--json")
    assert result.exit_code == 1  # though all that could be timed was
    assert sorted(result.stderr.splitlines()) == [
        "error: in/bad.png: not a picture in a known format, or damaged at its beginning",
        "warning: in/words.npy: not used: only 8-bit images are timed, and these are uint16",
    ]
    found = json.loads(result.stdout)
    assert found["work"] == f"your images: 11 planes, {6 * 31 * 47 + 5 * 9 * 14:,} pixels"
    rows = {(row["peer"], row["function"]): row for row in found["rows"]}
    assert rows["Nobody", "equalize"]["note"] == "not installed"
    assert rows["Nobody", "equalize"]["cheq_1"] is None
    methods = {("cv2", "equalize"): "opencv", ("cv2", "clahe"): "opencv", ("Pillow", "equalize"): "pillow"}
    for key, method in {**methods, ("NumPy recipe", "equalize"): "numpy"}.items():
        row = rows[key]
        assert (row["method"], row["equal"], row["note"]) == (method, True, "")
        assert all(row[key] > 0 for key in ("cheq_1", "cheq_all", "peer_1", "peer_all"))


def test_bench_of_the_built_in_batch(run, few, monkeypatch):
    monkeypatch.setattr(bench_command, "_built_in", lambda: ([pixels(20, 31, 47)], "crops of real pictures"))
    result = run("bench", "--seconds", 1)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("crops of real pictures: 20 planes, 29,140 pixels; ")
    assert "Nobody: not installed" in result.stdout
    assert "  clahe opencv  " in result.stdout
    assert importlib.metadata.version("pillow") in result.stdout


def test_bench_compares_first(run, few, tmp_path, monkeypatch):
    save(tmp_path / "a.png", pixels(31, 47))
    equalize = cheq.equalize

    def wrong(images, *, method, out, **options):
        equalize(images, method=method, out=out, **options)
        if method == "pillow":
            out[0, 3, 5] ^= 1
        return out

    monkeypatch.setattr(cheq, "equalize", wrong)
    result = run("bench", "a.png", "--seconds", 1, "--json")
    assert result.exit_code == 1
    rows = {row["peer"]: row for row in json.loads(result.stdout)["rows"]}
    assert (rows["Pillow"]["equal"], rows["Pillow"]["cheq_1"]) == (False, None)
    assert "1 of 1,457 values are not the same" in rows["Pillow"]["note"]
    assert rows["cv2"]["equal"]


def test_bench_says_when_there_is_nothing(run, tmp_path):
    save(tmp_path / "words.npy", pixels(5, 9, 14).astype(np.uint16))
    result = run("bench", "words.npy")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == "error: no 8-bit image was found"
    result = run("bench", "nowhere")
    assert result.exit_code == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_bench_sees_what_was_not_written(run, few, tmp_path, monkeypatch, threads):
    save(tmp_path / "a.npy", pixels(5, 31, 47))
    equalize = cheq.equalize

    def lazy(images, *, out, num_threads, **options):
        return out if num_threads == threads else equalize(images, out=out, num_threads=num_threads, **options)

    monkeypatch.setattr(cheq, "equalize", lazy)
    monkeypatch.setattr(bench_command, "threads_now", lambda: 2)
    result = run("bench", "a.npy", "--seconds", 1, "--json")
    assert result.exit_code == 1
    equal = [row["equal"] for row in json.loads(result.stdout)["rows"] if row["function"] == "equalize"]
    assert equal == [False, False, False, True]


def test_bench_takes_no_more_than_it_says(monkeypatch, tmp_path):
    monkeypatch.setattr(images, "MOST", 100)
    said = []

    def tell(path, why):
        said.append((path.name, why))

    paths = [tmp_path / name for name in ("a.npy", "b.npy", "c.npy")]
    for path in paths:
        save(path, pixels(7, 6, 9))
    for count, told in ((1, []), (2, [("b.npy", "not used: 100 pixels are enough")])):
        batches = images.images_of(paths[:count], None, tell, tell)
        assert [batch.shape for batch in batches] == [(2, 6, 9)]
        assert said == [("a.npy", "not used as a whole: 100 pixels are enough"), *told]
        said.clear()
    images.images_of(paths, None, tell, tell)
    assert said[1] == ("b.npy", "not used, like 1 more after it: 100 pixels are enough")


def test_the_channel_axis_of_arrays(run, few, tmp_path):
    save(tmp_path / "a.npy", pixels(5, 12, 9, 3))
    for options, planes, told in (
        ([], 60, "warning: a.npy: its shape (5, 12, 9, 3) looks like channels last, which --channel-axis -1 is for\n"),
        (["--channel-axis", -1], 15, ""),
    ):
        result = run("bench", "a.npy", "--seconds", 1, *options)
        assert (result.exit_code, result.stderr) == (0, told)
        assert result.stdout.startswith(f"your images: {planes} planes, 1,620 pixels; ")
    result = run("bench", "a.npy", "--channel-axis", 4)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 2)


def test_other_programs_are_told_of(run, few, tmp_path, monkeypatch):
    save(tmp_path / "a.npy", pixels(5, 12, 9))
    monkeypatch.setattr(bench_command, "busy_elsewhere", lambda: lambda: 1.25)
    result = run("bench", "a.npy", "--seconds", 1)
    told = "warning: other programs used 1.2 cores meanwhile: do not trust these figures\n"
    assert (result.exit_code, result.stderr) == (0, told)


def test_figures_have_no_exponents():
    shown = [bench_command._three_digits(value) for value in (0.0312, 0.217, 1, 9.456, 25.36, 264, 26644)]
    assert shown == ["0.031", "0.217", "1.00", "9.46", "25.4", "264", "26,644"]


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: f"{peer.name}, {peer.function}")
def test_every_peer_gives_the_answer_of_its_method(peer):
    reason = peer.absent()
    if reason is not None:
        pytest.skip(f"{peer.name}: {reason}")
    images = np.concatenate([pixels(3, 31, 47), np.full((1, 31, 47), 9, np.uint8)])
    work = peer.prepare(images)
    expected = getattr(cheq, peer.function)(images, method=peer.method, **peer.options)
    np.testing.assert_array_equal(work.as_array(work.run()), expected, strict=True)
    assert not math.isnan(float(peer.version().split(".")[0]))
