"""Every layout against pages that cannot be touched: ``python kernel_guard_cases.py KERNEL``.

The first byte of the images, the mask and the result lies right behind such a page, or their last byte right before
one, so a kernel that reads or writes a byte too many ends this process. Values are checked on the way.
"""

import faulthandler
import functools
import itertools
import sys

import numpy as np
from kernel_tools import LUT, count, equalized, same
from test_guards import GuardedMemory
from test_kernel_layouts import STEPS, VIEWS, wave

import cheq
from cheq._core import dispatch

LENGTHS = (*range(1, 131), 191, 192, 193, 255, 256, 257, 511, 512, 513, 784, 895, 896, 897, 1023, 1024, 1025)
LENGTHS += (1699, 1700, 1701, 2040, 2048, 4095, 4096, 4097, 12_287, 12_288, 12_289, 14_335, 14_336, 14_337, 16_037)

LARGEST = 70_000  # bytes that a layout spans at most


def layouts(length):
    """Shapes, (planes, pixels), each with its strides in bytes."""
    yield from (((1, length), (0, step)) for step in STEPS)
    yield from (((3, length), (length + gap, 1)) for gap in (0, 1, 64))
    for (channels, chosen), sign in itertools.product(VIEWS, (1, -1)):
        yield (len(chosen), length), (chosen[1] - chosen[0], sign * channels)


def reach(shape, strides):
    """How far a view goes below its first element, and above."""
    spans = [stride * (size - 1) for stride, size in zip(strides, shape, strict=True)]
    return -sum(min(0, span) for span in spans), sum(max(0, span) for span in spans)


def place(memory, shape, strides, at_end):
    """A view so strided whose first or last byte is that of the memory."""
    below, above = reach(shape, strides)
    return np.ndarray(shape, np.uint8, memory.bytes, memory.length - 1 - above if at_end else below, strides)


@functools.lru_cache(maxsize=4)
def expected(shape):
    """Planes and a mask; the histograms of all and of the selected pixels; the planes equalized, and looked up."""
    planes = np.ascontiguousarray(wave(*shape[::-1]).T)
    mask = np.random.default_rng(shape).random(shape) < 0.5
    selected = [plane[under] for plane, under in zip(planes, mask, strict=True)]
    return planes, mask, count(planes), count(selected), equalized(planes), LUT[planes]


def check(memories, shape, strides, at_end):
    """All calls on one layout; the result in the same layout, dense, and in place."""
    planes, selected, counts, selected_counts, equal, looked_up = expected(shape)
    images, mask, out = (place(memory, shape, strides, at_end) for memory in memories)
    images[...], mask[...] = planes, selected
    name = f"{shape}, strides {strides}, at the {'end' if at_end else 'begin'}"
    same(cheq.histogram(images, axes=-1), counts, name)
    same(cheq.histogram(images, axes=-1, mask=mask.view(bool)), selected_counts, name)
    for result in (out, place(memories[2], shape, (shape[1], 1), at_end)):
        cheq.equalize(images, axes=-1, out=result)
        same(result, equal, name)
        cheq.apply_lut(images, LUT, axes=-1, out=result)
        same(result, looked_up, name)
    cheq.equalize(images, axes=-1, out=images)
    same(images, equal, name)


def main():
    faulthandler.enable()
    dispatch.use_kernel(sys.argv[1])
    memories = [GuardedMemory(LARGEST) for _ in range(3)]
    for length in LENGTHS:
        for (shape, strides), at_end in itertools.product(layouts(length), (True, False)):
            if sum(reach(shape, strides)) < LARGEST:
                check(memories, shape, strides, at_end)
    print("passed with", dispatch.kernel())


if __name__ == "__main__":
    main()
