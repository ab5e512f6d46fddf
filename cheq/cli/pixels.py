"""What is done to pixels: gray if that was asked for, then equalized, each picture on its own or all by shared LUTs."""

import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import cheq
from cheq.cli.settings import Settings
from cheq.pictures import Pixels, formats


@dataclass
class SharedHistograms:
    """One histogram for all planes of a kind: of one dtype, and of one channel among as many."""

    counts: dict[tuple[str, int], Pixels] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: tuple[str, int], counts: Pixels) -> None:
        """Add the counts of some pixels, of shape (channels, levels)."""
        with self._lock:
            self.counts[kind] = counts + self.counts[kind] if kind in self.counts else counts

    def lut(self, kind: tuple[str, int], settings: Settings) -> Pixels:
        """Return the LUTs that the histograms of a kind give, of shape (channels, levels)."""
        return cheq.equalization_lut(self.counts[kind], images_dtype=kind[0], **settings.options)


class Choice(NamedTuple):
    """Which pixels are counted (None: all), which stay what they are (None: none), and which value no other may become.

    Both are of the pixels' shape, or of theirs without the channel axis.
    """

    counted: Pixels | None = None
    kept: Pixels | None = None
    nodata: str = ""


@dataclass(frozen=True)
class Equalizer:
    """Equalizes pixels as the settings say; with shared histograms, those must have been counted before.

    Pixels are ``(..., height, width)`` or have a channel axis.
    """

    settings: Settings
    shared: SharedHistograms | None = None

    def choice(
        self, pixels: Pixels, axis: int | None, mask: Pixels | None, inside: Pixels | None = None, nodata: str = ""
    ) -> Choice:
        """Choose by a mask, by where a picture means anything, and by the value that stands for none.

        Where channels are equalized together, a pixel stands for none if all of its channels do.
        """
        settings = self.settings
        together = axis is not None and settings.color != "channels"
        nodata = nodata or settings.nodata
        axis_left = None if together else axis
        none = formats.stands_for_none(pixels, nodata) if nodata else None
        valid = inside
        if none is not None and none.any():
            valid = np.logical_not(none.all(axis) if together else none)
            valid = valid if inside is None else valid & _over_channels(inside, valid, axis_left)
        counted = mask if valid is None else valid
        if mask is not None and valid is not None:
            try:
                counted = valid & _over_channels(mask, valid, axis_left)
            except ValueError:
                told = f"mask: expected one that fits images of shape {pixels.shape}, got one of shape {mask.shape}"
                raise ValueError(told) from None
        stay = counted if settings.outside == "keep" else valid
        return Choice(counted, None if stay is None else ~stay, nodata)

    def equalize(
        self,
        pixels: Pixels,
        axis: int | None,
        choice: Choice,
        threads: int | None,
        out: Pixels | None = None,
        axes: tuple[int, ...] | None = None,
    ) -> Pixels:
        """Return the pixels equalized, without their channel axis if they become gray; `axes` are a plane's."""
        if self.makes_gray(axis):
            # Gray in `out` is lost when it is equalized there.
            pixels, axis = self._gray(pixels, axis, threads, out if choice.kept is None else None), None
        result = self._equalized(pixels, axis, choice.counted, threads, out, axes)
        if choice.nodata:
            _avoid(result, choice.nodata)
        if choice.kept is not None:
            np.copyto(result, pixels, where=_over_channels(choice.kept, result, axis))
        return result

    def equalize_as(self, whole: Pixels, of_whole: Choice, pixels: Pixels, axis: int | None, choice: Choice) -> Pixels:
        """Equalize a smaller copy of a picture as the picture is: side by side with it, and not counted."""
        both = [part.reshape(1, -1, *part.shape[2:]) for part in (whole, pixels)]
        none = [np.zeros(part.shape[:2], bool) for part in (whole, pixels)]
        counted = _side_by_side(~none[0] if of_whole.counted is None else of_whole.counted, none[1], whole, pixels)
        kept = None if choice.kept is None else _side_by_side(none[0], choice.kept, whole, pixels)
        result = self.equalize(np.concatenate(both, axis=1), axis, Choice(counted, kept, choice.nodata), 1)
        return result[:, both[0].shape[1] :].reshape(*pixels.shape[:2], *result.shape[2:])

    def count(self, pixels: Pixels, axis: int | None, counted: Pixels | None, threads: int | None) -> None:
        """Add pixels to the shared histograms."""
        assert self.shared is not None
        if self.makes_gray(axis):
            pixels, axis = self._gray(pixels, axis, threads, None), None
        axes = _all_axes(pixels, axis)
        counts = cheq.histogram(pixels, axes=axes, channel_axis=axis, mask=counted, num_threads=threads)
        self.shared.add(_kind(pixels, axis), counts.reshape(-1, counts.shape[-1]))

    def _equalized(
        self,
        pixels: Pixels,
        axis: int | None,
        counted: Pixels | None,
        threads: int | None,
        out: Pixels | None,
        axes: tuple[int, ...] | None,
    ) -> Pixels:
        if self.shared is not None:
            lut = self.shared.lut(_kind(pixels, axis), self.settings)
            axes = _all_axes(pixels, axis)
            return cheq.apply_lut(pixels, lut[0] if axis is None else lut, axes=axes, channel_axis=axis, out=out)
        return self.settings.equalize(pixels, axis, axes=axes, mask=counted, out=out, num_threads=threads)

    def makes_gray(self, axis: int | None) -> bool:
        """Whether the result of pixels with this channel axis has none."""
        return self.settings.color == "gray" and axis is not None

    def _gray(self, pixels: Pixels, axis: int | None, threads: int | None, out: Pixels | None) -> Pixels:
        assert axis is not None
        weights: Any = "pillow" if self.settings.method == "pillow" and pixels.dtype == np.uint8 else "opencv"
        return cheq.rgb_to_gray(pixels, channel_axis=axis, method=weights, out=out, num_threads=threads)


def _kind(pixels: Pixels, axis: int | None) -> tuple[str, int]:
    return pixels.dtype.name, 1 if axis is None else pixels.shape[axis]


def _all_axes(pixels: Pixels, axis: int | None) -> tuple[int, ...]:
    return tuple(each for each in range(pixels.ndim) if axis is None or each != axis % pixels.ndim)


def _over_channels(chosen: Pixels, like: Pixels, axis: int | None) -> Pixels:
    """Return what was chosen without regard to channels as it is for each of them, to broadcast against an array."""
    if axis is None or chosen.ndim == like.ndim:
        return chosen
    without = tuple(length for each, length in enumerate(like.shape) if each != axis % like.ndim)
    return np.expand_dims(np.broadcast_to(chosen, without), axis)


def _side_by_side(first: Pixels, second: Pixels, whole: Pixels, pixels: Pixels) -> Pixels:
    """Join what was chosen of two pictures into one row, of each channel if one of them is."""
    depth = max(first.ndim, second.ndim)
    parts = []
    for chosen, picture in ((first, whole), (second, pixels)):
        chosen = chosen if chosen.ndim == depth else chosen.reshape(*picture.shape[:2], 1)
        parts.append(np.broadcast_to(chosen, picture.shape[:depth]).reshape(1, -1, *picture.shape[2:depth]))
    return np.concatenate(parts, axis=1)


def _avoid(result: Pixels, nodata: str) -> None:
    """Give what became the value that stands for none the next higher level, or at the top the next lower."""
    found = formats.stands_for_none(result, nodata)
    if found is None or not found.any():
        return
    if result.dtype.kind == "f":
        value = result[found][0]
        result[found] = np.nextafter(value, np.inf if value < np.nanmax(result) else -np.inf, dtype=result.dtype)
    else:
        level = int(float(nodata))
        result[found] = level + 1 if level < np.iinfo(result.dtype).max else level - 1
