"""Is what describes the old pixels gone from the result, and all else there?"""

import shutil
import struct
import subprocess

import numpy as np
import pytest
import tifffile
from cli_tools import pixels, save
from marks import exhaustive
from PIL import ExifTags, Image
from test_cli_kept import expected, words

pytestmark = pytest.mark.cli


def tags_of(path):
    with tifffile.TiffFile(path) as file:
        return {tag.code: tag.value for tag in file.pages[0].tags}


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_imagej_does_not_show_the_result_white(run, tmp_path, byteorder):
    array = words(5, 23, 31)
    told = {"min": 300.0, "max": 500.0, "unit": "um", "spacing": 3.5, "Labels": list("abcde"), "Ranges": (300.0, 500.0)}
    with tifffile.TiffWriter(tmp_path / "in.tif", imagej=True, byteorder=byteorder) as file:
        file.write(array, metadata=told, photometric="minisblack", resolution=(3, 4))
    assert tags_of(tmp_path / "in.tif")[50839]["Ranges"] == (300, 500)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert (result.exit_code, result.stderr) == (0, "")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        kept = file.imagej_metadata
        assert {"min", "max", "Ranges"} & set(kept) == set()
        assert (kept["images"], kept["unit"], kept["spacing"], kept["Labels"]) == (5, "um", 3.5, list("abcde"))
        np.testing.assert_array_equal(file.asarray(), np.stack([expected(page) for page in array]), strict=True)


def test_statistics_of_gdal_go_and_the_other_items_stay(run, tmp_path):
    items = [f'<Item name="STATISTICS_{name}" sample="0">12.5</Item>' for name in ("MINIMUM", "MAXIMUM", "MEAN")]
    others = ['<Item name="AREA_OR_POINT">Point</Item>', '<Item name="scale" sample="0" role="scale">0.1</Item>']
    for kept in (others, []):
        text = (
            "<GDALMetadata>\n  "
            + "\n  ".join([*items, *kept, '<Item name="STATISTICS_STDDEV"/>'])
            + "\n</GDALMetadata>"
        )
        tags = [(42112, 2, 0, text.encode(), True)]
        tifffile.imwrite(tmp_path / "in.tif", words(23, 31), extratags=tags, metadata=None)
        assert run("equalize", "in.tif", "-o", "out.tif", "--overwrite").exit_code == 0
        found = tags_of(tmp_path / "out.tif")
        assert ("".join(found.get(42112, "").split())) == (
            "".join("".join(["<GDALMetadata>", *kept, "</GDALMetadata>"]).split()) if kept else ""
        )


def with_thumbnail(order):
    """EXIF with a maker, an exposure, and a thumbnail behind it all; its JPEG."""
    thumbnail = b"\xff\xd8 the old pixels, small \xff\xd9"
    first, maker = 8, b"the maker\0"
    place = first + 2 + 3 * 12 + 4
    sub = place + len(maker)
    second = sub + 2 + 12 + 4
    jpeg = second + 2 + 3 * 12 + 4

    def directory(entries, following):
        packed = [struct.pack(order + "HHI4s", code, kind, count, value) for code, kind, count, value in entries]
        return struct.pack(order + "H", len(entries)) + b"".join(packed) + struct.pack(order + "I", following)

    def long(value):
        return struct.pack(order + "I", value)

    short = struct.pack(order + "HH", 6, 0)
    exposure = struct.pack(order + "HH", 200, 0)
    block = (b"II*\0" if order == "<" else b"MM\0*") + long(first)
    block += directory([(271, 2, len(maker), long(place)), (274, 3, 1, short), (34665, 4, 1, long(sub))], second)
    block += maker + directory([(34855, 3, 1, exposure)], 0)
    old = [(259, 3, 1, exposure), (513, 4, 1, long(jpeg)), (514, 4, 1, long(len(thumbnail)))]
    return block + directory(old, 0) + thumbnail, thumbnail


@pytest.mark.parametrize("order", [">", *exhaustive("<")])
@pytest.mark.parametrize("target", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("source", ["jpg", *exhaustive("png", "webp")])
def test_the_thumbnail_of_exif_goes(run, tmp_path, source, target, order):
    exif, thumbnail = with_thumbnail(order)
    save(tmp_path / f"in.{source}", pixels(31, 47, 3), exif=b"Exif\0\0" + exif)
    assert thumbnail in (tmp_path / f"in.{source}").read_bytes()
    result = run("equalize", f"in.{source}", "-o", f"out.{target}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert b"the old pixels" not in (tmp_path / f"out.{target}").read_bytes()
    with Image.open(tmp_path / f"out.{target}") as image:
        found = image.getexif()
        assert (found[271], found[274], found.get_ifd(34665)[34855]) == ("the maker", 6, 200)
        assert not found.get_ifd(ExifTags.IFD.IFD1)
    if shutil.which("exiftool"):
        told = subprocess.run(["exiftool", "-b", "-ThumbnailImage", f"out.{target}"], cwd=tmp_path, capture_output=True)
        assert told.stdout == b""


def resource(number, name, content):
    """One of Photoshop's image resources (Adobe's file format specification)."""
    name = bytes([len(name)]) + name
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + name
        + bytes(len(name) % 2)
        + struct.pack(">I", len(content))
        + content
        + bytes(len(content) % 2)
    )


def test_what_photoshop_keeps_of_the_old_pixels_goes(run, tmp_path):
    kept = resource(1028, b"", b"IPTC!") + resource(1005, b"resolution", bytes(16))
    old = resource(1033, b"", b"old thumbnail") + resource(1036, b"x", b"thumbnail")
    tags = [(34377, 1, len(kept + old), old + kept, True), (37724, 7, 20, b"Adobe Photoshop Docu", True)]
    tifffile.imwrite(tmp_path / "in.tif", words(23, 31), extratags=tags, metadata=None)
    result = run("equalize", "in.tif", "-o", "out.tif")
    said = "warning: in.tif: what told of the old pixels is left out: Photoshop's layers\n"
    assert (result.exit_code, result.stderr) == (0, said)
    found = tags_of(tmp_path / "out.tif")
    assert found[34377] == kept
    assert 37724 not in found


def test_thumbnails_in_xmp_go(run, tmp_path):
    start, end = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:title>a</dc:title>", b"</x:xmpmeta>"
    old = b"<xmp:Thumbnails>\n<rdf:Alt><xmpGImg:image>/9j/4</xmpGImg:image></rdf:Alt></xmp:Thumbnails>"
    save(tmp_path / "in.jpg", pixels(31, 47), xmp=start + old + end)
    assert run("equalize", "in.jpg", "-o", "out.jpg").exit_code == 0
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.info["xmp"] == start + end


def test_ome_tells_of_the_channels_that_there_are(run, tmp_path):
    array = pixels(2, 23, 31, 3)
    told = {"axes": "ZYXS", "SignificantBits": 7, "PhysicalSizeX": 0.5}
    tifffile.imwrite(tmp_path / "in.tif", array, ome=True, photometric="rgb", metadata=told)
    assert 'SignificantBits="7"' in tags_of(tmp_path / "in.tif")[270]
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.is_ome
        assert "SignificantBits" not in file.ome_metadata
        assert 'PhysicalSizeX="0.5"' in file.ome_metadata
        np.testing.assert_array_equal(file.asarray(), np.stack([expected(page) for page in array]), strict=True)
    result = run("equalize", "in.tif", "-o", "gray.tif", "--color", "gray")
    said = "warning: in.tif: its OME description is of other channels and left out\n"
    assert (result.exit_code, result.stderr) == (0, said)
    with tifffile.TiffFile(tmp_path / "gray.tif") as file:
        assert not file.is_ome
        assert [page.shape for page in file.pages] == [(23, 31)] * 2


def test_a_shape_of_color_does_not_stay_with_gray(run, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", pixels(23, 31, 3), photometric="rgb")
    for color, shaped in (("channels", True), ("gray", False)):
        assert run("equalize", "in.tif", "-o", f"{color}.tif", "--color", color).exit_code == 0
        with tifffile.TiffFile(tmp_path / f"{color}.tif") as file:
            assert bool(file.pages[0].is_shaped) == shaped
            assert file.asarray().ndim == 2 + shaped
