"""The methods: what each takes and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cheq import _arguments
from cheq._core import integer

if TYPE_CHECKING:
    import numpy.typing as npt

INTEGERS = ("uint8", "int8", "uint16", "int16")  # dtypes with a bin a level
NBINS = integer.NBINS  # of float images, where nothing else is asked for


class Method(NamedTuple):
    """Whose definition is used. ``levels``: whether results are levels of the images' dtype, or else floats."""

    name: str
    dtypes: tuple[str, ...]
    levels: bool
    maker: int  # the number by which the core knows what makes LUTs and distributions

    def result(self, images: np.dtype[Any], same: bool = False) -> np.dtype[Any]:
        """Return the result's dtype for images of one; ``same``: it is asked to be theirs."""
        if self.levels or same or (self is SKIMAGE and images == np.float32):
            return images
        return np.dtype(np.float64)


_TABLE = (
    ("opencv", ("uint8", "uint16"), True),
    ("pillow", ("uint8",), True),
    ("skimage", (*INTEGERS, "bool", "float32", "float64"), False),
    ("numpy", (*INTEGERS, "float32", "float64"), False),
)
METHODS = {name: Method(name, dtypes, levels, integer.MAKERS[name]) for name, dtypes, levels in _TABLE}
OPENCV, SKIMAGE, NUMPY = METHODS["opencv"], METHODS["skimage"], METHODS["numpy"]
TAKEN = {name: method.dtypes for name, method in METHODS.items()}


def of(name: str) -> Method:
    return METHODS[_arguments.as_choice("method", name, METHODS)]


def levels_of(dtype: np.dtype[Any]) -> int:
    """Return how many levels an integer dtype has."""
    return 1 << 8 * dtype.itemsize


def counted_dtype(method: Method, levels: int, images_dtype: npt.DTypeLike | None) -> np.dtype[Any]:
    """Return the dtype of images whose histograms have so many bins, or raise if the method does not take it."""
    default = np.dtype(np.uint8 if levels == 1 << 8 else np.uint16)
    dtype = default if images_dtype is None else _arguments.as_dtype(images_dtype)
    if dtype is None:
        raise TypeError(f"images_dtype: expected a dtype, got {images_dtype!r}")
    if dtype.name not in INTEGERS or levels_of(dtype) != levels:
        names = " or ".join(name for name in INTEGERS if levels_of(np.dtype(name)) == levels)
        raise ValueError(f"images_dtype: expected {names} for histograms of {levels} bins, got {images_dtype!r}")
    if dtype.name not in method.dtypes:
        argument = "histogram" if images_dtype is None else "images_dtype"
        takers = " or ".join(repr(name) for name, taken in TAKEN.items() if dtype.name in taken)
        raise TypeError(
            f"{argument}: expected counts of {' or '.join(method.dtypes)} images for method {method.name!r}, "
            f"got those of {dtype} ({levels} bins); pass method={takers}"
        )
    return dtype
