"""Do 16 bits stay 16 bits, pages pages, and all that a picture carries with it?"""

import struct
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
import reference
import tifffile
from cli_tools import load, pixels, save
from marks import exhaustive
from PIL import Image, ImageOps

pytestmark = pytest.mark.cli

EXIF, GPS = 0x8769, 0x8825


def words(*shape, seed=0):
    """12-bit levels in 16 bits, as cameras give."""
    return np.random.default_rng(seed).integers(300, 3900, shape, np.uint16)


def planes_of(array, alpha=False):
    """The planes to equalize of (height, width) or (height, width, channels)."""
    channels = array.reshape(*array.shape[:2], -1)
    return [channels[..., index] for index in range(channels.shape[2] - alpha)]


def expected(array, alpha=False):
    """Each channel but alpha by the slow reference."""
    planes = [reference.equalize(plane) for plane in planes_of(array, alpha)]
    if alpha:
        planes.append(array[..., -1])
    return np.dstack(planes) if array.ndim == 3 else planes[0]


# ---------------------------------------------------------------- 16 bits


@pytest.mark.parametrize("channels", [0, 2, 3, 4])
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_16_bits_stay_16_bits(run, tmp_path, extension, channels):
    array = words(23, 31, *[channels] * (channels > 0))
    alpha = channels in (2, 4)
    if extension == "png" and channels == 2:
        (tmp_path / "in.png").write_bytes(imagecodecs.png_encode(array))
    elif extension == "png":
        assert cv2.imwrite(str(tmp_path / "in.png"), array[..., [2, 1, 0, 3][:channels]] if channels else array)
    else:
        kind = {"photometric": "rgb" if channels > 2 else "minisblack", "extrasamples": ["unassalpha"] * alpha or None}
        tifffile.imwrite(tmp_path / "in.tif", array, **kind, planarconfig="contig" if channels else None)
    assert run("equalize", f"in.{extension}", "-o", "out.tif").exit_code == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected(array, alpha), strict=True)
    assert run("equalize", f"in.{extension}", "-o", "out.png").exit_code == 0
    if channels == 2:
        out = imagecodecs.png_decode((tmp_path / "out.png").read_bytes())
    else:
        out = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
        out = out[..., [2, 1, 0, 3][:channels]] if channels else out
    np.testing.assert_array_equal(out, expected(array, alpha), strict=True)


@pytest.mark.parametrize("extension", ["jpg", "webp", "bmp", "gif"])
@pytest.mark.parametrize("channels", [0, 3])
def test_16_bits_are_not_halved_for_a_format_of_8(run, tmp_path, extension, channels):
    array = words(23, 31, *[channels] * (channels > 0))
    tifffile.imwrite(tmp_path / "in.tif", array, photometric="rgb" if channels else "minisblack")
    result = run("equalize", "in.tif", "-o", f"out.{extension}")
    kind = "16-bit RGB" if channels else "16-bit gray"
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: in.tif: a .{extension} file cannot hold {kind} (it holds 8-bit")
    assert result.stderr.endswith("; .png and .tif can\n")
    assert not (tmp_path / f"out.{extension}").exists()


def test_white_as_zero_is_turned_round(run, tmp_path):
    array = words(23, 31)
    tifffile.imwrite(tmp_path / "in.tif", array, photometric="miniswhite")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected(65535 - array), strict=True)


def test_floats_take_their_own_methods(run, tmp_path):
    array = np.random.default_rng(0).random((23, 31)).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", array)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 1
    said = "--method opencv does not take float32 gray; --method skimage or numpy does"
    assert result.stderr == f"error: in.tif: {said}\n"
    assert run("equalize", "in.tif", "-o", "out.tif", "--method", "skimage").exit_code == 0
    from skimage.exposure import equalize_hist

    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), equalize_hist(array), strict=True)


def test_more_channels_than_colors_have(run, tmp_path):
    array = words(23, 31, 5)
    tifffile.imwrite(tmp_path / "in.tif", array, photometric="minisblack", planarconfig="contig")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected(array), strict=True)
    result = run("equalize", "in.tif", "-o", "out.png")
    assert result.stderr.startswith("error: in.tif: a .png file cannot hold 16-bit 5 channels")


# ---------------------------------------------------------------- pages and frames


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}, {"bigtiff": True}, {"byteorder": ">"}])
def test_every_page_of_a_tiff(run, tmp_path, options):
    array = words(5, 23, 31)
    tifffile.imwrite(tmp_path / "in.tif", array, photometric="minisblack", metadata={"axes": "ZYX"}, **options)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "in.tif") as before, tifffile.TiffFile(tmp_path / "out.tif") as after:
        assert len(after.pages) == 5
        assert after.is_bigtiff == before.is_bigtiff
        # What ImageJ and OME say of the axes stands in the description, and is true of the result too.
        assert (after.is_imagej, after.is_ome) == (before.is_imagej, before.is_ome)
        assert after.series[0].axes == before.series[0].axes or not (before.is_imagej or before.is_ome)
        np.testing.assert_array_equal(
            after.asarray().reshape(5, 23, 31), np.stack([expected(page) for page in array]), strict=True
        )


def test_pages_of_different_size_and_kind(run, tmp_path):
    pages = [words(23, 31, 3), pixels(9, 14), words(5, 7)]
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for page in pages:
            file.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        for page, before in zip(file.pages, pages, strict=True):
            np.testing.assert_array_equal(page.asarray(), expected(before), strict=True)
    result = run("equalize", "in.tif", "-o", "out.png")
    assert (
        result.stderr == "error: in.tif: a .png file holds one picture, and the source has more; .tif holds them all\n"
    )


def test_a_gif_keeps_its_transparency(run, tmp_path):
    colors = Image.fromarray(pixels(31, 47, 3)).quantize(20)
    colors.save(tmp_path / "in.gif", transparency=7)
    with Image.open(tmp_path / "in.gif") as image:
        before = np.array(image.convert("RGBA"))
    assert run("equalize", "in.gif", "-o", "out.gif").exit_code == 0
    with Image.open(tmp_path / "out.gif") as image:
        after = np.array(image.convert("RGBA"))
    seen = before[..., 3] == 255
    assert 0 < seen.sum() < seen.size
    np.testing.assert_array_equal(after[..., 3], before[..., 3])
    np.testing.assert_array_equal(after[seen], expected(before, alpha=True)[seen])


def test_a_gif_holds_256_colors(run, tmp_path):
    save(tmp_path / "in.png", pixels(31, 47, 3))
    result = run("equalize", "in.png", "-o", "out.gif")
    assert result.exit_code == 1
    assert "a .gif file cannot hold" in result.stderr
    assert "colors (it holds 256); .png can" in result.stderr
    array = np.dstack([pixels(31, 47), np.full((31, 47), 99, np.uint8)])
    save(tmp_path / "half.png", array)
    assert "partly transparent" in run("equalize", "half.png", "-o", "out.gif").stderr


# ---------------------------------------------------------------- what travels with the pixels


def camera_exif():
    """What a camera says: a description, an orientation, an exposure, a place."""
    exif = Image.Exif()
    exif[270], exif[271], exif[274] = "a description", "a maker", 6
    exif.get_ifd(EXIF)[33434] = (1, 100)
    exif.get_ifd(EXIF)[36867] = "2020:01:01 00:00:00"
    exif.get_ifd(GPS).update({1: "N", 2: (1.0, 2.0, 3.5)})
    return exif


@pytest.mark.parametrize("target", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("source", ["tif", *exhaustive("jpg", "png", "webp")])
def test_exif_with_its_directories(run, tmp_path, source, target):
    save(tmp_path / "in.jpg", pixels(31, 47, 3), exif=camera_exif())
    if source != "jpg":
        assert run("equalize", "in.jpg", "-o", f"in.{source}").exit_code == 0
    assert run("equalize", f"in.{source}", "-o", f"out.{target}", "--overwrite").exit_code == 0
    with Image.open(tmp_path / f"out.{target}") as image:
        exif = image.getexif()
        assert (exif[270], exif[271], exif[274]) == ("a description", "a maker", 6)
        assert exif.get_ifd(EXIF) == {33434: (1, 100), 36867: "2020:01:01 00:00:00"}
        assert exif.get_ifd(GPS) == {1: "N", 2: (1.0, 2.0, 3.5)}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("target", ["bmp", "ppm", "gif", "png", "tif", "webp"])
def test_pictures_are_turned_once(run, tmp_path, target, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    array = pixels(31, 47)
    save(tmp_path / "in.png", array, exif=exif)
    assert run("equalize", "in.png", "-o", f"out.{target}").exit_code == 0
    with Image.open(tmp_path / "in.png") as image:
        seen = np.array(ImageOps.exif_transpose(image))
    with Image.open(tmp_path / f"out.{target}") as image:
        np.testing.assert_array_equal(np.array(ImageOps.exif_transpose(image).convert("L")), expected(seen))


@pytest.mark.parametrize("big", [True, False])
def test_text_that_is_not_ascii_stays_what_it_is(run, tmp_path, big):
    array = words(23, 31)
    tags = [(270, 2, 0, "4 µm".encode(), True), (315, 2, 0, "Å".encode(), True)]
    tifffile.imwrite(tmp_path / "in.tif", array, extratags=tags, metadata=None, bigtiff=big)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert (file.pages[0].tags[270].value, file.pages[0].tags[315].value) == ("4 µm", "Å")


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_a_resolution_keeps_its_unit(run, tmp_path, unit):
    tifffile.imwrite(tmp_path / "in.tif", words(23, 31), resolution=(3.25, 4.5), resolutionunit=unit)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        tags = file.pages[0].tags
        assert [tags[code].value for code in (282, 283, 296)] == [(13, 4), (9, 2), unit]
    assert run("equalize", "in.tif", "-o", "out.png").exit_code == 0
    with Image.open(tmp_path / "out.png") as image:
        scale = {1: None, 2: 1, 3: 2.54}[unit]
        assert ("dpi" in image.info) == (scale is not None)
        assert scale is None or image.info["dpi"] == pytest.approx((3.25 * scale, 4.5 * scale), rel=1e-2)


def test_a_profile_of_rgb_does_not_travel_with_gray(run, tmp_path):
    profile = bytes(16) + b"RGB " + bytes(108)
    save(tmp_path / "in.png", pixels(31, 47, 3), icc_profile=profile)
    for color, kept in (("channels", profile), ("gray", None)):
        for target in ("png", "tif", "jpg"):
            command = ["equalize", "in.png", "-o", f"{color}.{target}", "--color", color]
            assert run(*command).exit_code == 0
            with Image.open(tmp_path / f"{color}.{target}") as image:
                assert image.info.get("icc_profile") == kept


def test_damaged_exif_and_profile_do_not_stop_a_picture(run, tmp_path):
    array = save(tmp_path / "in.jpg", np.full((31, 47), 90, np.uint8), exif=b"Exif\0\0XX*\0nothing")
    result = run("equalize", "in.jpg", "-o", "out.png")
    assert (result.exit_code, result.stderr) == (0, "warning: in.jpg: its EXIF is damaged and left out\n")
    np.testing.assert_array_equal(load(tmp_path / "out.png"), array, strict=True)
    data = (tmp_path / "out.png").read_bytes()
    content = b"iCCPname\0\0not zlib"
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    (tmp_path / "in.png").write_bytes(data[:33] + chunk + data[33:])
    assert run("equalize", "in.png", "-o", "out.bmp").exit_code == 0


@pytest.mark.parametrize("compression", ["NONE", "LZW", "PACKBITS", "ADOBE_DEFLATE", "ZSTD", "JPEG"])
def test_compression_is_kept_where_it_loses_nothing(run, tmp_path, compression):
    array = pixels(64, 48, 3)
    tifffile.imwrite(tmp_path / "in.tif", array, compression=compression, photometric="rgb")
    before = load(tmp_path / "in.tif") if compression == "JPEG" else array
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].compression.name == (compression if compression != "JPEG" else "ADOBE_DEFLATE")
        np.testing.assert_array_equal(file.asarray(), expected(before), strict=True)
