"""The types of public signatures. They are for type checkers and editors: nothing imports them when a program runs."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike as ArrayLike

Array: TypeAlias = npt.NDArray[Any]
Axes: TypeAlias = int | Iterable[int] | None
Method: TypeAlias = Literal["opencv", "pillow", "skimage", "numpy"]
Color: TypeAlias = Literal["channels", "ycrcb", "yuv", "lab"]
GrayMethod: TypeAlias = Literal["opencv", "pillow", "skimage"]
ClaheMethod: TypeAlias = Literal["opencv", "skimage"]
KernelSize: TypeAlias = float | Iterable[float] | None
Outside: TypeAlias = Literal["lut", "keep"]
NanPolicy: TypeAlias = Literal["raise", "omit"]
DType: TypeAlias = Literal["same"] | np.dtype[Any] | type[np.generic] | None

Scalar = TypeVar("Scalar", bound=np.generic)
Level = TypeVar("Level", np.uint8, np.uint16)


class Planes(TypedDict, total=False):
    """Options that do not decide a result's dtype."""

    axes: Axes
    channel_axis: int | None
    num_threads: int | None


class Masked(Planes, total=False):
    """Those of `apply_lut`."""

    mask: ArrayLike | None
    outside: Outside


class Options(Masked, total=False):
    """Those of `equalize`."""

    color: Color
    nbins: int
    nan_policy: NanPolicy


class MatchOptions(Masked, total=False):
    """Those of `match_histograms`."""

    method: Literal["skimage"]
    color: Color
    reference_histogram: ArrayLike | None
    reference_mask: ArrayLike | None


class KernelOptions(Planes, total=False):
    """Those of `clahe` with ``"skimage"``."""

    clip_limit: float | None
    kernel_size: KernelSize
    nbins: int | None


class TileOptions(Masked, total=False):
    """Those of `clahe` with ``"opencv"``."""

    clip_limit: ArrayLike | None
    tile_grid_size: Iterable[int] | None
    color: Color


class ClaheOptions(TileOptions, total=False):
    """Those of `clahe`."""

    kernel_size: KernelSize
    nbins: int | None
