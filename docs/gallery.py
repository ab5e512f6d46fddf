"""The figures of the documentation, made from the pictures in scikit-image's wheel: nothing is downloaded.

``python docs/gallery.py FOLDER`` writes them to a folder; Sphinx does the same when it builds the site.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import cheq

Array = np.ndarray[Any, np.dtype[Any]]
METHODS = ("opencv", "pillow", "skimage", "numpy")
LIMITS, GRIDS = (1, 2, 4, 40), (2, 8, 32)  # of CLAHE
_BINS = 256  # drawn; 16-bit levels are drawn in groups
_LIGHT, _DARK, _ACCENT = "#c3cad6", "#5b6472", "#c2410c"
_RGB = ("#d62728", "#2ca02c", "#1f77b4")


def make(folder: Path) -> list[Path]:
    """Write every figure to a folder, which is made if need be, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, draw in FIGURES.items():
        files.append(folder / f"{name}.png")
        draw().savefig(files[-1], dpi=110)
    return files


# ---------------------------------------------------------------- pictures


def dark() -> Array:
    """A real photograph in which most of the picture is dark."""
    return cheq.rgb_to_gray(skimage.data.rocket())


def bright() -> Array:
    """A photographer, as if exposed for too long: levels to the power of 0.3, in the upper part of the range."""
    return np.rint(255 * (0.25 + 0.75 * (skimage.data.camera() / 255) ** 0.3)).astype(np.uint8)


def faces(count: int = 16) -> Array:
    """Small faces, (count, 25, 25), under light that we made: a gradient from any side, and any exposure."""
    rng = np.random.default_rng(4)
    clean = skimage.data.lfw_subset()[:count].astype(np.float64)
    rows, columns = np.mgrid[-1:1:25j, -1:1:25j]
    angle = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    light = 1 + 0.55 * (np.cos(angle) * rows + np.sin(angle) * columns)
    exposure = rng.uniform(0.18, 0.6, (count, 1, 1))
    return np.rint(255 * np.clip(clean * light * exposure, 0, 1)).astype(np.uint8)


def radiograph() -> Array:
    """An image as an X-ray detector gives it: 12 bits in uint16.

    The Shepp-Logan phantom is taken as thickness, the detector counts what comes through, unevenly lit and with the
    noise of counting.
    """
    thickness = skimage.data.shepp_logan_phantom()
    rows, columns = np.mgrid[-1 : 1 : thickness.shape[0] * 1j, -1 : 1 : thickness.shape[1] * 1j]
    photons = 3400 * (1 - 0.15 * (rows**2 + columns**2)) * np.exp(-1.4 * thickness)
    counted = np.random.default_rng(0).poisson(photons)
    return np.clip(counted, 0, 4095).astype(np.uint16)


def retina() -> Array:
    """The back of an eye with black around it, in color and a third of its size."""
    return np.asarray(Image.fromarray(skimage.data.retina()).reduce(3))


# ---------------------------------------------------------------- drawing


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _top(image: Array) -> int:
    return int(np.iinfo(image.dtype).max)


def _show(axes: Axes, image: Array, title: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=_top(image), interpolation="nearest")
    axes.set_title(title, fontsize=11)
    axes.set_axis_off()


def _draw_distribution(axes: Axes, image: Array, mask: Array | None = None, scale: bool = True) -> None:
    """Histogram and CDF of a gray image, or of each channel, on one axis of levels."""
    channel_axis = -1 if image.ndim == 3 else None
    hists = np.atleast_2d(cheq.histogram(image, channel_axis=channel_axis, mask=mask))
    cdfs = np.atleast_2d(cheq.cumulative_distribution(image, channel_axis=channel_axis, mask=mask)[0])
    edges = np.linspace(0, _top(image) + 1, _BINS + 1)
    shown = hists.reshape(len(hists), _BINS, -1).sum(axis=-1)
    fills, lines = (_RGB, _RGB) if channel_axis else ((_LIGHT,), (_ACCENT,))
    for hist, fill in zip(shown, fills, strict=True):
        axes.stairs(hist, edges, fill=True, color=fill, alpha=0.35 if channel_axis else 1)
    # A level much higher than the others would make them too small to see: it is cut off.
    axes.set_ylim(0, min(shown.max() * 1.05, 3.5 * np.percentile(shown[shown > 0], 95)))
    axes.set_xlim(0, edges[-1])
    axes.set_xticks([0, edges[-1] / 2, edges[-1] - 1], ["0", f"{edges[-1] / 2:.0f}", f"{_top(image)}"], fontsize=8)
    axes.set_yticks([])
    right = axes.twinx()
    for cdf, line in zip(cdfs, lines, strict=True):
        right.plot(np.arange(cdf.size), cdf, color=line, linewidth=1.4)
    right.set_ylim(0, 1.02)
    right.set_yticks([0, 0.5, 1], ["0", "0.5", "1"] if scale else [], fontsize=8)
    for side in (axes, right):
        side.spines[["top", "left"]].set_visible(False)
        side.spines[["bottom", "right"]].set_color(_DARK)
        side.tick_params(colors=_DARK, length=3)
    right.spines["right"].set_visible(scale)


def _columns(images: dict[str, Array], mask: Array | None = None) -> Figure:
    """Pictures side by side, histogram and CDF under each."""
    shape = next(iter(images.values())).shape
    width = 4.6 if len(images) == 2 else 3.4
    height = width * shape[0] / shape[1]
    figure = _figure(width * len(images), height + 1.8)
    grid = figure.subplots(2, len(images), height_ratios=(height, 1.25))
    for column, (title, image) in enumerate(images.items()):
        _show(grid[0, column], image, title)
        _draw_distribution(grid[1, column], image, mask, scale=column == len(images) - 1)
    grid[1, 0].set_ylabel("histogram", fontsize=8, color=_DARK)
    figure.axes[-1].set_ylabel("CDF", fontsize=8, color=_ACCENT)
    figure.supxlabel("level", fontsize=8, color=_DARK)
    return figure


# ---------------------------------------------------------------- figures


def _draw_dark() -> Figure:
    image = dark()
    return _columns({"as taken": image, "equalized": cheq.equalize(image)})


def _draw_bright() -> Figure:
    image = bright()
    return _columns({"too bright": image, "equalized": cheq.equalize(image)})


def _draw_faces() -> Figure:
    before = faces()
    sheets = {
        "under different light": before,
        "each equalized": cheq.equalize(before),
        "each with CLAHE, 4 x 4 tiles": cheq.clahe(before, clip_limit=4, tile_grid_size=(4, 4)),
    }
    figure = _figure(10.8, 5.2)
    grid = figure.subplots(2, 3, height_ratios=(3.4, 1.2))
    for column, (title, images) in enumerate(sheets.items()):
        framed = np.pad(images.reshape(4, 4, 25, 25), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
        _show(grid[0, column], framed.transpose(0, 2, 1, 3).reshape(4 * 27, 4 * 27), title)
        axes = grid[1, column]
        for cdf in cheq.cumulative_distribution(images)[0]:
            axes.plot(cdf, color=_ACCENT, linewidth=0.8, alpha=0.6)
        axes.set(xlim=(0, 255), ylim=(0, 1.02), yticks=(0, 1), xticks=(0, 128, 255))
        axes.tick_params(labelsize=8, colors=_DARK, length=3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("level", fontsize=8, color=_DARK)
    grid[1, 0].set_ylabel("CDF of each face", fontsize=8, color=_ACCENT)
    return figure


def _draw_radiograph() -> Figure:
    image = radiograph()
    return _columns({"12 bits in uint16": image, "equalized, uint16": cheq.equalize(image)})


def _draw_color() -> Figure:
    image = skimage.data.coffee()
    return _columns(
        {
            "as taken": image,
            "each channel": cheq.equalize(image, channel_axis=-1),
            "lightness": cheq.equalize(image, channel_axis=-1, color="ycrcb"),
        }
    )


def _draw_moon() -> Figure:
    image = skimage.data.moon()
    clear = cheq.clahe(image, clip_limit=2, tile_grid_size=(8, 8))
    return _columns({"as taken": image, "equalized": cheq.equalize(image), "CLAHE: clip limit 2, 8 x 8 tiles": clear})


def _draw_limits() -> Figure:
    """Clip limits from left to right, numbers of tiles from above to below."""
    image = skimage.data.coins()
    figure = _figure(10.4, 7)
    grid = figure.subplots(len(GRIDS), len(LIMITS))
    for row, tiles in enumerate(GRIDS):
        for column, limit in enumerate(LIMITS):
            result = cheq.clahe(image, clip_limit=limit, tile_grid_size=(tiles, tiles))
            _show(grid[row, column], result, f"limit {limit}, {tiles} x {tiles} tiles")
    return figure


def _draw_eye() -> Figure:
    image = retina()
    return _columns(
        {
            "as taken": image,
            "CLAHE of each channel": cheq.clahe(image, clip_limit=3, channel_axis=-1),
            "of the lightness of Lab": cheq.clahe(image, clip_limit=3, channel_axis=-1, color="lab"),
        }
    )


def _draw_mask() -> Figure:
    image = cheq.rgb_to_gray(retina())
    eye = image > 12
    return _columns(
        {
            "as taken": image,
            "every pixel counted": cheq.equalize(image),
            "the eye counted": cheq.equalize(image, mask=eye, outside="keep"),
        },
        mask=eye,
    )


def _draw_methods() -> Figure:
    """The lookup tables of the four methods for one picture, all drawn as 0..255."""
    image = cheq.rgb_to_gray(retina())[::12, ::12]
    hist = cheq.histogram(image)
    end = int(np.flatnonzero(hist)[-1]) + 1
    figure = _figure(7.2, 3.8)
    counts = figure.subplots()
    counts.stairs(hist[:end], np.arange(end + 1) - 0.5, fill=True, color=_LIGHT)
    counts.set(xlabel="level", xlim=(-2, end), ylim=(0, np.sort(hist)[-2] * 2.5), yticks=[])
    luts = counts.twinx()
    for method, line in zip(METHODS, ("-", "--", "-.", ":"), strict=True):
        lut = cheq.equalization_lut(hist, method=method).astype(float) * (255 if method == "skimage" else 1)
        luts.plot(lut[:end], line, label=f'"{method}"', linewidth=1.8)
    luts.set(ylabel="new level; 0..1 as 0..255", ylim=(0, 260))
    luts.legend(frameon=False, loc="upper left")
    for side in (counts, luts):
        side.spines[["top", "left"]].set_visible(False)
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "dark": _draw_dark,
    "bright": _draw_bright,
    "faces": _draw_faces,
    "radiograph": _draw_radiograph,
    "color": _draw_color,
    "moon": _draw_moon,
    "limits": _draw_limits,
    "eye": _draw_eye,
    "mask": _draw_mask,
    "methods": _draw_methods,
}

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/gallery.py FOLDER")
    print(*make(Path(sys.argv[1])), sep="\n")
