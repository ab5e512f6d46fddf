"""Do the transforms for albumentations give what its own give, and work where these do: pipelines, files, replay?"""

import doctest
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

import cheq

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it asks the network for its newest version
A = pytest.importorskip("albumentations", reason="albumentations is not installed")
ours = cheq.albumentations
pytestmark = pytest.mark.worlds

OLD = A.__version__.startswith("1.")
RANDOM = np.random.default_rng(0)
RGB = RANDOM.integers(30, 200, (48, 57, 3), dtype=np.uint8)
GRAY = np.ascontiguousarray(RGB[..., 1])
BATCH = RANDOM.integers(30, 200, (5, 48, 57, 3), dtype=np.uint8)
WORDS = BATCH.astype(np.uint16) * 200 + RANDOM.integers(0, 200, BATCH.shape, dtype=np.uint16)
MASK = np.zeros((48, 57), np.uint8)
MASK[5:30, 8:50] = 255
REFERENCE = np.clip(RANDOM.normal(150, 30, (48, 57, 3)), 0, 255).astype(np.uint8)

UNIT = RGB / np.float32(255)
BEYOND = np.random.default_rng(1).normal(0.5, 0.5, (48, 57, 3)).astype(np.float32)  # levels are cut off at both ends
IMAGES = {
    "RGB": RGB,
    "gray": GRAY,
    "one channel": GRAY[..., np.newaxis],
    "float32": UNIT,
    "gray float32": np.ascontiguousarray(UNIT[..., 0]),
    "float32 beyond 0..1": BEYOND,
}


def made(transform, image, **targets):
    return transform(image=image, **targets)["image"]


def assert_same(result, expected):
    __tracebackhide__ = True
    np.testing.assert_array_equal(result, expected, strict=True)


# ---------------------------------------------------------------- what albumentations gives


PAIRS = {
    "equalize": (lambda: A.Equalize(p=1), lambda: ours.Equalize(p=1)),
    "luminance": (lambda: A.Equalize(by_channels=False, p=1), lambda: ours.Equalize(by_channels=False, p=1)),
    "clahe": (lambda: A.CLAHE((2.5, 2.5), (4, 3), p=1), lambda: ours.CLAHE((2.5, 2.5), (4, 3), p=1)),
    "clahe, random limits": (lambda: A.CLAHE(p=1), lambda: ours.CLAHE(p=1)),
    "clahe, one limit": (lambda: A.CLAHE(9, p=1), lambda: ours.CLAHE(9, p=1)),
}


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("pair", PAIRS)
def test_the_bytes_of_albumentations(pair, image):
    theirs, own = (make() for make in PAIRS[pair])
    image, before = IMAGES[image].copy(), IMAGES[image].copy()
    for seed in range(3):
        theirs.set_random_seed(seed)
        own.set_random_seed(seed)
        assert_same(made(own, image), made(theirs, image.copy()))
    np.testing.assert_array_equal(image, before)


def their_matching(references, **options):
    """Their transform, and the targets that it needs beside the image: 1.4 has references of its own."""
    if OLD:
        return A.HistogramMatching(references, read_fn=np.asarray, p=1, **options), {}
    return A.HistogramMatching(p=1, **options), {"hm_metadata": references}


@pytest.mark.parametrize("ratio", [(1, 1), (0.5, 0.5), (0.2, 0.9), (0, 0)])
@pytest.mark.parametrize("image", IMAGES)
def test_matching_gives_the_bytes_of_albumentations(image, ratio):
    image = IMAGES[image]
    references = [REFERENCE, REFERENCE[::-1] // 2, RGB // 3]
    if image.ndim == 2 or image.shape[2] == 1:
        references = [np.ascontiguousarray(one[..., 0]).reshape(image.shape) for one in references]
    if image.dtype == np.float32:
        references = [one / np.float32(255) for one in references]
    theirs, targets = their_matching(references, blend_ratio=ratio)
    own = ours.HistogramMatching(blend_ratio=ratio, p=1)
    inside = ours.HistogramMatching(references, blend_ratio=ratio, p=1)
    for seed in range(4):
        for transform in (theirs, own, inside):
            transform.set_random_seed(seed)
        expected = made(theirs, image, **targets)
        assert_same(made(own, image, hm_metadata=references), expected)
        assert_same(made(inside, image), expected)


def test_random_numbers_are_those_of_albumentations_in_a_pipeline():
    """The same seed gives the same pictures before and after a change from one to the other."""
    theirs = A.Compose([A.HorizontalFlip(), A.Equalize(), A.CLAHE(), A.Equalize(by_channels=False)], seed=7)
    own = A.Compose([A.HorizontalFlip(), ours.Equalize(), ours.CLAHE(), ours.Equalize(by_channels=False)], seed=7)
    for _ in range(20):
        assert_same(made(own, RGB), made(theirs, RGB))


def test_where_they_differ():
    """What docs/albumentations.md says."""
    pillow = np.asarray(PIL.ImageOps.equalize(PIL.Image.fromarray(RGB)))
    assert_same(made(ours.Equalize(method="pillow", p=1), RGB), pillow)
    assert np.array_equal(made(A.Equalize(mode="pil", p=1), RGB), pillow) == OLD

    one_level = np.where(GRAY > 90, GRAY, 90).astype(np.uint8)
    mask = one_level == 90
    assert_same(ours.Equalize(mask_key="mask", p=1)(image=one_level, mask=mask)["image"], one_level)
    with np.errstate(all="ignore"):  # 0 / 0
        assert not np.array_equal(made(A.Equalize(mask=mask.astype(np.uint8), p=1), one_level.copy()), one_level)

    theirs, targets = their_matching([REFERENCE[:20, :30].copy()], blend_ratio=(1, 1))
    resized = cv2.resize(REFERENCE[:20, :30], (57, 48))
    own = ours.HistogramMatching(blend_ratio=(1, 1), p=1)
    assert not np.array_equal(made(theirs, RGB, **targets), made(own, RGB, hm_metadata=[REFERENCE[:20, :30]]))
    assert_same(made(own, RGB, hm_metadata=[resized]), made(theirs, RGB, **targets))
    assert_same(
        made(own, RGB, hm_metadata=[REFERENCE[:20, :30]]),
        cheq.match_histograms(RGB, REFERENCE[:20, :30], channel_axis=-1),
    )


# ---------------------------------------------------------------- beyond it


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("method", ["opencv", "skimage", "numpy"])
def test_every_method_keeps_the_dtype(method, dtype):
    images = {"uint8": BATCH, "uint16": WORDS, "float32": BATCH / np.float32(255)}[dtype]
    result = made(ours.Equalize(method=method, p=1), images[0])
    if (method, dtype) == ("opencv", "float32"):
        expected = cheq.equalize(BATCH[0], channel_axis=-1) / np.float32(255)
    else:
        expected = cheq.equalize(images[0], channel_axis=-1, method=method, dtype="same")
    assert_same(result, expected)


def test_words():
    for image in (WORDS[0], WORDS[0, ..., 0]):
        channel = {"channel_axis": -1} if image.ndim == 3 else {}
        assert_same(made(ours.Equalize(p=1), image), cheq.equalize(image, **channel))
        matched = cheq.match_histograms(image.reshape(48, 57, -1), WORDS[1][..., : image[0, 0].size], channel_axis=-1)
        matched = matched.reshape(image.shape)
        reference = WORDS[1] if image.ndim == 3 else WORDS[1, ..., 0]
        for ratio in (1, 0.3):
            own = ours.HistogramMatching(blend_ratio=(ratio, ratio), p=1)
            blended = cv2.addWeighted(matched, ratio, image, 1 - ratio, 0)
            assert_same(made(own, image, hm_metadata=[reference]), blended)
    for color in ("ycrcb", "yuv", "channels"):
        own = ours.CLAHE((2, 2), color=color, p=1)
        assert_same(made(own, WORDS[0]), cheq.clahe(WORDS[0], clip_limit=2, channel_axis=-1, color=color))
    with pytest.raises(TypeError, match="images: expected dtype uint8 for color='lab', got uint16"):
        made(ours.CLAHE(p=1), WORDS[0])


def test_any_number_of_channels():
    many = np.concatenate([RGB, BATCH[0]], axis=-1)
    assert_same(made(ours.Equalize(p=1), many), cheq.equalize(many, channel_axis=-1))
    rgba = many[..., :4].copy()
    result = made(ours.Equalize(by_channels=False, p=1), rgba)
    assert_same(result, cheq.equalize(rgba, channel_axis=-1, color="ycrcb"))
    assert_same(made(ours.CLAHE((2, 2), color="channels", p=1), many), cheq.clahe(many, clip_limit=2, channel_axis=-1))


# ---------------------------------------------------------------- batches


BATCHED = {
    "equalize": lambda: ours.Equalize(p=1),
    "luminance": lambda: ours.Equalize(by_channels=False, p=1),
    "clahe": lambda: ours.CLAHE(p=1),
    "match": lambda: ours.HistogramMatching([REFERENCE], p=1),
    "masked": lambda: ours.Equalize(mask_key="body", outside="keep", p=1),
}


@pytest.mark.parametrize("images", [BATCH, BATCH / np.float32(255)], ids=["uint8", "float32"])
@pytest.mark.parametrize("name", BATCHED)
def test_images_volumes_and_the_image_beside_them(name, images):
    transform = BATCHED[name]()
    body = {"body": MASK} if name == "masked" else {}

    def by_one(image):
        transform.set_random_seed(5)
        return made(transform, image, **body)

    expected = np.stack([by_one(image) for image in images])
    transform.set_random_seed(5)
    done = transform(image=images[0], images=images, **body)
    assert_same(done["images"], expected)
    assert_same(done["image"], expected[0])
    transform.set_random_seed(5)
    done = transform(volume=images, **body)
    assert_same(done["volume"], expected)
    transform.set_random_seed(5)
    done = transform(volumes=np.stack([images, images[::-1]]), **body)
    assert_same(done["volumes"], np.stack([expected, expected[::-1]]))
    transform.set_random_seed(5)
    done = transform(image=images[0], images=list(images), **body)
    assert_same(np.asarray(done["images"]), expected)


@pytest.mark.parametrize("width", [57, 3])  # a width of 3 is no channels
def test_gray_batches(width):
    images = np.ascontiguousarray(BATCH[..., :width, 0])
    transform = ours.Equalize(p=1)
    expected = np.stack([cheq.equalize(image) for image in images])
    assert_same(transform(images=images)["images"], expected)
    assert_same(transform(volume=images)["volume"], expected)
    assert_same(transform(volumes=images[np.newaxis])["volumes"], expected[np.newaxis])
    matching = ours.HistogramMatching([REFERENCE[..., 0]], blend_ratio=(1, 1), p=1)
    expected = np.stack([made(matching, image) for image in images])
    assert_same(matching(volume=images)["volume"], expected)


def test_a_batch_is_one_call(monkeypatch):
    pipeline = [ours.Equalize(p=1), ours.CLAHE(p=1), ours.HistogramMatching([REFERENCE], p=1)]
    calls = []
    for name in ("equalize", "clahe", "match_histograms"):
        function = getattr(ours, name)
        monkeypatch.setattr(ours, name, lambda *a, f=function, **n: calls.append(n["num_threads"]) or f(*a, **n))
    for transform in pipeline:
        transform(volume=BATCH)
        transform(volumes=BATCH[np.newaxis])
    assert calls == [1] * 6


# ---------------------------------------------------------------- masks


def test_the_mask_of_a_call():
    counted = MASK > 0
    for mask in (MASK, counted, MASK[..., np.newaxis], MASK.astype(np.float32)):
        for by_channels, color in ((True, "channels"), (False, "ycrcb")):
            for outside in ("lut", "keep"):
                own = ours.Equalize(by_channels=by_channels, mask_key="body", outside=outside, p=1)
                options = {"channel_axis": -1, "color": color, "mask": counted, "outside": outside}
                assert_same(made(own, RGB, body=mask), cheq.equalize(RGB, **options))
        own = ours.CLAHE((3, 3), mask_key="body", outside="keep", p=1)
        expected = cheq.clahe(RGB, clip_limit=3, channel_axis=-1, color="lab", mask=counted, outside="keep")
        assert_same(made(own, RGB, body=mask), expected)
        own = ours.HistogramMatching([REFERENCE], (1, 1), mask_key="body", p=1)
        expected = cheq.match_histograms(RGB, REFERENCE, channel_axis=-1, mask=counted)
        assert_same(made(own, RGB, body=mask), expected)
    theirs = made(A.Equalize(mask=MASK, p=1), RGB.copy())
    assert_same(made(ours.Equalize(mask_key="body", p=1), RGB, body=MASK), theirs)


def test_masks_of_colors_and_of_each_image():
    colors = RGB > 90
    own = ours.Equalize(mask_key="body", p=1)
    assert_same(made(own, RGB, body=colors), cheq.equalize(RGB, channel_axis=-1, mask=colors))
    each = np.stack([MASK, MASK.T[:48, :48].repeat(2, 1)[:, :57], MASK, MASK[::-1], MASK[:, ::-1]])
    expected = cheq.equalize(BATCH, channel_axis=-1, mask=each > 0)
    assert_same(own(images=BATCH, body=each)["images"], expected)
    assert_same(own(volume=BATCH, body=each[..., np.newaxis])["volume"], expected)


def test_the_mask_that_is_transformed_along():
    pipeline = A.Compose([A.HorizontalFlip(p=1), A.RandomCrop(20, 30, p=1), ours.Equalize(mask_key="mask", p=1)])
    done = pipeline(image=RGB, mask=MASK)
    assert done["mask"].shape == (20, 30)
    spot = next(
        (y, x)
        for y in range(29)
        for x in range(28)
        if np.array_equal(done["mask"], MASK[:, ::-1][y : y + 20, x : x + 30])
        and np.array_equal(
            done["image"],
            cheq.equalize(RGB[:, ::-1][y : y + 20, x : x + 30], channel_axis=-1, mask=done["mask"] > 0),
        )
    )
    assert spot


def test_a_missing_mask_is_an_error():
    with pytest.raises(ValueError, match=r"requires \['body'\]"):
        ours.Equalize(mask_key="body", p=1)(image=RGB)
    with pytest.raises(ValueError, match=r"requires \['hm_metadata', 'body'\]"):
        ours.HistogramMatching(mask_key="body", p=1)(image=RGB)


# ---------------------------------------------------------------- pipelines


TRANSFORMS = {
    "equalize": lambda: ours.Equalize("pillow", by_channels=False, p=1),
    "masked": lambda: ours.Equalize(mask_key="mask", outside="keep", p=1),
    "clahe": lambda: ours.CLAHE((2, 5), (4, 3), color="yuv", p=1),
    "match": lambda: ours.HistogramMatching(blend_ratio=(0.2, 0.8), metadata_key="days", p=1),
}


def seeded(transform, name):
    transform.set_random_seed(11)
    references = {"days": [REFERENCE, RGB // 2]} if name == "match" else {}
    return made(transform, RGB, mask=MASK, **references)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_dictionaries_files_and_pickles(name, tmp_path):
    transform = TRANSFORMS[name]()
    expected = seeded(transform, name)
    assert not np.array_equal(expected, RGB)
    described = A.to_dict(transform)
    again = A.from_dict(described)
    assert type(again) is type(transform)
    assert A.to_dict(again) == described
    assert_same(seeded(again, name), expected)
    json.dumps(described)
    for kind in ("json", "yaml"):
        path = tmp_path / f"transform.{kind}"
        A.save(transform, path, data_format=kind)
        loaded = A.load(path, data_format=kind)
        assert repr(loaded) == repr(transform)
        assert_same(seeded(loaded, name), expected)
    assert_same(seeded(pickle.loads(pickle.dumps(transform)), name), expected)
    pipeline = A.Compose([A.HorizontalFlip(p=1), transform])
    expected = seeded(pipeline, name)
    assert_same(seeded(A.from_dict(A.to_dict(pipeline)), name), expected)
    assert_same(seeded(pickle.loads(pickle.dumps(pipeline)), name), expected)


def test_a_file_is_loaded_in_a_new_process(tmp_path):
    A.save(A.Compose([ours.CLAHE((3, 3), p=1)]), tmp_path / "pipeline.json")
    np.save(tmp_path / "image.npy", RGB)
    program = """
import albumentations, numpy as np, cheq.albumentations
pipeline = albumentations.load("pipeline.json")
np.save("done.npy", pipeline(image=np.load("image.npy"))["image"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert_same(np.load(tmp_path / "done.npy"), made(ours.CLAHE((3, 3), p=1), RGB))


def test_replay():
    pipeline = A.ReplayCompose([A.HorizontalFlip(), ours.Equalize(), ours.CLAHE()])
    for _ in range(8):
        done = pipeline(image=RGB)
        again = A.ReplayCompose.replay(done["replay"], image=RGB)
        assert_same(again["image"], done["image"])
        other = A.ReplayCompose.replay(json.loads(json.dumps(done["replay"])), image=BATCH[0])
        assert other["image"].shape == BATCH[0].shape


def test_additional_targets_and_one_of():
    pipeline = A.Compose([ours.CLAHE(p=1)], additional_targets={"other": "image"})
    done = pipeline(image=RGB, other=BATCH[0])
    limit = pipeline.transforms[0].get_applied_params()["clip_limit"]
    for name, image in (("image", RGB), ("other", BATCH[0])):
        assert_same(done[name], cheq.clahe(image, clip_limit=limit, channel_axis=-1, color="lab"))
    one = A.Compose([A.OneOf([ours.Equalize(p=1), ours.CLAHE((2, 2), p=1)], p=1)])
    results = {made(one, RGB).tobytes() for _ in range(40)}
    expected = {made(ours.Equalize(p=1), RGB).tobytes(), made(ours.CLAHE((2, 2), p=1), RGB).tobytes()}
    assert results == expected


def test_boxes_points_and_masks_are_left_alone():
    targets = {"image": RGB, "mask": MASK, "bboxes": [(1, 2, 30, 40)], "labels": ["cat"], "keypoints": [(3, 4)]}

    def done(*transforms):
        return A.Compose(
            [A.HorizontalFlip(p=1), *transforms],
            bbox_params=A.BboxParams("pascal_voc", label_fields=["labels"]),
            keypoint_params=A.KeypointParams("xy"),
        )(**targets)

    without, result = done(), done(ours.Equalize(p=1))
    for name in ("mask", "bboxes", "labels", "keypoints"):
        np.testing.assert_array_equal(result[name], without[name])
    assert_same(result["image"], cheq.equalize(without["image"], channel_axis=-1))


def test_probability():
    for make in (ours.Equalize, ours.CLAHE):
        assert make().p == 0.5
        transform = make(p=0.3)
        transform.set_random_seed(0)
        changed = [not np.array_equal(made(transform, RGB), RGB) for _ in range(200)]
        assert 30 < sum(changed) < 90
        assert_same(made(make(p=0), RGB), RGB)


def test_references_from_files(tmp_path):
    path = tmp_path / "day.png"
    PIL.Image.fromarray(REFERENCE).save(path)
    expected = made(ours.HistogramMatching([REFERENCE], (1, 1), p=1), RGB)
    assert_same(made(ours.HistogramMatching([str(path)], (1, 1), p=1), RGB), expected)
    assert_same(made(ours.HistogramMatching([path], (1, 1), p=1), RGB), expected)
    read = ours.HistogramMatching([path], (1, 1), read_fn=lambda one: np.asarray(PIL.Image.open(one)), p=1)
    assert_same(made(read, RGB), expected)
    by_path = ours.HistogramMatching([str(path)], (1, 1), p=1)
    assert_same(made(A.from_dict(json.loads(json.dumps(A.to_dict(by_path)))), RGB), expected)
    for other in (read, ours.HistogramMatching([REFERENCE], p=1)):
        with pytest.raises(NotImplementedError, match=r"HistogramMatching: expected paths .* by metadata_key"):
            A.to_dict(other)


def test_pixels_of_a_reference():
    """As the docstring proposes it."""
    counted = REFERENCE[..., 0] > 150
    own = ours.HistogramMatching(blend_ratio=(1, 1), p=1)
    expected = cheq.match_histograms(RGB, REFERENCE, channel_axis=-1, reference_mask=counted)
    assert_same(made(own, RGB, hm_metadata=[REFERENCE[counted][np.newaxis]]), expected)


# ---------------------------------------------------------------- errors


def matched(references):
    return made(ours.HistogramMatching(p=1), RGB, hm_metadata=references)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ours.Equalize(method="cv"), "method: expected one of 'opencv', 'pillow'.*got 'cv'"),
        (lambda: ours.Equalize("skimage", by_channels=False), "method: .*by_channels=False, got 'skimage'"),
        (lambda: ours.Equalize(outside="keep"), "outside: expected 'lut' without a mask"),
        (lambda: ours.Equalize(mask_key="mask", outside="same"), "outside: expected one of"),
        (lambda: ours.Equalize(p=1.5), "p: expected a probability, 0 to 1, got 1.5"),
        (lambda: ours.CLAHE((4, 1)), r"clip_limit: expected two numbers in order, from 0 up, got \(4, 1\)"),
        (lambda: ours.CLAHE(0.5), r"clip_limit: .*got \(1, 0.5\)"),
        (lambda: ours.CLAHE((1, 2, 3)), "clip_limit: expected two numbers"),
        (lambda: ours.CLAHE((float("nan"), 2)), "clip_limit: expected two numbers"),
        (lambda: ours.CLAHE(tile_grid_size=8), "tile_grid_size: expected two ints"),
        (lambda: ours.CLAHE(tile_grid_size=(0, 8)), "tile_grid_size: expected 1 to"),
        (lambda: ours.CLAHE(color="hsv"), "color: expected one of"),
        (lambda: ours.HistogramMatching(blend_ratio=(0.5, 1.1)), "blend_ratio: expected two .*from 0 to 1"),
        (lambda: ours.HistogramMatching([]), "reference_images: expected at least one"),
        (lambda: matched([]), "hm_metadata: expected a list of at least one"),
        (lambda: matched([GRAY]), "reference: expected the images' 3 channels"),
        (lambda: made(ours.Equalize(p=1), np.full((4, 5), np.nan, np.float32)), "image: expected float32 .*got NaN"),
        (lambda: made(ours.Equalize(mask_key="body", p=1), RGB, body=MASK[:9]), "mask: expected a shape"),
    ],
)
def test_values_that_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_types_that_are_refused():
    with pytest.raises(TypeError, match="mode"):
        ours.Equalize(mode="cv")
    with pytest.raises(TypeError, match=r"images: expected dtype .*got float64"):
        made(ours.Equalize(p=1), RGB / 255)
    with pytest.raises(TypeError, match="reference: expected the images' dtype"):
        made(ours.HistogramMatching(p=1), RGB, hm_metadata=[WORDS[0]])


@pytest.mark.parametrize("name", ours.__all__)
def test_docstrings(name):
    transform = getattr(ours, name)
    for parameter in transform().get_transform_init_args_names():
        assert parameter in transform.__doc__
    for example in doctest.DocTestFinder(recurse=False).find(transform, name, globs={}):
        assert doctest.DocTestRunner().run(example).failed == 0


def test_the_benchmark_runs(tmp_path):
    """It compares all results before it times them."""
    script = Path(__file__).parent.parent / "benchmarks" / "transforms.py"
    command = [sys.executable, script, "--seconds", "0.01"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n| ") == 8
