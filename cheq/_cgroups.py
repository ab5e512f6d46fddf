"""The CPU quota of the process' cgroups, of both versions, read from the system's files."""

import functools
import os
import re
import time
from collections.abc import Iterator

PROC = "/proc/self"

# Seconds for which a reading of the quota is used again. Linux applies a quota once a period, usually 0.1 s, so a new
# one has no effect sooner; reading takes 10 us a cgroup, and systemd usually nests five.
_INTERVAL = 0.01


def read(path: str) -> str:
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


_reading: tuple[float, int | None] = (float("-inf"), None)  # when it was taken, and what it said


def quota() -> int | None:
    """Return the number of CPUs that the quotas allow, rounded up; None: no quota."""
    global _reading
    now = time.monotonic()
    taken, cpus = _reading
    if now - taken >= _INTERVAL:
        quotas = [_quota_of(kind, folder) for kind, folder in _own_and_ancestors()]
        cpus = min((one for one in quotas if one is not None), default=None)
        _reading = now, cpus  # threads may do this at once; each stores a whole and true reading
    return cpus


def _quota_of(kind: str, folder: str) -> int | None:
    """Return the quota of one cgroup, in CPUs rounded up; None where it has none."""
    if kind == "cgroup2":
        words = read(f"{folder}/cpu.max").split()
    else:
        words = read(f"{folder}/cpu.cfs_quota_us").split()
        if words != ["-1"]:  # saves reading the second file in the usual case, no quota
            words += read(f"{folder}/cpu.cfs_period_us").split()
    try:
        microseconds, period = map(int, words)
    except ValueError:  # "max", "-1", or no such files: the hierarchy's root, or the cpu controller is off
        return None
    return -(-microseconds // period) if microseconds > 0 and period > 0 else None


@functools.cache
def _own_and_ancestors() -> tuple[tuple[str, str], ...]:
    """Return kind and folder of this process' cgroups that can set a quota: its own and their ancestors.

    Found once per process: one that is moved to another cgroup later keeps to the quotas of the first. There is no need
    to look again after a fork, as a forked process never asks.
    """
    kind, path = _own_cgroup(read(f"{PROC}/cgroup"))
    best: list[str] = []
    for root, point in _cgroup_mounts(read(f"{PROC}/mountinfo"), kind):
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
