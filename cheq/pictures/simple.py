"""What Pillow reads and writes: JPEG, WebP, BMP and GIF; imagecodecs decodes JPEG.

Pillow opens a number of files by throwing part of them away (extra channels, all frames but the first). Such a file is
refused here, or named in a warning.
"""

import io
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from cheq.pictures import Pixels, animations, exif, gif, jpeg, segments
from cheq.pictures.picture import About, Format, Frame, Picture, of, refuse_bomb, whole_exif

_GRAY, _RGB = "8-bit gray", "8-bit RGB"
_ALPHA = f"{_GRAY} with alpha", f"{_RGB} with alpha"
_SAID = {"exif", "icc_profile", "xmp", "resolution"}  # and WebP's resolution, in EXIF
_OF_JPEG = {*_SAID, "ratio", "extended_xmp", "resources", "segments", "comments"}
_JPEG = Format("JPEG", frozenset({_GRAY, _RGB}), frozenset(_OF_JPEG))
_WEBP = Format("WEBP", frozenset({_GRAY, _RGB, *_ALPHA}), frozenset({*_SAID, "ratio", "frame"}))
_BMP = Format("BMP", frozenset({_GRAY, _RGB}), frozenset({"resolution"}))
_OF_GIF = {"frame", "icc_profile", "xmp", "ratio", "comments", "blocks"}
_GIF = Format("GIF", frozenset({_GRAY, _RGB, *_ALPHA}), frozenset(_OF_GIF))

FORMATS: Mapping[str, Format] = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
    ".bmp": _BMP,
    ".gif": _GIF,
}

_JPEGS = {"JPEG", "MPO"}
_READ = sorted({known.name for known in FORMATS.values()})
_SUPPORTED = "supported are gray and RGB of 8 or 16 bits, with alpha or without, and palettes"
_MODE_NAMES = {
    "I": "32-bit integer",
    "F": "32-bit float",
}
_WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "}
_CONVERT = "convert it first, for example with Pillow: Image.open(PATH).convert('{}').save(NEW)"


def extension_of(path: Path) -> str:
    """Return the extension of a file's format."""
    with _opened(path) as image:
        name = "JPEG" if image.format in _JPEGS else image.format
    return next(extension for extension, form in FORMATS.items() if form.name == name)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        opened = Image.open(path, formats=_READ)
    except UnidentifiedImageError:
        raise ValueError("not a picture in a known format, or damaged at its beginning") from None
    with opened as image:
        refuse_bomb(image.width * image.height)  # Pillow itself warns at first
        yield image


def pages(path: Path, all_frames: bool) -> Iterator[Picture]:
    """Yield the frames of a file, or its first: a palette is looked up, a transparent color becomes alpha."""
    data = path.read_bytes()
    jpeg.refuse_unknown(data)
    with _opened(path) as image:
        number = getattr(image, "n_frames", 1)
        if all_frames and number > 1 and image.format in animations.ALL:
            yield from animations.frames(image, _about(image, data))
            return
        animations.warn_of_others(number, animations.FIRST.get(image.format or "", "frames"))
        pixels = _pixels_of_jpeg(image, data) if image.format in _JPEGS else plain(image)
        yield of(pixels, _about(image, data))


def _pixels_of_jpeg(image: Image.Image, data: bytes) -> Pixels:
    """Decode a JPEG; if libtiff does not take it, twice: with more bytes, which are read only if some are missing."""
    found = jpeg.pixels_of(image, data)
    if found is not None:
        return found
    pixels, more = plain(image), jpeg.with_more(data)
    if more is None:
        warnings.warn("it cannot be told whether pixels in its middle are missing", UserWarning, stacklevel=2)
        return pixels
    with Image.open(io.BytesIO(more)) as again:
        if not np.array_equal(plain(again), pixels):
            raise ValueError("damaged: pixels are missing")
    return pixels


def plain(image: Image.Image) -> Pixels:
    """Return the pixels as L, LA, RGB or RGBA: palettes looked up, one bit made eight, transparent colors alpha."""
    _refuse_loss(image)
    image.load()
    gray = image.mode in {"1", "L", "LA"}
    mode = ("LA" if gray else "RGBA") if image.has_transparency_data else ("L" if gray else "RGB")
    return np.array(image if image.mode == mode else image.convert(mode))


def _refuse_loss(image: Image.Image) -> None:
    """Raise ValueError for modes that are not equalized."""
    if image.mode == "CMYK":
        raise ValueError(f"CMYK, inks for print, is not supported; {_CONVERT.format('RGB')}")
    if image.mode not in {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}:
        name = f" ({_MODE_NAMES[image.mode]})" if image.mode in _MODE_NAMES else ""
        raise ValueError(f"mode {image.mode}{name} is not supported; {_SUPPORTED}")


def _about(image: Image.Image, data: bytes) -> About:
    about = About(
        exif=whole_exif(image.info.get("exif", b"")),
        icc_profile=image.info.get("icc_profile") or b"",
        xmp=image.info.get("xmp") or b"",
        coding=jpeg.coding(image) if image.format in _JPEGS else None,
    )
    if image.format in _JPEGS:
        return replace(about, **segments.read(image, data))
    if image.format == "GIF":
        return replace(about, **gif.read(data))
    if image.format == "BMP":
        dpi: Any = image.info.get("dpi")
        resolution = (float(dpi[0]), float(dpi[1]), 2) if _is_resolution(dpi) else None
        return replace(about, resolution=resolution, icc_profile=_profile_of_bmp(data))
    end = 8 + int.from_bytes(data[4:8], "little")
    others = [name for name in _chunks_of_webp(data[:end]) if name not in _WEBP_CHUNKS]
    if others:
        names = ", ".join(name.decode("latin-1") for name in dict.fromkeys(others))
        warnings.warn(f"what is not known in a WebP is left out: {names}", UserWarning, stacklevel=2)
    return replace(about, tail=("WEBP", data[end:] if data[end:].strip(b"\0\r\n ") else b""))


def _chunks_of_webp(data: bytes) -> Iterator[bytes]:
    """Yield the names of the chunks of a RIFF file: each has its length, and is padded to an even one."""
    place = 12
    while place + 8 <= len(data):
        yield data[place : place + 4]
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + length + length % 2


def _profile_of_bmp(data: bytes) -> bytes:
    """Return the color profile of a BMP whose header has a place for one (BITMAPV5HEADER)."""
    size, kind = int.from_bytes(data[14:18], "little"), data[70:74]
    place, length = (int.from_bytes(data[start : start + 4], "little") for start in (126, 130))
    return data[14 + place : 14 + place + length] if size >= 124 and kind == b"DEBM" else b""


def _is_resolution(dpi: Any) -> bool:
    """Whether both numbers are ones that a file can hold (JPEG's fields have 16 bits); damaged headers bring others."""
    try:
        return len(dpi) == 2 and all(math.isfinite(value) and 1 <= value <= 65535 for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return False


def write(pictures: Iterable[Picture], file: BinaryIO, form: Format, quality: jpeg.Quality) -> None:
    """Write a picture, or the frames of an animation, with Pillow."""
    first, *others = pictures
    image, about = _as_image(first, form), first.about
    options = _options(first, form, quality)
    if others:
        shown = [picture.about.frame or Frame() for picture in (first, *others)]
        options.update(animations.options(form.name, first, [_as_image(other, form) for other in others], shown))
    if form is _GIF:
        written = io.BytesIO()
        image.save(written, format=form.name, **options)
        gif.write(about, written.getvalue(), file)
        return
    image.save(file, format=form.name, **options)
    if form is _JPEG:
        segments.set_density(file, about.resolution)
    if about.tail[0] == form.name:
        file.seek(0, os.SEEK_END)  # Pillow writes past what Python knows of
        file.write(about.tail[1])


def _as_image(picture: Picture, form: Format) -> Image.Image:
    if form is _GIF and picture.kind != _GRAY:
        return _with_palette(picture.pixels)
    image = Image.fromarray(np.ascontiguousarray(picture.pixels))
    return image.convert("RGBA" if picture.alpha else "RGB") if form is _WEBP else image


def _options(picture: Picture, form: Format, quality: jpeg.Quality) -> dict[str, Any]:
    about, options = picture.about, dict[str, Any]()
    block = about.exif
    if form is _JPEG:
        options.update(jpeg.encoding(quality, about.coding, picture.colors))
        options["extra"] = segments.to_write(about)
        if len(block) > segments.LONGEST_EXIF:
            warnings.warn(f"its EXIF ({len(block)} bytes) has no room in a JPEG", UserWarning, stacklevel=2)
            block = b""
    elif form is _WEBP:
        # `exact` keeps the colors under fully transparent pixels; more effort makes it slow and hardly smaller.
        options.update(lossless=True, exact=True, method=0, xmp=about.xmp)
        block = exif.with_resolution(block, about.resolution) if about.resolution else block
    elif form is _BMP:
        options["dpi"] = about.dpi if _is_resolution(about.dpi) else (0, 0)  # none
    if "exif" in form.keeps:
        options["icc_profile"] = about.profile_for(picture.colors)
        options["exif"] = exif.START + block if block else b""
    return {name: value for name, value in options.items() if value != b""}


def _with_palette(pixels: Pixels) -> Image.Image:
    """Return a picture of at most 256 colors, as equalized GIFs are, with a palette and without loss."""
    channels = pixels.shape[2]
    # One number a pixel, the first channel highest; all that is fully transparent is one color.
    colors = np.zeros((*pixels.shape[:2], 4), np.uint8)
    colors[..., :3] = pixels[..., :3] if channels > 2 else pixels[..., :1]
    colors[..., 3] = 255 if channels == 3 else pixels[..., -1]
    colors[colors[..., 3] == 0] = 0
    numbers = colors.view(">u4")[..., 0].astype(np.uint32)
    found: set[int] = set()
    for row in numbers:
        found.update(np.unique(row).tolist())
        if len(found) > 256:
            raise ValueError("a .gif file cannot hold so many colors (it holds 256); .png can")
    in_order = np.array(sorted(found), np.uint32)
    palette = in_order.astype(">u4").view(np.uint8).reshape(-1, 4)
    if not np.isin(palette[:, 3], (0, 255)).all():
        raise ValueError("a .gif file cannot hold pixels that are partly transparent; .png can")
    indices = np.empty(numbers.shape, np.uint8)
    for row, target in zip(numbers, indices, strict=True):
        target[:] = np.searchsorted(in_order, row)
    image = Image.fromarray(indices).convert("P")
    image.putpalette(palette[:, :3].tobytes())
    if palette[0, 3] == 0:  # (0, 0, 0, 0) sorts first
        image.info["transparency"] = 0
    return image
