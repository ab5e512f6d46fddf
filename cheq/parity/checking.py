"""check: every question, with every kernel, beside every reference."""

import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from cheq._arguments import as_choice
from cheq.parity import compare, machine, mismatch, suite, users_images
from cheq.parity.compare import Difference, Expected, Run
from cheq.parity.inputs import Input
from cheq.parity.mismatch import Comparison
from cheq.parity.questions import QUESTIONS, Question
from cheq.parity.references import NAMES, Reference, find
from cheq.parity.result import Mismatch, Result, Row

# Pixels from which on each kernel is run on several threads. Below, the kernels take turns with that, and then it is
# left out so many times: where other programs use the CPU, a call waits milliseconds for its second thread.
_LARGE, _ALONE = 1 << 16, 5

# Files of mismatches: enough to see what is wrong, of each row and in all.
_SAVED_A_ROW, _SAVED = 3, 10

_WITHOUT_REFERENCE = (
    'method "opencv" for uint16: cv2.equalizeHist takes none, so that no library gives this answer',
    'dtype="same" with methods "skimage" and "numpy": no library gives this answer',
    'method "opencv" outside a mask, and without a counted pixel: cv2 takes no mask; pixels under it are compared, and '
    "with albumentations all, if it counts two levels or more",
    'lightness (color=) with method "pillow" or with a fourth channel: no library gives this answer',
    'clahe under a mask, with a limit for each image, dtype="same" or a fourth channel: no library gives this answer',
    "match_histograms outside a mask: scikit-image takes none; pixels under it are compared, with its answer for them "
    'alone, and with dtype="same" with the level next to it',
    "recipes.histogram_equalize of colors: it is compared for gray images, and their gray under rgb_to_gray",
    "float ranges whose width overflows: cheq refuses them, and NumPy's answer depends on the processor",
    "planes of more than 2^30 pixels, whose LUTs have code of their own; empty arrays; arguments that are refused",
    'clahe with method "skimage" for planes of more than 2^24 pixels, for which scikit-image takes gigabytes',
)


def check(
    images: Iterable[users_images.Given] = (),
    *,
    channel_axis: int | None = None,
    quick: bool = False,
    require: Iterable[str] = (),
    save: str | os.PathLike[str] = ".",
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """
    Compare cheq with the libraries installed beside it, on this machine, bit for bit.

    Every function and method is run with every kernel that this CPU has, on a fixed suite of awkward images and on
    those given, on one thread, and on several for the large ones and some of the others; and compared with cv2,
    Pillow, scikit-image, NumPy, albumentations, torchvision and kornia where they are installed.

    Parameters
    ----------
    images : iterable of ndarray, str or path, optional
        Images of your own: arrays, picture files, ``.npy`` files, or folders of files.
    channel_axis : int, optional
        The axis of R, G, B of arrays and ``.npy`` files; pictures know theirs.
    quick : bool, optional
        Seconds instead of a minute or two: a part of the suite. Given images are compared whole.
    require : iterable of str, optional
        References, named as above, without which the check does not pass. By default it passes with any that is
        installed.
    save : str or path, optional
        The folder for the first mismatches, a small ``.npz`` each, which `rerun` runs again. It is made if need be.
    progress : callable, optional
        Called with the number of inputs done and that of all, after each.

    Returns
    -------
    Result
        ``passed``, ``rows``, ``mismatches``, ``errors``, ``not_checked``, ``to_dict()``; its repr is the report.

    Notes
    -----
    The kernel in use changes during the check, for all of the process, and is the same as before afterwards.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq.parity
    >>> photo = np.random.default_rng(0).integers(40, 90, (96, 128), dtype=np.uint8)
    >>> result = cheq.parity.check([photo], quick=True)
    >>> result.passed
    True
    """
    start = time.perf_counter()
    required = _known(require)
    kernels, lacking = machine.kernels()
    threads, alone = machine.threads()
    with compare.quietly():
        references = find()
    present = [one for one in references if not one.absent]
    versions = machine.versions() | {one.name: one.version for one in present}
    result = Result(versions, machine.cpu(), kernels, threads)
    result.not_checked += [f"{one.name}: {one.absent}" for one in references if one.absent]
    chosen, left_out = _suite(quick)
    result.not_checked += [*lacking, *alone, *left_out, *_WITHOUT_REFERENCE]
    given, result.errors = users_images.cases(images, channel_axis)
    work = _Check(result, present, Path(save))
    with compare.quietly():
        for done, case in enumerate([*chosen, *given], 1):
            work.case(case)
            if progress is not None:
                progress(done, len(chosen) + len(given))
    work.close(required)
    result.seconds = time.perf_counter() - start
    return result


def _known(require: Iterable[str]) -> list[str]:
    names = [require] if isinstance(require, str) else list(require)
    for name in names:
        as_choice("require", name, NAMES)
    return names


def _suite(quick: bool) -> tuple[list[suite.Case], list[str]]:
    """The cases to run, and a line about those that are left out."""
    every = suite.cases()
    if not quick:
        return every, []
    chosen = [case for case in every if case.quick]
    rest = Counter(case.part for case in every if not case.quick)
    parts = ", ".join(f"{part} {count:,}" for part, count in rest.items())
    return chosen, [
        f"{len(every) - len(chosen):,} of the suite's {len(every):,} inputs, which a full check has ({parts})"
    ]


class _Check:
    """A check on its way: its result grows with each case."""

    def __init__(self, result: Result, references: list[Reference], folder: Path) -> None:
        self._result, self._references, self._folder = result, references, folder
        turns = [*((kernel,) for kernel in result.kernels), *[()] * _ALONE]
        self._turns = {name: itertools.cycle(turns) for name in QUESTIONS}
        self._rows: dict[tuple[str, str], Row] = {}
        self._saved: Counter[tuple[str, str]] = Counter()
        self._failures: Counter[str] = Counter()
        for reference, question in itertools.product(references, QUESTIONS.values()):
            if question.answer in reference.answers:
                key = (reference.name, question.row)
                self._rows.setdefault(key, Row(reference.name, reference.version, question.row))

    def case(self, case: suite.Case) -> None:
        """Ask all questions that one input answers, and compare with all references."""
        try:
            images = case.make()
        except Exception as error:  # a user's file: damaged ones make Pillow and NumPy raise nearly anything
            if case.part != users_images.PART:
                raise
            self._result.errors.append(f"{case.name}: {' '.join(str(error).split()) or type(error).__name__}")
            return
        answers: dict[tuple[str, str], Expected | None] = {}
        asked = 0
        for question in QUESTIONS.values():
            if not question.applies(images):
                continue
            for reference in self._references:
                key = (reference.name, question.answer)
                if question.answer in reference.answers and key not in answers:
                    answers[key] = compare.expect(reference, question, images)
            expected = [(one, answers.get((one.name, question.answer))) for one in self._references]
            known = [(one, answer) for one, answer in expected if answer is not None]
            if known:
                self._question(case, images, question, known)
                asked += 1
        if asked:
            self._result.inputs["given" if case.part == users_images.PART else "suite"] += 1
        elif case.part == users_images.PART:
            self._result.errors.append(f"{case.name}: no installed reference answers for {images.images.dtype}")

    def _runs(self, question: Question, images: Input) -> list[Run]:
        """Each kernel on one thread, and on several: each of them for large images, and now and then for others."""
        kernels, several = self._result.kernels, self._result.threads[1:]
        team = kernels if images.images.size >= _LARGE else next(self._turns[question.name])
        return [Run(kernel, 1) for kernel in kernels] + [Run(kernel, n) for kernel in team for n in several]

    def _question(
        self, case: suite.Case, images: Input, question: Question, known: list[tuple[Reference, Expected]]
    ) -> None:
        wrong: dict[str, list[tuple[Run, Difference]]] = {reference.name: [] for reference, _ in known}
        answered = False
        for run in self._runs(question, images):
            found = compare.ask(question, images, run)
            answered = answered or not isinstance(found, str)
            for reference, expected in known:
                apart = compare.difference(question, images, found, expected)
                if apart is not None:
                    wrong[reference.name].append((run, apart))
        for reference, expected in known:
            if expected.error and answered:
                self._failures[f"{reference.name} failed on {question.row}: {expected.error}"] += 1
                continue
            row = self._rows[reference.name, question.row]
            row.cases += 1
            row.pixels += expected.pixels
            if wrong[reference.name]:
                row.mismatches += 1
                row.worst = max(row.worst, *(apart.worst for _, apart in wrong[reference.name]))
                self._mismatch(case, reference, question, images, wrong[reference.name])

    def _mismatch(
        self,
        case: suite.Case,
        reference: Reference,
        question: Question,
        images: Input,
        wrong: list[tuple[Run, Difference]],
    ) -> None:
        """Describe a mismatch and save it, if it is one of the first."""
        key = (reference.name, question.row)
        if self._saved[key] == _SAVED_A_ROW or self._saved.total() == _SAVED:
            return
        self._saved[key] += 1
        run, apart = wrong[0]
        path = None
        try:
            whole = Comparison(reference, question, images, run)
            path = mismatch.save(mismatch.reduced(whole, apart), self._folder)
        except OSError as error:
            self._failures[f"a mismatch cannot be saved in {self._folder}: {error.strerror or error}"] += 1
        self._result.mismatches.append(
            Mismatch(
                reference.name,
                reference.version,
                question.row,
                case.name,
                tuple(dict.fromkeys(one.kernel for one, _ in wrong)),
                run.threads,
                apart.text,
                apart.worst,
                None if path is None else str(path),
                None if path is None else mismatch.command(path),
            )
        )

    def close(self, required: list[str]) -> None:
        """Write down what was counted, and what was not that should have been."""
        result = self._result
        result.rows += [row for row in self._rows.values() if row.cases]
        result.errors += [f"{text} ({count:,} times)" if count > 1 else text for text, count in self._failures.items()]
        answered = {row.reference for row in result.rows}
        result.errors += [f"{name}: required, and not compared with" for name in required if name not in answered]
        compared = {row.compared for row in result.rows}
        without = dict.fromkeys(question.row for question in QUESTIONS.values() if question.row not in compared)
        if without:
            result.not_checked.append(f"no installed reference answers for: {'; '.join(without)}")
        if compare.GIVES_EMPTY_BINS:
            result.not_checked.append(
                "float ranges without room for the bins, which NumPy refuses since 2.2: cheq does"
            )
        if any(one.name == "cv2" and not one.absent for one in self._references):
            fused = [name for name in ("otsu_threshold", 'clahe, "opencv"') if name in without]
            result.not_checked += [
                f"{name} with this cv2: compiled to fuse products and sums, it decides near-ties otherwise"
                for name in fused
            ]
