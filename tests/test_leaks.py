"""Nothing is left behind by a call, whether it answers or raises: no memory, no reference, no object.

The usual run makes enough calls for a leak of one reference or of 100 bytes a call to show, the long one 100,000. Calls
are in leak_cases.py, in a process of their own, so that nothing else's memory is measured.
"""

import os
import subprocess
import sys
from pathlib import Path

import leak_cases
import pytest

pytestmark = pytest.mark.process

CASES = Path(__file__).with_name("leak_cases.py")


def run(*arguments):
    command = [sys.executable, str(CASES), *map(str, arguments)]
    # Waiting threads cost no time on a busy machine. glibc keeps freed memory in one place and not in one a thread, and
    # gives back what is large: else up to 6 MB more or less stay, as the threads met.
    settings = {"OMP_WAIT_POLICY": "passive", "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    return subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=900)


def expect_success(*arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


calls = pytest.mark.parametrize("calls", [4_000, pytest.param(100_000, marks=pytest.mark.long)])


@calls
@pytest.mark.parametrize("group", ["answers", "errors", "users_errors", "threads"])
def test_no_call_leaves_anything_behind(group, calls):
    expect_success(group, calls)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@calls
def test_no_fork_leaves_anything_behind(calls):
    expect_success("forks", calls // 50)


@pytest.mark.parametrize("kind", ["reference", "memory", "object"])
def test_a_leak_would_be_seen(kind):
    """One reference, 1,000 bytes of C's memory, or one object that is kept at each call."""
    if kind == "memory" and not leak_cases.allocated():
        pytest.skip("this C library does not tell what it has handed out")
    done = run(f"leaks_{kind}", 4000)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "AssertionError: " in done.stderr
