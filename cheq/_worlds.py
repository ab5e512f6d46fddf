"""The libraries whose arrays have a module of cheq's own: what it is called, and what is said of them elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

_THREE = ("equalize", "clahe", "match_histograms")
_STEPS = ("histogram", "equalization_lut", "matching_lut", "apply_lut")


class World(NamedTuple):
    """Arrays of a library: what makes NumPy's of them, for the user to ask for, and what cheq does to them itself."""

    to_numpy: str
    functions: tuple[str, ...]


# By the first part of the arrays' module, which is the name of cheq's own as well.
WORLDS = {
    "dask": World("compute()", (*_THREE, *_STEPS)),
    "torch": World("numpy()", _THREE),
    "xarray": World("values", _THREE),
}


@contextmanager
def needed(module: str, install: str) -> Iterator[None]:
    """Say how to install what the body imports, where it is missing; one that is there and fails says so itself."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(f"{module} needs {error.name}; to get it: pip install '{install}'", name=error.name) from None


def world_of(kind: type) -> str | None:
    """Return the name in WORLDS of the library that a class, or one that it is made from, belongs to."""
    names = (base.__module__.partition(".")[0] for base in kind.__mro__)
    return next((name for name in names if name in WORLDS), None)


def called_function() -> str | None:
    """Return the name of the public function that is running: that of the outermost frame in a row of cheq's own."""
    frame: FrameType | None = sys._getframe(1)
    name = None
    while frame is not None and frame.f_globals.get("__name__", "").startswith("cheq._"):
        name, frame = frame.f_code.co_name, frame.f_back
    return name
