"""Drawing with matplotlib, which is imported here: pictures before and after, side by side or many on a sheet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib.figure
import numpy as np
from matplotlib import font_manager, rcParams
from matplotlib.ft2font import FT2Font

from cheq import _methods, _steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from cheq._typing import Array

_BARS = 256  # at most, in a histogram
_INK, _FAINT = "#22262e", "#7a808c"
_GRAY = ("#8892a6", "#c2410c")  # histogram, CDF
_RGB = (("#dc2626", "#991b1b"), ("#16a34a", "#166534"), ("#2563eb", "#1e40af"))
_CELL = 4.4  # inches that a picture is wide; so many times that where they stand one above the other
# Its height's bounds.
_LOWEST, _HIGHEST = 0.35, 6.6
_WIDE = 2.5  # times as wide as high: the pictures are one above the other from there on
_CURVES = 1.7  # inches that a histogram is high
# Pixels of a side that are drawn, of larger pictures every second, every third, ...: a figure of 150 dots an inch shows
# 1,400 at most, a sheet 315; and matplotlib took 48 s for a picture of 10,000 x 10,000, 12 s for what is left of it.
_MOST_SHOWN, _MOST_ON_SHEET = 4096, 1024
_FEW = 16  # bars, up to which each is drawn wider than its bin, to be seen
_TOWER = 5  # times the mean bar; higher ones are cut off there
_CSS = 96  # pixels an inch in a browser

# A sheet, in inches: pictures in a row, how wide and at most how high they are, what lies between them and around.
_IN_A_ROW, _SMALL, _SMALL_HIGHEST, _STRIP = 4, 2.1, 3.2, 0.42
_GAP, _LABEL, _LEFT, _HEAD = 0.12, 0.24, 0.3, 0.36


class Figure(matplotlib.figure.Figure):
    """A figure that notebooks show, though pyplot knows nothing of it."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return what IPython shows, and how large in a browser: sharp on fine displays, too."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        width, height = self.get_size_inches()
        return file.getvalue(), {"width": round(width * _CSS), "height": round(height * _CSS)}


class Drawn(NamedTuple):
    """A picture, what is said of it, and the pixels whose histogram is drawn below it.

    Attributes
    ----------
    selected : ndarray of bool, shape (height, width), or None
        Which pixels are counted.
    known : (float, float) or None
        The values that are black and white, where they are known.
    """

    pixels: Array
    counted: Array
    title: str
    selected: npt.NDArray[np.bool_] | None = None
    known: tuple[float, float] | None = None


def side_by_side(drawn: Sequence[Drawn], title: str) -> Figure:
    """Draw a picture and what became of it; wide ones stand one above the other."""
    figure = Figure(layout="constrained", dpi=150)
    if title:
        figure.suptitle(title, **_words(title, 12))
    for places, one in zip(_places(figure, len(drawn), *drawn[0].pixels.shape[:2]), drawn, strict=True):
        places[0].set_title(one.title, **_words(one.title, 11))
        _draw_picture(places[0], one, _MOST_SHOWN)
        right = _draw_curves(places[1], one)
        _label(places[1], right, one.counted)
    return figure


def sheet(columns: Sequence[tuple[str, Sequence[Drawn]]], title: str, note: str) -> Figure:
    """Draw many pictures, each with what became of it below, some in a row and its name above."""
    in_a_row, rows = min(len(columns), _IN_A_ROW), len(columns[0][1])
    sides = [drawn.pixels.shape[:2] for _, (drawn, *_) in columns]
    high = min(max(max(height / width for height, width in sides) * _SMALL, _LOWEST), _SMALL_HIGHEST)
    bands = -(-len(columns) // in_a_row)
    cell = high + _STRIP + _LABEL
    head = _HEAD * bool(title) + _LABEL * bool(note) + _GAP
    width = _LEFT + in_a_row * (_SMALL + _GAP) + _GAP
    height = head + bands * (_LABEL + rows * cell + _GAP)
    figure = Figure(figsize=(width, height), dpi=150)
    y = height - _GAP / 2
    for text, size, step in ((title, 12, _HEAD), (note, 8, _LABEL)):
        if text:
            figure.text(0.5, y / height, text, ha="center", va="top", **_words(text, size))
            y -= step

    def axes_at(left: float, top: float, high: float) -> Axes:
        return figure.add_axes((left / width, (height - top - high) / height, _SMALL / width, high / height))

    for number, (name, drawn) in enumerate(columns):
        band, place = divmod(number, in_a_row)
        left = _LEFT + place * (_SMALL + _GAP)
        top = head + band * (_LABEL + rows * cell + _GAP)
        for row, one in enumerate(drawn):
            above = top + _LABEL + row * cell
            axes = axes_at(left, above, high)
            if row == 0:
                axes.set_title(name, pad=3, **_words(name, 8))
            if place == 0:
                middle = (height - above - high / 2) / height
                figure.text(0.1 / width, middle, one.title, rotation=90, va="center", **_words(one.title, 8))
            _draw_picture(axes, one, _MOST_ON_SHEET)
            strip = axes_at(left, above + high + 0.03, _STRIP - 0.05)
            right = _draw_curves(strip, one)
            _label_strip(strip, right)
    return figure


def _places(figure: Figure, count: int, height: int, width: int) -> list[tuple[Axes, Axes]]:
    """Return the axes of each picture and its histogram; wide pictures stand one above the other."""
    above = width > _WIDE * height
    high = max(count * _CELL * height / width, _LOWEST) if above else min(_CELL * height / width, _HIGHEST)
    rows = count if above else 1
    figure.set_size_inches(count * _CELL + 1.2, rows * high + _CURVES + 1.0 + 0.3 * rows)
    grid = figure.add_gridspec(rows + 1, count, height_ratios=[*[high] * rows, _CURVES])
    pictures = [figure.add_subplot(grid[each, :] if above else grid[0, each]) for each in range(count)]
    return [(axes, figure.add_subplot(grid[rows, column])) for column, axes in enumerate(pictures)]


# ---------------------------------------------------------------- words


def _words(text: str, size: float) -> dict[str, Any]:
    """Return how a text is written: as it is, with a font for each of its characters, if one is installed."""
    fonts = [*rcParams["font.family"], *_fonts_beside(text)]
    return {"fontsize": size, "color": _INK, "parse_math": False, "fontfamily": fonts}


def _fonts_beside(text: str) -> tuple[str, ...]:
    """Return installed fonts that have the characters which the usual one lacks; matplotlib names what is left."""
    usual = FT2Font(font_manager.findfont(font_manager.FontProperties()))
    lacking = {char for char in text if char.isprintable() and not usual.get_char_index(ord(char))}
    found = []
    for entry in font_manager.fontManager.ttflist:
        if not lacking:
            break
        if entry.name.startswith("Last Resort"):  # matplotlib's own, a box for every character
            continue
        try:
            font = FT2Font(entry.fname)
        except (OSError, RuntimeError):  # gone since matplotlib made its list, or damaged
            continue
        has = {char for char in lacking if font.get_char_index(ord(char))}
        if has:
            found.append(entry.name)
            lacking -= has
    return tuple(found)


# ---------------------------------------------------------------- pictures


def _draw_picture(axes: Axes, drawn: Drawn, most: int) -> None:
    """Show a picture, or of one with a longer side every second pixel, every third, ..."""
    axes.set_axis_off()
    low, high = _range(drawn.pixels, drawn.known)
    step = -(-max(drawn.pixels.shape[:2]) // most)
    pixels = drawn.pixels[::step, ::step]
    # A small picture is shown as its pixels are.
    smooth = "auto" if min(pixels.shape[:2]) > 200 else "nearest"
    if pixels.ndim == 2:
        axes.imshow(pixels, cmap="gray", vmin=low, vmax=max(high, low + 1e-12), interpolation=smooth)
    else:
        axes.imshow(np.clip((pixels - low) / max(high - low, 1e-12), 0, 1), interpolation=smooth)


def _range(pixels: Array, known: tuple[float, float] | None) -> tuple[float, float]:
    """Return the values that are shown as black and as white."""
    if pixels.dtype in (np.uint8, np.bool_):
        return (0, 255) if pixels.dtype == np.uint8 else (0, 1)
    if known is not None:
        return known
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low == high and pixels.dtype.kind in "ui":
        return float(np.iinfo(pixels.dtype).min), float(np.iinfo(pixels.dtype).max)
    return low, high


# ---------------------------------------------------------------- histograms


def _draw_curves(axes: Axes, drawn: Drawn) -> Axes:
    """Draw the histogram of each plane as bars, and its CDF as a line on an axis of its own, which is returned."""
    pixels = drawn.counted
    planes = [pixels] if pixels.ndim == 2 else [pixels[..., channel] for channel in range(3)]
    levels = _levels(pixels) if pixels.dtype.name in _methods.INTEGERS else None
    right, bars, tops = axes.twinx(), [], [1.0]
    for plane, (fill, line) in zip(planes, _RGB if len(planes) == 3 else (_GRAY,), strict=True):
        counts, edges = (
            _counts(plane, drawn.selected, drawn.known) if levels is None else _bars(plane, drawn.selected, *levels)
        )
        look: dict[str, Any] = {"color": fill, "alpha": 0.45 if len(planes) == 3 else 0.75}
        axes.stairs(counts, edges, fill=True, linewidth=0, **look)
        occupied = np.flatnonzero(counts)
        if occupied.size <= _FEW:
            axes.vlines((edges[occupied] + edges[occupied + 1]) / 2, 0, counts[occupied], linewidth=4, **look)
        cumulative = np.concatenate([[0], np.cumsum(counts)])
        right.plot(edges, cumulative / max(int(cumulative[-1]), 1), color=line, linewidth=1.3)
        bars.append(counts[occupied])
        if occupied.size:
            tops.append(min(float(bars[-1].max()), _TOWER * float(bars[-1].mean())))
        axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(tops) * 1.05)
    right.set_ylim(0, 1.02)
    _say_what_is_cut(axes, np.concatenate(bars), max(tops) * 1.05)
    return right


def _say_what_is_cut(axes: Axes, bars: Array, top: float) -> None:
    cut = bars[bars > top]
    if cut.size:
        which = "1 bar is cut off, of" if cut.size == 1 else f"{cut.size} bars are cut off, the highest of"
        axes.set_title(f"{which} {cut.max():,} pixels", loc="left", fontsize=8, color=_FAINT, pad=3)


def _levels(pixels: Array) -> tuple[int, int]:
    """Return the lowest and the highest level of as many bits as pixels have, 8 at least: cameras give 12 in 16."""
    limits = np.iinfo(pixels.dtype)
    bits = max(int(pixels.max()), -1 - int(pixels.min())).bit_length()
    highest = (1 << max(bits, 8 if limits.min == 0 else 7)) - 1
    return (0 if limits.min == 0 else -1 - highest), highest


def _bars(plane: Array, selected: npt.NDArray[np.bool_] | None, low: int, high: int) -> tuple[Array, Any]:
    """Return the bars of a plane of integers, and their edges."""
    first = int(np.iinfo(plane.dtype).min)
    counts = _steps.histogram(plane, mask=selected)[low - first : high - first + 1]
    return counts.reshape(_BARS, -1).sum(axis=1), np.arange(low, high + 2, counts.size // _BARS) - 0.5


def _counts(
    plane: Array, selected: npt.NDArray[np.bool_] | None, known: tuple[float, float] | None
) -> tuple[Array, Any]:
    """Return the bars of a plane of floats, and their edges."""
    values = plane if selected is None else plane[selected]
    values = values[np.isfinite(values)].astype(np.float64)
    return np.histogram(values, _BARS, known or ((values.min(), values.max()) if values.size else (0, 1)))


def _label(axes: Axes, right: Axes, pixels: Array) -> None:
    axes.set_xlabel("level" if pixels.dtype.kind in "ui" else "value", fontsize=9, color=_FAINT)
    axes.set_ylabel("pixels", fontsize=9, color=_FAINT)
    right.set_ylabel("CDF", fontsize=9, color=_FAINT)
    if pixels.dtype.kind in "ui":
        low, high = _levels(pixels)
        axes.set_xticks([*range(low, high, (high - low + 1) // 4), high])
    axes.locator_params(axis="y", nbins=4)
    right.set_yticks([0, 0.5, 1])
    _make_faint(axes, right, 8)


def _label_strip(axes: Axes, right: Axes) -> None:
    """Say where a small histogram begins and ends."""
    axes.set_title("", loc="left")
    low, high = axes.get_xlim()
    ends = [round(low + 0.5), round(high - 0.5)] if float(low + 0.5).is_integer() else [low, high]
    axes.set_xticks(ends, [f"{end:,}" if isinstance(end, int) else f"{end:.3g}" for end in ends])
    first, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.set_yticks([])
    right.set_yticks([])
    _make_faint(axes, right, 6)


def _make_faint(axes: Axes, right: Axes, size: float) -> None:
    for each in (axes, right):
        each.tick_params(labelsize=size, colors=_FAINT, length=3)
        for spine in each.spines.values():
            spine.set_color("#d5d8de")
        each.spines["top"].set_visible(False)
