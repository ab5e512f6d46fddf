"""Does a batch become a sheet of its own pictures, does a notebook show a figure, and are all characters drawn?"""

import io
import pickle
import warnings

import cv2
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from PIL import Image

import cheq


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(40, 160, shape).astype(np.uint8)


def shown(figure):
    """What a sheet shows: each picture's pixels, the heights of the bars below it, and the name above a column."""
    pictures = [axes for axes in figure.axes if axes.images]
    strips = [axes for axes in figure.axes if axes.patches]
    return (
        [np.asarray(axes.images[0].get_array()) for axes in pictures],
        [axes.patches[0].get_data().values for axes in strips],
        [axes.get_title() for axes in pictures if axes.get_title()],
    )


def test_a_batch_is_a_sheet():
    images = pixels(2, 3, 20, 31)
    figure = cheq.plot(images, title="six of them")
    assert figure.get_size_inches()[0] < 10
    pictures, bars, names = shown(figure)
    assert names == ["[0, 0]", "[0, 1]", "[0, 2]", "[1, 0]", "[1, 1]", "[1, 2]"]
    flat = [image for row in images for image in row]
    expected = [one for image in flat for one in (image, cv2.equalizeHist(image))]
    assert len(pictures) == len(bars) == 12
    for seen, heights, picture in zip(pictures, bars, expected, strict=True):
        np.testing.assert_array_equal(seen, picture)
        np.testing.assert_array_equal(heights, np.bincount(picture.ravel(), minlength=256))
    said = [text.get_text() for text in figure.texts]
    assert said == ["six of them", *["before", "equalized (opencv)"] * 2]


def test_of_a_large_batch_some_are_drawn_and_it_is_said():
    images = pixels(1000, 9, 14)
    figure = cheq.plot(images, most=3, names=[f"no. {number}" for number in range(1000)])
    pictures, _, names = shown(figure)
    assert names == ["no. 0", "no. 500", "no. 999"]
    np.testing.assert_array_equal(pictures[::2], images[[0, 500, 999]])
    assert figure.texts[0].get_text() == "3 of 1,000 pictures"


def test_pictures_of_several_sizes_gray_and_color():
    images = [pixels(20, 31, 3), pixels(31, 20), pixels(9, 9, 4)]
    mine = [255 - image[..., :3] if image.ndim == 3 else 255 - image for image in images]
    local = [image[..., 0] if image.ndim == 3 else image for image in images]  # gray was made of it
    for equalized in (None, mine):
        figure = cheq.plot(images, equalized, color="gray", channel_axis=-1, clahe=local)
        pictures, bars, names = shown(figure)
        assert names == ["[0]", "[1]", "[2]"]
        for number, image in enumerate(images):
            gray = image if image.ndim == 2 else cv2.cvtColor(image[..., :3], cv2.COLOR_RGB2GRAY)
            after = cv2.equalizeHist(gray) if equalized is None else mine[number]
            counted = after if after.ndim == 2 else cv2.cvtColor(after, cv2.COLOR_RGB2GRAY)
            np.testing.assert_array_equal(bars[3 * number], np.bincount(gray.ravel(), minlength=256))
            np.testing.assert_array_equal(bars[3 * number + 1], np.bincount(counted.ravel(), minlength=256))
            np.testing.assert_array_equal(pictures[3 * number + 2], local[number])
    said = [text.get_text() for text in figure.texts]
    assert said == ["before", "equalized", "CLAHE"]


def test_channels_and_masks_of_a_batch():
    images, masks = pixels(2, 20, 31, 3), pixels(2, 20, 31, seed=1) > 100
    for mask in (masks, masks[0]):
        figure = cheq.plot(np.moveaxis(images, -1, 1), channel_axis=1, mask=mask)
        strips = [axes for axes in figure.axes if axes.patches]
        after = cheq.equalize(images, channel_axis=-1, mask=mask)
        for number, selected in enumerate(np.broadcast_to(mask, masks.shape)):
            for strip, made in zip(strips[2 * number :], (images, after), strict=False):
                counts = [np.bincount(made[number, ..., channel][selected], minlength=256) for channel in range(3)]
                np.testing.assert_array_equal([bar.get_data().values for bar in strip.patches], counts)


def test_large_pictures_are_thinned_out_but_counted_whole():
    image = pixels(3, 1025)
    pictures, bars, _ = shown(cheq.plot(image[np.newaxis]))
    np.testing.assert_array_equal(pictures[0], image[::2, ::2])
    np.testing.assert_array_equal(bars[0], np.bincount(image.ravel(), minlength=256))


def test_gray_may_have_been_made_of_a_batch():
    images, gray = pixels(2, 20, 31, 3), pixels(2, 20, 31, seed=1)
    pictures, _, _ = shown(cheq.plot(images, gray, channel_axis=-1))
    np.testing.assert_array_equal(pictures[1::2], gray)


# ---------------------------------------------------------------- notebooks


def test_a_notebook_shows_a_figure():
    figure = pickle.loads(pickle.dumps(cheq.plot(pixels(40, 60))))
    data, size = figure._repr_png_()
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(data)) as picture:
        np.testing.assert_allclose(picture.size, (width * 150, height * 150), atol=1)
    assert size == {"width": round(width * 96), "height": round(height * 96)}


def test_ipython_finds_the_picture():
    reason = "IPython is what notebooks show results with"
    formatters = pytest.importorskip("IPython.core.formatters", reason=reason)
    data, more = formatters.DisplayFormatter().format(cheq.plot(pixels(40, 60)))
    assert data["image/png"].startswith(b"\x89PNG")
    assert set(more["image/png"]) == {"width", "height"}


# ---------------------------------------------------------------- any script

HIEROGLYPH = "\N{EGYPTIAN HIEROGLYPH A001}"


@pytest.fixture
def font(tmp_path):
    """A font that is installed, and whose only character is a square."""
    pen = TTGlyphPen(None)
    for number, point in enumerate([(0, 0), (0, 900), (900, 900), (900, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(HIEROGLYPH): "square"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Squares of cheq", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "squares.ttf")
    before = [*font_manager.fontManager.ttflist]
    font_manager.fontManager.addfont(tmp_path / "squares.ttf")
    yield "Squares of cheq"
    font_manager.fontManager.ttflist[:] = before


def test_characters_come_from_any_font_that_is_installed(font):
    image = pixels(40, 60)
    for figure in (cheq.plot(image, title=f"a {HIEROGLYPH}"), cheq.plot([image], names=[f"a {HIEROGLYPH}"])):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # matplotlib warns of a character that no font has
            figure.savefig(io.BytesIO(), format="png", dpi=40)
        written = [*figure.texts, *(axes.title for axes in figure.axes)]
        assert [text for text in written if HIEROGLYPH in text.get_text() and font in text.get_fontfamily()]


def test_where_no_font_has_a_character_the_fonts_are_named(monkeypatch):
    monkeypatch.setattr(font_manager.fontManager, "ttflist", font_manager.fontManager.ttflist[:0])
    figure = cheq.plot(pixels(40, 60), title=HIEROGLYPH)
    with pytest.warns(UserWarning, match="Glyph 77824 .*missing from"):
        figure.savefig(io.BytesIO(), format="png", dpi=40)
