"""Does each room of the package import only what is below it, and the command line only what is public?"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each folder may import of cheq. "public" is what `import cheq` gives; "core" the private modules and cheq._core.
MAY = {
    "cheq/pictures": {"cheq.pictures"},
    "cheq/bench": {"public", "cheq.pictures", "cheq.bench"},
    "cheq/parity": {"public", "core", "cheq.pictures", "cheq.bench", "cheq.parity"},
    "cheq/cli": {"public", "cheq.pictures", "cheq.bench", "cheq.parity", "cheq.cli"},
    "cheq": {"public", "core"},
    "benchmarks": {"public", "core", "cheq.pictures", "cheq.bench"},
    "tools": {"public", "core", "cheq.pictures", "cheq.bench"},
}
ENTRIES = {"cheq/__main__.py", "cheq/parity/__main__.py"}  # which are commands


def imported(tree):
    """The modules of cheq, with each name that is taken from one and could be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "cheq")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "cheq":
            assert not node.level
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cheq":
            yield f"cheq.{node.attr}"


def kind(name):
    parts = name.split(".")
    if any(part.startswith("_") and not part.startswith("__") for part in parts):
        return "core"
    room = ".".join(parts[:2])
    return room if room in {"cheq.pictures", "cheq.bench", "cheq.parity", "cheq.cli"} else "public"


@pytest.mark.parametrize("folder", MAY)
def test_imports_run_downwards(folder):
    paths = [path for path in sorted((ROOT / folder).rglob("*.py")) if path.relative_to(ROOT).as_posix() not in ENTRIES]
    if folder == "cheq":
        paths = [path for path in paths if path.parent.name in ("cheq", "_core")]
    assert paths
    for path in paths:
        wrong = [name for name in imported(ast.parse(path.read_text())) if kind(name) not in MAY[folder]]
        assert not wrong, path
