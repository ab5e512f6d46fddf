"""Does the figure show the picture's own numbers, without a display and without pyplot?"""

import itertools
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageOps

import cheq

BATCH = np.zeros((5, 3, 6), np.uint8)


def pixels(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(40, 160, shape).astype(dtype)


def curves(figure):
    """The bars' heights and edges of both histograms, and the lines of both CDFs."""
    bars = [[patch.get_data() for patch in axes.patches] for axes in figure.axes[2:] if axes.patches]
    lines = [[line.get_xydata() for line in axes.lines] for axes in figure.axes[2:] if axes.lines]
    return bars, lines


@pytest.mark.parametrize("given", [True, False])
def test_gray(given):
    image = pixels(40, 60)
    expected = cv2.equalizeHist(image)
    figure = cheq.plot(image, expected if given else None)
    shown = [axes.images[0].get_array() for axes in figure.axes[:2]]
    bars, lines = curves(figure)
    for picture, seen, (bar,), (line,) in zip((image, expected), shown, bars, lines, strict=True):
        np.testing.assert_array_equal(seen, picture)
        counts = np.bincount(picture.ravel(), minlength=256)
        np.testing.assert_array_equal(bar.values, counts)
        np.testing.assert_array_equal(bar.edges, np.arange(257) - 0.5)
        np.testing.assert_array_equal(line[:, 1], np.concatenate([[0], np.cumsum(counts)]) / picture.size)


def test_each_channel():
    image = pixels(40, 60, 3)
    expected = np.dstack([cv2.equalizeHist(channel) for channel in cv2.split(image)])
    for axis, turned in ((-1, image), (0, np.moveaxis(image, -1, 0))):
        bars, lines = curves(cheq.plot(turned, channel_axis=axis))
        for picture, three, cdfs in zip((image, expected), bars, lines, strict=True):
            assert len(cdfs) == 3
            for channel in range(3):
                counts = np.bincount(picture[..., channel].ravel(), minlength=256)
                np.testing.assert_array_equal(three[channel].values, counts)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("shape", [(40, 60), (20, 90)])
def test_clahe_is_a_third_picture(given, shape):
    image = pixels(*shape)
    local = cv2.createCLAHE(2, (4, 4)).apply(image)
    figure = cheq.plot(image, cv2.equalizeHist(image) if given else None, clahe=local)
    pictures, histograms = figure.axes[:3], figure.axes[3:6]
    assert [axes.get_title() for axes in pictures] == ["before", "equalized" + " (opencv)" * (not given), "CLAHE"]
    for axes, below, picture in zip(pictures, histograms, (image, cv2.equalizeHist(image), local), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), picture)
        np.testing.assert_array_equal(below.patches[0].get_data().values, np.bincount(picture.ravel(), minlength=256))
    figure.draw_without_rendering()
    places = [axes.get_position() for axes in pictures]
    wide = shape[1] > 2.5 * shape[0]
    assert all(one.y0 > other.y1 if wide else one.x1 < other.x0 for one, other in itertools.pairwise(places))


def test_clahe_of_another_shape():
    with pytest.raises(ValueError, match=r"clahe: expected height and width \(40, 60\), got \(40, 59\)"):
        cheq.plot(pixels(40, 60), clahe=pixels(40, 59))


@pytest.mark.parametrize("color", ["ycrcb", "gray"])
def test_lightness_and_gray(color):
    image = pixels(40, 60, 3)
    figure = cheq.plot(image, color=color, channel_axis=-1)
    bars, _ = curves(figure)
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(bars[0][0].values, np.bincount(gray.ravel(), minlength=256))
    if color == "gray":
        counts = np.bincount(cv2.equalizeHist(gray).ravel(), minlength=256)
        np.testing.assert_array_equal(bars[1][0].values, counts)
        assert figure.axes[1].images[0].get_array().shape == (40, 60)
    else:
        converted = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        converted[..., 0] = cv2.equalizeHist(converted[..., 0])
        seen = np.rint(figure.axes[1].images[0].get_array() * 255)
        np.testing.assert_array_equal(seen, cv2.cvtColor(converted, cv2.COLOR_YCrCb2RGB))


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest", "ends"),
    [
        (np.uint16, 0, 65535, (0, 65535)),
        (np.uint16, 3, 4095, (0, 4095)),  # 12 bits, as cameras have them
        (np.uint16, 3, 4096, (0, 8191)),
        (np.uint16, 3, 9, (0, 255)),
        (np.int16, -32768, 5, (-32768, 32767)),
        (np.int16, -2048, 9, (-2048, 2047)),
        (np.int16, -2, 9, (-128, 127)),
        (np.uint8, 3, 9, (0, 255)),
        (np.int8, -2, 9, (-128, 127)),
    ],
)
def test_levels_in_256_bars_as_far_as_their_bits_reach(dtype, lowest, highest, ends):
    image = np.random.default_rng(0).integers(lowest, highest + 1, (40, 60)).astype(dtype)
    image[0, :2] = lowest, highest
    figure = cheq.plot(image, image)  # nothing but the picture is looked at
    ((bars,), _), lines = curves(figure)
    step = (ends[1] - ends[0] + 1) // 256
    edges = np.arange(ends[0], ends[1] + 2, step) - 0.5
    np.testing.assert_array_equal(bars.edges, edges)
    np.testing.assert_array_equal(bars.values, np.histogram(image, edges)[0])
    assert lines[0][0][-1, 1] == 1
    assert tuple(figure.axes[2].get_xticks()[[0, -1]]) == ends


@pytest.mark.parametrize("method", ["skimage", "numpy"])
def test_floats(method):
    image = np.random.default_rng(0).random((40, 60))
    image[3, 5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        cheq.plot(image, method=method)
    image[3, 5] = 0.5
    bars, _ = curves(cheq.plot(image, method=method))
    np.testing.assert_array_equal(bars[0][0].values, np.histogram(image, 256)[0])


def test_a_mask_limits_the_histograms():
    image, mask = pixels(40, 60), pixels(40, 60, seed=1) > 100
    bars, _ = curves(cheq.plot(image, mask=mask))
    np.testing.assert_array_equal(bars[0][0].values, np.bincount(image[mask], minlength=256))
    after = cheq.equalize(image, mask=mask)
    np.testing.assert_array_equal(bars[1][0].values, np.bincount(after[mask], minlength=256))


def test_alpha_is_left_out():
    image = pixels(40, 60, 4)
    figure = cheq.plot(image, channel_axis=-1)
    bars, _ = curves(figure)
    for picture, three in zip((image, cheq.equalize(image[..., :3], channel_axis=-1)), bars, strict=True):
        counts = [np.bincount(picture[..., channel].ravel(), minlength=256) for channel in range(3)]
        np.testing.assert_array_equal([bar.values for bar in three], counts)
    assert [axes.images[0].get_array().shape for axes in figure.axes[:2]] == [(40, 60, 3)] * 2


def test_gray_is_made_with_the_method_s_weights():
    image = pixels(40, 60, 3)
    gray = Image.fromarray(image).convert("L")
    assert not np.array_equal(gray, cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    figure = cheq.plot(image, color="gray", method="pillow", channel_axis=-1)
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), ImageOps.equalize(gray))
    bars, _ = curves(figure)
    np.testing.assert_array_equal(bars[0][0].values, gray.histogram())


@pytest.mark.parametrize(("method", "highest"), [("skimage", 1), ("numpy", 255)])
def test_results_are_shown_in_their_range(method, highest):
    figure = cheq.plot(pixels(40, 60), method=method)
    assert figure.axes[1].images[0].get_clim() == (0, highest)
    assert figure.axes[3].get_xlim() == (0, highest)
    words = cheq.plot(pixels(40, 60, dtype=np.uint16))
    assert words.axes[0].images[0].get_clim() == (40, 159)


def test_a_given_result_is_not_said_to_be_of_a_method():
    image = pixels(40, 60)
    titles = [[axes.get_title() for axes in cheq.plot(image, *given).axes[:2]] for given in ([], [image])]
    assert titles == [["before", "equalized (opencv)"], ["before", "equalized"]]


def test_a_title_is_no_formula(tmp_path):
    figure = cheq.plot(pixels(40, 60), title="a$x_{$b")
    figure.savefig(tmp_path / "figure.png", dpi=40)
    assert figure.get_suptitle() == "a$x_{$b"
    assert figure.axes[0].get_title() == "before"


def test_bars_that_are_cut_off_are_told():
    image = pixels(100, 100)
    said = [axes.get_title(loc="left") for axes in cheq.plot(image).axes]
    assert said == [""] * 6
    image[:60] = 7
    image[60, 1] = 7
    axes = cheq.plot(image).axes[2]
    counts = np.bincount(image.ravel())
    assert axes.get_ylim()[1] < counts[7]
    assert np.sort(counts)[-2] < axes.get_ylim()[1]
    assert axes.get_title(loc="left") == "1 bar is cut off, of 6,001 pixels"
    slightly = pixels(100, 100)
    slightly[:5] = 7
    assert cheq.plot(slightly).axes[2].get_title(loc="left") == "1 bar is cut off, of 500 pixels"
    image[60:75] = 9
    assert cheq.plot(image).axes[2].get_title(loc="left") == "2 bars are cut off, the highest of 6,000 pixels"


def test_few_bars_are_drawn_wider_than_their_bins():
    image = np.where(pixels(40, 60) > 100, 9, 200).astype(np.uint8)
    (wide,) = cheq.plot(image).axes[2].collections
    counts = np.bincount(image.ravel())
    found = {(int(foot[0]), top[1]) for foot, top in wide.get_segments()}
    assert found == {(9, counts[9]), (200, counts[200])}
    assert not cheq.plot(pixels(40, 60)).axes[2].collections


def test_wide_pictures_stand_one_above_the_other():
    for shape, above in (((40, 90), False), ((40, 120), True)):
        figure = cheq.plot(pixels(*shape))
        figure.draw_without_rendering()
        (left, top), (right, bottom) = (axes.get_position().min for axes in figure.axes[:2])
        assert (top > bottom) == above
        assert (left < right) != above


def test_very_large_pictures_are_thinned_out_but_counted_whole():
    image = pixels(3, 5000)
    figure = cheq.plot(image)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), image[::2, ::2])
    np.testing.assert_array_equal(curves(figure)[0][0][0].values, np.bincount(image.ravel(), minlength=256))


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (28, 28), (64, 64)])
def test_any_shape_can_be_drawn(shape, tmp_path):
    figure = cheq.plot(np.full(shape, 9, np.uint8) if shape == (64, 64) else pixels(*shape))
    figure.savefig(tmp_path / "figure.png", dpi=40)
    width, height = figure.get_size_inches()
    assert 8 < width < 12
    assert 3 < height < 11


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.zeros(4, np.uint8),), {}, "image: expected height and width, got shape"),
        ((np.zeros((2, 3, 4), np.uint8),), {}, "image: expected channel_axis beside shape .* or list\\(image\\) if"),
        ((np.zeros((3, 4), np.uint8),), {"channel_axis": -1}, "image: expected height, width and channels, got"),
        (
            (np.zeros((3, 4, 2), np.uint8),),
            {"channel_axis": -1},
            "image: expected three channels R, G, B, or four .* got 2",
        ),
        ((np.zeros((0, 4), np.uint8),), {}, "image: expected at least one pixel"),
        ((np.zeros((3, 4), np.uint8),), {"color": "ycrcb"}, "color: expected 'channels' for an image without"),
        (
            (np.zeros((3, 4), np.uint8),),
            {"color": "hsv"},
            "color: expected one of 'channels', 'ycrcb', 'yuv', 'lab', 'gray'",
        ),
        ((np.zeros((3, 4), np.uint8),), {"method": "cv2"}, "method: expected one of"),
        ((np.zeros((3, 4), np.uint8),), {"mask": np.ones((4, 3), bool)}, "mask: "),
        (
            (np.zeros((3, 4), np.uint8), np.zeros((4, 3), np.uint8)),
            {},
            r"equalized: expected height and width \(3, 4\)",
        ),
        (
            (BATCH, BATCH[0]),
            {},
            r"equalized: expected pictures of batch shape \(5,\) as in image, got batch shape \(\)",
        ),
        ((BATCH[0], BATCH), {}, r"equalized: expected one picture as in image, got batch shape \(5,\)"),
        (
            ([*BATCH], [*BATCH[:4]]),
            {},
            r"equalized: expected pictures of batch shape \(5,\) as in image, got .* \(4,\)",
        ),
        ((BATCH,), {"most": 0}, "most: expected 1 or more, got 0"),
        ((BATCH,), {"names": ["a"]}, "names: expected 5, one for each picture, got 1"),
        ((BATCH[0],), {"names": ["a"]}, "names: expected None for one picture"),
    ],
)
def test_errors(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        cheq.plot(*arguments, **options)


def test_no_pyplot_and_no_display(tmp_path):
    program = (
        "import sys, numpy as np, cheq\n"
        "assert 'matplotlib' not in sys.modules\n"
        "cheq.plot(np.eye(64, dtype=np.uint8)).savefig('figure.png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    no_display = {name: value for name, value in os.environ.items() if not name.endswith("DISPLAY")}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=no_display)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_without_matplotlib(tmp_path):
    program = "import sys; sys.modules['matplotlib.figure'] = None; import numpy, cheq; cheq.plot(numpy.eye(3) > 0)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    needs = "ImportError: cheq.plot needs matplotlib; to get it: pip install 'cheq[plot]'"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, needs)


def test_the_caller_s_picture_is_not_changed():
    image = skimage.data.chelsea()[:50, :70].copy()
    before = image.copy()
    cheq.plot(image, color="ycrcb", channel_axis=-1)
    np.testing.assert_array_equal(image, before)
