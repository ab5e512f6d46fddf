"""What the figures of the gallery are drawn with."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import cheq

Array = np.ndarray[Any, np.dtype[Any]]
LIGHT, DARK, ACCENT = "#c3cad6", "#5b6472", "#c2410c"
_BINS = 256  # drawn; 16-bit levels are drawn in groups
_RGB = ("#d62728", "#2ca02c", "#1f77b4")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def top(image: Array) -> int:
    """Return the highest level of an image's dtype."""
    return int(np.iinfo(image.dtype).max)


def show(axes: Axes, image: Array, title: str) -> None:
    """Draw a picture, over the whole range of its dtype."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=top(image), interpolation="nearest")
    axes.set_title(title, fontsize=11)
    axes.set_axis_off()


def draw_distribution(axes: Axes, image: Array, mask: Array | None = None, scale: bool = True) -> None:
    """Histogram and CDF of a gray image, or of each channel, on one axis of levels."""
    channel_axis = -1 if image.ndim == 3 else None
    hists = np.atleast_2d(cheq.histogram(image, channel_axis=channel_axis, mask=mask))
    cdfs = np.atleast_2d(cheq.cumulative_distribution(image, channel_axis=channel_axis, mask=mask)[0])
    edges = np.linspace(0, top(image) + 1, _BINS + 1)
    shown = hists.reshape(len(hists), _BINS, -1).sum(axis=-1)
    fills, lines = (_RGB, _RGB) if channel_axis else ((LIGHT,), (ACCENT,))
    for hist, fill in zip(shown, fills, strict=True):
        axes.stairs(hist, edges, fill=True, color=fill, alpha=0.35 if channel_axis else 1)
    # A level much higher than the others would make them too small to see: it is cut off.
    axes.set_ylim(0, min(shown.max() * 1.05, 3.5 * np.percentile(shown[shown > 0], 95)))
    axes.set_xlim(0, edges[-1])
    axes.set_xticks([0, edges[-1] / 2, edges[-1] - 1], ["0", f"{edges[-1] / 2:.0f}", f"{top(image)}"], fontsize=8)
    axes.set_yticks([])
    right = axes.twinx()
    for cdf, line in zip(cdfs, lines, strict=True):
        right.plot(np.arange(cdf.size), cdf, color=line, linewidth=1.4)
    right.set_ylim(0, 1.02)
    right.set_yticks([0, 0.5, 1], ["0", "0.5", "1"] if scale else [], fontsize=8)
    for side in (axes, right):
        side.spines[["top", "left"]].set_visible(False)
        side.spines[["bottom", "right"]].set_color(DARK)
        side.tick_params(colors=DARK, length=3)
    right.spines["right"].set_visible(scale)


def side_by_side(images: dict[str, Array], mask: Array | None = None) -> Figure:
    """Pictures side by side, histogram and CDF under each."""
    shape = next(iter(images.values())).shape
    width = {2: 4.6, 3: 3.4, 4: 2.8}[len(images)]
    height = width * shape[0] / shape[1]
    figure = new_figure(width * len(images), height + 1.8)
    grid = figure.subplots(2, len(images), height_ratios=(height, 1.25))
    for column, (title, image) in enumerate(images.items()):
        show(grid[0, column], image, title)
        draw_distribution(grid[1, column], image, mask, scale=column == len(images) - 1)
    grid[1, 0].set_ylabel("histogram", fontsize=8, color=DARK)
    figure.axes[-1].set_ylabel("CDF", fontsize=8, color=ACCENT)
    figure.supxlabel("level", fontsize=8, color=DARK)
    return figure


def sheet(faces: Array) -> Array:
    """Sixteen small faces, framed in white, as one picture."""
    framed = np.pad(faces.reshape(4, 4, 25, 25), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
    return framed.transpose(0, 2, 1, 3).reshape(4 * 27, 4 * 27)
