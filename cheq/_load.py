"""How many CPUs other programs leave, read from the system's files."""

import functools
import os
import time

from cheq import _cgroups

_CPUS = "/sys/devices/system/cpu/online"
_RUNNABLE = "/proc/loadavg"

# Seconds for which a reading serves: it takes some 20 us, and what runs changes in milliseconds.
_INTERVAL = 0.01

_reading: tuple[float, int | None] = (float("-inf"), None)  # when it was taken, and what it said


def idle_cpus() -> int | None:
    """Return the number of CPUs on which no other program wants to run now, at least 1; None: it cannot be known."""
    global _reading
    now = time.monotonic()
    taken, idle = _reading
    if now - taken >= _INTERVAL:
        try:
            idle = max(1, _cpus(_CPUS) - _others(_cpus(_CPUS)))
        except (IndexError, ValueError, OSError):  # no such files: another system, or a sandbox
            idle = None
        _reading = now, idle  # threads may do this at once; each stores a whole and true reading
    return idle


@functools.cache
def _cpus(path: str) -> int:
    """Return the number of the machine's CPUs, as what runs is counted on the whole machine, in a container too.

    Not `os.cpu_count`, which some versions of the C library make that of the affinity.
    """
    ranges = [one.partition("-") for one in _cgroups.read(path).strip().split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in ranges)


def _others(most: int) -> int:
    """Return the number of threads that want to run and are not of this process, or ``most`` where there are more.

    Its own ones may be those of its last call, which wait at work for the next one.
    """
    runnable = _runnable()
    if runnable <= 1:  # this one
        return 0
    folder = f"{_cgroups.PROC}/task"
    tasks = os.listdir(folder)
    if runnable - len(tasks) >= most:  # whether these run or not, which takes longer to ask
        return most
    own = sum(_cgroups.read(f"{folder}/{task}/stat").rpartition(")")[2].startswith(" R") for task in tasks)
    return max(0, _runnable() - own)  # read again: what has fallen asleep since must not count as another's


def _runnable() -> int:
    return int(_cgroups.read(_RUNNABLE).split()[3].partition("/")[0])
