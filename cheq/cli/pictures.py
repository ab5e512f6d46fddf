"""Pictures: from a file to pixels that can be equalized, and back without losing anything unsaid.

Pillow opens a number of files by throwing part of them away (16 bits a channel, extra channels, all frames but the
first). Such a file is refused here, because its result would be less than its owner has.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

import cheq
from cheq.cli.files import refuse_empty


class Format(NamedTuple):
    """A file format: Pillow's name, the modes it holds without loss, how it is saved, and what it carries along."""

    name: str
    modes: frozenset[str]
    options: Mapping[str, object]
    carries: frozenset[str]


def _format(name: str, modes: str, carries: str = "", **options: object) -> Format:
    return Format(name, frozenset(modes.split()), options, frozenset(carries.split()))


_PNG = _format("PNG", "L LA RGB RGBA", "dpi exif icc_profile")
# 4:4:4 at quality 95: the encoder should not undo what equalization brought out.
_JPEG = _format("JPEG", "L RGB", "dpi exif icc_profile", quality=95, subsampling="4:4:4")
_TIFF = _format("TIFF", "L LA RGB RGBA", "dpi exif icc_profile")
# `exact` keeps the colors under fully transparent pixels.
_WEBP = _format("WEBP", "RGB RGBA", "exif icc_profile", lossless=True, exact=True)
_BMP = _format("BMP", "L RGB", "dpi")
_PPM = _format("PPM", "L RGB")
_PGM = _format("PPM", "L")

FORMATS: Mapping[str, Format] = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".webp": _WEBP,
    ".bmp": _BMP,
    ".ppm": _PPM,
    ".pnm": _PPM,
    ".pgm": _PGM,
}

_MODE_NAMES = {
    "1": "1-bit",
    "I": "32-bit integer",
    "F": "32-bit float",
    "La": "premultiplied alpha",
    "RGBa": "premultiplied alpha",
}
_SUPPORTED = "supported are 8-bit gray (L, LA), RGB, RGBA and palette (P)"
_LOSSLESS_TIFF = {"raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "lzma", "zstd"}
_EXIF_START = b"Exif\0\0"
# TIFF tags: bits of a sample, samples of a pixel, sample format (1 is unsigned integer).
_BITS, _SAMPLES, _SAMPLE_FORMAT = 258, 277, 339


class Picture(NamedTuple):
    """The pixels of a file, ``(height, width)`` or ``(height, width, channels)``, and what travels with them."""

    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    info: Mapping[str, Any]

    @property
    def mode(self) -> str:
        """Pillow's name for the kind of pixels: L, LA, RGB or RGBA."""
        return "L" if self.pixels.ndim == 2 else ("", "", "LA", "RGB", "RGBA")[self.pixels.shape[2]]


def read(path: Path) -> Picture:
    """Read a picture file.

    Parameters
    ----------
    path : Path
        A file in any format of `FORMATS`; its content decides, not its extension.

    Returns
    -------
    Picture
        Gray, gray and alpha, RGB or RGBA pixels; a palette is looked up, a transparent color becomes alpha.

    Raises
    ------
    ValueError
        For a file that cannot be equalized as 8-bit gray or RGB without losing part of it.
    OSError, SyntaxError, ...
        Whatever Pillow raises on files that are no pictures, or damaged ones.
    """
    refuse_empty(path)
    try:
        opened = Image.open(path, formats=sorted({known.name for known in FORMATS.values()}))
    except UnidentifiedImageError:
        raise ValueError("not a picture in a known format, or damaged at its beginning") from None
    with opened as image:
        _refuse_loss(image)
        image.load()
        info = {str(key): value for key, value in image.info.items()}
        return Picture(np.array(_plain(image)), info)


def _refuse_loss(image: Image.Image) -> None:
    """Raise ValueError for what Pillow would drop in silence, and for modes that are not equalized."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ValueError(f"the file holds {frames} frames or pages; only files that hold one are supported")
    bits = _bits(image)
    if bits > 8:
        raise ValueError(f"mode {image.mode} with {bits} bits a channel is not supported; {_SUPPORTED}")
    if image.mode not in {"L", "LA", "P", "PA", "RGB", "RGBA"}:
        name = f" ({_MODE_NAMES[image.mode]})" if image.mode in _MODE_NAMES else ""
        raise ValueError(f"mode {image.mode}{name} is not supported; {_SUPPORTED}")
    tags = getattr(image, "tag_v2", {})
    if any(kind != 1 for kind in tags.get(_SAMPLE_FORMAT, ())):
        raise ValueError(f"signed or float samples are not supported; {_SUPPORTED}")
    samples = tags.get(_SAMPLES, 0)
    if samples > len(image.getbands()):
        raise ValueError(f"{samples} channels, of which mode {image.mode} would drop some, are not supported")
    if image.mode == "L" and "transparency" in image.info and _raw_mode(image) in {"L;2", "L;4"}:
        # Pillow scales the levels to 0..255 but not the transparent one, which then names another level.
        raise ValueError("2-bit or 4-bit gray with a transparent level is not supported")


def _raw_mode(image: Image.Image) -> str:
    """How Pillow will unpack the file's pixels; known before they are loaded."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _bits(image: Image.Image) -> int:
    """Bits a channel in the file, as far as they exceed the 8 that Pillow's mode shows."""
    bits = getattr(image, "tag_v2", {}).get(_BITS, (8,))
    if max(bits, default=8) > 8:
        return int(max(bits))
    tiles = getattr(image, "tile", None)
    if tiles and tiles[0][0].startswith("ppm"):
        highest = tiles[0][3][-1]
        return highest.bit_length() if isinstance(highest, int) else 1
    return 16 if image.mode.startswith("I;16") or re.search(r";16[A-Z]", _raw_mode(image)) else 8


def _plain(image: Image.Image) -> Image.Image:
    """The image as L, LA, RGB or RGBA: palettes looked up, a transparent level or color turned into alpha."""
    gray = image.mode in {"L", "LA"}
    mode = ("LA" if gray else "RGBA") if image.has_transparency_data else ("L" if gray else "RGB")
    return image if image.mode == mode else image.convert(mode)


def equalize(picture: Picture) -> Picture:
    """Equalize every channel of a picture on its own; alpha stays as it is."""
    pixels = picture.pixels.copy()
    channels = pixels[..., np.newaxis] if picture.mode == "L" else pixels
    colors = channels[..., :-1] if picture.mode in {"LA", "RGBA"} else channels
    cheq.equalize(colors, channel_axis=-1, out=colors)
    return picture._replace(pixels=pixels)


def check_mode(picture: Picture, target: Path) -> None:
    """Raise ValueError when the format of `target` cannot hold the picture's channels."""
    holds = FORMATS[target.suffix.lower()].modes
    if picture.mode not in holds:
        modes = " and ".join(sorted(holds))
        raise ValueError(f"a {target.suffix} file cannot hold mode {picture.mode} (it holds {modes}); .png can")


def write(picture: Picture, file: BinaryIO, extension: str) -> None:
    """Write a picture in the format of `extension`, with the source's EXIF, color profile and resolution."""
    form = FORMATS[extension.lower()]
    options: dict[str, Any] = {**form.options}
    for key in form.carries:
        value = picture.info.get(key)
        if value and (key != "dpi" or _is_resolution(value)):
            options[key] = value
    if "exif" in options:
        # JPEG needs this start, which WebP files lack; the others write EXIF without it themselves.
        options["exif"] = _EXIF_START + options["exif"].removeprefix(_EXIF_START)
    if form.name == "TIFF":
        compression = picture.info.get("compression")
        options["compression"] = compression if compression in _LOSSLESS_TIFF else "tiff_adobe_deflate"
    Image.fromarray(picture.pixels).save(file, format=form.name, **options)


def _is_resolution(dpi: Any) -> bool:
    """Whether both numbers are ones that a file can hold (JPEG's fields have 16 bits); damaged headers bring others."""
    try:
        return len(dpi) == 2 and all(math.isfinite(value) and 1 <= value <= 65535 for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return False
