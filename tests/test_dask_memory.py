"""Are few chunks in memory at a time, where one plane spans all of them? On threads and on workers of a cluster."""

import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import cheq

pytestmark = pytest.mark.worlds
pytest.importorskip("dask.array", reason="dask[array] is not installed")

import dask  # noqa: E402
import dask.array as da  # noqa: E402

import cheq.dask  # noqa: E402

SHAPE, CHUNKS = (64, 64, 64), (16, 16, 16)  # 64 chunks
PLANE = {"axes": (0, 1, 2)}
REFERENCE = np.random.default_rng(4).integers(0, 99, (8, 8, 8), np.uint8)


class Counter:
    """How many chunks of images there are, were at most, and have been made, in this process."""

    def __init__(self):
        self.alive, self.most, self.made, self.lock = 0, 0, 0, threading.Lock()

    def add(self, chunk):
        with self.lock:
            self.made += 1
            self.alive += 1
            self.most = max(self.most, self.alive)
        weakref.finalize(chunk, self.gone)

    def gone(self):
        with self.lock:
            self.alive -= 1


counter = Counter()


def images_of(dtype):
    chunks = tuple((16,) * 4 for _ in SHAPE)
    return da.map_blocks(make, dtype, chunks=chunks, dtype=dtype, meta=np.empty((0, 0, 0), dtype))


def make(dtype, block_id):
    """A module's function is pickled by its name, so that workers that are threads count here too."""
    chunk = np.random.default_rng(block_id).integers(0, 1 + sum(block_id) * 20, CHUNKS).astype(dtype)
    counter.add(chunk)
    return chunk


CALLS = {
    "uint8": lambda x, **how: cheq.dask.equalize(x, **PLANE, **how),
    "uint16": lambda x, **how: cheq.dask.equalize(x, **PLANE, method="skimage", mask=np.arange(64) > 3, **how),
    "float32": lambda x, **how: cheq.dask.equalize(x, **PLANE, method="skimage", **how),
    "int16": lambda x, **how: cheq.dask.match_histograms(x, REFERENCE.astype(np.int16), **PLANE, **how),
}


def summed(call, dtype, **how):
    """The most chunks alive at a time, how often each was made, and a sum of each chunk of the result."""
    global counter
    counter = Counter()
    result = call(images_of(dtype), **how)
    sums = result.map_blocks(
        lambda block: block.sum(keepdims=True, dtype=float), chunks=(1, 1, 1), dtype=float
    ).compute()
    assert sums.shape == (4, 4, 4)
    assert len(np.unique(sums)) > 9
    return counter.most, counter.made / 64, sums


@pytest.mark.parametrize("dtype", CALLS)
def test_few_chunks_are_alive_at_a_time(dtype):
    with dask.config.set(scheduler="threads", num_workers=2):
        most, reads, result = summed(CALLS[dtype], dtype)
        assert most <= 8
        assert reads == (3 if dtype == "float32" else 2)
        lazy_most, lazy_reads, lazy_result = summed(CALLS[dtype], dtype, lazy=True)
    assert lazy_most == 64  # what the counting above would show
    assert lazy_reads == 1
    np.testing.assert_array_equal(result, lazy_result)


def test_few_chunks_of_whole_planes_are_alive_at_a_time():
    with dask.config.set(scheduler="threads", num_workers=2):
        most, reads, _ = summed(lambda x: cheq.dask.clahe(x.rechunk((16, -1, -1))).rechunk(CHUNKS), "uint8")
    assert most <= 34  # sixteen make a chunk of whole planes
    assert reads == 1


# ---------------------------------------------------------------- workers


@pytest.fixture(scope="module")
def distributed():
    return pytest.importorskip("distributed", reason="distributed is not installed")


@pytest.fixture
def workers(distributed):
    """Two workers that are threads of this process, where chunks can be counted."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def cluster(distributed):
    """Two worker processes."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_few_chunks_are_alive_on_workers(request, dtype):
    """The two passes must not meet there: the second is submitted when the first is over."""
    with dask.config.set(scheduler="synchronous"):
        _, _, expected = summed(CALLS[dtype], dtype)
    request.getfixturevalue("workers")
    most, reads, result = summed(CALLS[dtype], dtype)
    assert most <= 8
    assert reads == (3 if dtype == "float32" else 2)
    np.testing.assert_array_equal(result, expected)


def test_luts_stay_on_the_cluster(cluster, distributed):
    array = np.random.default_rng(0).integers(0, 3000, (4, 60, 60), np.uint16)
    result = cheq.dask.equalize(da.from_array(array, chunks=(2, 30, 30)))
    futures = distributed.futures_of(result)
    assert len(futures) == 2
    assert all(future.done() for future in futures)
    np.testing.assert_array_equal(result.compute(), cheq.equalize(array))


def test_errors_are_raised_at_the_call_on_a_cluster(cluster):
    images = da.from_array(np.full((8, 8), np.nan), chunks=4)
    with pytest.raises(ValueError, match="images: expected finite values, got NaN; pass nan_policy='omit'"):
        cheq.dask.equalize(images, method="numpy")


def test_from_zarr_to_zarr(cluster, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    array = np.random.default_rng(0).integers(0, 90, (40, 50, 60), np.uint8)
    source = zarr.create_array(tmp_path / "in.zarr", shape=array.shape, chunks=(16, 16, 16), dtype=array.dtype)
    source[...] = array
    images = da.from_zarr(source)
    target = zarr.create_array(tmp_path / "out.zarr", shape=array.shape, chunks=(16, 16, 16), dtype=array.dtype)
    da.store(cheq.dask.equalize(images, **PLANE), target, lock=False)
    np.testing.assert_array_equal(target[...], cheq.equalize(array, **PLANE))
    cheq.dask.equalize(images.rechunk((1, -1, -1)), method="pillow").to_zarr(tmp_path / "planes.zarr")
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "planes.zarr")[...], cheq.equalize(array, method="pillow"))


def test_progress_of_distributed(cluster, distributed, capsys):
    images = da.random.default_rng(0).integers(0, 90, (40, 50, 60), dtype=np.uint8, chunks=20)
    result = cheq.dask.equalize(images, **PLANE).persist()
    distributed.progress(result, notebook=False)
    distributed.wait(result)
    assert "Completed" in capsys.readouterr().out


def test_the_benchmark_runs(tmp_path):
    """A small volume; the workers' memory is measured, and their bytes are compared, as with a large one."""
    for name in ("zarr", "distributed"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    script = Path(__file__).parent.parent / "benchmarks" / "volumes.py"
    command = [sys.executable, str(script), "0.0002", "cheq in memory", "cheq.dask, one LUT"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    head, _, in_memory, by_dask, *_ = done.stdout.splitlines()
    assert head.startswith("| 0.00")
    assert [row.split(" | ")[0] for row in (in_memory, by_dask)] == ["| cheq in memory", "| cheq.dask, one LUT"]
    assert not any(tmp_path.iterdir())
