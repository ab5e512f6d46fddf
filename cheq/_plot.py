"""A picture before and after, with histogram and CDF under each; matplotlib is imported when it is drawn."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cheq import _color, _equalize, _methods

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = (_methods.CHANNELS, "ycrcb", "gray")
_BARS = 256  # at most, in a histogram
_INK, _FAINT = "#22262e", "#7a808c"
_GRAY = ("#8892a6", "#c2410c")  # histogram, CDF
_RGB = (("#dc2626", "#991b1b"), ("#16a34a", "#166534"), ("#2563eb", "#1e40af"))
_CELL = 4.4  # inches that a picture is wide; and its height's bounds
_LOWEST, _HIGHEST = 0.7, 6.6
_CURVES = 1.7  # inches that a histogram is high


def plot(
    image: npt.ArrayLike,
    equalized: npt.ArrayLike | None = None,
    *,
    method: str = "opencv",
    color: str = "channels",
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    title: str | None = None,
) -> "Figure":
    """
    Draw a picture before and after equalization, with histogram and CDF under each.

    Parameters
    ----------
    image : array_like, shape (height, width), or with `channel_axis` three channels R, G, B
        One picture, of a dtype that the method takes.
    equalized : array_like, optional
        The picture after equalization; by default it is computed.
    method, channel_axis, mask
        As for `cheq.equalize`. Only pixels under the mask are in the histograms.
    color : {"channels", "ycrcb", "gray"}
        What is equalized, and drawn as curves: every channel on its own; the luminance; or a gray picture made first.
    title : str, optional
        Stands above the picture.

    Returns
    -------
    matplotlib.figure.Figure
        Not one of pyplot's: nothing need be closed, and no display is needed. ``savefig`` writes it.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError
        As `cheq.equalize` does, and for an image that is not one picture.

    Notes
    -----
    Pictures of 8 bits are shown from 0 to 255, others from their least to their greatest value. Levels are drawn as
    at most 256 bars; one that towers over the others is cut off.

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
    _methods.check_choice("color", color, _COLORS)
    if color != "channels" and before.ndim == 2:
        raise ValueError(f"color: expected 'channels' for an image without channel_axis, got {color!r}")
    counted = _curve_pixels(before, color)
    if equalized is not None:
        after = _channels_last(equalized, channel_axis if np.ndim(equalized) == before.ndim else None, "equalized")
        if after.shape[:2] != before.shape[:2]:
            raise ValueError(f"equalized: expected height and width {before.shape[:2]}, got {after.shape[:2]}")
    else:
        pixels, axis = (counted, None) if color == "gray" else (before, -1 if before.ndim == 3 else None)
        space = "channels" if color == "gray" else color
        after = _equalize.equalize(pixels, method=method, color=space, channel_axis=axis, mask=mask)
    selected = None if mask is None else np.broadcast_to(np.asarray(mask, bool), before.shape[:2])
    height = min(max(_CELL * before.shape[0] / max(before.shape[1], 1), _LOWEST), _HIGHEST)
    figure.set_size_inches(2 * _CELL + 1.2, height + _CURVES + 1.3)
    grid = figure.add_gridspec(2, 2, height_ratios=[height, _CURVES])
    titles = (title or "before", f"equalized ({method})")
    for column, (pixels, name) in enumerate(zip((before, after), titles, strict=True)):
        _draw_picture(figure.add_subplot(grid[0, column]), pixels, name)
    curves = (counted, _curve_pixels(after, color) if after.ndim == 3 else after)
    for column, pixels in enumerate(curves):
        _draw_curves(figure.add_subplot(grid[1, column]), pixels, selected)
    return figure


def _new_figure() -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("cheq.plot needs matplotlib; to get it: pip install 'cheq[plot]'", name=error.name) from None
    return Figure(layout="constrained", dpi=150)


def _channels_last(image: npt.ArrayLike, axis: int | None, name: str) -> npt.NDArray[Any]:
    pixels = np.asarray(image)
    if pixels.ndim != (2 if axis is None else 3):
        wanted = "(height, width)" if axis is None else "height, width and channels"
        raise ValueError(f"{name}: expected one picture of shape {wanted}, got shape {pixels.shape}")
    if not pixels.size:
        raise ValueError(f"{name}: expected at least one pixel, got shape {pixels.shape}")
    if axis is None:
        return pixels
    pixels = np.moveaxis(pixels, axis, -1)
    if pixels.shape[-1] != 3:
        raise ValueError(f"{name}: expected three channels R, G, B, got {pixels.shape[-1]}")
    return pixels


def _curve_pixels(pixels: npt.NDArray[Any], color: str) -> npt.NDArray[Any]:
    """Return the pixels whose histograms are drawn."""
    return pixels if color == "channels" else _color.rgb_to_gray(pixels)


# ---------------------------------------------------------------- drawing


def _draw_picture(axes: "Axes", pixels: npt.NDArray[Any], title: str) -> None:
    axes.set_title(title, fontsize=11, color=_INK)
    axes.set_axis_off()
    low, high = (0, 255) if pixels.dtype == np.uint8 else (float(np.nanmin(pixels)), float(np.nanmax(pixels)))
    # A small picture is shown as its pixels are.
    smooth = "auto" if min(pixels.shape[:2]) > 200 else "nearest"
    if pixels.ndim == 2:
        axes.imshow(pixels, cmap="gray", vmin=low, vmax=max(high, low + 1e-12), interpolation=smooth)
    else:
        axes.imshow(np.clip((pixels - low) / max(high - low, 1e-12), 0, 1), interpolation=smooth)


def _draw_curves(axes: "Axes", pixels: npt.NDArray[Any], selected: npt.NDArray[np.bool_] | None) -> None:
    """Draw the histogram of each plane as bars, and its CDF as a line on an axis of its own."""
    planes = [pixels] if pixels.ndim == 2 else [pixels[..., channel] for channel in range(3)]
    right = axes.twinx()
    tops = []
    for plane, (fill, line) in zip(planes, _RGB if len(planes) == 3 else (_GRAY,), strict=True):
        counts, edges = _counts(plane, selected)
        axes.stairs(counts, edges, fill=True, color=fill, alpha=0.45 if len(planes) == 3 else 0.75, linewidth=0)
        cumulative = np.concatenate([[0], np.cumsum(counts)])
        right.plot(edges, cumulative / max(int(cumulative[-1]), 1), color=line, linewidth=1.3)
        occupied = counts[counts > 0]
        tops.append(min(float(occupied.max()), 5 * float(occupied.mean())) if occupied.size else 1.0)
        axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(tops) * 1.05)
    right.set_ylim(0, 1.02)
    _label(axes, right, pixels)


def _counts(plane: npt.NDArray[Any], selected: npt.NDArray[np.bool_] | None) -> tuple[npt.NDArray[Any], Any]:
    """Return the bars of a plane and their edges: of integers all levels of the dtype, of floats its range."""
    if plane.dtype.name in _methods.INTEGERS:
        histogram = _equalize.histogram(plane, mask=selected)
        limits = np.iinfo(plane.dtype)
        edges = np.arange(limits.min, limits.max + 2, histogram.size // _BARS) - 0.5
        return histogram.reshape(_BARS, -1).sum(axis=1), edges
    values = plane if selected is None else plane[selected]
    values = values[np.isfinite(values)].astype(np.float64)
    return np.histogram(values, _BARS, (values.min(), values.max()) if values.size else (0, 1))


def _label(axes: "Axes", right: "Axes", pixels: npt.NDArray[Any]) -> None:
    axes.set_xlabel("level" if pixels.dtype.kind in "ui" else "value", fontsize=9, color=_FAINT)
    axes.set_ylabel("pixels", fontsize=9, color=_FAINT)
    right.set_ylabel("CDF", fontsize=9, color=_FAINT)
    if pixels.dtype.kind in "ui":
        limits = np.iinfo(pixels.dtype)
        axes.set_xticks(np.linspace(limits.min, limits.max, 6))
    axes.locator_params(axis="y", nbins=4)
    right.set_yticks([0, 0.5, 1])
    for each in (axes, right):
        each.tick_params(labelsize=8, colors=_FAINT, length=3)
        for spine in each.spines.values():
            spine.set_color("#d5d8de")
        each.spines["top"].set_visible(False)
