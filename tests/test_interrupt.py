"""A long call answers Ctrl-C, leaves every plane whole or untouched, and lets other signal handlers run.

The calls are in interrupt_cases.py; each runs in a process of its own.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from interrupt_cases import FRESH, METHODS
from marks import exhaustive

pytestmark = pytest.mark.process

INTERRUPTS = Path(__file__).with_name("interrupt_cases.py")
no_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to one process")


def start(case, threads):
    """Start a case with the slowest kernels, so that its call is a long one on a fast machine too."""
    return subprocess.Popen(
        [sys.executable, str(INTERRUPTS), case, str(threads)],
        env={**os.environ, "CHEQ_KERNEL": "scalar"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(process, limit=120):
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"did not end within {limit} s: {process.communicate()}")
    assert process.returncode == 0, errors
    return output


@no_signals
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.exhaustive), 2])
@pytest.mark.parametrize(
    "case",
    [
        "equalize large",
        "clahe_skimage_bins",
        "slow_layout",
        "method match_float32",
        *exhaustive(
            "equalize small",
            "clahe large",
            "histogram",
            "equalize tiny",
            "equalize in_place",
            "clahe small",
            "clahe in_place",
            "clahe_skimage_large",
            "gray_as_skimage",
            *(f"method {name}" for name in METHODS if name != "match_float32"),
        ),
    ],
)
def test_ctrl_c_ends_a_long_call_within_a_second(case, threads):
    for _ in range(5):
        told, waited, rest = interrupted(case, threads)
        assert told == "interrupted\n"
        assert waited < 1.5  # a chunk is 0.1 s; the rest is allowed to a busy machine
        if "too early" not in rest:
            return
    pytest.fail("five times nothing was done before the interrupt")


@pytest.mark.skipif(sys.platform != "linux", reason="what is written is seen in files that only Linux has")
@pytest.mark.parametrize("name", ["opencv", *exhaustive(*(name for name in FRESH if name != "opencv"))])
def test_a_new_array_is_left_half_written(name):
    """Whose plane is too large to be finished first."""
    assert end(start(f"fresh {name}", 2)) == "started\ninterrupted\n"


def interrupted(case, threads):
    """Interrupt one call; return what the process said, the seconds it took to, and what it said then."""
    process = start(case, threads)
    assert process.stdout.readline() == "started\n", process.communicate()
    time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    sent = time.monotonic()
    told = process.stdout.readline()
    return told, time.monotonic() - sent, end(process)


@no_signals
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", ["handler_returns", "handler_raises"])
def test_signal_handlers_run_during_a_long_call(case, threads):
    end(start(case, threads))
