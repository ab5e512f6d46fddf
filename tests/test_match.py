"""Is match_histograms, byte for byte, what scikit-image gives for each plane, whatever the dtypes and layouts?"""

import cv2
import numpy as np
import pytest
import reference
import skimage.exposure
from marks import exhaustive
from match_tools import DTYPES, FLOATS, INTEGERS, check, matched, matched_planes, nearest
from pairs import pairs
from pixel_tools import assert_bits

import cheq
from cheq import _match
from cheq.parity.pixels import FLOAT_KINDS, KINDS, plane

FEW = pytest.mark.parametrize("dtype", ["uint8", "float32", *exhaustive("int8", "uint16", "int16", "float64")])
SHAPES = ((31, 67), (8, 9), (1, 1), (97, 5), (1, 40), (64, 64))


# ---------------------------------------------------------------- one plane


def test_planes_of_every_kind(kernel):
    """Other levels than those of the reference, missing ones, one or two; other sizes."""
    rows = pairs(INTEGERS, KINDS, KINDS[::-1], SHAPES, SHAPES[::-1])
    for seed, (dtype, kind, other, shape, size) in enumerate(rows):
        image, wanted = plane(kind, dtype, shape, seed), plane(other, dtype, size, seed + 1)
        expected = matched(image, wanted)
        assert expected.dtype == np.float64
        assert_bits(cheq.match_histograms(image, wanted), expected)
        assert_bits(cheq.match_histograms(image, wanted, dtype="same"), np.rint(expected).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_of_every_kind(dtype):
    kinds = KINDS[::3] + FLOAT_KINDS
    for seed, (kind, other, shape, size) in enumerate(pairs(kinds, FLOAT_KINDS[::2], SHAPES, SHAPES[::-1])):
        image, wanted = plane(kind, dtype, shape, seed), plane(other, dtype, size, seed + 1)
        expected = matched(image, wanted)
        assert expected.dtype == dtype
        result = cheq.match_histograms(image, wanted)
        assert_bits(result + result.dtype.type(0), expected + result.dtype.type(0))  # zeros of both signs are one value
        assert_bits(result, reference.match_histograms(image, wanted))
        assert_bits(cheq.match_histograms(image, wanted, dtype="same"), result)


def test_an_image_matched_to_itself_stays():
    for dtype in DTYPES:
        for kind in (*KINDS, *(FLOAT_KINDS if dtype in FLOATS else ())):
            if kind != "zeros of both signs":
                image = plane(kind, dtype, (23, 31))
                for wanted in (image, np.tile(image, (2, 3))):
                    assert_bits(cheq.match_histograms(image, wanted, dtype="same"), image, f"{dtype}, {kind}")


def test_zeros_keep_the_sign_that_those_of_the_reference_have():
    values = np.array([[-1.5, -0.0, 2.0, 3.0]])
    for dtype in FLOATS:
        for image in (values.astype(dtype), np.abs(values).astype(dtype), -np.abs(values).astype(dtype)):
            assert_bits(cheq.match_histograms(image, image), image)
            assert_bits(matched(image, image), image)
        both = np.array([[0.0, -0.0, -1.0, 1.0]], dtype)
        assert_bits(cheq.match_histograms(both, both), np.array([[-0.0, -0.0, -1.0, 1.0]], dtype))


# ---------------------------------------------------------------- batches, channels and axes


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_reference_for_all_or_one_each(dtype):
    images = plane("both ends", dtype, (2, 3, 13, 17))
    for batch in ((), (1,), (3,), (1, 1), (2, 1), (1, 3), (2, 3)):
        wanted = plane("dark", dtype, (*batch, 9, 21))
        check(images, wanted, matched_planes(images, wanted))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channel_axis", [0, -2, 2, *exhaustive(1, -1, -3)])
def test_channels(dtype, channel_axis):
    """Integers are cut off toward zero, as they are in scikit-image, or else are the nearest level."""
    for channels in (1, 3):
        images, wanted = plane("both ends", dtype, (channels, 13, 17)), plane("normal", dtype, (channels, 9, 21))
        floats = matched_planes(images, wanted)
        images, wanted, floats = (np.moveaxis(array, 0, channel_axis) for array in (images, wanted, floats))
        expected = skimage.exposure.match_histograms(images, wanted, channel_axis=channel_axis)
        assert expected.dtype == dtype
        check(images, wanted, expected, channel_axis=channel_axis)
        nearest = floats if dtype in FLOATS else np.rint(floats).astype(dtype)
        check(images, wanted, nearest, channel_axis=channel_axis, dtype="same")


def test_axes_count_from_the_end_and_are_those_of_the_reference():
    for dtype in ("uint8", "int16", "float32"):
        images, wanted = plane("both ends", dtype, (4, 3, 13, 17)), plane("normal", dtype, (3, 9, 21))
        expected = matched_planes(images, wanted)
        check(images, wanted, expected, axes=(2, 3))
        check(images, wanted, expected, axes=(-1, -2))
        images, expected = (np.moveaxis(array, 1, -1) for array in (images, expected))
        check(images, np.moveaxis(wanted, 0, -1), expected, axes=(1, 2))
        truncated = np.stack(
            [skimage.exposure.match_histograms(i, np.moveaxis(wanted, 0, -1), channel_axis=-1) for i in images]
        )
        check(images, np.moveaxis(wanted, 0, -1), truncated, axes=(1, 2), channel_axis=3)
        check(images, np.moveaxis(wanted, 0, -1), truncated, channel_axis=3)
        pooled = matched(images, images[1:3])
        check(images, images[1:3], pooled, axes=(0, 1, 2, 3))
        volumes = np.stack([matched(volume, wanted) for volume in images])
        check(images, wanted, volumes, axes=(1, 2, 3))


# ---------------------------------------------------------------- a histogram as the reference


@pytest.mark.parametrize("dtype", INTEGERS)
def test_a_histogram_stands_for_the_reference_that_it_counts(dtype):
    """One for all and one each, with channels, masks, either result; planes without a counted pixel too."""
    images = np.stack([plane(kind, dtype, (9, 8, 3), seed) for seed, kind in enumerate(KINDS[:4])])
    wanted = np.stack([plane(kind, dtype, (7, 11, 3), seed + 9) for seed, kind in enumerate(KINDS[-4:])])
    mask = np.random.default_rng(0).random((4, 9, 8)) < 0.5
    mask[1] = False
    for channels in ({"channel_axis": -1}, {"axes": (1, 2)}):
        for given in (wanted, wanted[:1]):
            counts = cheq.histogram(given, **channels)
            own = mask if "channel_axis" in channels else mask[..., None]
            for same, masked in pairs((None, "same"), ({}, {"mask": own}, {"mask": own, "outside": "keep"})):
                options = channels | masked | {"dtype": same}
                expected = reference.match_histograms(images, given, **options)
                assert_bits(cheq.match_histograms(images, reference_histogram=counts, **options), expected)
        whole = cheq.histogram(wanted[..., 0], axes=(0, 1, 2))
        expected = cheq.match_histograms(images, np.tile(wanted[..., 0].reshape(-1, 11)[..., None], 3), **channels)
        assert_bits(cheq.match_histograms(images, reference_histogram=whole, **channels), expected)


@pytest.mark.parametrize("color", ["ycrcb", "yuv", "lab"])
def test_a_histogram_of_a_lightness(color):
    images = np.stack([plane(kind, "uint8", (9, 8, 3), seed) for seed, kind in enumerate(KINDS[:3])])
    gray = np.stack([plane("uniform", "uint8", (7, 11), seed) for seed in range(3)])
    wanted = np.repeat(gray[..., None], 3, -1)  # whose lightness is the gray, but of Lab
    if color == "lab":
        levels = cv2.cvtColor(wanted.reshape(-1, 11, 3), cv2.COLOR_RGB2LAB)[..., 0].reshape(gray.shape)
    else:
        levels = gray
    options = {"color": color, "channel_axis": -1}
    for given, counted in ((wanted, levels), (wanted[:1], levels[:1])):
        expected = cheq.match_histograms(images, given, **options)
        counts = cheq.histogram(counted)
        assert_bits(cheq.match_histograms(images, reference_histogram=counts, **options), expected)


def test_weights_as_a_reference():
    image, weights = plane("uniform", "uint8", (31, 67)), np.random.default_rng(0).random(256)
    luts = reference.matching_lut(np.bincount(image.ravel(), minlength=256), weights)
    assert_bits(cheq.match_histograms(image, reference_histogram=weights), luts[image])


def test_what_a_histogram_is_refused_for():
    image, counts = plane("uniform", "uint8", (31, 67)), np.ones(256, int)
    for kind, message, options in (
        (ValueError, "reference: expected one of reference and reference_histogram, got neither", {}),
        (ValueError, "got both", {"reference": image, "reference_histogram": counts}),
        (ValueError, "reference_mask: expected None", {"reference_histogram": counts, "reference_mask": image > 3}),
        (ValueError, "expected 256 bins as images of uint8 have levels", {"reference_histogram": np.ones(65536)}),
        (ValueError, r"expected a batch shape that broadcasts to \(\)", {"reference_histogram": counts[None]}),
        (ValueError, "expected a count above 0", {"reference_histogram": counts * 0}),
        (
            TypeError,
            "reference_histogram: expected integer counts or float weights",
            {"reference_histogram": counts > 0},
        ),
    ):
        out = image.copy()
        with pytest.raises(kind, match=message):
            cheq.match_histograms(image, **options, out=out, dtype="same")
        assert_bits(out, image)
    with pytest.raises(TypeError, match="images: expected integers with reference_histogram, got float32"):
        cheq.match_histograms(image.astype(np.float32), reference_histogram=counts)


@FEW
def test_layouts(dtype, layout):
    images, wanted = layout(plane("both ends", dtype, (3, 13, 17))), layout(plane("normal", dtype, (3, 9, 21)))
    expected = matched_planes(np.asarray(images), np.asarray(wanted))
    assert_bits(cheq.match_histograms(images, wanted), expected)
    swapped = np.array(wanted).astype(np.dtype(dtype).newbyteorder())
    assert_bits(cheq.match_histograms(np.array(images).astype(swapped.dtype), swapped), expected)
    assert_bits(cheq.match_histograms(np.array(images), swapped), expected)


@FEW
def test_layouts_of_out(dtype, writable_layout):
    images, wanted = plane("both ends", dtype, (3, 13, 17)), plane("normal", dtype, (3, 9, 21))
    expected = matched_planes(images, wanted)
    out = writable_layout(np.zeros(images.shape, expected.dtype))
    for source in (images, images[:, ::-1], images[..., ::-1]):
        assert cheq.match_histograms(source, wanted, out=out) is out
        assert_bits(out, matched_planes(source, wanted))
    nearest = np.rint(expected).astype(dtype) if dtype in INTEGERS else expected
    place = writable_layout(images.copy())
    cheq.match_histograms(place, wanted, out=place, dtype="same")
    assert_bits(place, nearest)


@pytest.mark.parametrize("offset", [-60, -8, -1, 1, 17, 60])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_out_beside_images_and_reference_in_one_buffer(dtype, offset):
    before = plane("both ends", dtype, (1, 1000))[0]
    images, wanted = before[100:359].reshape(7, 37), before[90:600].reshape(17, 30)
    for source, other in ((images, wanted), (wanted, images)):
        buffer = before.copy()
        begin = (100 if source is images else 90) + offset
        out = buffer[begin:][: source.size].reshape(source.shape)
        expected = matched(source, other)
        views = (
            buffer[90 if array is wanted else 100 :][: array.size].reshape(array.shape) for array in (source, other)
        )
        cheq.match_histograms(*views, out=out, dtype="same")
        assert_bits(out, np.rint(expected).astype(dtype) if dtype in INTEGERS else expected)


@FEW
def test_threads(dtype):
    for shape in ((1, 300, 400), (40, 50, 61), (2, 1, 90_000)):
        images, wanted = plane("dark", dtype, shape), plane("normal", dtype, (shape[0], 50, 31))
        wanted = wanted if shape[0] == 2 else wanted[0]
        expected = matched_planes(images, wanted)
        for threads in (1, 2, 5):
            assert_bits(cheq.match_histograms(images, wanted, num_threads=threads), expected)


@pytest.mark.long
@pytest.mark.parametrize("dtype", INTEGERS)
def test_a_reference_of_more_pixels_than_32_bits_count(dtype):
    """It has the shares of its rows, which are all the same one."""
    image, row = plane("dark", dtype, (40, 50)), plane("both ends", dtype, (1, 1 << 16))
    wanted = np.broadcast_to(row, ((1 << 16) + 1, 1 << 16))
    assert_bits(cheq.match_histograms(image, wanted), matched(image, row))


@pytest.mark.parametrize("targets", [20_000, *exhaustive(0, 40_000, 3_000_000)])
@FEW
def test_parts_of_a_batch_with_a_reference_each(monkeypatch, dtype, targets):
    """What the tables of references may take in memory does not change what comes out."""
    monkeypatch.setattr(_match, "_TARGETS", targets)
    images = plane("both ends", dtype, (3, 2, 4, 13, 17))
    mask = np.random.default_rng(0).random(images.shape[-2:]) < 0.6
    for batch in ((3, 2, 4), (2, 4), (1, 2, 1), (3, 1, 1), ()):
        wanted = plane("normal", dtype, (*batch, 9, 21))
        for threads in (1, 3):
            result = cheq.match_histograms(images, wanted, num_threads=threads)
            assert_bits(result, matched_planes(images, wanted))
        kept = cheq.match_histograms(images, wanted, mask=mask, outside="keep", dtype="same")
        assert_bits(kept[..., ~mask], images[..., ~mask])
        own = np.broadcast_to(wanted, (3, 2, 4, 9, 21))
        for at in np.ndindex(3, 2, 4):
            assert_bits(kept[at][mask], nearest(matched(images[at], own[at], mask), dtype))
