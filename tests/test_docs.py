"""Does every block of code in the documentation do what its page says, and does the site build without a warning?"""

import importlib.util
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import cli_tools
import numpy as np
import pytest
from typer.main import get_command

import cheq
from cheq.cli.app import app

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))

# Libraries that the tests do not need: code that imports one runs where it is installed.
OPTIONAL = ("torch", "torchvision", "kornia", "albumentations")
# Commands that take long, or fetch their input from elsewhere: their arguments are read, and that is all.
READ_ALONE = ("demo", "bench", "parity")
# Commands that this build may not have.
NOT_YET = ()


class Block(NamedTuple):
    """A block of code, the line of the page where it begins (or its ``include`` does), and in which section that is."""

    language: str
    line: int
    section: int
    code: str


def blocks_of(page):
    """The blocks of a page in order, those of included text too."""
    blocks, text = [], page.read_text()
    for found in re.finditer(r"^```(\S+)([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        language, argument, body = found.groups()
        above = text[: found.start()]
        line, section = above.count("\n") + 1, above.count("\n## ")
        if language == "{include}":
            taken = included(page.parent / argument.strip(), body)
            inner = re.findall(r"^```(\w+)\n(.*?)^```$", taken, re.DOTALL | re.MULTILINE)
            blocks += [Block(language, line, section, code) for language, code in inner]
        else:
            blocks.append(Block(language, line, section, body))
    return blocks


def included(file, options):
    """What ``{include}`` takes from a file; a mark that the file does not have is an error, as for Sphinx."""
    text = file.read_text()
    marks = dict(re.findall(r'^:(start-after|end-before): "?(.*?)"?$', options, re.MULTILINE))
    for mark in marks.values():
        assert mark in text, f"{file.name} has no text {mark!r}, which pages in docs/ take a part of it by"
    after = text.partition(marks["start-after"])[2] if "start-after" in marks else text
    return after.partition(marks["end-before"])[0] if "end-before" in marks else after


def python_blocks(page):
    return [block for block in blocks_of(page) if block.language == "python"]


def sections_of(page):
    """The sections of a page: the optional libraries that each imports, and its blocks."""
    sections = {}
    for block in python_blocks(page):
        sections.setdefault(block.section, []).append(block)
    for blocks in sections.values():
        imported = re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(block.code for block in blocks), re.MULTILINE)
        yield [name for name in OPTIONAL if name in imported], blocks


def plain_blocks(page):
    """The blocks of all sections that need no optional library."""
    return [block for names, blocks in sections_of(page) if not names for block in blocks]


PLAIN = [page for page in PAGES if plain_blocks(page)]
NEEDING = [
    pytest.param(page, names, blocks, id=f"{page.stem} with {', '.join(names)}")
    for page in PAGES
    for names, blocks in sections_of(page)
    if names
]
COMMANDS = [
    pytest.param(line, id=f"{page.stem}: {line}")
    for page in PAGES
    for block in blocks_of(page)
    if block.language == "sh"
    for line in (re.sub(r"(^|\s+)#.*", "", text) for text in block.code.splitlines())
    if line.startswith("cheq ")
]


# ---------------------------------------------------------------- code


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in plain_blocks(page):
        exec(compile("\n" * block.line + block.code, str(page), "exec"), names)


@pytest.mark.parametrize(("page", "needed", "blocks"), NEEDING)
def test_the_code_with_another_library_runs(page, needed, blocks, tmp_path):
    """In a process of its own, behind the page's first section, which makes the images."""
    first = next(sections_of(page))[1]
    environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}  # it asks the network for its newest version
    for name in needed:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
        loads = run_python("-c", f"import {name}", cwd=tmp_path, env=environment)
        if loads.returncode:
            pytest.skip(f"{name} does not load: {loads.stderr.splitlines()[-1]}")
    script = tmp_path / "page.py"
    script.write_text("\n".join(block.code for block in [*first, *blocks]))
    done = run_python(script, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr


def run_python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options
    )


def test_blocks_are_found():
    """An empty list above would pass everything."""
    assert {"index", "batches", "methods", "masks", "large", "threads", "preparing", "migration", "gallery"} <= {
        page.stem for page in PLAIN
    }
    assert {name for parameter in NEEDING for name in parameter.values[1]} == set(OPTIONAL)
    assert any("cheq equalize" in parameter.id for parameter in COMMANDS)
    faces = "(1800, 1, 96, 96)"
    assert any(faces in block.code for block in python_blocks(DOCS / "index.md")), "README.md is not included"


def test_every_page_is_listed():
    listed = re.findall(r"^([a-z_]+)$", (DOCS / "index.md").read_text(), re.MULTILINE)
    assert sorted([*listed, "index"]) == [page.stem for page in PAGES]


# ---------------------------------------------------------------- commands


def users_files():
    """The files that the documentation's commands speak of, in the current folder."""
    for name in ("photo.png", "photos/a.jpg", "photos/trip/b.png", "scans/1.tif", "scans/2.tif", "slices/1.tif"):
        cli_tools.save(Path(name), cli_tools.pixels(24, 32, 3))
    cli_tools.save(Path("body.png"), cli_tools.pixels(24, 32) > 90)
    cli_tools.save(Path("batch.npy"), cli_tools.pixels(5, 24, 32, 3))


def arguments_of(line):
    """The words of a command behind ``cheq``, patterns replaced by the files that they fit, as a shell does it."""
    for typed, word in zip(shlex.split(line, posix=False)[1:], shlex.split(line)[1:], strict=True):
        yield from sorted(map(str, Path().glob(word))) if "*" in typed and typed == word else [word]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_of_the_pages_run(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    users_files()
    name, *arguments = arguments_of(line)
    commands = vars(get_command(app))["commands"]
    if name in NOT_YET and name not in commands:
        pytest.skip(f"cheq {name} is not in this build")
    if name in READ_ALONE:
        commands[name].make_context(name, arguments)
        return
    done = cli_tools.run(name, *arguments)
    assert done.exit_code == 0, done.stderr


# ---------------------------------------------------------------- figures


@pytest.fixture(scope="module")
def gallery():
    """The module that draws the figures."""
    sys.path.insert(0, str(DOCS))
    try:
        yield import_module("gallery")
    finally:
        sys.path.remove(str(DOCS))


def test_the_gallery_makes_every_figure_that_pages_show(gallery, tmp_path):
    made = gallery.make(tmp_path / "figures")
    assert [path.parent for path in made] == [tmp_path / "figures"] * len(made)
    shown = {name for page in PAGES for name in re.findall(r"\{image\} _gallery/(\S+)", page.read_text())}
    assert {path.name for path in made} == shown
    for path in made:
        pixels = cli_tools.load(path)
        assert min(pixels.shape[:2]) > 300
        assert np.ptp(pixels[..., :3]) > 200


def test_the_pictures_are_what_their_captions_say(gallery):
    assert np.median(gallery.dark()) < 64
    assert gallery.bright().min() >= 63
    assert gallery.faces().shape == (16, 25, 25)
    word = gallery.radiograph()
    assert word.dtype == np.uint16
    assert 2048 <= word.max() <= 4095


# ---------------------------------------------------------------- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    for name in ("sphinx", "furo", "myst_parser", "numpydoc"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("_gallery"))  # figures are made beside pages
    (folder / "benchmarks").mkdir()
    for name in ("README.md", "CHANGELOG.md", "benchmarks/README.md"):
        shutil.copy(ROOT / name, folder / name)
    done = run_python("-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", "html", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def test_the_reference_has_every_public_name(site):
    reference = (site / "api.html").read_text()
    for module in (cheq, cheq.recipes):
        for name in set(module.__all__) - {"__version__"}:
            prefix = "module-" if inspect.ismodule(getattr(module, name)) else ""
            assert f'id="{prefix}{module.__name__}.{name}"' in reference


def test_the_site_lists_every_command(site):
    page = (site / "commands.html").read_text()
    for name, command in vars(get_command(app))["commands"].items():
        assert f'id="cheq-{name}"' in page
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("--"))


def test_the_site_fetches_nothing(site):
    """No script, style, font or picture from elsewhere; links that a reader may follow are not fetched."""
    for page in site.rglob("*.html"):
        fetched = re.findall(r'<(?:script|img|link|iframe)[^>]+(?:src|href)="([^"]+)"', page.read_text())
        assert [address for address in fetched if re.match(r"(https?:)?//", address)] == []
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style.read_text())
