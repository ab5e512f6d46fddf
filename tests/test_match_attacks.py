"""Does matching stay right, and memory whole, where arrays overlap, change in mid-call or come one reference each?"""

import sys

import numpy as np
import pytest
import reference
from match_tools import matched
from pixel_tools import assert_bits, refuses

import cheq
from cheq import _match
from cheq.parity.pixels import plane

DTYPES = ["uint8", "uint16", "float32", "float64"]


@pytest.fixture
def parts(monkeypatch):
    """A batch of references is taken one by one."""
    monkeypatch.setattr(_match, "_TARGETS", 1)


# ---------------------------------------------------------------- parts of a batch


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_out_that_overlaps_what_later_parts_read(parts, dtype):
    memory, other = plane("both ends", dtype, (6, 9, 11)), plane("dark", dtype, (5, 9, 11))
    options = {"dtype": "same", "num_threads": 1}
    wanted = cheq.match_histograms(memory[:5].copy(), other, **options)
    assert_bits(wanted, np.stack([reference.match_histograms(memory[i], other[i], dtype="same") for i in range(5)]))
    images = memory.copy()
    assert_bits(cheq.match_histograms(images[:5], other, out=images[1:], **options), wanted)
    images = memory[:5].copy()
    assert cheq.match_histograms(images, other, out=images, **options) is images
    assert_bits(images, wanted)
    references = np.concatenate([other, other[:1]])
    assert_bits(cheq.match_histograms(memory[:5], references[:5], out=references[1:], **options), wanted)


def test_an_out_that_overlaps_masks_which_later_parts_read(parts):
    images, other = plane("both ends", "uint8", (5, 9, 11)), plane("dark", "uint8", (5, 9, 11))
    masks = plane("uniform", bool, (6, 9, 11))
    masks[:, 0] = True
    for name in ("mask", "reference_mask"):
        options = {"dtype": "same", "num_threads": 1}
        wanted = cheq.match_histograms(images, other, **options, **{name: masks[:5].copy()})
        chosen = masks.copy()
        out = chosen.view(np.uint8)[1:]
        assert_bits(cheq.match_histograms(images, other, out=out, **options, **{name: chosen[:5]}), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_reference_is_learned_once(parts, monkeypatch, dtype):
    """Also where the images have batch axes in front of its own, and axes of one."""
    learned, targets_of = [], _match._targets_of

    def counting(given):
        learned.append(given.images.shape[0] if given.n_batch else 1)
        return targets_of(given)

    monkeypatch.setattr(_match, "_targets_of", counting)
    images, other = plane("both ends", dtype, (4, 3, 2, 9, 11)), plane("dark", dtype, (3, 1, 9, 11))
    result = cheq.match_histograms(images, other, num_threads=1)
    assert learned == [1, 1, 1]
    for index in np.ndindex(4, 3, 2):
        assert_bits(result[index], matched(images[index], other[index[1], 0]))


# ---------------------------------------------------------------- changes in mid-call


def interrupt_at(number, call):
    """Raise KeyboardInterrupt at so many calls and returns of functions within a call; whether it came so far."""
    events = [0]

    def on(frame, event, argument):
        events[0] += frame.f_globals.get("__name__", "").startswith("cheq")
        if events[0] == number:
            events[0] += 1
            raise KeyboardInterrupt

    sys.setprofile(on)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return events[0] >= number


@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("dtype", "shape", "options"), [
    ("uint8", (5, 8), {}), ("float32", (5, 8), {}), ("uint8", (5, 8), {"dtype": "same"}),
    ("uint8", (3, 8, 9), {"channel_axis": 0}), ("float32", (3, 8, 9), {"channel_axis": 0}),
    ("uint8", (5, 8, 3), {"channel_axis": -1, "color": "lab"}),
])  # fmt: skip
def test_an_interrupt_between_any_two_steps(dtype, shape, options):
    images = plane("both ends", dtype, shape)
    for number in range(1, 1000):
        if not interrupt_at(number, lambda: cheq.match_histograms(images, images, **options)):
            return
    pytest.fail("a thousand steps")


def change_when_targets_are_made(monkeypatch, change):
    targets_of = _match._targets_of

    def changing(given):
        change()
        return targets_of(given)

    monkeypatch.setattr(_match, "_targets_of", changing)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_reference_mask_that_is_emptied(monkeypatch, dtype):
    """Nothing is known of what images are to be like then."""
    images, mask = plane("both ends", dtype, (9, 11)), np.ones((9, 11), bool)
    change_when_targets_are_made(monkeypatch, lambda: mask.fill(False))
    result = cheq.match_histograms(images, images, reference_mask=mask, dtype="same")
    assert_bits(result, images if images.dtype.kind != "f" else np.full_like(images, np.nan))


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 256), (256, 1), (64, 4)])
def test_a_reference_of_another_shape_in_mid_call(monkeypatch, dtype, shape):
    images, other = plane("both ends", dtype, (3, 9, 11)), plane("dark", dtype, (1, 16, 16))
    change_when_targets_are_made(monkeypatch, lambda: setattr(other, "shape", (*shape, 1)))
    try:
        result = cheq.match_histograms(images, other)
    except ValueError as error:
        assert "keep their shape" in str(error)  # noqa: PT017
    else:
        assert result.shape == (3, 9, 11)


# ---------------------------------------------------------------- axes, weights


def test_axes_are_read_once():
    images, other = plane("both ends", "uint8", (5, 9, 11)), plane("dark", "uint8", (5, 9, 11))
    wanted = cheq.match_histograms(images, other, axes=(0, 2))
    for axes in (iter((0, 2)), (axis for axis in (0, 2)), map(int, (2, 0)), np.array([0, 2]), [0, np.int8(-1)]):
        assert_bits(cheq.match_histograms(images, other, axes=axes), wanted)


def test_no_images_and_no_references():
    result = cheq.match_histograms(np.zeros((0, 5, 6), "u1"), np.zeros((0, 7, 8), "u1"))
    assert (result.shape, result.dtype) == ((0, 5, 6), np.float64)


def test_the_scale_of_weights_does_not_matter():
    weights = np.random.default_rng(0).random(256)
    for method in ("skimage", "numpy"):
        wanted = cheq.equalization_lut(weights, method=method)
        for power in (-900, -300, 300, 900):
            assert_bits(cheq.equalization_lut(np.ldexp(weights, power), method=method), wanted)
    largest = np.zeros(256)
    largest[:2] = 8e307
    assert_bits(
        cheq.equalization_lut(largest, method="numpy"), cheq.equalization_lut((largest > 0) * 1, method="numpy")
    )


def test_errors_of_numpy_are_not_asked_for():
    weights = np.geomspace(1e-200, 1e200, 256)
    counts = np.arange(256)
    wanted = [cheq.equalization_lut(weights, method=method) for method in ("skimage", "numpy")]
    with np.errstate(all="raise"):
        found = [cheq.equalization_lut(weights, method=method) for method in ("skimage", "numpy")]
        cheq.matching_lut(counts, weights)
    for one, other in zip(found, wanted, strict=True):
        assert_bits(one, other)


def test_what_messages_propose_works():
    gray, color = plane("both ends", "uint8", (20, 21)), plane("dark", "uint8", (20, 21, 3))
    refuses(ValueError, lambda: cheq.match_histograms(gray, color), "reference", "(20, 21, 3)", "one channel of it")
    cheq.match_histograms(gray, color[..., 0])
    refuses(ValueError, lambda: cheq.match_histograms(gray[np.newaxis], color), "reference", "one channel of it")
    masked = np.ma.array(gray, mask=gray > 9)
    refuses(TypeError, lambda: cheq.match_histograms(gray, masked), "reference", "reference_mask=~m.mask")
    shares = np.full(256, 1 / 256)
    refuses(TypeError, lambda: cheq.equalization_lut(shares), "histogram", "method='skimage' or 'numpy'")
