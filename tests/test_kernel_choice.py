"""Which kernel is used: the best that the CPU runs, or the one that CHEQ_KERNEL names; other names are errors."""

import os
import shutil
import subprocess
import sys

import pytest

import cheq
from cheq import _config
from cheq._core import dispatch

pytestmark = pytest.mark.kernels

BUILT = list(dispatch.kernels())
AVAILABLE = [name for name, runs in dispatch.kernels().items() if runs]
REPORT = "import cheq; print(cheq.show_config(mode='dicts')['kernels'])"
UNKNOWN = ("sse2", "AVX2", " scalar", "scalar,avx2", "0", "best")


def python(code, kernel, *before):
    """A new interpreter's result with CHEQ_KERNEL set to ``kernel``, or without it; warnings are errors."""
    environment = {name: value for name, value in os.environ.items() if name != "CHEQ_KERNEL"}
    if kernel is not None:
        environment["CHEQ_KERNEL"] = kernel
    command = [*before, sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def restored():
    """Leave the kernel as it was found."""
    before = dispatch.kernel()
    yield
    dispatch.use_kernel(before)


@pytest.fixture
def lesser_cpu(restored):
    """A CPU that lacks the instructions of every kernel but the scalar one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "kernels", lambda: {"scalar": True, "avx2": False, "avx512": False})
        yield


# ---------------------------------------------------------------- at import


def test_the_scalar_kernel_is_always_there():
    assert BUILT[0] == "scalar"
    assert AVAILABLE[0] == "scalar"


def test_a_cpu_with_every_feature_runs_every_kernel():
    if not all(dispatch.features().values()):
        pytest.skip("this CPU lacks a feature that a kernel needs")
    assert AVAILABLE == BUILT


@pytest.mark.parametrize("name", AVAILABLE)
def test_the_environment_names_the_kernel(name):
    result = python(REPORT, name)
    assert result.stdout.strip() == str({"available": AVAILABLE, "chosen": name}), result.stderr


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_name_the_best_is_chosen(name):
    result = python(REPORT, name)
    assert result.stdout.strip() == str({"available": AVAILABLE, "chosen": AVAILABLE[-1]}), result.stderr


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_is_a_value_error_at_import(name):
    result = python("import cheq", name)
    expected = f"ValueError: CHEQ_KERNEL: kernel: expected one of {', '.join(map(repr, BUILT))}; got {name!r}"
    assert result.stderr.splitlines()[-1] == expected
    assert result.returncode == 1


def test_the_environment_is_read_at_import_only(monkeypatch):
    monkeypatch.setenv("CHEQ_KERNEL", "nonsense")
    before = dispatch.kernel()
    cheq.show_config()
    assert dispatch.kernel() == before


@pytest.mark.parametrize("name", [name for name in BUILT if name not in AVAILABLE] or [None])
def test_a_kernel_that_this_cpu_lacks_is_a_runtime_error_at_import(name):
    if name is None:
        pytest.skip("this CPU runs every kernel; a pretended and an emulated lesser CPU are tested")
    expected = f"RuntimeError: CHEQ_KERNEL: kernel: this CPU lacks the instructions of {name!r}"
    assert python("import cheq", name).stderr.splitlines()[-1].startswith(expected)


@pytest.mark.exhaustive
def test_an_emulated_cpu_without_avx512():
    """Valgrind's CPU has AVX2 at most."""
    if not shutil.which("valgrind") or "avx512" not in AVAILABLE:
        pytest.skip("needs valgrind, and a CPU with AVX-512 to tell the difference")
    emulator = ("valgrind", "--tool=none", "--log-file=/dev/null")
    result = python(REPORT, None, *emulator)
    assert result.stdout.strip() == str({"available": ["scalar", "avx2"], "chosen": "avx2"}), result.stderr
    expected = "RuntimeError: CHEQ_KERNEL: kernel: this CPU lacks the instructions of 'avx512'"
    assert python("import cheq", "avx512", *emulator).stderr.splitlines()[-1].startswith(expected)


# ---------------------------------------------------------------- a CPU that lacks kernels, pretended


@pytest.mark.usefixtures("lesser_cpu")
@pytest.mark.parametrize("name", ["avx2", "avx512"])
def test_a_kernel_that_is_lacking_is_a_runtime_error(monkeypatch, name):
    before = dispatch.kernel()
    monkeypatch.setenv("CHEQ_KERNEL", name)
    message = f"CHEQ_KERNEL: kernel: this CPU lacks the instructions of '{name}'; it has those of 'scalar'"
    with pytest.raises(RuntimeError) as raised:
        _config.choose_kernel()
    assert str(raised.value) == message
    assert dispatch.kernel() == before


@pytest.mark.usefixtures("lesser_cpu")
def test_the_best_is_chosen_of_what_the_cpu_runs(monkeypatch):
    monkeypatch.delenv("CHEQ_KERNEL", raising=False)
    _config.choose_kernel()
    assert dispatch.kernel() == "scalar"
    assert cheq.show_config(mode="dicts")["kernels"] == {"available": ["scalar"], "chosen": "scalar"}


# ---------------------------------------------------------------- in a test


@pytest.mark.usefixtures("restored")
def test_use_kernel():
    for name in [*AVAILABLE, *AVAILABLE[::-1]]:
        dispatch.use_kernel(name)
        assert dispatch.kernel() == name
        assert cheq.show_config(mode="dicts")["kernels"] == {"available": AVAILABLE, "chosen": name}
    for name in (*UNKNOWN, "", None):
        with pytest.raises(ValueError, match="kernel: expected one of 'scalar'"):
            dispatch.use_kernel(name)
        assert dispatch.kernel() == AVAILABLE[0]
