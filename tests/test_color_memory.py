"""Where may colors lie? Guard pages, threads, overlapping memory and interrupts, for every kernel."""

import itertools
import signal
import sys

import numpy as np
import pytest
import reference
from conftest import LAYOUTS, WRITABLE
from lists import SPACES
from pairs import pairs
from test_color import PATTERN, all_spaces, equalized, large_photos, naive, photos
from test_guards import GuardedMemory

import cheq
from cheq._core import dispatch

# Below, at and above the widths of registers (16, 32, 64), the pieces (1,024) and the blocks (14,336) of pixels.
LENGTHS = (*range(1, 70), 95, 96, 97, 127, 128, 129, 1023, 1024, 1025, 1039, 1041, 2048, 2049, 14_335, 14_337, 15_361)

# Channels, those that are looked at, and whether they are reversed: what alternates in memory.
ALTERNATING = [(3, [0, 1, 2]), (3, [2, 1, 0]), (4, [0, 1, 2]), (4, [2, 1, 0]), (4, [1, 2, 3]), (4, [3, 2, 1])]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("dtype", "spaces"), [(np.uint8, SPACES[:1]), (np.uint8, SPACES[1:]), (np.uint16, ())])
def test_lengths_beside_memory_that_cannot_be_touched(kernel, dtype, spaces):
    size = np.dtype(dtype).itemsize
    if sys.platform == "win32":
        pytest.skip("Windows has no mprotect; guard bytes are still tested")
    memories = [GuardedMemory(4 * size * max(LENGTHS)) for _ in range(2)]
    for pixels, (channels, chosen), at_end in itertools.product(LENGTHS, ALTERNATING, (False, True)):
        step, stride, first = channels * size, (chosen[1] - chosen[0]) * size, min(chosen)
        # The view's own first and last bytes, not whole pixels, lie beside the pages.
        span = (pixels - 1) * step + 3 * size
        lowest = memories[0].length - span if at_end else 0
        start = lowest + (chosen[0] - first) * size
        images = np.ndarray((pixels, 3), dtype, memories[0].bytes, start, (step, stride))
        images[...] = photos(pixels, 3, dtype=dtype) * np.array(257 if size == 2 else 1, dtype)
        out = np.ndarray(pixels, dtype, memories[1].bytes, memories[1].length - pixels * size if at_end else 0)
        cheq.rgb_to_gray(images, out=out)
        np.testing.assert_array_equal(out, reference.rgb_to_gray(images), f"{pixels} {channels} {chosen}")
        for space in spaces:
            expected = naive(images, space, axes=0)
            out = np.ndarray((pixels, 3), dtype, memories[1].bytes, start, (step, stride))
            dense_at = memories[1].length - 3 * pixels if at_end else 0
            dense = np.ndarray((pixels, 3), dtype, memories[1].bytes, dense_at)
            before = images.copy()
            for result in (out, dense, images):
                memories[1].bytes[:] = PATTERN if result is not images else memories[1].bytes
                equalized(images, space, axes=0, out=result)
                np.testing.assert_array_equal(result, expected, f"{pixels} {channels} {chosen}")
            images[...] = before


@all_spaces
@pytest.mark.parametrize("channels", [3, 4])
def test_bytes_beside_the_result_stay(kernel, channels, space):
    for length in LENGTHS:
        images = photos(length, channels)
        expected = naive(images, space, axes=0)
        memory = np.full(length * 6 + 200, PATTERN, np.uint8)
        for out in (memory[100:][: length * channels].reshape(length, channels), memory[100 : 100 + 6 * length]):
            view = out if out.ndim == 2 else out.reshape(length, 6)[:, :channels]
            equalized(images, space, axes=0, out=view)
            np.testing.assert_array_equal(view, expected)
            view[...] = PATTERN
            assert (memory == PATTERN).all()
        gray = memory[100 : 100 + length]
        cheq.rgb_to_gray(images, out=gray)
        gray[...] = PATTERN
        assert (memory == PATTERN).all()


# ---------------------------------------------------------------- threads, and memory that overlaps


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("shape", "space"),
    pairs([(3, 700, 501, 3), (1, 3, 1000, 1200), (1, 2500, 2000, 3), (300, 40, 50, 4)], SPACES),
)
def test_threads_change_nothing(kernel, shape, space):
    channel_axis = 1 if shape[1] == 3 else -1
    images, expected, gray, mask, masked = large_photos(
        shape, channel_axis, low=10, high=200, fraction=0.7, space=space
    )
    for threads in (1, 2, 5, None):
        given = {"channel_axis": channel_axis, "num_threads": threads}
        np.testing.assert_array_equal(equalized(images, space, **given), expected)
        np.testing.assert_array_equal(equalized(images, space, mask=mask, **given), masked)
        np.testing.assert_array_equal(cheq.rgb_to_gray(images, **given), gray)


@all_spaces
@pytest.mark.parametrize(("shape", "channel_axis"), [((3, 9, 70, 3), -1), ((2, 4, 30, 40), 1)])
def test_out_is_images(kernel, shape, channel_axis, space):
    colors, expected, _ = large_photos(shape, channel_axis, low=50, high=130, space=space)
    for writable_layout in [LAYOUTS[name] for name in WRITABLE]:
        images = writable_layout(colors)
        assert equalized(images, space, channel_axis=channel_axis, out=images) is images
        np.testing.assert_array_equal(images, expected)


@pytest.mark.exhaustive
@all_spaces
def test_a_large_out_is_images(kernel, space):
    colors, expected, _ = large_photos((1, 900, 1100, 3), -1, low=50, high=130, space=space)
    images = colors.copy()
    assert equalized(images, space, channel_axis=-1, out=images) is images
    np.testing.assert_array_equal(images, expected)


@all_spaces
@pytest.mark.parametrize("change", ["flipped", "channels reversed", "shifted by a row", "shifted by a byte"])
def test_overlapping_memory_is_as_if_copied_first(kernel, change, space):
    memory = photos(41 * 50 * 3, low=50, high=130)
    images = memory[: 40 * 50 * 3].reshape(40, 50, 3)
    out = {
        "flipped": images[::-1],
        "channels reversed": images[..., ::-1],
        "shifted by a row": memory[150:].reshape(40, 50, 3),
        "shifted by a byte": memory[1 : 1 + 40 * 50 * 3].reshape(40, 50, 3),
    }[change]
    expected = naive(images, space)
    equalized(images, space, out=out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_into_the_images(kernel, dtype):
    for channel in range(3):
        images = photos(40, 50, 3, dtype=dtype)
        expected = reference.rgb_to_gray(images)
        cheq.rgb_to_gray(images, out=images[::-1, :, channel])
        np.testing.assert_array_equal(images[::-1, :, channel], expected)


@all_spaces
def test_mask_in_the_memory_of_out(space):
    images, out = photos(2, 40, 50, 3, low=50, high=130), photos(2, 40, 50, 3, high=2)
    mask = out[::-1, ..., 1].view(bool)  # the first result is written where the second image's mask is
    expected = naive(images, space, mask=mask)
    equalized(images, space, mask=mask, out=out, num_threads=1)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.exhaustive
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that signal")
@pytest.mark.parametrize("shape", [(4, 6000, 4000, 3), (3000, 200, 200, 3)])
@pytest.mark.parametrize(("threads", "space"), [(1, "ycrcb"), (2, "ycrcb"), (2, "lab")])
def test_an_interrupt_leaves_images_whole_or_untouched(shape, threads, space):
    """Large images are worked on in parts, small ones whole; the slowest kernels make the calls long."""
    image, expected, _ = large_photos(shape[1:], -1, low=50, high=130, space=space)
    images = np.broadcast_to(image, shape)
    out = np.zeros(shape, np.uint8)

    def interrupt(*_):
        raise KeyboardInterrupt

    used, before = dispatch.kernel(), signal.signal(signal.SIGALRM, interrupt)
    dispatch.use_kernel("scalar")
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        with pytest.raises(KeyboardInterrupt):
            equalized(images, space, out=out, num_threads=threads)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        dispatch.use_kernel(used)
    assert not all(image.any() for image in out)
    for image in out:
        assert not image.any() or np.array_equal(image, expected)
