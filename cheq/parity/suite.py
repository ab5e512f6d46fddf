"""The fixed suite: seeded inputs of every awkward kind, each made when its turn comes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cheq.parity.inputs import COLOUR, IN_PLACE, LAYOUTS, STRIDED, WHOLE, Array, Input
from cheq.parity.pixels import FLOAT_KINDS, KINDS, MASKS, counted, every_level, mask, plane
from cheq.parity.questions import FLOATS, INTEGERS

ALL = (*INTEGERS, "bool", *FLOATS)

# Below, at and above the lengths of vectors of 1, 2, 4 and 8 bytes a pixel, once and several times.
_EDGES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 192, 193, 200)


@dataclass(frozen=True)
class Case:
    """One input: its name, the part of the suite that it belongs to, and whether a quick check has it."""

    part: str
    name: str
    make: Callable[[], Input]
    quick: bool


def cases() -> list[Case]:
    """Return the whole suite."""
    parts = (
        kinds, levels, sizes, ties, quotients, few_pixels, batches, channels, masks, layouts, outs, volumes, floats,
        nans, colours, large,
    )  # fmt: skip
    return [case for part in parts for case in part()]


def _case(part: str, name: str, quick: bool, make: Callable[..., Array], *arguments: Any, **options: Any) -> Case:
    """Build a case whose images `make` returns."""
    return Case(part, f"{part}: {name}", lambda: Input(make(*arguments), **options), quick)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def kinds() -> Iterator[Case]:
    """Planes of all kinds and dtypes."""
    for dtype in ALL:
        for kind in KINDS:
            for seed, shape in enumerate([(31, 67), (1, 1), (8, 9), (3, 1), (28, 28), (96, 96), (123, 321)]):
                name = f"{kind}, {dtype}, {_by(shape)}"
                yield _case("kinds of pixels", name, seed < 2, plane, kind, dtype, shape, seed)


def levels() -> Iterator[Case]:
    """Every level of a dtype, and nearly every one."""
    for dtype in INTEGERS:
        yield _case("every level", f"each {dtype} once", True, every_level, dtype)
        yield _case("every level", f"{dtype}, without some", False, lambda dtype: every_level(dtype)[:, 3:-100], dtype)
        repeated = partial(lambda dtype: np.repeat(every_level(dtype), 3, axis=0)[:, ::7])
        yield _case("every level", f"every seventh {dtype} thrice", False, repeated, dtype)


def sizes() -> Iterator[Case]:
    """Rows, columns and planes of 1 to 200 pixels' length, and those beside the blocks that kernels work in."""
    long = (1023, 1024, 1025, 4095, 4097, 14_335, 14_336, 14_337, 16_385)
    for dtype, lengths in (("uint8", range(1, 201)), ("uint16", _EDGES), ("float32", _EDGES), ("float64", _EDGES)):
        shapes = [shape for n in (*lengths, *long) for shape in ((1, n), (n, 1), (3, n))]
        for shape in dict.fromkeys(shapes):
            quick = shape[0] == 1 and shape[1] in (_EDGES if dtype == "uint8" else (1, 17, 65, 1025))
            name = f"{_by(shape)}, {dtype}"
            yield _case("sizes", name, quick, plane, "ends of the range", dtype, shape)


def ties() -> Iterator[Case]:
    """Counts whose quotients fall between two levels."""
    for first in range(1, 40):
        for share in range(1, 31, 2):
            name = f"counts 1, {first}, {share * first}"
            quick = first in (1, 2, 3, 7, 13, 39) and share in (1, 3, 15, 29)
            yield _case("ties of rounding", name, quick, counted, (1, first, share * first), (3, 77, 78))


def quotients() -> Iterator[Case]:
    """Counts whose sums are multiples of Pillow's step, and one beside them, for many steps."""
    for step in (*range(1, 64), 100, 255, 256, 333, 400):
        for beside in (-1, 0, 1):
            first = step - step // 2 + beside
            counts = (first, *(step,) * 253, 2 * step - first, 1)
            quick = step in (2, 3, 7, 41, 333) or step % 16 == 15
            yield _case("quotients", f"step {step}, {beside:+} beside", quick, counted, counts, tuple(range(256)))


def few_pixels() -> Iterator[Case]:
    """Counts about the multiples of 255, where Pillow's step changes, and values that it clips."""
    for total in (1, 2, 254, 255, 256, 257, 508, 509, 510, 511, 764, 765, 766, 2000):
        for last in (1, 3, 254, 255):
            for pair in ((0, 255), (3, 200), (254, 255), (0, 1)):
                quick = total in (1, 255, 508) and pair in ((3, 200), (254, 255))
                yield _case("few pixels", f"counts {total}, {last} of {pair}", quick, counted, (total, last), pair)
            yield _case("few pixels", f"counts 1, {total}, {last}", False, counted, (1, total, last), (3, 77, 78))


def batches() -> Iterator[Case]:
    """Several planes in one call."""
    for dtype in ALL:
        for number, shape in enumerate([(5, 28, 28), (2, 3, 1, 31, 67), (40, 8, 8), (9, 96, 96), (1, 2, 257, 259)]):
            for kind in ("normal", "dark"):
                yield _case("batches", f"{kind}, {dtype}, {_by(shape)}", not number, plane, kind, dtype, shape)


def channels() -> Iterator[Case]:
    """The channel axis in every place, and 2 to 5 channels."""
    places: list[tuple[tuple[int, ...], int]] = [((13, 21, count), -1) for count in (2, 3, 4, 5)]
    places += [((2, 13, 21, 3), -1), ((3, 13, 21), 0), ((2, 3, 13, 21), 1), ((2, 13, 4, 21), 2), ((2, 40, 70, 4), -1)]
    for dtype in ALL:
        for shape, axis in places:
            name = f"{_by(shape)}, channel_axis={axis}, {dtype}"
            yield _case("channels", name, dtype == "uint8", plane, "dark", dtype, shape, channel_axis=axis)


def masks() -> Iterator[Case]:
    """Masks of all kinds, for planes and for batches that share one."""

    def masked(kind: str, pixels: str, dtype: str, seed: int) -> Input:
        images = plane(pixels, dtype, (13, 21), seed)
        return Input(images, mask(kind, images, seed))

    def shared(shape: tuple[int, ...], axis: int | None, dtype: str, each: bool) -> Input:
        images = plane("dark", dtype, shape)
        without = shape if axis is None else tuple(np.delete(shape, axis))
        chosen = np.random.default_rng(4).random(without if each else without[-2:]) < 0.4
        return Input(images, chosen, channel_axis=axis)

    for dtype in ALL:
        for kind in MASKS:
            for seed, pixels in enumerate(("uniform", "narrow", "three levels", "ends of the range")):
                make = partial(masked, kind, pixels, dtype, seed)
                yield Case("masks", f"masks: {kind}, {pixels}, {dtype}", make, seed == 0 or dtype == "uint8")
        together: list[tuple[tuple[int, ...], int | None]]
        together = [((4, 31, 67), None), ((2, 31, 67, 3), -1), ((2, 3, 31, 67), 1), ((3, 28, 28), 0)]
        for shape, axis in together:
            for each in (False, True):
                name = f"masks: one {'a plane' if each else 'for all'}, {_by(shape)}, channel_axis={axis}, {dtype}"
                yield Case("masks", name, partial(shared, shape, axis, dtype, each), dtype == "uint8")


def layouts() -> Iterator[Case]:
    """Views of all kinds: strided, negative, transposed, Fortran order, read-only, not aligned, other byte order."""
    for layout in LAYOUTS:
        for dtype in ALL:
            for shape in ((3, 11, 67), (5, 70)):
                quick = dtype in ("uint8", "uint16", "float64") and len(shape) == 3
                name = f"{layout}, {dtype}, {_by(shape)}"
                yield _case("layouts", name, quick, plane, "dark", dtype, shape, layout=layout)
            for coloured, axis in (((2, 9, 70, 3), -1), ((2, 3, 9, 70), 1), ((9, 70, 4), -1)):
                name, quick = f"{layout}, {dtype}, {_by(coloured)}, channel_axis={axis}", dtype == "uint8" and axis < 0
                options = {"layout": layout, "channel_axis": axis}
                yield _case("layouts", name, quick, plane, "dark", dtype, coloured, **options)


def outs() -> Iterator[Case]:
    """`out`: the images themselves, in every layout, or other memory with gaps."""
    writable = [layout for layout in LAYOUTS if layout not in ("read-only", "other byte order")]
    for out in (IN_PLACE, STRIDED):
        for layout in writable:
            for dtype in ("uint8", "uint16", "float64"):
                for shape, axis in (((2, 11, 67), None), ((9, 70, 3), -1)):
                    name, quick = f"{out}, {layout}, {dtype}, {_by(shape)}", dtype == "uint8"
                    options = {"layout": layout, "channel_axis": axis, "out": out}
                    yield _case("out", name, quick, plane, "dark", dtype, shape, **options)


def volumes() -> Iterator[Case]:
    """Other axes than the last two."""
    for dtype in ALL:
        for axes in ((-3, -2, -1), (0, 2), (1,), (0, 1, 2, 3)):
            quick = dtype == "uint8"
            yield _case("axes", f"{axes}, {dtype}", quick, plane, "normal", dtype, (2, 5, 9, 33), axes=axes)


def floats() -> Iterator[Case]:
    """Floats of every kind, in several numbers of bins."""
    for dtype in FLOATS:
        for kind in (*FLOAT_KINDS, "constant", "normal"):
            for nbins in (256, 10, 1, 2, 1000):
                name = f"{kind}, {dtype}, {nbins} bins"
                yield _case("floats", name, nbins in (256, 10), plane, kind, dtype, (31, 67), nbins=nbins)


def nans() -> Iterator[Case]:
    """NaN and infinities, omitted, under masks and without."""

    def holed(dtype: str, masked: bool, policy: str) -> Input:
        images = plane("standard normal", dtype, (2, 13, 21))
        images[:, ::5, ::4], images[0, 1, 2], images[:, 2, 1] = np.nan, np.inf, -np.inf
        chosen = np.random.default_rng(4).random(images.shape) < 0.6
        if policy == "raise":  # NaN may stand where nothing is counted
            chosen &= np.isfinite(images)
        return Input(images, chosen if masked else None, nan_policy=policy)

    for dtype in FLOATS:
        for masked, policy in ((False, "omit"), (True, "omit"), (True, "raise")):
            name = f"NaN: {dtype}, nan_policy={policy!r}, {'masked' if masked else 'no mask'}"
            yield Case("NaN", name, partial(holed, dtype, masked, policy), True)


def colours() -> Iterator[Case]:
    """Colour images of all sizes, with masks; in the end every colour there is."""

    def image(shape: tuple[int, ...], dtype: str, kind: str) -> Array:
        return plane(kind, dtype, shape)

    def masked(seed: int) -> Input:
        images = plane("dark", "uint8", (2, 31, 67, 3), seed)
        return Input(
            images, np.random.default_rng(seed).random(images.shape[:-1]) < 0.4, channel_axis=-1, units=(COLOUR,)
        )

    for dtype in ("uint8", "uint16", *FLOATS):
        for length in (*_EDGES, 1023, 1025, 14_337):
            for kind in ("uniform", "narrow"):
                name, quick = f"{kind}, {dtype}, 1 x {length} x 3", dtype == "uint8" and length < 1023
                options: dict[str, Any] = {"channel_axis": -1, "units": (COLOUR, WHOLE)}
                yield _case("colours", name, quick, image, (1, length, 3), dtype, kind, **options)
    for seed in range(10):
        yield Case("colours", f"colours: masked, seed {seed}", partial(masked, seed), seed < 2)
    yield _case(
        "colours", "a million", True, image, (1024, 1024, 3), "uint8", "uniform", channel_axis=-1, units=(COLOUR,)
    )
    yield _case("colours", "all 16,777,216", False, every_colour, channel_axis=-1, units=(COLOUR,))


def every_colour() -> Array:
    """(4096, 4096, 3): each colour of 8 bits a channel once."""
    steps = np.arange(256, dtype=np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(4096, 4096, 3)


def _single_pixels() -> Array:
    """Levels whose share of the pixels is less than float32's epsilon, which Otsu's threshold passes over."""
    pixels = np.full((2900, 2900), 200, np.uint8)
    pixels[0, 0], pixels[0, 1], pixels[1] = 3, 90, 120
    return pixels


def large() -> Iterator[Case]:
    """Planes of more than 2^16 pixels, which threads share, and of more than 2^24, which float32 cannot count."""
    for dtype in ALL:
        for kind in ("uniform", "dark", "one pixel off", "gradient"):
            quick = dtype == "uint8" and kind in ("dark", "one pixel off")
            yield _case("large planes", f"{kind}, {dtype}, 401 x 523", quick, plane, kind, dtype, (401, 523))
    for dtype in ("uint8", "uint16", "float32"):
        yield _case("large planes", f"normal, {dtype}, 1400 x 1501", False, plane, "normal", dtype, (1400, 1501))
    yield _case(
        "large planes",
        "ends of the range, uint8, 4099 x 4101",
        False,
        plane,
        "ends of the range",
        "uint8",
        (4099, 4101),
    )
    yield _case("large planes", "two single pixels, uint8, 2900 x 2900", False, _single_pixels)
