"""Are pages of a TIFF what they are, whatever a description says; do overviews stay overviews and masks masks?"""

import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
import reference
import tifffile
from cli_tools import pixels, save
from skimage.exposure import equalize_hist
from test_cli_kept import expected, words

pytestmark = pytest.mark.cli

REDUCED, MASK = 1, 4  # tag 254


def pages_of(path):
    """The pages as tifffile reads each alone, whatever the file says of a stack."""
    with tifffile.TiffFile(path) as file:
        return [page.asarray() for page in file.pages]


def described(path, text, arrays, trailing=b"", **options):
    """Write pages of which the first has a description, and bytes after all of them."""
    with tifffile.TiffWriter(path) as file:
        for number, array in enumerate(arrays):
            tags = [(270, 2, 0, text.encode(), True)] if number == 0 else []
            file.write(array, contiguous=False, metadata=None, photometric="minisblack", extratags=tags, **options)
    path.write_bytes(path.read_bytes() + trailing)


# ---------------------------------------------------------------- descriptions


FALSE = ['{"shape": [3, 64, 80]}', '{"shape": [3, 64, 80], "truncated": true}', "ImageJ=1.53t\nimages=3\nslices=3\n"]


@pytest.mark.parametrize("text", FALSE)
@pytest.mark.parametrize("trailing", [0, 64 * 80 * 3, 64 * 80 * 6])
@pytest.mark.parametrize("count", [1, 2])
def test_a_description_that_tells_of_more_pages_than_there_are(run, tmp_path, text, trailing, count):
    """As programs leave it that copy some of the pages; what follows is a directory, or nothing, or anything."""
    if trailing == 64 * 80 * 6 and count == 1 and text != FALSE[0]:
        trailing -= 64 * 80 * 3  # with all bytes there, these two are stacks
    arrays = [words(64, 80, seed=seed) for seed in range(count)]
    described(tmp_path / "in.tif", text, arrays, bytes(trailing))
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    for found, array in zip(pages_of(tmp_path / "out.tif"), arrays, strict=True):
        np.testing.assert_array_equal(found, expected(array), strict=True)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert not file.pages[0].is_shaped
        assert "images=" not in file.pages[0].description
        np.testing.assert_array_equal(file.asarray(key=0), expected(arrays[0]))


@pytest.mark.parametrize(
    "text",
    ['{"shape": 3}', '{"shape": [0, 64]}', '{"shape": [', '{"shape": [-3, 64, 80]}', "ImageJ=\nimages=x", "ImageJ="],
)
def test_descriptions_that_make_no_sense(run, tmp_path, text):
    array = words(64, 80)
    described(tmp_path / "in.tif", text, [array])
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    (found,) = pages_of(tmp_path / "out.tif")
    np.testing.assert_array_equal(found, expected(array), strict=True)


@pytest.mark.parametrize("options", [{"imagej": True}, {}])
def test_a_stack_whose_bytes_are_those_of_another_page(run, tmp_path, options):
    """A stack of three behind one directory, of which another directory has the second."""
    array = words(3, 64, 80)
    tifffile.imwrite(tmp_path / "in.tif", array, truncate=True, photometric="minisblack", byteorder="<", **options)
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        page = file.pages[0]
        start, end = page.dataoffsets[0], page.offset + 2 + 12 * len(page.tags)
    data = bytearray((tmp_path / "in.tif").read_bytes())
    data += bytes(len(data) % 2)
    entries = [(256, 80), (257, 64), (258, 16), (259, 1), (262, 1), (273, start + array[0].nbytes), (277, 1), (278, 64)]
    entries.append((279, array[0].nbytes))
    struct.pack_into("<I", data, end, len(data))
    data += (
        struct.pack("<H", 9) + b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in entries) + bytes(4)
    )
    (tmp_path / "in.tif").write_bytes(data)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    for found, page in zip(pages_of(tmp_path / "out.tif"), array[:2], strict=True):
        np.testing.assert_array_equal(found, expected(page), strict=True)


def test_a_stack_whose_bytes_are_those_of_a_tag(run, tmp_path):
    array = words(3, 64, 80)
    tifffile.imwrite(tmp_path / "in.tif", array, truncate=True, imagej=True, byteorder="<", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        tag = file.pages[0].tags[270]
        inside = file.pages[0].dataoffsets[0] + array[0].nbytes + 1000
    data = bytearray((tmp_path / "in.tif").read_bytes())
    data[inside : inside + tag.valuebytecount] = data[tag.valueoffset : tag.valueoffset + tag.valuebytecount]
    struct.pack_into("<I", data, tag.offset + 8, inside)
    (tmp_path / "in.tif").write_bytes(data)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    (found,) = pages_of(tmp_path / "out.tif")
    np.testing.assert_array_equal(found, expected(array[0]), strict=True)


def test_what_a_true_description_says_stays(run, tmp_path):
    array = words(5, 23, 31)
    tifffile.imwrite(tmp_path / "in.tif", array, metadata={"axes": "ZYX", "spacing": 3}, photometric="minisblack")
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert json.loads(file.pages[0].description) == {"shape": [5, 23, 31], "axes": "ZYX", "spacing": 3}


def test_a_metamorph_stack_loses_no_planes(run, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", words(23, 31), metadata=None, extratags=[(33629, 5, 18, (1,) * 36, True)])
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert result.exit_code == 1
    assert "a MetaMorph stack, of 18 planes behind one page, is not supported" in result.stderr


# ---------------------------------------------------------------- overviews and masks


def pyramid(path, array, mask=None, order="page mask overview overview-mask", **options):
    """Write a page, its mask, a smaller copy and that one's mask, as GDAL does; returns the arrays by name."""
    parts = {"page": (array, 0), "overview": (array[::2, ::2], REDUCED)}
    if mask is not None:
        parts |= {"mask": (mask, MASK), "overview-mask": (mask[::2, ::2], REDUCED | MASK)}
    with tifffile.TiffWriter(path) as file:
        for name in order.split():
            if name in parts:
                content, kind = parts[name]
                photometric = "mask" if kind & MASK else "rgb" if content.ndim == 3 else "minisblack"
                file.write(content, subfiletype=kind, photometric=photometric, metadata=None, **options)
    return {name: content for name, (content, _) in parts.items()}


def as_page(array, smaller, mask=None):
    """A smaller copy by the LUT of the page: the reference's answer for both side by side, the page alone counted."""
    counted = np.ones(array.shape[:2], bool) if mask is None else mask
    both = np.concatenate([array.reshape(1, -1, *array.shape[2:]), smaller.reshape(1, -1, *smaller.shape[2:])], axis=1)
    counted = np.concatenate([counted.reshape(1, -1), np.zeros((1, smaller.shape[0] * smaller.shape[1]), bool)], axis=1)
    axis = None if array.ndim == 2 else -1
    return reference.equalize(both, mask=counted, channel_axis=axis)[:, array.shape[0] * array.shape[1] :].reshape(
        smaller.shape
    )


@pytest.mark.parametrize("channels", [0, 3])
@pytest.mark.parametrize("order", ["page overview", "overview page"])
def test_an_overview_gets_the_lut_of_its_page_and_stays_one(run, tmp_path, channels, order):
    array = pixels(64, 96, *[channels] * (channels > 0))
    array[::2, ::2] //= 2  # the overview has a histogram of its own
    parts = pyramid(tmp_path / "in.tif", array, order=order, compression="zlib", tile=(16, 32))
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    result = dict(zip(order.split(), pages_of(tmp_path / "out.tif"), strict=True))
    np.testing.assert_array_equal(result["page"], expected(array), strict=True)
    np.testing.assert_array_equal(result["overview"], as_page(array, parts["overview"]), strict=True)
    np.testing.assert_array_equal(result["overview"], result["page"][::2, ::2])  # as it was a part of the page
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        kinds = dict(zip(order.split(), [page.subfiletype for page in file.pages], strict=True))
        assert kinds == {"page": 0, "overview": REDUCED}
        assert [(page.tilelength, page.tilewidth) for page in file.pages] == [(16, 32)] * 2


@pytest.mark.parametrize("options", [{}, {"compression": "lzw"}, {"compression": "zlib", "tile": (16, 16)}])
@pytest.mark.parametrize("order", ["page mask overview overview-mask", "page overview mask overview-mask"])
@pytest.mark.parametrize("channels", [0, 3])
def test_a_mask_page_is_copied_and_is_the_mask(run, tmp_path, options, order, channels):
    array = pixels(64, 96, *[channels] * (channels > 0))
    mask = pixels(64, 96, seed=5) > 80
    array[~mask] = 250
    parts = pyramid(tmp_path / "in.tif", array, mask, order, **options)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert (result.exit_code, result.stderr) == (0, "")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        found = dict(zip(order.split(), file.pages, strict=True))
        assert {name: page.subfiletype for name, page in found.items()} == {
            "page": 0, "mask": MASK, "overview": REDUCED, "overview-mask": REDUCED | MASK
        }  # fmt: skip
        for name in ("mask", "overview-mask"):
            assert (found[name].photometric, found[name].bitspersample) == (4, 1)
            np.testing.assert_array_equal(found[name].asarray(), parts[name], strict=True)
        axis = None if array.ndim == 2 else -1
        whole = reference.equalize(array, mask=mask, channel_axis=axis)
        whole[~mask] = 250  # what means nothing stays
        np.testing.assert_array_equal(found["page"].asarray(), whole, strict=True)
        np.testing.assert_array_equal(found["overview"].asarray(), whole[::2, ::2], strict=True)


@pytest.mark.parametrize("options", [["--method", "skimage"], ["--color", "ycrcb"], ["--color", "gray"]])
def test_overviews_by_other_methods_and_colors(run, tmp_path, options):
    if options[1] == "skimage":
        array = np.random.default_rng(0).random((64, 96)).astype(np.float32)
    else:
        array = pixels(64, 96, 3)
    pyramid(tmp_path / "in.tif", array)
    save(tmp_path / "mask.png", np.ones((64, 96), bool))
    for more in ([], ["--mask", "mask.png"], ["--mask", "mask.png", "--outside", "keep"]):
        assert run("equalize", "in.tif", "-o", "out.tif", *options, *more, "--overwrite").exit_code == 0
        whole, smaller = pages_of(tmp_path / "out.tif")
        np.testing.assert_array_equal(smaller, whole[::2, ::2], strict=True)
    if options[1] == "skimage":
        np.testing.assert_array_equal(whole, equalize_hist(array), strict=True)


def test_an_overview_that_is_of_another_kind_has_a_lut_of_its_own(run, tmp_path):
    """Thumbnails in 8 bits of pages in 16."""
    array, thumbnail = words(64, 96), pixels(16, 24)
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(array, metadata=None)
        file.write(thumbnail, subfiletype=REDUCED, metadata=None)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    for found, before in zip(pages_of(tmp_path / "out.tif"), (array, thumbnail), strict=True):
        np.testing.assert_array_equal(found, expected(before), strict=True)


def test_overviews_and_masks_are_not_counted_for_a_shared_lut(run, tmp_path):
    arrays = [pixels(64, 96, seed=seed) // (1 + seed) for seed in (0, 1)]
    mask = pixels(64, 96, seed=5) > 80
    (tmp_path / "in").mkdir()
    for name, array in zip("ab", arrays, strict=True):
        pyramid(tmp_path / f"in/{name}.tif", array, mask)
    assert run("equalize", "in", "-o", "out", "--shared-lut").exit_code == 0
    whole = reference.equalize(np.concatenate(arrays), mask=np.concatenate([mask, mask]))
    for name, array, both in zip("ab", arrays, np.split(whole, 2), strict=True):
        page, _, smaller, _ = pages_of(tmp_path / f"out/{name}.tif")
        both = np.where(mask, both, array)
        np.testing.assert_array_equal(page, both)
        np.testing.assert_array_equal(smaller, both[::2, ::2])


@pytest.mark.skipif(not shutil.which("gdal_translate"), reason="GDAL's tools (Debian's gdal-bin) are not installed")
@pytest.mark.parametrize("compression", ["NONE", "DEFLATE", "LZW"])
def test_a_file_of_gdal_with_mask_and_overviews(run, tmp_path, compression):
    array = pixels(600, 700)
    array[:200] = 0
    with tifffile.TiffWriter(tmp_path / "plain.tif") as file:
        file.write(array, metadata=None, extratags=[(42113, 2, 0, b"0", True)])
    config = ["--config", "GDAL_TIFF_INTERNAL_MASK", "YES", "--config", "COMPRESS_OVERVIEW", compression]
    translate = ["gdal_translate", "-q", *config, "-a_nodata", "none", "-mask", "1", "-co", f"COMPRESS={compression}"]
    subprocess.run([*translate, "-co", "TILED=YES", "plain.tif", "in.tif"], check=True, cwd=tmp_path)
    subprocess.run(["gdaladdo", "-q", *config, "-r", "nearest", "in.tif", "2", "4"], check=True, cwd=tmp_path)
    result = run("equalize", "in.tif", "-o", "out.tif")
    assert (result.exit_code, result.stderr) == (0, "")
    told = {}
    for name in ("in.tif", "out.tif"):
        info = subprocess.run(["gdalinfo", "-json", name], check=True, cwd=tmp_path, capture_output=True)
        band = json.loads(info.stdout)["bands"][0]
        told[name] = (band["block"], band["mask"], [each["size"] for each in band["overviews"]])
        for part in ("mask,1", "1"):
            copy = ["gdal_translate", "-q", "-b", part, "--config", "GDAL_TIFF_INTERNAL_MASK", "NO", name]
            subprocess.run([*copy, f"{part[0]}-{name}"], check=True, cwd=tmp_path)
    assert told["in.tif"] == told["out.tif"]
    masks = [tifffile.imread(tmp_path / f"m-{name}") for name in ("in.tif", "out.tif")]
    np.testing.assert_array_equal(masks[0], masks[1], strict=True)
    result = tifffile.imread(tmp_path / "1-out.tif")
    whole = reference.equalize(array, mask=masks[0] > 0)
    np.testing.assert_array_equal(result, np.where(masks[0] > 0, whole, array), strict=True)
