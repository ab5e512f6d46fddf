"""Does a JPEG get the quality that was asked for, and with `--quality keep` that of its source?"""

import cv2
import numpy as np
import pytest
from cli_tools import load, pixels, save
from PIL import Image

pytestmark = pytest.mark.cli


def smooth(*shape):
    """Pixels such as photos have: without noise."""
    return cv2.GaussianBlur(cv2.resize(pixels(*shape), (96, 80), interpolation=cv2.INTER_CUBIC), (0, 0), 2)


def coding(path):
    """What Pillow reads of tables and sampling; each component's own table, whatever their numbers are."""
    with Image.open(path) as image:
        tables = [image.quantization[number] for *_, number in image.layer]
        # Of one component sampling means nothing (T.81, A.2.2).
        return tables, [layer[1:3] for layer in image.layer][: len(tables) - 1], image.info.get("progressive")


def test_quality(run, tmp_path):
    save(tmp_path / "in.png", pixels(64, 80))
    for quality in (30, 95):
        assert run("equalize", "in.png", "-o", f"{quality}.jpg", "--quality", quality).exit_code == 0
    Image.fromarray(cv2.equalizeHist(load(tmp_path / "in.png"))).save(tmp_path / "pillow.jpg", quality=30)
    assert (tmp_path / "30.jpg").read_bytes() == (tmp_path / "pillow.jpg").read_bytes()
    for more in ([], ["--quality", "keep"]):
        assert run("equalize", "in.png", "-o", "usual.jpg", "--overwrite", *more).exit_code == 0
        assert (tmp_path / "95.jpg").read_bytes() == (tmp_path / "usual.jpg").read_bytes()


ODD = [[level] * 64 for level in (3, 5, 9)]  # a table for each component


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 40},
        {"quality": 85, "subsampling": "4:2:2", "progressive": True},
        {"quality": 70, "subsampling": "4:4:4", "keep_rgb": True},
        {"qtables": ODD, "subsampling": "4:4:4"},
        {"qtables": [[300] * 64]},  # 16 bits each
    ],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_quality_of_the_source(run, tmp_path, options, channels):
    save(tmp_path / "in.jpg", smooth(10, 12, *channels), **options)
    result = run("equalize", "in.jpg", "-o", "out.jpg", "--quality", "keep")
    assert (result.exit_code, result.stderr) == (0, "")
    assert coding(tmp_path / "out.jpg") == coding(tmp_path / "in.jpg")
    with Image.open(tmp_path / "in.jpg") as before, Image.open(tmp_path / "out.jpg") as after:
        assert len(after.quantization) == len({number for *_, number in before.layer})
    with Image.open(tmp_path / "in.jpg") as image:  # as large as Pillow makes it
        again = Image.fromarray(np.dstack([cv2.equalizeHist(each) for each in cv2.split(np.array(image))]).squeeze())
        same = {"qtables": image.quantization, "progressive": options.get("progressive", False)}
        again.save(tmp_path / "again.jpg", subsampling=options.get("subsampling", "4:2:0"), **same)
    np.testing.assert_array_equal(load(tmp_path / "out.jpg"), load(tmp_path / "again.jpg"), strict=True)
    assert run("equalize", "in.jpg", "-o", "gray.jpg", "--quality", "keep", "--color", "gray").exit_code == 0
    assert coding(tmp_path / "gray.jpg")[0] == coding(tmp_path / "in.jpg")[0][:1]
    assert run("equalize", "in.jpg", "-o", "out.png", "--quality", "keep").exit_code == 0


@pytest.mark.parametrize(("factor", "across", "down"), [("411", 4, 1), ("440", 1, 2)])
def test_a_sampling_that_is_not_written_is_told(run, tmp_path, factor, across, down):
    flags = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{factor}")]
    cv2.imwrite(str(tmp_path / "in.jpg"), smooth(10, 12, 3), flags)
    result = run("equalize", "in.jpg", "-o", "out.jpg", "--quality", "keep")
    told = f"its colors, sampled {across} x {down} times as coarsely as its lightness, are now sampled as finely"
    assert (result.exit_code, result.stderr) == (0, f"warning: in.jpg: {told}\n")
    (before, *_), (after, sampling, _) = coding(tmp_path / "in.jpg"), coding(tmp_path / "out.jpg")
    assert (after, sampling) == (before, [(1, 1)] * 2)


@pytest.mark.parametrize("quality", ["0", "101", "high", "", "²"])
def test_what_is_no_quality(run, tmp_path, quality):
    save(tmp_path / "in.png", pixels(9, 14))
    result = run("equalize", "in.png", "-o", "out.jpg", "--quality", quality)
    assert (result.exit_code, (tmp_path / "out.jpg").exists()) == (2, False)
    assert "Invalid value for '--quality'" in result.stderr
