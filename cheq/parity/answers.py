"""What each library answers, for one plane or one color image a call.

Each function here imports its library, and returns its answers by the questions' ``answer``: functions of the plane
(or color image), its mask or None, and the `Input` that they are of. They return an array; an `Answer` where only a
part is the library's; or None where it has no answer, or one that is known to be another.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from cheq.bench.peers import recipe
from cheq.parity.inputs import Array, Input
from cheq.parity.questions import LUT_DTYPES, own_reference, some_lut, some_reference


class Answer(NamedTuple):
    """A library's values, and where they are its own; they may be anything elsewhere."""

    values: Array
    known: Array


_Change = Callable[[Array, Array | None, Input], "Array | Answer | None"]
Answers = dict[str, _Change]

MATCH = "match_histograms"
YCRCB, CLAHE, CLAHE_OF_LAB = 'equalize, color="ycrcb"', 'clahe, "opencv"', 'clahe, color="lab"'
_SPACES = {"ycrcb": "YCrCb", "yuv": "YUV", "lab": "Lab"}  # as cv2 calls them

# From here on float32 does not hold every count, which two libraries count in.
_FLOAT32_COUNTS = 1 << 24

# Pixels of a plane up to which scikit-image's CLAHE is asked: it takes 40 bytes and more for each.
_ADAPTED = 1 << 24


def numpy_answers() -> Answers:
    """The well-known recipe of np.histogram and np.interp, np.bincount and indexing."""

    def recipe_s(which: int) -> Callable[[Array, Array | None, Input], Array | None]:
        def answer(plane: Array, mask: Array | None, images: Input) -> Array | None:
            return None if mask is not None and not mask.any() else recipe(plane, images.nbins, mask)[which]

        return answer

    def histogram(plane: Array, mask: Array | None, _: Input) -> Array:
        counted = _from_zero(plane if mask is None else plane[mask])
        return np.bincount(counted.ravel(), minlength=1 << 8 * plane.itemsize)

    def looked_up(lut_dtype: str) -> Callable[[Array, Array | None, Input], Array]:
        return lambda plane, mask, images: some_lut(plane.dtype, lut_dtype)[_from_zero(plane)]

    name = "recipes.image_histogram_equalization"
    luts = {f"apply_lut: {dtype}": looked_up(dtype) for dtype in LUT_DTYPES}
    answers: Answers = {"numpy": recipe_s(0), f"{name}: images": recipe_s(0), f"{name}: CDF": recipe_s(1)}
    return {**answers, "histogram": histogram, **luts}


def _from_zero(levels: Array) -> Array:
    return levels.astype(np.int64) - int(np.iinfo(levels.dtype).min)


def cv2_answers() -> Answers:
    """equalizeHist, createCLAHE, cvtColor and threshold; lightness matched by scikit-image's definition.

    equalizeHist takes no mask: of its LUT for the pixels under one, only what becomes of those pixels is known. Where
    cv2 was compiled to fuse products and sums, as for 64-bit ARM, its CLAHE and its Otsu answer otherwise in near-ties:
    they are none.
    """
    cv2: Any = import_module("cv2")

    def equalize(plane: Array, mask: Array | None, _: Input) -> Array | Answer | None:
        if mask is None:
            return np.asarray(cv2.equalizeHist(plane)).reshape(plane.shape)
        if not mask.any():
            return None
        values = plane.copy()
        values[mask] = cv2.equalizeHist(plane[mask][np.newaxis]).ravel()
        return Answer(values, mask)

    def clahe(plane: Array, _: Array | None, images: Input) -> Array:
        limit = 40.0 if images.clip_limit is None else images.clip_limit
        made = cv2.createCLAHE(limit, images.tile_grid_size or (8, 8)).apply(plane)
        return np.asarray(made).reshape(plane.shape)

    def gray(image: Array, _: Array | None, __: Input) -> Array:
        code = cv2.COLOR_RGB2GRAY if image.shape[-1] == 3 else cv2.COLOR_RGBA2GRAY
        return np.asarray(cv2.cvtColor(image, code)).reshape(image.shape[:-1])

    answers: Answers = {"opencv": equalize, 'rgb_to_gray, "opencv"': gray}
    answers |= {f'equalize, color="{color}"': _lightness(cv2, space, equalize) for color, space in _SPACES.items()}
    answers |= {f'{MATCH}, color="{color}"': _lightness(cv2, space, _matched(cv2, space))
                for color, space in _SPACES.items()}  # fmt: skip
    # A near-tie for each, and what an OpenCV that rounds every product and sum makes of it.
    squares = (np.arange(97 * 101) ** 2 * 7 % 251).astype(np.uint8).reshape(97, 101)
    if crc32(clahe(squares, None, Input(squares, clip_limit=0.0, tile_grid_size=(6, 7))).tobytes()) == 1880704169:
        answers[CLAHE] = clahe
        answers |= {f'clahe, color="{color}"': _lightness(cv2, space, clahe) for color, space in _SPACES.items()}
    near_tie = np.array([[81, 99, 43, 30, 152]], np.uint8)
    otsu, binarize = _thresholds(cv2)
    if otsu(near_tie, None, Input(near_tie)) == 81:  # and not 43
        answers |= {"otsu_threshold": otsu, "binarize": binarize}
    return answers


def _lightness(cv2: Any, space: str, change: _Change) -> _Change:
    """The lightness of a color image changed, which is the first channel in each of the spaces."""
    there, back = (getattr(cv2, f"COLOR_{name}") for name in (f"RGB2{space}", f"{space}2RGB"))

    def answer(image: Array, mask: Array | None, images: Input) -> Array | Answer | None:
        converted = cv2.cvtColor(image, there)
        found = change(np.ascontiguousarray(converted[..., 0]), mask, images)
        if found is None:
            return None
        converted[..., 0] = found.values if isinstance(found, Answer) else found
        values = cv2.cvtColor(converted, back)
        return Answer(values, np.repeat(found.known[..., np.newaxis], 3, -1)) if isinstance(found, Answer) else values

    return answer


def _matched(cv2: Any, space: str) -> _Change:
    """Lightness matched to that of a reference: the definition of which scikit-image is the source, nearest levels."""

    def answer(plane: Array, mask: Array | None, _: Input) -> Array | Answer | None:
        image = np.ascontiguousarray(some_reference(plane.dtype, 3).T[np.newaxis])
        lightness = cv2.cvtColor(image, getattr(cv2, f"COLOR_RGB2{space}"))[..., 0]
        levels, counts = np.unique(lightness, return_counts=True)
        counted = plane if mask is None else plane[mask]
        if not counted.size:
            return None
        shares = np.bincount(counted.ravel(), minlength=256).cumsum() / counted.size
        found = np.interp(shares, np.cumsum(counts) / lightness.size, levels)
        return np.asarray(np.rint(found), plane.dtype)[plane]

    return answer


def _thresholds(cv2: Any) -> tuple[_Change, _Change]:
    """Otsu's threshold, and the picture in black and white."""

    def otsu(plane: Array, mask: Array | None, _: Input) -> Array | None:
        counted = plane if mask is None else plane[mask][np.newaxis]
        if not counted.size:
            return None
        with _opencv_s_own(cv2):
            level, _binary = cv2.threshold(counted, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return np.array([level]).astype(plane.dtype)

    def binarize(plane: Array, mask: Array | None, images: Input) -> Array | None:
        level = otsu(plane, mask, images)
        if level is None:
            return None
        return np.asarray(cv2.threshold(plane, int(level[0]), int(np.iinfo(plane.dtype).max), cv2.THRESH_BINARY)[1])

    return otsu, binarize


@contextmanager
def _opencv_s_own(cv2: Any) -> Iterator[None]:
    """OpenCV's own code: Intel's, in wheels for x86, chooses another level of uint8 where several are as good."""
    intel: Any = getattr(cv2, "ipp", None)
    before = intel is not None and intel.useIPP()
    if before:
        intel.setUseIPP(False)
    try:
        yield
    finally:
        if before:
            intel.setUseIPP(True)


def pillow_answers() -> Answers:
    """ImageOps.equalize, with and without mask, and Image.convert."""
    image_module: Any = import_module("PIL.Image")
    ops: Any = import_module("PIL.ImageOps")

    def equalize(plane: Array, mask: Array | None, _: Input) -> Array:
        counted = None if mask is None else image_module.fromarray(mask.astype(np.uint8) * 255)
        return np.asarray(ops.equalize(image_module.fromarray(plane), counted))

    def gray(image: Array, _: Array | None, __: Input) -> Array:
        return np.asarray(image_module.fromarray(image).convert("L"))

    return {"pillow": equalize, 'rgb_to_gray, "pillow"': gray}


def skimage_answers() -> Answers:
    """exposure.equalize_hist, equalize_adapthist, match_histograms and cumulative_distribution, color.rgb2gray, and
    their recipe.
    """
    exposure: Any = import_module("skimage.exposure")
    color: Any = import_module("skimage.color")

    def equalize(plane: Array, mask: Array | None, images: Input) -> Array | None:
        if mask is not None and not mask.any() and plane.dtype.kind in "iu":
            return None  # refused by scikit-image; of floats it makes NaN, as cheq does of both
        return np.asarray(exposure.equalize_hist(plane, images.nbins, mask=mask))

    def cdf(plane: Array, mask: Array | None, images: Input) -> Array | Answer | None:
        counted = plane if mask is None else plane[mask]
        if not counted.size:
            return None
        found, levels = exposure.cumulative_distribution(counted, images.nbins)
        if plane.dtype.kind not in "iu":
            return np.asarray(found)
        first = int(levels[0]) - int(np.iinfo(plane.dtype).min)
        values = np.zeros(1 << 8 * plane.itemsize)  # of which scikit-image returns those of the plane's range
        known = np.zeros(values.shape, np.bool_)
        values[first : first + len(found)], known[first : first + len(found)] = found, True
        return Answer(values, known)

    def centers(plane: Array, mask: Array | None, images: Input) -> Array | None:
        counted = plane if mask is None else plane[mask]
        return np.asarray(exposure.cumulative_distribution(counted, images.nbins)[1]) if counted.size else None

    def adapted(plane: Array, _: Array | None, images: Input) -> Array | None:
        if plane.size > _ADAPTED:
            return None
        limit = 0.01 if images.clip_limit is None else images.clip_limit
        return np.asarray(exposure.equalize_adapthist(plane, images.kernel_size, limit, images.nbins))

    def matched(reference: Callable[[Array], Array], levels: bool, channel_axis: int | None = None) -> _Change:
        def answer(plane: Array, mask: Array | None, _: Input) -> Array | Answer | None:
            given = reference(plane)
            counted = plane if mask is None else plane[mask][np.newaxis]
            if not counted.size:
                return None
            if plane.dtype.kind == "f" and not (np.isfinite(counted).all() and np.isfinite(given).all()):
                raise ValueError("not finite, of which scikit-image's answers are accidents")
            found = np.asarray(exposure.match_histograms(counted, given, channel_axis=channel_axis))
            found = np.rint(found).astype(plane.dtype) if levels and plane.dtype.kind != "f" else found
            if mask is None:
                return found
            values = np.zeros(plane.shape, found.dtype)
            values[mask] = found[0]
            return Answer(values, np.broadcast_to(mask.reshape(mask.shape + (1,) * (plane.ndim - 2)), plane.shape))

        return answer

    def gray(images: Array, _: Array | None, given: Input) -> Array:
        # A matrix product adds in an order that depends on the memory's, so it is given the very layout.
        view = given.view()
        return np.asarray(color.rgb2gray(view, channel_axis=given.channel_axis))

    def recipe(plane: Array, _: Array | None, images: Input) -> Array:
        found, where = exposure.cumulative_distribution(plane, images.nbins)
        return np.asarray(np.interp(plane, where, found))

    distribution = "cumulative_distribution"
    return {
        "skimage": equalize, f"{distribution}: CDF": cdf, f"{distribution}: bin centers": centers,
        f"{MATCH}: floats": matched(lambda plane: some_reference(plane.dtype), False),
        f"{MATCH}: levels": matched(lambda plane: some_reference(plane.dtype), True),
        f"{MATCH}: one each": matched(own_reference, True),
        f"{MATCH}: channels": matched(lambda image: some_reference(image.dtype, 3).T[np.newaxis], False, -1),
        'clahe, "skimage"': adapted, 'rgb_to_gray, "skimage"': gray, "recipes.histogram_equalize": recipe,
    }  # fmt: skip


def albumentations_answers() -> Answers:
    """CLAHE, and Equalize with mode "cv": cv2's answers, and one for masks under which there are two levels at least.

    Its mode "pil" is another answer than Pillow's.
    """
    name = "NO_ALBUMENTATIONS_UPDATE"
    before = os.environ.get(name)
    os.environ[name] = "1"  # or the import would look for a newer version in the internet
    try:
        library: Any = import_module("albumentations")
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before

    plain, by_lightness = library.Equalize(p=1), library.Equalize(by_channels=False, p=1)

    def equalize(plane: Array, mask: Array | None, _: Input) -> Array | None:
        if mask is None:
            return np.asarray(plain(image=plane)["image"])
        counted = plane[mask]
        if not counted.size or counted.min() == counted.max() or counted.size >= _FLOAT32_COUNTS:
            return None
        masked = library.Equalize(mask=mask.astype(np.uint8), p=1)
        return np.asarray(masked(image=plane.copy())["image"])  # it writes into what it is given

    def lightness(image: Array, mask: Array | None, _: Input) -> Array | None:
        return np.asarray(by_lightness(image=image)["image"]) if mask is None else None

    def clahe(image: Array, _: Array | None, images: Input) -> Array | None:
        limit = 40.0 if images.clip_limit is None else images.clip_limit
        if image.dtype != np.uint8 or limit < 1:  # it takes no other ones
            return None
        grid = images.tile_grid_size or (8, 8)
        return np.asarray(library.CLAHE(clip_limit=(limit, limit), tile_grid_size=grid, p=1)(image=image)["image"])

    tiled: Answers = {CLAHE: clahe, CLAHE_OF_LAB: clahe} if CLAHE in cv2_answers() else {}
    return {"opencv": equalize, YCRCB: lightness, **tiled}


def torchvision_answers() -> Answers:
    """transforms.v2.functional.equalize of uint8 tensors: Pillow's answer."""
    torch: Any = import_module("torch")
    functional: Any = import_module("torchvision.transforms.v2.functional")

    def equalize(plane: Array, mask: Array | None, _: Input) -> Array | None:
        if mask is not None:
            return None
        tensor = torch.from_numpy(plane.copy())
        return np.asarray(functional.equalize(tensor[None])[0].numpy())

    return {"pillow": equalize}


def kornia_answers() -> Answers:
    """enhance.equalize of levels / 255 in float32: Pillow's answer / 255."""
    torch: Any = import_module("torch")
    enhance: Any = import_module("kornia.enhance")

    def equalize(plane: Array, mask: Array | None, _: Input) -> Array | None:
        if mask is not None or plane.size >= _FLOAT32_COUNTS:
            return None
        tensor = torch.from_numpy(plane.astype(np.float32) / np.float32(255))
        equalized: Array = np.asarray(enhance.equalize(tensor[None, None])[0, 0].numpy())
        return np.asarray(np.rint(equalized * 255), np.uint8)

    return {"pillow": equalize}
