"""Equalizing files: pictures several at a time, arrays one after the other; a bad one is reported, the rest go on.

In memory are at most as many pictures as there are threads (of a TIFF, a page at a time): each as read, its result and
its compressed bytes. An array file is mapped, an archive's arrays are read one at a time.
"""

import signal
import threading
from collections import deque
from collections.abc import Callable, Container, Iterator
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
from cheq.pictures.files import check_free, check_place, describe, remove_old, whole_file
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
        Is told what becomes of every file, in the plan's order: pictures first, then arrays.
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
        if not settings.dry_run:
            for folder in {job.target.parent for job in jobs}:
                remove_old(folder)
        there = {job for job in jobs if settings.skip_existing and job.target.is_file()}
        # Those that are there are counted too: a run that was broken off goes on with the same histogram.
        if settings.counts_first and there != set(jobs):
            report.begin("counting", len(jobs))
            count = partial(worker.count, there)
            jobs = _each(jobs, partial(_attempt, count, report.step, collected), settings.threads, report.warned)
        for job in jobs:
            if job in there:
                report.skipped(job)
        jobs = [job for job in jobs if job not in there]
        report.begin(report.doing, len(jobs))
        work = worker.rehearse if settings.dry_run else worker.equalize
        _each(jobs, partial(_attempt, work, report.success, collected), settings.threads, report.finished)


def _each(
    jobs: list[Job],
    attempt: Callable[[Job], _Outcome],
    threads: int,
    told: Callable[[Job, str | None, list[str]], None],
) -> list[Job]:
    """Work on pictures on several threads, then on arrays with several threads each; return those that went well.

    Arrays are left to the main thread, for cheq looks for Ctrl-C in that one alone.
    """
    fine = []

    def tell(job: Job, outcome: _Outcome) -> None:
        failure, messages = outcome
        if failure is None:
            fine.append(job)
        told(job, failure and in_options(failure), [in_options(message) for message in dict.fromkeys(messages)])

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

    def count(self, there: Container[Job], job: Job) -> None:
        """Add a file to the shared histograms, wholly or not at all."""
        if job not in there:
            check_free(job.target, self._settings.overwrite)
        self._equalizer.add(self._counted(job))

    def _counted(self, job: Job) -> Equalizer:
        """Return an equalizer that has counted a file alone."""
        mask, alone = self._mask_of(job.name), self._equalizer.alone()
        if _is_array(job):
            arrays.count(job.source, alone, mask)
            return alone
        for picture in self._pages(job):
            whole = picture.reduces
            if picture.is_mask or (whole is not None and _are_alike(whole, picture)):
                continue
            _check_kind(picture, self._settings)
            choice = alone.choice_of(picture, mask)
            alone.count(picture.opaque, picture.channel_axis, choice.counted, 1)
        return alone

    def _pages(self, job: Job) -> Iterator[Picture]:
        return formats.pages(job.source, all_frames=self._settings.frames == "all")

    def _for(self, job: Job) -> "_Worker":
        """Return one that knows the histogram of a file's pages, if they share one."""
        return _Worker(self._counted(job), self._mask_of) if self._settings.shared_lut_pages else self

    def equalize(self, job: Job) -> None:
        """Write a file's result."""
        check_free(job.target, self._settings.overwrite)
        self._for(job)._write(job)

    def rehearse(self, job: Job) -> None:
        """Find out what would be wrong with a file and its result, and write nothing."""
        check_free(job.target, self._settings.overwrite)
        check_place(job.target)
        worker, mask = self._for(job), self._mask_of(job.name)
        if _is_array(job):
            arrays.rehearse(job.source, worker._equalizer, mask)
            return
        for number, picture in enumerate(self._pages(job)):
            result = worker._equalized(picture, mask)
            formats.check(result, job.target.suffix)
            formats.check_count(number + 1, job.target.suffix, result)
            formats.warn_of_lost(result, job.target.suffix)

    def _write(self, job: Job) -> None:
        mask = self._mask_of(job.name)
        if _is_array(job):
            with whole_file(job.target, self._settings.overwrite) as file:
                arrays.equalize(job.source, file, self._equalizer, mask)
            return
        results = (self._equalized(picture, mask) for picture in self._pages(job))
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
        own_lut = self._settings.one_lut and not self._settings.shares_lut
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
    if settings.color in settings.colors_of_8_bits and picture.colors > 1 and dtype != np.uint8:
        raise ValueError(f"--color {settings.color} takes 8 bits, and this is {picture.kind}")
    settings.check_dtype(dtype, picture.kind)
