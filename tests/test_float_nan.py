"""What becomes of NaN, infinities and planes without a counted pixel? And of booleans."""

import numpy as np
import pytest
import reference
from pixel_tools import assert_bits, peer, scikit_image
from test_float import METHODS, PATTERN, blank, each, judged

import cheq
from cheq.bench.peers import recipe
from cheq.parity.pixels import plane

# ---------------------------------------------------------------- NaN and infinities

BAD = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "negative nan": -np.nan}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bad", BAD)
@each
def test_raise_names_the_plane_and_writes_nothing(method, dtype, bad, threads):
    for shape, place in (((4, 3, 9, 11), (2, 1, 8, 10)), ((4, 3, 9, 11), (0, 0, 0, 0)), ((4, 3, 9, 11), (3, 2, 0, 5))):
        images = plane("both ends", dtype, shape)
        images[place] = BAD[bad]
        kept, out = images.copy(), blank(method, images)
        with pytest.raises(ValueError, match="images") as caught:
            cheq.equalize(images, method=method, out=out, num_threads=threads)
        assert str(place[:2]) in str(caught.value)
        assert (out == PATTERN).all()
        assert images.tobytes() == kept.tobytes()
        if method == "skimage":
            with pytest.raises(ValueError):
                cheq.equalize(images, method=method, out=images, num_threads=threads)
            assert images.tobytes() == kept.tobytes()


@pytest.mark.parametrize("bad", [[1.0, np.nextafter(1.0, 2)], [-1.7e308, 1.7e308]])
@pytest.mark.parametrize("method", METHODS)
def test_one_plane_without_bins_in_a_batch(method, bad):
    images = plane("both ends", "float64", (4, 3, 9, 11))
    images[1, 2] = bad[0]
    images[1, 2, 5, 5] = bad[1]
    for threads in (1, 2):
        out = blank(method, images)
        for policy in ("raise", "omit"):
            with pytest.raises(ValueError) as caught:
                cheq.equalize(images, method=method, out=out, nan_policy=policy, num_threads=threads)
            assert "(1, 2)" in str(caught.value)
            assert (out == PATTERN).all()
    images[1, 2] = 0.37
    assert_bits(cheq.equalize(images, method=method), reference.equalize(images, method=method))


@pytest.mark.parametrize("nbins", [10, 256])
@each
def test_omit_leaves_them_out_of_the_statistics(method, dtype, nbins):
    for seed in range(6):
        image = plane("normal", dtype, (23, 41), seed)
        random = np.random.default_rng(seed)
        for bad in list(BAD.values())[: seed + 1]:
            image[random.random(image.shape) < 0.1] = bad
        finite = np.isfinite(image)
        result = cheq.equalize(image, method=method, nan_policy="omit", nbins=nbins)
        assert_bits(result, reference.equalize(image, method=method, nan_policy="omit", nbins=nbins))
        assert np.isnan(result[np.isnan(image)]).all()
        assert np.isfinite(result[~np.isnan(image)]).all()
        alone = judged(method, image[finite][np.newaxis], nbins)
        assert_bits(result[finite][np.newaxis], alone)
        if np.isinf(image).any():
            assert (result[image == np.inf] == result[finite].max()).all()
            assert (result[image == -np.inf] == result[finite].min()).all()


@each
def test_bad_values_outside_the_mask(method, dtype):
    image = plane("normal", dtype, (23, 41))
    mask = plane("uniform", bool, (23, 41))
    image[~mask & (image < 0.4)] = np.nan
    image[~mask & (image > 0.6)] = np.inf
    image[~mask & (image > 0.5) & (image < 0.55)] = -np.inf
    expected = peer(method, image, mask)
    for policy in ("raise", "omit"):
        assert_bits(cheq.equalize(image, method=method, mask=mask, nan_policy=policy), expected)
    image[mask & (image > 0.5)] = np.nan
    with pytest.raises(ValueError):
        cheq.equalize(image, method=method, mask=mask)
    expected = peer(method, image, mask & np.isfinite(image))
    assert_bits(cheq.equalize(image, method=method, mask=mask, nan_policy="omit"), expected)


@pytest.mark.parametrize("bad", BAD)
@each
def test_a_plane_of_nothing_else(method, dtype, bad):
    images = plane("normal", dtype, (3, 5, 7))
    images[1] = BAD[bad]
    with pytest.raises(ValueError) as caught:
        cheq.equalize(images, method=method)
    assert "(1,)" in str(caught.value) or "plane 1" in str(caught.value)
    result = cheq.equalize(images, method=method, nan_policy="omit")
    assert np.isnan(result[1]).all()
    assert_bits(result, reference.equalize(images, method=method, nan_policy="omit"))
    with pytest.raises(ValueError):
        cheq.equalize(images[1], method=method)
    assert np.isnan(cheq.equalize(images[1], method=method, mask=np.zeros((5, 7), bool))).all()


@pytest.mark.parametrize("nbins", [1, 10, 256])
@each
def test_values_far_outside_the_mask_s_range(method, dtype, nbins):
    image = np.concatenate(
        [plane("uniform", dtype, (9, 11)), [[-3, 7, 1e30, -1e30, 0, -0.0, 1, np.inf, -np.inf, 5, np.nan]]]
    )
    image = image.astype(dtype)
    mask = np.ones(image.shape, bool)
    mask[-1] = False
    with np.errstate(all="ignore"):
        expected = scikit_image(image, mask, nbins) if method == "skimage" else recipe(image, nbins, mask)[0]
    expected[np.isnan(image)] = np.nan  # np.interp says so too, but for one bin
    assert_bits(cheq.equalize(image, method=method, mask=mask, nbins=nbins), expected)


# ---------------------------------------------------------------- booleans


def test_booleans_are_what_scikit_image_makes_of_them():
    random = np.random.default_rng(1)
    for part in (0, 0.01, 0.5, 0.9, 1):
        image = random.random((31, 67)) < part
        assert_bits(cheq.equalize(image, method="skimage"), scikit_image(image))
        mask = random.random((31, 67)) < 0.3
        assert_bits(cheq.equalize(image, method="skimage", mask=mask), scikit_image(image, mask))
    images = random.random((5, 31, 67)) < 0.2
    expected = np.stack([scikit_image(image) for image in images])
    assert_bits(cheq.equalize(images, method="skimage", num_threads=2), expected)
    assert np.isnan(cheq.equalize(images, method="skimage", mask=np.zeros((31, 67), bool))).all()
