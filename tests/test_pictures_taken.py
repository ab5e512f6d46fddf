"""Is what is not taken refused by name, and does what the message proposes work?"""

import re

import imagecodecs
import numpy as np
import pytest
import tifffile
from cli_tools import pixels
from marks import exhaustive
from PIL import Image

pytestmark = pytest.mark.cli


def done(message, path, new):
    """Do what a message proposes in code: a call of Pillow's, or arrays that are saved."""
    names = {"Image": Image, "imagecodecs": imagecodecs, "tifffile": tifffile, "PATH": path, "NEW": new}
    if "makes an array of it" in message:
        made, saved = re.search(r"; (\S.*) makes an array of it, which (.*) saves", message).groups()
        exec(f"ARRAY = {made}\n{saved}", names)
    elif "colormap[" in message:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            names.update({"colormap": page.colormap, "asarray": page.asarray})
            colors = eval(re.search(r"colormap\[.*\)\]", message)[0], names)
            tifffile.imwrite(new, np.moveaxis(colors, 0, -1), photometric="rgb")
    else:
        eval(re.search(r"Image\.open\(.*\)", message)[0], names)


def cmyk(path):
    Image.merge("CMYK", [Image.fromarray(pixels(9, 7, seed=seed)) for seed in range(4)]).save(path)


def premultiplied(path):
    array = pixels(9, 7, 4)
    tifffile.imwrite(path, np.minimum(array, array[..., 3:]), photometric="rgb", extrasamples=["assocalpha"])


def palette(path):
    colors = np.random.default_rng(0).integers(0, 65536, (3, 65536), np.uint16)
    indices = np.random.default_rng(1).integers(0, 65536, (9, 7), np.uint16)
    tifffile.imwrite(path, indices, photometric="palette", colormap=colors)


def of_12_bits(path):
    try:
        path.write_bytes(imagecodecs.jpeg8_encode(pixels(16, 16).astype(np.uint16) * 16, bitspersample=12))
    except ValueError as error:
        pytest.skip(f"this imagecodecs writes none of 12 bits: {error}")


def lossless(path):
    path.write_bytes(imagecodecs.ljpeg_encode(pixels(16, 16).astype(np.uint16) * 16, bitspersample=12))


@pytest.mark.parametrize(
    ("name", "make", "new", "said"),
    [
        ("a.jpg", cmyk, "b.jpg", "CMYK, inks for print, is not supported"),
        ("a.tif", cmyk, "b.tif", "CMYK, inks for print, is not supported"),
        ("a.tif", premultiplied, "b.tif", "premultiplied alpha is not supported"),
        ("a.tif", palette, "b.tif", "a palette of 16 bits is not supported"),
        ("a.jpg", of_12_bits, "b.tif", "a JPEG of 12 bits is not supported"),
        ("a.jpg", lossless, "b.tif", "a lossless JPEG is not supported"),
    ],
)
def test_what_is_not_taken_is_named_with_what_can_be_done(run, tmp_path, name, make, new, said):
    make(tmp_path / name)
    result = run("equalize", name, "-o", "out/")
    assert result.exit_code == 1
    assert f"error: {name}: {said}; " in result.stderr
    done(result.stderr, tmp_path / name, tmp_path / new)
    assert run("equalize", new, "-o", "out/").exit_code == 0


COMMANDS = [
    ["equalize"],
    ["equalize", "--method", "skimage"],
    ["equalize", "--shared-lut"],
    ["clahe"],
    ["clahe", "--tiles", "2x2"],
    ["clahe", "--method", "skimage"],
    ["equalize", "--method", "skimage", "--match-first"],
]


@pytest.mark.parametrize(
    "dtype", ["int8", "uint32", "float16", *exhaustive("int16", "int32", "float32", "float64", "bool")]
)
def test_only_methods_that_take_a_dtype_are_proposed(run, tmp_path, dtype):
    array = pixels(16, 16).astype(dtype) if dtype[0] != "f" else (pixels(16, 16) / 255).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    if dtype != "bool":
        tifffile.imwrite(tmp_path / "a.tif", array)
    for name in ("a.npy", "a.tif"):
        if not (tmp_path / name).exists():
            continue
        for command in COMMANDS:
            said = run(*command, name, "-o", f"out/{name}", "--overwrite").stderr
            for method in ("opencv", "pillow", "skimage", "numpy"):
                proposed = re.search(rf"; --method .*\b{method}\b.* does", said)
                if proposed:
                    result = run(*command, "--method", method, name, "-o", f"out/{name}", "--overwrite")
                    assert result.exit_code == 0, (command, method, said)
            words = " ".join(said.replace("│", " ").split())
            assert not re.search(r"\bdtype\b|nan_policy|np\.|pass method", words), words
            if "first" in words:
                np.save(tmp_path / "b.npy", array.astype(np.uint8))
                assert run(*command, "b.npy", "-o", "out/", "--overwrite").exit_code == 0


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"predictor": 3, "compression": "zlib"}])
def test_float16_becomes_float32_and_is_said(run, tmp_path, options):
    array = np.random.default_rng(0).random((9, 7)).astype(np.float16)
    array[0, :3] = 0.1
    tags = [(42113, 2, 0, "0.1", True)]
    tifffile.imwrite(tmp_path / "a.tif", array, extratags=tags, metadata=None, **options)
    result = run("equalize", "a.tif", "-o", "out.tif", "--method", "skimage")
    assert (result.exit_code, result.stderr) == (0, "warning: a.tif: its float16 becomes float32\n")
    from skimage.exposure import equalize_hist

    inside = array != np.float16(0.1)
    expected = array.astype(np.float32)
    expected[inside] = equalize_hist(expected[inside])
    out = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(out, expected, strict=True)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert np.float32(float(file.pages[0].tags[42113].value)) == out[0, 0]
