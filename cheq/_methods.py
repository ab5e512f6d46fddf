"""The methods: what each takes, what it gives, and the options that only some of them have."""

import operator
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq._core import integer

INTEGERS = ("uint8", "int8", "uint16", "int16")  # dtypes with a bin a level
# Defaults, which calls that give none have the very objects of.
CHANNELS, RAISE = "channels", "raise"
NBINS = 256  # of float images, where nothing else is asked for
_MOST_BINS = 1 << 24


@dataclass(frozen=True)
class Method:
    """Whose definition is used. ``levels``: whether results are levels of the images' dtype, or else floats."""

    name: str
    maker: int
    dtypes: tuple[str, ...]
    levels: bool


OPENCV = Method("opencv", integer.MAKERS["opencv"], ("uint8", "uint16"), levels=True)
PILLOW = Method("pillow", integer.MAKERS["pillow"], ("uint8",), levels=True)
SKIMAGE = Method("skimage", integer.MAKERS["skimage"], (*INTEGERS, "bool", "float32", "float64"), levels=False)
NUMPY = Method("numpy", integer.MAKERS["numpy"], (*INTEGERS, "float32", "float64"), levels=False)

METHODS = {method.name: method for method in (OPENCV, PILLOW, SKIMAGE, NUMPY)}
TAKEN = {name: method.dtypes for name, method in METHODS.items()}


def of(name: str) -> Method:
    found = METHODS.get(name) if type(name) is str else None
    if found is None:
        check_choice("method", name, METHODS)
        found = METHODS[str(name)]
    return found


def check_choice(argument: str, value: Any, valid: Collection[Any]) -> None:
    if not (value is None or isinstance(value, str)) or value not in valid:
        raise ValueError(f"{argument}: expected one of {', '.join(map(repr, valid))}; got {value!r}")


def result(
    method: Method, images: np.dtype[Any], dtype: str | None, nbins: int = NBINS, nan_policy: str = RAISE
) -> np.dtype[Any]:
    """Return the result's dtype for images of one; check the options that decide it, and those of float images."""
    check_choice("dtype", dtype, (None, "same"))
    check_choice("nan_policy", nan_policy, (RAISE, "omit"))
    check_nbins(nbins, images)
    if dtype == "same" and images == np.bool_:
        raise TypeError("dtype: expected None for images of dtype bool, got 'same'; pass images.astype(np.uint8) * 255")
    if method.levels or dtype == "same" or (method is SKIMAGE and images == np.float32):
        return images
    return np.dtype(np.float64)


def check_nbins(nbins: Any, images: np.dtype[Any], name: str = "nbins") -> int:
    """Return the number of bins, which only float images may have another number of than 256."""
    try:
        if isinstance(nbins, bool | np.bool_):
            raise TypeError
        number = operator.index(nbins)
    except TypeError:
        raise TypeError(f"{name}: expected an int, got {nbins!r}") from None
    if not 1 <= number <= _MOST_BINS:
        raise ValueError(f"{name}: expected 1 to {_MOST_BINS} bins, got {number}")
    if number != NBINS and images.kind != "f":
        raise ValueError(
            f"{name}: expected {NBINS} for images of dtype {images}, got {number}; only floats have others"
        )
    return number


def levels_of(dtype: np.dtype[Any]) -> int:
    """Return how many levels an integer dtype has."""
    return 1 << 8 * dtype.itemsize


def counted_dtype(method: Method, levels: int, images_dtype: npt.DTypeLike | None) -> np.dtype[Any]:
    """Return the dtype of images whose histograms have so many bins, or raise if the method does not take it."""
    default = np.dtype(np.uint8 if levels == 1 << 8 else np.uint16)
    try:
        dtype = default if images_dtype is None else np.dtype(images_dtype).newbyteorder("=")
    except TypeError as error:
        raise TypeError(f"images_dtype: expected a dtype, got {images_dtype!r}: {error}") from None
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
