"""Thresholds of more planes than are counted at a time, and of any size and kind."""

import tracemalloc

import numpy as np
import pytest
import reference
from pixel_tools import assert_bits, refuses
from test_threshold import each_dtype, judged

import cheq
from cheq import _threshold
from cheq.parity.pixels import plane

# ---------------------------------------------------------------- many planes, and numbers of any size


@each_dtype
@pytest.mark.parametrize("axes", [(-2, -1), (0, 1)])
def test_batches_in_parts_are_as_one(dtype, axes, monkeypatch):
    images = np.moveaxis(plane("both ends", dtype, (3, 40, 5, 7)), (-2, -1), axes)
    mask = np.random.default_rng(1).random(images.shape) < 0.5
    whole = cheq.otsu_threshold(images, axes=axes), cheq.otsu_threshold(images, axes=axes, mask=mask)
    flat = np.moveaxis(images, axes, (-2, -1))
    assert_bits(whole[0], judged(flat)[0])
    monkeypatch.setattr(_threshold, "_MOST_BYTES", 7 * 8 * np.iinfo(dtype).max)
    assert_bits(cheq.otsu_threshold(images, axes=axes), whole[0])
    assert_bits(cheq.otsu_threshold(images, axes=axes, mask=mask), whole[1])
    numbers = np.random.default_rng(0).integers(-5, np.iinfo(dtype).max + 5, (3, 40))
    expected = np.where(flat > numbers[..., np.newaxis, np.newaxis], np.iinfo(dtype).max, 0).astype(dtype)
    assert_bits(np.moveaxis(cheq.binarize(images, numbers, axes=axes), axes, (-2, -1)), expected)
    room = np.zeros((len(images) + 1, *images.shape[1:]), dtype)
    source, out = room[:-1], room[1:]
    source[:] = images
    cheq.binarize(source, numbers, axes=axes, out=out)
    assert_bits(np.moveaxis(out, axes, (-2, -1)), expected)


def test_the_memory_of_many_planes_is_bounded():
    images = np.random.default_rng(0).integers(0, 5000, (2000, 1, 4, 5), np.uint16)
    tracemalloc.start()
    try:
        for call in (
            cheq.otsu_threshold,
            lambda images: cheq.binarize(images, np.arange(2000)[:, np.newaxis]),
            lambda images: cheq.binarize(images, np.full((2000, 1), 7)),
        ):
            tracemalloc.reset_peak()
            call(images)
            assert tracemalloc.get_traced_memory()[1] < 120e6
    finally:
        tracemalloc.stop()


def test_thresholds_of_any_size_and_kind():
    images = plane("both ends", "uint8", (3, 5, 7))
    for number in (-(2**70), -1, 2**70, [2**70, -(2**70), 9], [9, 9, 9], [9]):
        numbers = np.array([min(max(value, -1), 255) for value in np.ravel(np.array(number, dtype=object))])
        expected = np.where(images > numbers.reshape(-1, 1, 1), np.uint8(255), np.uint8(0))
        assert_bits(cheq.binarize(images, number), expected)
    refuses(TypeError, lambda: cheq.binarize(images, np.ma.masked_array([1, 2, 3])), "threshold", "mask")
    refuses(ValueError, lambda: cheq.binarize(images, [[1], [1, 2]]), "threshold")


@pytest.mark.parametrize("batch", [(2, 130), (3, 2, 65), (67, 1), (1, 1, 129), (2, 70, 1)])
@pytest.mark.parametrize("masked", [False, True])
def test_batches_that_are_cut_along_several_axes(batch, masked):
    """More histograms, or LUTs, of 16 bits than are made at a time."""
    images = np.random.default_rng(0).integers(0, 900, (*batch, 1, 5), np.uint16)
    mask = images > 200 if masked else None
    expected = reference.otsu_threshold(images.reshape(-1, 1, 5), mask=None if mask is None else mask.reshape(-1, 1, 5))
    thresholds = cheq.otsu_threshold(images, mask=mask)
    np.testing.assert_array_equal(thresholds, expected.reshape(batch))
    right = np.where(images > thresholds[..., np.newaxis, np.newaxis], 65535, 0)
    np.testing.assert_array_equal(cheq.binarize(images, thresholds), right)
    moved = np.moveaxis(images, -1, 0)
    np.testing.assert_array_equal(cheq.binarize(moved, thresholds, axes=(0, -1)), np.moveaxis(right, -1, 0))
