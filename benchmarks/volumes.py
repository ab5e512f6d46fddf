"""A volume goes from zarr to zarr, equalized, in several ways: their CPU time, and the memory of all their processes.

    python benchmarks/volumes.py [GIB [NAME...]]

The volume has so many GiB, or 2, in chunks of 16 MiB; below 1 the chunks are smaller, and 0.01 takes two minutes. Names
choose contestants. Those with dask have two worker processes of one thread each. Each contestant runs in processes of
its own, and what it writes is compared before its row is printed.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import dask.array as da
import distributed
import numpy as np
import psutil
import skimage.exposure
import zarr

import cheq
import cheq.dask

SIDE = 256  # of a chunk: 16 MiB
LIMIT = 300  # seconds
GIB = 1 << 30
VOLUME = (0, 1, 2)


class Contestant(NamedTuple):
    """What is run, what its result is to be equal to, and how much of the volume it gets."""

    run: Callable[[Any], Any]
    like: str
    share: float = 1.0
    on_workers: bool = True


def bincount(images: da.Array) -> da.Array:
    counts = da.bincount(images.ravel(), minlength=256).compute()
    lut = cheq.equalization_lut(counts)  # the same formula; what is compared is counting and looking up
    return images.map_blocks(lambda block: lut[block], dtype=np.uint8)


def by_cv2(block: Any) -> Any:
    return np.stack([cv2.equalizeHist(plane) for plane in block])


def by_skimage(block: Any) -> Any:
    return np.stack([np.rint(skimage.exposure.equalize_hist(plane) * 255).astype(np.uint8) for plane in block])


def recipe(images: da.Array) -> da.Array:
    low, high = (int(end) for end in da.compute(images.min(), images.max()))
    counts, edges = da.histogram(images, bins=256, range=(low, high))
    counts = counts.compute()
    sums = np.cumsum(counts / np.diff(edges) / counts.sum())
    return images.map_blocks(lambda block: np.interp(block, edges[:-1], 255 * sums / sums[-1]), dtype=np.float64)


def planes(images: da.Array) -> da.Array:
    return images.rechunk((max(1, images.chunksize[0] // 64), -1, -1))


def rechunked(function: Callable[[Any], Any], images: da.Array) -> da.Array:
    return planes(images).map_blocks(function, dtype=np.uint8)


whole = partial(cheq.dask.equalize, axes=VOLUME)
levels = partial(cheq.dask.equalize, method="skimage", dtype="same")
CONTESTANTS = {
    "cheq in memory": Contestant(partial(cheq.equalize, axes=VOLUME), "volume", on_workers=False),
    "cheq.dask, one LUT": Contestant(whole, "volume"),
    "cheq.dask, one LUT, lazy=True": Contestant(partial(whole, lazy=True), "volume"),
    "da.bincount, lut[block]": Contestant(bincount, "volume"),
    "cheq.dask, a LUT a plane": Contestant(cheq.dask.equalize, "planes"),
    "cheq.dask, a LUT a plane, lazy=True": Contestant(partial(cheq.dask.equalize, lazy=True), "planes"),
    "rechunk, cheq.dask a plane": Contestant(lambda images: cheq.dask.equalize(planes(images)), "planes"),
    "rechunk, cv2 a plane": Contestant(partial(rechunked, by_cv2), "planes"),
    "half of it: cheq.dask as scikit-image, a LUT a plane": Contestant(levels, "skimage", 0.5),
    "half of it: rechunk, scikit-image a plane": Contestant(partial(rechunked, by_skimage), "skimage", 0.5),
    "half of it: cheq.dask as np.interp, one LUT": Contestant(partial(whole, method="numpy"), "numpy", 0.5),
    "half of it: da.histogram, np.interp": Contestant(recipe, "numpy", 0.5),
}


def shape_of(gib: float) -> tuple[tuple[int, int, int], int]:
    """The volume's shape, and a chunk's side."""
    side = SIDE if gib >= 1 else max(4, round(SIDE * gib ** (1 / 3)))
    return (max(1, round(gib)) * side, 8 * side, 8 * side), side


def make(path: Path, gib: float) -> None:
    """Write a volume of noise on a slope, which a compressor makes about a third smaller."""
    shape, side = shape_of(gib)
    volume = zarr.create_array(path, shape=shape, chunks=(side,) * 3, dtype=np.uint8)
    random = np.random.default_rng(0)
    slope = np.linspace(0, 120, shape[1], dtype=np.uint8)[:, np.newaxis]
    for z in range(0, shape[0], side):
        volume[z : z + side] = random.integers(0, 90, (side, *shape[1:]), np.uint8) + slope


# ---------------------------------------------------------------- one contestant, in a process of its own


def cpu(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def run_one(name: str, source: str, target: str) -> None:
    """Print the seconds of CPU of this process and its workers while they work, and the seconds that passed."""
    contestant, me = CONTESTANTS[name], psutil.Process()
    volume = zarr.open_array(source, mode="r")
    if contestant.on_workers:
        workers = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        client = distributed.Client(workers)
    before, start = cpu(me), time.perf_counter()
    if contestant.on_workers:
        images = da.from_zarr(volume)
        images = images[: max(1, round(images.shape[0] * contestant.share))]
        contestant.run(images).to_zarr(target)
    else:
        result = contestant.run(volume[...])
        zarr.create_array(target, shape=result.shape, chunks=volume.chunks, dtype=result.dtype)[...] = result
    print(json.dumps({"cpu": cpu(me) - before, "wall": time.perf_counter() - start}), flush=True)
    if contestant.on_workers:
        client.close()
        workers.close()


# ---------------------------------------------------------------- all of them


def memory(process: psutil.Process) -> int:
    """Bytes of a process and its children; what they share counts once (where the system tells: Linux)."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            info = each.memory_full_info()
            total += getattr(info, "pss", info.uss)
        except psutil.Error:  # it has ended
            pass
    return total


def measure(name: str, source: Path, target: Path) -> dict[str, float] | None:
    """Run a contestant; None if it takes too long."""
    command = [sys.executable, __file__, "--one", name, str(source), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        process, start, peak = psutil.Process(running.pid), time.perf_counter(), 0
        while running.poll() is None:
            if time.perf_counter() - start > LIMIT:
                for each in (*process.children(recursive=True), process):
                    each.kill()
                return None
            peak = max(peak, memory(process))
            time.sleep(0.02)
        assert running.stdout is not None
        output = running.stdout.read()
    if running.returncode:
        raise SystemExit(f"{name} failed")
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return {**found, "peak": peak / GIB}


def checksums(path: Path) -> list[int]:
    """One of each slab, whatever the chunks."""
    array, side = zarr.open_array(path, mode="r"), 64
    return [zlib.crc32(np.ascontiguousarray(array[z : z + side])) for z in range(0, array.shape[0], side)]


def main(gib: float, names: list[str]) -> None:
    chosen = {name: CONTESTANTS[name] for name in names or CONTESTANTS}
    seen: dict[str, list[int]] = {}
    shape, side = shape_of(gib)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        source, target = Path(folder, "in.zarr"), Path(folder, "out.zarr")
        make(source, gib)
        print(f"| {np.prod(shape) / GIB:.3g} GiB of uint8, {shape}, in chunks of {side} | CPU s | peak GiB | s |")
        print("| --- | ---: | ---: | ---: |")
        for name, contestant in chosen.items():
            found = measure(name, source, target)
            if found is None:
                print(f"| {name} | not done in {LIMIT} s | | |", flush=True)
            else:
                sums = checksums(target)
                if seen.setdefault(contestant.like, sums) != sums:
                    raise SystemExit(f"{name} gives other bytes")
                print(f"| {name} | {found['cpu']:.1f} | {found['peak']:.2f} | {found['wall']:.0f} |", flush=True)
            shutil.rmtree(target, ignore_errors=True)
    libraries = ("dask", "distributed", "zarr", "numpy", "opencv-python-headless", "scikit-image")
    versions = ", ".join(f"{each} {version(each)}" for each in libraries)
    cores, system = psutil.cpu_count(), f"{platform.system()} {platform.machine()}"
    cpu_name = cheq.show_config("dicts")["cpu"]["name"]
    print(f"\n{cpu_name}, {cores} cores, {system}, Python {platform.python_version()}, cheq {cheq.__version__},")
    print(f"{versions}; {date.today()}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(*sys.argv[2:])
    else:
        main(float(sys.argv[1]) if sys.argv[1:] else 2.0, sys.argv[2:])
