"""The cgroup's CPU quota limits the threads of a call; here the system's files are made up."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cheq import _cgroups, _threads

pytestmark = pytest.mark.process

V1_MOUNT = "36 31 0:29 {root} {point} rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct"
V2_MOUNT = "41 31 0:38 {root} {point} rw,relatime - cgroup2 cgroup2 rw,nsdelegate"
OTHERS = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n35 31 0:32 / {point} rw - cgroup cgroup rw,cpuset\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """``system(own, mounts, quotas)`` lets cheq see these files, and returns what it takes for the quota."""

    def make(own, mount, quotas, root="/"):
        point = tmp_path / "cgroup mounted here"
        escaped = str(point).replace(" ", r"\040")
        (tmp_path / "cgroup").write_text(own)
        other = OTHERS.format(point=tmp_path / "cpuset")
        (tmp_path / "mountinfo").write_text(other + mount.format(root=root, point=escaped) + "\n")
        for folder, files in quotas.items():
            (point / folder).mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (point / folder / name).write_text(text + "\n")
        forget()
        return _cgroups.quota()

    def forget():
        _cgroups._own_and_ancestors.cache_clear()
        _cgroups._reading = (float("-inf"), None)

    monkeypatch.setattr(_cgroups, "PROC", str(tmp_path))
    yield make
    monkeypatch.undo()
    forget()


def v2(text):
    return {"cpu.max": text}


def v1(quota, period="100000"):
    return {"cpu.cfs_quota_us": quota, "cpu.cfs_period_us": period}


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({"a/b": v2("max 100000"), "a": v2("max 100000")}, None),
        ({"a/b": v2("100000 100000")}, 1),
        ({"a/b": v2("100001 100000")}, 2),
        ({"a/b": v2("1000 100000")}, 1),
        ({"a/b": v2("350000 100000"), "a": v2("max 100000")}, 4),
        ({"a/b": v2("max 100000"), "a": v2("50000 20000")}, 3),
        ({"a/b": v2("400000 100000"), "a": v2("200000 100000"), "": v2("300000 100000")}, 2),
        ({"a/b": v2("400000 100000"), "a": {}, "": v2("300000 100000"), "other": v2("1 100000")}, 3),
        ({"a/b": v2("")}, None),
        ({"a/b": v2("nonsense")}, None),
        ({"a/b": v2("0 0")}, None),
        ({"a/b": {}}, None),
        ({}, None),
    ],
)
def test_quota_of_version_2(system, quotas, expected):
    assert system("0::/a/b\n", V2_MOUNT, quotas) == expected


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({"a/b": v1("-1")}, None),
        ({"a/b": v1("150000"), "a": v1("-1")}, 2),
        ({"a/b": v1("-1"), "a": v1("50000", "50000"), "": v1("-1")}, 1),
        ({"a/b": v1("700000"), "": v1("250000")}, 3),
        ({"a/b": {"cpu.cfs_quota_us": "150000"}}, None),
        ({}, None),
    ],
)
def test_quota_of_version_1(system, quotas, expected):
    own = "12:cpuset:/elsewhere\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n0::/system.slice\n"
    assert system(own, V1_MOUNT, quotas) == expected


@pytest.mark.parametrize(
    ("root", "path", "quotas", "expected"),
    [
        # A container that sees its own cgroup as the mount's root: by a namespace, and without one.
        ("/", "/", {"": v2("200000 100000")}, 2),
        ("/docker/4f", "/docker/4f", {"": v2("200000 100000")}, 2),
        ("/docker/4f", "/docker/4f/in it", {"in it": v2("100000 100000"), "": v2("200000 100000")}, 1),
        # A namespace, looked at through a mount from outside: ancestors are all that can be told.
        ("/..", "/", {"": v2("200000 100000"), "a": v2("100000 100000")}, 2),
        ("/../..", "/../b", {"": v2("200000 100000"), "b": v2("100000 100000")}, 2),
        ("/../b", "/../b/c", {"": v2("200000 100000"), "c": v2("100000 100000")}, 1),
        # Not beneath the mount: its quotas are those of others.
        ("/", "/../b", {"": v2("200000 100000"), "b": v2("100000 100000")}, None),
        ("/docker/4f", "/docker/77", {"": v2("200000 100000")}, None),
        ("/docker/4f", "/docker/4f77", {"": v2("200000 100000")}, None),
    ],
)
def test_namespaces_and_partial_mounts(system, root, path, quotas, expected):
    assert system(f"0::{path}\n", V2_MOUNT, quotas, root=root) == expected


def test_of_two_mounts_the_one_that_shows_more_counts(system, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "cpu.max").write_text("400000 100000\n")
    mounts = f"50 31 0:38 /a/b {inner} rw - cgroup2 cgroup2 rw\n{V2_MOUNT}\n51 31 0:38 /a/b {inner} rw - cgroup2  rw"
    assert system("0::/a/b\n", mounts, {"a/b": v2("400000 100000"), "a": v2("300000 100000")}) == 3


@pytest.mark.parametrize("own", ["", "\n", "nonsense", "0:", "::", "4:cpu", "0::/a/b"])
@pytest.mark.parametrize("mount", ["", "nonsense", "1 2 3 - cgroup2", " - ", "1 2 0:3 / /none rw - cgroup2 cgroup2 rw"])
def test_files_that_make_no_sense_set_no_quota(system, own, mount):
    assert system(own, mount, {}) is None


def test_a_quota_is_the_limit_and_a_change_is_seen(system, monkeypatch):
    monkeypatch.setattr(
        _threads,
        "work",
        SimpleNamespace(forked=lambda: False, openmp_version=lambda: 201511, openmp_max_threads=lambda: 64),
    )
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(48)), raising=False)
    system("0::/a/b\n", V2_MOUNT, {"a/b": v2("250000 100000")})
    assert _threads.resolve(None) == 3
    assert _threads.resolve(5) == 5
    assert _threads.reason() == "3 threads: limited by the cgroup's CPU quota"
    Path(_cgroups._own_and_ancestors()[0][1], "cpu.max").write_text("max 100000\n")
    time.sleep(2 * _cgroups._INTERVAL)
    assert _threads.resolve(None) == 48
    assert _threads.reason() == "48 threads: limited by the CPU affinity"


def test_no_limit_can_be_read(system, monkeypatch):
    def forbidden(_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_getaffinity", forbidden, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    system("", "", {})
    assert _threads.resolve(None) == 1
