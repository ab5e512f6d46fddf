"""Standard input and output, `-`: files of a folder that is thrown away stand for them."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cheq.cli.report import CommandError, one_line
from cheq.cli.settings import UsageError
from cheq.pictures import formats
from cheq.pictures.files import describe

STREAM = "-"
_IN, _OUT = "standard input", "standard output"


class Files(NamedTuple):
    """What to read and write in the place of what the user named, and what paths are called in messages."""

    inputs: Sequence[str]
    output: str | None
    names: dict[Path, str]


@contextmanager
def as_files(inputs: Sequence[str], output: str | None, extension: str = "") -> Iterator[Files]:
    """Let files stand for standard input and output; what has been written is on standard output at the end.

    Parameters
    ----------
    inputs, output
        As the user typed them.
    extension : str
        Of what is written to standard output; "" for the format of the input.

    Raises
    ------
    UsageError
        Where a stream cannot be what is asked for.
    CommandError
        If standard input holds nothing that is known.
    """
    reads, writes = STREAM in inputs, output == STREAM
    if not reads and not writes:
        yield Files(inputs, output, {})
        return
    _check(inputs, output)
    with TemporaryDirectory(prefix="cheq-") as folder:
        source = _spooled(Path(folder)) if reads else Path(inputs[0])
        target = Path(folder) / f"{_OUT}{extension or source.suffix}"
        names = {target: _OUT} | ({source: _IN} if reads else {})
        yield Files([os.fspath(source)], os.fspath(target) if writes else output, names)
        if writes and target.exists():
            with open(target, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def _check(inputs: Sequence[str], output: str | None) -> None:
    if STREAM in inputs:
        if len(inputs) > 1:
            raise UsageError(f"{_IN} (-) is taken alone, not beside other INPUTs")
        if output is None or output.endswith(os.sep) or os.path.isdir(output):
            raise UsageError(f"{_IN} (-) has no name: OUTPUT must be a file or -")
        if sys.stdin.isatty():
            raise UsageError(f"{_IN} (-) is a terminal; send it a file, such as with < photo.png")
    elif len(inputs) != 1 or os.path.isdir(inputs[0]):
        raise UsageError(f"{_OUT} (-) holds one file: INPUT must be one, too")
    if output == STREAM and sys.stdout.isatty():
        raise UsageError(f"{_OUT} (-) is a terminal; send it to a file or a program")


def _spooled(folder: Path) -> Path:
    """Write standard input to a file whose extension says what is in it."""
    path = folder / _IN
    with open(path, "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    try:
        return path.rename(path.with_suffix(formats.extension_of(path)))
    except Exception as error:  # damaged files make libraries raise nearly anything
        raise CommandError(f"{_IN}: {one_line(describe(error, path))}") from None
