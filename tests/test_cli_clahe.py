"""Does `cheq clahe` do to pictures and arrays what its options say, as cv2 and scikit-image do it?"""

import cv2
import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, save
from reference_clahe import clahe
from skimage.exposure import equalize_adapthist
from test_cli_pages import pyramid
from test_cli_seen import SEEN, lying, seen

pytestmark = pytest.mark.cli

LIMITED = ["--clip-limit", 2.5, "--tiles", "3x5"]
SPACES = {
    "ycrcb": (cv2.COLOR_RGB2YCrCb, cv2.COLOR_YCrCb2RGB),
    "yuv": (cv2.COLOR_RGB2YUV, cv2.COLOR_YUV2RGB),
    "lab": (cv2.COLOR_RGB2LAB, cv2.COLOR_LAB2RGB),
}


def opencv(array, limit=2.5, grid=(3, 5)):
    """Each channel of a picture."""
    apply = cv2.createCLAHE(limit, grid).apply
    if array.ndim == 2:
        return apply(array)
    return np.dstack([apply(np.ascontiguousarray(channel)) for channel in np.moveaxis(array, -1, 0)])


def words(*shape):
    return pixels(*shape).astype(np.uint16) * 257 + pixels(*shape, seed=1)


# ---------------------------------------------------------------- limits, tiles, dtypes


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
@pytest.mark.parametrize("make", [pixels, words])
@pytest.mark.parametrize("shape", [(41, 67), (41, 67, 3)])
def test_limits_and_tiles(run, tmp_path, name, make, shape):
    array = make(*shape)
    if name == "a.npy" or make is pixels:
        save(tmp_path / name, array)
    elif name == "a.tif":
        tifffile.imwrite(tmp_path / name, array)
    else:
        cv2.imwrite(str(tmp_path / name), array if array.ndim == 2 else array[..., ::-1])
    axis = ["--channel-axis", -1] if name == "a.npy" and len(shape) == 3 else []
    assert run("clahe", name, "-o", "out/", *LIMITED, *axis).exit_code == 0
    read = tifffile.imread if name == "a.tif" else load
    if name == "a.png":
        result = cv2.imread(str(tmp_path / "out" / name), cv2.IMREAD_UNCHANGED)
        result = result if array.ndim == 2 else result[..., ::-1]
    else:
        result = read(tmp_path / "out" / name)
    np.testing.assert_array_equal(result, opencv(array), strict=True)


def test_the_defaults_are_those_of_opencv(run, tmp_path):
    array = save(tmp_path / "a.png", pixels(41, 67))
    assert run("clahe", "a.png", "-o", "out/").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), cv2.createCLAHE().apply(array), strict=True)


def test_alpha_is_kept(run, tmp_path):
    array = save(tmp_path / "a.png", pixels(41, 67, 4))
    assert run("clahe", "a.png", "-o", "out/", *LIMITED).exit_code == 0
    expected = np.dstack([opencv(array[..., :3]), array[..., 3]])
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)


def test_batches_of_an_array(run, tmp_path):
    array = save(tmp_path / "in.npy", pixels(5, 41, 67))
    assert run("clahe", "in.npy", "-o", "out.npy", *LIMITED).exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), np.stack([opencv(plane) for plane in array]), strict=True)


# ---------------------------------------------------------------- --method skimage


def test_scikit_image_s(run, tmp_path):
    array = save(tmp_path / "a.png", pixels(41, 67))
    options = ["--kernel-size", "9x14", "--clip-limit", 0.03, "--nbins", 100]
    assert run("clahe", "a.png", "-o", "out/", "--method", "skimage", *options).exit_code == 0
    expected = np.rint(255 * equalize_adapthist(array, (9, 14), 0.03, 100)).astype(np.uint8)
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)
    floats = save(tmp_path / "in.npy", np.float32(array) / 255)
    assert run("clahe", "in.npy", "-o", "out.npy", "--method", "skimage", "--kernel-size", 11).exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), equalize_adapthist(floats, 11), strict=True)


def test_volumes(run, tmp_path):
    array = save(tmp_path / "in.npy", np.random.default_rng(0).random((2, 9, 11, 13)))
    options = ["--method", "skimage", "--axes", "-3,-2,-1", "--kernel-size", "3x4x5"]
    assert run("clahe", "in.npy", "-o", "out.npy", *options).exit_code == 0
    expected = np.stack([equalize_adapthist(volume, (3, 4, 5)) for volume in array])
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), expected, strict=True)


# ---------------------------------------------------------------- --color


@pytest.mark.parametrize("color", SPACES)
@pytest.mark.parametrize("make", [pixels, words])
def test_lightness(run, tmp_path, color, make):
    array = make(41, 67, 3)
    tifffile.imwrite(tmp_path / "in.tif", array)
    result = run("clahe", "in.tif", "-o", "out.tif", "--color", color, *LIMITED)
    if (color, make) == ("lab", words):
        assert result.stderr == "error: in.tif: --color lab takes 8 bits, and this is 16-bit RGB\n"
        return
    assert (result.exit_code, result.stderr) == (0, "")
    there, back = SPACES[color]
    converted = cv2.cvtColor(array, there)
    converted[..., 0] = opencv(np.ascontiguousarray(converted[..., 0]))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), cv2.cvtColor(converted, back), strict=True)


def test_gray(run, tmp_path):
    array = save(tmp_path / "a.png", pixels(41, 67, 3))
    assert run("clahe", "a.png", "-o", "out/", "--color", "gray", *LIMITED).exit_code == 0
    expected = opencv(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY))
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)


# ---------------------------------------------------------------- masks, no data, pages, orientation


def test_masks(run, tmp_path):
    array, mask = save(tmp_path / "a.png", pixels(41, 67)), save(tmp_path / "mask.png", pixels(41, 67, seed=9) > 80)
    expected = clahe(array, clip_limit=2.5, tile_grid_size=(3, 5), mask=mask)
    for outside, result in (("lut", expected), ("keep", np.where(mask, expected, array))):
        options = ["--mask", "mask.png", "--outside", outside]
        assert run("clahe", "a.png", "-o", f"{outside}/", *LIMITED, *options).exit_code == 0
        np.testing.assert_array_equal(load(tmp_path / outside / "a.png"), result, strict=True)


@pytest.mark.parametrize("name", ["a.png", "a.npy"])
def test_pixels_that_stand_for_none(run, tmp_path, name):
    array = pixels(41, 67)
    array[:20, :30] = 9
    save(tmp_path / name, array)
    assert run("clahe", name, "-o", "out/", "--nodata", 9, *LIMITED).exit_code == 0
    expected = clahe(array, clip_limit=2.5, tile_grid_size=(3, 5), mask=array != 9)
    expected[expected == 9] = 10
    np.testing.assert_array_equal(load(tmp_path / "out" / name), np.where(array == 9, 9, expected), strict=True)


def test_nodata_that_no_pixel_has_asks_for_no_mask(run, tmp_path):
    array = save(tmp_path / "a.png", pixels(41, 67))
    assert run("clahe", "a.png", "-o", "out/", "--nodata", 3, "--method", "skimage").exit_code == 0
    expected = np.rint(255 * equalize_adapthist(array)).astype(np.uint8)
    expected[expected == 3] = 4
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)


def test_an_overview_has_tiles_of_its_own(run, tmp_path):
    array = pixels(64, 80)
    parts = pyramid(tmp_path / "in.tif", array)
    assert run("clahe", "in.tif", "-o", "out.tif", *LIMITED).exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        results = [page.asarray() for page in file.pages]
    assert len(results) == len(parts)
    for result, source in zip(results, (array, array[::2, ::2]), strict=True):
        np.testing.assert_array_equal(result, opencv(source), strict=True)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
@pytest.mark.parametrize("orientation", SEEN)
def test_tiles_are_those_of_the_picture_as_it_is_seen(run, tmp_path, name, orientation):
    """41 x 67 grows on its right and at its bottom to 45 x 69 for 3 x 5 tiles, whichever way it is stored."""
    array = pixels(41, 67, 3)
    lying(tmp_path / name, array, orientation)
    mask = save(tmp_path / "mask.png", pixels(*SEEN[orientation](array).shape[:2], seed=9) > 80)
    assert run("clahe", name, "-o", "out/", *LIMITED).exit_code == 0
    np.testing.assert_array_equal(seen(tmp_path / "out" / name), opencv(SEEN[orientation](array)), strict=True)
    assert run("clahe", name, "-o", "masked/", "--mask", "mask.png", *LIMITED).exit_code == 0
    expected = clahe(SEEN[orientation](array), clip_limit=2.5, tile_grid_size=(3, 5), mask=mask, channel_axis=-1)
    np.testing.assert_array_equal(seen(tmp_path / "masked" / name), expected, strict=True)


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "pillow"], "'pillow' is not one of 'opencv', 'skimage'"),
        (["--shared-lut"], "No such option: --shared-lut"),
        (
            ["--tiles", "8"],
            "tile_grid_size: expected two ints, (columns, rows), got (8,) (on the command line: --",
        ),
        (["--tiles", "8xx"], "'8xx' is not whole numbers with commas or x between them"),
        (["--tiles", "0x8"], "(on the command line: --tiles)"),
        (["--clip-limit", "nan"], "(on the command line: --clip-limit)"),
        (["--kernel-size", "8x8"], "(on the command line: --kernel-size)"),
        (["--nbins", "100"], "(on the command line: --nbins)"),
        (["--method", "skimage", "--tiles", "8x8"], "(on the command line: --tiles)"),
        (["--method", "skimage", "--clip-limit", "2"], "(on the command line: --clip-limit)"),
        (["--method", "skimage", "--color", "lab"], "(on the command line: --"),
        (["--method", "skimage", "--axes", "-3,-2,-1", "--kernel-size", "8x8"], "(on the command line: --kernel-size)"),
        (["--axes", "-2,-1", "--color", "lab"], "--axes says which pixels of an array share a histogram, and so does"),
    ],
)
def test_usage_errors(run, tmp_path, monkeypatch, options, message):
    monkeypatch.setenv("COLUMNS", "400")
    save(tmp_path / "a.png", pixels(9, 14))
    result = run("clahe", "a.png", "-o", "out/", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.zeros((9, 14), np.float32), [], "--method opencv does not take float32 gray; --method skimage does"),
        (np.zeros((9, 14), np.uint8), ["--method", "skimage", "--mask", "mask.png"], "(on the command line: --mask)"),
    ],
)
def test_files_that_a_method_does_not_take(run, tmp_path, array, options, message):
    tifffile.imwrite(tmp_path / "a.tif", array)
    save(tmp_path / "mask.png", pixels(9, 14) > 80)
    result = run("clahe", "a.tif", "-o", "out.tif", *options)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert message in result.stderr
