"""Do TIFFs of microscopes, satellites and scanners keep what they say, and pictures their texts?"""

import json
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, save
from marks import exhaustive
from PIL import Image
from test_cli_kept import EXIF, camera_exif, expected, words

pytestmark = pytest.mark.cli

# ---------------------------------------------------------------- TIFFs of microscopes, satellites and scanners


@pytest.mark.parametrize("options", [{"imagej": True}, {}])
def test_a_stack_behind_one_directory(run, tmp_path, options):
    """ImageJ keeps stacks of over 4 GB so."""
    array = words(5, 23, 31)
    options = {**options, "metadata": {"axes": "ZYX"}}
    tifffile.imwrite(tmp_path / "in.tif", array, truncate=True, photometric="minisblack", **options)
    if "imagej" not in options:  # older releases of tifffile put the shape last
        said = tifffile.tiffcomment(tmp_path / "in.tif")
        tifffile.tiffcomment(tmp_path / "in.tif", json.dumps(dict(reversed(json.loads(said).items()))))
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        assert len(file.pages) == 1
        before = (file.series[0].axes, file.series[0].shape, file.imagej_metadata)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert len(file.pages) == 5
        assert (file.series[0].axes, file.series[0].shape, file.imagej_metadata) == before
    out = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(out.reshape(array.shape), np.stack([expected(page) for page in array]), strict=True)


def test_where_on_earth_the_pixels_are(run, tmp_path):
    scale, keys, nodata = (10.0, 10.0, 0.0), (1, 1, 0, 1, 1024, 0, 1, 1), b"-9999"
    tags = [(33550, 12, 3, scale, True), (34735, 3, 8, keys, True), (42113, 2, 0, nodata, True)]
    tifffile.imwrite(tmp_path / "in.tif", words(23, 31), extratags=tags, metadata=None)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        found = file.pages[0].tags
        assert [found[code].value for code in (33550, 34735, 42113)] == [scale, keys, "-9999"]


def test_smaller_copies_are_said_to_go(run, tmp_path):
    array = words(64, 96)
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(array, subifds=1, photometric="minisblack")
        file.write(array[::2, ::2], subfiletype=1, photometric="minisblack")
    result = run("equalize", "in.tif", "-o", "out.tif")
    said = "warning: in.tif: its smaller copies (SubIFDs) are not kept\n"
    assert (result.exit_code, result.stderr) == (0, said)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected(array), strict=True)


def test_white_as_zero_does_not_turn_alpha_round(run, tmp_path):
    array = pixels(23, 31, 2)
    kind = {"photometric": "miniswhite", "planarconfig": "contig", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "in.tif", array, **kind)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    turned = np.dstack([cv2.equalizeHist(255 - array[..., 0]), array[..., 1]])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), turned, strict=True)


def test_alpha_in_the_middle_is_not_equalized(run, tmp_path):
    kind = {"photometric": "rgb", "extrasamples": ["unassalpha", "unspecified"]}
    tifffile.imwrite(tmp_path / "in.tif", pixels(23, 31, 5), **kind)
    result = run("equalize", "in.tif", "-o", "out.tif")
    said = "error: in.tif: alpha that is not the last channel is not supported\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_channels_one_after_the_other(run, tmp_path):
    array = pixels(4, 23, 31)
    kind = {"photometric": "rgb", "planarconfig": "separate", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "in.tif", array, **kind)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    expected = np.dstack([*map(cv2.equalizeHist, array[:3]), array[3]])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected, strict=True)


@pytest.mark.parametrize(
    ("array", "kind", "said"),
    [
        (pixels(23, 31, 4), {"photometric": "rgb", "extrasamples": ["assocalpha"]}, "premultiplied alpha"),
        (pixels(23, 31) / np.float32(255), {"photometric": "miniswhite"}, "white as zero is not supported for float32"),
        (pixels(5, 23, 31), {"photometric": "minisblack", "volumetric": True}, "a page of shape (5, 23, 31)"),
    ],
)
def test_samples_that_are_no_picture_of_gray_or_rgb(run, tmp_path, array, kind, said):
    tifffile.imwrite(tmp_path / "in.tif", array, **kind)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: in.tif: {said}")
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("compression", ["JPEG", "NONE", "LZW"])
def test_a_tiff_that_is_cut_off(run, tmp_path, compression):
    array = np.repeat(pixels(20, 300), 10, axis=0)
    tifffile.imwrite(tmp_path / "in.tif", array, compression=compression)
    data = (tmp_path / "in.tif").read_bytes()
    (tmp_path / "in.tif").write_bytes(data[: len(data) * 2 // 3])
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 1
    assert "error: in.tif: " in result.stderr
    assert not (tmp_path / "out.tif").exists()


def test_a_few_bytes_that_claim_gigabytes(run, tmp_path):
    """13,000 x 13,000 pixels of 100 channels."""
    tags = {256: 13_000, 257: 13_000, 258: 16, 259: 8, 262: 1, 273: 8, 277: 100, 278: 13_000, 279: 10}
    entries = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags.items())
    content = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    (tmp_path / "in.tif").write_bytes(content)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 1
    assert "exceeds 32 bytes for each of the limit of 178956970 pixels" in result.stderr
    assert "--max-pixels" in result.stderr


def test_a_damaged_tag_does_not_stop_a_picture(run, tmp_path):
    array = words(23, 31)
    tifffile.imwrite(tmp_path / "in.tif", array, extratags=[(274, 2, 0, b"up", True)], metadata=None)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert (result.exit_code, result.stderr) == (0, "")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].tags[274].value == "up"
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected(array), strict=True)


def test_no_room_is_taken_for_what_a_tag_claims(run, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", words(9, 7), extratags=[(65000, 12, 2, (1.0, 2.0), True)], metadata=None)
    data = (tmp_path / "in.tif").read_bytes()
    entry = struct.pack("<HHI", 65000, 12, 2)
    (tmp_path / "in.tif").write_bytes(data.replace(entry, struct.pack("<HHI", 65000, 12, 0xFFFFFFFF)))
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 0
    assert "warning: in.tif: its tag 65000 is damaged and left out\n" in result.stderr


def test_no_pointer_leads_nowhere(run, tmp_path):
    exif = camera_exif()
    exif.get_ifd(EXIF)[0xA005] = 136
    save(tmp_path / "in.jpg", pixels(31, 47, 3), exif=exif)
    assert run("equalize", "in.jpg", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert set(file.pages[0].tags[EXIF].value) == {"ExposureTime", "DateTimeOriginal"}


# ---------------------------------------------------------------- XMP, texts, gamma


XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\xc3\xa4</x:xmpmeta>"


@pytest.mark.parametrize("target", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("source", ["tif", *exhaustive("jpg", "png", "webp")])
def test_xmp(run, tmp_path, source, target):
    save(tmp_path / "in.jpg", pixels(31, 47, 3), xmp=XMP)
    if source != "jpg":
        assert run("equalize", "in.jpg", "-o", f"in.{source}").exit_code == 0
    assert run("equalize", f"in.{source}", "-o", f"out.{target}", "--overwrite").exit_code == 0
    with Image.open(tmp_path / f"out.{target}") as image:
        assert image.info.get("xmp", image.info.get("XML:com.adobe.xmp", "").encode()) == XMP


def test_what_a_png_says_of_itself(run, tmp_path):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    save(tmp_path / "in.png", pixels(31, 47))
    data = (tmp_path / "in.png").read_bytes()
    said = {b"gAMA": struct.pack(">I", 100_000), b"tEXt": b"Title\0a title", b"pHYs": struct.pack(">IIB", 1, 2, 0)}
    (tmp_path / "in.png").write_bytes(data[:33] + b"".join(chunk(*each) for each in said.items()) + data[33:])
    assert run("equalize", "in.png", "-o", "out.png").exit_code == 0
    out = (tmp_path / "out.png").read_bytes()
    for name, content in said.items():
        assert chunk(name, content) in out


def test_an_interlaced_png_is_nothing_to_warn_of(run, tmp_path):
    array = pixels(31, 47)
    adam7 = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
    rows = b"".join(
        b"\0" + array[top::down, left::right][row].tobytes()
        for left, top, right, down in adam7
        for row in range(len(array[top::down]))
        if array[top::down, left::right].size
    )  # fmt: skip

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 47, 31, 8, 0, 0, 0, 1)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    np.testing.assert_array_equal(load(tmp_path / "in.png"), array)
    result = run("equalize", "in.png", "-o", "out.png")
    assert (result.exit_code, result.stderr) == (0, "")
    np.testing.assert_array_equal(load(tmp_path / "out.png"), expected(array), strict=True)


def test_a_picture_that_is_turned_turns_its_resolution(run, tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    save(tmp_path / "in.jpg", pixels(20, 30), exif=exif, dpi=(300, 100))
    assert run("equalize", "in.jpg", "-o", "out.bmp").exit_code == 0
    with Image.open(tmp_path / "out.bmp") as image:
        assert image.size == (20, 30)
        assert image.info["dpi"] == pytest.approx((100, 300), rel=1e-3)
