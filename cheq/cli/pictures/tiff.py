"""TIFF: pages of any kind of samples by tifffile; palettes and compressed colors, which it leaves raw, by Pillow."""

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

from cheq.cli.pictures.picture import About, Format, Picture, of, whole_exif
from cheq.cli.pictures.simple import plain

FORMAT = Format("TIFF", None, keeps_exif=True)

STARTS = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}  # classic and big, in both byte orders

# What else is kept of a page: tags of the TIFF 6.0 specification (section 8) and XMP's, by their TIFF data types:
# 1 bytes, 2 text, 3 a 16-bit number. Compression and resolution have places of their own.
_KEPT = {270: 2, 271: 2, 272: 2, 274: 3, 305: 2, 306: 2, 315: 2, 700: 1, 33432: 2}
# Directories that EXIF and TIFF point to, and the names without which tifffile does not write their tags.
_DIRECTORIES = {0x8769: "ExifTag", 0x8825: "GPSTag"}
_PROFILE, _X, _Y, _UNIT = 34675, 282, 283, 296
_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "LZMA", "ZSTD"}
_WITH_PREDICTOR = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD"}
_MOST_CLASSIC = 2**32 - 2**25  # bytes of pixels that a classic TIFF holds beside its tags; tifffile's own bound


def count(path: Path) -> int:
    """Return how many pages a file has."""
    with tifffile.TiffFile(path) as file:
        return len(file.pages)


def pages(path: Path, first: int = 0) -> Iterator[Picture]:
    """Yield the pages of a file, from one on."""
    with tifffile.TiffFile(path) as file:
        if not len(file.pages):
            raise ValueError("the file has no page, or is cut off")
        large = file.is_bigtiff or sum(page.nbytes for page in file.pages) > _MOST_CLASSIC
        for index in range(first, len(file.pages)):
            page = file.pages[index]
            _refuse_bomb(page)
            about = replace(_about(page, path), large=large)
            if _is_plain(page):
                yield _samples(page, about)
            else:
                yield _by_pillow(path, index, about)


def _refuse_bomb(page: Any) -> None:
    """As Pillow does: a few bytes can claim more pixels than there is memory."""
    limit = Image.MAX_IMAGE_PIXELS
    count = page.imagewidth * page.imagelength * page.imagedepth
    if limit is not None and count > limit:
        raise Image.DecompressionBombError(f"Image size ({count} pixels) exceeds limit of {limit} pixels")


def _is_plain(page: Any) -> bool:
    """Whether the samples are the pixels: whole numbers of bytes in memory, of gray or RGB."""
    known = page.photometric in (0, 1, 2) and page.dtype is not None
    return known and page.dtype.kind in "uif" and page.bitspersample >= 8


def _samples(page: Any, about: About) -> Picture:
    pixels = page.asarray()
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim > 3 or page.imagedepth > 1:
        raise ValueError(f"a page of shape {pixels.shape} is not supported; expected height, width and channels")
    if page.photometric == 0:  # white is zero
        if pixels.dtype.kind != "u":
            raise ValueError(f"white as zero is not supported for {pixels.dtype}")
        pixels = np.iinfo(pixels.dtype).max - pixels
    extra = page.extrasamples
    if 1 in extra:
        raise ValueError("premultiplied alpha is not supported")
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return Picture(native, bool(extra) and extra[-1] == 2, page.photometric == 2, about)


def _by_pillow(path: Path, index: int, about: About) -> Picture:
    with Image.open(path, formats=["TIFF"]) as image:
        image.seek(index)
        pixels = plain(image)
    # Pillow has turned it upright.
    return of(pixels, replace(about, exif=_without_orientation(about.exif)))


def _without_orientation(exif: bytes) -> bytes:
    tags = Image.Exif()
    tags.load(exif)
    tags.pop(274, None)
    return tags.tobytes() if len(tags) else b""


# ---------------------------------------------------------------- what travels with the pixels


def _about(page: Any, path: Path) -> About:
    profile = page.tags.get(_PROFILE)
    return About(
        exif=whole_exif(_exif_of(page, path)),
        icc_profile=profile.value if profile else b"",
        resolution=_resolution(page),
        compression=page.compression.name,
        predictor=page.predictor > 1,
    )


def _resolution(page: Any) -> tuple[float, float, int] | None:
    values = [page.tags[tag].value for tag in (_X, _Y) if tag in page.tags]
    if len(values) < 2 or any(denominator == 0 or numerator == 0 for numerator, denominator in values):
        return None
    unit = page.tags[_UNIT].value if _UNIT in page.tags else 2
    (x, y) = (numerator / denominator for numerator, denominator in values)
    return x, y, int(unit)


def _exif_of(page: Any, path: Path) -> bytes:
    """Return the kept tags, and the directories of EXIF and GPS, as one block of EXIF."""
    kept = Image.Exif()
    for code in _KEPT:
        if code in page.tags:
            value = page.tags[code].value
            # Text of today is UTF-8, of which Pillow would keep what is ASCII.
            kept[code] = value.encode() if isinstance(value, str) else value
    found = [code for code in _DIRECTORIES if code in page.tags]
    if found:
        source = Image.Exif()
        source.endian, source.bigtiff = page.parent.byteorder, page.parent.is_bigtiff
        with open(path, "rb") as file:
            source.load_from_fp(file, page.offset)
            for code in found:
                kept.get_ifd(code).update(source.get_ifd(code))
    return kept.tobytes() if found or len(kept) else b""


# ---------------------------------------------------------------- writing


def write(pictures: Iterable[Picture], file: BinaryIO) -> None:
    """Write pictures as pages, each as soon as it comes."""
    pictures = iter(pictures)
    first = next(pictures)
    big = first.about.large or first.pixels.nbytes > _MOST_CLASSIC
    with tifffile.TiffWriter(file, bigtiff=big, shaped=False) as writer:
        for picture in chain([first], pictures):
            _write_page(writer, picture, file)


def _write_page(writer: Any, picture: Picture, file: BinaryIO) -> None:
    about, pixels = picture.about, picture.pixels
    exif = Image.Exif()
    if about.exif:
        exif.load(about.exif)
    tags: list[Any] = [(code, kind, 1, _value(exif[code]), True) for code, kind in _KEPT.items() if code in exif]
    for code, name in _DIRECTORIES.items():
        if exif.get_ifd(code):
            place = _write_directory(exif.get_ifd(code), file, writer.tiff)
            tags.append((name, 16 if writer.tiff.is_bigtiff else 4, 1, place, True))
    compression = about.compression if about.compression in _LOSSLESS else "ADOBE_DEFLATE"
    extra = ["unspecified"] * (picture.colors - (3 if picture.rgb else 1)) + ["unassalpha"] * picture.alpha
    resolution = about.resolution if about.resolution and _is_rational(about.resolution[:2]) else (1.0, 1.0, 1)
    writer.write(
        pixels,
        photometric="rgb" if picture.rgb else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=extra or None,
        compression=None if compression == "NONE" else compression,
        predictor=about.predictor and compression in _WITH_PREDICTOR,
        iccprofile=about.profile_for(picture.colors) or None,
        resolution=resolution[:2],
        resolutionunit=resolution[2],
        metadata=None,
        software=False,
        extratags=tags,
    )


def _is_rational(values: Iterable[float]) -> bool:
    """Whether a TIFF's pairs of 32-bit numbers can say these."""
    return all(math.isfinite(value) and 1e-6 < value < 2**31 for value in values)


def _value(value: Any) -> Any:
    """Pillow takes each byte of a text for a character."""
    return value.encode("latin-1") if isinstance(value, str) else value


def _write_directory(tags: dict[int, Any], file: BinaryIO, form: Any) -> int:
    """Append a directory, which tifffile does not write, before the page that points to it; return its place."""
    order: Literal["little", "big"] = "little" if form.byteorder == "<" else "big"
    head = (b"II" if order == "little" else b"MM") + form.version.to_bytes(2, order)
    directory = TiffImagePlugin.ImageFileDirectory_v2(head + bytes(12 if form.is_bigtiff else 4))
    for code, value in tags.items():
        directory[code] = value
    end = file.seek(0, os.SEEK_END)
    place = end + end % 2  # directories begin at even places
    file.seek(place)
    file.write(directory.tobytes(place))
    return place
