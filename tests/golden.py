"""Hashes of results, in golden.txt: a changed output byte fails, with no library installed to compare with.

They are those of the naive versions in reference.py; cheq is not imported here. ``python tests/golden.py --write``
writes the file anew: only for a new case, or where a definition itself is meant to change. The images are whole-number
arithmetic alone, and no random stream that a release of NumPy could change.
"""

import hashlib
import itertools
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import reference

FILE = Path(__file__).with_name("golden.txt")
SHAPE = (4, 31, 67)


class Call(NamedTuple):
    """A call that cheq and reference.py answer alike."""

    function: str
    arguments: tuple[Any, ...]
    options: dict[str, Any] = {}  # noqa: RUF012


def numbers(shape, seed):
    """Uniform 64-bit numbers: SplitMix64 (Steele, Lea and Flood, 2014)."""
    count = np.arange(1, np.prod(shape) + 1, dtype=np.uint64).reshape(shape)
    x = count * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed << 32)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


def images(dtype, shape=SHAPE, seed=1):
    """Four planes, or as many images: dark ones, a narrow range, two levels, one level."""
    dtype = np.dtype(dtype)
    dark = np.minimum(numbers(shape, seed), numbers(shape, seed + 1))
    if dtype.kind == "b":
        return dark >> np.uint64(62) == 0
    bits = 24 if dtype.kind == "f" else 8 * dtype.itemsize
    levels = dark >> np.uint64(64 - bits)
    middle = np.uint64(1 << bits - 1)
    levels[1] = (levels[1] >> np.uint64(3)) + middle
    levels[2] = ((levels[2] & np.uint64(1)) << np.uint64(bits - 5)) + middle
    levels[3] = middle
    if dtype.kind == "f":
        return (levels.astype(np.int64) * 3 - (1 << bits)).astype(dtype) / dtype.type(1 << bits)
    return (levels.astype(np.int64) + np.iinfo(dtype).min).astype(dtype)


def counts(levels):
    """Histograms of all sizes, with empty bins between and sums that no float32 holds."""
    found = numbers((6, levels), 9) >> np.array([[60], [52], [40], [36], [20], [58]], np.uint64)
    return np.where(numbers((6, levels), 10) % np.uint64(3), found, 0).astype(np.int64)


def calls():
    """Every method with every dtype; masks, dtypes of the result, bins, axes, colors and the steps of each."""
    mask = numbers(SHAPE, 5) % np.uint64(8) < 3
    mask[3] = False
    rgb = (numbers((*SHAPE, 3), 21) >> np.uint64(56)).astype(np.uint8)
    rgb[0, 0, :8] = np.unpackbits(np.arange(8, dtype=np.uint8)[:, np.newaxis], axis=1)[:, 5:] * np.uint8(255)  # corners
    rgb[1] //= 3  # dark
    rgb[2, ..., 1:] = rgb[2, ..., :1] // 2 + 99  # few hues
    rgb[3] = 10, 200, 90
    for method, dtypes in reference.METHODS.items():
        for dtype in dtypes:
            yield f"equalize {dtype}, {method}", Call("equalize", (images(dtype),), {"method": method})
        for dtype in dict.fromkeys((dtypes[0], dtypes[-1])):
            options = {"method": method, "mask": mask}
            yield f"equalize {dtype}, {method}, masked", Call("equalize", (images(dtype),), options)
            options = options | {"outside": "keep"}
            yield f"equalize {dtype}, {method}, kept outside", Call("equalize", (images(dtype),), options)
        for dtype in [dtype for dtype in dtypes if dtype in ("int8", "uint16")]:
            same = {"method": method, "dtype": "same"}
            yield f"equalize {dtype}, {method}, same dtype", Call("equalize", (images(dtype),), same)
        if "float64" in dtypes:
            bins = {"method": method, "nbins": 10}
            yield f"equalize float32, {method}, 10 bins", Call("equalize", (images("float32"),), bins)
        yield f"equalization_lut 256, {method}", Call("equalization_lut", (counts(256),), {"method": method})
        if "uint16" in dtypes:
            yield f"equalization_lut 65536, {method}", Call("equalization_lut", (counts(65536),), {"method": method})
    for channel_axis, axes in ((-1, None), (-1, (0, 1, 2)), (None, (1, 2, 3))):
        options = {"channel_axis": channel_axis, "axes": axes}
        yield f"equalize RGB, {channel_axis=}, {axes=}", Call("equalize", (rgb,), options)
    for space, method in itertools.product(reference.COLORS, reference.LEVELS):
        options = {"color": space, "method": method, "channel_axis": -1}
        yield f"equalize {space}, {method}", Call("equalize", (rgb,), options)
        options = options | {"mask": mask}
        yield f"equalize {space}, {method}, masked", Call("equalize", (rgb,), options)
        options = options | {"outside": "keep"}
        yield f"equalize {space}, {method}, kept outside", Call("equalize", (rgb,), options)
    black = {"color": "lab", "channel_axis": -1, "mask": (rgb > 200).all(axis=-1)}  # all but the brightest get L = 0
    yield "equalize lab, opencv, black", Call("equalize", (rgb,), black)
    for method in reference.GRAY:
        yield f"rgb_to_gray uint8, {method}", Call("rgb_to_gray", (rgb,), {"method": method})
    yield "rgb_to_gray uint16, opencv", Call("rgb_to_gray", (images("uint16", (4, 31, 67, 3)),))
    for dtype in ("uint8", "int16"):
        yield f"histogram {dtype}, masked", Call("histogram", (images(dtype),), {"mask": mask})
    yield (
        "apply_lut uint8 to float64",
        Call("apply_lut", (images("uint8"), images("float64", (4, 8, 32), 7).ravel()[:256])),
    )
    yield "apply_lut int16 to uint8", Call("apply_lut", (images("int16"), images("uint8", (4, 65536), 8)))
    for dtype in ("uint8", "uint16"):
        yield f"otsu_threshold {dtype}", Call("otsu_threshold", (images(dtype),))
        yield f"binarize {dtype}, masked", Call("binarize", (images(dtype),), {"mask": mask})
    for dtype in ("int8", "float32"):
        yield f"cumulative_distribution {dtype}", Call("cumulative_distribution", (images(dtype),), {"mask": mask})
        yield f"recipe {dtype}", Call("image_histogram_equalization", (images(dtype),), {"axes": (-2, -1)})

    yield from clahe_calls(mask)
    yield from match_calls(mask, rgb)


def clahe_calls(mask):
    """Both methods; tiles that fit, that do not, and more of them than pixels; limits that clip nothing and all."""
    limits = np.array([0.0, 0.001, 2.0, 40.0])
    for dtype, grid in (("uint8", (8, 8)), ("uint16", (3, 2))):
        pixels, options = images(dtype), {"tile_grid_size": grid, "clip_limit": 2.0}
        yield f"clahe {dtype}", Call("clahe", (pixels,), {"tile_grid_size": grid})
        yield f"clahe {dtype}, a limit a plane", Call("clahe", (pixels,), options | {"clip_limit": limits})
        yield f"clahe {dtype}, masked", Call("clahe", (pixels,), options | {"mask": mask})
        yield f"clahe {dtype}, kept outside", Call("clahe", (pixels,), options | {"mask": mask, "outside": "keep"})
        powers = {"tile_grid_size": (4, 2) if dtype == "uint8" else (2, 1), "clip_limit": 3.0}
        yield f"clahe {dtype}, sides of powers of two", Call("clahe", (images(dtype, (4, 32, 64)),), powers)
        one = options | {"tile_grid_size": (3, 5)}
        yield f"clahe {dtype}, one side fits", Call("clahe", (images(dtype, (4, 25, 38)),), one)
        more = options | {"tile_grid_size": (57, 47)}
        yield f"clahe {dtype}, more tiles than pixels", Call("clahe", (images(dtype, (4, 5, 7)),), more)
        for space in reference.COLORS[: 3 if dtype == "uint8" else 2]:
            colors = {"color": space, "channel_axis": -1, "mask": mask, "outside": "keep", "tile_grid_size": grid}
            yield f"clahe {dtype}, {space}", Call("clahe", (images(dtype, (*SHAPE, 3), 21),), colors)
    for dtype in reference.CLAHE_METHODS["skimage"]:
        values = images(dtype)
        values = np.clip(values, -1, 1) if values.dtype.kind == "f" else values
        options = {"method": "skimage", "clip_limit": 0.02}
        yield f"clahe {dtype}, skimage", Call("clahe", (values,), options)
        options = options | {"axes": (0, 1, 2), "kernel_size": (3, 10, 16), "nbins": 100}
        yield f"clahe {dtype}, skimage, volume", Call("clahe", (values,), options)
    order = options | {"kernel_size": (9, 64, 128)}  # of two levels: half a bit can decide
    yield "clahe bool, skimage, products of weights", Call("clahe", (images("bool"),), order)
    for dtype in ("uint8", "int16"):
        options = {"method": "skimage", "dtype": "same", "clip_limit": 0}
        yield f"clahe {dtype}, skimage, same dtype", Call("clahe", (images(dtype),), options)


def match_calls(mask, rgb):
    """One reference for all planes and one each, larger and smaller ones; levels cut off and rounded; weights."""
    for dtype in reference.MATCH_DTYPES:
        planes, wanted = images(dtype), images(dtype, (4, 9, 40), 31)
        one_each = {"mask": mask, "reference_mask": numbers((9, 40), 6) % np.uint64(8) < 5}
        yield f"match_histograms {dtype}", Call("match_histograms", (planes, wanted[0]))
        yield f"match_histograms {dtype}, masked", Call("match_histograms", (planes, wanted[::-1]), one_each)
        kept = one_each | {"outside": "keep", "dtype": "same"}
        yield f"match_histograms {dtype}, kept outside", Call("match_histograms", (planes, wanted[[1, 0, 2, 1]]), kept)
        channels = {"channel_axis": -3}
        yield f"match_histograms {dtype}, channels", Call("match_histograms", (planes, wanted[::-1]), channels)
    for space in reference.COLORS:
        options = {"color": space, "channel_axis": -1, "mask": mask, "outside": "keep"}
        yield f"match_histograms {space}", Call("match_histograms", (rgb, rgb[1, ::2, 5:]), options)
    close = 1 + (images("float64", seed=41) + 1) * 2.0**-30  # runs of equal upper bits, long ones and short ones
    close = np.where(numbers(SHAPE, 42) % np.uint64(99) == 0, -2.0, close)
    close[1] += numbers(SHAPE, 43)[1] % np.uint64(64) / 64.0
    yield "match_histograms float64, close to each other", Call("match_histograms", (close, close[1, ::3]))
    weights = np.sqrt(counts(256))
    for levels, signed in ((256, "int8"), (65536, "int16")):
        yield f"matching_lut {levels}", Call("matching_lut", (counts(levels), counts(levels)[::-1]))
        same = {"dtype": "same", "images_dtype": signed}
        yield f"matching_lut {levels}, same dtype", Call("matching_lut", (counts(levels), counts(levels)[2]), same)
        target = np.where(counts(levels)[4] > 0, np.arange(levels) % 7 / 7.0, 0.0)
        yield f"matching_lut {levels}, weights", Call("matching_lut", (counts(levels), target))
    for method in ("skimage", "numpy"):
        for dtype in (None, "same"):
            options = {"method": method, "dtype": dtype, "images_dtype": "int8"}
            yield f"equalization_lut, weights, {method}, {dtype}", Call("equalization_lut", (weights,), options)


def answer(module, call):
    """What a module's function says."""
    return getattr(module, call.function)(*call.arguments, **call.options)


def digest(result):
    """A hash of dtypes, shapes and values; every NaN is like another."""
    found = hashlib.blake2b(digest_size=12)
    for array in result if isinstance(result, tuple) else (result,):
        array = np.array(array, order="C", dtype=array.dtype.newbyteorder("<"))
        if array.dtype.kind == "f":
            array[np.isnan(array)] = np.nan
        found.update(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes())
    return found.hexdigest()


def written():
    """The hashes in the file, by name."""
    return {name: held for held, name in (line.split("  ", 1) for line in FILE.read_text().splitlines())}


def main():
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    FILE.write_text("".join(f"{digest(answer(reference, call))}  {name}\n" for name, call in calls()))


if __name__ == "__main__":
    main()
