"""No forked process ever hangs or computes a wrong byte, whoever forked, and whatever ran in parallel before.

The cases are in fork_cases.py; each runs in a process group of its own with a time limit, so that a hang is a failure.
"""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from marks import exhaustive

from cheq import _threads

pytestmark = pytest.mark.process

CASES = Path(__file__).with_name("fork_cases.py")
LIMIT = 60  # seconds; the slowest case takes a sixth of it

# A library with a parallel region, linked to the compiler's OpenMP as cheq is.
LIBRARY = """
int team(int size)
{
    int members = 0;
    #pragma omp parallel num_threads(size)
    #pragma omp atomic
    members++;
    return members;
}
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these files")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def run_case(*arguments):
    """Run a case to its end within the limit and return what it printed; a case that cannot run here says so."""
    case = subprocess.Popen(
        [sys.executable, str(CASES), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = case.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        kill_with_children(case)
        pytest.fail(f"{arguments} did not end within {LIMIT} s:\n{case.communicate()[0]}")
    assert case.returncode == 0, output
    if output.startswith("SKIP: "):
        pytest.skip(output.strip())
    return output


def kill_with_children(process):
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Path of the compiled LIBRARY."""
    compiler = shutil.which(os.environ.get("CC", "cc").split()[0])
    if compiler is None:
        pytest.skip("no C compiler to build a second OpenMP library with")
    folder = tmp_path_factory.mktemp("openmp")
    (folder / "team.c").write_text(LIBRARY)
    command = [compiler, "-shared", "-fPIC", "-fopenmp", "-o", str(folder / "team.so"), str(folder / "team.c")]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        pytest.skip(f"{compiler} cannot build an OpenMP library: {built.stderr.strip()}")
    return folder / "team.so"


@needs_fork
@pytest.mark.parametrize(
    "case",
    [
        "os_fork",
        "fork_while_busy",
        *exhaustive(
            "c_fork",
            "bare_fork",
            "grandchild",
            "fork_in_thread",
            "fork_in_signal_handler",
            "exec_after_fork",
        ),
    ],
)
def test_a_fork_after_the_import(case):
    run_case(case)


@needs_fork
def test_a_fork_before_the_import(library):
    run_case("first_import", library)


@needs_fork
def test_a_fork_before_openmp_does_not_limit_the_child():
    run_case("fork_before_openmp")


@needs_fork
def test_the_danger_is_real_here(library):
    """Without protection a child hangs; where it does not, the tests above prove less."""
    if run_case("unguarded", library).strip() != "HANGS":
        pytest.skip("this system's OpenMP is safe after a fork, so a missing protection would not show")


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no start method {method!r}")
    run_case("multiprocessing", method)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_dataloader_of_torch(method):
    """PyTorch's workers equalize, after parallel calls of cheq and of PyTorch in the parent."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no start method {method!r}")
    run_case("dataloader", method)


@needs_fork
def test_a_fork_server_that_ran_in_parallel():
    run_case("preloaded_forkserver")


def test_a_call_imports_nothing():
    """A fork by another thread during an import leaves a child that can never finish it."""
    run_case("imports")


# ---------------------------------------------------------------- what the system's files say of a fork

STAT = "77 ({name}) S 1 77 77 0 -1 {flags} 98 0 0 0 0 0 0 0 20 0 1 0 57839 3133440 393\n"
FORKED, PLAIN = 0x40, 0x400000
WITH_LIBGOMP = "7f00-7f01 r-xp 0 fe:00 12 /site-packages/some.libs/libgomp-a34b3233.so.1.0.0\n"


@linux_only
@pytest.mark.parametrize("name", ["python3", "a b", "a) R 1 1 1 0 -1 0 0 (b", "((", ")", ""])
@pytest.mark.parametrize(
    ("flags", "maps", "unsafe"),
    [
        (PLAIN, WITH_LIBGOMP, False),
        (PLAIN | FORKED, WITH_LIBGOMP, True),
        (PLAIN | FORKED, "7f00-7f01 r-xp 0 fe:00 12 /lib/libc.so.6\n", False),
        (PLAIN | FORKED, "", True),
    ],
)
def test_a_fork_before_the_import_is_found(tmp_path, monkeypatch, name, flags, maps, unsafe):
    (tmp_path / "stat").write_text(STAT.format(name=name, flags=flags))
    (tmp_path / "maps").write_text(maps)
    monkeypatch.setattr(_threads._cgroups, "PROC", str(tmp_path))
    assert bool(_threads._fork_before_import()) == unsafe


@linux_only
def test_when_nothing_tells_one_thread_is_the_safe_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(_threads._cgroups, "PROC", str(tmp_path))
    monkeypatch.setattr(_threads, "_unsafe_since_import", _threads._fork_before_import())
    assert _threads.resolve(None) == _threads.resolve(5) == 1
    assert _threads.reason().startswith("one thread: ")
