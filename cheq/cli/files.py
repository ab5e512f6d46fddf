"""Files: which ones to equalize, where each result goes, and writing it wholly or not at all."""

import os
import secrets
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO


class UsageError(ValueError):
    """What was asked for makes no sense as a whole; nothing has been read or written."""


@dataclass
class Plan:
    """What to do with the inputs.

    Attributes
    ----------
    jobs : list of (Path, Path)
        Source and target of every file to equalize, in order.
    problems : list of (Path, str)
        Inputs that cannot be taken, and why.
    unknown : Counter
        Files passed over in folders, counted by their extension in lower case.
    links : int
        Linked folders passed over; following them could lead round in circles.
    own : int or None
        Files passed over because they lie in OUTPUT; None when OUTPUT is not inside an input folder.
    """

    jobs: list[tuple[Path, Path]] = field(default_factory=list)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    links: int = 0
    own: int | None = None


def make_plan(inputs: Sequence[str], output: str, extensions: Collection[str]) -> Plan:
    """Decide what becomes of each input.

    Parameters
    ----------
    inputs : sequence of str
        Files and folders, as the user typed them.
    output : str
        A file for one input file, unless it is an existing folder or ends in a slash; a folder for all else.
    extensions : collection of str
        The extensions that are read and written, in lower case with their dot.

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
    if not output:
        raise UsageError("OUTPUT is empty")
    folder = Path(output)
    planner = _Planner(folder, extensions)
    if len(sources) == 1 and os.path.isfile(sources[0]) and not (os.path.isdir(folder) or _ends_in_slash(output)):
        planner.add_pair(sources[0], folder)
        return planner.plan
    if os.path.lexists(folder) and not os.path.isdir(folder):
        inputs_are = "several inputs" if len(sources) > 1 else "a folder" if os.path.isdir(sources[0]) else "'.../'"
        raise UsageError(f"OUTPUT for {inputs_are} must be a folder, and '{output}' is a file")
    for source in sources:
        if os.path.isfile(source):
            planner.add_file(source)
        # A pattern such as * matches the OUTPUT of an earlier run too; alone it can only be meant.
        elif len(sources) == 1 or not planner.is_output(source):
            planner.add_folder(source)
    return planner.plan


def _existing(name: str) -> Path:
    """The input as a path; UsageError unless it is a file or a folder (a pipe would be waited on for ever)."""
    # Path("") is the current folder, which nobody means who passes an empty shell variable.
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

    def __init__(self, output: Path, extensions: Collection[str]) -> None:
        self.plan = Plan()
        self._output = output
        self._output_status = output.stat() if os.path.isdir(output) else None
        self._extensions = extensions
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
        elif (kind == ".npy") != (wanted == ".npy"):
            raise UsageError(f"a {kind} file is not written as {wanted}: arrays stay arrays and pictures pictures")
        else:
            self._add(source, target)

    def add_file(self, source: Path) -> None:
        """One file, to be written into OUTPUT under its own name."""
        if source.suffix.lower() in self._extensions:
            self._add(source, self._output / source.name)
        else:
            self._refuse_unknown(source)

    def add_folder(self, top: Path) -> None:
        """All files below a folder, to be written below OUTPUT under their relative paths."""
        for where, folders, names in os.walk(top, onerror=self._unreadable):
            here = Path(where)
            folders[:] = [name for name in sorted(folders) if self._enters(here / name)]
            for name in sorted(names):
                source = here / name
                kind = source.suffix.lower()
                if kind not in self._extensions:
                    self.plan.unknown[kind] += 1
                elif os.path.exists(source) and not os.path.isfile(source):
                    self.plan.problems.append((source, "neither a file nor a folder"))
                else:
                    self._add(source, self._output / source.relative_to(top))

    def is_output(self, folder: Path) -> bool:
        """Whether a folder is OUTPUT; its files are then counted as passed over."""
        if self._output_status is None or not os.path.samestat(folder.stat(), self._output_status):
            return False
        self.plan.own = (self.plan.own or 0) + sum(len(names) for _, _, names in os.walk(folder))
        return True

    def _enters(self, folder: Path) -> bool:
        """Whether the walk goes into a folder: not through links, and not into OUTPUT."""
        if folder.is_symlink():
            self.plan.links += 1
            return False
        return not self.is_output(folder)

    def _add(self, source: Path, target: Path) -> None:
        # normcase: on Windows A.png and a.png are one file.
        first = self._taken.setdefault(os.path.normcase(target), source)
        if first is source:
            self.plan.jobs.append((source, target))
        else:
            self.plan.problems.append((source, f"its result would take the place of that of {first}: {target}"))

    def _refuse_unknown(self, source: Path) -> None:
        extension = f"unknown extension {source.suffix}" if source.suffix else "no extension"
        self.plan.problems.append((source, f"{extension}; known are {self._known()}"))

    def _unreadable(self, error: OSError) -> None:
        self.plan.problems.append((Path(os.fsdecode(error.filename)), error.strerror or str(error)))

    def _known(self) -> str:
        return " ".join(sorted(self._extensions))


def refuse_empty(source: Path) -> None:
    """Raise ValueError for a file of no bytes, of which readers say stranger things."""
    if source.stat().st_size == 0:
        raise ValueError("the file is empty")


def check_free(target: Path, overwrite: bool) -> None:
    """Raise FileExistsError when `target` exists and is not to be overwritten."""
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(f"{target} exists already (replace it with --overwrite)")


@contextmanager
def whole_file(target: Path, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a file for writing that appears as `target` only when the block has succeeded.

    Until then the bytes are in a temporary file in the same folder, which is removed on any failure, Ctrl-C included.
    Missing folders are made. An existing target is an error unless `overwrite`; then it keeps its permissions, and a
    link is replaced, not followed.
    """
    check_free(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The name is short and its own, as the target's may be as long as the file system allows already.
    temporary = target.with_name(f".cheq-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            yield file
        _publish(temporary, target, overwrite)
    except OSError as error:
        # Nobody has heard of the temporary file.
        if Path(str(error.filename)) == temporary:
            error.filename = os.fspath(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give a finished file its name, in one step that other processes see as a whole."""
    if overwrite:
        with suppress(FileNotFoundError):
            status = target.lstat()
            if stat.S_ISREG(status.st_mode):
                temporary.chmod(stat.S_IMODE(status.st_mode))
        os.replace(temporary, target)
        return
    # Only link() and O_EXCL refuse an existing name without a gap in which another process could make it.
    try:
        os.link(temporary, target)
    except OSError:
        check_free(target, overwrite)
        # The name is free, so this file system has no hard links: reserve the name, then replace.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            os.replace(temporary, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def describe(error: Exception, source: Path) -> str:
    """What an error says to the user, without the path that the line begins with anyway."""
    if isinstance(error, OSError) and error.strerror:
        name = (
            os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else os.fspath(source)
        )
        return error.strerror if name == os.fspath(source) else f"{error.strerror}: {name}"
    text, kind = str(error), type(error).__name__
    # The kind says more than the text of a KeyError or struct.error, and nothing beside a sentence.
    return text if " " in text.strip() else ": ".join(filter(None, (kind, text)))
