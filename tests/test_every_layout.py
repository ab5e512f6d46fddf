"""Does every function give the naive version's answer in every layout of its images, mask and out, with every kernel?

Not the whole cross: every pair of a call, a layout, a layout of ``out``, axes, a mask, and a kernel.
"""

import itertools
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import reference
from conftest import LAYOUTS, WRITABLE
from lists import CASES, DTYPES, FLOATS, INTEGERS, KERNELS, NOT_BOOL, SPACES
from marks import exhaustive
from pairs import pairs
from pixel_tools import assert_bits

import cheq
from cheq._core import dispatch
from cheq.parity.pixels import plane


class Call(NamedTuple):
    """A function of cheq's and its naive version, called with images of a dtype; whether mask, outside or out."""

    ours: Any
    naive: Any
    dtype: str
    mask: bool = True
    outside: bool = False
    out: bool = True
    channels: bool = False  # whether it takes colors
    pixels: str = "both ends"
    flat: bool = False  # whether planes have two axes


def luts(dtype, lut_dtype):
    return np.random.default_rng(1).integers(0, 200, 2 ** (8 * np.dtype(dtype).itemsize)).astype(lut_dtype)


def with_lut(function, lut):
    return lambda images, **named: function(images, lut, **named)


def calls():
    for method, dtype in CASES:
        yield f"{method} {dtype}", Call(*both("equalize", method=method), dtype, outside=True)
    for method, dtype in NOT_BOOL:
        if "float64" in DTYPES[method]:
            yield f"{method} {dtype}, same", Call(*both("equalize", method=method, dtype="same"), dtype, outside=True)
    for dtype in INTEGERS:
        yield f"histogram {dtype}", Call(*both("histogram"), dtype, out=False)
        for lut_dtype in ("uint8", "float64"):
            lut = luts(dtype, lut_dtype)
            functions = with_lut(cheq.apply_lut, lut), with_lut(reference.apply_lut, lut)
            yield (
                f"apply_lut {dtype} to {lut_dtype}",
                Call(*functions, dtype, mask=False, outside=np.can_cast(dtype, lut_dtype)),
            )
    for dtype in ("uint8", "uint16"):
        yield f"otsu_threshold {dtype}", Call(*both("otsu_threshold"), dtype, out=False, pixels="narrow")
        yield f"binarize {dtype}", Call(*both("binarize"), dtype, pixels="narrow")
        yield f"binarize {dtype}, a number", Call(*both("binarize", threshold=99.5), dtype, mask=False)
        yield f"gray {dtype}", Call(*both("rgb_to_gray"), dtype, mask=False, channels=True)
    yield "gray, pillow", Call(*both("rgb_to_gray", method="pillow"), "uint8", mask=False, channels=True)
    for space, method in itertools.product(SPACES, reference.LEVELS):
        yield (
            f"{space}, {method}",
            Call(*both("equalize", color=space, method=method), "uint8", outside=True, channels=True),
        )
    for dtype in (*INTEGERS, *FLOATS):
        yield f"cumulative_distribution {dtype}", Call(*both("cumulative_distribution"), dtype, out=False)
        recipes = cheq.recipes.image_histogram_equalization, reference.image_histogram_equalization
        yield f"recipe {dtype}", Call(*recipes, dtype, mask=False, out=False)


def clahe_calls():
    for dtype in ("uint8", "uint16"):
        tiles = {"tile_grid_size": (3, 2), "clip_limit": 2.0}
        yield f"clahe {dtype}", Call(*both("clahe", **tiles), dtype, outside=True, flat=True)
        for space in SPACES if dtype == "uint8" else SPACES[:2]:
            functions = both("clahe", color=space, **tiles)
            yield f"clahe {dtype}, {space}", Call(*functions, dtype, outside=True, flat=True, channels=True)
    for dtype in reference.CLAHE_METHODS["skimage"]:
        kernel = {"method": "skimage", "kernel_size": 5, "clip_limit": 0.03}
        yield f"clahe {dtype}, skimage", Call(*both("clahe", **kernel), dtype, mask=False, pixels="narrow")
    yield "clahe int16, skimage, same", Call(*both("clahe", dtype="same", **kernel), "int16", mask=False)


def to_the_last(function, **options):
    """What a function makes of images whose last, or last rows, are the reference."""
    return lambda images, **named: function(images, np.array(images)[-1:, ::-1], **options, **named)


def match_calls():
    functions = cheq.match_histograms, reference.match_histograms
    for dtype in reference.MATCH_DTYPES:
        matched = [to_the_last(function) for function in functions]
        yield f"match_histograms {dtype}", Call(*matched, dtype, outside=True)
    for dtype in INTEGERS:
        matched = [to_the_last(function, dtype="same") for function in functions]
        yield f"match_histograms {dtype}, same", Call(*matched, dtype, outside=True)
    for space in SPACES:
        matched = [to_the_last(function, color=space) for function in functions]
        yield f"match_histograms {space}", Call(*matched, "uint8", outside=True, channels=True)


def both(name, **options):
    return partial(getattr(cheq, name), **options), partial(getattr(reference, name), **options)


CORE, MORE = dict(itertools.chain(calls(), match_calls())), dict(clahe_calls())
# The shape of the images and the axes: of gray images, of colors, and where planes have two axes, if that is another.
WHERE = {
    "planes": (((5, 11, 17), {}), ((3, 9, 11, 3), {"channel_axis": -1})),
    "channels": (((5, 11, 17), {"channel_axis": -1}), ((3, 3, 9, 11), {"channel_axis": 1})),
    "axes": (((5, 11, 17), {"axes": (0, 2)}), ((2, 9, 70, 4), {"channel_axis": -1})),
    "one plane": (((3, 40, 70), {"axes": (0, 1, 2)}), ((70, 4, 3, 2), {"channel_axis": 1}), ((40, 70), {})),
}
OUT = ("none", "in place", *WRITABLE)
MASKS = ("none", "of all pixels", "of some axes", "of all pixels, kept", "of some axes, kept")


def mask_of(kind, call, layout, shape, where):
    """The options of a mask, which lies in memory as another layout does than that of the images."""
    kind, _, kept = kind.partition(", ")
    outside = {"outside": "keep"} if kept and call.outside else {}
    if kind == "none" or not (call.mask or outside):
        return {}
    if "channel_axis" in where and (call.channels or kind == "of some axes"):
        shape = np.delete(shape, where["channel_axis"])
    elif kind == "of some axes":
        shape = (1, *shape[1:-1], 1)
    mask = np.random.default_rng(2).random(tuple(shape)) < 0.4
    names = list(LAYOUTS)
    return outside | {"mask": LAYOUTS[names[names.index(layout) - 4]](mask)}


def rows(names):
    """The rows of each name: a layout, one of out, axes, a mask and a kernel."""
    found = {name: [] for name in names}
    for name, *row in pairs(list(names), list(LAYOUTS), OUT, list(WHERE), MASKS, KERNELS):
        found[name].append(row)
    return found


ROWS = rows(CORE) | rows(MORE)


@pytest.mark.parametrize("name", [*CORE, *exhaustive(*MORE)])
def test_pairs(name):
    for row in ROWS[name]:
        check(name, *row)


def check(name, layout, out, where, mask, kernel_name):
    call, what = (CORE | MORE)[name], f"{layout}, out {out}, {where}, mask {mask}, {kernel_name}"
    shape, options = WHERE[where][call.channels or (2 if call.flat and len(WHERE[where]) == 3 else 0)]
    options = options | mask_of(mask, call, layout, shape, options)
    images = LAYOUTS[layout](plane(call.pixels, call.dtype, shape))
    before, mask_before = np.array(images), np.array(options.get("mask"))
    copied = options | ({"mask": mask_before} if "mask" in options else {})
    expected = call.naive(before, **copied)
    chosen = dispatch.kernel()
    dispatch.use_kernel(kernel_name)
    try:
        if out == "none" or not call.out:
            result = call.ours(images, **options)
            assert is_fresh(result, images), what
        else:
            fits = (expected.shape, expected.dtype) == (before.shape, before.dtype)
            if out == "in place" and fits and layout in WRITABLE:
                to = images
            else:
                to = LAYOUTS["contiguous" if out == "in place" else out](np.full(expected.shape, 77, expected.dtype))
            result = call.ours(images, **options, out=to)
            assert result is to, what
    finally:
        dispatch.use_kernel(chosen)
    for one, wanted in zip(parts(result), parts(expected), strict=True):
        assert_bits(one, wanted, what)
    if result is not images:
        np.testing.assert_array_equal(np.array(images), before, f"images changed: {what}", strict=True)
    np.testing.assert_array_equal(np.array(options.get("mask")), mask_before, f"mask changed: {what}", strict=True)


def parts(result):
    return result if isinstance(result, tuple) else (result,)


def is_fresh(result, images):
    """Whether results are plain, C-contiguous, writable arrays that share nothing with the images, or numbers."""
    arrays = [part for part in parts(result) if isinstance(part, np.ndarray) and part.ndim]
    plain = all(type(part) is np.ndarray and part.flags.c_contiguous and part.flags.writeable for part in arrays)
    return plain and not any(np.shares_memory(part, np.asarray(images)) for part in arrays)
