"""Are all frames taken, equalized as they are seen and shown as long as before; and are others than the first named?"""

import io
import struct

import cv2
import numpy as np
import pytest
import reference
import tifffile
from cli_tools import pixels
from marks import exhaustive
from PIL import Image, ImageSequence

from cheq.pictures import apng, png

pytestmark = pytest.mark.cli

TIMES = [120, 50, 0, 1000]  # thousandths of a second
KEPT = {".gif": ("GIF", 4), ".webp": ("WEBP", 4), ".png": ("PNG", 4)}


def each_channel(array, alpha):
    planes = [reference.equalize(array[..., channel]) for channel in range(array.shape[-1] - alpha)]
    return np.dstack([*planes, array[..., -1]] if alpha else planes)


def scene(alpha):
    """Four frames that change in parts, of few colors."""
    first = pixels(16, 24, 3) // 32 * 32
    for number in range(4):
        first[number : number + 5, number : number + 7] = 40 + 40 * number
        array = np.dstack([first, np.full((16, 24), 255, np.uint8)])
        array[10:, 3 * number : 3 * number + 4, 3] = 0
        array[array[..., 3] == 0] = 0
        yield Image.fromarray(array if alpha else array[..., :3])


def shown(path):
    """What Pillow shows of each frame, how long, and how often all are shown (as GIF says it)."""
    with Image.open(path) as image:
        frames = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            frames.append((np.array(frame.convert("RGBA")), round(frame.info.get("duration", 0))))
        return frames, image.info.get("loop")


def made(path, alpha, **options):
    frames = list(scene(alpha))
    own = {".webp": {"lossless": True, "exact": True}, ".gif": {"disposal": 2 if alpha else 1}}.get(path.suffix, {})
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=TIMES, **own, **options)


@pytest.mark.parametrize("alpha", [True, *exhaustive(False)])
@pytest.mark.parametrize("target", KEPT)
@pytest.mark.parametrize("source", KEPT)
def test_all_frames(run, tmp_path, source, target, alpha):
    made(tmp_path / f"in{source}", alpha, loop=3)
    before, _ = shown(tmp_path / f"in{source}")
    assert len(before) == 4
    result = run("equalize", f"in{source}", "-o", f"out{target}", "--frames", "all")
    assert (result.exit_code, result.stderr) == (0, "")
    after, loop = shown(tmp_path / f"out{target}")
    plays = 4 if source == ".gif" else 3
    assert loop == plays - (target == ".gif")
    assert [time for _, time in after] == [time for _, time in before]
    has_alpha = any((array[..., 3] < 255).any() for array, _ in before)
    for (array, _), (out, _) in zip(before, after, strict=True):
        expected = each_channel(array if has_alpha else array[..., :3], has_alpha)
        np.testing.assert_array_equal(out[..., 3], array[..., 3])
        seen = out[..., 3] > 0
        np.testing.assert_array_equal(out[..., :3][seen], expected[..., :3][seen])
    if hasattr(cv2, "imreadanimation") and not (target == ".gif" and has_alpha):  # of which it shows the background
        found, animation = cv2.imreadanimation(str(tmp_path / f"out{target}"))
        assert found
        for (out, _), frame in zip(after, animation.frames, strict=True):
            seen = out[..., 3] > 0
            np.testing.assert_array_equal(frame[..., 2::-1][seen], out[..., :3][seen])


@pytest.mark.parametrize("source", KEPT)
def test_the_first_frame_alone_is_said(run, tmp_path, source):
    made(tmp_path / f"in{source}", False)
    before, _ = shown(tmp_path / f"in{source}")
    result = run("equalize", f"in{source}", "-o", "out.png")
    said = "only the first of the file's 4 frames is taken (on the command line: --frames all)"
    assert (result.exit_code, result.stderr) == (0, f"warning: in{source}: {said}\n")
    after, _ = shown(tmp_path / "out.png")
    np.testing.assert_array_equal(after[0][0][..., :3], each_channel(before[0][0][..., :3], False))
    assert len(after) == 1


def test_frames_become_pages_and_pages_no_frames(run, tmp_path):
    made(tmp_path / "in.webp", False)
    result = run("equalize", "in.webp", "-o", "out.tif", "--frames", "all")
    said = "warning: in.webp: a .tif file has no place for its timing of frames\n"
    assert (result.exit_code, result.stderr) == (0, said)
    before, _ = shown(tmp_path / "in.webp")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        for page, (array, _) in zip(file.pages, before, strict=True):
            np.testing.assert_array_equal(page.asarray(), each_channel(array[..., :3], False))
    result = run("equalize", "in.webp", "-o", "out.bmp", "--frames", "all")
    held = "a .bmp file holds one picture, and the source has more; .png, .webp and .tif hold them all"
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, f"error: in.webp: {held}")
    result = run("equalize", "out.tif", "-o", "out.gif")
    assert "a .gif file holds one picture, and the source has more; .tif holds them all" in result.stderr


def animated(controls, kind, hidden=False):
    """An animated PNG of 16 bits: frames with their size, place, disposal and blending."""
    frames = []
    for number, (height, width, top, left, disposal, blending) in enumerate(controls):
        array = np.random.default_rng(number).integers(300, 3900, (height, width, kind), np.uint16)
        if kind == 4:
            array[..., 3] = np.where(array[..., 3] > 2000, 65535, 0)
        frames.append((array, (height, width, top, left, disposal, blending)))
    size = frames[0][0].shape
    file, number = io.BytesIO(), 0
    alone = np.full(size, 1000, np.uint16)
    file.write(encoded(alone if hidden else frames[0][0])[:33])
    file.write(png.chunk(b"acTL", struct.pack(">II", len(frames), 0)))
    if hidden:
        file.write(png.chunk(b"IDAT", data_of(alone)))
    for index, (array, (height, width, top, left, disposal, blending)) in enumerate(frames):
        control = struct.pack(">IIIIIHHBB", number, width, height, left, top, 1, 30, disposal, blending)
        file.write(png.chunk(b"fcTL", control))
        number += 1
        if index or hidden:
            file.write(png.chunk(b"fdAT", struct.pack(">I", number) + data_of(array)))
            number += 1
        else:
            file.write(png.chunk(b"IDAT", data_of(array)))
    file.write(png.chunk(b"IEND", b""))
    return file.getvalue(), frames, alone


def encoded(array):
    return cv2.imencode(".png", array[..., [2, 1, 0, 3][: array.shape[2]]])[1].tobytes()


def data_of(array):
    return b"".join(content for name, content in png.read_chunks(encoded(array)) if name == b"IDAT")


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("third", [(6, 6, 6, 4, 0, 1), (6, 6, 6, 4, 1, 1)])
@pytest.mark.parametrize("kind", [3, 4])
def test_frames_of_16_bits_in_parts_stay_16_bits(run, tmp_path, kind, hidden, third):
    """Composed as PNG's section 11.3.6 says, pixel by pixel."""
    controls = [(12, 10, 0, 0, 0, 0), (5, 4, 2, 3, 2, 1), third, (3, 3, 0, 0, 0, 0)]
    data, frames, alone = animated(controls, kind, hidden)
    (tmp_path / "in.png").write_bytes(data)
    assert run("equalize", "in.png", "-o", "out.png", "--frames", "all").exit_code == 0
    found = (tmp_path / "out.png").read_bytes()
    after = list(apng.pages(found, png.chunks_of(found)))
    canvas = np.zeros((12, 10, 4), np.uint16)
    expected = [alone] if hidden else []
    for array, (height, width, top, left, disposal, blending) in frames:
        part = array if kind == 4 else np.dstack([array, np.full((height, width), 65535)])
        place = canvas[top : top + height, left : left + width]
        place[...] = np.where(part[..., 3:] > 0, part, place) if blending else part
        expected.append(canvas.copy())
        if disposal == 1:
            place[...] = 0
        if disposal == 2:
            place[...] = expected[-2][top : top + height, left : left + width]
    assert len(after) == len(expected)
    for picture, array in zip(after, expected, strict=True):
        seen_through = kind == 4 or third[4] == 1  # where there is nothing, after a frame that leaves nothing
        array = array if array.shape[2] == 4 else np.dstack([array, np.full((12, 10), 65535, np.uint16)])
        array = array if seen_through else array[..., :3]
        np.testing.assert_array_equal(picture.pixels, each_channel(array, seen_through), strict=True)
    assert [picture.about.frame.shown for picture in after] == [False] * hidden + [True] * 4
    assert {str(picture.about.frame.duration) for picture in after[hidden:]} == {"1/30"}
    with Image.open(tmp_path / "out.png") as image:
        assert (image.n_frames, image.default_image) == (4 + hidden, hidden)
        for number, picture in enumerate(after):  # Pillow reads 8 bits of the 16
            image.seek(number)
            np.testing.assert_array_equal(np.array(image), picture.pixels >> 8)
    result = run("equalize", "in.png", "-o", "first.png")
    assert f"only the first of the file's {4 + hidden} frames is taken" in result.stderr


def test_a_default_image_and_one_frame_beside_it_are_two(run, tmp_path):
    (tmp_path / "in.png").write_bytes(animated([(12, 10, 0, 0, 0, 0)], 3, hidden=True)[0])
    result = run("equalize", "in.png", "-o", "out.png")
    assert "only the first of the file's 2 frames is taken" in result.stderr


def test_what_is_shown_for_longer_than_a_gif_can_say(run, tmp_path):
    frames = list(scene(False))
    frames[0].save(tmp_path / "in.webp", save_all=True, append_images=frames[1:], duration=700_000, lossless=True)
    result = run("equalize", "in.webp", "-o", "out.gif", "--frames", "all")
    said = "a .gif file cannot hold a frame that is shown for 700 s (it holds 655; .tif holds them all, without timing)"
    assert (result.exit_code, result.stderr) == (1, f"error: in.webp: {said}\n")
    for target in ("out.png", "out.webp"):
        assert run("equalize", "in.webp", "-o", target, "--frames", "all").exit_code == 0
        assert {time for _, time in shown(tmp_path / target)[0]} == {700_000}


def test_a_frame_of_too_many_colors_for_a_gif(run, tmp_path):
    frames = [Image.fromarray(pixels(31, 47, 3, seed=seed)) for seed in (1, 2)]
    frames[0].save(tmp_path / "in.webp", save_all=True, append_images=frames[1:], lossless=True)
    result = run("equalize", "in.webp", "-o", "out.gif", "--frames", "all")
    assert "a .gif file cannot hold so many colors (it holds 256); .png can" in result.stderr
    assert run("equalize", "in.webp", "-o", "out.png", "--frames", "all").exit_code == 0
