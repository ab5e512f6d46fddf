"""The user's images, as batches of planes to be timed on."""

import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cheq.pictures import Pixels, arrays, formats
from cheq.pictures.files import describe
from cheq.pictures.reading import MOST_PIXELS, collected_warnings, pixel_limit

# Pixels that are timed, about as many as the built-in batch has: far beyond every cache, so that more tell nothing
# more, and 128 MiB as floats.
MOST = 1 << 24


class NotUsedError(ValueError):
    """A file is sound, and not one to time."""


def images_of(
    paths: Sequence[Path],
    channel_axis: int | None,
    problem: Callable[[Path, str], None],
    failure: Callable[[Path, str], None],
) -> list[Pixels]:
    """Read 8-bit pictures and arrays; return their planes as batches of one size each, `MOST` pixels at the most.

    Parameters
    ----------
    paths : sequence of Path
        Files.
    channel_axis : int or None
        Of the arrays.
    problem : callable
        Is told of each file that is not used, or not as a whole, and why.
    failure : callable
        Is told of each file that cannot be read, and why.
    """
    planes: dict[tuple[int, ...], list[Pixels]] = defaultdict(list)
    total = 0
    with pixel_limit(MOST_PIXELS), collected_warnings() as collected:
        for index, path in enumerate(paths):
            if total >= MOST:
                others = len(paths) - index - 1
                more = f", like {others:,} more after it" if others else ""
                problem(path, f"not used{more}: {MOST:,} pixels are enough")
                break
            try:
                for plane in _planes(path, channel_axis):
                    if total >= MOST:
                        problem(path, f"not used as a whole: {MOST:,} pixels are enough")
                        break
                    planes[plane.shape].append(plane)
                    total += plane.size
            except NotUsedError as error:
                problem(path, str(error))
            except Exception as error:  # damaged files make libraries raise nearly anything
                failure(path, describe(error, path))
            for message in dict.fromkeys(collected.pop(threading.get_ident(), [])):
                problem(path, message)
    return [np.stack(group) for group in planes.values()]


def _planes(path: Path, channel_axis: int | None) -> Iterator[Pixels]:
    if path.suffix.lower() in arrays.EXTENSIONS:
        for _, images in arrays.read(path):
            _check_8_bits(images)
            yield from _planes_of_array(images, channel_axis)
        return
    for picture in formats.pages(path):
        if picture.is_mask:
            continue
        _check_8_bits(picture.pixels)
        yield from np.ascontiguousarray(np.moveaxis(np.atleast_3d(picture.opaque), -1, 0))


def _planes_of_array(images: Pixels, channel_axis: int | None) -> Iterator[Pixels]:
    """Yield an array's planes one by one, as it may be larger than memory."""
    if images.ndim < (2 if channel_axis is None else 3):
        raise NotUsedError(f"height and width are needed, and the array's shape is {images.shape}")
    if images.size == 0:
        raise NotUsedError(f"not used: the array's shape is {images.shape}")
    if channel_axis is not None:
        images = np.moveaxis(images, channel_axis, 0)
    elif images.ndim > 2 and images.shape[-1] in (3, 4):
        told = f"its shape {images.shape} looks like channels last, which --channel-axis -1 is for"
        warnings.warn(told, UserWarning, stacklevel=2)
    yield from (images[index] for index in np.ndindex(images.shape[:-2]))


def _check_8_bits(pixels: Pixels) -> None:
    if pixels.dtype != np.uint8:
        raise NotUsedError(f"not used: only 8-bit images are timed, and these are {pixels.dtype}")
