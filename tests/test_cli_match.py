"""Does `cheq equalize --match...` give pictures and arrays the histogram of others, as scikit-image does it?"""

import cv2
import numpy as np
import pytest
import tifffile
from cli_tools import load, pixels, save, tree
from marks import exhaustive
from PIL import Image
from skimage.exposure import match_histograms
from test_cli_clahe import SPACES
from test_cli_kept import words
from test_cli_nodata import write
from test_cli_pages import pages_of, pyramid

pytestmark = pytest.mark.cli


def peer(array, given):
    """scikit-image's, each channel on its own, the nearest levels."""
    if array.ndim == 3:
        return np.dstack([peer(array[..., channel], given[..., channel]) for channel in range(array.shape[2])])
    found = match_histograms(array, given)
    return found if array.dtype.kind == "f" else np.rint(found).astype(array.dtype)


def naive(array, given, mask=None):
    """The definition, for a plane of which some pixels alone are counted."""
    counted = np.sort(array.ravel() if mask is None else array[mask])
    levels, counts = np.unique(given, return_counts=True)
    shares = np.searchsorted(counted, array, "right") / counted.size
    found = np.interp(shares, np.cumsum(counts) / given.size, levels)
    return (found if array.dtype.kind == "f" else np.rint(found)).astype(array.dtype)


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


MAKERS = [pixels, words, floats]


def named(path, array):
    """Write an array as the file's extension says, TIFFs of any number of pages; returns the array."""
    if path.suffix == ".tif":
        pages = array if array.ndim == 3 and array.shape[-1] != 3 else array[np.newaxis]
        with tifffile.TiffWriter(path) as file:
            for page in pages:
                file.write(page, metadata=None, photometric="rgb" if page.ndim == 3 else "minisblack")
        return array
    return save(path, array)


def result_of(path):
    return tifffile.imread(path) if path.suffix == ".tif" else load(path)


# ---------------------------------------------------------------- --match


def test_it_says_what_is_done(run, tmp_path):
    save(tmp_path / "in.png", pixels(31, 47))
    dry = run("equalize", "in.png", "--match", "in.png", "-o", "out.png", "--dry-run")
    done = run("equalize", "in.png", "--match", "in.png", "-o", "out.png")
    assert "1 file would be matched, 0 would fail\n" in dry.stdout
    assert done.stdout == "1 file matched into out.png\n"


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
@pytest.mark.parametrize("make", [floats, *exhaustive(pixels, words)])
@pytest.mark.parametrize("channels", [(3,), *exhaustive(())])
def test_the_histogram_of_a_reference(run, tmp_path, name, make, channels):
    array = named(tmp_path / name, make(31, 47, *channels))
    given = named(tmp_path / f"to-{name}", make(13, 21, *channels, seed=5) // 3)
    axis = ["--channel-axis", -1] if name == "a.npy" and channels else []
    result = run("equalize", name, "-o", "out/", "--match", f"to-{name}", *axis)
    assert (result.exit_code, result.stderr) == (0, "")
    np.testing.assert_array_equal(result_of(tmp_path / "out" / name), peer(array, given), strict=True)


def test_alpha_is_kept_and_that_of_the_reference_not_seen(run, tmp_path):
    array = save(tmp_path / "a.png", pixels(31, 47, 4))
    given = save(tmp_path / "b.png", pixels(13, 21, 4, seed=5) // 3)
    assert run("equalize", "a.png", "-o", "out/", "--match", "b.png").exit_code == 0
    expected = np.dstack([peer(array[..., :3], given[..., :3]), array[..., 3]])
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), expected, strict=True)


@pytest.mark.parametrize("color", ["lab", *exhaustive("ycrcb", "yuv")])
def test_lightness(run, tmp_path, color):
    array, given = save(tmp_path / "a.png", pixels(31, 47, 3)), save(tmp_path / "b.png", pixels(13, 21, 3, seed=5) // 2)
    assert run("equalize", "a.png", "-o", "out/", "--match", "b.png", "--color", color).exit_code == 0
    there, back = SPACES[color]
    expected = cv2.cvtColor(array, there)
    expected[..., 0] = peer(expected[..., 0], cv2.cvtColor(given, there)[..., 0])
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), cv2.cvtColor(expected, back), strict=True)


def test_gray(run, tmp_path):
    array, given = save(tmp_path / "a.png", pixels(31, 47, 3)), save(tmp_path / "b.png", pixels(13, 21, 3, seed=5) // 2)
    assert run("equalize", "a.png", "-o", "out/", "--match", "b.png", "--color", "gray").exit_code == 0
    gray = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (array, given))
    np.testing.assert_array_equal(load(tmp_path / "out/a.png"), peer(*gray), strict=True)


@pytest.mark.parametrize("axis", [1, *exhaustive(0, -1)])
def test_an_array_with_channels_anywhere_and_the_picture_it_is_to_be_like(run, tmp_path, axis):
    images, given = pixels(2, 31, 47, 3), save(tmp_path / "to.png", pixels(13, 21, 3, seed=5) // 3)
    save(tmp_path / "in.npy", np.moveaxis(images, -1, axis))
    assert run("equalize", "in.npy", "-o", "out.npy", "--match", "to.png", "--channel-axis", axis).exit_code == 0
    expected = np.moveaxis(np.stack([peer(image, given) for image in images]), -1, axis)
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), expected, strict=True)


def test_volumes(run, tmp_path):
    array, given = save(tmp_path / "in.npy", words(2, 5, 9, 14)), save(tmp_path / "to.npy", words(3, 7, 8, seed=5) // 3)
    assert run("equalize", "in.npy", "-o", "out.npy", "--match", "to.npy", "--axes", "-3,-2,-1").exit_code == 0
    expected = np.stack([peer(volume.reshape(5, -1), given.reshape(1, -1)).reshape(5, 9, 14) for volume in array])
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), expected, strict=True)


def test_archives(run, tmp_path):
    array, given = pixels(5, 31, 47), pixels(13, 21, seed=5) // 3
    np.savez(tmp_path / "in.npz", a=array)
    np.savez(tmp_path / "to.npz", b=given, note=np.arange(3))
    assert run("equalize", "in.npz", "-o", "out/", "--match", "to.npz").exit_code == 0
    with np.load(tmp_path / "out/in.npz") as result:
        np.testing.assert_array_equal(result["a"], np.stack([peer(plane, given) for plane in array]), strict=True)


# ---------------------------------------------------------------- what is counted


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("options", [["--match", "to.tif"], ["--match-average"]], ids=" ".join)
def test_masks(run, tmp_path, make, options):
    array, given = named(tmp_path / "a.tif", make(31, 47)), named(tmp_path / "to.tif", make(13, 21, seed=5) // 3)
    mask = save(tmp_path / "mask.png", pixels(31, 47, seed=9) > 80)
    if options == ["--match-average"]:
        given = array[mask]
    expected = naive(array, given, mask)
    for outside, pattern in (("lut", expected), ("keep", np.where(mask, expected, array))):
        result = run("equalize", "a.tif", "-o", f"{outside}/", *options, "--mask", "mask.png", "--outside", outside)
        if make is floats and options == ["--match-average"]:
            told = "error: a.tif: --match-average counts levels of 8 or 16 bits, and this is float32\n"
            assert (result.exit_code, result.stderr) == (1, told)
        else:
            np.testing.assert_array_equal(result_of(tmp_path / outside / "a.tif"), pattern, strict=True)


@pytest.mark.parametrize(("make", "nodata"), [(words, "900"), (floats, "900"), (floats, "nan")])
def test_pixels_that_stand_for_none_in_both(run, tmp_path, make, nodata):
    """By the files' own tags."""
    array, given = make(31, 47), make(13, 21, seed=5)
    array[:9], given[:, :5] = float(nodata), float(nodata)
    write(tmp_path / "a.tif", array, nodata)
    write(tmp_path / "to.tif", given, nodata)
    assert run("equalize", "a.tif", "-o", "out/", "--match", "to.tif").exit_code == 0
    array_is, given_is = (~np.isnan(one) if nodata == "nan" else one != 900 for one in (array, given))
    expected = naive(array, given[given_is], array_is)
    expected[expected == 900] = 901
    np.testing.assert_array_equal(result_of(tmp_path / "out/a.tif"), np.where(array_is, expected, array), strict=True)


def test_nan_and_infinities(run, tmp_path):
    array, given = floats(31, 47), floats(13, 21, seed=5)
    array[3, :5], array[4, :2], given[:2, 7], given[5, 5] = np.nan, np.inf, np.nan, -np.inf
    named(tmp_path / "a.tif", array)
    named(tmp_path / "b.tif", array)
    named(tmp_path / "to.tif", given)
    finite = np.isfinite(array)
    expected = naive(np.where(np.isnan(array), 0, array), given[np.isfinite(given)], finite)
    expected[np.isnan(array)] = np.nan
    assert run("equalize", "a.tif", "-o", "out/", "--match", "to.tif", "--nan", "omit").exit_code == 0
    np.testing.assert_array_equal(result_of(tmp_path / "out/a.tif"), expected, strict=True)
    named(tmp_path / "to.tif", given[6:])
    result = run("equalize", "a.tif", "b.tif", "-o", "other/", "--match", "to.tif")
    assert (result.exit_code, result.stderr.count("; pass --nan omit to leave it out\n")) == (1, 2)


@pytest.mark.parametrize("option", ["--match", "--match-first", "--match-average"])
def test_overviews_get_the_lut_of_their_page_and_are_no_reference(run, tmp_path, option):
    array, given = words(64, 96), words(32, 64, seed=5) // 3
    pyramid(tmp_path / "a.tif", array)
    pyramid(tmp_path / "to.tif", given)
    inputs = ["a.tif"] if option == "--match" else ["to.tif", "a.tif"]
    assert run("equalize", *inputs, "-o", "out/", option, *["to.tif"] * (option == "--match")).exit_code == 0
    pooled = np.concatenate([array.ravel(), given.ravel()])[np.newaxis]
    expected = peer(array, pooled if option == "--match-average" else given)
    for found, page in zip(pages_of(tmp_path / "out/a.tif"), (expected, expected[::2, ::2]), strict=True):
        np.testing.assert_array_equal(found, page, strict=True)


# ---------------------------------------------------------------- --match-average


@pytest.mark.parametrize("color", ["channels", "gray"])
def test_pictures_get_the_histogram_of_all_of_their_kind(run, tmp_path, color):
    rgb = {name: save(tmp_path / f"in/{name}.png", pixels(31, 47, 3, seed=seed)) for seed, name in enumerate("ab")}
    rgb["b"] = save(tmp_path / "in/b.png", rgb["b"] // 2)
    gray = {name: save(tmp_path / f"in/{name}.png", pixels(9, 14, seed=seed) // 3) for seed, name in enumerate("cd")}
    assert run("equalize", "in", "-o", "out", "--match-average", "--color", color).exit_code == 0
    groups = [rgb, gray]
    if color == "gray":
        groups = [{name: cv2.cvtColor(array, cv2.COLOR_RGB2GRAY) for name, array in rgb.items()} | gray]
    for group in groups:
        together = np.concatenate([array.reshape(-1, 1, *array.shape[2:]) for array in group.values()])
        for name, array in group.items():
            np.testing.assert_array_equal(load(tmp_path / f"out/{name}.png"), peer(array, together), strict=True)


@pytest.mark.parametrize("make", [words, *exhaustive(pixels)])
@pytest.mark.parametrize("axis", [None, 2, *exhaustive(0, -1)])
def test_planes_get_the_histogram_of_all_arrays(run, tmp_path, monkeypatch, make, axis):
    monkeypatch.setattr("cheq.cli.matching._BLOCK", 5 << 19)  # a few planes at a time
    monkeypatch.setattr("cheq.cli.arrays._BLOCK", 10_000)
    both = [make(3, 2, 31, 47, *[3] * (axis is not None), seed=seed) // (1 + seed) for seed in range(2)]
    where = [] if axis is None else ["--channel-axis", axis]
    for name, array in zip("ab", both, strict=True):
        save(tmp_path / f"in/{name}.npy", array if axis is None else np.moveaxis(array, -1, axis))
    assert run("equalize", "in", "-o", "out", "--match-average", *where).exit_code == 0
    together = np.stack(both).reshape(-1, 1, *both[0].shape[4:])
    for name, array in zip("ab", both, strict=True):
        images = array.reshape(6, *array.shape[2:])
        expected = np.stack([peer(image, together) for image in images]).reshape(array.shape)
        expected = expected if axis is None else np.moveaxis(expected, -1, axis)
        np.testing.assert_array_equal(load(tmp_path / f"out/{name}.npy"), expected, strict=True)


def test_volumes_get_the_histogram_of_all(run, tmp_path):
    array = save(tmp_path / "in.npy", words(2, 5, 9, 14))
    array = save(tmp_path / "in.npy", array // np.arange(1, 3, dtype=np.uint16).reshape(2, 1, 1, 1))
    assert run("equalize", "in.npy", "-o", "out.npy", "--match-average", "--axes", "-3,-2,-1").exit_code == 0
    expected = np.stack([peer(volume.reshape(5, -1), array.reshape(1, -1)).reshape(5, 9, 14) for volume in array])
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), expected, strict=True)


# ---------------------------------------------------------------- --match-first


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
@pytest.mark.parametrize("make", [words, *exhaustive(pixels, floats)])
def test_a_series_gets_the_histogram_of_its_first_page(run, tmp_path, name, make):
    """As cameras bleach what they see: each frame is darker than the one before."""
    array = named(tmp_path / name, np.stack([make(31, 47) // (1 + frame) for frame in range(4)]))
    assert run("equalize", name, "-o", "out/", "--match-first").exit_code == 0
    expected = np.stack([peer(frame, array[0]) for frame in array])
    np.testing.assert_array_equal(result_of(tmp_path / "out" / name), expected, strict=True)
    np.testing.assert_array_equal(expected[0], array[0])


def test_files_get_the_histogram_of_the_first_under_its_own_mask(run, tmp_path):
    arrays = {name: save(tmp_path / f"in/{name}.png", pixels(31, 47, seed=seed)) for seed, name in enumerate("abc")}
    masks = {name: save(tmp_path / f"masks/{name}.png", pixels(31, 47, seed=9 + seed) > 80)
             for seed, name in enumerate("abc")}  # fmt: skip
    assert run("equalize", "in", "-o", "out", "--match-first", "--mask", "masks").exit_code == 0
    for name, array in arrays.items():
        expected = naive(array, arrays["a"][masks["a"]], masks[name])
        np.testing.assert_array_equal(load(tmp_path / f"out/{name}.png"), expected, strict=True)


@pytest.mark.parametrize("color", ["channels", "ycrcb"])
@pytest.mark.parametrize("masks", [(31, 47), (2, 31, 47)])
def test_images_of_an_array_get_the_histogram_of_the_first(run, tmp_path, color, masks):
    array = pixels(2, 31, 47, 3)
    array[1] //= 2
    save(tmp_path / "in.npy", array)
    mask = save(tmp_path / "mask.npy", np.random.default_rng(0).random(masks) < 0.6)
    mask = np.broadcast_to(mask, array.shape[:-1])
    options = ["--channel-axis", -1, "--color", color, "--mask", "mask.npy"]
    assert run("equalize", "in.npy", "-o", "out.npy", "--match-first", *options).exit_code == 0
    if color == "ycrcb":
        converted = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb) for image in array])
        expected = converted.copy()
        for image, own, its in zip(expected, converted, mask, strict=True):
            image[..., 0] = naive(own[..., 0], converted[0, ..., 0][mask[0]], its)
        expected = np.stack([cv2.cvtColor(image, cv2.COLOR_YCrCb2RGB) for image in expected])
    else:
        expected = np.stack([
            np.dstack([naive(image[..., each], array[0, ..., each][mask[0]], its) for each in range(3)])
            for image, its in zip(array, mask, strict=True)
        ])  # fmt: skip
    np.testing.assert_array_equal(load(tmp_path / "out.npy"), expected, strict=True)


# ---------------------------------------------------------------- what cannot be


def test_files_of_another_kind_than_the_reference(run, tmp_path):
    save(tmp_path / "in/a.png", pixels(31, 47, 3))
    save(tmp_path / "in/b.png", pixels(31, 47))
    save(tmp_path / "in/c.npy", words(31, 47))
    named(tmp_path / "in/d.tif", np.stack([pixels(31, 47)] * 2).astype(np.uint16))
    array, given = pixels(31, 47), save(tmp_path / "to.png", pixels(13, 21))
    result = run("equalize", "in", "-o", "out", "--match", "to.png")
    start = "the reference of --match has 1 channel of uint8, and this has"
    assert result.stderr.splitlines() == [
        f"error: in/a.png: {start} 3 channels of uint8",
        f"error: in/d.tif: {start} 1 channel of uint16",
        f"error: in/c.npy: {start} 1 channel of uint16",
    ]
    assert (result.exit_code, tree(tmp_path / "out")) == (1, ["b.png"])
    np.testing.assert_array_equal(load(tmp_path / "out/b.png"), peer(array, given), strict=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--match", "to.png", "--match-first"], "--match and --match-first do not go together"),
        (["--match-average", "--shared-lut"], "--shared-lut and --match-average do not go together"),
        (["--match-average", "--match-first"], "--match-average and --match-first do not go together"),
        (["--match", "to.png", "--method", "opencv"], "--match takes --method skimage, not opencv"),
        (["--match-first", "--method", "numpy"], "--match-first takes --method skimage, not numpy"),
        (["--match-average", "--color", "lab"], "--match-average takes --color channels or gray, not lab"),
        (["--match-first", "--axes", "0,1", "--color", "lab"], "--axes says which pixels of an array share a hist"),
        (["--match", ""], "--match '' is no file that exists"),
        (["--match", "nowhere.png"], "--match 'nowhere.png' is no file that exists"),
        (["--match", "bad.png"], "--match 'bad.png': not a picture in a known format"),
        (["--match", "notes.txt"], "--match 'notes.txt': not a picture in a known format"),
        (["--match", "pages.tif"], "--match 'pages.tif': expected one picture, got several pages"),
        (["--match", "two.npy"], "--match 'two.npy': expected one image, got (2, 9, 14)"),
        (["--match", "two.npz"], "--match 'two.npz': expected one image, got (9, 14) and (9, 13)"),
        (["--match", "wide.npy"], "--match 'wide.npy': --method skimage does not take complex128; make it"),
        (["--match", "none.npy"], "--match 'none.npy': reference: expected planes with at least one pixel"),
        (
            ["--match", "to.png", "--nodata", "77"],
            "--match 'to.png': reference_mask: expected True at a pixel of every",
        ),
        (["--match-first", "--mask", "other.png"], "--match-first: in/a.npy: mask: expected"),
    ],
)
def test_usage_errors(run, tmp_path, monkeypatch, options, message):
    monkeypatch.setenv("COLUMNS", "400")
    save(tmp_path / "in/a.npy", pixels(9, 14))
    save(tmp_path / "to.png", np.full((9, 14), 77, np.uint8))
    save(tmp_path / "other.png", pixels(5, 14) > 80)
    named(tmp_path / "pages.tif", pixels(2, 9, 14))
    for name, array in {"two": pixels(2, 9, 14), "wide": np.zeros((9, 14)) + 1j, "none": pixels(0, 14)}.items():
        save(tmp_path / f"{name}.npy", array)
    np.savez(tmp_path / "two.npz", pixels(9, 14), pixels(9, 13))
    for name in ("bad.png", "notes.txt"):
        (tmp_path / name).write_text("bad")
    before = tree(tmp_path)
    result = run("equalize", "in", "-o", "out/", *options)
    assert message in result.stderr
    assert (result.exit_code, tree(tmp_path)) == (2, before)


def test_the_first_file_of_a_run_cannot_be_read(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    save(tmp_path / "in/b.png", pixels(9, 14))
    (tmp_path / "in/a.png").write_text("bad")
    result = run("equalize", "in", "-o", "out", "--match-first")
    assert "--match-first: in/a.png: not a picture in a known format" in result.stderr
    assert (result.exit_code, tree(tmp_path)) == (2, ["in/a.png", "in/b.png"])
    save(tmp_path / "mask.png", pixels(9, 13) > 80)
    result = run("equalize", "in/b.png", "-o", "out/", "--match-first", "--mask", "mask.png")
    assert (
        "--match-first: in/b.png: mask: it has 13 x 9 pixels, and the picture, as one sees it, 14 x 9" in result.stderr
    )
    assert (result.exit_code, tree(tmp_path)) == (2, ["in/a.png", "in/b.png", "mask.png"])


@pytest.mark.parametrize("option", ["--match", "--match-first"])
def test_axes_that_an_array_does_not_have(run, tmp_path, monkeypatch, option):
    monkeypatch.setenv("COLUMNS", "400")
    save(tmp_path / "in.npy", pixels(5, 31, 47))
    save(tmp_path / "to.png", pixels(5, 31, 3))
    where = [option, *["to.png"] * (option == "--match")]
    result = run("equalize", "in.npy", "-o", "out.npy", *where, "--channel-axis", 5)
    assert "in.npy: axis 5 is none of an array of 3 axes" in result.stderr
    assert (result.exit_code, tree(tmp_path)) == (1 if option == "--match" else 2, ["in.npy", "to.png"])


def test_frames_that_are_not_read_are_told_of(run, tmp_path):
    save(tmp_path / "a.png", pixels(9, 14, 3))
    frames = [Image.fromarray(pixels(9, 14, seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / "to.gif", save_all=True, append_images=frames[1:])
    result = run("equalize", "a.png", "-o", "out/", "--match", "to.gif")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert result.stderr.startswith("warning: to.gif: ")
