"""The fixed suite: a table of seeded inputs of every awkward kind, each made when its turn comes."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cheq.parity import pixels
from cheq.parity.inputs import COLOR, IN_PLACE, LAYOUTS, STRIDED, TILED, WHOLE, Input
from cheq.parity.questions import FLOATS, INTEGERS

ALL = (*INTEGERS, "bool", *FLOATS)


@dataclass(frozen=True)
class Case:
    """One input: its name, the part of the suite that it belongs to, and whether a quick check has it."""

    part: str
    name: str
    make: Callable[[], Input]
    quick: bool


class Row(NamedTuple):
    """Inputs of one part: `make` of each combination of the values, which `label` names.

    A quick check has those whose values are all among `quick`'s; None is no combination, {} each.
    """

    part: str
    label: str
    make: Callable[..., Input]
    values: Mapping[str, Collection[Any]]  # several names in one key take their values together
    quick: Mapping[str, Collection[Any]] | None

    def cases(self) -> Iterator[Case]:
        for chosen in itertools.product(*self.values.values()):
            values: dict[str, Any] = {}
            for key, value in zip(self.values, chosen, strict=True):
                names = key.split()
                values.update(zip(names, value if len(names) > 1 else [value], strict=True))
            shown = values | {"shape": " x ".join(map(str, values.get("shape", ())))}
            quick = self.quick is not None and all(values[name] in few for name, few in self.quick.items())
            yield Case(self.part, f"{self.part}: {self.label.format(**shown)}", partial(self.make, **values), quick)


# ---------------------------------------------------------------- what makes the inputs


def _planes(kind: str, dtype: str, shape: tuple[int, ...], seed: int = 0, **options: Any) -> Input:
    return Input(pixels.plane(kind, dtype, shape, seed), **options)


def _masked(kind: str, dtype: str, what: str, seed: int) -> Input:
    images = pixels.plane(what, dtype, (13, 21), seed)
    return Input(images, pixels.mask(kind, images, seed))


def _shared_mask(dtype: str, shape: tuple[int, ...], channel_axis: int | None, one: str) -> Input:
    without = shape if channel_axis is None else tuple(np.delete(shape, channel_axis))
    chosen = pixels.random_mask(without if one == "a plane" else without[-2:], 4)
    return Input(pixels.plane("dark", dtype, shape), chosen, channel_axis=channel_axis)


def _holed(dtype: str, masked: str, nan_policy: str) -> Input:
    images = pixels.plane("standard normal", dtype, (2, 13, 21))
    images[:, ::5, ::4], images[0, 1, 2], images[:, 2, 1] = np.nan, np.inf, -np.inf
    chosen = pixels.random_mask(images.shape, 4, 0.6)
    if nan_policy == "raise":  # NaN may stand where nothing is counted
        chosen &= np.isfinite(images)
    return Input(images, chosen if masked == "masked" else None, nan_policy=nan_policy)


_tiled = partial(_planes, units=(TILED,))


def _masked_colors(seed: int) -> Input:
    images = pixels.plane("dark", "uint8", (2, 31, 67, 3), seed)
    return Input(images, pixels.random_mask(images.shape[:-1], seed), channel_axis=-1, units=(COLOR,))


# ---------------------------------------------------------------- the table

# Below, at and above the lengths of vectors of 1, 2, 4 and 8 bytes a pixel, once and several times.
_EDGES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 192, 193, 200)
# And beside the blocks that kernels work in.
_LONG = (1023, 1024, 1025, 4095, 4097, 14_335, 14_336, 14_337, 16_385)


def _lengths(*lengths: int) -> list[tuple[int, int]]:
    """Rows, columns and planes of these lengths."""
    return list(dict.fromkeys(shape for n in (*lengths, *_LONG) for shape in ((1, n), (n, 1), (3, n))))


_TOTALS = (1, 2, 254, 255, 256, 257, 508, 509, 510, 511, 764, 765, 766, 2000)
_SHAPES = ((31, 67), (1, 1), (8, 9), (3, 1), (28, 28), (96, 96), (123, 321))
_BATCHES = ((5, 28, 28), (2, 3, 1, 31, 67), (40, 8, 8), (9, 96, 96), (1, 2, 257, 259))
_CHANNELS = (
    *(((13, 21, count), -1) for count in (2, 3, 4, 5)),
    *(((2, 13, 21, 3), -1), ((3, 13, 21), 0), ((2, 3, 13, 21), 1), ((2, 13, 4, 21), 2), ((2, 40, 70, 4), -1)),
)
_SHARED = (((4, 31, 67), None), ((2, 31, 67, 3), -1), ((2, 3, 31, 67), 1), ((3, 28, 28), 0))
_COLORED = (((2, 9, 70, 3), -1), ((2, 3, 9, 70), 1), ((9, 70, 4), -1))
_WRITABLE = [layout for layout in LAYOUTS if layout not in ("read-only", "other byte order")]
_MASKED = list(enumerate(("uniform", "narrow", "three levels", "both ends")))
_UINT8 = {"dtype": ("uint8",)}

# For CLAHE, beside the defaults: limits that clip nothing, nearly all, and between two counts; grids that divide a side
# or not, with more tiles than pixels, and tiles whose sides are powers of two.
_CLIPPED = (
    (None, None), (2.0, (2, 2)), (0.0, (3, 5)), (0.01, (1, 1)), (1.0, (16, 4)), (3.7, (7, 2)), (1000.0, (4, 4)),
    (-1.0, (5, 1)), (2.5, (40, 33)),
)  # fmt: skip
_CLIPPED_WORDS = ((None, None), (2.0, (2, 2)), (300.0, (3, 1)), (0.0, (2, 3)))
_ADAPTED = ((None, None, 256), (0.03, (8, 5), 256), (0.0, (40, 7), 100), (1.0, (5, 5), 16), (0.2, (3, 9), 1000))
_ADAPTING = ("uint8", "uint16", "int16", "bool", *FLOATS)

_ROWS = (
    Row("kinds of pixels", "{kind}, {dtype}, {shape}", _planes,
        {"dtype": ALL, "kind": pixels.KINDS, "seed shape": tuple(enumerate(_SHAPES))}, {"seed": (0, 1)}),
    Row("every level", "each {dtype} once", lambda dtype: Input(pixels.every_level(dtype)), {"dtype": INTEGERS}, {}),
    Row("every level", "{dtype}, without some", lambda dtype: Input(pixels.every_level(dtype)[:, 3:-100]),
        {"dtype": INTEGERS}, None),
    Row("every level", "every seventh {dtype} thrice",
        lambda dtype: Input(np.repeat(pixels.every_level(dtype), 3, axis=0)[:, ::7]), {"dtype": INTEGERS}, None),
    Row("sizes", "{shape}, {dtype}", partial(_planes, "both ends"),
        {"dtype": ("uint8",), "shape": _lengths(*range(1, 201))}, {"shape": [(1, n) for n in _EDGES]}),
    Row("sizes", "{shape}, {dtype}", partial(_planes, "both ends"),
        {"dtype": ("uint16", *FLOATS), "shape": _lengths(*_EDGES)}, {"shape": [(1, n) for n in (1, 17, 65, 1025)]}),
    # Counts whose quotients fall between two levels.
    Row("ties of rounding", "counts 1, {first}, {share} times as many",
        lambda first, share: Input(pixels.counted((1, first, share * first), (3, 77, 78))),
        {"first": range(1, 40), "share": range(1, 31, 2)}, {"first": (1, 2, 3, 7, 13, 39), "share": (1, 3, 15, 29)}),
    # Counts whose sums are multiples of Pillow's step, and one beside them.
    Row("quotients", "step {step}, {beside:+} beside",
        lambda step, beside: Input(pixels.counted(
            (first := step - step // 2 + beside, *(step,) * 253, 2 * step - first, 1), tuple(range(256)))),
        {"step": (*range(1, 64), 100, 255, 256, 333, 400), "beside": (-1, 0, 1)},
        {"step": (2, 3, 7, 15, 31, 41, 47, 63, 255, 333)}),
    # Counts about the multiples of 255, where Pillow's step changes, and values that it clips.
    Row("few pixels", "counts {total}, {last} of {pair}",
        lambda total, last, pair: Input(pixels.counted((total, last), pair)),
        {"total": _TOTALS, "last": (1, 3, 254, 255), "pair": ((0, 255), (3, 200), (254, 255), (0, 1))},
        {"total": (1, 255, 508), "pair": ((3, 200), (254, 255))}),
    Row("few pixels", "counts 1, {total}, {last}",
        lambda total, last: Input(pixels.counted((1, total, last), (3, 77, 78))),
        {"total": _TOTALS, "last": (1, 3, 254, 255)}, None),
    Row("batches", "{kind}, {dtype}, {shape}", _planes,
        {"dtype": ALL, "shape": _BATCHES, "kind": ("normal", "dark")}, {"shape": _BATCHES[:1]}),
    Row("channels", "{shape}, channel_axis={channel_axis}, {dtype}", partial(_planes, "dark"),
        {"dtype": ALL, "shape channel_axis": _CHANNELS}, _UINT8),
    Row("masks", "{kind}, {what}, {dtype}", _masked,
        {"dtype": ("uint8",), "kind": pixels.MASKS, "seed what": _MASKED}, {}),
    Row("masks", "{kind}, {what}, {dtype}", _masked,
        {"dtype": ALL[1:], "kind": pixels.MASKS, "seed what": _MASKED}, {"seed": (0,)}),
    Row("masks", "one {one}, {shape}, channel_axis={channel_axis}, {dtype}", _shared_mask,
        {"dtype": ALL, "shape channel_axis": _SHARED, "one": ("for all", "a plane")}, _UINT8),
    Row("layouts", "{layout}, {dtype}, {shape}", partial(_planes, "dark"),
        {"layout": LAYOUTS, "dtype": ALL, "shape": ((3, 11, 67), (5, 70))},
        {"dtype": ("uint8", "uint16", "float64"), "shape": ((3, 11, 67),)}),
    Row("layouts", "{layout}, {dtype}, {shape}, channel_axis={channel_axis}", partial(_planes, "dark"),
        {"layout": LAYOUTS, "dtype": ALL, "shape channel_axis": _COLORED}, _UINT8 | {"channel_axis": (-1,)}),
    Row("out", "{out}, {layout}, {dtype}, {shape}", partial(_planes, "dark"),
        {"out": (IN_PLACE, STRIDED), "layout": _WRITABLE, "dtype": ("uint8", "uint16", "float64"),
         "shape channel_axis": (((2, 11, 67), None), ((9, 70, 3), -1))}, _UINT8),
    Row("axes", "{axes}, {dtype}", partial(_planes, "normal", shape=(2, 5, 9, 33)),
        {"dtype": ALL, "axes": ((-3, -2, -1), (0, 2), (1,), (0, 1, 2, 3))}, _UINT8),
    Row("floats", "{kind}, {dtype}, {nbins} bins", partial(_planes, shape=(31, 67)),
        {"dtype": FLOATS, "kind": (*pixels.FLOAT_KINDS, "constant", "normal"), "nbins": (256, 10, 1, 2, 1000)},
        {"nbins": (256, 10)}),
    Row("NaN", "{dtype}, nan_policy={nan_policy!r}, {masked}", _holed,
        {"dtype": FLOATS, "masked nan_policy": (("no mask", "omit"), ("masked", "omit"), ("masked", "raise"))}, {}),
    Row("colors", "{kind}, {dtype}, {shape}", partial(_planes, channel_axis=-1, units=(COLOR, WHOLE)),
        {"dtype": ("uint8", "uint16", *FLOATS), "shape": [(1, n, 3) for n in (*_EDGES, 1023, 1025, 14_337)],
         "kind": ("uniform", "narrow")}, _UINT8 | {"shape": [(1, n, 3) for n in _EDGES]}),
    Row("colors", "masked, seed {seed}", _masked_colors, {"seed": range(10)}, {"seed": (0, 1)}),
    Row("colors", "a million", partial(_planes, "uniform", "uint8", (1024, 1024, 3), channel_axis=-1, units=(COLOR,)),
        {}, {}),
    Row("colors", "all 16,777,216", lambda: Input(pixels.every_color(), channel_axis=-1, units=(COLOR,)), {}, None),
    Row("tiles", "{kind}, {dtype}, {shape}, clip limit {clip_limit}, grid {tile_grid_size}", _tiled,
        {"dtype": ("uint8",), "kind": pixels.KINDS, "seed shape": tuple(enumerate(_SHAPES)),
         "clip_limit tile_grid_size": _CLIPPED}, {"kind": ("dark", "one pixel off"), "seed": (0, 1, 2)}),
    Row("tiles", "{kind}, {dtype}, {shape}, clip limit {clip_limit}, grid {tile_grid_size}", _tiled,
        {"dtype": ("uint16",), "kind": ("uniform", "dark", "12 of 16 bits", "constant"),
         "seed shape": tuple(enumerate(_SHAPES)), "clip_limit tile_grid_size": _CLIPPED_WORDS},
        {"kind": ("dark",), "seed": (0,)}),
    Row("tiles", "{shape}, {dtype}, 2 x 3 tiles",
        partial(_tiled, "uniform", clip_limit=2.0, tile_grid_size=(2, 3)),
        {"dtype": ("uint8",), "shape": [(9, n) for n in (*range(1, 201), *_LONG)]},
        {"shape": [(9, n) for n in _EDGES]}),
    Row("tiles", "{shape}, channel_axis={channel_axis}, {dtype}", partial(_tiled, "dark"),
        {"dtype": ("uint8", "uint16"), "shape channel_axis": (*_CHANNELS, *((shape, None) for shape in _BATCHES))},
        _UINT8),
    Row("tiles", "{layout}, {dtype}", partial(_tiled, "dark", shape=(2, 41, 67), clip_limit=2.0, tile_grid_size=(3, 2)),
        {"layout": LAYOUTS, "dtype": ("uint8", "uint16")}, _UINT8),
    Row("tiles", "{out}, {layout}, {dtype}",
        partial(_tiled, "dark", shape=(2, 41, 67), clip_limit=2.0, tile_grid_size=(3, 2)),
        {"out": (IN_PLACE, STRIDED), "layout": _WRITABLE, "dtype": ("uint8", "uint16")}, _UINT8),
    Row("adapted tiles", "{kind}, {dtype}, {shape}, clip limit {clip_limit}, tiles of {kernel_size}, {nbins} bins",
        _tiled, {"dtype": _ADAPTING, "kind": ("uniform", "dark", "narrow", "constant", "two levels"),
                 "seed shape": tuple(enumerate(_SHAPES)), "clip_limit kernel_size nbins": _ADAPTED},
        {"kind": ("dark",), "seed": (0, 2)}),
    Row("adapted tiles", "volumes, {dtype}, tiles of {kernel_size}",
        partial(_tiled, "normal", shape=(2, 7, 9, 11), axes=(-3, -2, -1)),
        {"dtype": _ADAPTING, "kernel_size": (None, (3, 4, 5))}, _UINT8),
    Row("adapted tiles", "{layout}, {dtype}", partial(_tiled, "dark", shape=(2, 41, 67), kernel_size=(9, 16)),
        {"layout": LAYOUTS, "dtype": _ADAPTING}, _UINT8),
    # Planes of more than 2^16 pixels, which threads share, and of more than 2^24, which float32 cannot count.
    Row("large planes", "{kind}, {dtype}, {shape}", _planes,
        {"dtype": ALL, "kind": ("uniform", "dark", "one pixel off", "gradient"), "shape": ((401, 523),)},
        _UINT8 | {"kind": ("dark", "one pixel off")}),
    Row("large planes", "{kind}, {dtype}, {shape}", _planes,
        {"dtype": ("uint8", "uint16", "float32"), "kind": ("normal",), "shape": ((1400, 1501),)}, None),
    Row("large planes", "{kind}, {dtype}, {shape}", _planes,
        {"dtype": ("uint8",), "kind": ("both ends",), "shape": ((4099, 4101),)}, None),
    Row("large planes", "tiles, {dtype}, {shape}, grid {tile_grid_size}", partial(_tiled, "dark", clip_limit=2.0),
        {"dtype": ("uint8", "uint16"), "shape": ((401, 523), (1024, 1024)), "tile_grid_size": ((8, 8), (3, 2))},
        _UINT8 | {"tile_grid_size": ((8, 8),)}),
    Row("large planes", "tiles, {dtype}, {shape}", partial(_tiled, "dark"),
        {"dtype": ("uint8",), "shape": ((4099, 4101),)}, None),
    Row("large planes", "two single pixels, uint8, 2900 x 2900", lambda: Input(pixels.single_pixels()), {}, None),
)  # fmt: skip


def cases() -> list[Case]:
    """Return the whole suite."""
    return [case for row in _ROWS for case in row.cases()]
