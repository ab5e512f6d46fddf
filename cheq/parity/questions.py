"""What cheq is asked: each function and method, with the dtypes and options that it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

import cheq
from cheq.parity.inputs import COLOUR, IN_PLACE, NEW, PLANE, WHOLE, Array, Input, colours_of, planes_of, spaced

IMAGES, GRAY, ROWS = (
    "images",
    "gray",
    "rows",
)  # an answer has the images' shape, that without channels, or a row a plane

INTEGERS = ("uint8", "int8", "uint16", "int16")
FLOATS = ("float32", "float64")
LUT_DTYPES = ("uint8", "uint16", "float32", "float64")

_AXES = frozenset({"axes", "channel_axis"})
_MASKED = _AXES | {"mask"}
_BINNED = _MASKED | {"nbins", "nan_policy"}


def _same(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype


def _float64(_: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float64)


def _float32_or_64(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)


@dataclass(frozen=True)
class Question:
    """One way to call cheq.

    Parameters
    ----------
    name : str
        Its own name.
    row : str
        Its row of the table, which it may share.
    answer : str
        What a reference must answer; questions that have the same answer share it.
    call : callable
        Of the images and of options by name.
    dtypes : tuple of str
        The dtypes that a reference may answer for.
    options : frozenset of str
        The options that it takes, beside the number of threads.
    unit, result : str
        What a reference takes at a time, and the shape of the answer.
    gives : callable, optional
        The result's dtype by the images' dtype, if it takes `out`.
    """

    name: str
    row: str
    answer: str
    call: Callable[..., Array]
    dtypes: tuple[str, ...]
    options: frozenset[str]
    unit: str = PLANE
    result: str = IMAGES
    gives: Callable[[np.dtype[Any]], np.dtype[Any]] | None = field(default=None)

    def applies(self, images: Input) -> bool:
        """Whether it can be asked with these arguments, and has an answer that references could give."""
        dtype = images.images.dtype
        if (
            self.unit not in images.units
            or dtype.name not in self.dtypes
            or not self.options.issuperset(images.options)
        ):
            return False
        if images.out != NEW and (self.gives is None or (images.out == IN_PLACE and self.gives(dtype) != dtype)):
            return False
        if images.nbins != 256 and dtype.kind != "f":
            return False
        if self.unit == PLANE:
            return True
        channels = 0 if images.channel_axis is None else images.images.shape[images.channel_axis]
        return channels == 3 or (channels == 4 and self.result == GRAY and self.unit == COLOUR)

    def ask(self, images: Input, threads: int) -> Array:
        """Call cheq, with the kernel in use, on the images in their layout."""
        view, options = images.view(), images.options
        if images.out == IN_PLACE:
            options["out"] = view
        elif images.out != NEW:
            assert self.gives is not None
            options["out"] = spaced(np.zeros(view.shape, self.gives(images.images.dtype)), 1, 3)
        return self.call(view, **options, num_threads=threads)

    def arrange(self, found: Array, images: Input, units: int) -> Array:
        """Return cheq's answer with one entry a unit along the first axis; ValueError if it has another shape."""
        if self.unit == WHOLE:
            return found[np.newaxis]
        if self.result == ROWS:
            return found.reshape(units, -1)
        if self.result == GRAY:
            return found.reshape(units, *found.shape[-2:])
        if found.shape != images.images.shape:
            raise ValueError(f"shape {found.shape} instead of {images.images.shape}")
        return (planes_of if self.unit == PLANE else colours_of)(found, images)


# ---------------------------------------------------------------- calls: looked up in cheq each time they are made


def _equalize(images: Array, **options: Any) -> Array:
    return cheq.equalize(images, **options)


def _steps(images: Array, *, method: str, mask: Array | None = None, out: Array | None = None, **options: Any) -> Array:
    hist = cheq.histogram(images, mask=mask, **options)
    lut = cheq.equalization_lut(hist, method=method, images_dtype=images.dtype.newbyteorder("="))
    return cheq.apply_lut(images, lut, out=out, **options)


@cache
def some_lut(images: np.dtype[Any], dtype: str) -> Array:
    """A LUT of random entries for images of a dtype: the same one for each call."""
    entries = np.random.default_rng(5).integers(0, 65536, 1 << 8 * images.itemsize)
    return (entries / 7 if dtype in FLOATS else entries).astype(dtype)


def _apply_lut(images: Array, *, lut_dtype: str, **options: Any) -> Array:
    return cheq.apply_lut(images, some_lut(images.dtype, lut_dtype), **options)


def _cumulative_distribution(images: Array, *, which: int, **options: Any) -> Array:
    cdf, centers = cheq.cumulative_distribution(images, **options)
    return np.broadcast_to(centers, cdf.shape) if which else cdf


def _recipe(images: Array, *, which: int, nbins: int = 256, **options: Any) -> Array:
    return cheq.recipes.image_histogram_equalization(images, nbins, **options)[which]


def _gray_recipe(images: Array, **options: Any) -> Array:
    return cheq.recipes.histogram_equalize(images, **{"channel_axis": None, **options})


def _histogram(images: Array, **options: Any) -> Array:
    return cheq.histogram(images, **options)


def _otsu_threshold(images: Array, **options: Any) -> Array:
    return np.asarray(cheq.otsu_threshold(images, **options))


def _binarize(images: Array, **options: Any) -> Array:
    return cheq.binarize(images, **options)


def _rgb_to_gray(images: Array, **options: Any) -> Array:
    return cheq.rgb_to_gray(images, **options)


# ---------------------------------------------------------------- all questions

_METHODS = {
    "opencv": (("uint8",), _MASKED, _same),
    "pillow": (("uint8",), _MASKED, _same),
    "skimage": ((*INTEGERS, "bool", *FLOATS), _BINNED, _float32_or_64),
    "numpy": ((*INTEGERS, *FLOATS), _BINNED, _float64),
}


def _of_methods() -> list[Question]:
    """Equalize by each method, and the three steps that it is made of, which have the same answer."""
    found = []
    for method, (dtypes, options, gives) in _METHODS.items():
        row = f'equalize, "{method}"'
        call = partial(_equalize, method=method)
        if method == "opencv":
            call = partial(_equalize)  # the default, by the default's way
        found.append(Question(row, row, method, call, dtypes, options, gives=gives))
        integers = tuple(name for name in dtypes if name in INTEGERS)
        row = f'histogram, LUT, apply, "{method}"'
        steps = partial(_steps, method=method)
        found.append(Question(row, row, method, steps, integers, _MASKED, gives=gives))
    return found


def _of_planes() -> list[Question]:
    def of(
        row: str, call: Callable[..., Array], dtypes: tuple[str, ...], options: frozenset[str], **more: Any
    ) -> Question:
        which = more.pop("which", "")
        name = f"{row}: {which}" if which else row
        return Question(name, row, name, call, dtypes, options, **more)

    recipe, cdf = "recipes.image_histogram_equalization", "cumulative_distribution"
    luts = [
        of(
            "apply_lut",
            partial(_apply_lut, lut_dtype=dtype),
            INTEGERS,
            _AXES,
            which=dtype,
            gives=lambda _, to=dtype: np.dtype(to),
        )
        for dtype in LUT_DTYPES
    ]
    binned = _AXES | {"nbins"}
    return [
        of("histogram", _histogram, INTEGERS, _MASKED, result=ROWS),
        *luts,
        of("otsu_threshold", _otsu_threshold, ("uint8", "uint16"), _MASKED, result=ROWS),
        of("binarize", _binarize, ("uint8", "uint16"), _MASKED, gives=_same),
        of(cdf, partial(_cumulative_distribution, which=0), _METHODS["skimage"][0], _BINNED, which="CDF", result=ROWS),
        of(cdf, partial(_cumulative_distribution, which=1), FLOATS, _BINNED, which="bin centres", result=ROWS),
        of(recipe, partial(_recipe, which=0), _METHODS["numpy"][0], binned, which="images"),
        of(recipe, partial(_recipe, which=1), _METHODS["numpy"][0], binned, which="CDF", result=ROWS),
        of("recipes.histogram_equalize", _gray_recipe, _METHODS["numpy"][0], frozenset({"axes", "nbins"})),
    ]


def _of_colours() -> list[Question]:
    channel = frozenset({"channel_axis"})
    found = [
        Question(row, row, row, partial(_equalize, color="ycrcb"), ("uint8",), channel | {"mask"}, COLOUR, gives=_same)
        for row in ('equalize, color="ycrcb"',)
    ]
    for method, dtypes, unit in (
        ("opencv", ("uint8", "uint16"), COLOUR),
        ("pillow", ("uint8",), COLOUR),
        ("skimage", ("uint8", "uint16", *FLOATS), WHOLE),
    ):
        row = f'rgb_to_gray, "{method}"'
        call = partial(_rgb_to_gray, method=method)
        found.append(Question(row, row, row, call, dtypes, channel, unit, GRAY))
    return found


QUESTIONS = {question.name: question for question in (*_of_methods(), *_of_planes(), *_of_colours())}
