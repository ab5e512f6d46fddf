"""Are PGM, PPM and PBM of 8 and 16 bits, in text and in bytes, read and written as cv2 and Pillow do?"""

import cv2
import numpy as np
import pytest
import reference
from cli_tools import pixels
from PIL import Image

from cheq.pictures import formats

pytestmark = pytest.mark.cli


def words(*shape):
    return np.random.default_rng(0).integers(300, 3900, shape, np.uint16)


def each_channel(array):
    return reference.equalize(array, channel_axis=None if array.ndim == 2 else -1)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
@pytest.mark.parametrize("source", ["pnm", "png"])
def test_16_bits_stay_16_bits(run, tmp_path, source, shape):
    array = words(*shape)
    assert cv2.imwrite(str(tmp_path / f"in.{source}"), array if len(shape) == 2 else array[..., ::-1])
    extension = "pgm" if len(shape) == 2 else "ppm"
    for target in (extension, "pnm", "png"):
        result = run("equalize", f"in.{source}", "-o", f"out.{target}")
        assert (result.exit_code, result.stderr) == (0, "")
        out = cv2.imread(str(tmp_path / f"out.{target}"), cv2.IMREAD_UNCHANGED)
        out = out if len(shape) == 2 else out[..., ::-1]
        np.testing.assert_array_equal(out, each_channel(array), strict=True)
    if len(shape) == 3:
        assert "a .pgm file cannot hold 16-bit RGB" in run("equalize", f"in.{source}", "-o", "out.pgm").stderr


@pytest.mark.parametrize("highest", [1, 2, 99, 255, 256, 1000, 4095, 65535])
@pytest.mark.parametrize("kind", [2, 3, 5, 6])
def test_levels_are_those_of_pillow(tmp_path, kind, highest):
    """Which halves the bits of color, so that it is asked channel by channel."""
    shape = (4, 5, 3) if kind in (3, 6) else (4, 5)
    array = np.random.default_rng(highest).integers(0, highest + 1, shape)
    samples = " ".join(map(str, array.ravel())).encode() if kind < 4 else None
    samples = samples or array.astype(np.uint8 if highest < 256 else ">u2").tobytes()
    (tmp_path / "in.pnm").write_bytes(b"P%d # a remark\n5\t4 #another\n%d\n" % (kind, highest) + samples)
    picture = formats.read(tmp_path / "in.pnm")
    assert picture.about.comments == (b"a remark", b"another")
    for channel in range(shape[2] if len(shape) == 3 else 1):
        plane = array[..., channel] if len(shape) == 3 else array
        plain = b"P2 5 4 %d\n" % highest + " ".join(map(str, plane.ravel())).encode()
        (tmp_path / "plane.pgm").write_bytes(plain)
        with Image.open(tmp_path / "plane.pgm") as image:
            found = picture.pixels[..., channel] if len(shape) == 3 else picture.pixels
            np.testing.assert_array_equal(found, np.array(image))


@pytest.mark.parametrize("kind", [1, 4])
def test_bits(run, tmp_path, kind):
    bits = pixels(5, 11) > 100
    samples = "".join(map(str, bits.astype(int).ravel())).encode() if kind == 1 else np.packbits(bits, axis=1).tobytes()
    (tmp_path / "in.pnm").write_bytes(b"P%d 11 5\n" % kind + samples)
    with Image.open(tmp_path / "in.pnm") as image:
        expected = np.array(image.convert("L"))
    np.testing.assert_array_equal(formats.read(tmp_path / "in.pnm").pixels, expected, strict=True)


def test_several_pictures_and_remarks(run, tmp_path):
    first, second = words(4, 5), pixels(6, 3, 3)
    data = b"P5\n# one\n5 4\n65535\n" + first.astype(">u2").tobytes() + b"P6 #two\n3 6\n255\n" + second.tobytes()
    (tmp_path / "in.pnm").write_bytes(data)
    result = run("equalize", "in.pnm", "-o", "out.png")
    said = "only the first of the file's 2 pictures is taken (on the command line: --frames all)"
    assert (result.exit_code, result.stderr) == (0, f"warning: in.pnm: {said}\n")
    result = run("equalize", "in.pnm", "-o", "out.pnm", "--frames", "all")
    assert (result.exit_code, result.stderr) == (0, "")
    wanted = b"P5\n# one\n5 4\n65535\n" + each_channel(first).astype(">u2").tobytes()
    wanted += b"P6\n# two\n3 6\n255\n" + each_channel(second).tobytes()
    assert (tmp_path / "out.pnm").read_bytes() == wanted


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"P5 5 4 255\nabc", "the file is cut off: pixels lie behind its end"),
        (b"P5 5 4\n", "damaged: its head is no width, height and highest level"),
        (b"P5 5 4 65536\n", "levels up to 65536 is not supported"),
        (b"P5 2 1 9\n\x03\x0a", "damaged: a level is not of 0 to 9"),
        (b"P2 2 1 9\n3", "damaged: expected 2 levels, got 1"),
        (b"P2 2 1 9\n3 -1", "damaged: a level is not of 0 to 9"),
        (b"P2 2 1 9\n3 x", "damaged: a level is no number"),
        (b"P5 99999 99999 255\n", "the file is cut off"),
        (b"P2 99999 99999 255\n1", "exceeds limit of 178956970 pixels"),
    ],
)
def test_damaged_ones(run, tmp_path, data, said):
    (tmp_path / "in.pgm").write_bytes(data)
    result = run("equalize", "in.pgm", "-o", "out.pgm")
    assert result.exit_code == 1
    assert said in result.stderr
