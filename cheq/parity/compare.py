"""One input: cheq's answers, with every kernel, beside those of the references."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from cheq._core import dispatch
from cheq.parity.answers import Answer
from cheq.parity.inputs import Array, Input, split
from cheq.parity.questions import ROWS, Question
from cheq.parity.references import Reference, one_line


@dataclass(frozen=True)
class Run:
    """How cheq is run: with which kernel, on at most how many threads."""

    kernel: str
    threads: int


@dataclass(frozen=True)
class Expected:
    """What a reference answers for all units: values, and where they are its own; or the error that it raised."""

    values: Array
    known: Array
    pixels: int
    error: str = ""


@dataclass(frozen=True)
class Difference:
    """Where cheq's answer is another one: the units that differ, the worst difference, and a text."""

    text: str
    worst: float
    units: tuple[int, ...] = ()


@contextmanager
def kernel_in_use(name: str) -> Iterator[None]:
    """Use the kernels of one name, and those of before afterwards."""
    before = dispatch.kernel()
    dispatch.use_kernel(name)
    try:
        yield
    finally:
        dispatch.use_kernel(before)


@contextmanager
def quietly() -> Iterator[None]:
    """Without warnings: those of awkward images, and of what the libraries will change."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def ask(question: Question, images: Input, run: Run) -> Array | str:
    """Return cheq's answer, or the error that it raised."""
    with kernel_in_use(run.kernel):
        try:
            return question.ask(images, run.threads)
        except Exception as error:  # an answer too: references may raise likewise
            return one_line(error)


def expect(reference: Reference, question: Question, images: Input) -> Expected | None:
    """Return a reference's answer for every unit, or None where it has none at all."""
    answer = reference.answers[question.answer]
    arrays, masks = split(images, question.unit)
    found: list[Any] = []
    for index, array in enumerate(arrays):
        counted = None if masks is None else masks[index]
        if images.nan_policy == "omit":
            finite = np.isfinite(array)
            counted = finite if counted is None else finite & counted
        try:
            found.append(answer(array, counted, images))
        except Exception as error:  # whatever a library raises
            return Expected(np.empty(0), np.empty(0, np.bool_), 0, one_line(error))
    return _stacked(found, question, arrays[0].size)


def _stacked(found: list[Any], question: Question, size: int) -> Expected | None:
    """One array of all units' answers; nothing is known of a unit without one."""
    answers = [
        one if one is None or isinstance(one, Answer) else Answer(one, np.ones(one.shape, np.bool_)) for one in found
    ]
    first = next((one for one in answers if one is not None), None)
    if first is None:
        return None
    values = np.zeros((len(answers), *first.values.shape), first.values.dtype)
    known = np.zeros(values.shape, np.bool_)
    for index, one in enumerate(answers):
        if one is not None:
            values[index], known[index] = one.values, one.known
    answered = sum(one is not None for one in answers)
    return Expected(values, known, int(known.sum()) if question.result != ROWS else answered * size)


# NumPy refuses bins without a width since 2.2, and cheq with any NumPy; scikit-image counts by NumPy.
GIVES_EMPTY_BINS = np.lib.NumpyVersion(np.__version__) < "2.2.0"


def _refused_by_cheq_alone(error: str, images: Input) -> bool:
    """Whether cheq refuses, as it is meant to, float ranges for which the installed NumPy may have bins."""
    return "too many bins" in error and (GIVES_EMPTY_BINS or _overflows(images.images))


def _overflows(array: Array) -> bool:
    """Whether the range's width is no number: NumPy's answer is then what the processor makes of NaN as an integer."""
    finite = array[np.isfinite(array)]
    with np.errstate(over="ignore"):
        return bool(finite.size) and not np.isfinite(finite.max() - finite.min())


def difference(question: Question, images: Input, found: Array | str, expected: Expected) -> Difference | None:
    """Return how cheq's answer differs from a reference's, or None."""
    if isinstance(found, str):
        agreed = expected.error or _refused_by_cheq_alone(found, images)
        return None if agreed else Difference(f"cheq raised {found}", math.inf)
    if expected.error:
        return Difference(f"the reference raised {expected.error}", math.inf)
    try:
        arranged = question.arrange(found, images, len(expected.values))
    except ValueError as error:
        return Difference(f"the answer has another shape: {error}", math.inf)
    if (
        arranged.shape != expected.values.shape
        or arranged.dtype != expected.values.dtype
        or not arranged.dtype.isnative
    ):
        is_, should = (f"{one.shape} {one.dtype}" for one in (arranged, expected.values))
        return Difference(f"found {is_}, expected {should}", math.inf)
    wrong = ~same(arranged, expected.values) & expected.known
    return _described(wrong, arranged, expected) if wrong.any() else None


def same(found: Array, expected: Array) -> Array:
    """Where the bits are equal, every NaN being like another."""
    equal = np.asarray(found == expected)
    if found.dtype.kind != "f":
        return equal
    signs = np.signbit(found) == np.signbit(expected)
    return np.asarray((equal & signs) | (np.isnan(found) & np.isnan(expected)))


def _described(wrong: Array, found: Array, expected: Expected) -> Difference:
    with np.errstate(all="ignore"):
        apart = np.abs(found[wrong].astype(np.float64) - expected.values[wrong].astype(np.float64))
    worst = math.inf if np.isnan(apart).any() else float(apart.max())
    place = tuple(int(index[0]) for index in np.nonzero(wrong))
    text = (
        f"{int(wrong.sum()):,} of {int(expected.known.sum()):,} values differ, by {worst:g} at most; the first at "
        f"{place}: {found[place]!s}, expected {expected.values[place]!s}"
    )
    units = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
    return Difference(text, worst, tuple(int(unit) for unit in units))
