"""What is done to pixels: gray if that was asked for, then equalized or matched, each picture on its own or as all."""

import threading
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

import cheq
from cheq.cli import masks, matching
from cheq.cli.matching import Reference, all_axes, fitted, kind_of, over_channels
from cheq.cli.settings import LIGHTNESS, Settings
from cheq.pictures import Pixels, formats
from cheq.pictures.picture import Picture


class Choice(NamedTuple):
    """Which pixels are counted (None: all), which stay what they are (None: none), and which value no other may become.

    Both are of the pixels' shape, or of theirs without the channel axis.
    """

    counted: Pixels | None = None
    kept: Pixels | None = None
    nodata: str = ""


@dataclass(frozen=True)
class Equalizer:
    """Equalizes pixels, or matches them, as the settings say; for some, all must have been counted before.

    Pixels are ``(..., height, width)`` or have a channel axis. The ``totals`` are the histograms of all pixels of a
    kind (one dtype, as many channels), of shape (channels, levels).
    """

    settings: Settings
    reference: Reference | None = None
    totals: dict[tuple[str, int], Pixels] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def choice_of(self, picture: Picture, mask: Pixels | None) -> Choice:
        """Choose as for its pixels, under a mask that was made for a picture as it is seen, and under its own alpha."""
        mask = masks.lying(mask, picture)
        if self.settings.alpha == "mask" and picture.alpha:
            shown = picture.pixels[..., -1] != 0
            mask = shown if mask is None else fitted(mask, shown.shape) & shown
        return self.choice(picture.opaque, picture.channel_axis, mask, picture.inside, picture.about.nodata)

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
            valid = valid if inside is None else valid & over_channels(inside, valid, axis_left)
        counted = mask if valid is None else valid
        if mask is not None and valid is not None:
            counted = valid & fitted(over_channels(mask, valid, axis_left), valid.shape)
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
            np.copyto(result, pixels, where=over_channels(choice.kept, result, axis))
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
        """Add pixels to the totals of their kind; one thread at a time, see `alone` and `add`."""
        if self.makes_gray(axis):
            pixels, axis = self._gray(pixels, axis, threads, None), None
        axes = all_axes(pixels, axis)
        counts = cheq.histogram(pixels, axes=axes, channel_axis=axis, mask=counted, num_threads=threads)
        counts, kind = counts.reshape(-1, counts.shape[-1]), kind_of(pixels, axis)
        self.totals[kind] = counts + self.totals.get(kind, 0)

    def alone(self) -> "Equalizer":
        """Return one that does the same and has counted nothing."""
        return replace(self, totals={})

    def add(self, other: "Equalizer") -> None:
        """Add the totals of another."""
        with self._lock:
            for kind, counts in other.totals.items():
                self.totals[kind] = counts + self.totals.get(kind, 0)

    def with_reference(self, pixels: Pixels, axis: int | None, choice: Choice) -> "Equalizer":
        """Return one that matches others to these pixels, all of them; ValueError if they are no reference."""
        self.settings.check_dtype(pixels.dtype, str(pixels.dtype))
        if self.makes_gray(axis):
            pixels, axis = self._gray(pixels, axis, None, None), None
        counted, flat, own_axis = choice.counted, matching.flat(pixels, axis), None if axis is None else -1
        if counted is not None and (axis is None or self.settings.color != "channels"):
            counted = fitted(counted, matching.without(pixels.shape, axis)).reshape(-1)
        elif counted is not None:
            counted = matching.flat(fitted(over_channels(counted, pixels, axis), pixels.shape), axis)
        counted = self._finite(flat, counted)
        result = replace(self, reference=Reference(flat, counted))
        # They can be matched to themselves, in memory that is thrown away, or it is said why not.
        result.equalize(flat[np.newaxis], own_axis, Choice(None if counted is None else counted[np.newaxis]), None)
        if flat.dtype.kind == "f" or (axis is not None and self.settings.color in LIGHTNESS):
            return result
        histogram = cheq.histogram(flat, axes=0, channel_axis=own_axis, mask=counted)
        return replace(self, reference=Reference(flat, counted, histogram))

    def _equalized(
        self,
        pixels: Pixels,
        axis: int | None,
        counted: Pixels | None,
        threads: int | None,
        out: Pixels | None,
        axes: tuple[int, ...] | None,
    ) -> Pixels:
        settings = self.settings
        if settings.shares_lut:
            lut = cheq.equalization_lut(self._total(pixels, axis), images_dtype=pixels.dtype.name, **settings.options)
            axes = all_axes(pixels, axis)
            return cheq.apply_lut(pixels, lut, axes=axes, channel_axis=axis, out=out, num_threads=threads)
        if settings.match_average:
            return matching.to_total(self._total(pixels, axis), pixels, axis, counted, threads, out, axes)
        more: dict[str, Any] = {}
        if self.reference is not None:
            counted = self._finite(pixels, counted, axis)
            more = self.reference.like(pixels, axis, axes, settings.option)
        return settings.equalize(pixels, axis, axes=axes, mask=counted, out=out, num_threads=threads, **more)

    def _total(self, pixels: Pixels, axis: int | None) -> Pixels:
        """Return the total of a kind, (levels,) of pixels without channels."""
        total = self.totals[kind_of(pixels, axis)]
        return total[0] if axis is None else total

    def _finite(self, pixels: Pixels, counted: Pixels | None, axis: int | None = None) -> Pixels | None:
        """Return what is counted without NaN and infinities, if they are not to be."""
        if self.settings.nan == "raise" or pixels.dtype.kind != "f":
            return counted
        finite = np.isfinite(pixels)
        return finite if counted is None else finite & over_channels(counted, pixels, axis)

    def makes_gray(self, axis: int | None) -> bool:
        """Whether the result of pixels with this channel axis has none."""
        return self.settings.color == "gray" and axis is not None

    def _gray(self, pixels: Pixels, axis: int | None, threads: int | None, out: Pixels | None) -> Pixels:
        assert axis is not None
        weights: Any = "pillow" if self.settings.method == "pillow" and pixels.dtype == np.uint8 else "opencv"
        return cheq.rgb_to_gray(pixels, channel_axis=axis, method=weights, out=out, num_threads=threads)


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
