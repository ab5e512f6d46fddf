"""Does `cheq parity` pass where all is equal, and fail where anything is not? Planted faults must be seen."""

import doctest
import json
import subprocess
import sys

import cli_tools
import cv2
import numpy as np
import pytest
from cli_tools import tree
from marks import exhaustive
from parity_tools import KERNELS, PIXELS, REQUIRED, compared, one_byte, only_a_few, plant, several_threads

import cheq
import cheq.parity
from cheq._core import dispatch
from cheq.parity import answers, checking, machine, questions, references, suite

OPTIONAL = ("albumentations", "torchvision", "kornia")


@pytest.fixture
def few(monkeypatch, tmp_path):
    """A suite of a few inputs, in tmp_path."""
    return only_a_few(monkeypatch, tmp_path)


# ---------------------------------------------------------------- all is equal


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A quick check as users run it: its JSON."""
    folder = tmp_path_factory.mktemp("quick")
    command = [sys.executable, "-m", "cheq.parity", "--quick", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["passed"]) == (0, "", True), found["mismatches"]
    assert tree(folder) == []
    return found


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.exhaustive  # a whole check takes seconds
def test_an_optional_reference_passes_or_is_absent(quick, name):
    rows = [row for row in quick["rows"] if row["reference"] == name]
    absent = [text for text in quick["not_checked"] if text.startswith(f"{name}: ")]
    assert bool(rows) == (name in quick["versions"]) != bool(absent)
    if absent:
        pytest.skip(absent[0])
    assert len(rows) >= 2


@pytest.mark.exhaustive  # a whole check takes seconds
def test_a_quick_check_compares_everything(quick):
    found = quick
    assert {row["reference"] for row in found["rows"]} == set(found["versions"]) - {"cheq", "Python"}
    assert {*REQUIRED, "cheq", "Python"} <= set(found["versions"])
    assert found["versions"]["cheq"] == cheq.__version__
    assert found["versions"]["NumPy"] == np.__version__
    assert {row["compared"] for row in found["rows"]} == {question.row for question in questions.QUESTIONS.values()}
    for row in found["rows"]:
        assert row["cases"] >= 15, row
        assert row["pixels"] >= 1000, row
        assert (row["mismatches"], row["worst"]) == (0, 0), row
    assert found["kernels"] == KERNELS
    assert found["threads"][0] == 1
    assert any("of the suite's" in text for text in found["not_checked"])
    assert any("uint16" in text and "opencv" in text for text in found["not_checked"])


def test_a_check_from_python(few):
    calls = []
    result = cheq.parity.check(progress=lambda done, total: calls.append((done, total)))
    assert result.passed
    assert calls == [(number, len(calls)) for number in range(1, len(calls) + 1)]
    assert result.inputs == {"suite": len(calls), "given": 0}
    assert {row.reference for row in result.rows} == set(REQUIRED)
    text = repr(result)
    for part in ("cv2 ", "equal in every bit", "not checked", *KERNELS, result.cpu, *compared(result)):
        assert part in text
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["rows"][0]["reference"] == "cv2"
    assert cheq.parity.check(quick=True).inputs["suite"] <= len(calls)


def test_the_report_on_the_command_line(few):
    done = cli_tools.run("parity")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "NOT EQUAL" not in done.stdout
    for text in ("cv2 ", "Pillow ", '  equalize, "opencv" ', "not checked:", "equal in every bit: "):
        assert text in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if line.startswith("  ")) <= 80


@pytest.mark.parametrize("absent", ["not installed", "does not load: ImportError: no"])
def test_a_required_reference_that_is_absent_fails_the_check(few, monkeypatch, absent):
    found = [references.Reference("cv2", absent=absent), *references.find(("NumPy",))]
    monkeypatch.setattr(checking, "find", lambda: found)
    assert cheq.parity.check().passed
    assert cheq.parity.check(require="NumPy").passed
    result = cheq.parity.check(require=("NumPy", "cv2", "kornia"))
    assert not result.passed
    assert result.errors == ["cv2: required, and not compared with", "kornia: required, and not compared with"]
    assert result.verdict().endswith("but not everything was compared")
    assert f"cv2: {absent}" in result.not_checked
    done = cli_tools.run("parity")
    assert (done.exit_code, done.stderr) == (1, "error: cv2: required, and not compared with\n")
    done = cli_tools.run("parity", "--require", "NumPy", "--require", "Pillow")
    assert (done.exit_code, done.stderr) == (1, "error: Pillow: required, and not compared with\n")
    for enough in ("NumPy", "none"):
        done = cli_tools.run("parity", "--require", enough)
        assert (done.exit_code, done.stderr) == (0, "")


def test_a_required_reference_that_is_unknown(few):
    with pytest.raises(ValueError, match=r"require: expected one of 'cv2', 'Pillow', .*; got 'skimage'"):
        cheq.parity.check(require=("cv2", "skimage"))
    done = cli_tools.run("parity", "--require", "skimage")
    assert done.exit_code == 2
    assert "--require takes cv2, Pillow," in " ".join(done.stderr.split())


def test_the_suite_is_the_same_every_time():
    first, second = suite.cases(), suite.cases()
    names = [case.name for case in first]
    assert names == [case.name for case in second]
    assert len(set(names)) == len(names)
    for one, other in list(zip(first, second, strict=True))[::97]:
        images, again = one.make(), other.make()
        np.testing.assert_array_equal(images.images, again.images, strict=True)
        if images.mask is not None:
            np.testing.assert_array_equal(images.mask, again.mask, strict=True)


def test_every_layout_has_the_same_values_and_another_memory():
    from cheq.parity.inputs import LAYOUTS

    for array in (PIXELS.reshape(31, 67, 1).repeat(3, -1), PIXELS.astype(np.float64), PIXELS > 99):
        for name, make in LAYOUTS.items():
            view = make(array)
            np.testing.assert_array_equal(view, array)
            assert not np.shares_memory(view, array), name
    assert not LAYOUTS["unaligned"](PIXELS.astype(np.uint16)).flags.aligned
    assert not LAYOUTS["read-only"](PIXELS).flags.writeable
    assert LAYOUTS["reversed"](PIXELS).strides == (-67, -1)


# ---------------------------------------------------------------- planted faults


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_wrong_kernel_is_found_saved_and_run_again(few, monkeypatch, kernel):
    with monkeypatch.context() as planted:
        plant(planted, "equalize", one_byte, lambda options: dispatch.kernel() == kernel and not options.get("out"))
        done = cli_tools.run("parity", "--json", "--save", "seen")
        found = json.loads(done.stdout)
        assert (done.exit_code, found["passed"]) == (1, False)
        assert {tuple(one["kernels"]) for one in found["mismatches"]} == {(kernel,)}
        rows = [row for row in found["rows"] if row["mismatches"]]
        assert {row["compared"] for row in rows} == {
            *(f'equalize, "{method}"' for method in ("opencv", "pillow", "skimage", "numpy")),
            *(f'equalize, color="{color}"' for color in ("ycrcb", "yuv", "lab")),
        }
        paths = [one["path"] for one in found["mismatches"]]
        assert sorted(paths) == sorted(f"seen/{name}" for name in tree(few / "seen"))
        for one in found["mismatches"]:
            assert one["command"] == f"cheq parity --rerun {one['path']}"
            assert np.load(one["path"])["images"].size <= 3, "it was to be made small"
            again = cli_tools.run(*one["command"].split()[1:])
            assert again.exit_code == 1
            assert again.stdout.startswith("NOT EQUAL: ")
            assert f"{kernel} kernel, beside {one['reference']} {one['version']}: 1 of " in again.stdout
    for path in paths:
        again = cli_tools.run("parity", "--rerun", path)
        assert (again.exit_code, again.stderr) == (0, "")
        assert again.stdout.startswith("equal: ")
        assert json.loads(cli_tools.run("parity", "--rerun", path, "--json").stdout)["equal"] is True


def with_one(index, value):
    """Change one number of a result, or of the first or second one of two."""

    def change(result):
        arrays = result if isinstance(result, tuple) else (result,)
        arrays = [np.array(array) for array in arrays]
        flat = arrays[index].reshape(-1)
        flat[len(flat) // 2] = value(flat[len(flat) // 2])
        return tuple(arrays) if isinstance(result, tuple) else arrays[0]

    return change


def next_float(value):
    return np.nextafter(value, value.dtype.type(2))


FAULTS = {
    "histogram": ("histogram", with_one(0, lambda count: count + 1), {"histogram"}, "LUT"),
    "a LUT's entry": ("equalization_lut", lambda lut: lut + 1, set(), "LUT"),
    "apply_lut": ("apply_lut", with_one(0, lambda level: level + 1), {"apply_lut"}, "LUT"),
    "a threshold": ("otsu_threshold", lambda result: result + 1, {"otsu_threshold"}, None),
    "binarize": ("binarize", with_one(0, lambda level: level ^ 1), {"binarize"}, None),
    "gray": ("rgb_to_gray", lambda gray: gray + 1,
             {f'rgb_to_gray, "{name}"' for name in ("opencv", "pillow", "skimage")}, None),
    "CLAHE": ("clahe", one_byte, {*(f'clahe, "{method}"' for method in ("opencv", "skimage")),
                                  *(f'clahe, color="{color}"' for color in ("ycrcb", "yuv", "lab"))}, None),
    "matching": ("match_histograms", one_byte,
                 {name for name in (question.row for question in questions.QUESTIONS.values()) if "match_hist" in name},
                 None),
    "a matching LUT's entry": ("matching_lut", lambda lut: lut + 1, {"histogram, LUT, apply, matched"}, None),
    "the last bit of a CDF": ("cumulative_distribution", lambda found: (np.nextafter(found[0], 2), found[1]),
                              {"cumulative_distribution"}, None),
    "the last bit of bin centers": ("cumulative_distribution", with_one(1, lambda value: value + value / (1 << 22)),
                                    {"cumulative_distribution"}, None),
    "the last bit of a recipe": ("recipes.image_histogram_equalization", with_one(0, next_float),
                                 {"recipes.image_histogram_equalization"}, None),
    "the last bit of a recipe's CDF": ("recipes.image_histogram_equalization", with_one(1, next_float),
                                       {"recipes.image_histogram_equalization"}, None),
    "the last bit of scikit-image's recipe": ("recipes.histogram_equalize", with_one(0, next_float),
                                              {"recipes.histogram_equalize"}, None),
}  # fmt: skip


SOME = list(FAULTS)[::8]


@pytest.mark.parametrize("fault", [*SOME, *exhaustive(*(fault for fault in FAULTS if fault not in SOME))])
def test_a_fault_in_any_function_is_found(few, monkeypatch, fault):
    name, change, wrong, others = FAULTS[fault]
    plant(monkeypatch, name, change)
    result = cheq.parity.check()
    assert not result.passed
    found = compared(result)
    assert {row for row in found if others is None or others not in row} == wrong
    assert others is None or any(others in row for row in found)
    assert not result.errors


@pytest.mark.parametrize("method", ["skimage", "numpy"])
def test_one_bit_of_a_float_is_found(few, monkeypatch, method):
    plant(monkeypatch, "equalize", with_one(0, next_float), lambda options: options.get("method") == method)
    result = cheq.parity.check()
    assert compared(result) == {f'equalize, "{method}"'}
    assert all(one.worst < 1e-6 for one in result.mismatches if "nan" not in one.difference)


@pytest.mark.parametrize("color", ["lab", "channels", *exhaustive("ycrcb", "yuv")])
def test_one_level_of_tiles_is_found_and_made_small(few, monkeypatch, color):
    plant(monkeypatch, "clahe", one_byte, lambda options: options.get("color", "channels") == color)
    result = cheq.parity.check()
    rows = {'clahe, "opencv"', 'clahe, "skimage"'} if color == "channels" else {f'clahe, color="{color}"'}
    assert compared(result) == rows
    for one in result.mismatches:
        assert np.load(one.path)["images"].size <= 3
        assert not cheq.parity.rerun(one.path).equal


@pytest.mark.parametrize(("value", "worst"), [(np.nan, np.inf), (np.inf, np.inf), (7.0, 7.0)])
def test_the_worst_difference(few, monkeypatch, value, worst):
    zero = np.zeros((1, 3))
    monkeypatch.setattr(suite, "cases", list)
    plant(monkeypatch, "equalize", lambda result: result * 0 + value, lambda options: options["method"] == "skimage")
    answers = {"skimage": lambda plane, mask, images: zero}
    monkeypatch.setattr(checking, "find", lambda: [references.Reference("one", "1", answers=answers)])
    result = cheq.parity.check([zero])
    assert [row.worst for row in result.rows if row.mismatches] == [worst]
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["passed"] is False


def test_minus_zero_is_not_zero(few, monkeypatch):
    monkeypatch.setattr(suite, "cases", list)
    plant(monkeypatch, "equalize", lambda result: -(result * 0), lambda options: options.get("method") == "skimage")
    answers = {"skimage": lambda plane, mask, images: np.zeros(plane.shape)}
    monkeypatch.setattr(checking, "find", lambda: [references.Reference("one", "1", answers=answers)])
    assert compared(cheq.parity.check([np.ones((2, 3))])) == {'equalize, "skimage"'}


@pytest.mark.parametrize("change", [
    lambda result: result[..., :-1],
    lambda result: 1 / 0,
    *exhaustive(
        lambda result: result.astype(np.uint16),
        lambda result: result.astype(np.float32),
        lambda result: result.ravel(),
    ),
], ids=["shape", "an error", "dtype", "floats", "dimensions"])  # fmt: skip
def test_another_shape_or_dtype_or_an_error_is_found(few, monkeypatch, change):
    plant(monkeypatch, "equalize", change, lambda options: not {"color", "method"} & set(options))
    result = cheq.parity.check()
    assert compared(result) == {'equalize, "opencv"'}
    assert {row.worst for row in result.rows if row.mismatches} == {np.inf}
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["mismatches"][0]["worst"] == "infinite"
    assert not cheq.parity.rerun(result.mismatches[0].path).equal


def test_a_fault_of_several_threads_alone_is_found(few, monkeypatch):
    monkeypatch.setattr(machine, "threads", several_threads)
    plant(monkeypatch, "equalize", one_byte, lambda options: options["num_threads"] > 1)
    result = cheq.parity.check()
    if result.threads == (1,):
        pytest.skip("built for one thread")
    assert 'equalize, "opencv"' in compared(result)
    assert {one.threads for one in result.mismatches} == {result.threads[1]}


def test_a_fault_of_some_planes_is_found_and_made_small(few, monkeypatch):
    def wrong(images, **options):
        result = right(images, **options)
        if "method" not in options and "color" not in options and images.ndim == 3:
            result[3, 20, 5] ^= 255 if result.dtype == np.uint8 else 0
        return result

    right = cheq.equalize
    monkeypatch.setattr(cheq, "equalize", wrong)
    result = cheq.parity.check()
    assert compared(result) == {'equalize, "opencv"'}
    # A single plane does not show this fault, so that the whole batch is kept.
    assert np.load(result.mismatches[0].path)["images"].shape == (5, 28, 28)
    assert not cheq.parity.rerun(result.mismatches[0].path).equal


def test_a_handful_of_mismatches_is_saved_and_none_is_overwritten(few, monkeypatch):
    for name in ("equalize", "histogram", "apply_lut", "binarize"):
        plant(monkeypatch, name, lambda result: result + 1)
    result = cheq.parity.check()
    assert sum(row.mismatches for row in result.rows) > 100
    first = {name: (few / name).read_bytes() for name in tree(few)}
    assert len(first) == len(result.mismatches) == 10
    assert f"NOT EQUAL: {sum(row.mismatches for row in result.rows):,} of " in repr(result)
    cheq.parity.check()
    assert len(tree(few)) == 20
    assert all((few / name).read_bytes() == content for name, content in first.items())


def test_a_folder_that_cannot_be_written(few, monkeypatch):
    (few / "file").write_text("")
    plant(monkeypatch, "binarize", one_byte)
    done = cli_tools.run("parity", "--save", "file")
    assert done.exit_code == 1
    assert "NOT EQUAL" in done.stdout
    assert "error: a mismatch cannot be saved in file: " in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- what stays as it was


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_kernel_in_use_is_that_of_before(few, kernel, error):
    def progress(done, total):
        if error is not None and done == 3:
            raise error

    before = dispatch.kernel()
    dispatch.use_kernel(kernel)
    try:
        if error is None:
            cheq.parity.check(progress=progress)
        else:
            with pytest.raises(error):
                cheq.parity.check(progress=progress)
        assert dispatch.kernel() == kernel
    finally:
        dispatch.use_kernel(before)


def test_an_interrupt_inside_a_call_leaves_the_kernel(few, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    before = dispatch.kernel()
    monkeypatch.setattr(cheq, "histogram", interrupted)
    done = cli_tools.run("parity")
    assert (done.exit_code, done.stdout) == (130, "")
    assert done.stderr == "interrupted: the comparison is not complete\n"
    assert dispatch.kernel() == before


def test_imports(tmp_path):
    heavy = ["cv2", "skimage", "PIL", "typer", "rich", "torch", "albumentations", "kornia", "dask", "xarray"]
    for program, name in (("import cheq", "cheq.parity"), ("import cheq.parity", "cheq.cli")):
        check = f"import sys; {program}; sys.exit(str([one for one in {[*heavy, name]} if one in sys.modules] or ''))"
        done = subprocess.run([sys.executable, "-c", check], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr.strip() == "", program


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cheq.parity", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Usage: cheq parity [OPTIONS]" in done.stdout
    for option in ("--quick", "--require", "--json", "--save", "--rerun", "--channel-axis"):
        assert option in done.stdout


def test_the_module_without_the_extra(tmp_path):
    program = "import sys, runpy; sys.modules['typer'] = None; runpy.run_module('cheq.parity', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "cheq: the command line needs typer, which is not installed; to get it: pip install 'cheq[cli]'\n"
    )


@pytest.mark.parametrize("name", ["check", "rerun"])
def test_docstring_examples(few, name):
    for example in doctest.DocTestFinder(recurse=False).find(getattr(cheq.parity, name), name, globs={}):
        assert doctest.DocTestRunner().run(example).attempted >= 3
        assert doctest.DocTestRunner().run(example).failed == 0


def test_a_cv2_that_fuses_products_and_sums_is_no_reference_for_clahe(monkeypatch):
    own = cv2.createCLAHE

    class Fused:
        def __init__(self, *arguments):
            self._own = own(*arguments)

        def apply(self, plane):
            result = self._own.apply(plane)
            result[-1, -1] ^= plane.shape == (97, 101)  # a near-tie
            return result

    of_clahe = {'clahe, "opencv"', *(f'clahe, color="{color}"' for color in ("ycrcb", "yuv", "lab"))}
    assert of_clahe <= set(answers.cv2_answers())
    monkeypatch.setattr(cv2, "createCLAHE", Fused)
    assert not of_clahe & set(answers.cv2_answers())


def test_a_cv2_that_fuses_products_and_sums_is_no_reference_for_otsu(monkeypatch):
    own = cv2.threshold

    def fused(plane, *rest):
        level, binary = own(plane, *rest)
        return (43.0 if plane.tolist() == [[81, 99, 43, 30, 152]] else level), binary

    assert {"otsu_threshold", "binarize"} <= set(answers.cv2_answers())
    monkeypatch.setattr(cv2, "threshold", fused)
    assert not {"otsu_threshold", "binarize"} & set(answers.cv2_answers())
