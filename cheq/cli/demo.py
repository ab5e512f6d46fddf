"""The demo: a batch of real pictures in one call, every byte checked against OpenCV, and both timed."""

import os
import platform
from pathlib import Path

import cv2
import numpy as np
import PIL
import skimage
from PIL import Image
from rich.console import Console

import cheq
from cheq.bench.peers import PEERS
from cheq.bench.rows import Row, beside
from cheq.bench.samples import SOURCES, real_batch
from cheq.cli.report import CommandError, say
from cheq.cli.settings import threads_now
from cheq.cli.sheet import contact_sheet
from cheq.pictures.files import describe, whole_file
from cheq.pictures.formats import FORMATS, Picture, check, write

_DEFAULT_SHEET = Path("cheq-demo.png")
_SECONDS = 2.0  # of timing: more rounds hardly lower the best time any more
_CV2 = next(peer for peer in PEERS if peer.name == "cv2")


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
    CommandError
        If a byte differs from OpenCV's, or the sheet cannot be written.
    """
    path, replace = (_DEFAULT_SHEET, True) if output is None else (output, False)
    _check_path(path, replace)
    images = real_batch()
    _say(console, "versions", _versions())
    _say(console, "batch", f"{images.shape} uint8: crops of {', '.join(SOURCES)}")
    threads = threads_now()
    found = beside(_CV2, [images[:, 0]], threads, _SECONDS)
    if not found.equal:
        raise CommandError(f"not the bytes of cv2.equalizeHist: {found.note}")
    _say(console, "exact", f"all {images.size:,} bytes equal those of cv2.equalizeHist, on one thread and on all")
    _say_times(console, found, images.size, threads)
    _save(contact_sheet(images, cheq.equalize(images), SOURCES), path, replace)
    _say(console, "pictures", f"before and after in {path}")


def _say(console: Console, label: str, text: str) -> None:
    say(console, text, f"{label:11}", "bold", "")


def _versions() -> str:
    packages = {"cheq": cheq, "OpenCV": cv2, "NumPy": np, "Pillow": PIL, "scikit-image": skimage}
    versions = [f"{name} {package.__version__}" for name, package in packages.items()]
    return ", ".join([*versions, f"Python {platform.python_version()}"])


def _say_times(console: Console, found: Row, pixels: int, most: int) -> None:
    """A line for one thread, and one for all where there are several."""
    times = {1: (found.cheq_1, found.peer_1), most: (found.cheq_all, found.peer_all)}
    for threads, (ours, theirs) in times.items():
        milliseconds = f"{ours * pixels / 1e6:.1f} ms in one call, {theirs * pixels / 1e6:.1f} ms in a cv2 loop"
        label = f"{threads} thread{'s' * (threads > 1)}"
        _say(console, label, f"{theirs / ours:.2f} times as fast as cv2: {milliseconds}")


def _check_path(path: Path, replace: bool) -> None:
    """Find out before the work, not after, that the sheet cannot be written under this name."""
    if path.suffix.lower() not in FORMATS:
        raise CommandError(f"{path}: the sheet's name must end in one of {' '.join(sorted(FORMATS))}")
    try:
        check(Picture(np.zeros((1, 1, 3), np.uint8), rgb=True), path.suffix)
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None
    if not replace and os.path.lexists(path):
        raise CommandError(f"{path} exists already; remove it or choose another name")


def _save(sheet: Image.Image, path: Path, replace: bool) -> None:
    try:
        with whole_file(path, replace) as file:
            write([Picture(np.array(sheet), rgb=True)], file, path.suffix)
    except OSError as error:
        raise CommandError(f"{path}: {describe(error, path)}") from None
