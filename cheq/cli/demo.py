"""The demo: a batch of real pictures in one call, every byte checked against OpenCV, and both timed."""

import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
import skimage
from PIL import Image
from rich.console import Console

import cheq
from cheq.bench.samples import SOURCES, real_batch
from cheq.cli.report import say
from cheq.cli.sheet import contact_sheet
from cheq.pictures.files import describe, whole_file
from cheq.pictures.formats import FORMATS, Picture, check, write

_Pixels = np.ndarray[Any, np.dtype[np.uint8]]

_DEFAULT_SHEET = Path("cheq-demo.png")
# More rounds hardly lower the best time any more, and these take about a second.
_ROUNDS = 15


class DemoError(Exception):
    """The demo failed; the message is one line for the user."""


def run_demo(console: Console, output: Path | None) -> None:
    """Run the demo.

    Parameters
    ----------
    console : Console
        Where its results are printed.
    output : Path or None
        Where the contact sheet goes; None is ``cheq-demo.png``, which alone is replaced when it exists.

    Raises
    ------
    DemoError
        If a byte differs from OpenCV's, or the sheet cannot be written.
    """
    path, replace = (_DEFAULT_SHEET, True) if output is None else (output, False)
    _check_path(path, replace)
    images = real_batch()
    _row(console, "versions", _versions())
    _row(console, "batch", f"{images.shape} uint8: crops of {', '.join(SOURCES)}")
    equalized = _checked(images)
    _row(console, "exact", f"all {images.size:,} bytes equal those of cv2.equalizeHist, on one thread and on all")
    for threads, ours, theirs in _times(images):
        label = f"{threads} thread{'s' * (threads > 1)}"
        times = f"{ours * 1e3:.1f} ms in one call, {theirs * 1e3:.1f} ms in a cv2 loop"
        _row(console, label, f"{theirs / ours:.2f} times as fast as cv2: {times}")
    _save(contact_sheet(images, equalized, SOURCES), path, replace)
    _row(console, "pictures", f"before and after in {path}")


def _row(console: Console, label: str, text: str) -> None:
    say(console, text, f"{label:11}", "bold", "")


def _versions() -> str:
    packages = {"cheq": cheq, "OpenCV": cv2, "NumPy": np, "Pillow": PIL, "scikit-image": skimage}
    versions = [f"{name} {package.__version__}" for name, package in packages.items()]
    return ", ".join([*versions, f"Python {platform.python_version()}"])


def _checked(images: _Pixels) -> _Pixels:
    """The batch, equalized on one thread and on all; DemoError unless OpenCV gives the same bytes."""
    expected = cv2_loop(images, np.empty_like(images))
    for threads in (1, None):
        equalized = cheq.equalize(images, num_threads=threads)
        wrong = int(np.count_nonzero(equalized != expected))
        if wrong:
            team = "all threads" if threads is None else "one thread"
            raise DemoError(f"{wrong:,} of {images.size:,} bytes differ from cv2.equalizeHist, on {team}")
    return equalized


def cv2_loop(images: _Pixels, out: _Pixels) -> _Pixels:
    """Equalize a batch of shape (count, 1, height, width) the usual way: an OpenCV call an image, into `out`."""
    for image, target in zip(images[:, 0], out[:, 0], strict=True):
        cv2.equalizeHist(image, dst=target)
    return out


def _times(images: _Pixels) -> Iterator[tuple[int, float, float]]:
    """Yield a number of threads and the best times of one call and of the loop in seconds: for one thread and for all.

    Both write into memory that exists already.
    """
    out = np.empty_like(images)
    count, usual = cheq.show_config(mode="dicts")["threads"]["count"], cv2.getNumThreads()
    teams = {1: 1} if count == 1 else {1: 1, count: usual}
    ours, theirs = dict.fromkeys(teams, math.inf), dict.fromkeys(teams, math.inf)
    try:
        # Interleaved, so that a busy moment of the machine does not fall on one of them alone.
        for _ in range(_ROUNDS):
            for threads, cv2_threads in teams.items():
                cv2.setNumThreads(cv2_threads)
                call = partial(cheq.equalize, images, out=out, num_threads=threads)
                ours[threads] = min(ours[threads], _seconds(call))
                theirs[threads] = min(theirs[threads], _seconds(partial(cv2_loop, images, out)))
    finally:
        cv2.setNumThreads(usual)
    for threads in teams:
        yield threads, ours[threads], theirs[threads]


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def _check_path(path: Path, replace: bool) -> None:
    """Find out before the work, not after, that the sheet cannot be written under this name."""
    if path.suffix.lower() not in FORMATS:
        raise DemoError(f"{path}: the sheet's name must end in one of {' '.join(sorted(FORMATS))}")
    try:
        check(Picture(np.zeros((1, 1, 3), np.uint8), rgb=True), path.suffix)
    except ValueError as error:
        raise DemoError(f"{path}: {error}") from None
    if not replace and os.path.lexists(path):
        raise DemoError(f"{path} exists already; remove it or choose another name")


def _save(sheet: Image.Image, path: Path, replace: bool) -> None:
    try:
        with whole_file(path, replace) as file:
            write([Picture(np.array(sheet), rgb=True)], file, path.suffix)
    except OSError as error:
        raise DemoError(f"{path}: {describe(error, path)}") from None
