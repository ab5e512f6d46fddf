"""Does `cheq equalize` take the right files, write them to the right places, and never harm or lose one?"""

import errno
import os

import numpy as np
import pytest
from cli_tools import load, pixels, save, tree

from cheq.pictures import files, formats

pytestmark = pytest.mark.cli


# ---------------------------------------------------------------- inputs and outputs


def test_one_file_into_a_file(run, tmp_path, opencv):
    image = save(tmp_path / "a.png", pixels(31, 47))
    before = (tmp_path / "a.png").read_bytes()
    result = run("equalize", "a.png", "-o", "new/folder/b.png")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 file equalized into new/folder/b.png\n"
    np.testing.assert_array_equal(load(tmp_path / "new/folder/b.png"), opencv(image), strict=True)
    assert (tmp_path / "a.png").read_bytes() == before


@pytest.mark.parametrize("output", ["there", "there/", "not_yet/", "not/yet/"])
def test_one_file_into_a_folder(run, tmp_path, output):
    save(tmp_path / "in/a.png", pixels(31, 47))
    (tmp_path / "there").mkdir()
    assert run("equalize", "in/a.png", "-o", output).exit_code == 0
    assert tree(tmp_path / output) == ["a.png"]


def test_several_files_into_a_folder_that_is_made(run, tmp_path, opencv):
    images = {name: save(tmp_path / name, pixels(5, 31, seed=seed)) for seed, name in enumerate(["a.png", "d/b.npy"])}
    result = run("equalize", *images, "-o", "out")
    assert (result.exit_code, result.stdout) == (0, "2 files equalized into out\n")
    assert tree(tmp_path / "out") == ["a.png", "b.npy"]
    np.testing.assert_array_equal(load(tmp_path / "out/b.npy"), opencv(images["d/b.npy"]), strict=True)


def test_a_folder_is_taken_with_all_below_it_in_sorted_order(run, tmp_path, opencv, monkeypatch):
    names = ["z.png", "a.npy", "Upper/deep/x.PNG", "sub/b.png", "sub/a.png", ".hidden/h.png"]
    images = {name: save(tmp_path / "in" / name, pixels(9, 14, seed=seed)) for seed, name in enumerate(names)}
    pages, order = formats.pages, []

    def read(path, **options):
        order.append(path.relative_to("in").as_posix())
        return pages(path, **options)

    monkeypatch.setattr(formats, "pages", read)
    assert run("equalize", "in", "-o", "out", "--threads", 1).exit_code == 0
    assert tree(tmp_path / "out") == sorted(names)
    assert order == ["z.png", ".hidden/h.png", "Upper/deep/x.PNG", "sub/a.png", "sub/b.png"]
    for name in set(names) - {"a.npy"}:
        np.testing.assert_array_equal(load(tmp_path / "out" / name), opencv(images[name]), err_msg=name, strict=True)


def test_what_a_folder_holds_besides_is_passed_over_and_counted(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(9, 14))
    for name in ["in/notes.txt", "in/sub/more.TXT", "in/README", "in/x.heic", "in/out/old.png", "in/out/sub/old.png"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not looked at")
    (tmp_path / "in/link").symlink_to(tmp_path / "in/sub")
    result = run("equalize", "in", "-o", "in/out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "1 file equalized into in/out",
        "passed over: 4 files with unknown extensions (.txt 2, none 1, .heic 1); 1 linked folder; "
        "in/out itself (2 files)",
    ]
    assert tree(tmp_path / "in/out") == ["a.png", "old.png", "sub/old.png"]


def test_output_is_recognized_under_another_name(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(9, 14))
    save(tmp_path / "in/results/b.png", pixels(9, 14))
    (tmp_path / "alias").symlink_to("in/results")
    assert "alias itself (1 file)" in run("equalize", "in", "-o", "alias").stdout
    assert tree(tmp_path / "in/results") == ["a.png", "b.png"]


def test_output_among_the_inputs_is_passed_over(run, tmp_path):
    for name in ["a.png", "b.png"]:
        save(tmp_path / name, pixels(9, 14))
    assert run("equalize", "a.png", "b.png", "-o", "out").exit_code == 0
    result = run("equalize", *sorted(os.listdir(tmp_path)), "-o", "out", "--overwrite")
    assert (result.exit_code, result.stdout.splitlines()[1]) == (0, "passed over: out itself (2 files)")
    assert tree(tmp_path / "out") == ["a.png", "b.png"]


def test_a_folder_can_be_equalized_in_place_but_not_by_accident(run, tmp_path, opencv):
    image = save(tmp_path / "in/a.npy", pixels(9, 14))
    result = run("equalize", "in", "-o", "in")
    assert (result.exit_code, result.stdout) == (1, "0 of 1 file equalized into in, 1 failed\n")
    np.testing.assert_array_equal(load(tmp_path / "in/a.npy"), image)
    assert run("equalize", "in", "-o", "in/", "--overwrite").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "in/a.npy"), opencv(image), strict=True)


def test_links_that_lead_in_circles(run, tmp_path):
    save(tmp_path / "in/a/x.png", pixels(9, 14))
    (tmp_path / "in/a/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to("self")
    (tmp_path / "entry").symlink_to("in")
    result = run("equalize", "entry", "-o", "out")
    assert (result.exit_code, tree(tmp_path / "out")) == (0, ["a/x.png"])
    assert "1 linked folder" in result.stdout


def test_the_second_of_two_inputs_with_one_target_is_an_error(run, tmp_path, opencv):
    first, other = save(tmp_path / "a/x.npy", pixels(9, 14)), save(tmp_path / "b/x.npy", pixels(9, 14, seed=1))
    result = run("equalize", "a/x.npy", "b", "-o", "out", "--overwrite")
    assert result.exit_code == 1
    assert result.stderr == "error: b/x.npy: its result would take the place of that of a/x.npy: out/x.npy\n"
    np.testing.assert_array_equal(load(tmp_path / "out/x.npy"), opencv(first), strict=True)
    assert not np.array_equal(opencv(first), opencv(other))


# ---------------------------------------------------------------- what makes no sense


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'INPUT'"),
        (["a.png"], "an OUTPUT is needed, or a --suffix for results beside their sources"),
        (["a.png", "--suffix", "x/y"], "--suffix 'x/y' has a slash in it"),
        (["nowhere.png", "-o", "out/"], "INPUT 'nowhere.png' does not exist"),
        (["a.png", "nowhere", "-o", "out"], "INPUT 'nowhere' does not exist"),
        (["", "-o", "out"], "an INPUT is empty"),
        (["pipe.png", "-o", "out/"], "INPUT 'pipe.png' is neither a file nor a folder"),
        (["a.png", "-o", ""], "OUTPUT is empty"),
        (["a.png", "-o", "out"], "OUTPUT 'out' has no extension; for a folder write 'out/'"),
        (["a.png", "-o", "out.xyz"], "OUTPUT 'out.xyz' has an unknown extension; known are .avif .bmp"),
        (["a.png", "-o", "out.npy"], "a .png file is not written as .npy"),
        (["b.npy", "-o", "out.png"], "a .npy file is not written as .png"),
        (["a.png", "b.npy", "-o", "old.png"], "OUTPUT for several inputs must be a folder, and 'old.png' is a file"),
        (["folder", "-o", "old.png"], "OUTPUT for a folder must be a folder"),
        (["a.png", "-o", "old.png/"], "must be a folder, and 'old.png/' is a file"),
        (["b.npy", "-o", "c.npy", "--channel-axis", "last"], "Invalid value for '--channel-axis'"),
    ],
)
def test_usage_errors(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setenv("COLUMNS", "200")
    for name in ["a.png", "b.npy", "old.png", "folder/a.png"]:
        save(tmp_path / name, pixels(9, 14))
    os.mkfifo(tmp_path / "pipe.png")
    before = tree(tmp_path)
    result = run("equalize", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert tree(tmp_path) == before


def test_named_files_that_are_not_known_are_errors(run, tmp_path):
    (tmp_path / "a.xyz").write_text("x")
    (tmp_path / "b").write_text("x")
    result = run("equalize", "a.xyz", "b", "-o", "out")
    assert result.exit_code == 1
    known = ".avif .bmp .gif .j2k .jp2 .jpeg .jpg .npy .npz .pgm .png .pnm .ppm .tif .tiff .webp"
    assert result.stderr.splitlines() == [
        f"error: a.xyz: unknown extension .xyz; known are {known}",
        f"error: b: no extension; known are {known}",
    ]
    assert run("equalize", "a.xyz", "-o", "a.png").exit_code == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_with_nothing_to_do_is_an_error(run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/notes.txt").write_text("x")
    result = run("equalize", "in", "-o", "out")
    assert (result.exit_code, result.stderr) == (1, "error: no file to equalize was found\n")
    assert result.stdout == "passed over: 1 file with unknown extensions (.txt 1)\n"


# ---------------------------------------------------------------- existing targets, whole files


def test_an_existing_target_is_kept_unless_overwrite(run, tmp_path, opencv):
    images = [save(tmp_path / f"in/{name}.npy", pixels(9, 14, seed=seed)) for seed, name in enumerate("ab")]
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.npy").write_text("mine")
    (tmp_path / "out/a.npy").chmod(0o640)
    result = run("equalize", "in", "-o", "out")
    assert result.exit_code == 1
    assert result.stderr == "error: in/a.npy: out/a.npy exists already (replace it with --overwrite)\n"
    assert result.stdout == "1 of 2 files equalized into out, 1 failed\n"
    assert (tmp_path / "out/a.npy").read_text() == "mine"
    assert run("equalize", "in", "-o", "out", "--overwrite").exit_code == 0
    for name, one in zip("ab", images, strict=True):
        np.testing.assert_array_equal(load(tmp_path / f"out/{name}.npy"), opencv(one), strict=True)
    assert (tmp_path / "out/a.npy").stat().st_mode & 0o777 == 0o640
    assert tree(tmp_path / "out") == ["a.npy", "b.npy"]


def test_an_existing_target_is_noticed_before_the_work(run, tmp_path, monkeypatch):
    save(tmp_path / "a.png", pixels(9, 14))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.png").symlink_to("nowhere")
    monkeypatch.setattr(formats, "pages", lambda path: pytest.fail("was read"))
    result = run("equalize", "a.png", "-o", "out")
    assert result.exit_code == 1
    assert result.stderr == "error: a.png: out/a.png exists already (replace it with --overwrite)\n"
    assert (tmp_path / "out/a.png").is_symlink()


def test_new_files_have_the_usual_permissions(run, tmp_path):
    save(tmp_path / "a.npy", pixels(9, 14))
    old = os.umask(0o027)
    try:
        assert run("equalize", "a.npy", "-o", "b.npy").exit_code == 0
    finally:
        os.umask(old)
    assert (tmp_path / "b.npy").stat().st_mode & 0o777 == 0o640


def test_overwriting_a_link_leaves_what_it_points_to(run, tmp_path):
    image = save(tmp_path / "a.npy", pixels(9, 14))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.npy").symlink_to("../a.npy")
    assert run("equalize", "a.npy", "-o", "out").exit_code == 1
    assert run("equalize", "a.npy", "-o", "out", "--overwrite").exit_code == 0
    assert not (tmp_path / "out/a.npy").is_symlink()
    np.testing.assert_array_equal(load(tmp_path / "a.npy"), image)


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_target_that_appears_during_the_work_is_kept(tmp_path, monkeypatch, hard_links):
    if not hard_links:
        monkeypatch.setattr(os, "link", _no_hard_links)
    target = tmp_path / "a.png"

    def write():
        with files.whole_file(target, overwrite=False) as file:
            file.write(b"late")
            target.write_text("first")

    with pytest.raises(FileExistsError, match="exists already"):
        write()
    assert (target.read_text(), tree(tmp_path)) == ("first", ["a.png"])


def test_file_systems_without_hard_links(run, tmp_path, monkeypatch, opencv):
    monkeypatch.setattr(os, "link", _no_hard_links)
    image = save(tmp_path / "a.npy", pixels(9, 14))
    assert run("equalize", "a.npy", "-o", "out/").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out/a.npy"), opencv(image), strict=True)
    assert tree(tmp_path / "out") == ["a.npy"]


def test_a_target_without_a_possible_name(run, tmp_path):
    save(tmp_path / "a.npy", pixels(9, 14))
    name = "x" * 300 + ".npy"
    result = run("equalize", "a.npy", "-o", name)
    assert (result.exit_code, result.stderr) == (1, f"error: a.npy: File name too long: {name}\n")
    assert tree(tmp_path) == ["a.npy"]


def test_without_hard_links_a_reserved_name_is_given_back(run, tmp_path, monkeypatch):
    def replace(temporary, target):
        assert os.path.exists(target)
        raise OSError(errno.EIO, "Input/output error", temporary, None, target)

    save(tmp_path / "a.npy", pixels(9, 14))
    monkeypatch.setattr(os, "link", _no_hard_links)
    monkeypatch.setattr(os, "replace", replace)
    result = run("equalize", "a.npy", "-o", "b.npy")
    assert (result.exit_code, result.stderr) == (1, "error: a.npy: Input/output error: b.npy\n")
    assert tree(tmp_path) == ["a.npy"]


def _no_hard_links(*_):
    raise PermissionError(errno.EPERM, "Operation not permitted")
