"""Which files to equalize, and where each result goes."""

import fnmatch
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cheq.cli.settings import UsageError


class Job(NamedTuple):
    """A file to equalize: where it is, where its result goes, and its path below the folder that was named."""

    source: Path
    target: Path
    name: Path


@dataclass
class Plan:
    """What to do with the inputs.

    Attributes
    ----------
    jobs : list of Job
        Every file to equalize, in order.
    problems : list of (Path, str)
        Inputs that cannot be equalized, and why.
    unknown : Counter
        Files skipped in folders, counted by their extension in lower case.
    unmatched : int
        Files skipped in folders because the pattern does not match them.
    links : int
        Linked folders skipped; following them could never end.
    results : int
        Files skipped because their names end as results' names do.
    own : int or None
        Files skipped because they lie in OUTPUT; None when OUTPUT is not inside an input folder.
    """

    jobs: list[Job] = field(default_factory=list)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    unmatched: int = 0
    links: int = 0
    results: int = 0
    own: int | None = None


def make_plan(
    inputs: Sequence[str],
    output: str | None,
    extensions: Collection[str],
    arrays: Collection[str] = (),
    *,
    pattern: str | None = None,
    suffix: str = "",
) -> Plan:
    """Decide what becomes of each input.

    Parameters
    ----------
    inputs : sequence of str
        Files and folders, as the user typed them.
    output : str or None
        A file for one input file, unless it is an existing folder or ends in a slash; a folder for all else. None
        puts every result beside its source, for which there must be a suffix.
    extensions : collection of str
        The extensions that are read and written, in lower case with their dot.
    arrays : collection of str
        Those among them that are written as themselves only.
    pattern : str, optional
        What the names of files in folders must match, or with a slash in it their paths below the folder.
    suffix : str
        What is added to every result's name, before its extension.

    Returns
    -------
    Plan
        Folders are walked to the bottom in sorted order; the paths below a folder are kept below OUTPUT.

    Raises
    ------
    UsageError
        For an input that does not exist, and for an OUTPUT that does not fit the inputs.
    """
    sources = [_existing(name) for name in inputs]
    if os.path.basename(suffix) != suffix:
        raise UsageError(f"--suffix '{suffix}' has a slash in it")
    if output is None and not suffix:
        raise UsageError("an OUTPUT is needed, or a --suffix for results beside their sources")
    if output == "":
        raise UsageError("OUTPUT is empty")
    folder = None if output is None else Path(output)
    planner = _Planner(folder, extensions, arrays, pattern, suffix)
    single = len(sources) == 1 and os.path.isfile(sources[0])
    if output is not None and folder is not None:
        if single and not suffix and not (os.path.isdir(folder) or _ends_in_slash(output)):
            planner.add_pair(sources[0], folder)
            return planner.plan
        _check_folder(folder, output, sources, extensions)
    for source in sources:
        if os.path.isfile(source):
            planner.add_file(source)
        # A pattern such as * matches the OUTPUT of an earlier run too; alone it can only be meant.
        elif len(sources) == 1 or not planner.is_output(source):
            planner.add_folder(source)
    _keep_sources(planner.plan)
    return planner.plan


def _keep_sources(plan: Plan) -> None:
    """Make problems of jobs whose results would replace another input before or after it is read."""
    inputs: dict[str, list[Path]] = defaultdict(list)
    for path in [*(job.source for job in plan.jobs), *(path for path, _ in plan.problems)]:
        inputs[os.path.realpath(path)].append(path)
    refused: set[Job] = set()
    for job in sorted(plan.jobs, key=lambda job: job.source.is_symlink()):
        if job in refused:
            continue
        target = os.path.realpath(job.target)
        others = [path for path in inputs.get(target, []) if path != job.source]
        if not others:
            continue
        if os.path.realpath(job.source) != target:
            refused.add(job)
            plan.problems.append((job.source, f"its result would replace {others[0]}, which is an input too"))
            continue
        links = [other for other in plan.jobs if other.source in others]
        refused.update(links)
        plan.problems += [(link.source, f"it is the file {job.source}, which is replaced") for link in links]
    plan.jobs = [job for job in plan.jobs if job not in refused]


def _check_folder(folder: Path, output: str, sources: Sequence[Path], extensions: Collection[str]) -> None:
    if folder.suffix.lower() in extensions and not os.path.lexists(folder) and not _ends_in_slash(output):
        raise UsageError(f"OUTPUT '{output}' must be a folder here; to make one of this name, write '{output}/'")
    if os.path.lexists(folder) and not os.path.isdir(folder):
        inputs_are = "several inputs" if len(sources) > 1 else "a folder" if os.path.isdir(sources[0]) else "'.../'"
        raise UsageError(f"OUTPUT for {inputs_are} must be a folder, and '{output}' is a file")


def _existing(name: str) -> Path:
    """The input as a path; UsageError unless it is a file or a folder (a pipe would never end)."""
    # Path("") is the current folder, which is not what an empty shell variable should mean.
    if not name:
        raise UsageError("an INPUT is empty")
    path = Path(name)
    if not os.path.lexists(path):
        raise UsageError(f"INPUT '{name}' does not exist")
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise UsageError(f"INPUT '{name}' is neither a file nor a folder")
    return path


def _ends_in_slash(name: str) -> bool:
    return name.endswith((os.sep, os.altsep or os.sep))


class _Planner:
    """Collects jobs, and remembers which targets are taken."""

    def __init__(
        self,
        output: Path | None,
        extensions: Collection[str],
        arrays: Collection[str],
        pattern: str | None,
        suffix: str,
    ) -> None:
        self.plan = Plan()
        self._output = output
        self._output_status = output.stat() if output is not None and os.path.isdir(output) else None
        self._extensions = extensions
        self._arrays = arrays
        self._pattern = pattern
        self._suffix = suffix
        self._taken: dict[str, Path] = {}

    def add_pair(self, source: Path, target: Path) -> None:
        """One file with the name of its result."""
        kind, wanted = source.suffix.lower(), target.suffix.lower()
        if kind not in self._extensions:
            self._refuse_unknown(source)
        elif not wanted:
            raise UsageError(f"OUTPUT '{target}' has no extension; for a folder write '{target}{os.sep}'")
        elif wanted not in self._extensions:
            raise UsageError(f"OUTPUT '{target}' has an unknown extension; known are {self._known()}")
        elif kind != wanted and (kind in self._arrays or wanted in self._arrays):
            raise UsageError(f"a {kind} file is not written as {wanted}: arrays stay arrays and pictures pictures")
        else:
            self._add(source, target, Path(source.name))

    def add_file(self, source: Path) -> None:
        """One file, to be written into OUTPUT under its own name."""
        if source.suffix.lower() in self._extensions:
            self._add_below(source, source.parent, Path(source.name))
        else:
            self._refuse_unknown(source)

    def add_folder(self, top: Path) -> None:
        """All files below a folder, to be written below OUTPUT under their relative paths."""
        for where, folders, names in os.walk(top, onerror=self._unreadable):
            here = Path(where)
            folders[:] = [name for name in sorted(folders) if self._enters(here / name)]
            for name in sorted(names):
                self._add_found(here / name, top)

    def _add_found(self, source: Path, top: Path) -> None:
        """A file in a folder, if it is one to equalize."""
        kind, relative = source.suffix.lower(), source.relative_to(top)
        if kind not in self._extensions:
            self.plan.unknown[kind] += 1
        elif self._pattern is not None and not _matches(relative, self._pattern):
            self.plan.unmatched += 1
        elif self._suffix and source.stem.endswith(self._suffix) and self._is_beside(top):
            self.plan.results += 1
        elif os.path.exists(source) and not os.path.isfile(source):
            self.plan.problems.append((source, "neither a file nor a folder"))
        else:
            self._add_below(source, top, relative)

    def is_output(self, folder: Path) -> bool:
        """Whether a folder is OUTPUT; its files are then counted as passed over."""
        if not self._is_output(folder):
            return False
        self.plan.own = (self.plan.own or 0) + sum(len(names) for _, _, names in os.walk(folder))
        return True

    def _enters(self, folder: Path) -> bool:
        """Whether the walk goes into a folder: not through links, and not into OUTPUT."""
        if os.path.islink(folder):
            self.plan.links += 1
            return False
        return not self.is_output(folder)

    def _is_beside(self, top: Path) -> bool:
        """Whether results lie among their sources."""
        return (self._output_status is None and self._output is None) or self._is_output(top)

    def _is_output(self, folder: Path) -> bool:
        with suppress(OSError):  # the walk says what is wrong with a folder
            return self._output_status is not None and os.path.samestat(folder.stat(), self._output_status)
        return False

    def _add_below(self, source: Path, top: Path, relative: Path) -> None:
        """A file whose result goes below OUTPUT, or beside it."""
        named = relative.with_name(f"{relative.stem}{self._suffix}{relative.suffix}")
        self._add(source, (top if self._output is None else self._output) / named, relative)

    def _add(self, source: Path, target: Path, name: Path) -> None:
        # normcase: on Windows A.png and a.png are one file.
        first = self._taken.setdefault(os.path.normcase(target), source)
        if first is source:
            self.plan.jobs.append(Job(source, target, name))
        elif first != source:  # naming a file twice is harmless
            self.plan.problems.append((source, f"its result would take the place of that of {first}: {target}"))

    def _refuse_unknown(self, source: Path) -> None:
        extension = f"unknown extension {source.suffix}" if source.suffix else "no extension"
        self.plan.problems.append((source, f"{extension}; known are {self._known()}"))

    def _unreadable(self, error: OSError) -> None:
        self.plan.problems.append((Path(os.fsdecode(error.filename)), error.strerror or str(error)))

    def _known(self) -> str:
        return " ".join(sorted(self._extensions))


def _matches(relative: Path, pattern: str) -> bool:
    """Whether a pattern without a slash matches a file's name, or one with a slash its path."""
    return fnmatch.fnmatch(relative.as_posix() if "/" in pattern else relative.name, pattern)


def files_of(inputs: Sequence[str], extensions: Collection[str]) -> list[Path]:
    """Return the files that are named, and those below folders that are named which have one of the extensions.

    Raises
    ------
    UsageError
        For an input that does not exist.
    """
    planner = _Planner(None, extensions, (), None, "")
    for source in map(_existing, inputs):
        if os.path.isfile(source):
            planner.add_file(source)
        else:
            planner.add_folder(source)
    if planner.plan.problems:
        path, problem = planner.plan.problems[0]
        raise UsageError(f"{path}: {problem}")
    return [job.source for job in planner.plan.jobs]
