"""Equalizing files: pictures several at a time, arrays one after the other; a bad one is reported, the rest go on.

In memory are at most as many pictures as there are threads (of a TIFF, a page at a time): each as read, its result and
its compressed bytes. An array file is mapped, an archive's arrays are read one at a time.
"""

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from cheq.cli import arrays, masks, reference
from cheq.cli.masks import Mask
from cheq.cli.pixels import Equalizer
from cheq.cli.plan import Job, Plan
from cheq.cli.report import Report
from cheq.cli.settings import Settings, in_options
from cheq.pictures import Pixels, formats
from cheq.pictures.arrays import EXTENSIONS as ARRAYS
from cheq.pictures.files import check_free, describe, remove_old, whole_file
from cheq.pictures.picture import Picture
from cheq.pictures.reading import MOST_PIXELS, collected_warnings, pixel_limit

EXTENSIONS = frozenset({*ARRAYS, *formats.FORMATS})

_AHEAD = 16  # files given to each thread before the oldest is reported, so that one that is large makes no other wait

_Outcome = tuple[str | None, list[str]]  # what went wrong if anything did, and warnings


def run(plan: Plan, report: Report, settings: Settings, mask: str | None = None) -> None:
    """Equalize the files of a plan.

    Parameters
    ----------
    plan : Plan
        Sources and targets.
    report : Report
        Is told of every success, failure and warning, in the plan's order: pictures first, then arrays.
    settings : Settings
        What is done to them.
    mask : str, optional
        A file that is everyone's mask, or a folder with one for each picture.

    Raises
    ------
    UsageError
        If there is no such mask, or no reference that can be read; nothing has been written then.
    """
    jobs = plan.jobs
    with pixel_limit(settings.most_pixels or MOST_PIXELS), collected_warnings() as collected:
        mask_of = masks.finder(mask)
        collected.clear()
        equalizer, read = reference.added(Equalizer(settings), jobs, mask_of)
        for message in collected.pop(threading.get_ident(), []):
            report.warning(read, message)
        worker = _Worker(equalizer, mask_of)
        for path, problem in plan.problems:
            report.failure(path, problem)
        for folder in {job.target.parent for job in jobs}:
            remove_old(folder)
        if settings.counts_first:
            report.begin("counting", len(jobs))
            jobs = _each(jobs, partial(_attempt, worker.count, report.step, collected), settings.threads, report)
        report.begin(report.doing, len(jobs))
        _each(jobs, partial(_attempt, worker.equalize, report.success, collected), settings.threads, report)


def _each(jobs: list[Job], attempt: Callable[[Job], _Outcome], threads: int, report: Report) -> list[Job]:
    """Work on pictures on several threads, then on arrays with several threads each; return those that went well.

    Arrays are left to the main thread, for cheq looks for Ctrl-C in that one alone.
    """
    fine = []

    def tell(job: Job, outcome: _Outcome) -> None:
        failure, messages = outcome
        for message in dict.fromkeys(messages):
            report.warning(job.source, in_options(message))
        if failure is None:
            fine.append(job)
        else:
            report.failure(job.source, in_options(failure))

    waiting: deque[tuple[Job, Future[_Outcome]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for job in jobs:
            if _is_array(job):
                continue
            if len(waiting) >= _AHEAD * threads:
                first, future = waiting.popleft()
                tell(first, future.result())
            waiting.append((job, pool.submit(attempt, job)))
        for first, future in waiting:
            tell(first, future.result())
    finally:
        # After Ctrl-C, files that were begun are finished, however often it is pressed.
        with _deaf():
            pool.shutdown(cancel_futures=True)
    for job in jobs:
        if _is_array(job):
            tell(job, attempt(job))
    return fine


def _is_array(job: Job) -> bool:
    return job.source.suffix.lower() in ARRAYS


def _attempt(
    work: Callable[[Job], None], success: Callable[[], None], collected: dict[int, list[str]], job: Job
) -> _Outcome:
    failure = None
    try:
        work(job)
        success()
    # Damaged files make the libraries raise nearly anything.
    except Exception as error:
        failure = describe(error, job.source)
    return failure, collected.pop(threading.get_ident(), [])


@contextmanager
def _deaf() -> Iterator[None]:
    """Let Ctrl-C wait, which only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Worker:
    """Reads, equalizes and writes one file."""

    def __init__(self, equalizer: Equalizer, mask_of: Callable[[Any], Mask | None]) -> None:
        self._equalizer = equalizer
        self._settings = equalizer.settings
        self._mask_of = mask_of

    def count(self, job: Job) -> None:
        """Add a file to the shared histograms."""
        check_free(job.target, self._settings.overwrite)
        mask = self._mask_of(job.name)
        if _is_array(job):
            arrays.count(job.source, self._equalizer, mask)
            return
        for picture in formats.pages(job.source):
            if picture.is_mask or picture.reduces is not None:
                continue
            _check_kind(picture, self._settings)
            choice = self._equalizer.choice_of(picture, mask)
            self._equalizer.count(picture.opaque, picture.channel_axis, choice.counted, 1)

    def equalize(self, job: Job) -> None:
        """Write a file's result."""
        check_free(job.target, self._settings.overwrite)
        mask = self._mask_of(job.name)
        if _is_array(job):
            with whole_file(job.target, self._settings.overwrite) as file:
                arrays.equalize(job.source, file, self._equalizer, mask)
            return
        results = (self._equalized(picture, mask) for picture in formats.pages(job.source))
        # The first page tells most of what can be wrong, before a folder is made.
        first = next(results)
        formats.check(first, job.target.suffix)
        with whole_file(job.target, self._settings.overwrite) as file:
            formats.write(chain([first], results), file, job.target.suffix, self._settings.quality)

    def _equalized(self, picture: Picture, mask: Mask | None) -> Picture:
        if picture.is_mask:
            return picture
        _check_kind(picture, self._settings)
        if self._settings.one_lut:
            pixels = self._changed(picture, mask)
        else:  # it counts where pixels lie, as they are seen
            pixels = np.ascontiguousarray(formats.as_stored(self._changed(formats.upright(picture), mask), picture))
        return formats.changed(picture, pixels, picture.rgb and not self._equalizer.makes_gray(picture.channel_axis))

    def _changed(self, picture: Picture, mask: Mask | None) -> Pixels:
        whole, axis, choice = picture.reduces, picture.channel_axis, self._equalizer.choice_of(picture, mask)
        own_lut = self._settings.one_lut and not self._settings.shared_lut
        if whole is not None and own_lut and _are_alike(whole, picture):
            of_whole = self._equalizer.choice_of(whole, mask)
            colors = self._equalizer.equalize_as(whole.opaque, of_whole, picture.opaque, axis, choice)
        else:
            colors = self._equalizer.equalize(picture.opaque, axis, choice, 1)
        return np.dstack([colors, picture.pixels[..., -1]]) if picture.alpha else colors


def _are_alike(whole: Picture, smaller: Picture) -> bool:
    """Whether one LUT serves both."""
    return (whole.pixels.dtype, whole.colors, whole.rgb) == (smaller.pixels.dtype, smaller.colors, smaller.rgb)


def _check_kind(picture: Picture, settings: Settings) -> None:
    """Raise ValueError for what the options do not take, in their words."""
    known = (1, 3) if settings.color == "gray" else (1, 3, 4)
    if settings.color != "channels" and not (picture.colors in known and (picture.rgb or picture.colors == 1)):
        raise ValueError(f"--color {settings.color} takes gray and RGB, and this is {picture.kind}")
    dtype = picture.pixels.dtype
    narrow = settings.method == "pillow" or (settings.color in settings.colors_of_8_bits and picture.colors > 1)
    if narrow and dtype != np.uint8:
        option = "--method pillow" if settings.method == "pillow" else f"--color {settings.color}"
        raise ValueError(f"{option} takes 8 bits, and this is {picture.kind}")
    if settings.method == "opencv" and dtype not in (np.uint8, np.uint16):
        raise ValueError(f"--method opencv takes 8 and 16 bits, and this is {picture.kind}; {settings.others}")
