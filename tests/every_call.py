"""Calls of every function for every dtype and layout, small and large, by name: for tests of what is around them."""

import itertools
from functools import partial

import lists
import numpy as np

import cheq

SMALL, LARGE = (3, 31, 37), (2, 367, 359)  # whole planes, and parts of planes on several threads


def pixels(dtype, *shape):
    random = np.random.default_rng(shape)
    if np.dtype(dtype).kind == "f":
        return random.normal(size=shape).astype(dtype)
    return random.integers(0, 2 if dtype == "bool" else 120, shape).astype(dtype)


def layouts(images):
    """The same planes in different places in memory."""
    wide = np.repeat(np.repeat(images, 2, -1), 2, -2)
    yield "dense", images
    yield "every second row and column", wide[..., ::2, ::2]
    yield "transposed", np.ascontiguousarray(images.swapaxes(-1, -2)).swapaxes(-1, -2)
    yield "channels apart", np.ascontiguousarray(np.moveaxis(images, 0, -1))[..., ::-1].transpose(2, 0, 1)


def gray_calls(shape, threads):
    for method, dtype in lists.CASES:
        for name, images in layouts(pixels(dtype, *shape)):
            mask = pixels("bool", *shape[1:])
            call = partial(cheq.equalize, images, method=method, num_threads=threads)
            yield f"equalize, {method}, {dtype}, {name}", call
            yield f"equalize, {method}, {dtype}, {name}, mask", partial(call, mask=mask[::-1, ::-1])
            if np.dtype(dtype).kind != "b":
                kept = partial(call, mask=mask[:, ::-1], outside="keep")
                yield f"equalize, {method}, {dtype}, {name}, outside the mask kept", kept


def clahe_calls(shape, threads):
    for dtype in ("uint8", "uint16"):
        for name, images in layouts(pixels(dtype, *shape)):
            mask = pixels("bool", *shape[1:])
            call = partial(cheq.clahe, images, clip_limit=2.0, num_threads=threads)
            yield f"clahe, {dtype}, {name}", call
            yield f"clahe, {dtype}, {name}, mask", partial(call, mask=mask[::-1, ::-1], tile_grid_size=(3, 50))
            yield f"clahe, {dtype}, {name}, outside the mask kept", partial(call, mask=mask[:, ::-1], outside="keep")
    for dtype in ("uint8", "int16", "bool", *lists.FLOATS):
        values = pixels(dtype, *shape)
        for name, images in layouts(np.clip(values, -1, 1) if dtype in lists.FLOATS else values):
            call = partial(cheq.clahe, images, method="skimage", kernel_size=(9, 40), num_threads=threads)
            yield f"clahe, skimage, {dtype}, {name}", call


def match_calls(shape, threads):
    for dtype in (*lists.INTEGERS, *lists.FLOATS):
        wanted = pixels(dtype, 3, 23, 29)[: shape[0]] * np.dtype(dtype).type(2)
        for name, images in layouts(pixels(dtype, *shape)):
            mask = pixels("bool", *shape[1:])
            call = partial(cheq.match_histograms, images, wanted[0], num_threads=threads)
            yield f"match_histograms, {dtype}, {name}", call
            each = partial(cheq.match_histograms, images, wanted, num_threads=threads, channel_axis=0)
            yield f"match_histograms, {dtype}, {name}, channels", each
            masked = partial(call, mask=mask[::-1, ::-1], reference_mask=wanted[1] > 0)
            yield f"match_histograms, {dtype}, {name}, masks", masked
            kept = partial(call, mask=mask[:, ::-1], outside="keep", dtype="same")
            yield f"match_histograms, {dtype}, {name}, outside the mask kept", kept


def step_calls(shape, threads):
    functions = {cheq.histogram: lists.INTEGERS, cheq.cumulative_distribution: (*lists.INTEGERS, *lists.FLOATS)}
    functions |= dict.fromkeys((cheq.otsu_threshold, cheq.binarize), ("uint8", "uint16"))
    for function, dtypes in functions.items():
        for dtype in dtypes:
            for name, images in layouts(pixels(dtype, *shape)):
                yield f"{function.__name__}, {dtype}, {name}", partial(function, images, num_threads=threads)
    for dtype in lists.INTEGERS:
        hist = cheq.histogram(pixels(dtype, *shape))
        for method in lists.METHODS:
            name = f"equalization_lut, {method}, {dtype}"
            if (method, dtype) in lists.CASES:
                yield name, partial(cheq.equalization_lut, hist, method=method, images_dtype=dtype)
        for kind, weights in (("counts", hist[::-1]), ("weights", hist[0] ** 0.5)):
            yield f"matching_lut, {dtype}, {kind}", partial(cheq.matching_lut, hist, weights, images_dtype=dtype)
        for method in ("skimage", "numpy"):
            weighted = partial(cheq.equalization_lut, hist**0.7, method=method, images_dtype=dtype)
            yield f"equalization_lut of weights, {method}, {dtype}", weighted
        luts = np.arange(hist.shape[-1])[::-1].astype(np.float32)
        for name, images in layouts(pixels(dtype, *shape)):
            yield f"apply_lut, {dtype}, {name}", partial(cheq.apply_lut, images, luts, num_threads=threads)


def color_calls(shape, threads):
    for dtype, channels in itertools.product(("uint8", "uint16"), (3, 4)):
        images = np.moveaxis(pixels(dtype, channels, *shape[1:]), 0, -1)
        for name, each in (("NHWC", np.ascontiguousarray(images)), ("NCHW", images), ("left out", images[::-1, ::2])):
            yield (
                f"channels, {channels}, {dtype}, {name}",
                partial(cheq.equalize, each, channel_axis=-1, num_threads=threads),
            )
            for space in lists.SPACES if dtype == "uint8" else lists.SPACES[:2]:
                for function in (cheq.equalize, cheq.clahe)[dtype == "uint16" :]:
                    yield (
                        f"{function.__name__}, {space}, {channels}, {dtype}, {name}",
                        partial(function, each, color=space, channel_axis=-1, num_threads=threads),
                    )
            for space in lists.SPACES if dtype == "uint8" else ():
                matched = partial(cheq.match_histograms, each, each[::-1, 3:], color=space, channel_axis=-1)
                yield f"match_histograms, {space}, {channels}, {name}", partial(matched, num_threads=threads)
            if channels == 3:
                yield f"gray, {dtype}, {name}", partial(cheq.rgb_to_gray, each, num_threads=threads)


def calls(threads):
    """Yield names and calls."""
    for shape in (SMALL, LARGE):
        for kind in (gray_calls, clahe_calls, match_calls, step_calls, color_calls):
            for name, call in kind(shape, threads):
                yield f"{name}, {shape}", call
