"""Writing files wholly or not at all, and saying what went wrong with one."""

import errno
import fnmatch
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NAME = ".cheq-{}.tmp"  # of a temporary file: short and its own, as a target's may be as long as is allowed already
_OLD = 24 * 3600  # seconds after which no run still writes to a temporary file


def check_free(target: Path, overwrite: bool) -> None:
    """Raise FileExistsError when `target` exists and is not to be overwritten: pipes and devices never are."""
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(f"{target} exists already")
    if os.path.exists(target) and not (os.path.isfile(target) or os.path.isdir(target) or os.path.islink(target)):
        raise FileExistsError(f"{target} is neither a file nor a folder, and is not replaced")


def check_place(target: Path) -> None:
    """Raise OSError where no file of this name can be made, without making one or its folder."""
    with suppress(FileNotFoundError, NotADirectoryError):
        target.lstat()  # a name too long
    folder = next(each for each in target.parents if os.path.lexists(each))
    code = errno.EEXIST if not folder.is_dir() else 0 if os.access(folder, os.W_OK | os.X_OK) else errno.EACCES
    if code:
        raise OSError(code, os.strerror(code), os.fspath(folder))


def remove_old(folder: Path) -> None:
    """Remove temporary files that were left in a folder by runs that were ended before they could."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if fnmatch.fnmatch(entry.name, _NAME.format("[0-9a-f]" * 16)) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if entry.stat().st_mtime < time.time() - _OLD:
                        os.unlink(entry)


@contextmanager
def whole_file(target: Path, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a file for writing that appears as `target` only when the block has succeeded.

    Until then the bytes are in a temporary file in the same folder, which is removed on any failure, Ctrl-C included.
    Missing folders are made. An existing target is an error unless `overwrite`; then it keeps its permissions, and a
    link is replaced, not followed.
    """
    check_free(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(_NAME.format(secrets.token_hex(8)))
    # What replaces a file that others may not read is not for them either.
    mode = 0o600 if os.path.exists(target) else 0o666
    try:
        with open(temporary, "x+b", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            yield file
        _publish(temporary, target, overwrite)
    except OSError as error:
        # No other program knows the temporary file.
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
