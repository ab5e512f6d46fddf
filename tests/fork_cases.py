"""The processes that test_fork.py watches: ``python fork_cases.py CASE [LIBRARY]``.

Each case makes forked children, many times over, and ends with an error when a child hangs, fails or computes a wrong
byte. Expected values come from cv2, computed before the first fork. cheq is not imported here but by each case, since
what is loaded before a fork is what matters.
"""

import ctypes
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import warnings

import cv2
import numpy as np
import reference

ROUNDS = 40
CHILD_LIMIT = 10  # seconds; a child needs 0.02

# Both ways of sharing work out: whole planes, and parts of few large ones.
SHAPES = [(150, 96, 131), (3, 700, 901)]


def make_work():
    random = np.random.default_rng(0)
    batches = [random.integers(0, 200, shape, np.uint8) for shape in SHAPES]
    answers = cv2.equalizeHist, cv2.createCLAHE().apply
    return [(batch, *(np.stack([answer(plane) for plane in batch]) for answer in answers)) for batch in batches]


def make_matches():
    """Images, references and the naive answers: of bytes by tables, of floats by sorting."""
    whole, floats = WORK[1][0][:1, :300], WORK[0][0][:6].astype(np.float32)
    pairs = [(whole, whole[:, :99]), (floats, floats[::-1, ::2])]
    return [(*pair, reference.match_histograms(*pair)) for pair in pairs]


WORK = make_work()
MATCHES = make_matches()


def check(*thread_counts):
    """Large calls with each of ``thread_counts`` give the right bytes."""
    import cheq

    for (images, expected, by_tiles), num_threads in itertools.product(WORK, thread_counts):
        counts = cheq.histogram(images, num_threads=num_threads)
        luts = cheq.equalization_lut(counts)
        for result in (
            cheq.equalize(images, num_threads=num_threads),
            cheq.apply_lut(images, luts, num_threads=num_threads),
        ):
            assert np.array_equal(result, expected), f"wrong bytes with {num_threads} threads"
        result = cheq.clahe(images, num_threads=num_threads)
        assert np.array_equal(result, by_tiles), f"wrong bytes of CLAHE with {num_threads} threads"
    for (images, wanted, expected), num_threads in itertools.product(MATCHES, thread_counts):
        result = cheq.match_histograms(images, wanted, num_threads=num_threads)
        assert np.array_equal(result, expected), f"wrong bytes of matching with {num_threads} threads"


def system_threads():
    """Number of threads the system sees in this process; None where that cannot be told."""
    return len(os.listdir("/proc/self/task")) if sys.platform == "linux" else None


def run_parallel_region():
    """Make sure that OpenMP holds threads in this process, through cheq."""
    from cheq._core import work

    before = system_threads()
    check(3)
    if before is not None and work.openmp_version():
        assert work.forked() or system_threads() > 1, "the parent was to run in parallel"


def check_forked():
    """What every forked child has to do: right bytes, in time, on one thread."""
    check(None, 2)
    assert system_threads() in (1, None), "a forked child started threads"


def child_of(fork, body):
    """Fork, let the child run ``body`` and leave, and return its process id."""
    pid = fork()
    if pid == 0:
        status = 1
        try:
            body()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    assert pid > 0, "fork failed"
    return pid


def end_of(pid, limit=CHILD_LIMIT):
    """Wait for a child and return its exit status, or None if it hung and had to be killed."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def expect_success(pid):
    status = end_of(pid)
    assert status is not None, f"the child hung: killed after {CHILD_LIMIT} s"
    assert status == 0, f"the child ended with status {status}"


def rounds_of(fork, body=check_forked, rounds=ROUNDS):
    run_parallel_region()
    for _ in range(rounds):
        expect_success(child_of(fork, body))
    run_parallel_region()  # the parent is as it was


# ---------------------------------------------------------------- cases: forks after the import


def case_os_fork():
    rounds_of(os.fork)


def case_c_fork():
    """A fork made in C calls no handler of os.register_at_fork."""
    rounds_of(ctypes.CDLL(None).fork)


def case_bare_fork():
    """The C library's _Fork() calls no handler of pthread_atfork either."""
    try:
        fork = ctypes.CDLL(None)._Fork
    except AttributeError:
        print("SKIP: this C library has no _Fork()")
        return
    rounds_of(fork)


def case_grandchild():
    def body():
        check_forked()
        expect_success(child_of(os.fork, check_forked))

    rounds_of(os.fork, body, rounds=ROUNDS // 2)


def case_fork_in_thread():
    """The forking thread is not the one whose team is waiting."""
    run_parallel_region()
    failures = []

    def fork_and_wait():
        try:
            expect_success(child_of(os.fork, check_forked))
        except BaseException as failure:
            failures.append(failure)

    for _ in range(ROUNDS // 2):
        thread = threading.Thread(target=fork_and_wait)
        thread.start()
        thread.join()
    assert not failures, failures[0]


def case_fork_while_busy():
    """Another thread is in the midst of a parallel call at the moment of the fork."""
    run_parallel_region()
    stop = threading.Event()

    def stay_busy():
        while not stop.is_set():
            check(2)

    busy = threading.Thread(target=stay_busy)
    busy.start()
    try:
        for _ in range(ROUNDS // 2):
            expect_success(child_of(os.fork, check_forked))
    finally:
        stop.set()
        busy.join()


def case_fork_in_signal_handler():
    """A signal handler forks while a long call looks at the signals: parent and child both finish that call."""
    import cheq

    (images, expected, _), long = WORK[0], 60  # a call of several chunks
    shape = (long, *images.shape)
    forked = []

    def fork_once(_signal, _frame):
        if not forked:
            forked.append(os.fork())

    signal.signal(signal.SIGALRM, fork_once)
    for _ in range(5):
        forked.clear()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        result = cheq.equalize(np.broadcast_to(images, shape), num_threads=2)
        right = np.array_equal(result, np.broadcast_to(expected, shape))
        if forked == [0]:
            os._exit(0 if right else 1)
        assert right, "wrong bytes in the parent"
        assert forked, "the signal came after the call"
        expect_success(forked[0])


def case_exec_after_fork():
    """A program that a child starts anew is not limited, and starting it does not limit the parent."""
    import subprocess

    from cheq import _load, _threads
    from cheq._core import work

    run_parallel_region()
    _load._CPUS = os.devnull  # whatever else runs
    program = "import os; from cheq import _load, _threads; _load._CPUS = os.devnull; print(_threads.reason())"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert told == _threads.reason()
    assert "forked" not in told
    assert not work.forked()
    run_parallel_region()


# ---------------------------------------------------------------- cases: forks before the import


def case_first_import(library):
    """The child imports cheq for the first time; the parent ran a parallel region of another library."""
    team = ctypes.CDLL(library).team
    assert team(4) == 4
    for fork in (os.fork, ctypes.CDLL(None).fork):
        for _ in range(ROUNDS // 4):
            assert "cheq" not in sys.modules
            expect_success(child_of(fork, check_forked))


def case_unguarded(library):
    """What all this guards against: prints whether a child hangs that opens a team after its parent did."""
    team = ctypes.CDLL(library).team
    assert team(4) == 4
    hung = end_of(child_of(os.fork, lambda: team(4)), limit=2) is None
    print("HANGS" if hung else "SAFE")


def case_fork_before_openmp():
    """A fork from a process without libgomp costs nothing: the child is limited as any other process is."""

    def body():
        import cheq
        from cheq import _threads

        assert "forked" not in _threads.reason(), _threads.reason()
        assert cheq.show_config(mode="dicts")["threads"]["count"] == _threads.resolve(None)
        run_parallel_region()

    if sys.platform == "linux":
        with open("/proc/self/maps") as maps:
            if "libgomp" in maps.read():
                print("SKIP: NumPy or cv2 brought libgomp along")
                return
    for _ in range(5):
        expect_success(child_of(os.fork, body))


# ---------------------------------------------------------------- cases: multiprocessing


def in_worker(number):
    check(None, 2)
    return number


def in_worker_of_preloaded(number):
    assert "fork_cases" in sys.modules, "the fork server did not import this file"
    check_forked()
    return number


def case_multiprocessing(method):
    """Pools of workers, after a parallel call in the parent."""
    run_pools(multiprocessing.get_context(method), in_worker)


def case_preloaded_forkserver():
    """The fork server itself ran in parallel: it imports this file by its name, see its end."""
    os.environ["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fork_cases"])
    run_pools(context, in_worker_of_preloaded)


def run_pools(context, work):
    run_parallel_region()
    # Workers that are not forks of this process have teams of their own, which by default wait for work by spinning:
    # on a machine with fewer CPUs than that these steal each other's time, and the case takes ten times as long.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    for _ in range({"fork": 8, "forkserver": 3, "spawn": 2}[context.get_start_method()]):
        with context.Pool(2) as pool:
            assert pool.map_async(work, range(12), chunksize=1).get(timeout=3 * CHILD_LIMIT) == list(range(12))


# ---------------------------------------------------------------- cases: PyTorch


class Batches:
    """A data set of PyTorch's kind, whose items are batches that a worker equalizes by every method."""

    def __init__(self, images, forked):
        self.images, self.forked = images, forked

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        import cheq
        from cheq._core import work

        assert work.forked() == self.forked, "the worker was to be another kind of process"
        images = self.images[index]
        results = [cheq.equalize(images, method=method) for method in cheq._methods.METHODS]
        return [cheq.equalize(images, num_threads=2), *results]


def case_dataloader(method):
    """DataLoader with workers, after a parallel call in the parent and before the next one."""
    try:
        import torch
    except ImportError as error:
        print(f"SKIP: PyTorch cannot be imported: {error}")
        return
    from PIL import Image, ImageOps
    from skimage import exposure

    from cheq.bench.peers import recipe

    os.environ["OMP_WAIT_POLICY"] = "passive"
    images = np.stack([batch for batch, *_ in WORK[:1]] * 4)[:, :24]
    right = {
        "opencv": cv2.equalizeHist,
        "pillow": lambda plane: np.asarray(ImageOps.equalize(Image.fromarray(plane))),
        "skimage": exposure.equalize_hist,
        "numpy": lambda plane: recipe(plane)[0],
    }
    opencv, *others = [np.stack([answer(plane) for plane in images[0]]) for answer in right.values()]
    run_parallel_region()
    torch.set_num_threads(2)
    torch.ones(2000, 2000).sum()
    for _ in range(3 if method == "fork" else 1):
        loader = torch.utils.data.DataLoader(
            Batches(images, method == "fork"),
            batch_size=None,
            num_workers=2,
            multiprocessing_context=method,
            timeout=3 * CHILD_LIMIT,
            collate_fn=as_they_are,
        )
        batches = list(loader)
        assert len(batches) == len(images)
        for batch in batches:
            for result, expected in zip(batch, [opencv, opencv, *others], strict=True):
                assert np.array_equal(result, expected), "wrong bytes in a worker"
        run_parallel_region()


def as_they_are(batch):
    return batch


# ---------------------------------------------------------------- cases: what a fork may cut short


def case_imports():
    """No call imports a module, not even for a mask, an error or another dtype."""
    program = """
import sys
import numpy as np
import cheq
from cheq import recipes

images = np.random.default_rng(0).integers(0, 200, (4, 30, 41), np.uint8)
color, mask = np.stack([images] * 3, -1), images > 50
before = set(sys.modules)
for method in cheq._methods.METHODS:
    cheq.equalize(list(images), method=method, mask=mask.tolist())
for dtype in (">u2", "i2", "f4", "f8"):
    cheq.equalize(images.astype(dtype), method="skimage", mask=mask, dtype="same")
    recipes.image_histogram_equalization(images.astype(dtype))
cheq.equalize(mask, method="skimage")
cheq.equalize(images, out=images.view(type("Sub", (np.ndarray,), {})))
cheq.equalize(images[:3], out=images[1:])
cheq.equalize(color, color="ycrcb", channel_axis=-1, mask=mask)
for dtype in ("u1", ">u2", "i2", "f4"):
    cheq.match_histograms(images.astype(dtype), images[1].astype(dtype), mask=mask, dtype="same")
cheq.match_histograms(color, color[:1], color="lab", channel_axis=-1, mask=mask)
cheq.matching_lut(cheq.histogram(images), np.ones(256))
cheq.clahe(list(images), clip_limit=[1, 2, 3, 4], mask=mask.tolist())
for method in ("opencv", "pillow", "skimage"):
    cheq.rgb_to_gray(color, method=method)
cheq.apply_lut(images, cheq.equalization_lut(cheq.histogram(images, mask=mask)))
cheq.equalization_lut(cheq.histogram(images) ** 0.5, method="numpy")
cheq.cumulative_distribution(images)
cheq.cumulative_distribution(images / 200)
cheq.otsu_threshold(images)
cheq.binarize(images, [1, 2, 3, 2**70])
recipes.histogram_equalize(color)
for wrong in ({"num_threads": 1.0}, {"out": [1]}, {"mask": images}, {"method": "cv"}, {"axes": 9}):
    try:
        cheq.equalize(images, **wrong)
    except (TypeError, ValueError):
        continue
    raise AssertionError(wrong)
print(*sorted(set(sys.modules) - before))
"""
    import subprocess

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert not told.stdout.strip(), f"imported during calls: {told.stdout}"


if __name__ == "fork_cases":
    run_parallel_region()

if __name__ == "__main__":
    # CPython 3.12 and later warn of exactly what is tested here.
    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
    globals()[f"case_{sys.argv[1]}"](*sys.argv[2:])
