"""Where threads, stacks or idle cores are scarce, calls give the same bytes, on fewer threads."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from marks import exhaustive

import cheq
from cheq import _cgroups, _load, _threads

pytestmark = pytest.mark.process

CASES = Path(__file__).with_name("stack_cases.py")
HAS_OPENMP = cheq.show_config(mode="dicts")["openmp"]["enabled"]
needs_threads = pytest.mark.skipif(
    sys.platform != "linux" or not HAS_OPENMP, reason="limits threads as only Linux does, or the build has no OpenMP"
)


def run(*arguments, **environment):
    """Run Python to its end; no limit but those of the test holds for it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run([sys.executable, *arguments], env=inherited | environment, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout[-200:], done.stderr[-2000:])
    return done


# ---------------------------------------------------------------- cores that others use


@pytest.fixture
def system(tmp_path, monkeypatch):
    """``system(cpus, running, *tasks)`` lets cheq see these files, and returns what it takes for idle."""

    def make(cpus, running, *tasks):
        (tmp_path / "online").write_text(cpus)
        (tmp_path / "loadavg").write_text(running)
        for number, stat in enumerate(tasks):
            (tmp_path / "task" / str(number)).mkdir(parents=True, exist_ok=True)
            (tmp_path / "task" / str(number) / "stat").write_text(stat)
        forget()
        return _load.idle_cpus()

    def forget():
        _load._cpus.cache_clear()
        _load._reading = (float("-inf"), None)

    monkeypatch.setattr(_cgroups, "PROC", str(tmp_path))
    monkeypatch.setattr(_load, "_CPUS", str(tmp_path / "online"))
    monkeypatch.setattr(_load, "_RUNNABLE", str(tmp_path / "loadavg"))
    yield make
    monkeypatch.undo()
    forget()


RUNS, SLEEPS = "7 (a) R) R 1 7 7 0", "8 (python R) S 1 7 7 0"


@pytest.mark.parametrize(
    ("cpus", "runnable", "tasks", "idle"),
    [
        ("0", 1, [RUNS], 1),
        ("0-1", 1, [RUNS], 2),
        ("0-1", 2, [RUNS, SLEEPS], 1),
        ("0-1", 6, [RUNS, SLEEPS], 1),
        ("0-1", 2, [RUNS, RUNS], 2),  # its own thread, which still waits at work
        ("0-7", 4, [RUNS, SLEEPS, RUNS], 6),
        ("0-7", 0, [RUNS], 8),
        ("0-7", 2, [RUNS, RUNS, RUNS], 8),  # one has fallen asleep since
        ("0-3,8,10-11\n", 3, [RUNS], 5),
    ],
)
def test_idle_cpus_are_those_that_other_programs_leave(system, cpus, runnable, tasks, idle):
    assert system(cpus, f"0.50 0.42 0.13 {runnable}/733 12345\n", *tasks) == idle


@pytest.mark.parametrize("cpus", ["", "x", "0-"])
@pytest.mark.parametrize("running", ["", "0.50 0.42 0.13", "0.5 0.5 0.5 x/7 1"])
def test_where_files_make_no_sense_nothing_is_known(system, cpus, running):
    assert system(cpus, running, RUNS) is None


def test_a_reading_serves_for_a_time(system, monkeypatch):
    assert system("0-7", "0 0 0 3/9 1", RUNS) == 6
    Path(_load._RUNNABLE).write_text("0 0 0 5/9 1")
    clock = _load._reading[0]
    monkeypatch.setattr(_load, "time", SimpleNamespace(monotonic=lambda: clock + _load._INTERVAL * 0.9))
    assert _load.idle_cpus() == 6
    monkeypatch.setattr(_load, "time", SimpleNamespace(monotonic=lambda: clock + _load._INTERVAL * 1.1))
    assert _load.idle_cpus() == 4


def test_idle_cpus_limit_threads_unless_a_number_is_asked_for(system, monkeypatch):
    work = SimpleNamespace(forked=lambda: False, openmp_version=lambda: 201511, openmp_max_threads=lambda: 64)
    monkeypatch.setattr(_threads, "work", work)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(_cgroups, "quota", lambda: None)
    monkeypatch.setattr(_load, "_INTERVAL", 1000)
    system("0-15", "0 0 0 14/99 1", RUNS)
    assert _threads.resolve(None) == 3
    assert _threads.reason() == "3 threads: limited by the CPUs that other programs leave"
    assert _threads.resolve(5) == 5
    system("0-15", "0 0 0 5/99 1", RUNS)
    assert _threads.resolve(None) == 8
    assert _threads.reason() == "8 threads: limited by the CPU affinity"


# ---------------------------------------------------------------- how OpenMP's threads wait

SHOWN = "import os, cheq, ctypes; print(os.environ.get('GOMP_SPINCOUNT'), ctypes.CDLL(None).getenv(b'GOMP_SPINCOUNT'))"


def spin_count(program=SHOWN, **environment):
    """How long GNU OpenMP's threads spin, as it says itself, and what a program printed."""
    done = run("-c", program, OMP_DISPLAY_ENV="verbose", **environment)
    told = [line.split("'")[1] for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    if not told:
        pytest.skip("this OpenMP tells of no GOMP_SPINCOUNT")
    return told[-1], done.stdout.strip()


@needs_threads
def test_openmp_spins_for_a_short_time_and_the_environment_is_as_before():
    assert spin_count() == (_threads._TURNS, "None 0")


@needs_threads
@pytest.mark.parametrize(
    ("environment", "count"), [({"GOMP_SPINCOUNT": "77"}, "77"), ({"OMP_WAIT_POLICY": "passive"}, "0")]
)
def test_the_policy_of_a_user_is_kept(environment, count):
    told, printed = spin_count("import os, cheq; print(os.environ.get('GOMP_SPINCOUNT'))", **environment)
    assert (told, printed) == (count, environment.get("GOMP_SPINCOUNT", "None"))


# ---------------------------------------------------------------- threads that cannot be created

# Prints how many threads calls have started.
STARTED = """
import os, resource
import numpy as np
import cheq

images = np.random.default_rng(0).integers(0, 200, (64, 300, 300), np.uint8)
expected, planes = cheq.equalize(images, num_threads=1), images.reshape(-1, 300)
one = cheq.equalize(planes, num_threads=1)
before, out = len(os.listdir("/proc/self/task")), np.empty_like(images)
{limit}
for _ in range(3):
    cheq.equalize(images, num_threads=6, out=out)
    assert all((row == right).all() for row, right in zip(out, expected))
    cheq.equalize(planes, num_threads=6, out=out.reshape(-1, 300))
    assert all((row == right).all() for row, right in zip(out.reshape(-1, 300), one))
print(len(os.listdir("/proc/self/task")) - before)
"""


def started(limit="", **environment):
    return int(run("-c", STARTED.format(limit=limit), **environment).stdout)


@needs_threads
def test_without_a_limit_all_threads_are_started():
    assert started() == 5


@needs_threads
@pytest.mark.parametrize("name", ["OMP_STACKSIZE", *exhaustive("GOMP_STACKSIZE")])
@pytest.mark.parametrize(("size", "threads"), [("100g", 0), (" 104857600 K ", 0), ("64", 5), ("65536B", 5), ("x", 5)])
def test_stacks_that_no_memory_is_there_for(name, size, threads):
    limit = "resource.setrlimit(resource.RLIMIT_AS, (2**36, 2**36))"
    assert started(limit, **{name: size}) == threads


@needs_threads
@pytest.mark.parametrize(("room", "least", "most"), [(20, 0, 4), (400, 5, 5)])
def test_a_limit_of_memory(room, least, most):
    """Of as much more as some stacks of 8 MiB need."""
    limit = (
        "resource.setrlimit(resource.RLIMIT_STACK, (2**23, resource.getrlimit(resource.RLIMIT_STACK)[1]));"
        f"used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize() + {room} * 2**20;"
        "resource.setrlimit(resource.RLIMIT_AS, (used, used))"
    )
    assert least <= started(limit) <= most


@needs_threads
@pytest.mark.skipif(
    sys.platform == "linux" and os.geteuid() != 0,
    reason="only root, whom no limit binds, can become a user without processes",
)
@pytest.mark.parametrize("processes", [1, 2, 4, 20])
def test_a_limit_of_processes(processes):
    """The first threads count, NumPy's too; those that were tried are gone when OpenMP starts its own."""
    limit = f"os.setuid(59999); resource.setrlimit(resource.RLIMIT_NPROC, ({processes}, {processes}))"
    running = int(run("-c", "import os, cheq; print(len(os.listdir('/proc/self/task')))").stdout)
    assert started(limit) == min(5, max(0, processes - running))


# ---------------------------------------------------------------- small stacks


@needs_threads
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.exhaustive), 3])
def test_every_call_on_threads_with_small_stacks(kernel, threads):
    """Threads of Python have 32 KiB of stack, those of OpenMP 16 KiB."""
    done = run(str(CASES), str(32 * 2**10), str(threads), OMP_STACKSIZE="16k", CHEQ_KERNEL=kernel)
    assert int(done.stdout.split()[-1]) > 400
