"""TIFF: pages of any kind of samples by tifffile; palettes and compressed colors, which it leaves raw, by Pillow."""

import math
import mmap
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from cheq.pictures import Pixels, tags
from cheq.pictures.picture import About, Format, Picture, of, refuse_bomb
from cheq.pictures.simple import plain

FORMAT = Format("TIFF", None, keeps_exif=True)

STARTS = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}  # classic and big, in both byte orders

_WHITE_IS_ZERO, _RGB = 0, 2
_PREMULTIPLIED, _ALPHA = 1, 2  # kinds of extra samples
_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "LZMA", "ZSTD"}
_WITH_PREDICTOR = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD"}
_MOST_CLASSIC = 2**32 - 2**25  # bytes of pixels that a classic TIFF holds beside its tags; tifffile's own bound


def count(path: Path) -> int:
    """Return how many pages a file has."""
    with _opened(path) as file:
        return sum(1 for _ in _places(file, path))


def pages(path: Path, first: int = 0) -> Iterator[Picture]:
    """Yield the pages of a file, from one on."""
    with _opened(path) as file, ExitStack() as stack:
        if not len(file.pages):
            raise ValueError("the file has no page, or is cut off")
        large = file.is_bigtiff or sum(page.nbytes for page in file.pages) > _MOST_CLASSIC
        by_pillow: Image.Image | None = None
        for page, index, slices in islice(_places(file, path), first, None):
            _check(page, file)
            about = replace(tags.read(page, path), large=large or slices is not None)
            if slices is not None and page.is_shaped:  # of a file whose slices stand behind one page
                about = tags.undescribed(about)
            if _is_plain(page):
                yield _picture(page, _decoded(page, index, path) if slices is None else slices, about)
            else:
                by_pillow = by_pillow or stack.enter_context(Image.open(path, formats=["TIFF"]))
                by_pillow.seek(index)
                yield of(plain(by_pillow), tags.upright(about))  # Pillow has turned it


def _opened(path: Path) -> Any:
    """Open a file; refuse directories in which what is computed with is not a number."""
    seen = set()
    with ExitStack() as stack:
        try:
            file: Any = stack.enter_context(tifffile.TiffFile(path))
            for page in file.pages:
                if page.offset in seen:
                    raise ValueError("the file is damaged: its list of pages has no end")
                seen.add(page.offset)
                sides = page.imagewidth, page.imagelength, page.imagedepth
                others = page.samplesperpixel, page.predictor, *page.dataoffsets, *page.databytecounts
                if not all(isinstance(number, int) for number in (*sides, *others)):
                    raise TypeError
                if min(sides) < 1:
                    raise ValueError("a page has no width or no height")
        except TypeError:  # tifffile hands on whatever a tag holds, and computes with it
            raise ValueError(
                "a page is damaged: its size, or how or where its pixels are kept, is not in numbers"
            ) from None
        stack.pop_all()
        return file


def _decoded(page: Any, index: int, path: Path) -> Pixels:
    """Decode a page: by libtiff if it is LZW, for damaged codes can end the process in imagecodecs' own decoder."""
    if page.compression != tifffile.COMPRESSION.LZW:
        return np.asarray(page.asarray())
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        pixels = np.asarray(imagecodecs.tiff_decode(content, index=index))
    if (pixels.shape, pixels.dtype) != (page.shape, page.dtype):
        raise ValueError(f"a page is damaged: its pixels are {pixels.shape} {pixels.dtype}, and its tags say otherwise")
    return pixels


def _places(file: Any, path: Path) -> Iterator[tuple[Any, int, Pixels | None]]:
    """Yield each page, with its number, and its pixels if it is one of several behind a single directory.

    So ImageJ, and tifffile on demand, keep stacks.
    """
    stacks = _stacks(path)
    for index in range(len(file.pages)):
        page = file.pages[index]
        for slices in stacks.get(index, [None]):
            yield page, index, slices


def _stacks(path: Path) -> dict[int, Pixels]:
    """Return the slices of series that have more than one behind a page, by the page's number.

    In a file of its own, which looking for series makes forget all pages but a series' first.
    """
    with tifffile.TiffFile(path) as file:
        return {
            series.keyframe.index: series.asarray(out="memmap").reshape(-1, *series.keyframe.shape)
            for series in file.series
            if len(series.pages) == 1
            and series.keyframe.compression == 1
            and math.prod(series.shape) > math.prod(series.keyframe.shape)
        }


def _check(page: Any, file: Any) -> None:
    """Refuse what claims more than there is memory, and what a decoder would fill up with gray."""
    refuse_bomb(page.imagewidth * page.imagelength * page.imagedepth, page.nbytes)
    if not isinstance(page.compression, tifffile.COMPRESSION):
        raise ValueError(f"compression {page.compression} is not known")
    ends = (offset + length for offset, length in zip(page.dataoffsets, page.databytecounts, strict=False))
    if max(ends, default=0) > file.filehandle.size:
        raise ValueError("the file is cut off: pixels lie behind its end")
    if 330 in page.tags:
        warnings.warn("its smaller copies (SubIFDs) are not kept", UserWarning, stacklevel=2)


def _is_plain(page: Any) -> bool:
    """Whether the samples are the pixels: whole numbers of bytes in memory, of gray or RGB."""
    known = page.photometric in (_WHITE_IS_ZERO, 1, _RGB) and page.dtype is not None
    # Samples of different numbers of bits are a tuple.
    return known and page.dtype.kind in "uif" and isinstance(page.bitspersample, int) and page.bitspersample >= 8


def _picture(page: Any, pixels: Pixels, about: About) -> Picture:
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim > 3 or page.imagedepth > 1:
        raise ValueError(f"a page of shape {pixels.shape} is not supported; expected height, width and channels")
    extra = page.extrasamples
    if _PREMULTIPLIED in extra:
        raise ValueError("premultiplied alpha is not supported")
    if _ALPHA in extra[:-1]:
        raise ValueError("alpha that is not the last channel is not supported")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if page.photometric == _WHITE_IS_ZERO:
        if pixels.dtype.kind != "u":
            raise ValueError(f"white as zero is not supported for {pixels.dtype}")
        gray = pixels if pixels.ndim == 2 else pixels[..., 0]
        np.subtract(np.iinfo(pixels.dtype).max, gray, out=gray)
    return Picture(pixels, bool(extra) and extra[-1] == _ALPHA, page.photometric == _RGB, about)


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
        extratags=tags.to_write(about, file, writer.tiff),
    )


def _is_rational(values: Iterable[float]) -> bool:
    """Whether a TIFF's pairs of 32-bit numbers can say these."""
    return all(math.isfinite(value) and 1e-6 < value < 2**31 for value in values)
