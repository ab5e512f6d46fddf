"""Arrays in NumPy's files, counted and equalized: .npy through mapped memory, .npz array by array."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cheq.cli.pixels import Equalizer
from cheq.cli.settings import Color
from cheq.pictures import Pixels, arrays

_BLOCK = 64 << 20  # bytes of an array that are made gray at a time to be counted


def count(source: Path, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Add a file's arrays to the shared histograms."""
    settings = equalizer.settings
    for _, images in arrays.read(source):
        _check_color(images, equalizer)
        for block in _blocks(images, settings.channel_axis):
            equalizer.count(block, settings.channel_axis, mask, settings.threads)


def equalize(source: Path, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write a file's arrays, those that are images equalized."""
    if source.suffix.lower() == ".npy":
        _equalize_mapped(arrays.mapped(source), file, equalizer, mask)
        return

    def change(images: Pixels) -> Pixels:
        _check_color(images, equalizer)
        return equalizer.equalize(images, settings.channel_axis, mask, settings.threads, axes=settings.axes)

    settings = equalizer.settings
    arrays.rewrite(source, file, change)


def _check_color(images: Pixels, equalizer: Equalizer) -> None:
    """Refuse to pass over a --color for an array whose channels may be any axis of three or four."""
    settings = equalizer.settings
    if settings.color is Color.CHANNELS or settings.channel_axis is not None:
        return
    if images.ndim > 2 and {3, 4} & {images.shape[-1], images.shape[-3]}:
        raise ValueError(f"--color {settings.color} of an array of shape {images.shape} needs its --channel-axis")


def _equalize_mapped(images: Pixels, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write the result through mapped memory too."""
    _check_color(images, equalizer)
    settings = equalizer.settings
    shape, axis = images.shape, settings.channel_axis
    if equalizer.makes_gray(axis) and axis is not None and -len(shape) <= axis < len(shape):
        shape = tuple(length for each, length in enumerate(shape) if each != axis % len(shape))
    if not images.size or not images.ndim:  # nothing to map; and what is wrong is said before anything is written
        arrays.write(file, equalizer.equalize(images, axis, mask, settings.threads, axes=settings.axes))
        return
    result = arrays.create(file, shape, images.dtype.newbyteorder("="))
    equalizer.equalize(images, axis, mask, settings.threads, result, settings.axes)
    result.flush()


def _blocks(images: Pixels, axis: int | None) -> Iterator[Pixels]:
    """Yield an array in parts of which copies fit into memory, where its first axis is a batch axis."""
    planes = 2 if axis is None else 3
    if images.ndim <= planes or not images.size or (axis is not None and axis % images.ndim == 0):
        yield images
        return
    step = max(1, _BLOCK // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        yield images[start : start + step]
