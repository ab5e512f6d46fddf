"""No answer depends on the floating-point control that others have set, and they have theirs again afterwards."""

import contextlib
import ctypes
import platform
import shutil
import subprocess
import sys
import threading

import every_call
import numpy as np
import pytest

import cheq

pytestmark = pytest.mark.process

MACHINE = {"x86_64": "x86", "AMD64": "x86", "aarch64": "arm", "arm64": "arm"}.get(platform.machine())
ROUNDING = {"x86": {"down": 0x2000, "up": 0x4000}, "arm": {"up": 1 << 22, "down": 2 << 22}}
FLAGS = 0x3F  # on x86: what has happened, such as a rounding
FLUSH = {"x86": 0x8040, "arm": 1 << 24}  # results, and on x86 operands too

# All of the control, which C has no functions for.
CONTROL = """
#if defined(__x86_64__)
#include <immintrin.h>
unsigned long get(void) { return _mm_getcsr(); }
void set(unsigned long value) { _mm_setcsr((unsigned)value); }
#else
unsigned long get(void) { unsigned long value; __asm__ volatile("mrs %0, fpcr" : "=r"(value)); return value; }
void set(unsigned long value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#endif
"""


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    """``get`` and ``set`` of this thread's control."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if MACHINE is None or sys.platform == "win32" or not compiler:
        pytest.skip(f"no C compiler, or nothing is known of the control of {platform.machine()} on {sys.platform}")
    source = tmp_path_factory.mktemp("control") / "control.c"
    source.write_text(CONTROL)
    library = source.with_suffix(".so")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.get.restype, loaded.set.argtypes = ctypes.c_ulong, [ctypes.c_ulong]
    return loaded


MODES = {
    "rounding up": lambda: ROUNDING[MACHINE]["up"],
    "rounding down and flushing denormals": lambda: ROUNDING[MACHINE]["down"] | FLUSH[MACHINE],
}


@contextlib.contextmanager
def changed(control, bits):
    before = control.get()
    control.set(before | bits)
    try:
        yield
        after = control.get()
    finally:
        control.set(before)
    assert after & ~FLAGS == (before | bits) & ~FLAGS


def assert_same(given, expected, name):
    given, expected = ((each if isinstance(each, tuple) else (each,)) for each in (given, expected))
    for one, other in zip(given, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True, err_msg=name)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.exhaustive), 3])
def test_no_call_is_changed_by_the_control_nor_changes_it(control, mode, threads, kernel):
    bits = MODES[mode]()
    for name, call in every_call.calls(threads):
        expected = call()
        with changed(control, bits):
            given = call()
        assert_same(given, expected, name)


@pytest.mark.parametrize("mode", MODES)
def test_what_numpy_computes_is_changed(control, mode):
    """The control is really another one: NumPy, asked for the same, gives something else."""
    values = np.arange(1.0, 50.0)
    expected = values / 7
    with changed(control, MODES[mode]()):
        given = values / 7
    assert not np.array_equal(given, expected)


@pytest.mark.parametrize("method", ["skimage", "numpy"])
@pytest.mark.parametrize("scale", [1.0, 1e-39])
def test_a_team_started_while_denormals_are_flushed(control, kernel, method, scale):
    """Its threads take the control of the one that starts them, and keep it for later calls."""
    images = (np.random.default_rng(0).random((20, 96, 96)) * scale).astype(np.float32)
    expected = cheq.equalize(images, method=method, num_threads=1)
    given = []

    def later():
        with changed(control, FLUSH[MACHINE]):
            cheq.equalize(images + 1, method=method, num_threads=3)
        given.append(cheq.equalize(images, method=method, num_threads=3))

    caller = threading.Thread(target=later)  # which has no team yet
    caller.start()
    caller.join()
    np.testing.assert_array_equal(given[0], expected, strict=True)
