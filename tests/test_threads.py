"""How many threads a call uses, and that their number never changes a byte."""

import os
import subprocess
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import threadpoolctl
from marks import exhaustive
from pixel_tools import of_each_plane, opencv_clahe

import cheq
from cheq import _threads

HAS_OPENMP = cheq.show_config(mode="dicts")["openmp"]["enabled"]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads or sets what only Linux has")
needs_openmp = pytest.mark.skipif(not HAS_OPENMP, reason="this build has no OpenMP: one thread, whatever is asked for")


def pixels(*shape, top=200):
    return np.random.default_rng(shape).integers(0, top, shape, np.uint8)


# ---------------------------------------------------------------- the argument


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(TypeError) as caught:
        _threads.resolve("9" * 1000)
    assert len(str(caught.value)) < 150


class _Index:
    def __index__(self):
        return 2


@pytest.mark.parametrize(
    "number", [None, 1, 2, 3, 300, 10**6, 2**31, 2**63, 10**30, np.uint8(2), np.int64(3), np.array(2), _Index()]
)
def test_any_integer_from_one_on_works(number, opencv):
    for shape in ((5, 7), (40, 96, 131), (3, 600, 700)):
        images = pixels(*shape)
        expected = opencv(images)
        np.testing.assert_array_equal(cheq.equalize(images, num_threads=number), expected, strict=True)
        counts = cheq.histogram(images, num_threads=number)
        result = cheq.apply_lut(images, cheq.equalization_lut(counts), num_threads=number)
        np.testing.assert_array_equal(result, expected, strict=True)


# ---------------------------------------------------------------- the same bytes, however many

AWKWARD = {
    "one large plane": ((1021, 1531), {}),
    "one row": ((1, 1_500_007), {}),
    "one column": ((1_500_007, 1), {}),
    "two large planes": ((2, 701, 903), {}),
    "three volumes": ((3, 5, 401, 307), {"axes": (-3, -2, -1)}),
    "as many planes as threads": ((7, 301, 299), {}),
    "one plane more than threads": ((8, 301, 299), {}),
    "many small planes": ((4001, 17, 23), {}),
    "many tiny planes": ((12_007, 1, 5), {}),
    "NHWC": ((5, 301, 203, 3), {"channel_axis": -1}),
    "one HWC picture": ((803, 601, 4), {"channel_axis": -1}),
    "NCHW": ((5, 3, 201, 303), {}),
    "one histogram for all": ((11, 203, 301), {"axes": (0, 1, 2)}),
}


def expected_of(opencv, images, where):
    if "axes" in where:
        planes = images.reshape(-1, 1, np.prod([images.shape[axis] for axis in where["axes"]]))
        return opencv(planes).reshape(images.shape)
    return opencv(images, where.get("channel_axis"))


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize(
    "view",
    [lambda a: a, *exhaustive(lambda a: a[..., ::-1, :], lambda a: np.asfortranarray(a))],
    ids=["contiguous", "reversed", "fortran"],
)
def test_the_number_of_threads_changes_no_byte(name, view, opencv):
    shape, where = AWKWARD[name]
    images = view(pixels(*shape))
    expected = expected_of(opencv, images, where)
    counts = cheq.histogram(images, **where, num_threads=1)
    assert counts.sum() == images.size
    for number in (1, 2, 3, 7, None):
        np.testing.assert_array_equal(cheq.equalize(images, **where, num_threads=number), expected, strict=True)
        again = cheq.histogram(images, **where, num_threads=number)
        np.testing.assert_array_equal(again, counts, strict=True)
        result = cheq.apply_lut(images, cheq.equalization_lut(again), **where, num_threads=number)
        np.testing.assert_array_equal(result, expected, strict=True)


def test_sixteen_threads_at_once(opencv):
    """Shared input, separate outputs, and every caller with its own wish for threads."""
    batches = [pixels(150, 96, 131), pixels(2, 700, 901), pixels(9, 13)]
    before = [batch.tobytes() for batch in batches]
    expected = [opencv(batch) for batch in batches]
    by_tiles = [of_each_plane(opencv_clahe, batch) for batch in batches]
    start = threading.Barrier(16)

    def work(caller):
        outs = [np.empty_like(batch) for batch in batches]
        start.wait()
        for round_ in range(8):
            number = (None, 1, 2, 3)[(caller + round_) % 4]
            for batch, out, right, tiles in zip(batches, outs, expected, by_tiles, strict=True):
                for function, answer in ((cheq.equalize, right), (cheq.clahe, tiles)):
                    out.fill(caller)
                    assert function(batch, out=out, num_threads=number) is out
                    np.testing.assert_array_equal(out, answer)
                assert cheq.histogram(batch, num_threads=number).sum() == batch.size

    with ThreadPoolExecutor(16) as pool:
        for finished in [pool.submit(work, caller) for caller in range(16)]:
            finished.result(timeout=120)
    assert [batch.tobytes() for batch in batches] == before


# ---------------------------------------------------------------- the limits, for real

# Prints how many threads a large call may use, then how many the system saw beside the first one.
COUNT_THREADS = """
import os
import numpy as np
import cheq
from cheq import _load, _threads

_load._CPUS = os.devnull  # whatever else runs
{setup}
before = len(os.listdir("/proc/self/task"))
images = np.zeros((64, 300, 300), np.uint8)
images[:, ::2] = 9
cheq.equalize(images{argument})
print(_threads.resolve(None), 1 + len(os.listdir("/proc/self/task")) - before)
"""


def count_threads(setup="", argument="", **environment):
    program = COUNT_THREADS.format(setup=setup, argument=argument)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    done = subprocess.run([sys.executable, "-c", program], env=inherited | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(map(int, done.stdout.split()))


@linux_only
@needs_openmp
def test_without_argument_the_least_of_the_limits_is_used():
    affinity = len(os.sched_getaffinity(0))
    wanted, used = count_threads()
    assert wanted <= affinity
    assert used == min(wanted, 64)  # planes
    assert count_threads(OMP_NUM_THREADS="1") == (1, 1)
    assert count_threads(OMP_NUM_THREADS="1000") == (wanted, used)
    assert count_threads(f"os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})") == (1, 1)
    limit = "import threadpoolctl; threadpoolctl.threadpool_limits(1, user_api='openmp')"
    assert count_threads(limit) == (1, 1)


@linux_only
@needs_openmp
@pytest.mark.parametrize(("number", "used"), [(1, 1), (2, 2), (3, 3), (7, 7), (64, 64), (65, 64), (10**6, 64)])
def test_the_argument_is_taken_at_its_word_up_to_the_number_of_planes(number, used):
    assert count_threads(argument=f", num_threads={number}", OMP_NUM_THREADS="1") == (1, used)


@linux_only
@needs_openmp
@pytest.mark.parametrize(
    "call", ["np.ones((100, 96, 96)), method='skimage', nbins=8", "np.ones((8, 90, 90), np.uint8)"]
)
def test_many_small_planes_are_shared(call):
    tasks = "print(len(os.listdir('/proc/self/task')))"
    program = f"import os, numpy as np, cheq; {tasks}; cheq.equalize({call}, num_threads=2); {tasks}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert after == before + 1


@linux_only
@needs_openmp
@pytest.mark.parametrize("shape", [(1, 2_000_000), (100_000, 4, 5)])
def test_a_million_threads_are_never_started(shape):
    setup = f"cheq.equalize(np.zeros({shape}, np.uint8), num_threads=10**6)"
    program = f"import os, numpy as np, cheq; {setup}; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 300


@needs_openmp
def test_limits_of_threadpoolctl_hold_while_they_are_set():
    before = _threads.resolve(None)
    with threadpoolctl.threadpool_limits(1, user_api="openmp"):
        assert _threads.resolve(None) == 1
        assert _threads.reason() == "one thread: limited by OpenMP's maximum" or before == 1
        assert _threads.resolve(3) == 3
    assert _threads.resolve(None) == before


# A large call of each kind, which a limit has to hold for.
LIMITED = {
    "equalize": "cheq.equalize(images)",
    "one plane": "cheq.equalize(images.reshape(-1, 300))",
    "skimage": "cheq.equalize(images, method='skimage')",
    "clahe": "cheq.clahe(images)",
    "clahe of one plane": "cheq.clahe(images.reshape(-1, 300))",
    "match_histograms": "cheq.match_histograms(images, images)",
    "match_histograms of one plane": "cheq.match_histograms(images.reshape(-1, 300), images[0])",
    "match_histograms of floats": "cheq.match_histograms(images / 9, images[:1, :9] / 9)",
    "floats": "cheq.equalize(images / 9, method='numpy')",
    "16 bits": "cheq.equalize(images.astype(np.uint16))",
    "ycrcb": "cheq.equalize(images[:63].reshape(21, 300, 300, 3), color='ycrcb', channel_axis=-1)",
    "gray": "cheq.rgb_to_gray(images[:63].reshape(21, 300, 300, 3))",
    "histogram": "cheq.histogram(images)",
    "apply_lut": "cheq.apply_lut(images, np.zeros(256, np.uint8))",
    "cumulative_distribution": "cheq.cumulative_distribution(images / 9)",
    "otsu_threshold": "cheq.otsu_threshold(images)",
    "binarize": "cheq.binarize(images)",
    "recipe": "cheq.recipes.image_histogram_equalization(images)",
}
COUNT_LIMITED = """
import os
import numpy as np
import threadpoolctl
import cheq
from cheq import _load

_load._CPUS = os.devnull  # whatever else runs
images = np.zeros((64, 300, 300), np.uint8)
images[:, ::2] = 9
calls = {{{calls}}}
threads = lambda: len(os.listdir("/proc/self/task"))
before, grown = threads(), []
with threadpoolctl.threadpool_limits({limit}, user_api="openmp"):
    for name, call in calls.items():
        call()
        grown.append((name, threads() - before))
print(max(count for _, count in grown) + 1)
cheq.equalize(images, num_threads=3)
print(threads() - before + 1)
"""


@linux_only
@needs_openmp
@pytest.mark.parametrize("limit", [1, 2])
def test_every_large_call_honors_a_limit_of_threadpoolctl(limit):
    """The system sees no more threads than the limit; ``num_threads`` goes before it."""
    calls = ", ".join(f"{name!r}: lambda: {call}" for name, call in LIMITED.items())
    program = COUNT_LIMITED.format(calls=calls, limit=limit)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    most, with_argument = map(int, done.stdout.split())
    assert most == min(limit, _threads.resolve(None))
    assert with_argument == 3


@linux_only
@needs_openmp
def test_a_limit_of_threadpoolctl_is_one_threads_own():
    """OpenMP's limit belongs to the thread that sets it: another's calls keep theirs."""
    seen = {}
    with threadpoolctl.threadpool_limits(1, user_api="openmp"):
        seen["here"] = _threads.resolve(None)
        other = threading.Thread(target=lambda: seen.update(there=_threads.resolve(None)))
        other.start()
        other.join()
    assert seen["here"] == 1
    assert seen["there"] == _threads.resolve(None)


def test_without_openmp_the_configuration_says_so(monkeypatch):
    monkeypatch.setattr(
        _threads, "work", SimpleNamespace(forked=lambda: False, openmp_version=lambda: 0, openmp_max_threads=lambda: 1)
    )
    assert _threads.resolve(None) == 1
    assert _threads.reason() == "one thread: built without OpenMP"


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has a GIL")
def test_importing_cheq_leaves_the_gil_off():
    program = "import sys, cheq; assert not sys._is_gil_enabled()"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
