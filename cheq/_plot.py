"""A picture before and after, with histogram and CDF under each; matplotlib is imported when it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cheq import _arguments, _color, _equalize, _methods, _steps

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cheq._typing import Array, ArrayLike, Color, GrayMethod, Method

_COLORS = (*_color.COLORS, "gray")
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
# 1,400 at most, and matplotlib took 48 s for a picture of 10,000 x 10,000, and 12 s for what is left of it.
_MOST_SHOWN = 4096
_FEW = 16  # bars, up to which each is drawn wider than its bin, to be seen
_TOWER = 5  # times the mean bar; higher ones are cut off there
_TITLES = {"equalized": "equalized", "clahe": "CLAHE"}
# Where the methods' results that are not levels lie.
_RESULTS = {"skimage": (0.0, 1.0), "numpy": (0.0, 255.0)}


def plot(
    image: ArrayLike,
    equalized: ArrayLike | None = None,
    *,
    method: Method = "opencv",
    color: Color | Literal["gray"] = "channels",
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    clahe: ArrayLike | None = None,
    title: str | None = None,
) -> Figure:
    """
    Draw a picture before and after equalization, with histogram and CDF under each.

    Parameters
    ----------
    image : array_like, shape (height, width), or with `channel_axis` three or four channels
        One picture, of a dtype that the method takes: gray, or R, G, B; a fourth channel, alpha, is left out.
    equalized : array_like, optional
        The picture after equalization; by default it is computed.
    method, channel_axis
        As for `cheq.equalize`.
    color : {"channels", "ycrcb", "yuv", "lab", "gray"}
        What is equalized and drawn as curves: every channel on its own; the lightness, drawn as gray levels; or a
        gray picture made first.
    mask : array_like of bool, shape (height, width), optional
        As for `cheq.equalize`. Only pixels under it are in the histograms.
    clahe : array_like, optional
        The picture after `cheq.clahe`, to be drawn as a third one.
    title : str, optional
        Written above the picture as it is; ``$`` does not begin a formula.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot: it need not be closed and needs no display. ``savefig`` writes it to a file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError
        As `cheq.equalize` does, and for an image that is not one picture.

    Notes
    -----
    Pictures of 8 bits are shown from 0 to 255, results that are not levels in the range of their method, others from
    their least to their greatest value. Levels are drawn as at most 256 bars. Bars much higher than the
    others are cut off, and a line above them says so.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> image = np.random.default_rng(0).integers(40, 90, (96, 128), dtype=np.uint8)
    >>> figure = cheq.plot(image, title="uniform noise")
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['uniform noise', 'equalized (opencv)']
    """
    figure = _new_figure()
    before = _channels_last(image, channel_axis, "image")
    method = _arguments.as_choice("method", method, _methods.METHODS)
    color = _arguments.as_choice("color", color, _COLORS)
    if color != "channels" and before.ndim == 2:
        raise ValueError(f"color: expected 'channels' for an image without channel_axis, got {color!r}")
    counted = _curve_pixels(before, color, method)
    selected = None if mask is None else _arguments.as_mask(mask, before.shape[:2], None)
    drawn = [_Drawn(before, title or "before")]
    if equalized is None:
        after = _after(before, counted, color, method, selected)
        drawn.append(_Drawn(after, f"equalized ({method})", _RESULTS.get(method)))
    for name, picture in (("equalized", equalized), ("clahe", clahe)):
        if picture is not None:
            drawn.append(_Drawn(_given(name, picture, channel_axis, before), _TITLES[name]))
    for places, one in zip(_places(figure, len(drawn), *before.shape[:2]), drawn, strict=True):
        _draw_picture(places[0], one)
        _draw_curves(places[1], _curve_pixels(one.pixels, color, method), selected, one.known)
    return figure


class _Drawn(NamedTuple):
    """A picture, what stands above it, and the values that are black and white, where they are known."""

    pixels: Array
    title: str
    known: tuple[float, float] | None = None


def _given(name: str, picture: ArrayLike, channel_axis: int | None, before: Array) -> Array:
    """Return a picture that the caller has made of the first one; gray may have been made of it."""
    pixels = _channels_last(picture, None if np.ndim(picture) == 2 else channel_axis, name)
    if pixels.shape[:2] != before.shape[:2]:
        raise ValueError(f"{name}: expected height and width {before.shape[:2]}, got {pixels.shape[:2]}")
    return pixels


def _new_figure() -> Figure:
    try:
        from matplotlib.figure import Figure

    except ImportError as error:
        raise ImportError("cheq.plot needs matplotlib; to get it: pip install 'cheq[plot]'", name=error.name) from None
    return Figure(layout="constrained", dpi=150)


def _channels_last(image: ArrayLike, axis: int | None, name: str) -> Array:
    pixels = _arguments.as_array(name, image)
    if pixels.ndim != (2 if axis is None else 3):
        wanted = "(height, width)" if axis is None else "height, width and channels"
        hint = (
            "; pass channel_axis=-1 for color"
            if axis is None and pixels.ndim == 3 and pixels.shape[-1] in (3, 4)
            else ""
        )
        raise ValueError(f"{name}: expected one picture of shape {wanted}, got shape {pixels.shape}{hint}")
    if not pixels.size:
        raise ValueError(f"{name}: expected at least one pixel, got shape {pixels.shape}")
    if axis is None:
        return pixels
    pixels = np.moveaxis(pixels, axis, -1)
    if pixels.shape[-1] not in (3, 4):
        raise ValueError(f"{name}: expected three channels R, G, B, or four with alpha; got {pixels.shape[-1]}")
    return pixels[..., :3]


def _curve_pixels(pixels: Array, color: str, method: Method) -> Array:
    """Return the pixels whose histograms are drawn."""
    weights: GrayMethod = "pillow" if color == "gray" and method == "pillow" else "opencv"
    return pixels if color == "channels" or pixels.ndim == 2 else _color.rgb_to_gray(pixels, method=weights)


def _after(
    before: Array,
    gray: Array,
    color: Color | Literal["gray"],
    method: Method,
    mask: npt.NDArray[np.bool_] | None,
) -> Array:
    if color == "gray" or before.ndim == 2:
        return _equalize.equalize(gray, method=method, mask=mask)
    return _equalize.equalize(before, method=method, color=color, channel_axis=-1, mask=mask)


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


# ---------------------------------------------------------------- drawing


def _places(figure: Figure, count: int, height: int, width: int) -> list[tuple[Axes, Axes]]:
    """Return the axes of each picture and its histogram; wide pictures stand one above the other."""
    above = width > _WIDE * height
    high = max(count * _CELL * height / width, _LOWEST) if above else min(_CELL * height / width, _HIGHEST)
    rows = count if above else 1
    figure.set_size_inches(count * _CELL + 1.2, rows * high + _CURVES + 1.0 + 0.3 * rows)
    grid = figure.add_gridspec(rows + 1, count, height_ratios=[*[high] * rows, _CURVES])
    pictures = [figure.add_subplot(grid[each, :] if above else grid[0, each]) for each in range(count)]
    return [(axes, figure.add_subplot(grid[rows, column])) for column, axes in enumerate(pictures)]


def _draw_picture(axes: Axes, drawn: _Drawn) -> None:
    axes.set_title(drawn.title, fontsize=11, color=_INK, parse_math=False)
    axes.set_axis_off()
    low, high = _range(drawn.pixels, drawn.known)
    step = -(-max(drawn.pixels.shape[:2]) // _MOST_SHOWN)
    pixels = drawn.pixels[::step, ::step]
    # A small picture is shown as its pixels are.
    smooth = "auto" if min(pixels.shape[:2]) > 200 else "nearest"
    if pixels.ndim == 2:
        axes.imshow(pixels, cmap="gray", vmin=low, vmax=max(high, low + 1e-12), interpolation=smooth)
    else:
        axes.imshow(np.clip((pixels - low) / max(high - low, 1e-12), 0, 1), interpolation=smooth)


def _draw_curves(
    axes: Axes,
    pixels: Array,
    selected: npt.NDArray[np.bool_] | None,
    known: tuple[float, float] | None,
) -> None:
    """Draw the histogram of each plane as bars, and its CDF as a line on an axis of its own."""
    planes = [pixels] if pixels.ndim == 2 else [pixels[..., channel] for channel in range(3)]
    right, bars, tops = axes.twinx(), [], [1.0]
    for plane, (fill, line) in zip(planes, _RGB if len(planes) == 3 else (_GRAY,), strict=True):
        counts, edges = _counts(plane, selected, known)
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
    _label(axes, right, pixels)


def _say_what_is_cut(axes: Axes, bars: Array, top: float) -> None:
    cut = bars[bars > top]
    if cut.size:
        which = "1 bar is cut off, of" if cut.size == 1 else f"{cut.size} bars are cut off, the highest of"
        axes.set_title(f"{which} {cut.max():,} pixels", loc="left", fontsize=8, color=_FAINT, pad=3)


def _counts(
    plane: Array, selected: npt.NDArray[np.bool_] | None, known: tuple[float, float] | None
) -> tuple[Array, Any]:
    """Return the bars of a plane and their edges: of integers all levels of the dtype, of floats their range."""
    if plane.dtype.name in _methods.INTEGERS:
        histogram = _steps.histogram(plane, mask=selected)
        limits = np.iinfo(plane.dtype)
        edges = np.arange(limits.min, limits.max + 2, histogram.size // _BARS) - 0.5
        return histogram.reshape(_BARS, -1).sum(axis=1), edges
    values = plane if selected is None else plane[selected]
    values = values[np.isfinite(values)].astype(np.float64)
    return np.histogram(values, _BARS, known or ((values.min(), values.max()) if values.size else (0, 1)))


def _label(axes: Axes, right: Axes, pixels: Array) -> None:
    axes.set_xlabel("level" if pixels.dtype.kind in "ui" else "value", fontsize=9, color=_FAINT)
    axes.set_ylabel("pixels", fontsize=9, color=_FAINT)
    right.set_ylabel("CDF", fontsize=9, color=_FAINT)
    if pixels.dtype.kind in "ui":
        limits = np.iinfo(pixels.dtype)
        step = (int(limits.max) - int(limits.min) + 1) // 4
        axes.set_xticks([*range(limits.min, limits.max, step), limits.max])
    axes.locator_params(axis="y", nbins=4)
    right.set_yticks([0, 0.5, 1])
    for each in (axes, right):
        each.tick_params(labelsize=8, colors=_FAINT, length=3)
        for spine in each.spines.values():
            spine.set_color("#d5d8de")
        each.spines["top"].set_visible(False)
