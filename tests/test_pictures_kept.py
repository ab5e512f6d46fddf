"""Does each thing that travels with pixels arrive where a format has a place for it, and is it named where it has none?

`python tests/test_pictures_kept.py` prints the table of docs/commands.md, which the first test proves cell by cell.
"""

import hashlib
import json
import shutil
import struct
import subprocess
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from cli_tools import pixels
from cli_tools import run as command
from marks import exhaustive
from PIL import Image, ImageCms, IptcImagePlugin, TiffImagePlugin

pytestmark = pytest.mark.cli

DOCS = Path(__file__).parent.parent / "docs" / "commands.md"
TARGETS = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WebP", "bmp": "BMP", "gif": "GIF", "ppm": "PPM"}
TARGETS.update({"jp2": "JPEG 2000", "avif": "AVIF"})

EXPOSURE = 0x8769
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/' a='%b'><dc:title>a title</dc:title></x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FILM = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 9
MORE = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a:depths>" + b"0123456789" * 9000 + b"</a:depths></x:xmpmeta>"
NAMED = b'<x xmpNote:HasExtendedXMP="%b"/>' % hashlib.md5(MORE).hexdigest().upper().encode()
IPTC = b"\x1c\x02\x05\0\x07a title"
RESOURCES = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC
OWN = b"Meta\0\0what a maker of cameras adds"


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(path, *segments, behind=b"", **options):
    """A JPEG with further segments behind JFIF, and bytes behind the picture."""
    Image.fromarray(pixels(16, 16, 3) // 64 * 64).save(path, **options)
    data = path.read_bytes()
    path.write_bytes(data[:20] + b"".join(segments) + data[20:] + behind)


def extended():
    """Two segments of a long extension, the second of which comes first."""
    name = hashlib.md5(MORE).hexdigest().upper().encode()
    for place, end in ((50_000, None), (0, 50_000)):
        head = b"http://ns.adobe.com/xmp/extension/\0" + name + struct.pack(">II", len(MORE), place)
        yield segment(0xE1, head + MORE[place:end])


def png(path, *chunks, **options):
    """A PNG with further chunks."""
    Image.fromarray(pixels(16, 16, 3) // 64 * 64).save(path, **options)
    data = path.read_bytes()
    bodies = [name + content for name, content in chunks]
    packed = [struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) for body in bodies]
    path.write_bytes(data[:33] + b"".join(packed) + data[33:])


def gif(path, *blocks):
    """A GIF with further blocks."""
    Image.fromarray(pixels(16, 16)).save(path)
    data = path.read_bytes()
    place = 13 + (3 << (data[10] & 7) + 1)
    path.write_bytes(b"GIF89a" + data[6:place] + b"".join(blocks) + data[place:])


def tiff(path, *tags, **options):
    tifffile.imwrite(
        path, pixels(16, 16, 3) // 64 * 64, photometric="rgb", metadata=None, software=False, extratags=tags, **options
    )


def webp(path):
    frames = [Image.new("L", (16, 16), level) for level in (9, 99)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[30, 70], lossless=True)


def camera():
    """EXIF of every type: texts, numbers, fractions with a sign, and bytes that are no numbers."""
    exif = Image.Exif()
    exif[270], exif[40091] = "a description", "a".encode("utf-16-le")
    directory = exif.get_ifd(EXPOSURE)
    directory.update({37510: b"ASCII\0\0\0a comment", 37121: b"\1\2\3\0", 41728: b"\3", 41729: b"\1"})
    directory.update({34855: 200, 37380: TiffImagePlugin.IFDRational(-1, 3), 33434: (1, 100)})
    return exif


def density(path, *numbers):
    jpeg(path)
    data = path.read_bytes()
    path.write_bytes(data[:13] + struct.pack(">BHH", *numbers) + data[18:])


ALL = "on the command line: --frames all"
ONE = ("jpg", "bmp", "jp2", "avif")  # formats of one picture
GEO = (33550, 12, 3, (0.5, 0.5, 0.0), True)
# What each thing is called; the extension of a file that has it, and what makes one; the name in the warning.
THINGS = {
    "EXIF": ("jpg", lambda path: jpeg(path, exif=camera()), "EXIF"),
    "color profile": ("png", lambda path: png(path, icc_profile=PROFILE), "color profile"),
    "XMP": ("jpg", lambda path: jpeg(path, xmp=XMP), "XMP"),
    "XMP beyond 64 KB": ("jpg", lambda path: jpeg(path, *extended(), xmp=NAMED), "XMP, extended XMP"),
    "resolution": ("jpg", lambda path: jpeg(path, dpi=(300, 200)), "resolution"),
    "aspect ratio of pixels": ("jpg", lambda path: density(path, 0, 2, 1), "aspect ratio of pixels"),
    "comments": ("jpg", lambda path: jpeg(path, segment(0xFE, b"a comment")), "comment"),
    "IPTC": ("jpg", lambda path: jpeg(path, segment(0xED, b"Photoshop 3.0\0" + RESOURCES)), "IPTC"),
    "other APP segments": ("jpg", lambda path: jpeg(path, segment(0xE3, OWN)), "APP3 segment (Meta)"),
    "a film behind the picture": ("jpg", lambda path: jpeg(path, behind=FILM), "film"),
    "texts, gAMA, other chunks": ("png", lambda path: png(path, (b"tEXt", b"Author\0me")), "text 'Author'"),
    "blocks of applications": ("gif", lambda path: gif(path, b"!\xff\x0bDREAMING1.0\x03abc\0"), "DREAMING1.0 block"),
    "GeoTIFF and other tags": ("tif", lambda path: tiff(path, GEO), "tag 33550 (ModelPixelScaleTag)"),
    "timing of frames (`--frames all`)": ("webp", lambda path: webp(path), "timing of frames"),
    "GDAL_NODATA": ("tif", lambda path: tiff(path, (42113, 2, 0, "9", True)), "GDAL_NODATA"),
}


def has(thing, path):
    """Whether a file has a thing, as it was, by readers of others."""
    data = path.read_bytes()
    with Image.open(path) as image:
        info, exif = image.info, image.getexif()
        if path.suffix == ".jp2":
            exif.load(data.partition(b"JpgTiffExif->JP2")[2] or None)
            info["icc_profile"] = PROFILE if PROFILE in data else None
        if thing == "EXIF":
            return exif.get(270) == "a description" and exif.get_ifd(EXPOSURE) == dict(camera().get_ifd(EXPOSURE))
        if thing == "color profile":
            return info.get("icc_profile") == PROFILE or (path.suffix == ".gif" and PROFILE[:255] in data)
        if thing == "XMP beyond 64 KB":
            return len(getattr(image, "applist", [])) > 2 and MORE[:65400] in data and MORE[65400:] in data
        if thing == "resolution":
            of_exif = (exif.get(282), exif.get(283), exif.get(296)) == (300, 200, 2)
            return [round(number) for number in info.get("dpi", ())] == [300, 200] or of_exif
        if thing == "aspect ratio of pixels":
            of_exif = exif.get(282, 0) == 2 * exif.get(283, 1) and exif[296] == 1
            of_jfif = (info.get("jfif_unit"), info.get("jfif_density")) == (0, (2, 1))
            return of_exif or of_jfif or info.get("aspect") == (2, 1) or (path.suffix == ".gif" and data[12] == 17)
        if thing == "comments" and path.suffix == ".ppm":
            return b"\n# a comment\n" in data
        if thing == "comments":
            return info.get("comment", info.get("Comment", "").encode()) == b"a comment"
        if thing == "IPTC":
            return (IptcImagePlugin.getiptcinfo(image) or {}).get((2, 5)) == b"a title"
        if thing.startswith("timing"):
            image.seek(getattr(image, "n_frames", 1) - 1)
            image.load()
            return image.info.get("duration") == 70
        if thing == "other APP segments":
            return ("APP3", OWN) in getattr(image, "applist", [])
    if thing in ("GeoTIFF and other tags", "GDAL_NODATA"):
        if path.suffix != ".tif":
            return False
        with tifffile.TiffFile(path) as file:
            found = {tag.code: tag.value for tag in file.pages[0].tags}
        return found.get(33550) == GEO[3] if thing != "GDAL_NODATA" else found.get(42113) == "9"
    return {
        "XMP": XMP in data,
        "a film behind the picture": data.endswith(FILM),
        "texts, gAMA, other chunks": b"tEXtAuthor\0me" in data,
        "blocks of applications": b"!\xff\x0bDREAMING1.0\x03abc\0" in data,
    }[thing]


def cells(folder, thing):
    """Convert a file that has a thing to each format; say for each whether it arrived, and what was said."""
    source, make, _ = THINGS[thing]
    make(folder / f"in.{source}")
    for target in TARGETS:
        options = ["--frames", "all"] * (thing.startswith("timing") and target not in ONE)
        result = command("equalize", folder / f"in.{source}", "-o", folder / f"out.{target}", "--overwrite", *options)
        assert result.exit_code == 0, result.stderr
        yield target, has(thing, folder / f"out.{target}"), result.stderr


def row(thing, kept):
    return f"| {thing} | " + " | ".join("kept" if each else "named" for each in kept) + " |"


@pytest.mark.parametrize("thing", THINGS)
def test_it_is_kept_or_named_as_the_table_says(tmp_path, thing):
    source, _, name = THINGS[thing]
    kept = []
    for target, arrived, said in cells(tmp_path, thing):
        lost = f"warning: {tmp_path}/in.{source}: a .{target} file has no place for its {name}\n"
        if thing == "XMP beyond 64 KB" and target in ("png", "tif", "webp", "gif", "jp2"):  # but for the rest of XMP
            lost = lost.replace("XMP, ", "")
        if thing.startswith("timing") and target in ONE:  # which hold one picture
            lost = f"warning: {tmp_path}/in.{source}: only the first of the file's 2 frames is taken ({ALL})\n"
        assert said == ("" if arrived else lost), target
        kept.append(arrived)
    assert row(thing, kept) in DOCS.read_text().splitlines()


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
@pytest.mark.parametrize("ways", ["jpg tif", *exhaustive("jpg jpg", "jpg png", "tif jpg")])
def test_exiftool_reads_the_same(run, tmp_path, ways):
    source, target = ways.split()
    resources = segment(0xED, b"Photoshop 3.0\0" + RESOURCES)
    jpeg(tmp_path / "a.jpg", segment(0xFE, b"a comment"), resources, exif=camera(), dpi=(300, 200), xmp=XMP)
    if source == "tif":
        assert run("equalize", "a.jpg", "-o", "a.tif").exit_code == 0
    before = of_exiftool(tmp_path / f"a.{source}")
    assert before["ExifIFD:UserComment"] == "a comment"
    assert run("equalize", f"a.{source}", "-o", f"out.{target}").exit_code == 0
    after = of_exiftool(tmp_path / f"out.{target}")
    groups = (
        "ExifIFD:",
        "XMP-dc:",
        *(["IPTC:", "Photoshop:"] if target != "png" else []),
        *["JFIF:"] * (target == "jpg"),
    )
    for name, value in before.items():
        if name.startswith(tuple(groups)) and not name.endswith("ExifByteOrder"):
            assert after[name] == value, name
    assert after["IFD0:ImageDescription"] == "a description"
    assert "Warning" not in "".join(after)


def of_exiftool(path):
    done = subprocess.run(["exiftool", "-j", "-G1", path], capture_output=True, check=True)
    return json.loads(done.stdout)[0]


def types(path):
    """Code, type and value of each entry of EXIF's directory of exposures, by Pillow's reader."""
    with tifffile.TiffFile(path) as file, open(path, "rb") as opened:
        place, order = file.pages[0].tags[EXPOSURE].offset + 8, file.byteorder
        opened.seek(place)
        (place,) = struct.unpack(order + "I", opened.read(4))
        found = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0" if order == "<" else b"MM\0*\0\0\0\0")
        opened.seek(place)
        found.load(opened)
        return {code: (found.tagtype[code], found[code]) for code in found}


def of_a_camera(path, order):
    """A JPEG whose EXIF has types as the standard wants them; code, type and value of each entry."""
    made = {37510: (7, b"ASCII\0\0\0a comment"), 37121: (7, b"\1\2\3\0"), 41728: (7, b"\3"), 41729: (7, b"\1")}
    made.update({34855: (3, 200), 37380: (10, -0.5), 33434: (5, 0.25), 36867: (2, "2020:01:01 00:00:00")})
    made[37500] = (7, b"a maker's note")
    directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\0\0\0\0" if order == "<" else b"MM\0*\0\0\0\0")
    for code, (kind, value) in made.items():
        directory.tagtype[code] = kind
        directory[code] = value
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IHHHIII", 8, 1, EXPOSURE, 4, 1, 26, 0)
    jpeg(path, exif=b"Exif\0\0" + head + directory.tobytes(26))
    return made


@pytest.mark.parametrize("order", ["<", ">"])
def test_values_of_exif_keep_their_types(run, tmp_path, order):
    """UserComment, ComponentsConfiguration, FileSource and SceneType are UNDEFINED (7), and no bytes (1)."""
    made = of_a_camera(tmp_path / "in.jpg", order)
    for source, target in (("in.jpg", "a.tif"), ("a.tif", "b.tif"), ("b.tif", "c.jpg"), ("c.jpg", "d.tif")):
        assert run("equalize", source, "-o", target).exit_code == 0
    for name in ("a.tif", "b.tif", "d.tif"):
        assert types(tmp_path / name) == made, name


@pytest.mark.skipif(not shutil.which("tiffinfo"), reason="libtiff's tools are not installed")
def test_libtiff_ignores_no_value_of_exif(run, tmp_path):
    of_a_camera(tmp_path / "in.jpg", ">")
    assert run("equalize", "in.jpg", "-o", "out.tif").exit_code == 0
    done = subprocess.run(["tiffinfo", tmp_path / "out.tif"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for name in ("UserComment", "ComponentsConfiguration", "FileSource", "SceneType", "ExposureTime", "MakerNote"):
        assert f"{name}: " in done.stdout


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_every_type_keep_it(run, tmp_path, order, big):
    numbers = {1: b"\1\2\3", 2: b"text\0", 3: (1, 2, 3), 4: (5, 70_000), 5: (3127, 10_000, 3290, 10_000), 6: (-1, 2)}
    numbers |= {7: b"\0\1", 8: (-3, 4), 9: (-5,), 10: (-1, 3), 11: (0.5, 1.5), 12: (0.1,), 16: (1 << 40,), 17: (-9,)}
    tags = []
    for kind, value in numbers.items():
        if big or kind < 16:
            count = len(value) // (2 if kind in (5, 10) else 1)
            tags.append((65_000 + kind, kind, count, value, True))
    tifffile.imwrite(tmp_path / "in.tif", pixels(9, 7), metadata=None, extratags=tags, byteorder=order, bigtiff=big)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    found = []
    for name in ("in.tif", "out.tif"):
        with tifffile.TiffFile(tmp_path / name) as file:
            assert (file.byteorder, file.is_bigtiff) == (order, big)
            tags = [tag for tag in file.pages[0].tags if tag.code > 60_000]
            found.append([(tag.code, tag.dtype, tag.count, tag.value) for tag in tags])
    assert len(found[0]) == len(tags)
    assert found[1] == found[0]


# ---------------------------------------------------------------- what tells of the old pixels


def test_chunks_that_tell_of_levels_go_and_are_named(run, tmp_path):
    scale = (b"sCAL", b"\x011.5\x002.5")
    old = [
        (b"sBIT", b"\5\6\5"),
        (b"bKGD", bytes(6)),
        (b"pCAL", b"a\0" + bytes(8) + b"\0\2u\x001\x002"),
        (b"abCD", b"x"),
    ]
    png(tmp_path / "in.png", *old, scale, (b"tIME", struct.pack(">H5B", 2001, 2, 3, 4, 5, 6)), (b"abCd", b"private"))
    result = run("equalize", "in.png", "-o", "out.png")
    said = "warning: in.png: what told of the old pixels is left out: sBIT, bKGD, pCAL, abCD\n"
    assert (result.exit_code, result.stderr) == (0, said)
    data = (tmp_path / "out.png").read_bytes()
    assert b"".join(scale) in data
    assert b"abCdprivate" in data
    assert not any(name in data for name, _ in old)
    place = data.index(b"tIME") + 4
    assert struct.unpack_from(">H", data, place)[0] > 2025
    with Image.open(tmp_path / "out.png") as image:
        image.load()


def test_signatures_go_and_are_named(run, tmp_path):
    jpeg(tmp_path / "in.jpg", segment(0xEB, b"JP\0\1\0\0\0\1....jumbc2pa...."), segment(0xEB, b"JP\0\1\0\0\0\2...."))
    result = run("equalize", "in.jpg", "-o", "out.jpg")
    said = "warning: in.jpg: what told of the old pixels is left out: content credentials, which sign them\n"
    assert (result.exit_code, result.stderr) == (0, said)
    with Image.open(tmp_path / "out.jpg") as image:
        assert [name for name, _ in image.applist] == ["APP0"]


def test_another_picture_behind_a_jpeg_is_named(run, tmp_path):
    jpeg(tmp_path / "small.jpg")
    jpeg(tmp_path / "in.jpg", behind=bytes(9) + (tmp_path / "small.jpg").read_bytes() + FILM)
    result = run("equalize", "in.jpg", "-o", "out.jpg")
    said = "warning: in.jpg: only its picture is taken; another picture behind it left out\n"
    assert (result.exit_code, result.stderr) == (0, said)
    data = (tmp_path / "out.jpg").read_bytes()
    assert data.endswith(b"\xff\xd9" + FILM)
    assert data.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp", "a.pgm"])
def test_bytes_behind_a_picture_stay_in_its_format(run, tmp_path, name):
    Image.fromarray(pixels(16, 16)).save(tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + FILM)
    result = run("equalize", name, "-o", "out/")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "out" / name).read_bytes().endswith(FILM)
    result = run("equalize", name, "-o", "out.tif")
    assert result.stderr == f"warning: {name}: a .tif file has no place for its film\n"


def test_chunks_of_a_webp_that_are_not_known_are_named(run, tmp_path):
    Image.fromarray(pixels(16, 16)).save(tmp_path / "a.webp", lossless=True)
    body = (tmp_path / "a.webp").read_bytes()[8:] + b"ABCD" + struct.pack("<I", 4) + b"1234"
    (tmp_path / "a.webp").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    result = run("equalize", "a.webp", "-o", "out.webp")
    assert result.stderr == "warning: a.webp: what is not known in a WebP is left out: ABCD\n"


def test_xmp_of_16_bits_ends_no_gif(run, tmp_path):
    jpeg(tmp_path / "in.jpg", xmp=XMP.decode().encode("utf-16"))
    result = run("equalize", "in.jpg", "-o", "out.gif")
    said = "warning: in.jpg: a .gif file has no place for its XMP of 16 bits\n"
    assert (result.exit_code, result.stderr) == (0, said)
    with Image.open(tmp_path / "out.gif") as image:
        image.load()


def test_a_film_behind_two_pictures(run, tmp_path):
    Image.fromarray(pixels(16, 16)).save(tmp_path / "in.mpo", save_all=True, append_images=[Image.new("L", (8, 8))])
    (tmp_path / "in.jpg").write_bytes((tmp_path / "in.mpo").read_bytes() + FILM)
    result = run("equalize", "in.jpg", "-o", "out.jpg")
    assert result.stderr == "warning: in.jpg: only the first of the file's 2 MPO pictures is taken\n"
    assert (tmp_path / "out.jpg").read_bytes().endswith(b"\xff\xd9" + FILM)


def test_thumbnails_in_extended_xmp_go_and_it_is_named_anew(run, tmp_path):
    start, end = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", b"</x:xmpmeta>"
    old = start + b"<xmp:Thumbnails>the old pixels</xmp:Thumbnails>" + end
    name = hashlib.md5(old).hexdigest().upper().encode()
    part = segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + name + struct.pack(">II", len(old), 0) + old)
    jpeg(tmp_path / "in.jpg", part, xmp=b'<x xmpNote:HasExtendedXMP="%b"/>' % name)
    assert run("equalize", "in.jpg", "-o", "out.jpg").exit_code == 0
    name = hashlib.md5(start + end).hexdigest().upper().encode()
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.info["xmp"] == b'<x xmpNote:HasExtendedXMP="%b"/>' % name
        assert image.applist[-1][1].endswith(name + struct.pack(">II", len(start + end), 0) + start + end)


def test_long_xmp_of_a_png_goes_into_the_extension_of_a_jpeg(run, tmp_path):
    text = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b"a" * 70_000 + b"</x:xmpmeta>"
    png(tmp_path / "in.png", (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text))
    assert run("equalize", "in.png", "-o", "a.jpg").exit_code == 0
    with Image.open(tmp_path / "a.jpg") as image:
        name = hashlib.md5(text).hexdigest().upper().encode()
        assert b'HasExtendedXMP="' + name in image.info["xmp"]
        parts = [content[35:] for _, content in image.applist if content.startswith(b"http://ns.adobe.com/xmp/ext")]
    assert [part[:32] for part in parts] == [name] * 2
    assert b"".join(part[40:] for part in parts) == text


def test_exif_that_has_no_room_in_a_jpeg_is_named(run, tmp_path):
    exif = Image.Exif()
    exif[270] = "a" * 70_000
    png(tmp_path / "in.png", exif=exif)
    result = run("equalize", "in.png", "-o", "out.jpg")
    said = "warning: in.png: its EXIF (70028 bytes) has no room in a JPEG\n"
    assert (result.exit_code, result.stderr) == (0, said)


def test_what_a_gif_and_a_bmp_say_is_read(run, tmp_path):
    """By what comes out as a PNG, which other readers read."""
    jpeg(tmp_path / "in.jpg", segment(0xFE, b"a" * 600), segment(0xFE, "ä€".encode()), xmp=XMP, icc_profile=PROFILE)
    frames = [Image.new("L", (16, 16), level) for level in (9, 99)]
    frames[0].save(tmp_path / "more.gif", save_all=True, append_images=frames[1:], comment=b"of two frames", loop=0)
    assert run("equalize", "in.jpg", "-o", "in.gif").exit_code == 0
    for source, target in (("in.gif", "out.gif"), ("out.gif", "out.png"), ("more.gif", "m.gif"), ("m.gif", "m.png")):
        result = run("equalize", source, "-o", target, "--frames", "all")
        assert (result.exit_code, result.stderr) == (0, "")
    with Image.open(tmp_path / "out.png") as image:
        assert (image.info["icc_profile"], image.info["xmp"]) == (PROFILE, XMP)
        assert image.text["Comment"] == "ä€"  # the last of two under one keyword
    assert b"tEXtComment\0" + b"a" * 600 in (tmp_path / "out.png").read_bytes()
    with Image.open(tmp_path / "m.png") as image:
        assert (image.text["Comment"], image.n_frames) == ("of two frames", 2)
    Image.fromarray(pixels(16, 16, 3)).save(tmp_path / "in.bmp")
    data = (tmp_path / "in.bmp").read_bytes()
    start, header = int.from_bytes(data[10:14], "little"), data[14:54].ljust(124, b"\0")
    header = struct.pack("<I", 124) + header[4:56] + b"DEBM" + header[60:112]
    rest = data[54:start] + data[start:]
    header += struct.pack("<II", 124 + len(rest), len(PROFILE)) + bytes(4)
    size = 14 + 124 + len(rest) + len(PROFILE)
    head = b"BM" + struct.pack("<IHHI", size, 0, 0, start + 84)
    (tmp_path / "in.bmp").write_bytes(head + header + rest + PROFILE)
    with Image.open(tmp_path / "in.bmp") as image:
        np.testing.assert_array_equal(np.array(image), pixels(16, 16, 3))
    result = run("equalize", "in.bmp", "-o", "out.bmp")
    assert result.stderr == "warning: in.bmp: a .bmp file has no place for its color profile\n"


# ---------------------------------------------------------------- resolution


def test_no_resolution_is_made_up(run, tmp_path):
    jpeg(tmp_path / "exif.jpg", exif=camera())
    png(tmp_path / "a.png")
    for source in ("exif.jpg", "a.png"):
        for target in ("a.jpg", "b.png", "a.bmp", "a.tif"):
            assert run("equalize", source, "-o", target, "--overwrite").exit_code == 0
            with Image.open(tmp_path / target) as image:
                if target != "a.jpg":  # of which Pillow makes up 72 itself
                    assert image.info.get("dpi", (0, 0)) == (0, 0), target
                assert image.info.get("jfif_unit", 0) == 0
    assert (tmp_path / "a.bmp").read_bytes()[38:46] == bytes(8)


@pytest.mark.parametrize("unit", [1, 2])
def test_jfif_keeps_its_unit(run, tmp_path, unit):
    density(tmp_path / "in.jpg", unit, 118, 59)
    assert run("equalize", "in.jpg", "-o", "out.jpg").exit_code == 0
    assert (tmp_path / "out.jpg").read_bytes()[13:18] == struct.pack(">BHH", unit, 118, 59)
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.info["dpi"] == pytest.approx((118 * 2.54 ** (unit - 1), 59 * 2.54 ** (unit - 1)))


# ---------------------------------------------------------------- ImageJ


def test_metadata_of_imagej_in_either_byte_order(run, tmp_path):
    """Labels and all else but the ranges of levels that are shown; both tags go where nothing else is in them."""
    told = {"Labels": ["one", "two"], "Ranges": (3.0, 99.0), "ROI": b"Iout" + bytes(range(60)), "Info": "an info"}
    for order in "<>":
        for kept in ({"Labels", "ROI", "Info"}, set()):
            said = {name: value for name, value in told.items() if name in kept or name == "Ranges"}
            with tifffile.TiffWriter(tmp_path / "in.tif", imagej=True, byteorder=order) as file:
                file.write(pixels(2, 9, 7), metadata=said, photometric="minisblack")
            result = run("equalize", "in.tif", "-o", "out.tif", "--overwrite")
            assert (result.exit_code, result.stderr) == (0, "")
            with tifffile.TiffFile(tmp_path / "out.tif") as file:
                tags = file.pages[0].tags
                assert (50838 in tags, 50839 in tags, file.byteorder) == (bool(kept), bool(kept), order)
                found = tags[50839].value if kept else {}
                assert found == {name: told[name] for name in kept}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print("| | " + " | ".join(TARGETS.values()) + " |")
    print("| --- " * (1 + len(TARGETS)) + "|")
    for each in THINGS:
        with tempfile.TemporaryDirectory() as temporary:
            print(row(each, [arrived for _, arrived, _ in cells(Path(temporary), each)]))
