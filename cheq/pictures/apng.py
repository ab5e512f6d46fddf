"""Animated PNG (W3C's PNG, third edition, section 11.3.6): frames of 8 and 16 bits, composed, and written whole."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from cheq.pictures import Pixels, png
from cheq.pictures.picture import BACKGROUND, PREVIOUS, Frame, Picture, of

_CONTROL = struct.Struct(">IIIIHHBB")  # of a frame, behind its number: size, place, delay, disposal, blending
_SOURCE = 0  # blending: what was there is replaced
_NONE, _BACKGROUND, _PREVIOUS = range(3)  # what becomes of a frame before the next
_SHARED = {b"PLTE", b"tRNS"}


class _Control(NamedTuple):
    width: int
    height: int
    left: int
    top: int
    delay: int
    denominator: int
    disposal: int
    blending: int


def count(chunks: list[png.Chunk]) -> int:
    """Return how many pictures a file has: its frames, and a default image that is none of them."""
    names = [name for name, _ in chunks]
    if b"acTL" not in names or b"IDAT" not in names:
        return 1
    return max(1, names.count(b"fcTL") + (b"fcTL" not in names[: names.index(b"IDAT")]))


def pages(data: bytes, chunks: list[png.Chunk]) -> Iterator[Picture]:
    """Yield what each frame shows; a default image that is none of them comes first."""
    about = png.about_of(data, chunks)
    for pixels, frame in _frames(chunks):
        yield of(pixels, replace(about, frame=frame))


def _frames(chunks: list[png.Chunk]) -> Iterator[tuple[Pixels, Frame]]:
    head = next(content for name, content in chunks if name == b"IHDR")
    width, height = struct.unpack_from(">II", head)
    size = height, width
    shared = [(name, content) for name, content in chunks if name in _SHARED]
    plays = next((int.from_bytes(content[4:8], "big") for name, content in chunks if name == b"acTL"), 0)
    parts = list(_parts(chunks))
    controls = [control for control, _ in parts if control is not None]
    # There is nothing behind a first frame, nor where one left nothing; unless frames cover it all.
    nothing = [True, *(control.disposal == _BACKGROUND for control in controls)]
    sees_through = any(
        before and (control.height, control.width) != size for before, control in zip(nothing, controls, strict=False)
    )
    canvas: Pixels | None = None
    for control, packed in parts:
        shape = size if control is None else (control.height, control.width)
        pixels = png.decoded(_alone(head, shape, shared, packed))
        if sees_through:
            pixels = _with_alpha(pixels)
        if control is None:
            yield pixels, Frame(plays=plays, shown=False)
            continue
        if canvas is None:
            canvas = np.zeros((*size, *pixels.shape[2:]), pixels.dtype)
        place = _place(control, size)
        before = canvas[place].copy()
        canvas[place] = pixels if control.blending == _SOURCE else _over(pixels, before)
        duration = Fraction(control.delay, control.denominator or 100)
        disposal = {_BACKGROUND: BACKGROUND, _PREVIOUS: PREVIOUS}.get(control.disposal, 0)
        yield canvas.copy(), Frame(duration, disposal, plays)
        if control.disposal == _BACKGROUND:
            canvas[place] = 0
        elif control.disposal == _PREVIOUS:
            canvas[place] = before


def _parts(chunks: list[png.Chunk]) -> Iterator[tuple[_Control | None, bytes]]:
    """Yield the control and the compressed pixels of each frame; a default image alone has no control."""
    control: _Control | None = None
    data: list[bytes] = []
    for name, content in chunks:
        if name == b"fcTL":
            if data:
                yield control, b"".join(data)
            if len(content) != 4 + _CONTROL.size:
                raise ValueError("damaged: the control of a frame is cut off")
            control, data = _Control(*_CONTROL.unpack(content[4:])), []
        elif name in (b"IDAT", b"fdAT"):
            data.append(content[4 * (name == b"fdAT") :])
    yield control, b"".join(data)


def _place(control: _Control, size: tuple[int, int]) -> tuple[slice, slice]:
    bottom, right = control.top + control.height, control.left + control.width
    if bottom > size[0] or right > size[1] or not (control.height and control.width):
        raise ValueError("damaged: a frame lies outside the picture")
    return slice(control.top, bottom), slice(control.left, right)


def _alone(head: bytes, size: tuple[int, int], shared: list[png.Chunk], packed: bytes) -> bytes:
    """Return the pixels of a frame as a PNG."""
    own = struct.pack(">II", size[1], size[0]) + head[8:]
    chunks = [(b"IHDR", own), *shared, (b"IDAT", packed), (b"IEND", b"")]
    return png.START + b"".join(png.chunk(*each) for each in chunks)


def _with_alpha(pixels: Pixels) -> Pixels:
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels in (2, 4):
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)])


def _over(above: Pixels, below: Pixels) -> Pixels:
    """Lay pixels over others (PNG, section 12.4); those without alpha hide what is below."""
    if above.ndim == 2 or above.shape[2] in (1, 3):
        return above
    white = np.iinfo(above.dtype).max
    over, under = above[..., -1:] / white, below[..., -1:] / white
    under = under * (1 - over)
    alpha = over + under
    with np.errstate(invalid="ignore", divide="ignore"):
        colors = (above[..., :-1] * over + below[..., :-1] * under) / alpha
    result = np.dstack([np.where(alpha > 0, colors, 0), alpha * white])
    return np.where(over == 1, above, np.where(over == 0, below, np.rint(result).astype(above.dtype)))


def write(pictures: Iterable[Picture], file: BinaryIO) -> None:
    """Write pictures as frames, each as soon as it comes and whole."""
    number, shown, size, kind = 0, 0, (0, 0), ""
    tail, place = b"", 0
    for picture in pictures:
        frame, encoded = picture.about.frame or Frame(), png.encoded(picture)
        data = [content for name, content in png.read_chunks(encoded) if name == b"IDAT"]
        name = b"fdAT" if place else b"IDAT"
        if not place:
            size, kind, tail = picture.pixels.shape[:2], picture.kind, picture.about.tail[1]
            file.write(encoded[: png.HEADER])
            place, plays = file.tell(), frame.plays
            file.write(png.chunk(b"acTL", bytes(8)))
            for chunk in png.own_chunks(picture):
                file.write(png.chunk(*chunk))
        elif (picture.pixels.shape[:2], picture.kind) != (size, kind):
            raise ValueError(f"frames of one .png file are all {kind}, and one is {picture.kind}; .tif holds them all")
        if frame.shown:
            file.write(png.chunk(b"fcTL", struct.pack(">I", number) + _control(size, frame)))
            number, shown = number + 1, shown + 1
        for part in data:
            if name == b"fdAT":
                part, number = struct.pack(">I", number) + part, number + 1
            file.write(png.chunk(name, part))
    file.write(png.chunk(b"IEND", b"") + tail)
    file.seek(place)
    file.write(png.chunk(b"acTL", struct.pack(">II", shown, plays)))
    file.seek(0, 2)


def _control(size: Any, frame: Frame) -> bytes:
    delay = frame.duration.limit_denominator(1000)
    if max(delay.numerator, delay.denominator) > 65535:
        delay = Fraction(65535)
    disposal = {BACKGROUND: _BACKGROUND, PREVIOUS: _PREVIOUS}.get(frame.disposal, _NONE)
    return _CONTROL.pack(size[1], size[0], 0, 0, delay.numerator, delay.denominator, disposal, _SOURCE)
