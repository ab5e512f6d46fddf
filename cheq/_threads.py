"""How many threads a call may use: the argument, OpenMP's maximum, the affinity, the quota, idle CPUs, and forks.

GNU OpenMP hangs in a forked child once the parent has run a parallel region, so a forked process stays on one thread.
The extension watches the forks that happen after it is loaded. A fork that happened before is found here, and has to be
looked for before the extension is loaded, as that loads libgomp: `cheq/__init__.py` imports this module first.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import SupportsIndex

from cheq import _arguments, _cgroups, _load

_EXPECTED = "None or an int of at least 1"
_FORKED_WITHOUT_EXEC = 0x40  # PF_FORKNOEXEC, Linux, include/linux/sched.h


def _fork_before_import() -> str:
    """Return why this process may hold records of OpenMP threads that a fork left behind; nothing if it cannot."""
    if sys.platform != "linux":
        return ""  # elsewhere OpenMP is not GNU's by default, and the runtimes of LLVM and Intel start anew in a child
    # The second field is the program's name in parentheses and may itself hold blanks and parentheses: count from the
    # last one. What follows begins with field 3; the flags are field 9.
    fields = _cgroups.read(f"{_cgroups.PROC}/stat").rpartition(")")[2].split()
    try:
        flags = int(fields[6])
    except (IndexError, ValueError):
        return f"{_cgroups.PROC}/stat cannot be read, and this process may have been forked from one that used OpenMP"
    if not flags & _FORKED_WITHOUT_EXEC:
        return ""
    maps = _cgroups.read(f"{_cgroups.PROC}/maps")
    if maps and "libgomp" not in maps:
        return ""
    return "this process was forked and held GNU OpenMP before it imported cheq, which may hang in a forked child"


_unsafe_since_import = _fork_before_import()


# GNU OpenMP's threads spin for milliseconds when they wait, during a call and after it, on CPUs that other programs
# need; a call then takes ten times as long (benchmarks/busy.py). So many turns, about 0.2 ms, are enough to go from one
# loop of a call to the next without falling asleep.
_TURNS = "3000"
_POLICIES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")  # also with an ending: OMP_WAIT_POLICY_ALL


@contextlib.contextmanager
def _short_spin() -> Iterator[None]:
    """Have the libgomp that is loaded meanwhile, which reads its environment once, spin for a short time.

    A user's policy is kept, and so is that of a copy that another package has loaded before.
    """
    if sys.platform != "linux" or any(name.startswith(_POLICIES) for name in os.environ):
        yield
        return
    os.environ["GOMP_SPINCOUNT"] = _TURNS
    try:
        yield
    finally:
        del os.environ["GOMP_SPINCOUNT"]


with _short_spin():
    from cheq._core import work

_UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def _stack_size() -> int:
    """Return the bytes of stack that the environment gives OpenMP's threads; 0: it says nothing."""
    for name in ("OMP_STACKSIZE", "GOMP_STACKSIZE"):
        found = re.fullmatch(r"\s*(\d+)\s*([bkmg]?)\s*", os.environ.get(name, ""), re.IGNORECASE)
        if found:
            return min(int(found[1]) * _UNITS[found[2].lower() or "k"], sys.maxsize)
    return 0


work.use_stack(_stack_size())

_MAX_TEAM = work.MAX_TEAM
SMALL_WORK: int = work.SMALL_WORK


def resolve(num_threads: SupportsIndex | None, pixels: int = SMALL_WORK) -> int:
    """Return how many threads a call may use; the core lowers it to the units of work.

    Parameters
    ----------
    num_threads : int or None
        The argument of that name. None: one for few pixels, else the least of OpenMP's maximum on the calling thread,
        the number of CPUs that the calling thread may run on, the cgroup's CPU quota, and the CPUs that are idle.
    pixels : int
        Of the call; by default so many that they are shared.

    Returns
    -------
    int
        At least 1. Always 1 in a process that was forked, whatever was asked for.
    """
    if num_threads is None and pixels < SMALL_WORK:
        return 1
    count = None if num_threads is None else _arguments.as_int("num_threads", num_threads, _EXPECTED)
    if count is not None and count < 1:
        raise ValueError(f"num_threads: expected {_EXPECTED}, got {count}")
    if count == 1 or _unsafe_since_import or work.forked():
        return 1
    return min(_limits().values()) if count is None else min(count, _MAX_TEAM)


def reason() -> str:
    """Return how many threads a call gets when it leaves `num_threads` out, and why, in a line for `show_config`."""
    if _unsafe_since_import:
        return f"one thread: {_unsafe_since_import}"
    if work.forked():
        return "one thread: this process was forked after it imported cheq, and GNU OpenMP may hang in a forked child"
    if not work.openmp_version():
        return "one thread: built without OpenMP"
    limits = _limits()
    count = min(limits.values())
    names = " and ".join(name for name, limit in limits.items() if limit == count)
    return f"{'one thread' if count == 1 else f'{count} threads'}: limited by {names}"


def most() -> int:
    """Return how many threads a large call without `num_threads` may use where no other program runs."""
    return 1 if _unsafe_since_import or work.forked() else min(_own_limits().values())


def _limits() -> dict[str, int]:
    """Return the limits that hold now, each at least 1, by name."""
    limits = _own_limits()
    idle = _load.idle_cpus()
    if idle is not None:
        limits["the CPUs that other programs leave"] = idle
    return limits


def _own_limits() -> dict[str, int]:
    """Return those that do not change with what else runs."""
    limits = {"OpenMP's maximum": max(1, work.openmp_max_threads())}
    try:
        limits["the CPU affinity"] = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on this system, or forbidden by a sandbox
        limits["the number of CPUs"] = os.cpu_count() or 1
    quota = _cgroups.quota()
    if quota is not None:
        limits["the cgroup's CPU quota"] = quota
    return limits
