"""TIFF: pages of any kind of samples by tifffile; palettes and compressed colors, which it leaves raw, by Pillow."""

import io
import math
import mmap
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

from cheq.pictures import Pixels, exif, kinds, stacks, tags
from cheq.pictures.kinds import Kind
from cheq.pictures.picture import About, Format, Picture, of, refuse_bomb, stands_for_none
from cheq.pictures.simple import plain

_KEPT = {"exif", "icc_profile", "xmp", "resolution", "ratio", "nodata", "tags", "resources"}
FORMAT = Format("TIFF", None, frozenset(_KEPT))

STARTS = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}  # classic and big, in both byte orders

_WHITE_IS_ZERO, _RGB, _PALETTE = 0, 2, 3
_PREMULTIPLIED, _ALPHA = 1, 2  # kinds of extra samples
_LOSSLESS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "LZMA", "ZSTD"}
_WITH_PREDICTOR = {"LZW", "ADOBE_DEFLATE", "DEFLATE", "ZSTD"}
_MOST_CLASSIC = 2**32 - 2**25  # bytes of pixels that a classic TIFF holds beside its tags; tifffile's own bound


def wholes(path: Path) -> list[int]:
    """Return the numbers of the pages that are neither smaller copies nor masks of others; the first if all are."""
    with _opened(path) as file:
        found = [_kind(place.page) for place in stacks.places(file)]
    return [number for number, kind in enumerate(found) if not (kind.reduced or kind.mask)] or [0]


def pages(path: Path, first: int = 0) -> Iterator[Picture]:
    """Yield the pages of a file, from one on."""
    with ExitStack() as stack:
        reader = _Reader(path, stack)
        for number in range(first, len(reader.places)):
            yield reader.related(number)


class _Reader:
    """Reads the pages of a file, each when it is asked for."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path, self._stack = path, stack
        self._file = file = stack.enter_context(_opened(path))
        if not len(file.pages):
            raise ValueError("the file has no page, or is cut off")
        _refuse_shared(file)
        self.places = stacks.places(file)
        in_stack = any(place.part is not None for place in self.places)
        self._large = file.is_bigtiff or in_stack or sum(page.nbytes for page in file.pages) > _MOST_CLASSIC
        self._kinds = [_kind(place.page) for place in self.places]
        # Smaller copies follow the page that they reduce, each with its mask: these four are kept.
        self._read = lru_cache(4 if any(kind.reduced for kind in self._kinds) else 0)(self._read_alone)
        self._pillow: Image.Image | None = None

    def related(self, number: int) -> Picture:
        """Read a page, with what others say of it: where it means anything, and what it is a smaller copy of."""
        whole = kinds.reduced_by(self._kinds, number)
        picture = self._masked(number)
        return picture if whole is None else replace(picture, reduces=self._masked(whole))

    def _masked(self, number: int) -> Picture:
        picture = self._read(number)
        mask = kinds.masked_by(self._kinds, number)
        if mask is None:
            return picture
        inside = self._read(mask).pixels != 0
        return replace(picture, inside=inside if picture.inside is None else inside & picture.inside)

    def _read_alone(self, number: int) -> Picture:
        place = self.places[number]
        page = place.page
        _check(page, self._file)
        about = replace(tags.read(page, self._path), large=self._large)
        if place.part is not None:
            about = tags.described(about, stacks.apart) if not place.part else tags.without_stack(about)
        elif stacks.claimed(page) > len(self.places) - number:
            about = tags.without_count(about)
        if place.part is not None:
            return _picture(page, stacks.pixels(place, self._path), about)
        if self._kinds[number].mask and page.samplesperpixel == 1:
            return Picture(_decoded(page, place.number, self._path), about=about)
        if _is_plain(page):
            return _picture(page, _decoded(page, place.number, self._path), about)
        return self._by_pillow(place.number, about)

    def _by_pillow(self, index: int, about: About) -> Picture:
        if self._pillow is None:
            try:
                opened = Image.open(_lying(self._path, self._file), formats=["TIFF"])
            except UnidentifiedImageError:
                raise ValueError("its first page is damaged, or of a kind that is not known") from None
            self._pillow = self._stack.enter_context(opened)
        image = self._pillow
        image.seek(index)
        picture = of(plain(image), about)
        if not about.nodata:
            return picture
        if image.mode == "P":
            warnings.warn("its GDAL_NODATA is an index of its palette and left out", UserWarning, stacklevel=2)
            none = stands_for_none(np.array(image), about.nodata)
            return replace(picture, about=replace(about, nodata=""), inside=None if none is None else ~none)
        return replace(picture, about=replace(about, nodata=_scaled(about.nodata, self._file.pages[index])))


def _scaled(nodata: str, page: Any) -> str:
    """Return what becomes of a level when those of fewer bits are made 8, and those of white as zero turned round."""
    bits = page.bitspersample if isinstance(page.bitspersample, int) else 8
    highest, level = 2**bits - 1, float(nodata)
    if page.photometric == _WHITE_IS_ZERO:
        level = highest - level
    return f"{level * (255 / highest if bits < 8 else 1):.17g}"


def _lying(path: Path, file: Any) -> BinaryIO:
    """Return a file in which no page is to be turned: Pillow would, and shears those that are not compressed."""
    turned = [page.tags[exif.ORIENTATION] for page in file.pages if exif.ORIENTATION in page.tags]
    content = bytearray(path.read_bytes())
    for tag in turned:
        if tag.valuebytecount <= 8:
            order: Literal["little", "big"] = "little" if file.byteorder == "<" else "big"
            end = tag.valueoffset + tag.valuebytecount
            content[tag.valueoffset : end] = (1).to_bytes(tag.valuebytecount, order)
    return io.BytesIO(content)


def _kind(page: Any) -> Kind:
    return Kind(page.is_reduced, page.is_mask, (page.imagelength, page.imagewidth))


def _refuse_shared(file: Any) -> None:
    """Count the pixels of all pages together where their bytes are the same ones, or none: such files can be small."""
    sizes = [size for page in file.pages for size in page.databytecounts]
    if sum(sizes) > file.filehandle.size or 0 in sizes:
        refuse_bomb(sum(page.imagewidth * page.imagelength * page.imagedepth for page in file.pages))


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


def _check(page: Any, file: Any) -> None:
    """Refuse what claims more than there is memory, and what a decoder would fill up with gray."""
    refuse_bomb(page.imagewidth * page.imagelength * page.imagedepth, page.nbytes)
    if not isinstance(page.compression, tifffile.COMPRESSION):
        raise ValueError(f"compression {page.compression} is not known")
    ends = (offset + length for offset, length in zip(page.dataoffsets, page.databytecounts, strict=False))
    if max(ends, default=0) > file.filehandle.size:
        raise ValueError("the file is cut off: pixels lie behind its end")
    if page.photometric == _PALETTE and page.bitspersample > 8:
        how = "colormap[:, asarray()] of the page in tifffile"
        raise ValueError(f"a palette of {page.bitspersample} bits is not supported; look its colors up first: {how}")
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
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim > 3 or page.imagedepth > 1:
        raise ValueError(f"a page of shape {pixels.shape} is not supported; expected height, width and channels")
    extra = page.extrasamples
    if _PREMULTIPLIED in extra:
        how = "with Pillow: Image.open(PATH).convert('RGBA').save(NEW)" if pixels.dtype == np.uint8 else "by dividing"
        raise ValueError(f"premultiplied alpha is not supported; take it out of the colors first, {how}")
    if _ALPHA in extra[:-1]:
        raise ValueError("alpha that is not the last channel is not supported")
    if pixels.dtype == np.float16:
        warnings.warn("its float16 becomes float32", UserWarning, stacklevel=2)
        about = replace(about, nodata=about.nodata and f"{np.float16(about.nodata):.17g}")
        pixels = pixels.astype(np.float32)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if page.photometric == _WHITE_IS_ZERO:
        if pixels.dtype.kind != "u":
            raise ValueError(f"white as zero is not supported for {pixels.dtype}")
        gray, highest = pixels if pixels.ndim == 2 else pixels[..., 0], np.iinfo(pixels.dtype).max
        np.subtract(highest, gray, out=gray)
        about = replace(about, nodata=about.nodata and _scaled(about.nodata, page))
    return Picture(pixels, bool(extra) and extra[-1] == _ALPHA, page.photometric == _RGB and pixels.ndim == 3, about)


# ---------------------------------------------------------------- writing


def write(pictures: Iterable[Picture], file: BinaryIO) -> None:
    """Write pictures as pages, each as soon as it comes."""
    pictures = iter(pictures)
    first = next(pictures)
    big = first.about.large or first.pixels.nbytes > _MOST_CLASSIC
    # Numbers in tags stay as they are, and those that makers of cameras hide in EXIF.
    order: Any = first.about.byteorder or exif.order_of(first.about.exif)
    with tifffile.TiffWriter(file, bigtiff=big, byteorder=order, shaped=False) as writer:
        for picture in chain([first], pictures):
            _write_page(writer, picture, file)


def _write_page(writer: Any, picture: Picture, file: BinaryIO) -> None:
    about, pixels = picture.about, picture.pixels
    compression = about.compression if about.compression in _LOSSLESS else "ADOBE_DEFLATE"
    extra = ["unspecified"] * (picture.colors - (3 if picture.rgb else 1)) + ["unassalpha"] * picture.alpha
    resolution = about.any_resolution
    if resolution is None or not _is_rational(resolution[:2]):
        resolution = (1.0, 1.0, 1)
    writer.write(
        pixels,
        photometric="mask" if picture.is_mask else "rgb" if picture.rgb else "minisblack",
        subfiletype=about.subfile,
        tile=about.tile if about.tile and not any(side % 16 for side in about.tile) else None,
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
