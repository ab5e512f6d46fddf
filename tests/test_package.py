"""Is the package what it says: version, configuration, documentation, types, and unbuilt trees?"""

import doctest
import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import cheq

ROOT = Path(__file__).parent.parent
PUBLIC = [
    "apply_lut",
    "binarize",
    "clahe",
    "cumulative_distribution",
    "equalization_lut",
    "equalize",
    "histogram",
    "match_histograms",
    "matching_lut",
    "otsu_threshold",
    "plot",
    "rgb_to_gray",
    "show_config",
]
MODULES = ["recipes"]
WORLDS = ["dask", "torch", "torchvision", "xarray", "albumentations"]  # modules that need a library of that name


def run_python(*arguments, cwd, **options):
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, **options)


def test_the_version_has_one_source():
    source = (ROOT / "cheq" / "_version.py").read_text()
    assert re.search(r'__version__ = "(.+)"', source)[1] == cheq.__version__ == importlib.metadata.version("cheq")


def test_the_public_names():
    named = {name: getattr(cheq, name) for name in dir(cheq) if not name.startswith("_")}
    assert sorted(name for name, value in named.items() if not isinstance(value, ModuleType)) == PUBLIC
    assert sorted(cheq.__all__) == sorted(["__version__", *PUBLIC, *MODULES])


def test_import_needs_numpy_alone(tmp_path):
    extras = ["cv2", "skimage", "PIL", "typer", "rich", "matplotlib", *WORLDS, *(f"cheq.{name}" for name in WORLDS)]
    program = f"import sys; from cheq import *; sys.exit(str([name for name in {extras} if name in sys.modules] or ''))"
    done = run_python("-c", program, cwd=tmp_path)
    assert (done.returncode, done.stderr.strip()) in ((0, ""), (1, "")), done.stderr


def test_show_config_returns_what_it_prints(capsys):
    config = cheq.show_config(mode="dicts")
    assert set(config) == {"version", "compiler", "cpu", "openmp", "kernels", "threads"}
    assert config["kernels"]["chosen"] in config["kernels"]["available"]
    assert "scalar" in config["kernels"]["available"]
    assert config["threads"]["count"] >= 1
    assert cheq.show_config() is None
    printed = capsys.readouterr().out
    said = (config["kernels"]["chosen"], config["threads"]["reason"], config["cpu"]["name"])
    for text in (config["version"], config["compiler"], *said):
        assert text in printed
    assert ("one thread" in printed.split("OpenMP")[1].splitlines()[0]) != config["openmp"]["enabled"]


def test_show_config_refuses_another_mode():
    with pytest.raises(ValueError, match=r"mode.*'stdout' or 'dicts'.*'yaml'"):
        cheq.show_config(mode="yaml")


def test_an_unbuilt_source_tree_says_what_to_do(tmp_path):
    shutil.copytree(ROOT / "cheq", tmp_path / "cheq", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    done = run_python("-c", "import cheq", cwd=tmp_path)
    assert done.returncode == 1
    assert "ImportError" in done.stderr.splitlines()[-1]
    assert "pip install ." in done.stderr


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_examples(name):
    finder = doctest.DocTestFinder(recurse=False)
    for example in finder.find(getattr(cheq, name), name, globs={}):
        assert doctest.DocTestRunner().run(example).failed == 0
