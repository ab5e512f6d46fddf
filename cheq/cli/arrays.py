"""Arrays in NumPy's files, counted and equalized: .npy through mapped memory, .npz array by array."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cheq.cli.matching import fitted, plane_axes
from cheq.cli.pixels import Equalizer
from cheq.pictures import Pixels, arrays
from cheq.pictures.picture import refuse_bomb

_BLOCK = 64 << 20  # bytes of an array that are made gray at a time to be counted, or wholly equalized in a rehearsal


def count(source: Path, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Add a file's arrays to the shared histograms."""
    settings = equalizer.settings
    for _, images in arrays.read(source):
        _check(images, equalizer)
        for part in _parts(images, settings.channel_axis, mask):
            choice = equalizer.choice(images[part], settings.channel_axis, mask)
            equalizer.count(images[part], settings.channel_axis, choice.counted, settings.threads)


def equalize(source: Path, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write a file's arrays, those that are images equalized."""
    if source.suffix.lower() == ".npy":
        _equalize_mapped(arrays.mapped(source), file, equalizer, mask)
        return

    def change(images: Pixels) -> Pixels:
        _check(images, equalizer)
        choice = equalizer.choice(images, settings.channel_axis, mask)
        return equalizer.equalize(images, settings.channel_axis, choice, settings.threads, axes=settings.axes)

    settings = equalizer.settings
    arrays.rewrite(source, file, change)


def rehearse(source: Path, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Read a file's arrays and equalize them, of large ones the first image, into memory that is thrown away."""
    settings = equalizer.settings
    for _, images in arrays.read(source):
        _check(images, equalizer)
        part, own = (images, mask) if images.nbytes <= _BLOCK else first_image(images, equalizer, mask)
        choice = equalizer.choice(part, settings.channel_axis, own)
        equalizer.equalize(part, settings.channel_axis, choice, settings.threads, axes=settings.axes)


def first_image(images: Pixels, equalizer: Equalizer, mask: Pixels | None) -> tuple[Pixels, Pixels | None]:
    """Return an array with batch axes of length 1, and what a mask says of it."""
    axis = equalizer.settings.channel_axis
    planes = plane_axes(images.ndim, axis, equalizer.settings.axes)
    channel = None if axis is None else axis % images.ndim
    first = [slice(None) if each in planes or each == channel else slice(1) for each in range(images.ndim)]
    part = images[tuple(first)]
    if mask is None:
        return part, None
    shape = list(images.shape)
    if channel is not None and mask.ndim < images.ndim:
        del first[channel], shape[channel]
    return part, fitted(mask, tuple(shape))[tuple(first)]


def _check(images: Pixels, equalizer: Equalizer) -> None:
    """Refuse too many pixels, and to pass over a --color for an array whose channels could be several axes."""
    settings = equalizer.settings
    settings.check_dtype(images.dtype, str(images.dtype))
    if settings.most_pixels is not None:
        refuse_bomb(images.size)
    if settings.color == "channels" or settings.channel_axis is not None:
        return
    if images.ndim > 2 and {3, 4} & {images.shape[-1], images.shape[-3]}:
        raise ValueError(f"--color {settings.color} of an array of shape {images.shape} needs its --channel-axis")


def _equalize_mapped(images: Pixels, file: BinaryIO, equalizer: Equalizer, mask: Pixels | None) -> None:
    """Write the result through mapped memory too."""
    _check(images, equalizer)
    settings = equalizer.settings
    shape, axis = images.shape, settings.channel_axis
    if equalizer.makes_gray(axis) and axis is not None and -len(shape) <= axis < len(shape):
        shape = tuple(length for each, length in enumerate(shape) if each != axis % len(shape))
    if not images.size or not images.ndim:  # nothing to map; and what is wrong is said before anything is written
        choice = equalizer.choice(images, axis, mask)
        arrays.write(file, equalizer.equalize(images, axis, choice, settings.threads, axes=settings.axes))
        return
    result = arrays.create(file, shape, images.dtype.newbyteorder("="))
    # Pixels that stay are chosen in memory, a byte for each; without a choice, one call does it all.
    for part in _parts(images, axis, mask) if settings.nodata and settings.axes is None else [slice(None)]:
        choice = equalizer.choice(images[part], axis, mask)
        equalizer.equalize(images[part], axis, choice, settings.threads, result[part], settings.axes)
    result.flush()


def _parts(images: Pixels, axis: int | None, mask: Pixels | None) -> Iterator[slice]:
    """Yield parts of an array of which copies fit into memory, where its first axis is a batch axis."""
    planes = 2 if axis is None else 3
    one_mask = mask is None or mask.ndim <= 2
    if images.ndim <= planes or not images.size or (axis is not None and axis % images.ndim == 0) or not one_mask:
        yield slice(None)
        return
    step = max(1, _BLOCK // max(1, images[:1].nbytes))
    yield from (slice(start, start + step) for start in range(0, len(images), step))
