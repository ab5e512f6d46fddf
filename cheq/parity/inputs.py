"""What cheq is called with, and the planes and images that a reference, which takes one at a time, is given instead."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# What a reference answers in one call: a plane as rows, whose pixels may lie anywhere, a color image (height, width,
# channels), the array as it is, or for CLAHE a plane of its own shape.
PLANE, COLOR, WHOLE, TILED = "plane", "color", "whole", "tiled"
UNITS = (PLANE, COLOR, WHOLE, TILED)

OUTS = NEW, IN_PLACE, STRIDED = "new", "in place", "strided"  # what `out` is
NAN_POLICIES = ("raise", "omit")

_OPTIONS = {
    "channel_axis": None, "axes": None, "nbins": 256, "nan_policy": "raise",
    "clip_limit": None, "tile_grid_size": None, "kernel_size": None,
}  # fmt: skip
_PATTERN = 0xA5


@dataclass(frozen=True)
class Input:
    """The arguments of one call.

    ``images`` and ``mask`` are C-contiguous; cheq is given a view of the same values, of this ``layout``. Questions of
    other ``units`` are not asked.
    """

    images: Array
    mask: Array | None = None
    channel_axis: int | None = None
    axes: tuple[int, ...] | None = None
    nbins: int = 256
    nan_policy: str = "raise"
    clip_limit: float | None = None
    tile_grid_size: tuple[int, ...] | None = None
    kernel_size: tuple[int, ...] | None = None
    layout: str = "contiguous"
    out: str = NEW
    units: tuple[str, ...] = (PLANE, COLOR, WHOLE)

    @property
    def options(self) -> dict[str, Any]:
        """The options that are not the defaults: a call without any takes a way of its own through cheq."""
        found = {name: getattr(self, name) for name, default in _OPTIONS.items() if getattr(self, name) != default}
        return found if self.mask is None else {**found, "mask": self.mask}

    def view(self) -> Array:
        """The images in their layout, in new memory."""
        return LAYOUTS[self.layout](self.images)


# ---------------------------------------------------------------- layouts


def spaced(array: Array, start: int = 0, step: int = 2) -> Array:
    """The values at every ``step``-th place of a larger array whose other bytes are a pattern."""
    large = np.empty([start + step * length for length in array.shape], array.dtype)
    large.view(np.uint8)[...] = _PATTERN if array.dtype != np.bool_ else 1
    view = large[tuple(slice(start, None, step) for _ in array.shape)]
    view[...] = array
    return view


def _unaligned(array: Array) -> Array:
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.setflags(write=False)
    return array


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "contiguous": np.copy,
    "every second": spaced,
    "crop": lambda array: spaced(array, 3, 1),
    "reversed": lambda array: np.flip(np.flip(array).copy()),
    "reversed and spaced": lambda array: np.flip(spaced(np.flip(array), 1, 3)),
    "rows reversed": lambda array: array[..., ::-1].copy()[..., ::-1],
    "Fortran order": np.asfortranarray,
    "transposed": lambda array: np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2),
    "first axis last in memory": lambda array: np.moveaxis(np.moveaxis(array, 0, -1).copy(), -1, 0),
    "unaligned": _unaligned,
    "read-only": _read_only,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder("S")),
}


# ---------------------------------------------------------------- one plane, or one color image, after the other


def split(images: Input, unit: str) -> tuple[Array, Array | None]:
    """Return all planes, or all color images, along the first axis; and their masks likewise."""
    array, mask = images.images, images.mask
    if unit == WHOLE:
        return array[np.newaxis], None
    if unit == COLOR:
        colors = colors_of(array, images)
        return colors, None if mask is None else _masks(images, False).reshape(colors.shape[:-1])
    if unit == TILED:
        return tiled_planes_of(array, images), None
    return planes_of(array, images), None if mask is None else planes_of(_masks(images, True), images)


def planes_of(array: Array, images: Input) -> Array:
    """Return (planes, height, width) of an array that has the images' axes; all but the last of a plane's are one."""
    planes = tiled_planes_of(array, images)
    return planes.reshape(len(planes), math.prod(planes.shape[1:-1]), planes.shape[-1])


def tiled_planes_of(array: Array, images: Input) -> Array:
    """Return the planes of an array that has the images' axes, each of its own shape, along the first axis."""
    channel = None if images.channel_axis is None else images.channel_axis % array.ndim
    plane = tuple(axis for axis in range(array.ndim) if axis != channel)[-2:]
    if images.axes is not None:
        plane = tuple(axis % array.ndim for axis in images.axes)
    batch = tuple(axis for axis in range(array.ndim) if axis not in plane)
    lengths = [array.shape[axis] for axis in plane]
    return np.ascontiguousarray(array.transpose(batch + plane)).reshape(-1, *lengths)


def colors_of(array: Array, images: Input) -> Array:
    """Return (images, height, width, channels)."""
    assert images.channel_axis is not None
    last = np.ascontiguousarray(np.moveaxis(array, images.channel_axis, -1))
    return last.reshape(-1, *last.shape[-3:])


def without_channels(images: Input) -> tuple[int, ...]:
    """The images' shape without their channel axis."""
    shape = images.images.shape
    if images.channel_axis is None:
        return shape
    channel = images.channel_axis % len(shape)
    return shape[:channel] + shape[channel + 1 :]


def _masks(images: Input, channels: bool) -> Array:
    """The mask, broadcast to the images' shape, or to that without the channels."""
    assert images.mask is not None
    masks = np.broadcast_to(images.mask, without_channels(images))
    if not channels or images.channel_axis is None:
        return masks
    channel = images.channel_axis % images.images.ndim
    return np.broadcast_to(np.expand_dims(masks, channel), images.images.shape)
