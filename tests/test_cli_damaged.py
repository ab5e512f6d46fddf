"""Files that fuzzing (tools/fuzz) made, and what is said of them: one line in the user's words."""

import struct

import pytest
import tifffile
from cli_tools import pixels, run, tree

from cheq.cli import pictures

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
        (256, 7, {"kind": UNDEFINED}, "a page is damaged: its size, or where its pixels are, is not in numbers"),
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


@pytest.mark.parametrize("code", [256, 257, 277])
def test_pages_that_are_only_counted(tmp_path, code):
    with_tag(tmp_path / "a.tif", code, 7, kind=UNDEFINED, pages=2)
    with pytest.raises(ValueError, match="a page is damaged"):
        pictures.count(tmp_path / "a.tif")
