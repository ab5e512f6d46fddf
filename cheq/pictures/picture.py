"""A picture in memory: its pixels, and what is known about them."""

import re
import warnings
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from PIL import Image

from cheq.pictures import Pixels, exif
from cheq.pictures.jpeg import Coding

REDUCED, MASK = 1, 4  # bits of a TIFF's tag 254: a smaller copy of another page, a mask of another

# The channels of a kind, without alpha: 1 is gray, 3 is RGB.
_NAMES = {1: "gray", 3: "RGB"}
# What turns pixels upright, by their orientation: a number of quarter turns to the left, after a mirroring or not.
_TURNS = {2: (True, 0), 3: (False, 2), 4: (True, 2), 5: (True, 1), 6: (False, 3), 7: (True, 3), 8: (False, 1)}


class Format(NamedTuple):
    """A file format: Pillow's name, the kinds of pictures it holds (None: all), and which fields of `About`."""

    name: str
    holds: frozenset[str] | None
    keeps: frozenset[str]


BACKGROUND, PREVIOUS = 2, 3  # what a frame leaves behind: nothing, or what was before it


class Frame(NamedTuple):
    """A frame of an animation.

    How many seconds it is shown, what it leaves behind (as a number of GIF's), how often the animation is shown (0:
    without end), and whether it is part of it: a PNG can have another picture first, for who knows of no animations.
    """

    duration: Fraction = Fraction(0)
    disposal: int = 0
    plays: int = 0
    shown: bool = True


@dataclass(frozen=True)
class About:
    """What travels with the pixels.

    Attributes
    ----------
    exif : bytes
        A block as it stands in files, from its byte order on.
    icc_profile : bytes
        The color profile.
    xmp : bytes
        What stands in XML.
    resolution : (float, float, int) or None
        Pixels horizontally and vertically for each unit: 1 none, 2 inch, 3 centimeter, as in TIFF.
    coding : Coding or None
        How a JPEG's pixels were encoded.
    compression, predictor : str, bool
        Of a TIFF's pixels.
    large : bool
        Whether all pages of a TIFF need one with 64-bit offsets.
    tile : (int, int) or None
        Height and width of a TIFF's tiles, if it has any.
    subfile : int
        What kind of page of a TIFF this is, as bits of its tag 254.
    nodata : str
        The value that stands for none, as GDAL writes it.
    byteorder : str
        Of a TIFF, and of the numbers in its tags.
    tags : tuple of (int, int, int, bytes)
        Code, type, count and value of a TIFF's other tags, as they stand in the file.
    chunks : tuple of (bytes, bytes)
        Name and content of a PNG's other chunks.
    segments : tuple of (int, bytes)
        Marker and content of a JPEG's other segments.
    blocks : tuple of (bytes, bytes)
        Name and data of a GIF's other application extensions; the data with the lengths of their parts.
    boxes : tuple of (bytes, bytes)
        Name and content of a JPEG 2000's other boxes.
    resources : bytes
        Photoshop's image resources, of which one is IPTC.
    extended_xmp : bytes
        What XMP had no room for in a JPEG's segment.
    comments : tuple of bytes
        Remarks for people, in no encoding that is named.
    tail : (str, bytes)
        A format, and what stands in its files behind the picture: a film, for example.
    frame : Frame or None
        How it is shown, if it is one of several.
    """

    exif: bytes = b""
    icc_profile: bytes = b""
    xmp: bytes = b""
    resolution: tuple[float, float, int] | None = None
    coding: Coding | None = None
    compression: str = ""
    predictor: bool = True
    large: bool = False
    tile: tuple[int, int] | None = None
    subfile: int = 0
    nodata: str = ""
    byteorder: str = ""
    tags: tuple[tuple[int, int, int, bytes], ...] = ()
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    segments: tuple[tuple[int, bytes], ...] = ()
    blocks: tuple[tuple[bytes, bytes], ...] = ()
    boxes: tuple[tuple[bytes, bytes], ...] = ()
    resources: bytes = b""
    extended_xmp: bytes = b""
    comments: tuple[bytes, ...] = ()
    tail: tuple[str, bytes] = ("", b"")
    frame: Frame | None = None

    @property
    def any_resolution(self) -> tuple[float, float, int] | None:
        """The resolution, that of EXIF where no other place names one."""
        if self.resolution is not None or not self.exif:
            return self.resolution
        return exif.resolution(exif.parse(self.exif, quiet=True), exif.order_of(self.exif))

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Pixels an inch, where the unit is one of length."""
        found = self.any_resolution
        if found is None or found[2] == 1:
            return None
        scale = 2.54 if found[2] == 3 else 1.0
        return found[0] * scale, found[1] * scale

    def profile_for(self, colors: int) -> bytes:
        """The color profile, unless it is one of RGB and the pixels are gray, or the other way round."""
        space = self.icc_profile[16:20]
        return b"" if space == (b"RGB " if colors == 1 else b"GRAY") else self.icc_profile


@dataclass(frozen=True)
class Picture:
    """Pixels, ``(height, width)`` or ``(height, width, channels)``; with alpha, it is the last channel.

    Attributes
    ----------
    rgb : bool
        Whether the first three channels are red, green and blue.
    inside : array of bool, shape (height, width), or None
        Where the pixels mean anything, as the file itself says.
    reduces : Picture or None
        The page that this one is a smaller copy of.
    """

    pixels: Pixels
    alpha: bool = False
    rgb: bool = False
    about: About = About()
    inside: Pixels | None = None
    reduces: "Picture | None" = None

    @property
    def colors(self) -> int:
        """How many channels there are beside alpha."""
        return (1 if self.pixels.ndim == 2 else self.pixels.shape[2]) - self.alpha

    @property
    def channel_axis(self) -> int | None:
        """The axis of the colors; None of a gray picture."""
        return None if self.colors == 1 else -1

    @property
    def opaque(self) -> Pixels:
        """A view of the pixels without alpha, ``(height, width)`` of a gray picture."""
        if self.pixels.ndim == 2:
            return self.pixels
        return self.pixels[..., 0] if self.colors == 1 else self.pixels[..., : self.colors]

    @property
    def is_mask(self) -> bool:
        """Whether this is no picture but the mask of another page."""
        return bool(self.about.subfile & MASK)

    @property
    def kind(self) -> str:
        """Say what pixels these are: 8-bit gray, 16-bit RGB with alpha, ..."""
        colors, dtype = self.colors, self.pixels.dtype
        if self.is_mask:
            return "a mask"
        bits = f"{8 * dtype.itemsize}-bit" if dtype.kind == "u" else str(dtype)
        name = _NAMES.get(colors, f"{colors} channels") if colors == 1 or self.rgb else f"{colors} channels"
        return f"{bits} {name}{' with alpha' * self.alpha}"


def of(pixels: Pixels, about: About = About()) -> Picture:
    """Return pixels as a picture: two or four channels are taken for gray or RGB with alpha."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return Picture(pixels, channels in (2, 4), channels in (3, 4), about)


def upright(picture: Picture) -> Picture:
    """Turn a picture, and what it tells of its pixels, as its EXIF says; EXIF then goes."""
    resolution = picture.about.any_resolution
    if resolution is not None and _turns(picture)[1] % 2:
        resolution = (resolution[1], resolution[0], resolution[2])
    return replace(
        picture,
        pixels=_as_seen(picture.pixels, picture),
        about=replace(
            picture.about, exif=b"", xmp=_ORIENTATION_IN_XMP.sub(b"", picture.about.xmp), resolution=resolution
        ),
        inside=None if picture.inside is None else _as_seen(picture.inside, picture),
        reduces=None if picture.reduces is None else upright(picture.reduces),
    )


_ORIENTATION_IN_XMP = re.compile(
    rb"""\s*tiff:Orientation=("[^"]*"|'[^']*')|\s*<tiff:Orientation>[^<]*</tiff:Orientation>"""
)


def _as_seen(stored: Pixels, picture: Picture) -> Pixels:
    mirrored, turns = _turns(picture)
    return np.ascontiguousarray(np.rot90(stored[:, ::-1] if mirrored else stored, turns))


def as_stored(seen: Pixels, picture: Picture) -> Pixels:
    """Turn pixels that were made for a picture as it is seen, such as a mask, to lie as the picture's own do."""
    mirrored, turns = _turns(picture)
    lying = np.rot90(seen, -turns)
    return lying[:, ::-1] if mirrored else lying


def _turns(picture: Picture) -> tuple[bool, int]:
    return _TURNS.get(exif.orientation(picture.about.exif), (False, 0))


def stands_for_none(pixels: Pixels, nodata: str) -> Pixels | None:
    """Return which samples have the value that stands for none; None if samples of this dtype cannot have it."""
    value = float(nodata)
    if pixels.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.isnan(pixels) if np.isnan(value) else pixels == pixels.dtype.type(value)
    limits = np.iinfo(pixels.dtype)
    return pixels == int(value) if value.is_integer() and limits.min <= value <= limits.max else None


def widened(levels: Pixels, highest: int) -> Pixels:
    """Return levels from 0 to another highest one as such that use the range of 8 or 16 bits; Pillow's rounding."""
    dtype = np.dtype(np.uint8 if highest < 256 else np.uint16)
    white = (1 << 8 * dtype.itemsize) - 1
    return (levels if highest == white else np.rint(levels / highest * white)).astype(dtype)


def refuse_bomb(pixels: int, size: int = 0) -> None:
    """As Pillow does: a few bytes can claim more pixels than there is memory (and TIFFs, many bytes for each)."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and pixels > limit:
        raise Image.DecompressionBombError(f"Image size ({pixels} pixels) exceeds limit of {limit} pixels")
    if limit is not None and size > limit * _BYTES_A_PIXEL:
        raise Image.DecompressionBombError(
            f"Image size ({size} bytes) exceeds {_BYTES_A_PIXEL} bytes for each of the limit of {limit} pixels"
        )


_BYTES_A_PIXEL = 32  # four channels of the widest samples


def whole_exif(block: bytes) -> bytes:
    """Return EXIF from its byte order on; nothing, with a warning, where it is damaged."""
    block = block.removeprefix(exif.START)
    try:
        exif.parse(block, quiet=True)
    except ValueError:
        warnings.warn("its EXIF is damaged and left out", UserWarning, stacklevel=2)
        return b""
    return block
