"""Is the core laid out as it says: floors whose includes run downwards, and kernels in one extension alone?"""

import re
from pathlib import Path

import pytest

from cheq._core import dispatch

pytestmark = [pytest.mark.core, pytest.mark.kernels]

SOURCES = Path(__file__).parents[1] / "cheq" / "_core"
FLOORS = ["formulas", "kernels", "jobs"]  # and above them the Cython modules
INCLUDE = re.compile(r'^(?:#include|cdef extern from) "(.+?)"', re.MULTILINE)
EXTENSIONS = [path for path in Path(dispatch.__file__).parent.iterdir() if path.suffix in (".so", ".pyd")]
KERNEL = re.compile(rb"\bcheq_\w+_(?:scalar|avx2|avx512|neon)\b|\bcheq_\w+(?:256|512)\b")


def floor_of(path):
    return FLOORS.index(Path(path).parts[0]) if Path(path).parts[0] in FLOORS else len(FLOORS)


@pytest.mark.skipif(not SOURCES.joinpath("kernels").exists(), reason=f"the sources are not here: {SOURCES}")
def test_no_include_runs_upwards():
    wrong = []
    for path in sorted(path for path in SOURCES.rglob("*") if path.suffix in (".h", ".pyx", ".pxd")):
        name = path.relative_to(SOURCES)
        for included in INCLUDE.findall(path.read_text()):
            down = floor_of(included) <= floor_of(name)
            contract = floor_of(included) != FLOORS.index("kernels") or included == "kernels/kernels.h"
            if not down or not (contract or name.parts[0] == "kernels" or name.name == "dispatch.pyx"):
                wrong.append(f"{name} includes {included}")
    assert wrong == []


def test_kernels_are_in_one_extension():
    """By the names in the files' symbol tables, of the portable kernels too."""
    found = {path.stem.partition(".")[0]: set(KERNEL.findall(path.read_bytes())) for path in EXTENSIONS}
    assert {"dispatch", "work", "integer", "floating", "color"} <= found.keys()
    if not any(found.values()):
        pytest.skip("the extensions were built without symbols, which would name the kernels")
    assert {module for module, names in found.items() if names} == {"dispatch"}
    assert b"cheq_count_scalar" in found["dispatch"]
