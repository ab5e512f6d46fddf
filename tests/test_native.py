"""Does a kernel touch a byte outside its arrays, at any length? The C driver of native/, built here, says so.

It has guard pages on both sides of every input and result. All 64 alignments of each length, and sanitizers:
tools/sanitize.sh.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cheq._core import dispatch

SOURCE = Path(__file__).parent / "native" / "guards.c"
CORE = Path(__file__).parents[1] / "cheq" / "_core"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.exhaustive,  # the driver alone takes seconds to build
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mprotect; guard bytes are still tested"),
    pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here: cc, gcc or clang"),
    pytest.mark.skipif(not (CORE / "kernels").exists(), reason=f"the kernels' sources are not here: {CORE}"),
]


@pytest.fixture(scope="module")
def guards(tmp_path_factory):
    """The driver, as it is run: ``guards(*arguments)``."""
    program = tmp_path_factory.mktemp("native") / "guards"
    flags = ["-O2", "-std=c11", "-ffp-contract=off", f"-I{CORE}"]
    if "clang" not in subprocess.run([COMPILER, "--version"], capture_output=True, text=True).stdout:
        flags.append("-fno-ipa-ra")  # as setup.py
    built = subprocess.run([COMPILER, *flags, SOURCE, "-o", program, "-lm"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return lambda *arguments: subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)


def test_no_kernel_touches_a_byte_outside(guards):
    done = guards()
    assert done.returncode == 0, done.stderr
    reports = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(reports) == list(dispatch.kernels())
    for name, runs in dispatch.kernels().items():
        expected = r"lengths 0 to 1024, 4 alignments .*: \d{6,} results right, no fault" if runs else "not checked, .*"
        assert re.fullmatch(expected, reports[name])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1025"], "guards: LAST: expected 0 to 1024, got 1025"),
        (["x"], "guards: LAST: expected 0 to 1024, got x"),
        (["8", "0"], "guards: ALIGNMENTS: expected 1 to 64, got 0"),
    ],
)
def test_a_wrong_argument_is_named(guards, arguments, message):
    done = guards(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message + "\n")
