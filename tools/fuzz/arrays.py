"""An atheris target: any call of the public functions, compared with the slow reference (tests/reference.py).

The input chooses the function, shape, dtype, values, strides of any order and sign (and 0 where nothing is written),
axes, mask, method and options, and where the result goes: a new array, memory of its own, the images themselves, or
memory that overlaps them. Both give the same bytes or both raise ValueError or TypeError, and then nothing was written.

Usage: python tools/fuzz/arrays.py [FOLDER OF INPUTS] [-libFuzzer_option=...]
"""

import sys
import warnings
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["cheq"]):
    import cheq
    from cheq import recipes
    from cheq._core import dispatch

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
import reference  # modules of the tests, which are no package
from reference_call import plane_axes

KERNELS = [name for name, runs in dispatch.kernels().items() if runs]
DTYPES = [np.dtype(name) for name in ("uint8", "int8", "uint16", "int16", "float32", "float64", "bool", "int32", ">u2")]
PATTERN = 0xA5


class Choices:
    """The input as a row of choices."""

    def __init__(self, data):
        self._data = atheris.FuzzedDataProvider(data)

    def below(self, limit):
        return self._data.ConsumeIntInRange(0, limit - 1)

    def one(self, values):
        return values[self.below(len(values))]

    def often(self, of=8):
        """True but for one in so many."""
        return self.below(of) != 0

    def random(self):
        return np.random.default_rng(self.below(1 << 16))

    def bytes(self, most):
        return self._data.ConsumeBytes(self.below(most) + 1) or b"\0"


# ---------------------------------------------------------------- arrays


def shape_of(choices, item):
    """Few planes where each has 65,536 bins: the reference takes its time for every one."""
    axes = choices.below(6)
    left = 40 if item == 2 and axes > 2 else choices.one([60, 250, 250, 2500])
    shape, longest = [], choices.one([5, 12, 70])
    for _ in range(axes):
        length = min(choices.below(longest) + choices.often(20), left)
        shape.append(length)
        left //= max(length, 1)
    return tuple(shape)


def strides_of(choices, shape, item, apart):
    """Strides in any order and of any sign; where the elements need not be apart, some are 0."""
    strides, reach = [0] * len(shape), item
    axes = list(range(len(shape)))[::-1]
    if not choices.often(3):
        axes = [axes.pop(choices.below(len(axes))) for _ in shape]
    for axis in axes:
        if not apart and not choices.often(12):
            continue
        strides[axis] = reach + (0 if choices.often(3) else choices.below(7))
        reach = strides[axis] * max(shape[axis], 1)
        strides[axis] *= 1 if choices.often(4) else -1
    return strides


def memory_of(shape, strides, item):
    """How many bytes a view with these strides needs, and where in them its first element is."""
    reaches = [stride * (length - 1) for stride, length in zip(strides, shape, strict=True) if length]
    return item + sum(map(abs, reaches)), -sum(reach for reach in reaches if reach < 0)


def view_of(choices, shape, dtype, apart=False):
    """An array with strides of the input's choice, and the memory that it lies in, gaps and all."""
    strides = strides_of(choices, shape, dtype.itemsize, apart)
    size, first = memory_of(shape, strides, dtype.itemsize)
    offset = choices.below(9)
    memory = np.full(offset + size, PATTERN, np.uint8)
    return np.ndarray(shape, dtype, memory, offset + first, strides), memory


def fill(choices, array):
    """Values: few levels, all, the input's own bits, or for floats a range with some that are not finite."""
    random, form, dtype = choices.random(), choices.below(4), array.dtype
    if form == 0:
        bits = np.frombuffer(choices.bytes(64), np.uint8)
        bits = np.resize(bits, (-(-len(bits) // dtype.itemsize), dtype.itemsize))
        values = bits.copy().view(np.uint8 if dtype.kind == "b" else dtype).ravel()
        values = random.choice(values, array.shape)
    elif dtype.kind == "f":
        scale = 10.0 ** (choices.below(60) - 30)
        values = random.standard_normal(array.shape) * scale if form == 1 else random.random(array.shape)
        values = np.round(values, 2) if form == 3 else values
        if not choices.often(4):
            values = np.where(random.random(array.shape) < 0.05, choices.one([np.nan, np.inf, -np.inf]), values)
    else:
        high = choices.one([2, 5, 256, 65536])
        values = random.integers(choices.below(2) * -40000, high, array.shape)
    with np.errstate(all="ignore"):
        array[...] = values != 0 if dtype.kind == "b" else np.asarray(values).astype(dtype)


def images_of(choices, dtypes, apart=False):
    dtype = np.dtype(choices.one(dtypes)) if choices.often(12) else choices.one(DTYPES)
    images, memory = view_of(choices, shape_of(choices, dtype.itemsize), dtype, apart)
    fill(choices, images)
    return images, memory


def places_of(choices, ndim):
    """Keywords axes and channel_axis: mostly such as make planes."""
    if not choices.often(10):
        any_axis = [choices.below(15) - 7 for _ in range(choices.below(4))]
        return {"axes": choices.one([None, tuple(any_axis), *any_axis]), "channel_axis": choices.one([None, *any_axis])}
    axes, named = [axis - ndim * choices.below(2) for axis in range(ndim)], {}
    if ndim > 2 and choices.below(2):
        named["channel_axis"] = axes.pop(choices.below(len(axes)))
    if axes and choices.below(2):
        named["axes"] = tuple(axes.pop(choices.below(len(axes))) for _ in range(1 + choices.below(len(axes))))
    return named


def mask_of(choices, shape, channel_axis):
    target = list(shape)
    if channel_axis is not None and -len(shape) <= channel_axis < len(shape) and choices.below(2):
        del target[channel_axis]
    target = [length if choices.often(6) else 1 for length in target[choices.one([0, 0, 0, 1]) :]]
    if not choices.often(40):
        target.append(choices.below(4))
    mask, _ = view_of(choices, tuple(target), np.dtype(bool))
    mask[...] = choices.random().random(target) < choices.one([0.5, 0.02, 0.98, 0.0, 1.0])
    return mask


# ---------------------------------------------------------------- comparison


def outcome(call, *arguments, **named):
    """What a call returns, or the kind of error that it raises."""
    try:
        return call(*arguments, **named)
    except (ValueError, TypeError, IndexError) as error:
        if call.__module__.startswith("cheq") and ": expected" not in str(error):
            raise AssertionError(f"not an error of cheq's own: {error!r}") from error
        return TypeError if isinstance(error, TypeError) else ValueError


def same(result, expected, what):
    if isinstance(expected, tuple) and isinstance(result, tuple):
        for each, other in zip(result, expected, strict=True):
            same(each, other, what)
    elif isinstance(result, type) or isinstance(expected, type):
        # Of two faults, each may name another first.
        assert isinstance(result, type) == isinstance(expected, type), f"{what}: {result} instead of {expected}"
    else:
        np.testing.assert_array_equal(result, expected, what, strict=True)


def written(call, choices, images, memory, expected, *arguments, **named):
    """Call with ``out``, and compare all of the memory that it lies in."""
    if isinstance(expected, type):
        out, of_out = view_of(choices, images.shape, images.dtype, apart=True)
    elif images.dtype == expected.dtype and choices.below(2) and images.dtype.isnative:
        out, of_out = images, memory  # in place, or beside it in the same memory
        if not choices.often(3):
            offset, strides = choices.below(3), images.strides[::-1] if choices.below(2) else images.strides
            size, first = memory_of(images.shape, strides, images.itemsize)
            if offset + size <= memory.size:
                out = np.ndarray(images.shape, images.dtype, memory, offset + first, strides)
    else:
        out, of_out = view_of(choices, images.shape, expected.dtype, apart=True)
    before, where = of_out.copy(), out.__array_interface__["data"][0] - of_out.__array_interface__["data"][0]
    result = outcome(call, images, *arguments, out=out, **named)
    if isinstance(expected, type):
        assert isinstance(result, type), f"out: {result} instead of {expected}"
    elif result is not ValueError:  # which it is where out overlaps itself
        assert result is out
        should = np.ndarray(out.shape, out.dtype, before, where, out.strides)
        should[...] = expected
        np.copyto(should, out, where=np.isnan(should) & np.isnan(out))  # one NaN is like another
    np.testing.assert_array_equal(of_out, before, "what lies beside out, or was written before an error")


# ---------------------------------------------------------------- the functions


def try_equalize(choices):
    method = choices.one([*reference.METHODS])
    images, memory = images_of(choices, reference.METHODS[method], apart=choices.below(2))
    named = {"method": method, **places_of(choices, images.ndim)}
    if choices.below(2):
        named["mask"] = mask_of(choices, images.shape, named.get("channel_axis"))
    if not choices.often(3):
        named["dtype"] = choices.one(["same", "same", "same", "complex", 1])
    if not choices.often(3):
        named["nbins"] = choices.one([256, 1, 2, 7, 255, 1000, 0])
    if not choices.often(3):
        named["nan_policy"] = choices.one(["omit", "omit", "raise", "x"])
    if not choices.often(5):
        named["color"] = choices.one(["ycrcb", "yuv", "lab", "gray"])
    expected = outcome(reference.equalize, np.array(images), **named)
    threads = choices.one([None, 1, 2, 5])
    same(outcome(cheq.equalize, images, num_threads=threads, **named), expected, "equalize")
    written(cheq.equalize, choices, images, memory, expected, num_threads=threads, **named)


def try_counts(choices):
    """The histogram, and what is made of it alone."""
    name = choices.one(["histogram", "otsu_threshold", "cumulative_distribution"])
    dtypes = (*reference.INTEGERS, *reference.FLOATS) if name == "cumulative_distribution" else reference.INTEGERS
    images, _ = images_of(choices, dtypes)
    if images.dtype == bool:  # whose distribution the reference does not have
        return
    named = places_of(choices, images.ndim)
    if choices.below(2):
        named["mask"] = mask_of(choices, images.shape, named.get("channel_axis"))
    if name == "cumulative_distribution" and images.dtype.kind == "f":
        named |= {"nbins": choices.one([256, 1, 2, 7, 1000]), "nan_policy": choices.one(["raise", "omit"])}
    expected = outcome(getattr(reference, name), np.array(images), **named)
    same(outcome(getattr(cheq, name), images, num_threads=choices.one([None, 1, 3]), **named), expected, name)


def try_binarize(choices):
    images, memory = images_of(choices, ("uint8", "uint16"), apart=choices.below(2))
    named = places_of(choices, images.ndim)
    threshold = choices.one(["otsu", "otsu", choices.below(70000) - 1000, choices.below(600) / 2, float("inf"), "x"])
    if threshold == "otsu" and choices.below(2):
        named["mask"] = mask_of(choices, images.shape, named.get("channel_axis"))
    expected = outcome(reference.binarize, np.array(images), threshold, **named)
    same(outcome(cheq.binarize, images, threshold, **named), expected, "binarize")
    written(cheq.binarize, choices, images, memory, expected, threshold, **named)


def try_equalization_lut(choices):
    levels = 256 if choices.often(6) else choices.one([65536, 65536, 255, 0])
    batch = tuple(choices.below(3) for _ in range(choices.below(3))) if levels < 300 else ()
    counts = choices.random().integers(0, 1 << choices.below(40), (*batch, levels))
    counts[choices.random().random(counts.shape) < choices.one([0.0, 0.5, 0.99, 1.0])] = 0
    if not choices.often(20) and counts.size:
        counts.flat[0] = -1
    named = {"method": choices.one([*reference.METHODS]), "dtype": choices.one([None, None, "same"])}
    if choices.below(2):
        named["images_dtype"] = choices.one([*reference.INTEGERS, "float32"])
    expected = outcome(reference.equalization_lut, counts, **named)
    same(outcome(cheq.equalization_lut, counts, **named), expected, "equalization_lut")


def weights_of(choices, shape):
    """Counts, or weights of floats, of which some may be refused."""
    random = choices.random()
    weights = random.integers(0, 1 << choices.below(40), shape)
    weights[random.random(shape) < choices.one([0.0, 0.5, 0.99, 1.0])] = 0
    if choices.below(2):
        weights = weights * 10.0 ** (choices.below(20) - 10)
    if not choices.often(20) and weights.size:
        weights.flat[0] = -1
    return weights


def try_matching_lut(choices):
    levels = 256 if choices.often(6) else choices.one([65536, 65536, 255, 0])
    batch = tuple(choices.below(3) for _ in range(choices.below(3))) if levels < 300 else ()
    counts = choices.random().integers(0, 1 << choices.below(40), (*batch, levels))
    counts[choices.random().random(counts.shape) < choices.one([0.0, 0.5, 0.99, 1.0])] = 0
    own = batch[choices.one([0, 0, 1]) :]
    weights = weights_of(choices, (*(length if choices.often(4) else 1 for length in own), levels))
    named = {"dtype": choices.one([None, "same"])}
    if choices.below(2):
        named["images_dtype"] = choices.one([*reference.INTEGERS, "float32"])
    expected = outcome(reference.matching_lut, counts, weights, **named)
    same(outcome(cheq.matching_lut, counts, weights, **named), expected, "matching_lut")


def reference_of(choices, images, axes=None, channel_axis=None):
    """Planes of other sizes than the images', one for all or one each: mostly such as fit."""
    try:
        planes = plane_axes(images.shape, axes, channel_axis)
    except (ValueError, IndexError, TypeError):
        planes = ()
    shape = list(images.shape)
    for axis in range(images.ndim):
        if axis in planes:
            shape[axis] = choices.below(12) + choices.often(20)
        elif (channel_axis is None or axis != channel_axis % images.ndim) and choices.below(2):
            shape[axis] = 1
    while len(shape) > 2 and shape[0] == 1 and choices.below(2):
        del shape[0]
    dtype = images.dtype.newbyteorder("=") if choices.often(12) else choices.one(DTYPES)
    array, _ = view_of(choices, tuple(shape), dtype)
    fill(choices, array)
    return array


def try_match(choices):
    """Matching, with the sort of floats."""
    images, memory = images_of(choices, reference.MATCH_DTYPES, apart=choices.below(2))
    named = places_of(choices, images.ndim)
    given = reference_of(choices, images, **named)
    channel_axis = named.get("channel_axis")
    if choices.below(2):
        named["mask"] = mask_of(choices, images.shape, channel_axis)
        named["outside"] = choices.one(["lut", "lut", "keep", "x"])
    if not choices.often(3):
        from_the_end = None if channel_axis is None or not images.ndim else channel_axis % images.ndim - images.ndim
        named["reference_mask"] = mask_of(choices, given.shape, from_the_end)
    if choices.below(2):
        named["dtype"] = choices.one(["same", "same", "same", "complex", 1])
    if not choices.often(5):
        named["color"] = choices.one(["ycrcb", "yuv", "lab", "gray"])
    expected = outcome(reference.match_histograms, np.array(images), np.array(given), **named)
    threads = choices.one([None, 1, 2, 5])
    same(outcome(cheq.match_histograms, images, given, num_threads=threads, **named), expected, "match_histograms")
    written(cheq.match_histograms, choices, images, memory, expected, given, num_threads=threads, **named)


def try_apply_lut(choices):
    images, memory = images_of(choices, reference.INTEGERS, apart=choices.below(2))
    named, levels = places_of(choices, images.ndim), 256 if images.dtype.itemsize == 1 else 65536
    counts = outcome(reference.histogram, np.zeros(images.shape, np.uint8), **named)
    batch = counts.shape[:-1] if not isinstance(counts, type) and levels == 256 and choices.below(2) else ()
    batch = batch if choices.often(20) else (2, *batch)
    lut = np.empty((*batch, levels), choices.one([*reference.INTEGERS, *reference.FLOATS]))
    fill(choices, lut)
    expected = outcome(reference.apply_lut, np.array(images), lut, **named)
    same(outcome(cheq.apply_lut, images, lut, num_threads=choices.one([None, 1, 2]), **named), expected, "apply_lut")
    written(cheq.apply_lut, choices, images, memory, expected, lut, **named)


def try_recipe(choices):
    images, _ = images_of(choices, reference.METHODS["numpy"])
    named, bins = places_of(choices, images.ndim), choices.one([256, 1, 3, 64, 999])
    if not images.size:
        return  # the recipe has no answer of a plane without a pixel
    expected = outcome(reference.image_histogram_equalization, np.array(images), bins, **named)
    same(outcome(recipes.image_histogram_equalization, images, bins, **named), expected, "image_histogram_equalization")


TRIES = [
    *[try_equalize] * 4,
    *[try_match] * 3,
    *(try_counts, try_binarize, try_equalization_lut, try_matching_lut, try_apply_lut, try_recipe),
]


def one_input(data):
    choices = Choices(data)
    dispatch.use_kernel(choices.one(KERNELS))
    choices.one(TRIES)(choices)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
