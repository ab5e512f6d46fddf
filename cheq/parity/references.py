"""Which libraries are installed to compare with."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from cheq.parity.answers import (
    Answers,
    albumentations_answers,
    cv2_answers,
    kornia_answers,
    numpy_answers,
    pillow_answers,
    skimage_answers,
    torchvision_answers,
)

# Name, module, and what makes its answers.
_KNOWN: tuple[tuple[str, str, Callable[[], Answers]], ...] = (
    ("cv2", "cv2", cv2_answers),
    ("Pillow", "PIL", pillow_answers),
    ("scikit-image", "skimage", skimage_answers),
    ("NumPy", "numpy", numpy_answers),
    ("albumentations", "albumentations", albumentations_answers),
    ("torchvision", "torchvision", torchvision_answers),
    ("kornia", "kornia", kornia_answers),
)
NAMES = tuple(name for name, _, _ in _KNOWN)


@dataclass(frozen=True)
class Reference:
    """A library, what it answers, and why it is absent if it is: nothing is compared with it then."""

    name: str
    version: str = ""
    absent: str = ""
    answers: Answers = field(default_factory=dict, repr=False)


def find(names: tuple[str, ...] = NAMES) -> list[Reference]:
    """Return the known references, those that are absent too."""
    return [_find(name, module, make) for name, module, make in _KNOWN if name in names]


def _find(name: str, module: str, make: Callable[[], Answers]) -> Reference:
    try:
        answers = make()
        return Reference(name, str(import_module(module).__version__), answers=answers)
    except Exception as error:  # a damaged installation raises nearly anything
        absent = isinstance(error, ModuleNotFoundError) and not _is_installed(module)
        return Reference(name, absent="not installed" if absent else f"does not load: {one_line(error)}")


def _is_installed(module: str) -> bool:
    """Whether a module is there, though it may lack others that it needs."""
    return sys.modules.get(module, module) is not None and find_spec(module) is not None


def one_line(error: BaseException) -> str:
    """The kind of an error and its message."""
    return " ".join(f"{type(error).__name__}: {error}".split())
