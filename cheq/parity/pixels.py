"""Planes and masks of every awkward kind, the same ones for the same seed."""

from collections.abc import Callable

import numpy as np

from cheq.parity.inputs import Array

_Random = np.random.Generator

# Values of 0 to 1, which become levels of a dtype's whole range, or floats.
_KINDS: dict[str, Callable[[_Random, tuple[int, ...]], Array]] = {
    "uniform": lambda random, shape: random.random(shape),
    "normal": lambda random, shape: random.normal(0.5, 0.15, shape),
    "dark": lambda random, shape: random.beta(2, 9, shape),
    "bright": lambda random, shape: random.normal(0.94, 0.25, shape),
    "both ends": lambda random, shape: random.beta(0.4, 0.4, shape),
    "narrow": lambda random, shape: 0.38 + 0.03 * random.random(shape),
    "12 of 16 bits": lambda random, shape: random.beta(2, 3, shape) / 16 + 0.5,
    "gradient": lambda random, shape: _ramp(shape),
    "gradient down": lambda random, shape: 0.8 - 0.65 * _ramp(shape),
    "constant": lambda random, shape: np.full(shape, random.random()),
    "lowest level": lambda random, shape: np.zeros(shape),
    "highest level": lambda random, shape: np.ones(shape),
    "two levels": lambda random, shape: random.choice(random.random(2), shape, p=[0.3, 0.7]),
    "three levels": lambda random, shape: random.choice(random.random(3), shape, p=[0.1, 0.6, 0.3]),
    "one pixel off": lambda random, shape: _one_off(random, shape),
}
KINDS = tuple(_KINDS)

_FLOATS: dict[str, Callable[[_Random, tuple[int, ...]], Array]] = {
    "k / 255": lambda random, shape: random.integers(0, 256, shape) / 255,
    "standard normal": lambda random, shape: random.normal(0, 1, shape),
    "exponential": lambda random, shape: random.exponential(3, shape),
    "integers": lambda random, shape: random.integers(-5, 900, shape).astype(float),
    "huge": lambda random, shape: random.random(shape) * 1e308,
    "huge for float32": lambda random, shape: random.random(shape) * 3e38,
    "a range that overflows": lambda random, shape: random.choice([-1.7e308, 0.0, 1.7e308], shape),
    "denormal": lambda random, shape: random.integers(0, 5000, shape) * 5e-324,
    "denormal for float32": lambda random, shape: random.integers(0, 5000, shape) * 1.4e-45,
    "tiny": lambda random, shape: random.random(shape) * 1e-300,
    "zeros of both signs": lambda random, shape: random.choice([-0.0, 0.0], shape),
    "far from zero": lambda random, shape: 1e6 + random.random(shape),
    "neighbors": lambda random, shape: 1 + random.integers(0, 3, shape) * 2.0**-52,
}
FLOAT_KINDS = tuple(_FLOATS)


def _ramp(shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.linspace(0, 1, shape[-2] * shape[-1]).reshape(shape[-2:]), shape)


def _one_off(random: _Random, shape: tuple[int, ...]) -> Array:
    values = np.full(shape, 0.7)
    values[..., -1, -1] = random.random()
    return values


def plane(kind: str, dtype: str, shape: tuple[int, ...], seed: int = 0) -> Array:
    """One kind of pixels: integers in the dtype's whole range, floats about 0 to 1, bool halves."""
    random, to = np.random.default_rng([seed, *shape]), np.dtype(dtype)
    if kind in _FLOATS:
        with np.errstate(over="ignore", under="ignore"):
            found = _FLOATS[kind](random, shape).astype(to)
        return np.asarray(np.nan_to_num(found))  # float32 has no 1e308
    values = _KINDS[kind](random, shape)
    if to.kind == "b":
        return values > 0.5
    if to.kind == "f":
        return values.astype(to)
    low, high = int(np.iinfo(to).min), int(np.iinfo(to).max)
    return np.asarray(np.clip(np.rint(low + (high - low) * values), low, high)).astype(to)


def every_level(dtype: str) -> Array:
    """One row that holds each level of a dtype once, in no order."""
    info = np.iinfo(dtype)
    levels = np.arange(info.min, info.max + 1).astype(dtype)
    return np.random.default_rng(1).permutation(levels)[np.newaxis]


def counted(counts: tuple[int, ...], levels: tuple[int, ...], dtype: str = "uint8") -> Array:
    """One row with so many pixels of each level, in no order."""
    pixels = np.repeat(np.array(levels, dtype), counts)
    return np.random.default_rng(len(pixels)).permutation(pixels)[np.newaxis]


def every_color() -> Array:
    """(4096, 4096, 3): each color of 8 bits a channel once."""
    steps = np.arange(256, dtype=np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(4096, 4096, 3)


def single_pixels() -> Array:
    """Levels whose share of the pixels is less than float32's epsilon, which Otsu's threshold passes over."""
    pixels = np.full((2900, 2900), 200, np.uint8)
    pixels[0, 0], pixels[0, 1], pixels[1] = 3, 90, 120
    return pixels


MASKS = ("none", "one pixel", "one level", "two levels", "the middle", "random", "all")


def random_mask(shape: tuple[int, ...], seed: int | list[int], share: float = 0.4) -> Array:
    """A mask that is True for about this share of the pixels."""
    return np.random.default_rng(seed).random(shape) < share


def mask(kind: str, pixels: Array, seed: int = 0) -> Array:
    """A mask of one kind for one plane."""
    found = np.zeros(pixels.shape, np.bool_)
    if kind == "one pixel":
        found[pixels.shape[0] // 2, pixels.shape[1] // 3] = True
    elif kind == "one level":
        found[pixels == pixels[0, -1]] = True
    elif kind == "two levels":
        found[(pixels == pixels[0, 0]) | (pixels == pixels[-1, -1])] = True
    elif kind == "the middle":
        low, high = np.quantile(pixels.astype(np.float64), [0.3, 0.7])
        found = (pixels >= low) & (pixels <= high)
    elif kind == "random":
        found = random_mask(pixels.shape, [seed, 77])
    elif kind == "all":
        found[...] = True
    return found
