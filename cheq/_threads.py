"""How many threads a call may use: the argument, OpenMP's maximum, the affinity, the cgroup's CPU quota, and forks.

GNU OpenMP hangs in a forked child once the parent has run a parallel region, so a forked process stays on one thread.
The extension watches the forks that happen after it is loaded. A fork that happened before is found here, and has to be
looked for before the extension is loaded, as that loads libgomp: `cheq/__init__.py` imports this module first.
"""

import functools
import os
import re
import sys
import time
from collections.abc import Iterator
from typing import SupportsIndex

from cheq import _arguments

_PROC = "/proc/self"
_EXPECTED = "None or an int of at least 1"
_FORKED_WITHOUT_EXEC = 0x40  # PF_FORKNOEXEC, Linux, include/linux/sched.h

# Seconds for which a reading of the quota serves. The kernel deals a quota out once a period, usually 0.1 s, so a new
# quota is hardly felt sooner; without this every call would pay 10 us a cgroup, and five are usual under systemd.
_QUOTA_INTERVAL = 0.01


def _read(path: str) -> str:
    """Return the text of a system file; nothing where it is missing or may not be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # half the time of open(), which counts for the quota
    except OSError:
        return ""
    try:
        return os.fsdecode(b"".join(iter(lambda: os.read(file, 4096), b"")))
    except OSError:
        return ""
    finally:
        os.close(file)


def _fork_before_import() -> str:
    """Return why this process may hold records of OpenMP threads that a fork left behind; nothing if it cannot."""
    if sys.platform != "linux":
        return ""  # elsewhere OpenMP is not GNU's by default, and the runtimes of LLVM and Intel start anew in a child
    # The second field is the program's name in parentheses and may itself hold blanks and parentheses: count from the
    # last one. What follows begins with field 3; the flags are field 9.
    fields = _read(f"{_PROC}/stat").rpartition(")")[2].split()
    try:
        flags = int(fields[6])
    except (IndexError, ValueError):
        return f"{_PROC}/stat cannot be read, and this process may have been forked from one that used OpenMP"
    if not flags & _FORKED_WITHOUT_EXEC:
        return ""
    maps = _read(f"{_PROC}/maps")
    if maps and "libgomp" not in maps:
        return ""
    return "this process was forked and held GNU OpenMP before it imported cheq, which may hang in a forked child"


_unsafe_since_import = _fork_before_import()

from cheq._core import work  # noqa: E402  (loads libgomp: see the module's docstring)

_MAX_TEAM = work.MAX_TEAM
SMALL_WORK = 1 << 17  # pixels from which a second thread pays (benchmarks/small_work.py)


def resolve(num_threads: SupportsIndex | None, pixels: int = SMALL_WORK) -> int:
    """Return how many threads a call may use; the core lowers it to the units of work.

    Parameters
    ----------
    num_threads : int or None
        The argument of that name. None: one for few pixels, else the least of OpenMP's maximum on the calling thread,
        the number of CPUs that the calling thread may run on, and the cgroup's CPU quota.
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


def _limits() -> dict[str, int]:
    """Return the limits that hold now, each at least 1, by name."""
    limits = {"OpenMP's maximum": max(1, work.openmp_max_threads())}
    try:
        limits["the CPU affinity"] = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on this system, or forbidden by a sandbox
        limits["the number of CPUs"] = os.cpu_count() or 1
    quota = _quota()
    if quota is not None:
        limits["the cgroup's CPU quota"] = quota
    return limits


_quota_reading: tuple[float, int | None] = (float("-inf"), None)  # when it was taken, and what it said


def _quota() -> int | None:
    """Return the number of CPUs that the quotas allow, rounded up; None: no quota."""
    global _quota_reading
    now = time.monotonic()
    taken, quota = _quota_reading
    if now - taken >= _QUOTA_INTERVAL:
        quotas = [_quota_of(kind, folder) for kind, folder in _cgroups()]
        quota = min((one for one in quotas if one is not None), default=None)
        _quota_reading = now, quota  # threads may do this at once; each stores a whole and true reading
    return quota


def _quota_of(kind: str, folder: str) -> int | None:
    """Return the quota of one cgroup, in CPUs rounded up; None where it has none."""
    if kind == "cgroup2":
        words = _read(f"{folder}/cpu.max").split()
    else:
        words = _read(f"{folder}/cpu.cfs_quota_us").split()
        if words != ["-1"]:  # saves reading the second file in the usual case, no quota
            words += _read(f"{folder}/cpu.cfs_period_us").split()
    try:
        microseconds, period = map(int, words)
    except ValueError:  # "max", "-1", or no such files: the hierarchy's root, or the cpu controller is off
        return None
    return -(-microseconds // period) if microseconds > 0 and period > 0 else None


@functools.cache
def _cgroups() -> tuple[tuple[str, str], ...]:
    """Return kind and folder of this process' cgroups that can set a quota: its own and their ancestors.

    Found once per process: one that is moved to another cgroup later keeps to the quotas of the first. There is no need
    to look again after a fork, as a forked process never asks.
    """
    kind, path = _own_cgroup(_read(f"{_PROC}/cgroup"))
    best: list[str] = []
    for root, point in _cgroup_mounts(_read(f"{_PROC}/mountinfo"), kind):
        folders = [folder for folder in _folders(root, point, path) if os.path.isdir(folder)]
        best = max(best, folders, key=len)  # mounted twice: the one that shows more
    return tuple((kind, folder) for folder in best)


def _own_cgroup(text: str) -> tuple[str, str]:
    """Return, from the text of `/proc/self/cgroup`, kind and path of the cgroup that holds the CPU quota."""
    kind, path = "", ""
    for line in text.split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, this_path = rest.partition(":")
        if "cpu" in controllers.split(","):
            return "cgroup", this_path  # the controller is in one hierarchy: if in version 1, then not in version 2
        if number == "0" and not controllers:
            kind, path = "cgroup2", this_path
    return kind, path


def _cgroup_mounts(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield, from the text of `/proc/self/mountinfo`, root and mount point of the hierarchy that holds the CPU quota.

    The root is the cgroup that appears at the mount point: in a container often not the hierarchy's own root.
    """
    for line in text.split("\n"):
        where, _, what = line.partition(" - ")
        mount, filesystem = where.split(" "), what.split(" ")
        if len(mount) < 5:
            continue
        if filesystem[0] == kind and (kind == "cgroup2" or "cpu" in filesystem[-1].split(",")):
            yield _unescaped(mount[3]), _unescaped(mount[4])


def _unescaped(path: str) -> str:
    """Undo the octal escapes by which mountinfo writes blanks, tabs, newlines and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)


def _folders(root: str, point: str, path: str) -> list[str]:
    """Return the folders of the cgroup `path` and its ancestors, upwards, as far as a mount of `root` at `point` shows.

    Both `root` and `path` are seen from the cgroup namespace's root and climb out of it by "..". A mount from outside
    the namespace shows ancestors only: what the folder of the namespace's root is called out there is not known.
    """
    above, below = _parts(root), _parts(path)
    while above and below and above[0] == below[0]:
        del above[0], below[0]
    if ".." in below or any(part != ".." for part in above):
        return []  # not beneath this mount
    if above:
        return [point]
    return [os.path.join(point, *below[:depth]) for depth in range(len(below), -1, -1)]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
