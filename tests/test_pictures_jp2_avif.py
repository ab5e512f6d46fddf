"""Are JPEG 2000 and AVIF read to the last bit, as Pillow's decoders do, and written without loss, 8 and 16 bits?"""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import reference
import tifffile
from cli_tools import pixels
from PIL import Image

from cheq.pictures import formats

pytestmark = pytest.mark.cli

SHAPES = {"gray": (33, 47), "gray with alpha": (33, 47, 2), "RGB": (33, 47, 3), "RGB with alpha": (33, 47, 4)}


def levels(dtype, shape):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max // 2, shape, dtype)


def each_channel(array):
    if array.ndim == 2:
        return reference.equalize(array)
    colors = array.shape[2] - (array.shape[2] in (2, 4))
    planes = [reference.equalize(array[..., channel]) for channel in range(colors)]
    return np.dstack([*planes, *np.moveaxis(array[..., colors:], -1, 0)])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("extension", "dtype"), [("jp2", "u1"), ("jp2", "u2"), ("j2k", "u2"), ("avif", "u1")])
def test_nothing_of_the_pixels_is_lost(run, tmp_path, extension, dtype, shape):
    array = levels(dtype, SHAPES[shape])
    (tmp_path / "in.png").write_bytes(imagecodecs.png_encode(array))
    result = run("equalize", "in.png", "-o", f"out.{extension}")
    if (extension, shape) == ("avif", "gray with alpha"):
        assert "a .avif file cannot hold 8-bit gray with alpha" in result.stderr
        return
    assert (result.exit_code, result.stderr) == (0, "")
    decode = imagecodecs.avif_decode if extension == "avif" else imagecodecs.jpeg2k_decode
    data = (tmp_path / f"out.{extension}").read_bytes()
    if extension == "jp2" and "alpha" in shape:  # ISO/IEC 15444-1, I.5.3.6: the last channel is opacity, of all
        colors = array.shape[2] - 1
        assert b"cdef" + struct.pack(">H", colors + 1) in data
        assert struct.pack(">3H", colors, 1, 0) in data
    out = decode(data)
    np.testing.assert_array_equal(out, each_channel(array), strict=True)
    if dtype == "u1":
        with Image.open(tmp_path / f"out.{extension}") as image:
            image = image.convert("L") if shape == "gray" else image  # Pillow before 12 makes three channels of AVIF's
            np.testing.assert_array_equal(np.array(image), each_channel(array))
    assert run("equalize", f"out.{extension}", "-o", "again.png").exit_code == 0
    again = imagecodecs.png_decode((tmp_path / "again.png").read_bytes())
    np.testing.assert_array_equal(again, each_channel(each_channel(array)), strict=True)


@pytest.mark.parametrize(("form", "bits"), [("avif", 10), ("avif", 12), ("jp2", 4), ("jp2", 12)])
@pytest.mark.parametrize("shape", ["gray", "RGB"])
def test_other_numbers_of_bits_use_the_range_of_8_or_16(run, tmp_path, form, bits, shape):
    array = np.random.default_rng(0).integers(0, 1 << bits, SHAPES[shape], np.uint16 if bits > 8 else np.uint8)
    if form == "avif":
        data = imagecodecs.avif_encode(array, bitspersample=bits)
    else:
        data = imagecodecs.jpeg2k_encode(array, level=0, reversible=True, bitspersample=bits)
    (tmp_path / f"in.{form}").write_bytes(data)
    white = 65535 if bits > 8 else 255
    expected = np.rint(array / ((1 << bits) - 1) * white).astype(array.dtype)
    np.testing.assert_array_equal(formats.read(tmp_path / f"in.{form}").pixels, expected, strict=True)
    result = run("equalize", f"in.{form}", "-o", "out.avif")
    kind = f"{16 if bits > 8 else 8}-bit {shape}"
    assert result.exit_code == (bits > 8)
    assert bits < 9 or f"a .avif file cannot hold {kind} (it holds 8-bit" in result.stderr


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "YCbCr", "I;16"])
def test_files_of_pillow(tmp_path, mode):
    if mode == "I;16":
        image = Image.fromarray(levels("u2", (33, 47)))
    else:
        shape = (33, 47, 3) if mode == "YCbCr" else SHAPES[{"L": "gray", "LA": "gray with alpha"}.get(mode, "RGB")]
        image = Image.fromarray(levels("u1", (*shape[:2], 4) if mode == "RGBA" else shape))
        image = image.convert("YCbCr") if mode == "YCbCr" else image
    image.save(tmp_path / "a.jp2")
    picture = formats.read(tmp_path / "a.jp2")
    assert picture.alpha == (mode in ("LA", "RGBA"))
    if mode == "YCbCr":
        assert picture.rgb
        assert picture.pixels.shape == (33, 47, 3)
    else:
        np.testing.assert_array_equal(picture.pixels, np.array(image))


def test_an_avif_with_what_travels_with_it(run, tmp_path):
    exif = Image.Exif()
    exif[274], exif[270] = 6, "a description"
    frames = [Image.fromarray(pixels(33, 47, 3, seed=seed)) for seed in (1, 2)]
    frames[0].save(tmp_path / "a.avif", exif=exif, xmp=b"<x/>", quality=80)
    with Image.open(tmp_path / "a.avif") as image:
        before = np.array(image)
    assert run("equalize", "a.avif", "-o", "a.png").exit_code == 0
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.array(image), each_channel(before))
        assert (image.getexif()[274], image.getexif()[270], image.info["xmp"]) == (6, "a description", b"<x/>")
    result = run("equalize", "a.avif", "-o", "b.avif")
    assert result.stderr == "warning: a.avif: a .avif file has no place for its EXIF, XMP\n"
    with Image.open(tmp_path / "b.avif") as image:
        np.testing.assert_array_equal(np.array(image), np.rot90(each_channel(before), -1))
    frames[0].save(tmp_path / "two.avif", save_all=True, append_images=frames[1:])
    result = run("equalize", "two.avif", "-o", "b.png", "--frames", "all")
    assert result.stderr == "warning: two.avif: only the first of the file's 2 AVIF frames is taken\n"
    (tmp_path / "two.avif").write_bytes(imagecodecs.avif_encode(levels("u2", (2, 33, 47, 3)) >> 6, bitspersample=10))
    result = run("equalize", "two.avif", "-o", "c.png")
    said = "error: two.avif: an AVIF of 2 frames of 10 bits is not supported, of one it is\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_boxes_of_a_jp2(run, tmp_path):
    data = imagecodecs.jpeg2k_encode(levels("u1", (9, 7, 3)), level=0, reversible=True)
    geo = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03") + b"GeoTIFF"
    own = ((b"xml ", b"<a/>"), (b"uuid", geo))
    boxes = [struct.pack(">I", 8 + len(content)) + name + content for name, content in own]
    (tmp_path / "in.jp2").write_bytes(data + b"".join(boxes))
    result = run("equalize", "in.jp2", "-o", "out.jp2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(box in (tmp_path / "out.jp2").read_bytes() for box in boxes)
    result = run("equalize", "in.jp2", "-o", "out.j2k")
    assert result.stderr == "warning: in.jp2: a .j2k file has no place for its xml box, uuid box\n"


@pytest.mark.parametrize("extension", ["jp2", "j2k", "avif"])
def test_damaged_ones(run, tmp_path, extension):
    array = pixels(60, 70, 3)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb")
    assert run("equalize", "a.tif", "-o", f"a.{extension}").exit_code == 0
    data = (tmp_path / f"a.{extension}").read_bytes()
    for end in (12, 60, len(data) // 2, len(data) - 3):
        (tmp_path / f"a.{extension}").write_bytes(data[:end])
        result = run("equalize", f"a.{extension}", "-o", "out.png")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    file = io.BytesIO()
    Image.new("L", (47, 31)).save(file, {"j2k": "jpeg2000", "jp2": "jpeg2000"}.get(extension, "avif"))
    (tmp_path / f"a.{extension}").write_bytes(file.getvalue())
    result = run("equalize", f"a.{extension}", "-o", "out.png", "--max-pixels", 31 * 47 - 1)
    assert "exceeds limit of 1456 pixels" in result.stderr
