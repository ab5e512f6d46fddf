"""The figures of the documentation, made from the pictures in scikit-image's wheel: nothing is downloaded.

``python docs/gallery.py FOLDER`` writes them to a folder; Sphinx does the same when it builds the site.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage.data
from drawing import ACCENT, DARK, LIGHT, Array, new_figure, sheet, show, side_by_side
from matplotlib.figure import Figure
from PIL import Image

import cheq

METHODS = ("opencv", "pillow", "skimage", "numpy")
LIMITS, GRIDS = (1, 2, 4, 40), (2, 8, 32)  # of CLAHE
_LEVELS = np.arange(256)
TARGETS = {
    "uniform": np.ones(256),
    "Gaussian": np.exp(-(((_LEVELS - 128) / 40) ** 2) / 2),
    "exponential": np.exp(-_LEVELS / 50),
    "Rayleigh": _LEVELS * np.exp(-((_LEVELS / 70) ** 2) / 2),
    "drawn": np.interp(_LEVELS, [0, 60, 120, 200, 255], [0, 1, 0.1, 0.8, 0]),
}


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


def faces(count: int = 16, darkest: float = 0.18, brightest: float = 0.6) -> Array:
    """Small faces, (count, 25, 25), under light that we made: a gradient from any side, and any exposure."""
    rng = np.random.default_rng(4)
    clean = skimage.data.lfw_subset()[:count].astype(np.float64)
    rows, columns = np.mgrid[-1:1:25j, -1:1:25j]
    angle = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    light = 1 + 0.55 * (np.cos(angle) * rows + np.sin(angle) * columns)
    exposure = rng.uniform(darkest, brightest, (count, 1, 1))
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


def series(count: int = 12) -> Array:
    """Frames, (count, 171, 171), for which a camera moves along a picture while the light flickers, as we made it."""
    scene = cheq.rgb_to_gray(skimage.data.coffee())[::2, ::2]
    light = np.random.default_rng(2).uniform(0.35, 1, count)
    light[0] = 0.9
    frames = [scene[10:181, 4 * index + 60 : 4 * index + 231] * power for index, power in enumerate(light)]
    return np.rint(frames).astype(np.uint8)


def stars() -> Array:
    """Galaxies, gray and half their size: most pixels are nearly black."""
    return cheq.rgb_to_gray(np.asarray(Image.fromarray(skimage.data.hubble_deep_field()).reduce(2)))


def retina() -> Array:
    """The back of an eye with black around it, in color and a third of its size."""
    return np.asarray(Image.fromarray(skimage.data.retina()).reduce(3))


# ---------------------------------------------------------------- figures


def _draw_dark() -> Figure:
    image = dark()
    return side_by_side({"as taken": image, "equalized": cheq.equalize(image)})


def _draw_bright() -> Figure:
    image = bright()
    return side_by_side({"too bright": image, "equalized": cheq.equalize(image)})


def _draw_sheets(sheets: dict[str, Array]) -> Figure:
    """Sheets of sixteen faces side by side, the CDF of each face under them."""
    figure = new_figure(3.6 * len(sheets), 5.2)
    grid = figure.subplots(2, len(sheets), height_ratios=(3.4, 1.2))
    for column, (title, images) in enumerate(sheets.items()):
        show(grid[0, column], sheet(images), title)
        axes = grid[1, column]
        for cdf in cheq.cumulative_distribution(images)[0]:
            axes.plot(cdf, color=ACCENT, linewidth=0.8, alpha=0.6)
        axes.set(xlim=(0, 255), ylim=(0, 1.02), yticks=(0, 1), xticks=(0, 128, 255))
        axes.tick_params(labelsize=8, colors=DARK, length=3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("level", fontsize=8, color=DARK)
    grid[1, 0].set_ylabel("CDF of each face", fontsize=8, color=ACCENT)
    return figure


def _draw_faces() -> Figure:
    before = faces()
    return _draw_sheets(
        {
            "under different light": before,
            "each equalized": cheq.equalize(before),
            "each with CLAHE, 4 x 4 tiles": cheq.clahe(before, clip_limit=4, tile_grid_size=(4, 4)),
        }
    )


def _draw_radiograph() -> Figure:
    image = radiograph()
    return side_by_side({"12 bits in uint16": image, "equalized, uint16": cheq.equalize(image)})


def _draw_color() -> Figure:
    image = skimage.data.coffee()
    return side_by_side(
        {
            "as taken": image,
            "each channel": cheq.equalize(image, channel_axis=-1),
            "lightness": cheq.equalize(image, channel_axis=-1, color="ycrcb"),
        }
    )


def _draw_moon() -> Figure:
    image = skimage.data.moon()
    clear = cheq.clahe(image, clip_limit=2, tile_grid_size=(8, 8))
    local = "CLAHE: clip limit 2, 8 x 8 tiles"
    return side_by_side({"as taken": image, "equalized": cheq.equalize(image), local: clear})


def _draw_limits() -> Figure:
    """Clip limits from left to right, numbers of tiles from above to below."""
    image = skimage.data.coins()
    figure = new_figure(10.4, 7)
    grid = figure.subplots(len(GRIDS), len(LIMITS))
    for row, tiles in enumerate(GRIDS):
        for column, limit in enumerate(LIMITS):
            result = cheq.clahe(image, clip_limit=limit, tile_grid_size=(tiles, tiles))
            show(grid[row, column], result, f"limit {limit}, {tiles} x {tiles} tiles")
    return figure


def _draw_eye() -> Figure:
    image = retina()
    return side_by_side(
        {
            "as taken": image,
            "CLAHE of each channel": cheq.clahe(image, clip_limit=3, channel_axis=-1),
            "of the lightness of Lab": cheq.clahe(image, clip_limit=3, channel_axis=-1, color="lab"),
        }
    )


def _draw_mask() -> Figure:
    image = cheq.rgb_to_gray(retina())
    eye = image > 12
    return side_by_side(
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
    figure = new_figure(7.2, 3.8)
    counts = figure.subplots()
    counts.stairs(hist[:end], np.arange(end + 1) - 0.5, fill=True, color=LIGHT)
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


def _draw_transfer() -> Figure:
    photo, reference = skimage.data.chelsea(), skimage.data.coffee()
    return side_by_side(
        {
            "as taken": photo,
            "reference": reference,
            "each channel": cheq.match_histograms(photo, reference, channel_axis=-1, dtype="same"),
            "lightness": cheq.match_histograms(photo, reference, channel_axis=-1, color="lab"),
        }
    )


def _draw_average() -> Figure:
    before = faces(darkest=0.3, brightest=0.9)
    hists = cheq.histogram(before)
    luts = cheq.matching_lut(hists, hists.sum(axis=0), dtype="same")
    return _draw_sheets({"under different light": before, "each like the average": cheq.apply_lut(before, luts)})


def _draw_flicker() -> Figure:
    """Every second frame of a series, before and after; under them the mean level of all."""
    frames = series()
    steady = cheq.match_histograms(frames, frames[0], dtype="same")
    figure = new_figure(10.4, 4.6)
    grid = figure.subplot_mosaic([[*"abcdef"], [*"ghijkl"], [*"mmmmmm"]], height_ratios=(1.5, 1.5, 1.2))
    for place, frame in zip("abcdefghijkl", [*frames[::2], *steady[::2]], strict=True):
        show(grid[place], frame, "")
    grid["a"].set_title("as taken", fontsize=11, loc="left")
    grid["g"].set_title("each like the first", fontsize=11, loc="left")
    grid["m"].plot(frames.mean(axis=(1, 2)), "o-", color=DARK, label="as taken")
    grid["m"].plot(steady.mean(axis=(1, 2)), "o-", color=ACCENT, label="each like the first")
    grid["m"].set(xlabel="frame", ylabel="mean level", ylim=(0, 200))
    grid["m"].legend(frameon=False, ncols=2, fontsize=8, loc="upper right")
    grid["m"].spines[["top", "right"]].set_visible(False)
    return figure


def _draw_targets() -> Figure:
    """One picture with five histograms of choice; under each the one that was asked for, as a line."""
    image = skimage.data.camera()
    hist = cheq.histogram(image)
    figure = new_figure(12.5, 4)
    grid = figure.subplots(2, len(TARGETS), height_ratios=(2.5, 1))
    for column, (name, target) in enumerate(TARGETS.items()):
        result = cheq.apply_lut(image, cheq.matching_lut(hist, target, dtype="same"))
        show(grid[0, column], result, name)
        axes, groups = grid[1, column], _LEVELS[::8]
        counts = cheq.histogram(result).reshape(-1, 8).sum(axis=-1)
        axes.bar(groups, counts, 8, align="edge", color=LIGHT)
        axes.plot(groups + 4, target.reshape(-1, 8).sum(axis=-1) * image.size / target.sum(), color=ACCENT)
        axes.set(xlim=(0, 256), xticks=(0, 128, 255), yticks=[])
        axes.tick_params(labelsize=8, colors=DARK, length=3)
        axes.spines[["top", "left", "right"]].set_visible(False)
    return figure


def _draw_weights() -> Figure:
    image = stars()
    hist = cheq.histogram(image)
    weights = {"square roots of the counts": hist**0.5, "counts of at most 512": np.minimum(hist, 512)}
    softer = {
        name: cheq.apply_lut(image, cheq.equalization_lut(some, method="skimage", dtype="same"))
        for name, some in weights.items()
    }
    return side_by_side({"as taken": image, "equalized": cheq.equalize(image), **softer})


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
    "transfer": _draw_transfer,
    "average": _draw_average,
    "flicker": _draw_flicker,
    "targets": _draw_targets,
    "weights": _draw_weights,
}

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/gallery.py FOLDER")
    print(*make(Path(sys.argv[1])), sep="\n")
