"""What the tests of the parity check share: a suite of a few inputs, and planted faults."""

import numpy as np

import cheq
from cheq._core import dispatch
from cheq.parity import checking, machine, references, suite

REQUIRED = ("cv2", "Pillow", "scikit-image", "NumPy")  # by the extra `test`
KERNELS = [name for name, runs in dispatch.kernels().items() if runs]
several_threads = machine.threads
PIXELS = np.random.default_rng(1).integers(40, 160, (31, 67), np.uint8)


def only_a_few(monkeypatch, folder):
    """A suite of a few inputs of every dtype, in a folder.

    Without the libraries that are slow to import, and on one thread: teams wait long where other programs run.
    """
    wanted = (
        "kinds of pixels: dark, {}, 31 x 67", "batches: normal, {}, 5 x 28 x 28", "masks: random, uniform, {}",
        "colors: uniform, {}, 1 x 97 x 3", "floats: standard normal, {}, 10 bins",
        "tiles: dark, {}, 31 x 67, clip limit 2.0, grid (2, 2)", "tiles: 2 x 40 x 70 x 4, channel_axis=-1, {}",
        "adapted tiles: dark, {}, 31 x 67, clip limit 0.03, tiles of (8, 5), 256 bins",
        "adapted tiles: volumes, {}, tiles of None",
    )  # fmt: skip
    names = {name.format(dtype) for name in wanted for dtype in suite.ALL}
    cases = [case for case in suite.cases() if case.name in names]
    assert len(cases) > 20
    monkeypatch.chdir(folder)
    monkeypatch.setattr(suite, "cases", lambda: cases)
    monkeypatch.setattr(checking, "find", lambda: references.find(REQUIRED))
    monkeypatch.setattr(machine, "threads", lambda: ((1,), []))
    return folder


def compared(result):
    """What was compared, as far as it differed."""
    return {row.compared for row in result.rows if row.mismatches}


def plant(monkeypatch, name, change, where=lambda options: True):
    """Change the result of one of cheq's functions, wherever a condition on the call's options holds."""
    module = cheq.recipes if "." in name else cheq
    name = name.rpartition(".")[2]
    right = getattr(module, name)

    def wrong(*arguments, **options):
        result = right(*arguments, **options)
        return change(result) if where(options) else result

    monkeypatch.setattr(module, name, wrong)


def one_byte(result):
    """Change the last bit of the last pixel of a C-contiguous result."""
    result.reshape(-1).view(np.uint8)[-1] ^= 1
    return result
