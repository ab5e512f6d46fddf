"""Equalizing files one after another: a bad one is reported, and the rest go on."""

import warnings
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from PIL import Image

import cheq
from cheq.cli import pictures
from cheq.cli.files import Plan, check_free, describe, refuse_empty, whole_file
from cheq.cli.report import Report

EXTENSIONS = frozenset({".npy", *pictures.FORMATS})


def run(plan: Plan, report: Report, *, channel_axis: int | None, overwrite: bool) -> None:
    """Equalize the files of a plan.

    Parameters
    ----------
    plan : Plan
        Sources and targets.
    report : Report
        Is told of every success, failure and warning.
    channel_axis : int or None
        The channel axis of the ``.npy`` arrays; pictures know theirs.
    overwrite : bool
        Whether existing targets are replaced.
    """
    for path, problem in plan.problems:
        report.failure(path, problem)
    for source, target in plan.jobs:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")  # what is meant for programmers
            warnings.simplefilter("always", UserWarning)
            # Pillow only warns of pictures of over 89 million pixels, which it takes for an attack from twice that on.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            try:
                check_free(target, overwrite)
                if source.suffix.lower() == ".npy":
                    _equalize_array(source, target, channel_axis, overwrite)
                else:
                    _equalize_picture(source, target, overwrite)
                failure = None
            # Damaged files make Pillow and NumPy raise nearly anything.
            except Exception as error:
                failure = describe(error, source)
        for message in dict.fromkeys(str(warning.message) for warning in caught):
            report.warning(source, _in_options(message))
        if failure is None:
            report.success()
        else:
            report.failure(source, _in_options(failure))


def _in_options(message: str) -> str:
    """A message of cheq's functions, for someone who has options instead of arguments."""
    return f"{message} (on the command line: --channel-axis)" if "channel_axis" in message else message


def _equalize_array(source: Path, target: Path, channel_axis: int | None, overwrite: bool) -> None:
    refuse_empty(source)
    try:
        # Unlike np.load, this knows no pickles and no archives, and calls a damaged file damaged.
        images = open_memmap(source, mode="r")
    except ValueError as error:
        raise ValueError(f"not an array that can be read: {error}") from error
    result = cheq.equalize(images, channel_axis=channel_axis)
    # Windows does not replace a file that is mapped.
    del images
    with whole_file(target, overwrite) as file:
        np.save(file, result, allow_pickle=False)


def _equalize_picture(source: Path, target: Path, overwrite: bool) -> None:
    picture = pictures.read(source)
    pictures.check_mode(picture, target)
    picture = pictures.equalize(picture)
    with whole_file(target, overwrite) as file:
        pictures.write(picture, file, target.suffix)
