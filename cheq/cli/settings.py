"""What a command was asked to do to each picture and array."""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

import cheq
from cheq.pictures import Pixels
from cheq.pictures.formats import JPEG_QUALITY, Quality

Method = Literal["opencv", "pillow", "skimage", "numpy"]
LocalMethod = Literal["opencv", "skimage"]
Color = Literal["channels", "ycrcb", "yuv", "lab", "gray"]
Outside = Literal["lut", "keep"]
Nan = Literal["raise", "omit"]
Alpha = Literal["keep", "mask"]
Frames = Literal["first", "all"]

LIGHTNESS = ("ycrcb", "yuv", "lab")  # colors of which the lightness alone is equalized

# Signs in the messages of functions, and the options to name.
_OPTIONS = (
    ("^clip_limit:", "on the command line: --clip-limit"),
    ("^tile_grid_size:", "on the command line: --tiles"),
    ("^kernel_size:", "on the command line: --kernel-size"),
    ("^nbins:", "on the command line: --nbins"),
    ("^mask:", "on the command line: --mask"),
    ("looks like channels", "on the command line: --channel-axis -1 or --axes -2,-1"),
    ("^axes:|pass axes", "on the command line: --axes"),
    ("^color:", "on the command line: --color"),
    ("channel_axis", "on the command line: --channel-axis"),
    ("^method:|method=", "on the command line: --method"),
    ("exceeds .*limit of", "on the command line: --max-pixels"),
    (r"the file's \d+ (frames|pictures) is taken", "on the command line: --frames all"),
    ("exists already$", "replace it with --overwrite"),
)


# What functions propose to pass, and what the command takes instead.
_PASSED = (
    ("pass nan_policy='omit'", "pass --nan omit"),
    (r"pass (\w+_)?mask=np\.isfinite\(\w+\)", "pass --nan omit to leave it out"),
)


class UsageError(ValueError):
    """What was asked for makes no sense as a whole; nothing has been read or written."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of a run of `cheq equalize`.

    Attributes
    ----------
    method, color : str
        As for `cheq.equalize`; ``"gray"`` makes gray pictures first.
    channel_axis, axes : int or None, tuple of int or None
        Of ``.npy`` and ``.npz`` arrays; pictures know theirs.
    threads : int
        How many pictures are worked on at a time, and threads for one array.
    shared_lut, shared_lut_pages : bool
        Whether all pictures of a kind share one histogram: those of all files, or those of each file.
    match : str or None
        A file; pictures and arrays get its histogram instead of an even one.
    match_average, match_first : bool
        Whether they get the sum of all their histograms, or the first one's.
    overwrite, skip_existing : bool
        Whether existing targets are replaced, or left as they are and no failure.
    dry_run : bool
        Whether files are read alone, and nothing is written.
    quality : int or "keep"
        Of JPEG files.
    most_pixels : int or None
        The most that a picture or array may have; by default Pillow's limit, which an .npy file of that size may pass.
    outside : str
        What becomes of the pixels outside a mask.
    alpha : str
        Whether pictures' transparent pixels are outside too.
    frames : str
        Which frames of an animation, and which pictures of a PNM file, are taken.
    nodata : str
        The value that stands for none in files that name none; "" where all values count.
    nan : str
        As ``nan_policy`` of `cheq.equalize`.
    """

    colors_of_8_bits: ClassVar[tuple[str, ...]] = LIGHTNESS
    methods: ClassVar[tuple[str, ...]] = ("opencv", "pillow", "skimage", "numpy")
    one_lut: ClassVar = True  # a plane

    method: Method = "opencv"
    color: Color = "channels"
    channel_axis: int | None = None
    axes: tuple[int, ...] | None = None
    threads: int = 1
    shared_lut: bool = False
    shared_lut_pages: bool = False
    match: str | None = None
    match_average: bool = False
    match_first: bool = False
    overwrite: bool = False
    skip_existing: bool = False
    dry_run: bool = False
    quality: Quality = JPEG_QUALITY
    most_pixels: int | None = None
    outside: Outside = "lut"
    alpha: Alpha = "keep"
    frames: Frames = "first"
    nodata: str = ""
    nan: Nan = "raise"

    def __post_init__(self) -> None:
        try:
            float(self.nodata or 0)
        except ValueError:
            raise UsageError(f"--nodata takes a number or nan, not '{self.nodata}'") from None
        if len(self._for_all) > 1:
            raise UsageError(f"{' and '.join(self._for_all)} do not go together")
        if self.matches and self.method != "skimage":
            raise UsageError(f"{self.option} takes --method skimage, not {self.method}")
        if self.overwrite and self.skip_existing:
            raise UsageError("--overwrite and --skip-existing do not go together")
        if self.color in LIGHTNESS and self.counts:
            raise UsageError(f"{self.option} takes --color channels or gray, not {self.color}")
        if self.axes is not None and (self.shares_lut or self.color != "channels"):
            other = self.option if self.shares_lut else f"--color {self.color}"
            raise UsageError(f"--axes says which pixels of an array share a histogram, and so does {other}")
        try:
            self._try()
        except ValueError as error:
            raise UsageError(in_options(str(error))) from None

    @property
    def _for_all(self) -> list[str]:
        """The options given that say what one picture has to do with others."""
        options = {
            "--shared-lut": self.shared_lut,
            "--shared-lut-pages": self.shared_lut_pages,
            "--match": self.match is not None,
            "--match-average": self.match_average,
            "--match-first": self.match_first,
        }
        return [name for name, given in options.items() if given]

    @property
    def option(self) -> str:
        """The one that is given; "" if none is."""
        return "".join(self._for_all[:1])

    @property
    def words(self) -> tuple[str, str]:
        """What is done to pictures, while it is and afterwards."""
        return ("matching", "matched") if self.matches else ("equalizing", "equalized")

    @property
    def matches(self) -> bool:
        """Whether pictures get the histogram of others instead of an even one."""
        return bool(self._for_all) and not self.shares_lut

    @property
    def shares_lut(self) -> bool:
        """Whether several pictures have one histogram, and so one LUT."""
        return self.shared_lut or self.shared_lut_pages

    @property
    def counts_first(self) -> bool:
        """Whether all files are counted before the first is changed."""
        return self.shared_lut or self.match_average

    @property
    def counts(self) -> bool:
        """Whether pictures are counted before they are changed, those of a file or of all."""
        return self.counts_first or self.shared_lut_pages

    def _try(self) -> None:
        """Let what is to do it say what does not go together."""
        axes = None if self.axes is None else tuple(range(len(self.axes)))
        self.equalize(np.zeros((*(1 for _ in axes or (0, 1)), 3), np.uint8), -1, axes=axes)

    def equalize(self, pixels: Pixels, axis: int | None, **arguments: Any) -> Pixels:
        """Return pixels equalized or matched, of each channel or their lightness; the arguments are those of cheq's."""
        color = self.color if axis is not None and self.color in LIGHTNESS else "channels"
        return self._change(pixels, channel_axis=axis, color=color, **self.options, **arguments)

    def check_dtype(self, dtype: np.dtype[Any], kind: str) -> None:
        """Raise ValueError for pixels whose dtype the options do not take, and say what does."""
        if self.counts and dtype.kind == "f":
            raise ValueError(f"{self.option} counts levels of 8 or 16 bits, and this is {dtype}")
        if self._takes(dtype):
            return
        takers = [name for name in self.methods if self._takes(dtype, method=name)]
        how = f"--method {' or '.join(takers)} does" if takers else "make it uint8 or uint16 first"
        raise ValueError(f"--method {self.method} does not take {kind}; {how}")

    def _takes(self, dtype: np.dtype[Any], **others: Any) -> bool:
        """Whether pixels of a dtype are taken, with other settings than these for some."""
        try:
            axes = None if self.axes is None else tuple(range(len(self.axes)))
            replace(self, **others).equalize(np.zeros([16 for _ in axes or (0, 1)], dtype), None, axes=axes)
        except (TypeError, ValueError):
            return False
        return True

    def _change(self, pixels: Pixels, **arguments: Any) -> Pixels:
        if self.matches:
            given = {} if "reference_histogram" in arguments else {"reference": pixels}
            return cheq.match_histograms(pixels, **given | arguments)
        return cheq.equalize(pixels, nan_policy=self.nan, **arguments)

    @property
    def options(self) -> dict[str, Any]:
        """The method's arguments: results keep their source's dtype."""
        return {"method": self.method, "dtype": None if self.method in ("opencv", "pillow") else "same"}


@dataclass(frozen=True, kw_only=True)
class ClaheSettings(Settings):
    """Those of `cheq clahe`, which has neither ``shared_lut`` nor ``match...`` nor ``nan``.

    Attributes
    ----------
    clip_limit, tiles, kernel_size, nbins : float, tuple of int, tuple of int, int, or None
        As for `cheq.clahe`, where ``tiles`` is ``tile_grid_size``; a ``kernel_size`` of one number is for all axes.
    """

    colors_of_8_bits: ClassVar[tuple[str, ...]] = ("lab",)
    methods: ClassVar[tuple[str, ...]] = ("opencv", "skimage")
    one_lut: ClassVar = False

    clip_limit: float | None = None
    tiles: tuple[int, ...] | None = None
    kernel_size: tuple[int, ...] | None = None
    nbins: int | None = None

    def _change(self, pixels: Pixels, **arguments: Any) -> Pixels:
        size = self.kernel_size
        own: dict[str, Any] = {
            "clip_limit": self.clip_limit,
            "tile_grid_size": self.tiles,
            "kernel_size": size[0] if size is not None and len(size) == 1 else size,
            "nbins": self.nbins,
        }
        return cheq.clahe(pixels, **{name: value for name, value in own.items() if value is not None}, **arguments)


def in_options(message: str) -> str:
    """A message of cheq's functions, for someone who has options instead of arguments."""
    for argument, option in _PASSED:
        message = re.sub(argument, option, message)
    for sign, hint in _OPTIONS:
        if re.search(sign, message):
            return f"{message} ({hint})"
    return message


def threads_now() -> int:
    """How many threads a large call of cheq uses here now, beside what else runs."""
    count: int = cheq.show_config(mode="dicts")["threads"]["count"]
    return count


def most_threads() -> int:
    """How many it would use if nothing else ran: what else runs now is no measure for a long run."""
    count: int = cheq.show_config(mode="dicts")["threads"]["most"]
    return count
