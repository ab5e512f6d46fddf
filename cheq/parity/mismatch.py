"""A mismatch made small, saved as a file, and run again."""

import itertools
import json
import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np

import cheq
from cheq._core import dispatch
from cheq.parity import compare
from cheq.parity.compare import Difference, Run
from cheq.parity.inputs import COLOR, LAYOUTS, NAN_POLICIES, NEW, OUTS, UNITS, WHOLE, Array, Input, split
from cheq.parity.questions import QUESTIONS, Question
from cheq.parity.references import NAMES, Reference, find

_FORMAT = 2  # of the files; one of another format is refused
_SIZES = ("axes", "tile_grid_size", "kernel_size")  # options that are several numbers
_OPTIONS = (*_SIZES, "channel_axis", "nbins", "nan_policy", "clip_limit", "layout", "out")


@dataclass(frozen=True)
class Comparison:
    """One input, asked once: what there is to see again."""

    reference: Reference
    question: Question
    images: Input
    run: Run

    def difference(self) -> Difference | None:
        """Compare now; None where nothing differs, or where the reference fails or has no answer."""
        expected = compare.expect(self.reference, self.question, self.images)
        if expected is None or expected.error:
            return None
        found = compare.ask(self.question, self.images, self.run)
        return compare.difference(self.question, self.images, found, expected)


# ---------------------------------------------------------------- smaller


def reduced(whole: Comparison, found: Difference) -> Comparison:
    """Return a part that differs too: the first plane that does, and of it the half that does, and so on."""
    best = whole
    if found.units and whole.question.unit != WHOLE:
        one = replace(whole, images=_unit(whole, found.units[0]))
        best = one if one.difference() else whole
    if best is whole:
        return whole
    while smaller := next((half for half in _halves(best) if half.difference()), None):
        best = smaller
    return best


def _unit(whole: Comparison, index: int) -> Input:
    """One plane, or one color image, in plain memory."""
    arrays, masks = split(whole.images, whole.question.unit)
    array, mask = arrays[index].copy(), None if masks is None else masks[index].copy()
    channel_axis = -1 if whole.question.unit == COLOR else None
    axes = tuple(range(array.ndim)) if channel_axis is None and array.ndim > 2 else None
    one = replace(whole.images, images=array, mask=mask, channel_axis=channel_axis, axes=axes)
    return replace(one, layout="contiguous", out=NEW)


def _halves(one: Comparison) -> Iterator[Comparison]:
    """The halves of a plane's longest side."""
    images, mask = one.images.images, one.images.mask
    sides = images.shape if one.images.channel_axis is None else images.shape[:-1]
    axis = sides.index(max(sides))
    middle = images.shape[axis] // 2
    for part in (slice(None, middle), slice(middle, None)) if middle else ():
        place = (slice(None),) * axis + (part,)
        smaller = replace(one.images, images=images[place].copy(), mask=None if mask is None else mask[place].copy())
        yield replace(one, images=smaller)


# ---------------------------------------------------------------- files


def save(comparison: Comparison, folder: Path) -> Path:
    """Write a comparison, both answers beside it, under a free name in a folder.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    one = comparison
    about = {
        "format": _FORMAT,
        "cheq": cheq.__version__,
        "question": one.question.name,
        "reference": one.reference.name,
        "version": one.reference.version,
        "kernel": one.run.kernel,
        "threads": one.run.threads,
        **{name: getattr(one.images, name) for name in _OPTIONS},
    }
    arrays: dict[str, Any] = {"images": one.images.images}
    if one.images.mask is not None:
        arrays["mask"] = one.images.mask
    expected = compare.expect(one.reference, one.question, one.images)
    found = compare.ask(one.question, one.images, one.run)
    if expected is not None:
        arrays.update(expected=expected.values, known=expected.known)
    if isinstance(found, str):
        about["error"] = found
    else:
        arrays["found"] = found
    folder.mkdir(parents=True, exist_ok=True)
    path, file = _free(folder, one.reference.name)
    with file:
        np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)
    return path


def _free(folder: Path, reference: str) -> tuple[Path, IO[bytes]]:
    """A new file under the first number that is free."""
    for number in itertools.count(1):
        path = folder / f"cheq-mismatch-{reference.lower()}-{number}.npz"
        try:
            return path, path.open("xb")
        except FileExistsError:
            continue
    raise AssertionError


def command(path: Path) -> str:
    """Return the command that reruns a file."""
    return f"cheq parity --rerun {shlex.quote(str(path))}"


def load(path: Path) -> tuple[Comparison, dict[str, Any]]:
    """Return what a file holds, and its own account of it.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not one that `save` wrote, or if this machine lacks its reference or its kernel.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            images, mask = file["images"], file.get("mask")
        if about["format"] != _FORMAT:
            raise ValueError
        comparison = _understood(images, mask, about)
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile):
        raise ValueError(f"{path} is not a file that cheq parity saved, or it is damaged") from None
    _check_machine(comparison)
    return comparison, about


def _understood(images: Array, mask: Array | None, about: dict[str, Any]) -> Comparison:
    options = {name: about[name] for name in _OPTIONS}
    options |= {name: None if options[name] is None else tuple(options[name]) for name in _SIZES}
    question, name = QUESTIONS[about["question"]], about["reference"]
    given, run = Input(images, mask, **options, units=UNITS), Run(str(about["kernel"]), about["threads"])
    axes = [axis for axis in (given.channel_axis, *(given.axes or ())) if axis is not None]
    counts = (given.nbins, run.threads, *(given.tile_grid_size or ()), *(given.kernel_size or ()))
    valid = (
        all(isinstance(number, int) for number in (*axes, *counts)),
        all(-images.ndim <= axis < images.ndim for axis in axes),
        min(counts) > 0,  # a grid with a 0 would end the process, in cv2
        given.clip_limit is None or math.isfinite(given.clip_limit),
        given.layout in LAYOUTS and given.out in OUTS and given.nan_policy in NAN_POLICIES,
        name in NAMES and question.applies(given),
    )
    if not all(valid):
        raise ValueError
    split(given, question.unit)  # a mask of another shape is found here
    (reference,) = find((name,))
    return Comparison(reference, question, given, run)


def _check_machine(comparison: Comparison) -> None:
    reference, kernel = comparison.reference, comparison.run.kernel
    if reference.absent:
        raise ValueError(f"the file is to be compared with {reference.name}, which is absent: {reference.absent}")
    if not dispatch.kernels().get(kernel):
        raise ValueError(f"the file is to be run with the kernel {kernel}, which this build or this CPU lacks")


@dataclass(frozen=True)
class Rerun:
    """What `rerun` found: whether the answers are equal now, and a text that says what was compared."""

    equal: bool
    text: str

    def __repr__(self) -> str:
        return self.text


def rerun(path: str | Path) -> Rerun:
    """
    Compare again what a mismatch's file holds.

    Parameters
    ----------
    path : str or Path
        A ``.npz`` file that `check` saved.

    Returns
    -------
    Rerun
        ``equal``: whether cheq and the reference, as they are installed now, agree; ``text``: what was compared, with
        what outcome.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, or if this machine lacks its reference or its kernel.

    Examples
    --------
    >>> import cheq.parity
    >>> result = cheq.parity.check(quick=True)
    >>> [cheq.parity.rerun(one.path).equal for one in result.mismatches]
    []
    """
    comparison, about = load(Path(path))
    with compare.quietly():
        expected = compare.expect(comparison.reference, comparison.question, comparison.images)
        found = compare.ask(comparison.question, comparison.images, comparison.run)
    if expected is None:
        raise ValueError(f"{path}: {comparison.reference.name} {comparison.reference.version} has no answer to it")
    wrong = compare.difference(comparison.question, comparison.images, found, expected)
    reference = comparison.reference
    then = "" if reference.version == about["version"] else f" ({about['version']} when it was saved)"
    images = comparison.images.images
    what = (
        f"{comparison.question.row} of {images.shape} {images.dtype}, {comparison.run.kernel} kernel, beside "
        f"{reference.name} {reference.version}{then}"
    )
    return Rerun(wrong is None, f"{what}: {'equal in every bit' if wrong is None else wrong.text}")
