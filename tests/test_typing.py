"""What type checkers see: names are Literals, results have the dtype that the images and the method give."""

import os
import pydoc
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cheq

# Each call, and what is known of its result's dtype; where that is None, the call is refused.
CALLS = {
    "cheq.equalize(u8)": "uint8",
    "cheq.equalize(u16, out=u16, mask=u16 > 3)": "uint16",
    'cheq.equalize(u8, method="pillow", axes=(0, 1), channel_axis=None, num_threads=1)': "uint8",
    'cheq.equalize(u8, method="skimage")': "float64",
    'cheq.equalize(f32, method="skimage", nbins=10, nan_policy="omit")': "float32",
    'cheq.equalize(f32, method="numpy")': "float64",
    'cheq.equalize(i16, method="numpy", dtype="same")': "int16",
    "cheq.equalize(u8, dtype=np.uint8)": "uint8",
    'cheq.equalize(u8, channel_axis=-1, color="ycrcb")': "uint8",
    'cheq.equalize(u8, channel_axis=-1, color="yuv")': "uint8",
    'cheq.equalize(u8, channel_axis=-1, color="lab")': "uint8",
    "cheq.histogram([[1, 2]], axes=(0, 1))": "int64",
    "cheq.apply_lut(u8, f32)": "float32",
    'cheq.apply_lut(u8, f32, mask=u8 > 3, outside="keep")': "float32",
    'cheq.equalize(u16, mask=u16 > 3, outside="keep")': "uint16",
    'cheq.equalize(u16, mask=u16 > 3, outside="same")': None,
    'cheq.binarize(u16, "otsu")': "uint16",
    "cheq.rgb_to_gray(u8)": "uint8",
    'cheq.equalize(u8, method="clahe")': None,
    'cheq.clahe(u8, channel_axis=-1, color="lab")': "uint8",
    'cheq.clahe(u16, channel_axis=-1, color="yuv")': "uint16",
    'cheq.equalize(u8, color="hsv")': None,
    'cheq.equalize(u8, dtype="float")': None,
    'cheq.equalize(u8, nan_policy="ignore")': None,
    "cheq.equalize(u8, masks=None)": None,
    'cheq.rgb_to_gray(u8, method="numpy")': None,
    "cheq.equalise(u8)": None,
    "cheq.clahe(u8, clip_limit=2, tile_grid_size=(8, 8))": "uint8",
    'cheq.clahe(u16, clip_limit=[1.0, 2.5], mask=u16 > 3, outside="keep", out=u16)': "uint16",
    'cheq.clahe(u8, method="skimage", kernel_size=5, nbins=100)': "float64",
    'cheq.clahe(f32, method="skimage", axes=(0,), kernel_size=[64])': "float32",
    'cheq.clahe(i16, method="skimage", dtype="same")': "int16",
    "cheq.match_histograms(u8, [[1]], mask=u8 > 3, reference_mask=[[True]])": "float64",
    'cheq.match_histograms(u16, u16, dtype="same", out=u16, num_threads=2)': "uint16",
    'cheq.match_histograms(f32, [f32], dtype="same", method="skimage", outside="lut")': "float32",
    'cheq.match_histograms(u8, u8, channel_axis=-1, color="lab", dtype="same")': "uint8",
    'cheq.match_histograms(u8, u8, method="opencv")': None,
    'cheq.match_histograms(u8, u8, color="hsv")': None,
    'cheq.match_histograms(u8, u8, nbins=9, dtype="same")': None,
    'cheq.matching_lut(u16, f32, images_dtype=np.int8, dtype="same")': "int8",
    'cheq.matching_lut(u16, f32, dtypes="same")': None,
    'cheq.clahe(u8, method="pillow")': None,
    'cheq.clahe(u8, color="hsv")': None,
    "cheq.clahe(u8, tile_grid_size=8)": None,
    "cheq.clahe(u8, tiles=(8, 8))": None,
    "cheq.dask.equalise(u8)": None,
    "cheq.torch.equalise(u8)": None,
    "cheq.torchvision.Equalise()": None,
    "cheq.xarray.equalize(u8)": None,
    "cheq.xarray.equalise(u8)": None,
    "cheq.albumentations.Equalise()": None,
    'cheq.albumentations.Equalize(method="cv")': None,
}

PROGRAM = """
import numpy as np
import cheq

u8, u16, i16 = np.zeros((4, 3), np.uint8), np.zeros((4, 3), np.uint16), np.zeros((4, 3), np.int16)
f32 = np.zeros(256, np.float32)
"""


@pytest.fixture(scope="module")
def users_file(tmp_path_factory):
    """A file with every call in a line of its own, and the number of the first."""
    file = tmp_path_factory.mktemp("typed") / "user.py"
    lines = [call if dtype is None else f"x: np.ndarray[tuple[int, ...], np.dtype[np.{dtype}]] = {call}"
             for call, dtype in CALLS.items()]  # fmt: skip
    lines = [line.replace("x:", f"x{number}:", 1) for number, line in enumerate(lines)]
    file.write_text(PROGRAM + "\n".join(lines) + "\n")
    return file, PROGRAM.count("\n") + 1


def assert_refused(first, output, pattern):
    """Demand an error in the line of each call that is to be refused, and in no other."""
    lines = {int(number) - first for number in re.findall(pattern, output, re.MULTILINE)}
    assert lines == {number for number, dtype in enumerate(CALLS.values()) if dtype is None}, output


def check(file, *command):
    package = str(Path(cheq.__file__).parent.parent)
    environment = dict(os.environ) if "site-packages" in package else {**os.environ, "MYPYPATH": package}
    done = subprocess.run(
        [*command, file.name], cwd=file.parent, env=environment, capture_output=True, text=True, timeout=300
    )
    return done.stdout


def test_mypy(users_file):
    file, first = users_file
    output = check(file, sys.executable, "-m", "mypy", "--strict")
    assert_refused(first, output, r"^user\.py:(\d+): error:")


def test_pyright(users_file):
    if shutil.which("pyright") is None:
        pytest.skip("pyright is not installed (npm install --global pyright)")
    file, first = users_file
    package = str(Path(cheq.__file__).parent.parent)
    (file.parent / "pyrightconfig.json").write_text(f'{{"extraPaths": ["{package}"]}}')
    output = check(file, "pyright", "--pythonpath", sys.executable)
    assert_refused(first, output, r"user\.py:(\d+):\d+ - error:")


@pytest.mark.parametrize(
    ("function", "start"),
    [
        (cheq.equalize, "equalize(images: 'ArrayLike', *, method: 'Method' = 'opencv', color: 'Color' ="),
        (
            cheq.match_histograms,
            "match_histograms(images: 'ArrayLike', reference: 'ArrayLike | None' = None, *, reference_histogram: ",
        ),
        (cheq.clahe, "clahe(images: 'ArrayLike', *, clip_limit: 'ArrayLike | None' = None, tile_grid_size: "),
    ],
)
def test_help_begins_with_a_signature_to_read(function, start):
    signature = pydoc.render_doc(function, renderer=pydoc.plaintext).splitlines()[2]
    assert signature.startswith(start)
    assert len(signature) < 600
