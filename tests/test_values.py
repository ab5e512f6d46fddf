"""Is every byte the one that cv2.equalizeHist gives? Equality, tolerance 0, with cv2 and with the reference."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
import reference

import cheq
from cheq.parity.pixels import KINDS, counted, plane


@pytest.fixture
def same(opencv):
    """Demand that cheq, cv2 and the reference agree on every byte of a batch of (height, width) planes."""

    def check(images):
        expected = opencv(images)
        np.testing.assert_array_equal(reference.equalize(images), expected, "reference and cv2", strict=True)
        np.testing.assert_array_equal(cheq.equalize(images), expected, "cheq and cv2", strict=True)
        out = ~expected  # where a pixel is not written, it is wrong
        np.testing.assert_array_equal(cheq.equalize(images, out=out), expected, "cheq, with out, and cv2")

    return check


def test_a_large_image_of_every_kind(same):
    for kind in KINDS:
        same(plane(kind, "uint8", (768, 1024)))


def test_every_number_of_pixels_up_to_600(same):
    random = np.random.default_rng(5)
    for length in range(1, 600):
        same(random.integers(0, 256, (1, length), np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (5, 7), (31, 67), (123, 321)])
def test_a_constant_image_of_every_level_is_unchanged(same, size):
    images = np.empty((256, *size), np.uint8)
    images[...] = np.arange(256).reshape(256, 1, 1)
    same(images)
    np.testing.assert_array_equal(cheq.equalize(images), images)


# ---------------------------------------------------------------- counts where the arithmetic shows


WRONG_RULES = {
    "float64": lambda s, total: round(s * (255.0 / total)),
    "exact": lambda s, total: round(Fraction(255 * s, total)),
    "float32, product first": lambda s, total: np.rint(np.float32(s) * np.float32(255) / np.float32(total)),
    "half up": lambda s, total: np.floor(np.float32(s) * (np.float32(255) / np.float32(total)) + np.float32(0.5)),
    "truncated": lambda s, total: np.floor(np.float32(s) * (np.float32(255) / np.float32(total))),
}


def _rule(s, total):
    return np.rint(reference.float32(s) * (np.float32(255) / reference.float32(total)))


def _counts_that_tell(rule, largest_m=200, largest_k=60):
    """Counts (1, m, k*m) whose middle level becomes another one under a wrong rule."""
    return [
        (1, m, k * m)
        for m in range(1, largest_m)
        for k in range(1, largest_k)
        if WRONG_RULES[rule](m, m + k * m) != _rule(m, m + k * m)
    ]


@pytest.mark.parametrize("rule", WRONG_RULES)
def test_three_levels_with_counts_1_m_km(same, rule):
    found = _counts_that_tell(rule)
    assert len(found) >= 30  # or the images below prove nothing against this rule
    for counts in found[:: max(1, len(found) // 60)]:
        image = counted(counts, (3, 77, 78))
        same(image)
        wrong = WRONG_RULES[rule](counts[1], counts[1] + counts[2])
        assert cheq.equalize(image)[image == 77][0] != wrong


@pytest.mark.parametrize("m", [1, 2, 3, 7, 97, 255, 256, 1000, 65_535, 65_536])
def test_two_levels_with_counts_1_m(same, m):
    for counts in ((1, m), (m, 1), (m, 2 * m), (m, m)):
        same(counted(counts, (41, 200)))


@pytest.mark.parametrize("total", [2, 6, 10, 30, 34, 102, 170, 510])
def test_ties_at_exactly_one_half_go_to_even(same, total):
    # 255 / total is then an odd number of halves, exact in float32, so every odd count ends on a tie.
    steps = [1, *[2] * (total // 2 - 2), 3] if total > 2 else [1, 1]
    running = np.cumsum(steps)
    assert running[-1] == total
    assert all((255 * int(s) * 2) % total == 0 and (510 * int(s) // total) % 2 for s in running[:-1])
    image = counted([3, *steps], range(len(steps) + 1))
    same(image)
    half_up = [WRONG_RULES["half up"](s, total) for s in running]
    got = [cheq.equalize(image)[image == level][0] for level in range(1, len(steps) + 1)]
    assert got != half_up or total == 2  # 127.5 alone rounds to 128 either way
    assert all(value % 2 == 0 for value in got[:-1])


@pytest.mark.exhaustive  # more than a second in Python's integers
def test_counts_above_2_to_the_24_are_rounded_to_float32(same):
    total = 510 * 2**16  # 255 / total is exact in float32
    s = 257 * 2**16 + 1  # just above the tie at 128.5; float32, with steps of 2 there, takes it onto the tie
    assert s > 2**24
    assert float(reference.float32(s)) != s
    assert _rule(s, total) != round(Fraction(255 * s, total))
    image = np.repeat(np.array([9, 10, 200], np.uint8), [12, s, total - s]).reshape(-1, 4)
    same(image)


# ---------------------------------------------------------------- real pictures


def test_a_color_picture_is_split_equalized_and_merged(pictures):
    rgb = pictures["astronaut"][:, :-2]
    expected = cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(rgb)])
    np.testing.assert_array_equal(cheq.equalize(rgb, channel_axis=-1), expected, strict=True)
    np.testing.assert_array_equal(cheq.equalize(rgb[..., ::-1], channel_axis=-1), expected[..., ::-1], strict=True)


@pytest.mark.parametrize("threads", [1, 2, None])
def test_1800_crops(opencv, crops, threads):
    result = cheq.equalize(crops, num_threads=threads)
    np.testing.assert_array_equal(result, opencv(crops), strict=True)


def test_crops_as_nchw_and_as_nhwc(opencv, crops):
    nchw = crops.reshape(600, 3, 96, 96)
    expected = opencv(nchw)
    np.testing.assert_array_equal(reference.equalize(nchw[:90]), expected[:90], strict=True)
    np.testing.assert_array_equal(cheq.equalize(nchw), expected, strict=True)
    nhwc = np.moveaxis(nchw, 1, -1)
    for images in (nhwc, np.ascontiguousarray(nhwc)):
        result = cheq.equalize(images, channel_axis=-1)
        np.testing.assert_array_equal(result, np.moveaxis(expected, 1, -1), strict=True)


# ---------------------------------------------------------------- the installed cv2 follows the rules we wrote down


@pytest.mark.parametrize("dtype", ["uint16", "int8", "bool", "float32", "float64", "int32"])
def test_cv2_takes_uint8_alone_and_so_does_cheq_but_for_uint16(dtype):
    image = np.arange(35).reshape(5, 7).astype(dtype)
    with pytest.raises(cv2.error):
        cv2.equalizeHist(image)
    if dtype != "uint16":
        with pytest.raises(TypeError, match=dtype):
            cheq.equalize(image)


def test_cv2_takes_one_image_and_cheq_takes_batches(same):
    images = np.arange(2 * 35, dtype=np.uint8).reshape(2, 5, 7)
    for refused in (np.moveaxis(images, 0, -1), images[:1], images[np.newaxis]):
        if cv2.__version__ < "5":  # before, some shapes are taken for others
            continue
        with pytest.raises(cv2.error):
            cv2.equalizeHist(refused)
    same(images)


def test_cv2_returns_nothing_for_an_empty_image_and_cheq_an_empty_array():
    for shape in ((0, 7), (7, 0), (0, 0)):
        assert cv2.equalizeHist(np.empty(shape, np.uint8)) is None
        np.testing.assert_array_equal(cheq.equalize(np.empty(shape, np.uint8)), np.empty(shape, np.uint8), strict=True)


def test_cv2_changes_the_shape_and_cheq_keeps_it():
    image = np.arange(35, dtype=np.uint8).reshape(5, 7) // 3
    expected = cv2.equalizeHist(image)
    assert cv2.equalizeHist(image[..., np.newaxis]).shape == (5, 7)
    assert cv2.equalizeHist(image.ravel()).shape == ((1, 35) if cv2.__version__ >= "5" else (35, 1))
    np.testing.assert_array_equal(
        cheq.equalize(image[..., np.newaxis], channel_axis=-1), expected[..., np.newaxis], strict=True
    )
    np.testing.assert_array_equal(cheq.equalize(image.ravel(), axes=0), expected.ravel(), strict=True)


def test_cv2_replaces_a_wrong_dst_and_cheq_refuses_it():
    image = np.arange(35, dtype=np.uint8).reshape(5, 7) // 3
    for shape in ((7, 5), (6, 7), (5, 7, 1)):
        out = np.full(shape, 0xA5, np.uint8)
        cv2.equalizeHist(image, dst=out)
        if shape != (5, 7, 1):
            assert (out == 0xA5).all()
        out[...] = 0xA5
        with pytest.raises(ValueError, match="out"):
            cheq.equalize(image, out=out)
        assert (out == 0xA5).all()


def test_cv2_refuses_strided_columns_as_dst_and_cheq_writes_them():
    image = np.arange(35, dtype=np.uint8).reshape(5, 7) // 3
    out = np.zeros((5, 14), np.uint8)[:, ::2]
    with pytest.raises(cv2.error, match="Layout of the output array"):
        cv2.equalizeHist(image, dst=out)
    assert cheq.equalize(image, out=out) is out
    np.testing.assert_array_equal(out, cv2.equalizeHist(image))


def test_cv2_and_cheq_work_in_place(opencv):
    image = np.arange(35, dtype=np.uint8).reshape(5, 7) // 3
    expected, ours = opencv(image), image.copy()
    cv2.equalizeHist(image, dst=image)
    cheq.equalize(ours, out=ours)
    np.testing.assert_array_equal(image, expected)
    np.testing.assert_array_equal(ours, expected)


def test_cv2_and_cheq_take_negative_and_channel_strides():
    image = np.random.default_rng(4).integers(0, 256, (9, 14, 3), np.uint8)
    for view in (image[::-1, ::-1, 1], image[::2, ::3, 2], image[..., 0]):
        np.testing.assert_array_equal(cheq.equalize(view), cv2.equalizeHist(view), strict=True)


@pytest.mark.parametrize("count", [2**24 + 1, 2**40 + 2**16 + 1, 2**60 + 2**36 + 1, 2**63 - 1])
def test_the_reference_rounds_a_count_once(count):
    # The nearest number of 24 bits, ties to even, in whole numbers alone.
    unit = 1 << (count.bit_length() - 24)
    assert int(reference.float32(count)) == round(Fraction(count, unit)) * unit
