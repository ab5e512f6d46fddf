"""What a check runs on: the processor, the kernels that it has, the threads."""

import platform

import cheq
from cheq import _threads
from cheq._core import dispatch


def cpu() -> str:
    """The processor's name, as the system gives it."""
    return f"{cheq.show_config(mode='dicts')['cpu']['name']} ({platform.machine()}, {platform.system()})"


def kernels() -> tuple[tuple[str, ...], list[str]]:
    """The kernels that run here, and a line for each that does not."""
    found = dispatch.kernels()
    lacking = [f"kernel {name}: this CPU lacks its instructions" for name, runs in found.items() if not runs]
    return tuple(name for name, runs in found.items() if runs), lacking


def threads() -> tuple[tuple[int, ...], list[str]]:
    """The numbers of threads to run on: one, and all; and a line where there cannot be several."""
    if _threads.resolve(2) == 1 or not cheq.show_config(mode="dicts")["openmp"]["enabled"]:
        return (1,), [f"several threads: {_threads.reason()}"]
    return (1, max(2, _threads.resolve(None))), []


def versions() -> dict[str, str]:
    """Of cheq and Python."""
    return {"cheq": cheq.__version__, "Python": platform.python_version()}
