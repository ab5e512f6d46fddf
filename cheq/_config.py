"""What this build of cheq is and what it uses on this machine."""

import os
import platform
import re
import sys
from typing import Any, Literal, overload

from cheq import _cgroups, _threads
from cheq._core import dispatch, work
from cheq._version import __version__


def choose_kernel() -> None:
    """Use the kernels that the environment variable CHEQ_KERNEL names, else the best this CPU can run."""
    name = os.environ.get("CHEQ_KERNEL") or [name for name, runs in dispatch.kernels().items() if runs][-1]
    try:
        dispatch.use_kernel(name)
    except (ValueError, RuntimeError) as error:
        told = f"CHEQ_KERNEL: {error}"
        # The command cannot catch what ends the import of its own package.
        if sys.argv[:1] == ["-m"] or os.path.basename(sys.argv[0]) == "cheq":
            sys.exit(f"cheq: {told}")
        raise type(error)(told) from None


def cpu_name() -> str:
    """Return the processor's name as the system gives it, or its kind where it gives none."""
    found = re.search(r"^model name\s*: (.+)$", _cgroups.read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any] | None:
    """
    Print or return the version, the compiler, the CPU, OpenMP, the kernels and the thread count.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Print the configuration, or return it as a dictionary of dictionaries.

    Returns
    -------
    dict or None
        With ``mode="dicts"``: ``version``, ``compiler``, ``cpu`` (``name``, ``features``: instruction sets that the
        kernels ask for, and whether they are there), ``openmp`` (``enabled``, ``version``), ``kernels``
        (``available``, ``chosen``) and ``threads`` (``count``: of a large call without `num_threads` now, ``reason``,
        ``most``: its count where no other program runs).

    Raises
    ------
    ValueError
        If `mode` is another one.
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode: expected 'stdout' or 'dicts', got {mode!r}")
    openmp = work.openmp_version()
    available = [name for name, runs in dispatch.kernels().items() if runs]
    config = {
        "version": __version__,
        "compiler": dispatch.compiler(),
        "cpu": {"name": cpu_name(), "features": dispatch.features()},
        "openmp": {"enabled": bool(openmp), "version": openmp or None},
        "kernels": {"available": available, "chosen": dispatch.kernel()},
        "threads": {"count": _threads.resolve(None), "reason": _threads.reason(), "most": _threads.most()},
    }
    if mode == "dicts":
        return config
    print(_as_text(config))
    return None


def _as_text(config: dict[str, Any]) -> str:
    openmp, kernels, threads = config["openmp"], config["kernels"], config["threads"]
    features = " ".join(name for name, here in config["cpu"]["features"].items() if here)
    has = f" ({features})" if features else ""
    return "\n".join(
        [
            f"cheq      {config['version']}",
            f"compiler  {config['compiler']}",
            f"CPU       {config['cpu']['name']}{has}",
            f"OpenMP    {openmp['version'] if openmp['enabled'] else 'no: built for one thread'}",
            f"kernels   {kernels['chosen']} (available: {', '.join(kernels['available'])})",
            f"threads   {threads['reason']}",
        ]
    )
