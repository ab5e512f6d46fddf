"""Does every block of code in the documentation do what its page says, and does the site build without a warning?"""

import ast
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
import tifffile
from typer.main import get_command
from typer.testing import CliRunner

import cheq
from cheq.cli.app import app

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = ROOT / "README.md"
READ = [README, *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY")), *PAGES]

# Libraries that the tests do not need: code that imports one, or cheq's module for it, runs where it is installed.
OPTIONAL = (
    *("torch", "torchvision", "kornia", "albumentations", "dask", "distributed", "zarr", "xarray", "h5py", "pyarrow"),
    *("datasets", "torchio", "monai"),
)
# Some ask the network for their newest version, or for data.
OFFLINE = {"NO_ALBUMENTATIONS_UPDATE": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
# Commands that take long, or fetch their input from elsewhere: their arguments are read, and that is all.
READ_ALONE = ("demo", "bench", "parity")


class Block(NamedTuple):
    """A block of code, the line of the page where it begins, and the optional libraries that it needs."""

    language: str
    line: int
    section: int
    code: str
    needs: tuple[str, ...]


def blocks_of(page):
    """The blocks of a page in order.

    Those behind an import of an optional library need it too: within a section, or, where it stands above the first
    one, to the end of the page.
    """
    text, section, page_needs, needs = page.read_text(), None, (), ()
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        language, code = found.groups()
        above = text[: found.start()]
        if section != above.count("\n## "):
            page_needs = needs if section == 0 else page_needs
            section, needs = above.count("\n## "), page_needs
        pattern = r"^\s*(?:import|from) (?:cheq\.)?(\w+)"
        imported = re.findall(pattern, code, re.MULTILINE) if language == "python" else ()
        needs += tuple(name for name in OPTIONAL if name in imported and name not in needs)
        yield Block(language, above.count("\n") + 1, section, code, needs)


def python_blocks(page):
    return [block for block in blocks_of(page) if block.language == "python"]


def plain_blocks(page):
    """The blocks that need no optional library."""
    return [block for block in python_blocks(page) if not block.needs]


def needing(page):
    """For each set of optional libraries that a section needs: their names, and the blocks that they are enough for."""
    blocks = python_blocks(page)
    last = {block.section: block for block in blocks if block.needs}  # of each section, which needs the most
    for names in dict.fromkeys(tuple(sorted(block.needs)) for block in last.values()):
        end = max(block.line for block in last.values() if set(block.needs) == set(names))
        yield names, [block for block in blocks if block.line <= end and set(block.needs) <= set(names)]


PLAIN = [page for page in READ if plain_blocks(page)]
NEEDING = [
    pytest.param(names, blocks, id=f"{page.stem} with {', '.join(names)}")
    for page in READ
    for names, blocks in needing(page)
]
COMMANDS = [
    pytest.param(line, id=f"{page.stem}: {line}")
    for page in READ
    for block in blocks_of(page)
    if block.language == "sh"
    for line in (re.sub(r"(^|\s+)#.*", "", text) for text in block.code.splitlines())
    if line.startswith("cheq ")
]


# ---------------------------------------------------------------- code


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.exhaustive if page.stem == "parity" else ()) for page in PLAIN],
    ids=lambda page: page.stem,
)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in plain_blocks(page):
        exec(compile("\n" * block.line + block.code, str(page), "exec"), names)


@pytest.mark.worlds
@pytest.mark.parametrize(("needed", "blocks"), NEEDING)
def test_the_code_with_another_library_runs(needed, blocks, tmp_path):
    """In a process of its own, behind the blocks above it on its page."""
    environment = {**os.environ, **OFFLINE}
    for name in needed:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    script = tmp_path / "page.py"
    script.write_text("\n".join(block.code for block in blocks))
    done = run_python(script, cwd=tmp_path, env=environment)
    if done.returncode:
        loads = run_python("-c", f"import {', '.join(needed)}", cwd=tmp_path, env=environment)
        if loads.returncode:
            pytest.skip(f"{' or '.join(needed)} does not load: {loads.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def run_python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options
    )


def test_blocks_are_found():
    """An empty list above would pass everything."""
    assert {page.stem for page in PLAIN} >= {"README", "index", "start", "batches", "methods", "masks", "preparing"}
    assert {page.stem for page in PLAIN} >= {"curves", "large", "threads", "migration", "gallery", "faq", "parity"}
    assert {page.stem for page in PLAIN} >= {"clahe", "matching"}
    assert {name for parameter in NEEDING for name in parameter.values[0]} <= set(OPTIONAL)
    assert {parameter.id.split()[0] for parameter in NEEDING} >= {"README", "start", "threads", "faq", "migration"}
    assert {parameter.id.split()[0] for parameter in NEEDING} >= {
        "xarray",
        "albumentations",
        "recipes",
        "dask",
        "pytorch",
    }
    assert {parameter.id.partition(":")[0] for parameter in COMMANDS} >= {"README", "commands", "parity"}


@pytest.mark.parametrize("page", READ, ids=lambda page: page.stem)
def test_lines_of_code_fit_the_pages(page):
    """docs/site.css has room for so many columns."""
    for block in blocks_of(page):
        assert max(map(len, block.code.splitlines())) <= 102, block


def test_every_page_is_listed():
    listed = re.findall(r"^([a-z_]+)$", (DOCS / "index.md").read_text(), re.MULTILINE)
    assert sorted([*listed, "index"]) == [page.stem for page in PAGES]


# ---------------------------------------------------------------- the README


def test_the_readme_is_short():
    text = README.read_text()
    assert len(text.splitlines()) <= 130
    assert len(text.split()) <= 1000


def test_the_readme_has_one_picture_which_its_code_draws(tmp_path, monkeypatch):
    (name,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README.read_text())
    assert (ROOT / name).stat().st_size < 200_000
    monkeypatch.chdir(tmp_path)
    exec("\n".join(block.code for block in plain_blocks(README)), {})
    kept, drawn = (cli_tools.load(path)[..., :3].astype(int) for path in (ROOT / name, tmp_path / Path(name).name))
    assert kept.shape == drawn.shape
    assert np.abs(kept - drawn).mean() < 3  # another matplotlib may have other fonts


def test_the_readme_has_a_few_rows_of_benchmarks_with_machine_and_date():
    (table,) = re.findall(r"<!-- fast: begin -->\n(.*?)<!-- fast: end -->", README.read_text(), re.DOTALL)
    head, _, *rows, empty, machine = table.splitlines()
    assert 5 <= len(rows) <= 7
    assert {row.count("|") for row in rows} == {head.count("|")}
    assert not empty
    assert re.search(r"\d cores, .* cv2 \d.* NumPy \d.*; \d{4}-\d\d-\d\d\.$", machine)


@pytest.mark.parametrize("page", READ, ids=lambda page: page.stem)
def test_links_lead_to_files(page):
    for address in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        assert address.startswith(("#", "http")) or (page.parent / address.partition("#")[0]).exists(), address


@pytest.mark.parametrize("page", READ, ids=lambda page: page.stem)
def test_paths_in_the_text_exist(page):
    for path in re.findall(r"(?:cheq|docs|tests|tools|benchmarks)/[\w./*-]*\w", page.read_text()):
        assert list(ROOT.glob(path)) or path.startswith("docs/_gallery"), path


def test_contributing_lists_every_session_of_nox():
    listed = re.search(r"^\| `nox -s` .*?\n\n", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL | re.MULTILINE)[0]
    sessions = re.findall(r"^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    assert re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE) == sessions


# ---------------------------------------------------------------- commands


def users_files():
    """The files that the documentation's commands speak of, in the current folder."""
    for name in (
        "photo.png",
        "photos/a.jpg",
        "photos/trip/b.png",
        "scans/1.tif",
        "scans/2.tif",
        "slices/1.tif",
        "sunset.jpg",
    ):
        cli_tools.save(Path(name), cli_tools.pixels(24, 32, 3))
    cli_tools.save(Path("body.png"), cli_tools.pixels(24, 32) > 90)
    cli_tools.save(Path("batch.npy"), cli_tools.pixels(5, 24, 32, 3))
    tifffile.imwrite("series.tif", cli_tools.pixels(5, 24, 32), photometric="minisblack")
    cli_tools.save(Path("volumes.npy"), cli_tools.pixels(2, 5, 24, 32))


def arguments_of(line):
    """The words of a command behind ``cheq``, patterns replaced by the files that they fit, as a shell does it."""
    for typed, word in zip(shlex.split(line, posix=False)[1:], shlex.split(line)[1:], strict=True):
        yield from sorted(map(str, Path().glob(word))) if "*" in typed and typed == word else [word]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_of_the_pages_run(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    users_files()
    # Standard input and output as a shell gives them.
    line, _, files = line.partition(" < ")
    given, _, output = files.partition(" > ")
    name, *arguments = arguments_of(line)
    commands = vars(get_command(app))["commands"]
    if name in READ_ALONE:
        commands[name].make_context(name, arguments)
        return
    done = CliRunner().invoke(app, [name, *arguments], input=Path(given).read_bytes() if given else None)
    assert done.exit_code == 0, done.stderr
    assert bool(done.stdout_bytes.startswith(b"\x89PNG")) == output.endswith(".png")


# ---------------------------------------------------------------- figures


@pytest.fixture(scope="module")
def gallery():
    """The module that draws the figures."""
    sys.path.insert(0, str(DOCS))
    try:
        yield import_module("gallery")
    finally:
        sys.path.remove(str(DOCS))


@pytest.mark.exhaustive
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
    assert np.ptp(gallery.series().mean(axis=(1, 2))) > 40
    assert np.median(gallery.stars()) < 16
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
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
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
    for name, public in names_in_worlds():
        found = re.search(rf'<dt[^>]* id="cheq\.{name}\.{public}">.*?</dt>\s*<dd>(.*?)</dd>', reference, re.DOTALL)
        assert found, f"cheq.{name}.{public}"
        assert len(re.findall(r'<em class="sig-param">', found[0])) > 2  # a signature, not a stand-in's
        assert "Parameters" in found[0]
        assert f"cheq.{name}" not in found[1].partition("</p>")[0]


def names_in_worlds():
    """The modules for other libraries, and what each gives, read from their source: not all need be installed."""
    files = [file for file in Path(cheq.__file__).parent.glob("[!_]*.py") if file.stem != "recipes"]
    assert {file.stem for file in files} >= {"torch", "torchvision", "xarray", "albumentations"}
    for file in files:
        (names,) = (
            ast.literal_eval(line.value)
            for line in ast.parse(file.read_text()).body
            if isinstance(line, ast.Assign) and line.targets[0].id == "__all__"
        )
        yield from ((file.stem, public) for public in names)


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
