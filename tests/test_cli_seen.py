"""Is a picture seen afterwards as before, equalized, whichever way it lies; and does a mask fit it as it is seen?"""

import cv2
import numpy as np
import pytest
import reference
import tifffile
from cli_tools import load, pixels, save
from marks import exhaustive
from PIL import Image, ImageOps, TiffImagePlugin

pytestmark = pytest.mark.cli

# What each orientation shows of the pixels as they are stored (TIFF 6.0, tag 274).
SEEN = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: stored[::-1, ::-1],
    4: np.flipud,
    5: lambda stored: np.swapaxes(stored, 0, 1),
    6: lambda stored: np.swapaxes(stored, 0, 1)[:, ::-1],
    7: lambda stored: np.swapaxes(stored, 0, 1)[::-1, ::-1],
    8: lambda stored: np.swapaxes(stored, 0, 1)[::-1],
}


def lying(path, array, orientation, **options):
    """Write a picture whose tag says how it must be turned."""
    if path.suffix == ".tif":
        with tifffile.TiffWriter(path) as file:
            file.write(array, metadata=None, extratags=[(274, 3, 1, orientation, True)], **options)
    else:
        exif = Image.Exif()
        exif[274] = orientation
        save(path, array, exif=exif, **options)


def seen(path):
    """What an image viewer shows, by readers of others: tifffile's pixels and tag of a TIFF, Pillow of the rest."""
    if path.suffix != ".tif":
        with Image.open(path) as image:
            return np.array(ImageOps.exif_transpose(image))
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        stored = page.asarray()
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            stored = np.moveaxis(page.colormap[:, stored] >> 8, 0, -1).astype(np.uint8)
        return SEEN[page.tags[274].value if 274 in page.tags else 1](stored)


def each_channel(array, mask=None):
    return reference.equalize(array, channel_axis=None if array.ndim == 2 else -1, mask=mask)


def kinds():
    """Pages that tifffile reads, and those that Pillow does: few bits, palettes; with and without compression."""
    colors = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    for compression in (None, "zlib", "packbits"):
        yield pixels(23, 31), {"compression": compression}
        yield pixels(23, 31, 3), {"photometric": "rgb", "compression": compression}
        yield pixels(23, 31), {"photometric": "palette", "colormap": colors, "compression": compression}


@pytest.mark.parametrize("orientation", SEEN)
def test_every_kind_of_tiff_is_seen_as_before(run, tmp_path, orientation):
    for number, (array, options) in enumerate(kinds()):
        name = f"{number}.tif"
        lying(tmp_path / name, array, orientation, resolution=(300, 100), **options)
        before = seen(tmp_path / name)
        assert run("equalize", name, "-o", "out/").exit_code == 0
        np.testing.assert_array_equal(seen(tmp_path / "out" / name), each_channel(before), str(options), strict=True)
        with tifffile.TiffFile(tmp_path / "out" / name) as file:
            tags = file.pages[0].tags
            # Stored as before: so the tag stays, and the resolution is that of the same sides.
            assert file.pages[0].shape[:2] == array.shape[:2]
            assert [tags[code].value for code in (274, 282, 283)] == [orientation, (300, 1), (100, 1)]
        assert run("equalize", name, "-o", f"{number}.bmp").exit_code == 0
        with Image.open(tmp_path / f"{number}.bmp") as image:
            np.testing.assert_array_equal(np.array(image), each_channel(before), str(options), strict=True)
            dpi = (300, 100) if orientation < 5 else (100, 300)
            assert [round(value) for value in image.info["dpi"]] == list(dpi)


@pytest.mark.parametrize("orientation", SEEN)
def test_one_bit_and_four_lie_as_before(run, tmp_path, orientation):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = orientation
    bits = pixels(23, 31) > 100
    Image.fromarray(bits).save(tmp_path / "in.tif", tiffinfo=tags)
    assert run("equalize", "in.tif", "-o", "out.tif").exit_code == 0
    np.testing.assert_array_equal(seen(tmp_path / "out.tif"), SEEN[orientation](bits * np.uint8(255)))


@pytest.mark.parametrize("orientation", SEEN)
@pytest.mark.parametrize("name", ["a.tif", *exhaustive("a.jpg", "a.png", "a.webp")])
def test_a_mask_is_matched_as_one_sees_the_picture(run, tmp_path, name, orientation):
    array = pixels(23, 31, 3)
    lying(tmp_path / name, array, orientation, **({"lossless": True, "exact": True} if name == "a.webp" else {}))
    before = seen(tmp_path / name)
    if name in ("a.jpg", "a.png"):
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / name))[..., ::-1], before)
    mask = np.zeros(before.shape[:2], bool)
    mask[2:9, 3:20] = True
    save(tmp_path / "mask.png", mask)
    np.save(tmp_path / "mask.npy", mask)
    for turn in SEEN:
        back = SEEN[{6: 8, 8: 6}.get(turn, turn)](mask)
        lying(tmp_path / f"mask{turn}.png", np.ascontiguousarray(back) * np.uint8(255), turn)
    for used in ("mask.png", "mask.npy", *(f"mask{turn}.png" for turn in SEEN)):
        assert run("equalize", name, "-o", "out.png", "--mask", used, "--overwrite").exit_code == 0
        np.testing.assert_array_equal(seen(tmp_path / "out.png"), each_channel(before, mask), used, strict=True)


def test_pages_that_lie_in_different_ways_share_a_mask(run, tmp_path):
    shown = [pixels(23, 31, seed=seed) for seed in (1, 2)]
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for orientation, array in ((1, shown[0]), (6, shown[1][:, ::-1].T)):
            file.write(np.ascontiguousarray(array), metadata=None, extratags=[(274, 3, 1, orientation, True)])
    mask = save(tmp_path / "mask.png", pixels(23, 31, seed=3) > 100)
    assert run("equalize", "in.tif", "-o", "out.tif", "--mask", "mask.png").exit_code == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        for page, array in zip(file.pages, shown, strict=True):
            turned = SEEN[page.tags[274].value](page.asarray())
            np.testing.assert_array_equal(turned, each_channel(array, mask), strict=True)


def test_a_mask_that_does_not_fit_as_seen_is_refused(run, tmp_path):
    lying(tmp_path / "in.png", pixels(23, 31), 6)
    save(tmp_path / "mask.png", pixels(23, 31) > 100)
    result = run("equalize", "in.png", "-o", "out.png", "--mask", "mask.png")
    assert result.exit_code == 1
    sizes = "mask: it has 31 x 23 pixels, and the picture, as one sees it, 23 x 31"
    assert result.stderr == f"error: in.png: {sizes} (on the command line: --mask)\n"
    assert load(tmp_path / "mask.png").shape == (23, 31)
