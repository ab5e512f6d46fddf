"""Does a kernel touch a byte outside its arrays? The cases are in kernel_guard_cases.py: a fault ends their process."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernels

CASES = Path(__file__).with_name("kernel_guard_cases.py")


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mprotect; guard bytes are still tested")
def test_no_kernel_touches_a_byte_outside(kernel):
    command = [sys.executable, str(CASES), kernel]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.stdout.strip() == f"passed with {kernel}", f"ended with {result.returncode}:\n{result.stderr}"
