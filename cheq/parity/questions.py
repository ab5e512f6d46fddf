"""What cheq is asked: each function and method, with the dtypes and options that it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Any

import numpy as np

import cheq
from cheq.parity.inputs import (
    COLOR,
    IN_PLACE,
    NEW,
    PLANE,
    TILED,
    WHOLE,
    Array,
    Input,
    colors_of,
    planes_of,
    spaced,
    tiled_planes_of,
)

# An answer has the images' shape, that without channels, or a row a plane.
IMAGES, GRAY, ROWS = "images", "gray", "rows"
# Its dtype: the images', or float64 unless they are float32; anything else is the dtype itself.
SAME, FLOAT = "same", "float"

INTEGERS = ("uint8", "int8", "uint16", "int16")
FLOATS = ("float32", "float64")
LUT_DTYPES = ("uint8", "uint16", *FLOATS)
_NUMBERS = (*INTEGERS, *FLOATS)
_UINTS = ("uint8", "uint16")
LIGHTNESS = {"ycrcb": _UINTS, "yuv": _UINTS, "lab": ("uint8",)}  # and the dtypes for CLAHE; else uint8


@dataclass(frozen=True)
class Question:
    """One way to call cheq.

    Parameters
    ----------
    name : str
        Its own name. Up to a colon it is the row of the table that it is counted in.
    call : callable
        Of the images and of options by name.
    dtypes : tuple of str
        The dtypes that a reference may answer for.
    options : str
        The options that it takes, beside the number of threads.
    unit, result : str
        What a reference takes at a time, and the shape of the answer.
    gives : str
        The result's dtype, if it takes `out`.
    same_as : str
        The question that it shares its answer with.
    """

    name: str
    call: Callable[..., Array]
    dtypes: tuple[str, ...]
    options: str
    unit: str = PLANE
    result: str = IMAGES
    gives: str = ""
    same_as: str = ""

    @property
    def row(self) -> str:
        """Its row of the table."""
        return self.name.partition(": ")[0]

    @property
    def answer(self) -> str:
        """What a reference must answer."""
        return self.same_as or self.name

    def dtype_of_out(self, dtype: np.dtype[Any]) -> np.dtype[Any] | None:
        """The dtype that `out` has for images of a dtype, if it is taken."""
        wide = "float32" if dtype == np.float32 else "float64"
        return np.dtype({SAME: dtype.name, FLOAT: wide}.get(self.gives, self.gives)) if self.gives else None

    def applies(self, images: Input) -> bool:
        """Whether it can be asked with these arguments, and has an answer that references could give."""
        dtype = images.images.dtype
        known = self.unit in images.units and dtype.name in self.dtypes
        if not known or not set(self.options.split()).issuperset(images.options):
            return False
        out = self.dtype_of_out(dtype)
        if images.out != NEW and (out is None or (images.out == IN_PLACE and out != dtype)):
            return False
        if self.unit == TILED:
            return True
        if images.nbins != 256 and dtype.kind != "f":
            return False
        if self.unit == PLANE:
            return True
        channels = 0 if images.channel_axis is None else images.images.shape[images.channel_axis]
        return channels == 3 or (channels == 4 and self.result == GRAY and self.unit == COLOR)

    def ask(self, images: Input, threads: int) -> Array:
        """Call cheq, with the kernel in use, on the images in their layout."""
        view, options = images.view(), images.options
        if images.out == IN_PLACE:
            options["out"] = view
        elif images.out != NEW:
            options["out"] = spaced(np.zeros(view.shape, self.dtype_of_out(images.images.dtype)), 1, 3)
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
        return {PLANE: planes_of, COLOR: colors_of, TILED: tiled_planes_of}[self.unit](found, images)


# ---------------------------------------------------------------- calls: looked up in cheq each time they are made


def _call(name: str, pick: Callable[[Any], Any] = np.asarray, **fixed: Any) -> Callable[..., Array]:
    """A call of a public function, of whose result `pick` takes the answer."""

    def call(images: Array, **options: Any) -> Array:
        answer: Array = pick(attrgetter(name)(cheq)(images, **fixed | options))
        return answer

    return call


def _steps(method: Any) -> Callable[..., Array]:
    def call(images: Array, *, mask: Array | None = None, out: Array | None = None, **options: Any) -> Array:
        hist = cheq.histogram(images, mask=mask, **options)
        lut = cheq.equalization_lut(hist, method=method, images_dtype=images.dtype.newbyteorder("="))
        return cheq.apply_lut(images, lut, out=out, **options)

    return call


@cache
def some_lut(images: np.dtype[Any], dtype: str) -> Array:
    """A LUT of random entries for images of a dtype: the same one for each call."""
    entries = np.random.default_rng(5).integers(0, 65536, 1 << 8 * images.itemsize)
    return (entries / 7 if dtype in FLOATS else entries).astype(dtype)


def _apply_lut(dtype: str) -> Callable[..., Array]:
    return lambda images, **options: cheq.apply_lut(images, some_lut(images.dtype, dtype), **options)


@cache
def some_reference(dtype: np.dtype[Any], channels: int = 1) -> Array:
    """Planes of a reference, (channels, pixels): the same for each call. Zero has one sign, and levels are missing."""
    numbers = np.random.default_rng(6).standard_normal((channels, 667))
    if dtype.kind == "f":
        return np.asarray(numbers, dtype)
    limits = np.iinfo(dtype)
    wide = np.array([[0.3], [0.02], [0.006]])[:channels] * float(limits.max)
    return np.asarray(np.clip(np.rint(numbers * wide), limits.min, limits.max), dtype)


def own_reference(images: Array) -> Array:
    """The reference of each plane that is its own, made pixel by pixel of the plane."""
    return np.asarray(np.abs(images) * 0.5 if images.dtype.kind == "f" else images // 3, images.dtype)


def _laid(planes: Array, images: Array, axes: tuple[int, ...] | None, channel_axis: int | None) -> Array:
    """Return (channels, pixels) with the images' axes: the pixels along one of those of a plane."""
    channel = None if channel_axis is None else channel_axis % images.ndim
    last = axes[-1] % images.ndim if axes else max(axis for axis in range(images.ndim) if axis != channel)
    shape = [1] * images.ndim
    shape[last] = planes.shape[1]
    if channel is None:
        return np.reshape(planes[0], shape)
    shape[channel] = len(planes)
    return np.reshape(planes if channel < last else planes.T, shape)


def _match(images: Array, *, colors: bool = False, **options: Any) -> Array:
    """Match all planes to one, of which channels have one each, or to the planes of three colors."""
    axes, channel_axis = options.get("axes"), options.get("channel_axis")
    planes = some_reference(images.dtype.newbyteorder("="), 3 if colors else 1)
    if channel_axis is not None and not colors:
        planes = planes.repeat(images.shape[channel_axis], axis=0)
    if axes is None and channel_axis is None:  # said, for a last axis could be taken for colors
        options["axes"] = (-2, -1)
    return cheq.match_histograms(images, _laid(planes, images, axes, channel_axis), **options)


def _match_each(images: Array, **options: Any) -> Array:
    return cheq.match_histograms(images, own_reference(images), dtype="same", **options)


def _match_by_hand(images: Array, *, mask: Array | None = None, out: Array | None = None, **options: Any) -> Array:
    hist, dtype = cheq.histogram(images, mask=mask, **options), images.dtype.newbyteorder("=")
    lut = cheq.matching_lut(hist, cheq.histogram(some_reference(dtype)), images_dtype=dtype, dtype="same")
    return cheq.apply_lut(images, lut, out=out, **options)


def _recipe(which: int) -> Callable[..., Array]:
    def call(images: Array, *, nbins: int = 256, **options: Any) -> Array:
        return cheq.recipes.image_histogram_equalization(images, nbins, **options)[which]

    return call


# ---------------------------------------------------------------- all questions

_AXES = "axes channel_axis"
_MASKED = f"{_AXES} mask"
_BINNED = f"{_MASKED} nbins nan_policy"
_OPENCV_S, _SKIMAGE_S = "clip_limit tile_grid_size", "clip_limit kernel_size nbins"
_CDF, _RECIPE, _MATCH = "cumulative_distribution", "recipes.image_histogram_equalization", "match_histograms"

_METHODS: tuple[tuple[str, dict[str, Any], tuple[str, ...], str, str], ...] = (
    ("opencv", {}, ("uint8",), _MASKED, SAME),  # the default, by the default's way
    ("pillow", {"method": "pillow"}, ("uint8",), _MASKED, SAME),
    ("skimage", {"method": "skimage"}, (*_NUMBERS, "bool"), _BINNED, FLOAT),
    ("numpy", {"method": "numpy"}, _NUMBERS, _BINNED, "float64"),
)

_QUESTIONS = (
    *(Question(f'equalize, "{method}"', _call("equalize", **fixed), dtypes, options, gives=gives, same_as=method)
      for method, fixed, dtypes, options, gives in _METHODS),
    # The three steps that it is made of, which have the same answer.
    *(Question(f'histogram, LUT, apply, "{method}"', _steps(method),
               tuple(name for name in dtypes if name in INTEGERS), _MASKED, gives=gives, same_as=method)
      for method, _, dtypes, _, gives in _METHODS),
    Question("histogram", _call("histogram"), INTEGERS, _MASKED, result=ROWS),
    *(Question(f"apply_lut: {dtype}", _apply_lut(dtype), INTEGERS, _AXES, gives=dtype) for dtype in LUT_DTYPES),
    Question("otsu_threshold", _call("otsu_threshold"), _UINTS, _MASKED, result=ROWS),
    Question("binarize", _call("binarize"), _UINTS, _MASKED, gives=SAME),
    Question(f"{_CDF}: CDF", _call(_CDF, lambda found: found[0]), (*_NUMBERS, "bool"), _BINNED, result=ROWS),
    Question(f"{_CDF}: bin centers", _call(_CDF, lambda found: np.broadcast_to(found[1], found[0].shape)),
             FLOATS, _BINNED, result=ROWS),
    Question(f"{_RECIPE}: images", _recipe(0), _NUMBERS, f"{_AXES} nbins"),
    Question(f"{_RECIPE}: CDF", _recipe(1), _NUMBERS, f"{_AXES} nbins", result=ROWS),
    Question("recipes.histogram_equalize", _call("recipes.histogram_equalize", channel_axis=None), _NUMBERS,
             "axes nbins"),
    *(Question(f'equalize, color="{color}"', _call("equalize", color=color), ("uint8",), "channel_axis mask", COLOR,
               gives=SAME)
      for color in LIGHTNESS),
    Question('clahe, "opencv"', _call("clahe"), _UINTS, f"{_AXES} {_OPENCV_S}", TILED, gives=SAME),
    Question('clahe, "skimage"', _call("clahe", method="skimage"), (*_UINTS, "int16", "bool", *FLOATS),
             f"{_AXES} {_SKIMAGE_S}", TILED, gives=FLOAT),
    *(Question(f'clahe, color="{color}"', _call("clahe", color=color), dtypes, f"channel_axis {_OPENCV_S}", COLOR,
               gives=SAME)
      for color, dtypes in LIGHTNESS.items()),
    Question(f"{_MATCH}: floats", _match, INTEGERS, "axes mask", gives=FLOAT),
    Question(f"{_MATCH}: levels", partial(_match, dtype="same"), _NUMBERS, _MASKED, gives=SAME),
    Question(f"{_MATCH}: one each", _match_each, ("uint8", "int16", "float32"), _MASKED, gives=SAME),
    Question(f"{_MATCH}: channels", partial(_match, colors=True), _NUMBERS, "channel_axis mask", COLOR, gives=SAME),
    Question("histogram, LUT, apply, matched", _match_by_hand, ("uint8", "int16"), _MASKED, gives=SAME,
             same_as=f"{_MATCH}: levels"),
    *(Question(f'{_MATCH}, color="{color}"', partial(_match, colors=True, color=color), ("uint8",),
               "channel_axis mask", COLOR, gives=SAME)
      for color in LIGHTNESS),
    *(Question(f'rgb_to_gray, "{method}"', _call("rgb_to_gray", method=method), dtypes, "channel_axis", unit, GRAY)
      for method, dtypes, unit in (
          ("opencv", _UINTS, COLOR), ("pillow", ("uint8",), COLOR), ("skimage", (*_UINTS, *FLOATS), WHOLE))),
)  # fmt: skip
QUESTIONS = {question.name: question for question in _QUESTIONS}
