"""Large planes: split between threads, worked on in chunks, with counts and offsets that 32 bits do not hold."""

import os

import numpy as np
import pytest
import reference
from numpy.lib.stride_tricks import as_strided

import cheq


def pixels(*shape, seed=0):
    """Pixels of many levels, unequally frequent: random ones, repeated when there are many."""
    random = np.random.default_rng([seed, *shape])
    return np.resize((random.beta(2, 4, 1_000_003) * 255).astype(np.uint8), shape)


def check(images, expected, **named):
    """Demand these bytes. ``out`` holds others before, so that a pixel which no thread writes is a wrong one."""
    np.testing.assert_array_equal(cheq.equalize(images, out=~expected, **named), expected, strict=True)


# ---------------------------------------------------------------- threads


@pytest.mark.parametrize("shape", [(1, 16_588_800), (4096, 4096)])
def test_one_large_plane_on_one_thread_and_on_two(opencv, shape):
    image = pixels(*shape)
    image[..., -1] = 255
    expected = reference.equalize(image)
    np.testing.assert_array_equal(expected, opencv(image))
    for threads in (1, 2):
        check(image, expected, num_threads=threads)
        # Every second pixel of a row, and all rows but the last: no run of it is contiguous.
        part = image[: max(1, shape[0] - 1), 1::2]
        check(part, opencv(part), num_threads=threads)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(3, 500, 700), (700, 500, 3), (2, 400, 500, 3), (5, 263, 509), (1, 2**17 + 3)])
def test_few_large_planes(opencv, shape, threads):
    images, mask = pixels(*shape), pixels(*shape, seed=1) > 60
    where = {"channel_axis": -1} if shape[-1] == 3 else {}
    expected, masked = opencv(images, **where), reference.equalize(images, mask=mask, **where)
    for change in (np.copy, np.asfortranarray, np.flip):
        check(change(images), change(expected), num_threads=threads, **where)
        check(change(images), change(masked), mask=change(mask), num_threads=threads, **where)


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_every_pixel_is_in_one_share(threads):
    # Lengths of all remainders: a share may end at a multiple of 64, the last one where the plane ends.
    lut = np.arange(255, -1, -1, dtype=np.uint8)
    plane = pixels(2**17 + 700)
    for length in range(2**17 - 3, 2**17 + 64 * threads + 3):
        image = plane[np.newaxis, :length]
        counts = cheq.histogram(image, num_threads=threads)
        np.testing.assert_array_equal(counts, np.bincount(image[0], minlength=256), f"{length} pixels")
        out = cheq.apply_lut(image, lut, out=image.copy(), num_threads=threads)
        np.testing.assert_array_equal(out, ~image, f"{length} pixels")


@pytest.mark.parametrize("length", [n + more for n in (2**16, 2**17, 2**18, 3 * 2**18) for more in (-1, 0, 1)])
def test_planes_as_large_as_a_share_or_a_block(opencv, length):
    for number in (1, 2, 5):
        images = pixels(number, 1, length)
        expected = opencv(images)
        for threads in (1, 2):
            check(images, expected, num_threads=threads)


# ---------------------------------------------------------------- runs and chunks


@pytest.mark.exhaustive
@pytest.mark.parametrize("length", [n + more for n in (1024, 2048, 12 * 1024, 24 * 1024) for more in (-1, 0, 1)])
def test_runs_as_long_as_what_is_buffered(opencv, length):
    for rows in (1, 2, 3):
        large = pixels(2, rows, 2 * length + 3)
        for images in (large[..., :length], large[..., : 2 * length : 2], large[..., length - 1 :: -1]):
            check(images, opencv(images))
            check(images, reference.equalize(images, mask=images > 40), mask=images > 40)
        images = pixels(rows, length, 3)
        check(images, opencv(images, -1), channel_axis=-1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(6000, 6001), (5, 2900, 3001), (3500, 3400, 3)])
def test_more_than_2_to_the_25_pixels(opencv, shape, threads):
    images = pixels(*shape)
    channel_axis = -1 if shape[-1] == 3 else None
    expected = opencv(images, channel_axis)
    check(images, expected, channel_axis=channel_axis, num_threads=threads)
    change = np.flip if channel_axis else lambda array: array.swapaxes(-1, -2)
    check(change(images), change(expected), channel_axis=channel_axis, num_threads=threads)


@pytest.mark.exhaustive
def test_more_than_2_to_the_25_pixels_and_a_mask(opencv):
    image = pixels(5800, 5801)
    mask = np.broadcast_to(pixels(5801) > 80, image.shape)
    columns = image[:, mask[0]]
    expected = reference.apply_lut(image, reference.equalization_lut(reference.histogram(columns)))
    np.testing.assert_array_equal(expected[:, mask[0]], opencv(columns))
    check(image, expected, mask=mask)


# ---------------------------------------------------------------- counts and offsets above 32 bits


@pytest.mark.exhaustive
def test_more_than_2_to_the_32_pixels_of_one_level():
    # One row of 64 KiB, seen 65,539 times: no memory, and one bin above 2**32 on one thread.
    row = np.full(65_536, 7, np.uint8)
    row[100], row[-1] = 9, 255
    plane = np.broadcast_to(row, (65_539, 65_536))
    counts = cheq.histogram(plane, num_threads=1)
    assert counts[7] == 65_539 * 65_534 > 2**32
    assert counts[9] == counts[255] == 65_539
    assert counts.sum() == plane.size


def has_memory(gigabytes):
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") > gigabytes * 2**30
    except (AttributeError, ValueError, OSError):
        return False


@pytest.mark.exhaustive
@pytest.mark.skipif(not has_memory(4), reason="the result takes 2 GiB, and less than 4 GiB are free or known to be")
def test_a_plane_of_more_than_2_to_the_31_pixels():
    row = np.resize(np.array([3, 3, 9, 200, 3, 7, 11], np.uint8), 65_536)
    rows = 32_770
    lut = reference.equalization_lut(np.bincount(row, minlength=256) * rows)
    result = cheq.equalize(np.broadcast_to(row, (rows, 65_536)))
    assert result.size > 2**31
    for first in range(0, rows, 512):
        assert (result[first : first + 512] == lut[row]).all()


@pytest.mark.parametrize(
    "strides", [(2**31 + 11, 5, 1), (2**30 + 7, 2**20, 1), (1, 2**31 + 2**29, 7), (5, 1, 2**32 + 9)]
)
def test_offsets_above_32_bits(strides):
    # Few pixels, far apart in memory that is never touched in between.
    shape = (3, 2, 2)
    reach = sum(stride * (length - 1) for stride, length in zip(strides, shape, strict=True))
    try:
        memory = np.zeros(reach + 1, np.uint8)
    except MemoryError:
        pytest.skip(f"{reach} bytes of address space are refused here")
    places = [sum(np.multiply(place, strides)) for place in np.ndindex(shape)]
    memory[places] = 10, 20, 30, 40, 10, 10, 30, 30, 200, 255, 0, 1
    for sign in (1, -1):
        images = as_strided(memory, shape, strides)[::sign, ::sign, ::sign]
        expected = reference.equalize(images.copy())
        check(images, expected)
        out = as_strided(np.zeros(reach + 1, np.uint8), shape, strides)[::sign, ::sign, ::sign]
        np.testing.assert_array_equal(cheq.equalize(images, out=out), expected)
        np.testing.assert_array_equal(cheq.equalize(images.copy(), out=images), expected)
        memory[places] = 10, 20, 30, 40, 10, 10, 30, 30, 200, 255, 0, 1
