"""Does every kind of picture come back equalized as cv2 does it, with all else kept, or refused by name?"""

import io
import struct
import warnings
import zlib

import cv2
import numpy as np
import PIL
import pytest
from cli_tools import load, pixels, save
from marks import exhaustive
from PIL import Image, TiffImagePlugin

from cheq.pictures.formats import About, Picture, read, write

pytestmark = pytest.mark.cli

SHAPES = {"L": (31, 47), "LA": (31, 47, 2), "RGB": (31, 47, 3), "RGBA": (31, 47, 4)}
# What each format holds; everything else must be refused.
HOLDS = {
    "png": {"L", "LA", "RGB", "RGBA"},
    "PNG": {"L", "LA", "RGB", "RGBA"},
    "tif": {"L", "LA", "RGB", "RGBA"},
    "tiff": {"L", "LA", "RGB", "RGBA"},
    "webp": {"RGB", "RGBA"},  # and gray, as RGB
    "bmp": {"L", "RGB"},
    "ppm": {"L", "RGB"},
    "pnm": {"L", "RGB"},
    "pgm": {"L"},
}


def _expected(array):
    """Split, equalize each channel but alpha, merge."""
    if array.ndim == 2:
        return cv2.equalizeHist(array)
    channels = list(cv2.split(array))
    colors = len(channels) - (len(channels) in (2, 4))
    return cv2.merge([cv2.equalizeHist(channel) for channel in channels[:colors]] + channels[colors:])


def _mode(path):
    with Image.open(path) as image:
        return image.mode


def _transparent(mode):
    """Pixels of a mode with all kinds of alpha, also 0 over colors that count."""
    array = pixels(*SHAPES[mode])
    if mode.endswith("A"):
        array[..., -1] = np.arange(31 * 47).reshape(31, 47) % 256
        array[:5, :, -1] = 0
    return array


# ---------------------------------------------------------------- the kinds of pixels


KINDS = {"L": "8-bit gray", "LA": "8-bit gray with alpha", "RGB": "8-bit RGB", "RGBA": "8-bit RGB with alpha"}


@pytest.mark.parametrize("mode", SHAPES)
@pytest.mark.parametrize("extension", HOLDS)
def test_every_format_and_mode(run, tmp_path, extension, mode):
    array = save(tmp_path / "in.png", _transparent(mode))
    result = run("equalize", "in.png", "-o", f"out.{extension}")
    if mode in HOLDS[extension]:
        assert (result.exit_code, result.stderr) == (0, "")
        assert _mode(tmp_path / f"out.{extension}") == mode
        np.testing.assert_array_equal(load(tmp_path / f"out.{extension}"), _expected(array), strict=True)
        again = run("equalize", f"out.{extension}", "-o", "again.png")
        assert again.exit_code == 0
        assert load(tmp_path / "again.png").shape == array.shape
    elif extension == "webp":
        out = load(tmp_path / "out.webp")
        np.testing.assert_array_equal(out[..., 0], _expected(array) if mode == "L" else _expected(array)[..., 0])
        assert (out[..., :3] == out[..., :1]).all()
        assert mode == "L" or (out[..., 3] == array[..., 1]).all()
    else:
        message = f"error: in.png: a .{extension} file cannot hold {KINDS[mode]} (it holds 8-bit "
        assert result.exit_code == 1
        assert result.stderr.startswith(message)
        assert result.stderr.endswith("; .png and .tif can\n")
        assert not (tmp_path / f"out.{extension}").exists()


@pytest.mark.parametrize("extension", ["jpg", "JPEG"])
@pytest.mark.parametrize("mode", SHAPES)
def test_jpeg(run, tmp_path, extension, mode, pictures):
    color = pictures["astronaut"][100:300, 50:321]
    array = {"L": color[..., 0], "LA": color[..., :2], "RGB": color, "RGBA": np.dstack([color, color[..., 0]])}[mode]
    save(tmp_path / "in.png", array)
    result = run("equalize", "in.png", "-o", f"out.{extension}")
    if mode.endswith("A"):
        assert result.exit_code == 1
        said = f"a .{extension} file cannot hold {KINDS[mode]} (it holds 8-bit RGB and 8-bit gray); .png and .tif can"
        assert said in result.stderr
        return
    assert result.exit_code == 0
    out = load(tmp_path / f"out.{extension}")
    assert out.shape == array.shape
    assert np.abs(out.astype(int) - _expected(array)).mean() < 3
    with Image.open(tmp_path / f"out.{extension}") as image:
        # 4:4:4: no channel is sampled more coarsely than another.
        assert {component[1:3] for component in image.layer} == {(1, 1)}
    # What is equalized is what Pillow reads.
    assert run("equalize", f"out.{extension}", "-o", "again.png").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "again.png"), _expected(out), strict=True)


@pytest.mark.parametrize("extension", ["png", "bmp", "tif"])
def test_a_palette_is_looked_up(run, tmp_path, extension):
    image = Image.fromarray(pixels(31, 47, 3)).quantize(20)
    image.save(tmp_path / f"in.{extension}")
    assert run("equalize", f"in.{extension}", "-o", f"out.{extension}").exit_code == 0
    assert _mode(tmp_path / f"out.{extension}") == "RGB"
    expected = _expected(np.array(image.convert("RGB")))
    np.testing.assert_array_equal(load(tmp_path / f"out.{extension}"), expected, strict=True)


@pytest.mark.parametrize("transparent", [3, bytes(range(0, 200, 10))])
def test_a_palette_with_transparency_becomes_rgba(run, tmp_path, transparent):
    Image.fromarray(pixels(31, 47, 3)).quantize(20).save(tmp_path / "in.png", transparency=transparent)
    with Image.open(tmp_path / "in.png") as image:
        rgba = np.array(image.convert("RGBA"))
    assert run("equalize", "in.png", "-o", "out.png").exit_code == 0
    assert len(np.unique(rgba[..., 3])) > 1
    np.testing.assert_array_equal(load(tmp_path / "out.png"), _expected(rgba), strict=True)


@pytest.mark.parametrize(("mode", "transparent"), [("L", 77), ("RGB", (70, 80, 90))])
def test_a_transparent_color_becomes_alpha(run, tmp_path, mode, transparent):
    array = pixels(*SHAPES[mode])
    array[3:9, 5:30] = transparent
    save(tmp_path / "in.png", array, transparency=transparent)
    assert run("equalize", "in.png", "-o", "out.png").exit_code == 0
    out = load(tmp_path / "out.png")
    hidden = (array == transparent) if mode == "L" else (array == transparent).all(axis=-1)
    np.testing.assert_array_equal(out[..., -1], np.where(hidden, 0, 255))
    colors = out[..., 0] if mode == "L" else out[..., :-1]
    np.testing.assert_array_equal(colors, _expected(array))


def test_the_content_decides_not_the_extension(run, tmp_path):
    array = pixels(31, 47, 3)
    Image.fromarray(array).save(tmp_path / "in.jpg", format="PNG")
    assert run("equalize", "in.jpg", "-o", "out.png").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.png"), _expected(array), strict=True)


@pytest.mark.parametrize("array", [pixels(1, 1), np.full((3, 5), 9, np.uint8), np.zeros((2, 3, 4), np.uint8)])
def test_pictures_with_nothing_to_equalize(run, tmp_path, array):
    save(tmp_path / "in.png", array)
    assert run("equalize", "in.png", "-o", "out.png").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.png"), array, strict=True)


# ---------------------------------------------------------------- what is refused

reads_its_own_ycbcr = pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13, reason="Pillow before 13 cannot read the YCbCr TIFF that it writes"
)
SUPPORTED = "supported are gray and RGB of 8 or 16 bits, with alpha or without, and palettes"


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        pytest.param("a.tif", "YCbCr", "mode YCbCr", marks=reads_its_own_ycbcr),
        ("a.tif", "LAB", "mode LAB"),
    ],
)
def test_other_modes_are_refused_by_name(run, tmp_path, name, mode, said):
    Image.new(mode, (47, 31)).save(tmp_path / name)
    result = run("equalize", name, "-o", "out/")
    assert (result.exit_code, result.stderr) == (1, f"error: {name}: {said} is not supported; {SUPPORTED}\n")
    assert not (tmp_path / "out").exists()


def test_a_transparent_level_of_4_bits_is_that_level(run, tmp_path):
    header = struct.pack(">IIBBBBB", 4, 2, 4, 0, 0, 0, 0)
    rows = zlib.compress(b"\0\x01\x23\0\x45\x67")
    chunks = [(b"IHDR", header), (b"tRNS", b"\0\3"), (b"IDAT", rows), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    # Pillow scales the levels to 0..255, but not the transparent one.
    assert run("equalize", "a.png", "-o", "out/").exit_code == 0
    out = load(tmp_path / "out/a.png")
    levels = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.uint8) * 17
    np.testing.assert_array_equal(out[..., 0], cv2.equalizeHist(levels))
    np.testing.assert_array_equal(out[..., 1], np.where(levels == 3 * 17, 0, 255))


@pytest.mark.parametrize("extension", ["png", "tif", "bmp", "pnm"])
def test_one_bit_becomes_black_and_white(run, tmp_path, extension):
    bits = pixels(31, 47) > 100
    Image.fromarray(bits).save(tmp_path / f"a.{extension}")
    assert run("equalize", f"a.{extension}", "-o", "out/a.png").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), np.where(bits, np.uint8(255), np.uint8(0)), strict=True)


# ---------------------------------------------------------------- what travels with the pixels


def _exif(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a description"
    return exif.tobytes()


@pytest.mark.parametrize("target", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("source", ["webp", *exhaustive("jpg", "png")])
def test_exif_profile_and_resolution_are_kept(run, tmp_path, source, target):
    profile = b"any bytes pass for a color profile" * 9
    save(tmp_path / f"in.{source}", pixels(31, 47, 3), exif=_exif(6), icc_profile=profile, dpi=(300, 200))
    before = load(tmp_path / f"in.{source}")
    assert run("equalize", f"in.{source}", "-o", f"out.{target}").exit_code == 0
    with Image.open(tmp_path / f"out.{target}") as image:
        assert image.info["icc_profile"] == profile
        assert image.getexif()[0x010E] == "a description"
        # WebP has no field for it.
        if "webp" not in (source, target):
            assert [round(value) for value in image.info["dpi"]] == [300, 200]
        # Pillow turns a TIFF upright as it loads it; the others keep their pixels and their tag.
        assert image.getexif()[0x0112] == 6
        if target != "tif":
            assert image.size == (47, 31)
        if target in ("png", "webp"):
            np.testing.assert_array_equal(np.array(image), _expected(before), strict=True)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_keeps_its_compression_and_resolution(run, tmp_path, compression):
    array = pixels(31, 47, 3)
    save(tmp_path / "in.tif", array, compression=compression, dpi=(300, 200))
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with Image.open(tmp_path / "out.tif") as image:
        assert image.info["compression"] == (compression or "raw")
        assert image.info["dpi"] == (300, 200)
        np.testing.assert_array_equal(np.array(image), _expected(array), strict=True)


def test_a_tiff_that_lies_on_its_side_stays_as_it_is_seen(run, tmp_path):
    array = pixels(31, 47, 3)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = 6
    save(tmp_path / "in.tif", array, tiffinfo=tags)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    np.testing.assert_array_equal(load(tmp_path / "out.tif"), _expected(np.rot90(array, -1).copy()), strict=True)


@pytest.mark.parametrize("dpi", [(float("nan"), 300, 2), (0, 0, 2), (1e99, 1e99, 2), (300, 300, 1)])
@pytest.mark.parametrize("extension", [".jpg", ".png", ".tif", ".bmp", ".webp", ".jp2"])
def test_an_impossible_resolution_does_not_stop_a_picture(extension, dpi):
    file = io.BytesIO()
    write([Picture(pixels(31, 47), about=About(resolution=dpi))], file, extension)
    with Image.open(file) as image:
        assert image.size == (47, 31)


def test_a_warning_of_pillow_is_one_line_with_the_name(run, tmp_path, monkeypatch):
    def warn(*arguments, **options):
        warnings.warn("Corrupt EXIF data.\n  Expecting more.", UserWarning, stacklevel=2)
        warnings.warn("of no use to users", DeprecationWarning, stacklevel=2)
        return fromarray(*arguments, **options)

    fromarray = Image.fromarray
    save(tmp_path / "in.png", pixels(31, 47))
    monkeypatch.setattr(Image, "fromarray", warn)
    result = run("equalize", "in.png", "-o", "out.bmp")
    assert (result.exit_code, result.stderr) == (0, "warning: in.png: Corrupt EXIF data. Expecting more.\n")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp", "a.gif", "a.ppm"])
def test_no_reader_decodes_more_pixels_than_the_limit(tmp_path, monkeypatch, name):
    """Whoever reads the file, and whatever is done with warnings."""
    Image.fromarray(pixels(31, 47)).save(tmp_path / name)
    assert read(tmp_path / name).pixels.shape[:2] == (31, 47)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 31 * 47 - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Image.DecompressionBombError):
            read(tmp_path / name)


JPEG_OPTIONS = [
    {"quality": quality, "subsampling": sampling, "progressive": progressive, "restart_marker_blocks": restart}
    for quality in (20, 75, 95)
    for sampling in ("4:4:4", "4:2:2", "4:2:0")
    for progressive in (False, True)
    for restart in (0, 2)
]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_pixels_are_those_of_pillow_and_cv2(tmp_path, mode):
    image = Image.fromarray(pixels(*SHAPES[mode]))
    for options in JPEG_OPTIONS:
        image.save(tmp_path / "in.jpg", **options)
        picture = read(tmp_path / "in.jpg")
        np.testing.assert_array_equal(picture.pixels, load(tmp_path / "in.jpg"))
        of_cv2 = cv2.imread(str(tmp_path / "in.jpg"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(picture.pixels, of_cv2 if mode == "L" else of_cv2[..., ::-1])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_file_cut_anywhere_is_never_a_picture(tmp_path, progressive):
    """A comment in it is a small JPEG that is whole."""
    image, small, file = Image.fromarray(pixels(*SHAPES["RGB"])), io.BytesIO(), io.BytesIO()
    image.resize((8, 8)).save(small, "JPEG")
    image.save(file, "JPEG", comment=small.getvalue(), progressive=progressive)
    whole = file.getvalue()
    assert whole.count(b"\xff\xd9") == 2
    for cut in [*range(0, len(whole) - 1, 7), len(whole) - 2]:
        (tmp_path / "cut.jpg").write_bytes(whole[:cut])
        with pytest.raises((ValueError, OSError, SyntaxError)):
            read(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes(whole + b"and more")
    picture = read(tmp_path / "cut.jpg")
    np.testing.assert_array_equal(picture.pixels, load(tmp_path / "cut.jpg"))
