"""Do several OpenMP runtimes in one process, or one that is shared, change a byte or stop a call?

PyTorch, scikit-learn and numba bring a runtime each. The process here calls cheq on two threads and those that are
installed in turn, all in parallel, imported before it or after it. What cheq must give is computed here by cv2.
"""

import importlib.util
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.process

PROGRAM = """
import sys
import numpy as np

def torch():
    import torch
    torch.set_num_threads(2)
    left = torch.arange(512 * 512, dtype=torch.float64).reshape(512, 512)
    return lambda: (left @ left).sum().item()

def sklearn():
    from sklearn.ensemble import HistGradientBoostingClassifier
    table = np.random.default_rng(0).random((2000, 5))
    model = HistGradientBoostingClassifier(max_iter=10, random_state=0)
    return lambda: model.fit(table, table[:, 0] > table[:, 1]).predict_proba(table).tobytes()

def numba():
    import numba
    @numba.njit(parallel=True)
    def add(values):
        total = 0
        for i in numba.prange(len(values)):
            total += values[i]
        return total
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    values = np.arange(1_000_000)
    return lambda: add(values)

def cheq():
    import cheq
    return lambda: cheq.equalize(images, num_threads=2)

images, expected, order = np.load(sys.argv[1]), np.load(sys.argv[2]), sys.argv[3:]
calls = {name: globals()[name]() for name in order}
first = {}
for i in range(5):
    for name, call in calls.items():
        result = call()
        if name == "cheq":
            assert np.array_equal(result, expected), f"round {i}: not the bytes of cv2"
        elif first.setdefault(name, result) != result:
            sys.exit(f"round {i}: {name} gives another result than before")
print(f"{len(calls)} libraries, {i + 1} rounds")
"""

PEERS = [name for name in ("torch", "sklearn", "numba") if importlib.util.find_spec(name)]


@pytest.mark.skipif(not PEERS, reason="neither PyTorch nor scikit-learn nor numba is installed")
@pytest.mark.parametrize("first", [True, False], ids=["cheq first", "cheq last"])
def test_beside_other_openmp_runtimes(first, tmp_path):
    order = ["cheq", *PEERS] if first else [*PEERS, "cheq"]
    images = np.random.default_rng(1).integers(30, 200, (300, 96, 96), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", np.stack([cv2.equalizeHist(image) for image in images]))
    arguments = [tmp_path / "images.npy", tmp_path / "expected.npy", *order]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"{len(order)} libraries, 5 rounds\n"), done.stderr
