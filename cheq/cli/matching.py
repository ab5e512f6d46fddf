"""Pixels matched to others: to a reference, whose axes come to lie as theirs do, or to the total of many histograms."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import cheq
from cheq.pictures import Pixels

_BLOCK = 64 << 20  # bytes of histograms at a time


class Reference(NamedTuple):
    """What pixels are matched to, of shape (pixels,) or (pixels, channels), and which are counted (None: all).

    Where channels are matched together, what is counted is of shape (pixels,). The histogram, (levels,) or (channels,
    levels), says all of integers' levels, so that it need not be counted again for each file.
    """

    pixels: Pixels
    counted: Pixels | None
    histogram: Pixels | None = None

    def like(self, pixels: Pixels, axis: int | None, axes: tuple[int, ...] | None, option: str) -> dict[str, Any]:
        """Return arguments for pixels to be matched; ValueError, which names an option, for those of another kind."""
        planes = plane_axes(pixels.ndim, axis, axes)
        kinds = [kind_of(self.pixels, None if self.pixels.ndim == 1 else 1), kind_of(pixels, axis)]
        if kinds[0] != kinds[1]:
            has, own = (f"{channels} channel{'s' * (channels > 1)} of {dtype}" for dtype, channels in kinds)
            raise ValueError(f"the reference of {option} has {has}, and this has {own}")
        channel = None if axis is None else axis % pixels.ndim
        if self.histogram is not None:
            behind = 0 if channel is None else pixels.ndim - 1 - channel - sum(each > channel for each in planes)
            *channels, levels = self.histogram.shape
            return {"reference_histogram": self.histogram.reshape(*channels, *[1] * behind, levels)}
        mask = None if self.counted is None else _placed(self.counted, pixels.ndim, planes[-1], channel)
        return {"reference": _placed(self.pixels, pixels.ndim, planes[-1], channel), "reference_mask": mask}


def to_total(
    total: Pixels,
    pixels: Pixels,
    axis: int | None,
    counted: Pixels | None,
    threads: int | None,
    out: Pixels | None,
    axes: tuple[int, ...] | None,
) -> Pixels:
    """Match each plane to a total, (levels,), or (channels, levels) to that of its channel; some planes at a time."""
    channel = None if axis is None else axis % pixels.ndim
    planes = plane_axes(pixels.ndim, axis, axes)
    place = 0 if channel is None else channel - sum(each < channel for each in planes)
    result = np.empty(pixels.shape, pixels.dtype.newbyteorder("=")) if out is None else out
    mask = counted if counted is None else fitted(over_channels(counted, pixels, axis), pixels.shape)
    for at in _parts(pixels.shape, (*planes, channel), _BLOCK // total.nbytes):
        where: dict[str, Any] = {"axes": planes, "channel_axis": channel, "num_threads": threads}
        hist = cheq.histogram(pixels[at], mask=None if mask is None else mask[at], **where)
        if channel is not None:  # last, as in the total
            hist = np.moveaxis(hist, place, -2)
        lut = cheq.matching_lut(hist, total, images_dtype=pixels.dtype.name, dtype="same")
        if channel is not None:
            lut = np.moveaxis(lut, -2, place)
        cheq.apply_lut(pixels[at], lut, out=result[at], **where)
    return result


def kind_of(pixels: Pixels, axis: int | None) -> tuple[str, int]:
    """Return the dtype, and how many channels there are."""
    return pixels.dtype.name, 1 if axis is None else pixels.shape[axis]


def all_axes(pixels: Pixels, axis: int | None) -> tuple[int, ...]:
    """Return all axes but that of channels."""
    return tuple(each for each in range(pixels.ndim) if axis is None or each != axis % pixels.ndim)


def plane_axes(ndim: int, axis: int | None, axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the axes of a plane, counted from the front: those that were named, or the last two."""
    for each in (*(axes or ()), *(() if axis is None else (axis,))):
        if not -ndim <= each < ndim:
            raise ValueError(f"axis {each} is none of an array of {ndim} axes")
    if axes is not None:
        return tuple(each % ndim for each in axes)
    found = tuple(each for each in range(ndim) if axis is None or each != axis % ndim)[-2:]
    if len(found) < 2:
        raise ValueError(f"expected height and width, got an array of {ndim} axes")
    return found


def _parts(shape: tuple[int, ...], whole: tuple[int | None, ...], most: int) -> Iterator[tuple[slice, ...]]:
    """Cut an array along all axes but some that stay whole, into parts of at most so many planes, or of one."""
    steps = list(shape)
    for each in reversed([each for each in range(len(shape)) if each not in whole]):
        steps[each] = max(1, min(most, shape[each]))
        most //= steps[each]
    starts = (range(0, length, step or 1) for length, step in zip(shape, steps, strict=True))
    for start in itertools.product(*starts):
        yield tuple(slice(first, first + step) for first, step in zip(start, steps, strict=True))


def flat(pixels: Pixels, axis: int | None) -> Pixels:
    """Return pixels as (pixels,), or with a channel axis as (pixels, channels)."""
    return pixels.reshape(-1) if axis is None else np.moveaxis(pixels, axis, -1).reshape(-1, pixels.shape[axis])


def _placed(values: Pixels, ndim: int, last: int, channel: int | None) -> Pixels:
    """Return (pixels,) or (pixels, channels) with as many axes as others, its pixels along the axis ``last``."""
    shape = [1] * ndim
    shape[last] = len(values)
    if channel is not None and values.ndim == 1:  # what is the same for all channels has no axis of theirs
        del shape[channel]
    elif channel is not None:
        shape[channel] = values.shape[1]
        values = values if last < channel else values.T
    return values.reshape(shape)


def over_channels(chosen: Pixels, like: Pixels, axis: int | None) -> Pixels:
    """Return what was chosen without regard to channels as it is for each of them, to broadcast against an array."""
    if axis is None or chosen.ndim == like.ndim:
        return chosen
    return np.expand_dims(fitted(chosen, without(like.shape, axis)), axis)


def without(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    """Return a shape without the channel axis."""
    return shape if axis is None else tuple(np.delete(shape, axis).tolist())


def fitted(chosen: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Return what was chosen, such as by a mask, for each pixel."""
    try:
        return np.broadcast_to(chosen, shape)
    except ValueError:
        told = f"mask: expected one that fits images of shape {shape}, got one of shape {chosen.shape}"
        raise ValueError(told) from None
