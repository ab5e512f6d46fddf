"""What is done to pixels: gray if that was asked for, then equalized, each picture on its own or all by shared LUTs."""

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import cheq
from cheq.cli.settings import Color, Method, Settings
from cheq.pictures import Pixels


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


@dataclass(frozen=True)
class Equalizer:
    """Equalizes pixels as the settings say; with shared histograms, those must have been counted before.

    Pixels are ``(..., height, width)`` or have a channel axis.
    """

    settings: Settings
    shared: SharedHistograms | None = None

    def equalize(
        self,
        pixels: Pixels,
        axis: int | None,
        mask: Pixels | None,
        threads: int | None,
        out: Pixels | None = None,
        axes: tuple[int, ...] | None = None,
    ) -> Pixels:
        """Return the pixels equalized, without their channel axis if they become gray; `axes` are a plane's."""
        settings = self.settings
        if self.makes_gray(axis):
            pixels, axis = self._gray(pixels, axis, threads, out), None
        if self.shared is not None:
            lut = self.shared.lut(_kind(pixels, axis), settings)
            axes = _all_axes(pixels, axis)
            return cheq.apply_lut(pixels, lut[0] if axis is None else lut, axes=axes, channel_axis=axis, out=out)
        options = {**settings.options, "channel_axis": axis, "axes": axes, "mask": mask, "num_threads": threads}
        if settings.color is Color.YCRCB and axis is not None:
            options["color"] = "ycrcb"
        return cheq.equalize(pixels, out=out, **options)

    def count(self, pixels: Pixels, axis: int | None, mask: Pixels | None, threads: int | None) -> None:
        """Add pixels to the shared histograms."""
        assert self.shared is not None
        if self.makes_gray(axis):
            pixels, axis = self._gray(pixels, axis, threads, None), None
        axes = _all_axes(pixels, axis)
        counts = cheq.histogram(pixels, axes=axes, channel_axis=axis, mask=mask, num_threads=threads)
        self.shared.add(_kind(pixels, axis), counts.reshape(-1, counts.shape[-1]))

    def makes_gray(self, axis: int | None) -> bool:
        """Whether the result of pixels with this channel axis has none."""
        return self.settings.color is Color.GRAY and axis is not None

    def _gray(self, pixels: Pixels, axis: int | None, threads: int | None, out: Pixels | None) -> Pixels:
        assert axis is not None
        weights: Any = "pillow" if self.settings.method is Method.PILLOW and pixels.dtype == np.uint8 else "opencv"
        return cheq.rgb_to_gray(pixels, channel_axis=axis, method=weights, out=out, num_threads=threads)


def _kind(pixels: Pixels, axis: int | None) -> tuple[str, int]:
    return pixels.dtype.name, 1 if axis is None else pixels.shape[axis]


def _all_axes(pixels: Pixels, axis: int | None) -> tuple[int, ...]:
    return tuple(each for each in range(pixels.ndim) if axis is None or each != axis % pixels.ndim)
