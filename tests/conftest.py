"""Shared by all tests: awkward arrays, real pictures, cv2 to compare with, versions in the report's header."""

import os
import signal
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import settings

import cheq
from cheq import _load
from cheq._core import dispatch

# In the background of a shell SIGINT is ignored, and would be in the processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test but those of _load depends on what else runs on this machine.
_load._CPUS = os.devnull

# The same examples every run; HYPOTHESIS_PROFILE=thorough looks much further.
settings.register_profile("default", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("thorough", derandomize=True, deadline=None, database=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_report_header(config):
    kernel = cheq.show_config(mode="dicts")["kernels"]["chosen"]
    return f"numpy {np.__version__}, cv2 {cv2.__version__}, cheq {cheq.__version__}, kernel {kernel}"


# The files of the mark core: what proves every formula, layout and contract once.
CORE = {
    *("golden", "every_layout", "values", "methods", "method_steps", "steps", "layouts", "out", "float", "float_nan"),
    *("color", "color_memory", "threshold", "recipes", "contract", "method_contract", "steps_contract", "hostile"),
    *("guards", "clahe", "clahe_skimage", "match", "match_contract"),
}


def pytest_ignore_collect(collection_path, config):
    """Leave alone for the core what it has nothing of: seconds of imports."""
    name = collection_path.stem.removeprefix("test_")
    return (config.option.markexpr == "core" and collection_path.suffix == ".py" and name not in CORE) or None


@pytest.hookimpl(tryfirst=True)  # before marks select
def pytest_collection_modifyitems(items):
    for item in items:
        if "kernel" in item.fixturenames:
            item.add_marker(pytest.mark.kernels)
        marks = {mark.name for mark in item.iter_markers()}
        in_core = item.path.stem.removeprefix("test_") in CORE and not marks & {"exhaustive", "long"}
        if in_core and not {"pictures", "crops", "tmp_path"} & set(item.fixturenames):
            item.add_marker(pytest.mark.core)
        elif "kernel" in item.fixturenames and item.callspec.params["kernel"] != dispatch.kernel():
            item.add_marker(pytest.mark.exhaustive)  # beside the core, this CPU's own kernels prove the rest


@pytest.fixture(scope="session", autouse=True)
def outside_the_source_tree(tmp_path_factory):
    """Work elsewhere, so that the interpreters that tests start import the installed cheq and not the unbuilt one."""
    os.chdir(tmp_path_factory.mktemp("elsewhere"))


# ---------------------------------------------------------------- kernels


def _kernels():
    """Every kernel of this build, or the one that CHEQ_KERNEL forces for the run."""
    forced = os.environ.get("CHEQ_KERNEL")
    for name, runs in dispatch.kernels().items():
        if forced in (None, "", name):
            lacking = pytest.mark.skipif(not runs, reason=f"this CPU lacks the instructions of {name}")
            yield pytest.param(name, marks=lacking)


@pytest.fixture(params=_kernels())
def kernel(request):
    """The name of the kernel in use during the test, one after the other."""
    before = dispatch.kernel()
    dispatch.use_kernel(request.param)
    yield request.param
    dispatch.use_kernel(before)


# ---------------------------------------------------------------- cv2


@pytest.fixture(scope="session")
def opencv():
    """Equalize plane by plane, none of them empty, with the installed cv2: ``opencv(images, channel_axis=None)``."""

    def equalize(images, channel_axis=None):
        planes = np.array(images) if channel_axis is None else np.moveaxis(np.array(images), channel_axis, 0)
        flat = np.ascontiguousarray(planes).reshape(-1, *planes.shape[-2:])
        result = np.stack([cv2.equalizeHist(plane) for plane in flat]).reshape(planes.shape)
        return result if channel_axis is None else np.moveaxis(result, 0, channel_axis)

    return equalize


# ---------------------------------------------------------------- the command line


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command in tmp_path."""
    import cli_tools  # needs what the extra cli brings; most tests do not

    monkeypatch.chdir(tmp_path)
    return cli_tools.run


# ---------------------------------------------------------------- real pictures


def _shipped(name):
    """A picture of the scikit-image wheel; a missing file is an error here, never a download."""
    folder = Path(skimage.data.data_dir)
    files = [file for file in folder.iterdir() if file.stem == name]
    assert files, f"scikit-image {skimage.__version__} does not ship {name} in {folder}"
    return getattr(skimage.data, name)()


@pytest.fixture(scope="session")
def pictures():
    """Real pictures by name, uint8 and read-only; ``faces`` is (100, 25, 25), ``astronaut`` HWC, the others HW."""
    loaded = {name: _shipped(name) for name in ("camera", "astronaut", "coins", "moon")}
    loaded["faces"] = np.rint(_shipped("lfw_subset")[:100] * 255).astype(np.uint8)
    for picture in loaded.values():
        assert picture.dtype == np.uint8
        picture.setflags(write=False)
    return loaded


@pytest.fixture(scope="session")
def crops(pictures):
    """(1800, 1, 96, 96): the 100 faces, enlarged four times, and 1700 crops spread over the other pictures."""
    sources = [pictures["camera"], pictures["moon"], pictures["coins"], *np.moveaxis(pictures["astronaut"], -1, 0)]
    windows = [np.lib.stride_tricks.sliding_window_view(source, (96, 96))[::23, ::23] for source in sources]
    found = np.concatenate([window.reshape(-1, 96, 96) for window in windows])
    spread = found[np.linspace(0, len(found) - 1, 1700).astype(int)]
    faces = pictures["faces"].repeat(4, axis=1).repeat(4, axis=2)[:, 2:98, 2:98]
    batch = np.concatenate([faces, spread])[:, np.newaxis]
    batch.setflags(write=False)
    return batch


# ---------------------------------------------------------------- awkward arrays
# Each takes an array of one axis or more and gives an object for the same call: same shape, same dtype, and the same
# values except for "broadcast". Tests compare with the reference for np.array(object).


def _spaced(array, start, step):
    """The values at every ``step``-th place of a larger array whose other places hold different values."""
    large = np.empty([start + step * length for length in array.shape], array.dtype)
    large.view(np.uint8)[...] = 0xA5 if array.dtype != bool else 1
    view = large[tuple(slice(start, None, step) for _ in array.shape)]
    view[...] = array
    return view


def _unaligned(array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def _read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def _memory_mapped(array):
    with tempfile.TemporaryFile() as file:
        file.write(b"header!" + array.tobytes() + b"\0")  # an odd offset, and never an empty file
        file.flush()
        mode = {"mode": "r", "offset": 7, "shape": array.shape}
        return np.memmap(file, array.dtype, **mode) if array.size else array.copy()


class _Subclass(np.ndarray):
    pass


class _ArrayMethod:
    def __init__(self, array):
        self._held = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self._held, dtype=dtype, copy=copy)


class _ArrayInterface:
    def __init__(self, array):
        self._held = array
        self.__array_interface__ = array.__array_interface__


LAYOUTS = {
    "contiguous": np.copy,
    "every second": lambda array: _spaced(array, 0, 2),
    "crop": lambda array: _spaced(array, 3, 1),
    "reversed": lambda array: np.flip(np.flip(array).copy()),
    "reversed and spaced": lambda array: np.flip(_spaced(np.flip(array), 1, 3)),
    "fortran": lambda array: np.asfortranarray(array.copy()),
    "transposed": lambda array: np.moveaxis(np.moveaxis(array, 0, -1).copy(), -1, 0),
    "unaligned": _unaligned,
    "read-only": _read_only,
    "memory-mapped": _memory_mapped,
    "broadcast": lambda array: np.broadcast_to(array[:1].copy(), array.shape),
    "subclass": lambda array: array.copy().view(_Subclass),
    "__array__": lambda array: _ArrayMethod(array.copy()),
    "__array_interface__": lambda array: _ArrayInterface(array.copy()),
    "memoryview": lambda array: memoryview(array.copy()),
}
WRITABLE = list(LAYOUTS)[: list(LAYOUTS).index("unaligned") + 1]


@pytest.fixture(scope="session")
def layouts():
    """All layouts by name, and the names of those that ``out`` can have."""
    return LAYOUTS, WRITABLE


@pytest.fixture(params=LAYOUTS)
def layout(request):
    """One layout after the other."""
    return LAYOUTS[request.param]


@pytest.fixture(params=WRITABLE)
def writable_layout(request):
    """One layout after the other that ``out`` can have."""
    return LAYOUTS[request.param]
