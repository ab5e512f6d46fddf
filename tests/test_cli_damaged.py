"""Files that fuzzing (tools/fuzz) made, and what is said of them: one line in the user's words."""

import struct
import tracemalloc

import imagecodecs
import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, run, tree
from PIL import Image

from cheq.pictures import formats
from cheq.pictures.formats import Picture

pytestmark = pytest.mark.cli

SHORT, FLOAT, UNDEFINED = 3, 11, 7  # types of tags


def with_tag(path, code, value, kind=None, pages=1, **options):
    """Write a TIFF whose last page's tag of 16 or 32 bits says something else, or is said to be of another type."""
    with tifffile.TiffWriter(path) as writer:
        for _ in range(pages):
            writer.write(pixels(9, 7), contiguous=False, metadata=None, **options)
    with tifffile.TiffFile(path) as file:
        tag = file.pages[-1].tags[code]
    data = bytearray(path.read_bytes())
    struct.pack_into("<H" if tag.dtype == SHORT else "<I", data, tag.valueoffset, value)
    if kind is not None:
        struct.pack_into("<HI", data, tag.offset + 2, kind, 4 if kind == UNDEFINED else 1)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("code", "value", "options", "said"),
    [
        (259, 48000, {}, "compression 48000 is not known"),
        (256, 0, {"photometric": "miniswhite"}, "a page has no width or no height"),
        (257, 0, {"photometric": "minisblack"}, "a page has no width or no height"),
        (256, 7, {"kind": UNDEFINED}, "a page is damaged: its size, or how or where its"),
        (317, 2, {"kind": UNDEFINED, "compression": "lzw", "predictor": True}, "a page is damaged"),
        (257, 9, {"kind": UNDEFINED}, "a page is damaged"),
        (257, 9, {"kind": FLOAT}, "a page is damaged"),
        (279, 63, {"kind": FLOAT}, "a page is damaged"),
        (256, 7, {"kind": UNDEFINED, "pages": 2}, "a page is damaged"),
        (257, 9, {"kind": UNDEFINED, "pages": 3}, "a page is damaged"),
    ],
)
def test_a_tiff_that_says_what_it_cannot_mean(tmp_path, monkeypatch, code, value, options, said):
    monkeypatch.chdir(tmp_path)
    with_tag(tmp_path / "a.tif", code, value, **options)
    result = run("equalize", "a.tif", "-o", "out.tif")
    assert result.exit_code == 1
    assert f"a.tif: {said}" in " ".join(result.stderr.split()), result.stderr
    assert tree(tmp_path) == ["a.tif"]


def test_a_list_of_pages_without_an_end(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(3):
            writer.write(pixels(9, 7), contiguous=False, metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        second, last = file.pages[1].offset, file.pages[2]
        end = last.offset + 2 + 12 * len(last.tags)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<I", data, end, second)
    (tmp_path / "a.tif").write_bytes(data)
    for read in (formats.wholes, lambda path: list(formats.pages(path))):
        with pytest.raises(ValueError, match="its list of pages has no end"):
            read(tmp_path / "a.tif")


@pytest.mark.parametrize("code", [256, 257, 277])
def test_pages_that_are_only_counted(tmp_path, code):
    with_tag(tmp_path / "a.tif", code, 7, kind=UNDEFINED, pages=2)
    with pytest.raises(ValueError, match="a page is damaged"):
        formats.wholes(tmp_path / "a.tif")


@pytest.mark.parametrize("options", [{}, {"predictor": True}, {"byteorder": ">"}, {"tile": (16, 16)}])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(23, 31), (23, 31, 3), (23, 31, 4), (3, 23, 31)])
def test_lzw_is_decoded_by_libtiff_to_the_pixels_that_tifffile_gives(tmp_path, shape, dtype, options):
    array = pixels(*shape).astype(dtype) / (3 if dtype[0] == "f" else 1)
    kind = {"photometric": "minisblack" if len(shape) == 2 else "rgb"}
    if len(shape) == 3:
        kind |= {"planarconfig": "separate" if shape[0] == 3 else "contig"}
    if shape[-1] == 4:
        kind |= {"extrasamples": ["unassalpha"]}
    others = {name: value for name, value in options.items() if name != "byteorder"}
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=options.get("byteorder")) as writer:
        for page in (array[::-1], array):
            writer.write(page.astype(dtype), compression="lzw", contiguous=False, metadata=None, **kind, **others)
    _, picture = formats.pages(tmp_path / "a.tif")
    expected = tifffile.imread(tmp_path / "a.tif", key=1)
    np.testing.assert_array_equal(
        picture.pixels, np.moveaxis(expected, 0, -1) if shape[0] == 3 else expected, strict=True
    )


def test_damaged_lzw_is_an_error_and_not_the_end_of_the_process(tmp_path):
    """Imagecodecs 2026.3.6 reads what no code has written: what happens then depends on the memory."""
    tifffile.imwrite(tmp_path / "a.tif", pixels(23, 31), compression="lzw")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        start = file.pages[0].dataoffsets[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[start : start + 3] = b"\x80\x7f\xff"  # clear, and a code that is not in the table yet
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(imagecodecs.TiffError, match="table"):
        next(formats.pages(tmp_path / "a.tif"))


# ---------------------------------------------------------------- JPEG


JPEGS = {
    "usual": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 4},
    "coarse": {"subsampling": "4:2:0", "quality": 40},
    "stored as R, G, B": {"keep_rgb": True, "subsampling": "4:4:4"},
}


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    ("kind", "decoder"),
    [*((kind, "libtiff") for kind in JPEGS), *((kind, "Pillow") for kind in ("usual", "coarse", "stored as R, G, B"))],
)
def test_a_jpeg_whose_middle_is_missing_is_damaged(tmp_path, monkeypatch, kind, mode, decoder):
    """It has its end: decoders make up what is not there, and say so to those alone who ask."""
    monkeypatch.chdir(tmp_path)
    if decoder == "Pillow":  # as for sampling factors that libtiff does not take
        monkeypatch.setattr("cheq.pictures.jpeg._as_tiff", lambda image, data: b"")
    options = {} if mode == "L" and kind == "stored as R, G, B" else JPEGS[kind]
    array = pixels(90, 120, *[3] * (mode == "RGB"))
    Image.fromarray(array).save(tmp_path / "whole.jpg", **options)
    result = run("equalize", "whole.jpg", "-o", "out.png")
    assert (result.exit_code, result.stderr) == (0, "")
    np.testing.assert_array_equal(formats.read(tmp_path / "whole.jpg").pixels, load(tmp_path / "whole.jpg"))
    data = (tmp_path / "whole.jpg").read_bytes()
    for first, last in ((0.4, 0.6), (0.55, 0.7), (0.5, 0.95)):
        (tmp_path / "in.jpg").write_bytes(data[: int(len(data) * first)] + data[int(len(data) * last) :])
        result = run("equalize", "in.jpg", "-o", "out/")
        assert result.exit_code == 1
        assert "error: in.jpg: damaged: " in result.stderr
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["progressive", "restarts"])
def test_a_jpeg_that_cannot_be_asked_is_warned_of(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cheq.pictures.jpeg._as_tiff", lambda image, data: b"")
    Image.fromarray(pixels(90, 120)).save(tmp_path / "in.jpg", **JPEGS[kind])
    result = run("equalize", "in.jpg", "-o", "out.png")
    said = "warning: in.jpg: it cannot be told whether pixels in its middle are missing\n"
    assert (result.exit_code, result.stderr) == (0, said)


def test_gray_of_any_sampling_factor_is_whole(tmp_path):
    """Of one channel they mean nothing: Pillow writes 2 x 2 with 4:2:0."""
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        Image.fromarray(pixels(23, 31)).save(tmp_path / "in.jpg", subsampling=sampling, progressive=True)
        np.testing.assert_array_equal(formats.read(tmp_path / "in.jpg").pixels, load(tmp_path / "in.jpg"), strict=True)


# ---------------------------------------------------------------- files that claim more than they hold


@pytest.mark.parametrize("stored", ["one strip", "no bytes"])
def test_pages_that_share_their_bytes_are_counted_together(tmp_path, monkeypatch, stored):
    """401 pages of 100 x 100 in a file of a few kB."""
    monkeypatch.chdir(tmp_path)
    count, pages = 401, b""
    place, strip = 8 + 10_000, (8, 10_000 if stored == "one strip" else 0)
    for number in range(count):
        entries = [(256, 100), (257, 100), (258, 8), (259, 1), (262, 1), (273, strip[0]), (277, 1), (278, 100)]
        entries.append((279, strip[1]))
        packed = struct.pack("<H", 9) + b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in entries)
        following = place + (number + 1) * (len(packed) + 4) if number + 1 < count else 0
        pages += packed + struct.pack("<I", following)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", place) + pixels(100, 100).tobytes() + pages)
    result = run("equalize", "a.tif", "-o", "out.tif", "--max-pixels", 4_000_000)
    assert result.exit_code == 1
    assert "(4010000 pixels) exceeds limit of 4000000 pixels" in result.stderr
    assert run("equalize", "a.tif", "-o", "out.tif", "--max-pixels", 4_010_000).exit_code == 0


def test_a_gif_takes_memory_for_its_pixels_alone(tmp_path):
    """Sorting them as rows of four took ten times as much, and a second a megapixel."""
    array = np.zeros((1000, 1000, 4), np.uint8)
    array[..., 3], array[::3, :, 0] = 255, 9
    tracemalloc.start()
    try:
        with open(tmp_path / "a.gif", "w+b") as file:
            formats.write([Picture(array, alpha=True, rgb=True)], file, ".gif")
        assert tracemalloc.get_traced_memory()[1] < 12 * 1000 * 1000
    finally:
        tracemalloc.stop()
    with Image.open(tmp_path / "a.gif") as image:
        np.testing.assert_array_equal(np.array(image.convert("RGBA")), array)
