"""The demo's contact sheet: pictures before and after, with the histograms they have on average."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import cheq

_Pixels = np.ndarray[Any, np.dtype[np.uint8]]

_PICTURES = 8  # in a row
_GAP = 6
_MARGIN = 28
_LABELS = 120
_HEADER = 76
_BETWEEN = 22
_PAPER, _INK, _FAINT = (250, 250, 248), (34, 38, 46), (122, 128, 140)
_BARS = {"before": (150, 158, 172), "after": (214, 106, 50)}


def contact_sheet(before: _Pixels, after: _Pixels, names: tuple[str, ...]) -> Image.Image:
    """Draw a few pictures of each source, before and after.

    Parameters
    ----------
    before, after : ndarray of uint8, shape (count, 1, height, width)
        Image ``i`` belongs to ``names[i % len(names)]``.
    names : tuple of str
        The sources; each gets a row of pictures before, one after, and the mean histogram of all its pictures.

    Returns
    -------
    PIL.Image.Image
        An RGB picture.
    """
    height, width = before.shape[-2:]
    left = _MARGIN + _LABELS
    panel = left + _PICTURES * (width + _GAP) + 2 * _GAP
    block = 2 * height + _GAP + _BETWEEN
    size = (panel + 256 + _MARGIN, _HEADER + len(names) * block - _BETWEEN + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, 22), "cheq: histogram equalization, before and after", _INK, _font(22))
    draw.text((panel, 30), "mean histogram, levels 0 to 255", _FAINT, _font(14))
    for row, name in enumerate(names):
        y = _HEADER + row * block
        draw.text((_MARGIN, y), name, _INK, _font(18))
        for label, images in (("before", before), ("after", after)):
            own = images[row :: len(names)]
            draw.text((_MARGIN, y + height - 18), label, _FAINT, _font(14))
            for column, image in enumerate(own[:_PICTURES, 0]):
                sheet.paste(Image.fromarray(image), (left + column * (width + _GAP), y))
            _draw_histogram(draw, own, (panel, y, height), _BARS[label])
            y += height + _GAP
    return sheet


def _draw_histogram(
    draw: ImageDraw.ImageDraw, images: _Pixels, place: tuple[int, int, int], color: tuple[int, int, int]
) -> None:
    """One bar a level, one pixel wide; the place is its left, its top and its height."""
    left, top, height = place
    counts = cheq.histogram(images).sum(axis=(0, 1))
    # A level much higher than the others must not flatten them: bars are cut off at four times the mean.
    heights = np.minimum(counts * 256 * height // (4 * max(int(counts.sum()), 1)), height - 1)
    base = top + height - 1
    for level, bar in enumerate(heights.tolist()):
        if bar:
            draw.line((left + level, base - bar, left + level, base), color)
    draw.line((left, base, left + 255, base), _FAINT)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    try:
        return ImageFont.load_default(size)
    except ImportError:  # a Pillow without FreeType has one size only
        return ImageFont.load_default()
