"""What `cheq equalize` was asked to do to each picture and array."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cheq
from cheq.pictures.formats import JPEG_QUALITY


class UsageError(ValueError):
    """What was asked for makes no sense as a whole; nothing has been read or written."""


class Method(StrEnum):
    """Whose definition of equalization is used."""

    OPENCV = "opencv"
    PILLOW = "pillow"
    SKIMAGE = "skimage"
    NUMPY = "numpy"


class Outside(StrEnum):
    """What pixels become that are not counted."""

    LUT = "lut"
    KEEP = "keep"


class Nan(StrEnum):
    """What is done with NaN and infinities in floats."""

    RAISE = "raise"
    OMIT = "omit"


class Color(StrEnum):
    """What is equalized of color pictures."""

    CHANNELS = "channels"
    YCRCB = "ycrcb"
    GRAY = "gray"


@dataclass(frozen=True)
class Settings:
    """The options of a run.

    Attributes
    ----------
    method, color : Method, Color
        As for `cheq.equalize`; `Color.GRAY` makes gray pictures first.
    channel_axis, axes : int or None, tuple of int or None
        Of ``.npy`` and ``.npz`` arrays; pictures know theirs.
    threads : int
        How many pictures are worked on at a time, and threads for one array.
    shared_lut : bool
        Whether all pictures of a kind share one histogram.
    overwrite : bool
        Whether existing targets are replaced.
    quality : int
        Of JPEG files.
    most_pixels : int or None
        The most that a picture or array may have; by default Pillow's limit, which an .npy file of that size may pass.
    outside : Outside
        What becomes of the pixels outside a mask.
    nodata : str
        The value that stands for none in files that name none; "" where all values count.
    nan : Nan
        As ``nan_policy`` of `cheq.equalize`.
    """

    method: Method = Method.OPENCV
    color: Color = Color.CHANNELS
    channel_axis: int | None = None
    axes: tuple[int, ...] | None = None
    threads: int = 1
    shared_lut: bool = False
    overwrite: bool = False
    quality: int = JPEG_QUALITY
    most_pixels: int | None = None
    outside: Outside = Outside.LUT
    nodata: str = ""
    nan: Nan = Nan.RAISE

    def __post_init__(self) -> None:
        try:
            float(self.nodata or 0)
        except ValueError:
            raise UsageError(f"--nodata takes a number or nan, not '{self.nodata}'") from None
        if self.color is Color.YCRCB and self.method not in (Method.OPENCV, Method.PILLOW):
            raise UsageError(f"--color ycrcb takes --method opencv or pillow, not {self.method}")
        if self.color is Color.YCRCB and self.shared_lut:
            raise UsageError("--shared-lut takes --color channels or gray, not ycrcb")
        if self.axes is not None and (self.shared_lut or self.color is not Color.CHANNELS):
            other = "--shared-lut" if self.shared_lut else f"--color {self.color}"
            raise UsageError(f"--axes says which pixels of an array share a histogram, and so does {other}")

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `cheq.equalize` that are the same for every picture: results keep their source's dtype."""
        levels = self.method in (Method.OPENCV, Method.PILLOW)
        return {"method": self.method.value, "dtype": None if levels else "same"}


def threads_now() -> int:
    """How many threads a large call of cheq uses here now, beside what else runs."""
    count: int = cheq.show_config(mode="dicts")["threads"]["count"]
    return count


def most_threads() -> int:
    """How many it would use if nothing else ran: what else runs now is no measure for a long run."""
    count: int = cheq.show_config(mode="dicts")["threads"]["most"]
    return count
