"""Pictures before and after, with histogram and CDF under each: what is drawn. `_figure.py` draws it."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from cheq import _arguments, _color, _equalize, _methods

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import numpy.typing as npt
    from matplotlib.figure import Figure

    from cheq._typing import Array, ArrayLike, Color, GrayMethod, Method

_COLORS = (*_color.COLORS, "gray")
# Where the methods' results that are not levels lie.
_RESULTS = {"skimage": (0.0, 1.0), "numpy": (0.0, 255.0)}


def plot(
    image: ArrayLike | Sequence[ArrayLike],
    equalized: ArrayLike | Sequence[ArrayLike] | None = None,
    *,
    method: Method = "opencv",
    color: Color | Literal["gray"] = "channels",
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    clahe: ArrayLike | Sequence[ArrayLike] | None = None,
    title: str | None = None,
    names: Sequence[str] | None = None,
    most: int = 8,
) -> Figure:
    """
    Draw pictures before and after equalization, with histogram and CDF under each.

    Parameters
    ----------
    image : array_like, shape (..., height, width), or with `channel_axis` three or four channels; or a list of arrays
        One picture, or a batch, of a dtype that the method takes: gray, or R, G, B; a fourth channel, alpha, is left
        out. The arrays of a list may be of several sizes and, beside color, gray.
    equalized : array_like or list of arrays, optional
        The pictures after equalization; by default they are computed.
    method, channel_axis
        As for `cheq.equalize`.
    color : {"channels", "ycrcb", "yuv", "lab", "gray"}
        What is equalized and drawn as curves: every channel on its own; the lightness, drawn as gray levels; or a
        gray picture made first.
    mask : array_like of bool, optional
        As for `cheq.equalize`; of a list, one that fits all. Only pixels under it are in the histograms.
    clahe : array_like or list of arrays, optional
        The pictures after `cheq.clahe`, to be drawn as third ones.
    title : str, optional
        Written above it all as it is; ``$`` does not begin a formula.
    names : sequence of str, optional
        What is written above each picture of a batch; by default where it is in the batch, such as ``[0, 3]``.
    most : int, optional
        How many pictures of a larger batch are drawn on the sheet: the first, the last, and others at equal distances.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot: it need not be closed and needs no display. Notebooks show it; ``savefig`` writes it to a
        file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError
        As `cheq.equalize` does, and for pictures that cannot be drawn.

    Notes
    -----
    Pictures of 8 bits are shown from 0 to 255, results that are not levels in the range of their method, others from
    their least to their greatest value. Levels are drawn as at most 256 bars, those of 16 bits as far as the bits
    reach that a picture has: to 4095 where none is higher. Bars much higher than the others are cut off, and a line
    above them says so, but not on a sheet. Characters that matplotlib's font lacks are drawn in another font that is
    installed and has them; if none has, matplotlib warns of them.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> image = np.random.default_rng(0).integers(40, 90, (96, 128), dtype=np.uint8)
    >>> figure = cheq.plot(image, title="uniform noise")
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['before', 'equalized (opencv)']
    >>> sheet = cheq.plot(np.stack([image, image // 2]), names=["noise", "half of it"])
    """
    drawing = _drawing()
    given = _Pictures("image", image, channel_axis)
    method = _arguments.as_choice("method", method, _methods.METHODS)
    color = _arguments.as_choice("color", color, _COLORS)
    if color != "channels" and channel_axis is None:
        raise ValueError(f"color: expected 'channels' for an image without channel_axis, got {color!r}")
    others = [
        (said, _Pictures(name, pictures, channel_axis, given))
        for name, said, pictures in (("equalized", "equalized", equalized), ("clahe", "CLAHE", clahe))
        if pictures is not None
    ]
    columns = []
    for number in _chosen(len(given), most):
        before, selected = given[number], None if mask is None else given.selected(mask, number)
        own = "channels" if before.ndim == 2 else color
        counted = _curve_pixels(before, own, method)
        drawn = [drawing.Drawn(before, counted, "before", selected)]
        if equalized is None:
            after = _after(before, counted, own, method, selected)
            known = _RESULTS.get(method)
            drawn.append(
                drawing.Drawn(after, _curve_pixels(after, own, method), f"equalized ({method})", selected, known)
            )
        for said, pictures in others:
            other = pictures[number]
            drawn.append(drawing.Drawn(other, _curve_pixels(other, own, method), said, selected))
        columns.append((given.label(number), drawn))
    if given.alone:
        if names is not None:
            raise ValueError("names: expected None for one picture; title is written above it")
        return cast("Figure", drawing.side_by_side(columns[0][1], title or ""))
    if names is not None:
        columns = _named(columns, names, len(given), most)
    note = f"{len(columns):,} of {len(given):,} pictures" if len(columns) < len(given) else ""
    return cast("Figure", drawing.sheet(columns, title or "", note))


def _drawing() -> ModuleType:
    try:
        from cheq import _figure
    except ImportError as error:
        raise ImportError("cheq.plot needs matplotlib; to get it: pip install 'cheq[plot]'", name=error.name) from None
    return _figure


def _chosen(count: int, most: int) -> list[int]:
    """Return the numbers of the pictures that are drawn."""
    if (most := operator.index(most)) < 1:
        raise ValueError(f"most: expected 1 or more, got {most}")
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()


def _named(columns: list[Any], names: Sequence[str], count: int, most: int) -> list[Any]:
    if len(names) != count:
        raise ValueError(f"names: expected {count}, one for each picture, got {len(names)}")
    return [(names[number], drawn) for number, (_, drawn) in zip(_chosen(count, most), columns, strict=True)]


class _Pictures:
    """The pictures that an argument holds, one after the other: gray, or R, G, B last."""

    def __init__(self, name: str, given: Any, axis: int | None, like: _Pictures | None = None) -> None:
        """Look at an argument; what was made of another one, `like`, is as large, and may be gray where that is not."""
        self._name, self._like = name, like
        self._list: list[Array] | None = None
        if (
            isinstance(given, list | tuple)
            and given
            and all(isinstance(one, np.ndarray) and one.ndim > 1 for one in given)
        ):
            parts = [_arguments.as_array(f"{name}[{number}]", one) for number, one in enumerate(given)]
            self._list = [_channels_last(one, None if one.ndim == 2 else axis, name) for one in parts]
            self._batch: tuple[int, ...] = (len(parts),)
        else:
            array = _arguments.as_array(name, given)
            gray = like is not None and axis is not None and array.ndim == len(like._batch) + 2
            axis = None if gray else axis
            self._array = _channels_last(array, axis, name)
            self._batch = self._array.shape[: array.ndim - (2 if axis is None else 3)]
        self.alone = self._list is None and not self._batch
        if like is not None and self._batch != like._batch:
            of = "one picture" if like.alone else f"pictures of batch shape {like._batch}"
            raise ValueError(f"{name}: expected {of} as in image, got batch shape {self._batch}")

    def __len__(self) -> int:
        return math.prod(self._batch)

    def __getitem__(self, number: int) -> Array:
        """Return a picture; ValueError if it has not the height and width of the one that it was made of."""
        found: Array = self._array[self._place(number)] if self._list is None else self._list[number]
        if self._like is not None and found.shape[:2] != (wanted := self._like[number].shape[:2]):
            raise ValueError(f"{self._name}: expected height and width {wanted}, got {found.shape[:2]}")
        return found

    def _place(self, number: int) -> tuple[int, ...]:
        return tuple(int(each) for each in np.unravel_index(number, self._batch)) if self._batch else ()

    def label(self, number: int) -> str:
        """Say where a picture is."""
        return str([*self._place(number)])

    def selected(self, mask: ArrayLike, number: int) -> npt.NDArray[np.bool_]:
        """Return what a mask selects of a picture."""
        one = self[number].shape[:2]
        if self._list is not None:
            return _arguments.as_mask(mask, one, None)
        found: npt.NDArray[np.bool_] = _arguments.as_mask(mask, (*self._batch, *one), None)[self._place(number)]
        return found


def _channels_last(pixels: Array, axis: int | None, name: str) -> Array:
    """Return gray pixels as they are, and others as R, G, B with the channels last."""
    if pixels.ndim < (2 if axis is None else 3):
        wanted = "height and width" if axis is None else "height, width and channels"
        raise ValueError(f"{name}: expected {wanted}, got shape {pixels.shape}")
    if not pixels.size:
        raise ValueError(f"{name}: expected at least one pixel, got shape {pixels.shape}")
    if axis is None:
        if pixels.ndim > 2 and _arguments.looks_like_channels(pixels.shape):
            raise ValueError(
                f"{name}: expected channel_axis beside shape {pixels.shape}, whose last axis looks like channels; pass "
                f"channel_axis=-1 for color, or list({name}) if it is a batch of pictures so narrow"
            )
        return pixels
    pixels = np.moveaxis(pixels, axis, -1)
    if pixels.shape[-1] not in (3, 4):
        raise ValueError(f"{name}: expected three channels R, G, B, or four with alpha; got {pixels.shape[-1]}")
    return pixels[..., :3]


def _curve_pixels(pixels: Array, color: str, method: Method) -> Array:
    """Return the pixels whose histograms are drawn."""
    weights: GrayMethod = "pillow" if color == "gray" and method == "pillow" else "opencv"
    if color == "channels" or pixels.ndim == 2:
        return pixels
    return _color.rgb_to_gray(pixels, channel_axis=-1, method=weights)


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
