"""Are pixels that have no value not counted, and do they stay; and does no other become one of them?"""

import shutil
import subprocess

import cv2
import numpy as np
import pytest
import reference
import tifffile
from cli_tools import load, pixels, save
from skimage.exposure import equalize_hist
from test_cli_kept import words

pytestmark = pytest.mark.cli


def write(path, array, nodata=None, **options):
    """Write a TIFF, with GDAL's tag."""
    tags = [] if nodata is None else [(42113, 2, 0, nodata.encode(), True)]
    photometric = "rgb" if array.ndim == 3 else "minisblack"
    tifffile.imwrite(path, array, extratags=tags, metadata=None, **{"photometric": photometric, **options})


def result_of(path):
    """Pixels and GDAL's tag of a result, by a reader that is not ours."""
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        return file.asarray(), tags[42113].value if 42113 in tags else None


def by_hand(plane, none, nodata, method="opencv", mask=None):
    """One plane: what is not counted stays, and what would become `nodata` takes the level beside it."""
    counted = ~none if mask is None else ~none & mask
    result = reference.equalize(plane, method=method, mask=counted)
    top = np.iinfo(plane.dtype).max
    if 0 <= nodata <= top:
        result[result == nodata] = nodata + 1 if nodata < top else nodata - 1
    return np.where(none, plane, result)


# 9999 in the middle, the ends, a level that results have, and levels that 16 bits do not have.
@pytest.mark.parametrize("nodata", ["9999", "0", "65535", "65535.0", "32767", "-9999", "1.5", "1e3", "nan"])
def test_levels_that_stand_for_none(run, tmp_path, nodata):
    array = words(64, 80)
    level = float(nodata)
    none = np.zeros(array.shape, bool)
    if level in range(65536):
        array[:32] = int(level)
        none = array == int(level)
    write(tmp_path / "in.tif", array, nodata)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    result, tag = result_of(tmp_path / "out.tif")
    np.testing.assert_array_equal(result, by_hand(array, none, -1 if np.isnan(level) else level), strict=True)
    assert tag == nodata
    # What GDAL takes for none is what it took for it before.
    np.testing.assert_array_equal(result == level, none)


@pytest.mark.parametrize("level", [0, 77, 254, 255])
def test_no_valid_pixel_becomes_nodata_and_each_moves_by_one_level(run, tmp_path, level):
    """All levels as often as each other: the equalized picture has all of them too."""
    array = np.arange(256, dtype=np.uint8).repeat(4).reshape(32, 32)
    write(tmp_path / "in.tif", array, str(level))
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    result, _ = result_of(tmp_path / "out.tif")
    np.testing.assert_array_equal(result == level, array == level)
    plain = reference.equalize(array, mask=array != level)
    assert (plain[array != level] == level).any()  # so that the rule is needed
    moved = np.where((plain == level) & (array != level), level + (1 if level < 255 else -1), plain)
    np.testing.assert_array_equal(result[array != level], moved[array != level])


@pytest.mark.parametrize("method", ["opencv", "pillow", "skimage", "numpy"])
def test_each_method_and_a_mask(run, tmp_path, method):
    array = pixels(64, 80)
    array[:32] = 9
    mask = save(tmp_path / "mask.png", pixels(64, 80, seed=3) > 80)
    write(tmp_path / "in.tif", array, "9")
    counted = (array != 9) & mask
    dtype = {"skimage": {"dtype": "same"}, "numpy": {"dtype": "same"}}.get(method, {})
    plain = reference.equalize(array, method=method, mask=counted, **dtype)
    plain[plain == 9] = 10
    for outside, kept in (("lut", array == 9), ("keep", ~counted)):
        options = ["--method", method, "--mask", "mask.png", "--outside", outside, "--overwrite"]
        assert run("equalize", "in.tif", "-o", "out.tif", *options).exit_code == 0
        np.testing.assert_array_equal(result_of(tmp_path / "out.tif")[0], np.where(kept, array, plain), strict=True)


def test_channels_have_their_own(run, tmp_path):
    array = pixels(64, 80, 3)
    array[:20, :, 0], array[10:30, :, 1], array[:5] = 7, 7, 7
    write(tmp_path / "in.tif", array, "7")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    expected = np.dstack([by_hand(plane, plane == 7, 7) for plane in np.moveaxis(array, -1, 0)])
    np.testing.assert_array_equal(result_of(tmp_path / "out.tif")[0], expected, strict=True)


@pytest.mark.parametrize("color", ["gray", "ycrcb"])
def test_together_channels_stand_for_none_where_all_do(run, tmp_path, color):
    array = pixels(64, 80, 3)
    array[:20, :, 0], array[:5] = 7, 7
    none = (array == 7).all(axis=-1)
    write(tmp_path / "in.tif", array, "7")
    assert run("equalize", "in.tif", "-o", "out.tif", "--color", color).exit_code == 0
    if color == "gray":
        expected = reference.equalize(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY), mask=~none)
    else:
        lightness = cv2.cvtColor(array, cv2.COLOR_RGB2YCrCb)
        lightness[..., 0] = reference.equalize(lightness[..., 0], mask=~none)
        expected = cv2.cvtColor(lightness, cv2.COLOR_YCrCb2RGB)
    expected[expected == 7] = 8
    expected[none] = 7
    np.testing.assert_array_equal(result_of(tmp_path / "out.tif")[0], expected, strict=True)


def test_white_as_zero_turns_nodata_round_too(run, tmp_path):
    array = pixels(64, 80)
    array[:32] = 255
    write(tmp_path / "in.tif", array, "255", photometric="miniswhite")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    result, tag = result_of(tmp_path / "out.tif")
    np.testing.assert_array_equal(result, by_hand(255 - array, array == 255, 0), strict=True)
    assert tag == "0"


def test_an_index_of_a_palette_that_stands_for_none(run, tmp_path):
    indices = pixels(64, 80) % 16
    colors = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    write(tmp_path / "in.tif", indices, "5", photometric="palette", colormap=colors)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert (result.exit_code, result.stderr) == (
        0,
        "warning: in.tif: its GDAL_NODATA is an index of its palette and left out\n",
    )
    looked_up = (colors >> 8).astype(np.uint8).T[indices]
    planes = [reference.equalize(plane, mask=indices != 5) for plane in np.moveaxis(looked_up, -1, 0)]
    expected = np.where((indices == 5)[..., np.newaxis], looked_up, np.dstack(planes))
    np.testing.assert_array_equal(result_of(tmp_path / "out.tif")[0], expected, strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("nodata", ["nan", "-9999", "-3.4028234663852886e+38", "0"])
def test_floats(run, tmp_path, dtype, nodata):
    array = np.random.default_rng(0).random((64, 80)).astype(dtype)
    array[:32] = dtype(float(nodata))
    none = np.arange(64 * 80).reshape(64, 80) < 32 * 80
    write(tmp_path / "in.tif", array, nodata)
    assert run("equalize", "in.tif", "-o", "out.tif", "--method", "skimage").exit_code == 0
    result, tag = result_of(tmp_path / "out.tif")
    expected = equalize_hist(array[~none].reshape(32, 80)).astype(dtype)
    np.testing.assert_array_equal(result[~none].reshape(32, 80), expected, strict=True)
    np.testing.assert_array_equal(result[none], array[none], strict=True)
    assert tag == nodata


def test_a_float_that_would_become_nodata(run, tmp_path):
    """The highest value becomes 1, which stands for none here: the next lower one; in the middle, the next higher."""
    array = np.arange(256, dtype=np.float32).reshape(16, 16) + 10
    plain = equalize_hist(array)
    for nodata in (plain.max(), plain[8, 8]):
        write(tmp_path / "in.tif", array, repr(float(nodata)))
        assert run("equalize", "in.tif", "-o", "out.tif", "--method", "skimage", "--overwrite").exit_code == 0
        beside = np.nextafter(nodata, np.float32(0 if nodata == plain.max() else 2))
        np.testing.assert_array_equal(
            result_of(tmp_path / "out.tif")[0], np.where(plain == nodata, beside, plain), strict=True
        )


def test_nan_is_left_out_if_asked_for(run, tmp_path):
    array = np.random.default_rng(0).random((64, 80)).astype(np.float32)
    array[3:9, 5] = np.nan
    none = np.isnan(array)
    write(tmp_path / "in.tif", array)
    np.save(tmp_path / "in.npy", array)
    expected = array.copy()
    expected[~none] = equalize_hist(array[~none])
    for name in ("in.tif", "in.npy"):
        target = name.replace("in", "out")
        refused = run("equalize", name, "-o", target, "--method", "skimage")
        assert refused.exit_code == 1
        assert "; pass --nan omit to leave it out\n" in refused.stderr
        for options in (["--nan", "omit"], ["--nodata", "nan"]):
            assert run("equalize", name, "-o", target, "--method", "skimage", *options, "--overwrite").exit_code == 0
            found = np.load(tmp_path / target) if name == "in.npy" else tifffile.imread(tmp_path / target)
            np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize("name", ["in.png", "in.npy", "in.npz", "in.tif"])
def test_a_value_for_files_that_name_none(run, tmp_path, name):
    array = pixels(64, 80)
    array[:32] = 99
    if name == "in.npz":
        np.savez(tmp_path / name, images=array)
    else:
        save(tmp_path / name, array)
    target = name.replace("in", "out")
    assert run("equalize", name, "-o", target, "--nodata", "99").exit_code == 0
    found = np.load(tmp_path / target)["images"] if name == "in.npz" else load(tmp_path / target)
    np.testing.assert_array_equal(found, by_hand(array, array == 99, 99), strict=True)


def test_the_tag_of_a_file_comes_before_the_option(run, tmp_path):
    array = pixels(64, 80)
    array[:32] = 9
    write(tmp_path / "in.tif", array, "9")
    assert run("equalize", "in.tif", "-o", "out.tif", "--nodata", "50").exit_code == 0
    np.testing.assert_array_equal(result_of(tmp_path / "out.tif")[0], by_hand(array, array == 9, 9), strict=True)


@pytest.mark.parametrize(("axis", "shape"), [(None, (7, 31, 47)), (1, (7, 3, 31, 47)), (-1, (7, 31, 47, 3))])
@pytest.mark.parametrize("more", [[], ["--shared-lut"], ["--color", "gray"]])
def test_batches_in_parts(run, tmp_path, monkeypatch, axis, shape, more):
    monkeypatch.setattr("cheq.cli.arrays._BLOCK", 10_000)  # several parts
    array = pixels(*shape)
    array[2:, ..., 5:9, :] = 60
    save(tmp_path / "in.npy", array)
    options = [*more, *([] if axis is None else ["--channel-axis", axis])]
    assert run("equalize", "in.npy", "-o", "out.npy", "--nodata", "60", *options).exit_code == 0
    last = array if axis is None else np.moveaxis(array, axis, -1)
    none = last == 60
    if more == ["--color", "gray"] and axis is not None:
        none = none.all(axis=-1)
        last = np.stack([cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY) for image in last])
    channels = last.ndim == 4
    axes = ((0, 1, 2) if more == ["--shared-lut"] else (1, 2)) if channels else None
    if more == ["--shared-lut"] and not channels:
        axes = (0, 1, 2)
    expected = reference.equalize(last, mask=~none, channel_axis=-1 if channels else None, axes=axes)
    expected[expected == 60] = 61
    expected[none] = last[none]
    expected = np.moveaxis(expected, -1, axis) if channels else expected
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), expected, strict=True)


def test_values_that_are_no_numbers(run, tmp_path):
    array = pixels(64, 80)
    write(tmp_path / "in.tif", array, "none")
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 0
    assert "warning: in.tif: its GDAL_NODATA is no number and left out: 'none'" in result.stderr
    np.testing.assert_array_equal(result_of(tmp_path / "out.tif")[0], cv2.equalizeHist(array), strict=True)
    result = run("equalize", "in.tif", "-o", "out.tif", "--nodata", "none")
    assert (result.exit_code, "--nodata takes a number or nan, not 'none'" in result.stderr) == (2, True)


def test_a_mask_of_another_size_beside_nodata(run, tmp_path):
    write(tmp_path / "in.tif", pixels(64, 80), "60")
    save(tmp_path / "mask.png", pixels(8, 9) > 80)
    result = run("equalize", "in.tif", "-o", "out.tif", "--mask", "mask.png")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: in.tif: mask: it has 9 x 8 pixels, and the picture, as one sees it, 80 x 64"
    )


def test_outside_a_mask_pixels_stay_if_asked_for(run, tmp_path):
    mask = save(tmp_path / "mask.png", pixels(31, 47, seed=9) > 100)
    for name, channels in (("a.png", 0), ("b.png", 3), ("c.npy", 0)):
        array = save(tmp_path / name, pixels(31, 47, *[channels] * (channels > 0)))
        assert run("equalize", name, "-o", "out/", "--mask", "mask.png", "--outside", "keep").exit_code == 0
        whole = reference.equalize(array, channel_axis=-1 if channels else None, mask=mask)
        kept = np.where(mask[..., np.newaxis] if channels else mask, whole, array)
        np.testing.assert_array_equal(load(tmp_path / "out" / name), kept, strict=True)


@pytest.mark.skipif(not shutil.which("gdalinfo"), reason="GDAL's tools (Debian's gdal-bin) are not installed")
def test_gdal_finds_as_many_valid_pixels_as_before(run, tmp_path):
    array = words(64, 80)
    array[:32] = 9999
    write(tmp_path / "in.tif", array, "9999")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    for name in ("in.tif", "out.tif"):
        told = subprocess.run(["gdalinfo", "-stats", name], check=True, cwd=tmp_path, capture_output=True, text=True)
        assert "STATISTICS_VALID_PERCENT=50" in told.stdout
