"""Do the transforms change what torchvision's own would, with cheq's bytes, at random as asked, in any worker?"""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import cheq

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import tv_tensors  # noqa: E402  (behind the skips)
from torchvision.transforms import v2  # noqa: E402

from cheq.torchvision import CLAHE, Equalize, MatchHistograms  # noqa: E402

pytestmark = pytest.mark.worlds

RANDOM = np.random.default_rng(0)


def pixels(*shape):
    return torch.from_numpy(RANDOM.integers(60, 120, shape, dtype=np.uint8))


PHOTO, OTHER, REFERENCE = pixels(3, 20, 24), pixels(3, 20, 24), pixels(3, 9, 7) + 90
COUNTS = torch.arange(256) % 11
LARGE = pixels(3, 64, 64)  # enough pixels a tile for limits to differ
MASK = torch.from_numpy(RANDOM.random((20, 24)) > 0.4)


def of_pil(tensor):
    return PIL.Image.fromarray(tensor.permute(1, 2, 0).numpy() if len(tensor) == 3 else tensor[0].numpy())


def to_tensor(picture):
    return torch.from_numpy(np.array(picture)[None] if picture.mode == "L" else np.moveaxis(np.array(picture), -1, 0))


# What cheq gives for channels in front of height and width.
TRANSFORMS = {
    "Equalize": (Equalize(), lambda x: cheq.equalize(x, channel_axis=-3)),
    "Equalize, lab": (Equalize(color="lab"), lambda x: cheq.equalize(x, channel_axis=-3, color="lab")),
    "Equalize, numpy": (
        Equalize(method="numpy", dtype="same"),
        lambda x: cheq.equalize(x, channel_axis=-3, method="numpy", dtype="same"),
    ),
    "Equalize, mask": (
        Equalize(mask=MASK[None], outside="keep"),
        lambda x: cheq.equalize(x, channel_axis=-3, mask=MASK[None].numpy(), outside="keep"),
    ),
    "CLAHE": (CLAHE(), lambda x: cheq.clahe(x, channel_axis=-3)),
    "CLAHE, ycrcb": (
        CLAHE(clip_limit=2, tile_grid_size=(3, 2), color="ycrcb", mask=MASK),
        lambda x: cheq.clahe(x, clip_limit=2, tile_grid_size=(3, 2), color="ycrcb", channel_axis=-3, mask=MASK.numpy()),
    ),
    "CLAHE, skimage": (
        CLAHE(method="skimage", kernel_size=(5, 6), nbins=99, dtype="same"),
        lambda x: cheq.clahe(x, method="skimage", kernel_size=(5, 6), nbins=99, dtype="same", channel_axis=-3),
    ),
    "MatchHistograms": (
        MatchHistograms(REFERENCE),
        lambda x: cheq.match_histograms(x, REFERENCE.numpy(), channel_axis=-3, dtype="same"),
    ),
    "MatchHistograms, histogram": (
        MatchHistograms(reference_histogram=COUNTS),
        lambda x: cheq.match_histograms(x, reference_histogram=COUNTS.numpy(), channel_axis=-3, dtype="same"),
    ),
    "MatchHistograms, cut": (
        MatchHistograms(tv_tensors.Image(REFERENCE), dtype=None, reference_mask=REFERENCE[:1] > 180),
        lambda x: cheq.match_histograms(
            x, REFERENCE.numpy(), channel_axis=-3, reference_mask=REFERENCE[:1].numpy() > 180
        ),
    ),
}


# ---------------------------------------------------------------- what is changed, and into what


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_kind_of_image(name):
    """Plain tensors, batches, images and videos of torchvision's, pictures of PIL's."""
    transform, expect = TRANSFORMS[name]
    for images in (PHOTO, PHOTO[:, ::2, 1:] if "mask" not in repr(transform) else PHOTO, pixels(2, 3, 20, 24)):
        expected = torch.from_numpy(expect(images.numpy()))
        before = images.clone()
        assert torch.equal(transform(images), expected)
        for kind in (tv_tensors.Image, tv_tensors.Video)[: images.ndim - 2]:
            result = transform(kind(images))
            assert type(result) is kind
            assert torch.equal(result, expected)
        assert torch.equal(images, before)
    picture = of_pil(PHOTO)
    assert torch.equal(to_tensor(transform(picture)), torch.from_numpy(expect(PHOTO.numpy())))
    assert (transform(picture).mode, transform(picture).size) == ("RGB", (24, 20))


@pytest.mark.parametrize("make", [Equalize, CLAHE, lambda: MatchHistograms(of_pil(REFERENCE[:1]))])
def test_gray(make):
    gray, transform = PHOTO[:1], make()
    expected = transform(gray)
    assert not torch.equal(expected, gray)
    result = transform(of_pil(gray))
    assert result.mode == "L"
    assert torch.equal(to_tensor(result), expected)
    if make in (Equalize, CLAHE):
        assert torch.equal(transform(gray[0]), expected[0])


@pytest.mark.parametrize(
    "images",
    [
        PHOTO,
        pixels(2, 3, 64, 64),
        torch.full((3, 9, 9), 7, dtype=torch.uint8),
        torch.arange(2, dtype=torch.uint8).repeat(1, 3, 30, 15) * 200,
        torch.arange(256, dtype=torch.uint8).repeat(3, 1, 1),
        torch.zeros((3, 0, 5), dtype=torch.uint8),
        torch.from_numpy(RANDOM.binomial(255, 0.1, (5, 1, 40, 50)).astype(np.uint8)),
    ],
    ids=lambda images: f"{tuple(images.shape)}",
)
def test_torchvisions_own_answer(images):
    assert torch.equal(Equalize(method="pillow")(images), v2.functional.equalize(images))


def test_torchvisions_own_answer_for_real_pictures(pictures):
    equalize = Equalize(method="pillow")
    for name, picture in pictures.items():
        picture = picture.copy()  # PyTorch warns of what is read-only
        image = tv_tensors.Image(np.moveaxis(picture, -1, 0) if name == "astronaut" else picture[None])
        result = equalize(image)
        assert type(result) is tv_tensors.Image
        assert torch.equal(result, v2.functional.equalize(image))
        if name != "faces":
            assert equalize(of_pil(image)).tobytes() == v2.functional.equalize(of_pil(image)).tobytes()


@pytest.mark.parametrize("name", ["Equalize", "CLAHE", "MatchHistograms"])
def test_the_rest_of_a_sample_is_what_it_was(name):
    transform, expect = TRANSFORMS[name]
    sample = {
        "image": tv_tensors.Image(PHOTO),
        "target": {
            "boxes": tv_tensors.BoundingBoxes([[1, 2, 5, 6]], format="XYXY", canvas_size=(20, 24)),
            "masks": tv_tensors.Mask(MASK.to(torch.uint8)),
            "labels": torch.tensor([3]),
            "pixels": OTHER,
        },
        "more": [of_pil(OTHER), "a name", 7, None, PHOTO.numpy()],
    }
    if hasattr(tv_tensors, "KeyPoints"):
        sample["points"] = tv_tensors.KeyPoints([[1, 2]], canvas_size=(20, 24))
    result = transform(sample)
    assert torch.equal(result["image"], torch.from_numpy(expect(PHOTO.numpy())))
    assert torch.equal(to_tensor(result["more"][0]), torch.from_numpy(expect(OTHER.numpy())))
    assert all(result["target"][key] is value for key, value in sample["target"].items())
    assert all(mine is theirs for mine, theirs in zip(result["more"][1:], sample["more"][1:], strict=True))
    assert result.get("points") is sample.get("points")


def test_of_plain_tensors_the_first_is_an_image():
    """If there is no image of another kind: torchvision's rule."""
    image, label = Equalize()(PHOTO, OTHER)
    assert torch.equal(image, Equalize()(PHOTO))
    assert label is OTHER
    ours = Equalize(method="pillow")(OTHER, tv_tensors.Image(PHOTO))
    theirs = v2.RandomEqualize(p=1)(OTHER, tv_tensors.Image(PHOTO))
    assert ours[0] is OTHER
    assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"])
def test_other_pictures_are_refused(mode):
    picture = PIL.Image.new(mode, (24, 20))
    with pytest.raises(TypeError, match=f"expected mode L or RGB, got {mode}; pass picture.convert"):
        Equalize()(picture)
    Equalize()(picture.convert("RGB" if mode != "I;16" else "L"))


def test_floats_do_not_become_pictures():
    with pytest.raises(TypeError, match=r"dtype: expected 'same' where pictures are PIL's, .* got torch.float64"):
        Equalize(method="skimage")(of_pil(PHOTO))
    assert Equalize(method="skimage")(PHOTO).dtype == torch.float64
    floats = Equalize(method="skimage", nbins=50)(PHOTO / 255)
    expected = cheq.equalize((PHOTO / 255).numpy(), method="skimage", nbins=50, channel_axis=0)
    assert torch.equal(floats, torch.from_numpy(expected))


# ---------------------------------------------------------------- chance


def test_p():
    transform, image = Equalize(p=0.5), tv_tensors.Image(PHOTO)
    torch.manual_seed(1)
    results = [transform(image, of_pil(OTHER)) for _ in range(40)]
    torch.manual_seed(1)
    drawn = [bool(torch.rand(()) < 0.5) for _ in range(40)]
    assert {True, False} == set(drawn)
    for (first, second), changes in zip(results, drawn, strict=True):
        assert torch.equal(first, Equalize()(image) if changes else image)
        assert second.tobytes() == (Equalize()(of_pil(OTHER)) if changes else of_pil(OTHER)).tobytes()
    assert all(Equalize(p=0)(image) is image for _ in range(20))


def test_what_is_certain_draws_nothing():
    before = torch.get_rng_state()
    Equalize()(PHOTO)
    CLAHE(clip_limit=2.0)(PHOTO)
    MatchHistograms(REFERENCE)(PHOTO)
    assert torch.equal(torch.get_rng_state(), before)


def test_random_clip_limits():
    """One for all images of a sample, uniform between the two."""
    transform, limits = CLAHE(clip_limit=(1, 5), tile_grid_size=(2, 2)), []
    change = transform.change

    def note(images, **options):
        limits.append(float(options["clip_limit"]))
        return change(images, **options)

    transform.change = note
    torch.manual_seed(3)
    results = [transform(tv_tensors.Image(PHOTO), tv_tensors.Image(OTHER)) for _ in range(200)]
    assert limits[::2] == limits[1::2]
    drawn = np.array(limits[::2])
    assert len(set(drawn)) == 200
    assert drawn.min() > 1
    assert drawn.max() < 5
    assert np.histogram(drawn, 4, (1, 5))[0].min() > 25
    for limit, (first, second) in zip(drawn, results, strict=True):
        for result, image in ((first, PHOTO), (second, OTHER)):
            expected = cheq.clahe(image.numpy(), clip_limit=limit, tile_grid_size=(2, 2))
            assert torch.equal(result, torch.from_numpy(expected))
    torch.manual_seed(3)
    assert torch.equal(transform(PHOTO), results[0][0])
    assert torch.equal(CLAHE(clip_limit=(3, 3))(PHOTO), CLAHE(clip_limit=3)(PHOTO))


# ---------------------------------------------------------------- masks


@pytest.mark.parametrize("name", ["Equalize", "CLAHE", "MatchHistograms"])
def test_the_mask_of_a_sample(name):
    options = {"mask": "sample", "outside": "keep"}
    transform = {
        "Equalize": lambda: Equalize(**options),
        "CLAHE": lambda: CLAHE(**options),
        "MatchHistograms": lambda: MatchHistograms(REFERENCE, **options),
    }[name]()
    expect = {
        "Equalize": lambda x, **given: cheq.equalize(x, channel_axis=-3, **given),
        "CLAHE": lambda x, **given: cheq.clahe(x, channel_axis=-3, **given),
        "MatchHistograms": lambda x, **given: cheq.match_histograms(
            x, REFERENCE.numpy(), channel_axis=-3, dtype="same", **given
        ),
    }[name]
    expected = torch.from_numpy(expect(PHOTO.numpy(), mask=MASK.numpy(), outside="keep"))
    for mask in (tv_tensors.Mask(MASK), tv_tensors.Mask(MASK.to(torch.int64)[None] * 9)):
        sample = {"mask": mask, "image": tv_tensors.Image(PHOTO), "picture": of_pil(PHOTO)}
        result = transform(sample)
        assert torch.equal(result["image"], expected)
        assert torch.equal(to_tensor(result["picture"]), expected)
        assert result["mask"] is mask
    for masks in ((), (tv_tensors.Mask(MASK), tv_tensors.Mask(MASK))):
        with pytest.raises(ValueError, match=f"mask: expected one tv_tensors.Mask in each sample, got {len(masks)}"):
            transform(tv_tensors.Image(PHOTO), *masks)


# ---------------------------------------------------------------- made, shown, kept


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Equalize(method="cv2"), ValueError, "method: expected one of 'opencv', "),
        (lambda: Equalize(color="hsv"), ValueError, "color: "),
        (lambda: Equalize(outside="keep"), ValueError, "outside: expected 'lut' without a mask"),
        (lambda: Equalize(nbins=0, method="skimage"), ValueError, "nbins: expected 1 to"),
        (lambda: Equalize(num_threads=0), ValueError, "num_threads: "),
        (lambda: Equalize(dtype="float32"), ValueError, "dtype: expected None, 'same'"),
        (lambda: Equalize(mask=MASK.numpy()), TypeError, "mask: expected a torch.Tensor or 'sample', got array"),
        (lambda: Equalize(mask="target"), TypeError, "mask: expected a torch.Tensor or 'sample', got 'target'"),
        (lambda: Equalize(p=1.5), ValueError, "p: expected a probability from 0 to 1, got 1.5"),
        (lambda: CLAHE(p=-1), ValueError, "p: expected a probability"),
        (
            lambda: CLAHE(clip_limit=(3, 2)),
            ValueError,
            r"clip_limit: expected a number, or \(low, high\) with 0 <= low",
        ),
        (lambda: CLAHE(clip_limit=(-1, 2)), ValueError, "clip_limit: expected a number, or"),
        (lambda: CLAHE(clip_limit=(1, 2, 3)), ValueError, "clip_limit: expected a number, or"),
        (lambda: CLAHE(clip_limit=(1, "b")), ValueError, "clip_limit: expected a number, or"),
        (lambda: CLAHE(clip_limit=(0.1, 2), method="skimage"), ValueError, "clip_limit: expected at most 1 with"),
        (lambda: CLAHE(clip_limit=(1, 1e300)), ValueError, "clip_limit: expected fewer than"),
        (lambda: CLAHE(tile_grid_size=8), ValueError, "tile_grid_size: expected two ints"),
        (lambda: CLAHE(method="skimage", mask=MASK), ValueError, "mask: expected it with method 'opencv' only"),
        (lambda: MatchHistograms(REFERENCE.numpy()), TypeError, "images: expected a torch.Tensor, got numpy"),
        (lambda: MatchHistograms(REFERENCE.long()), TypeError, "images: expected dtype uint8, .* got int64"),
        (lambda: MatchHistograms(REFERENCE[:2], color="lab"), ValueError, "images: expected 3 or 4 channels"),
        (lambda: MatchHistograms(REFERENCE * torch.nan), ValueError, "reference: expected finite values"),
        (lambda: MatchHistograms(), ValueError, "reference: expected one of reference and reference_histogram, got n"),
        (
            lambda: MatchHistograms(reference_histogram=COUNTS[1:]),
            ValueError,
            "reference_histogram: expected a last axis",
        ),
        (lambda: MatchHistograms(REFERENCE, reference_mask=REFERENCE < 0), ValueError, "reference_mask: expected True"),
    ],
)
def test_options_are_checked_when_a_transform_is_made(make, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        make()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_pickles(name):
    transform, _ = TRANSFORMS[name]
    again = pickle.loads(pickle.dumps(transform))
    assert repr(again) == repr(transform)
    assert torch.equal(again(PHOTO), transform(PHOTO))


def test_repr():
    text = "method='pillow', color='channels', outside='lut', nbins=256, nan_policy='raise', num_threads=1, p=0.5"
    assert repr(Equalize(method="pillow", p=0.5)) == f"Equalize({text})"
    assert "CLAHE(clip_limit=(1, 4), tile_grid_size=(8, 8), method" in repr(
        CLAHE(clip_limit=(1, 4), tile_grid_size=(8, 8))
    )
    assert "(reference=tensor of shape (3, 9, 7), color" in repr(MatchHistograms(REFERENCE))
    assert re.search(r"Compose\(\s*Equalize\(method", repr(v2.Compose([Equalize()])))


def test_one_thread_unless_asked_for(monkeypatch):
    seen = []
    for operator in (cheq.torch._EQUALIZE, cheq.torch._CLAHE, cheq.torch._MATCH):
        called = operator.called
        monkeypatch.setattr(
            operator, "called", lambda given, called=called: seen.append(given["num_threads"]) or called(given)
        )
    for threads in (1, 2, None):
        options = {} if threads == 1 else {"num_threads": threads}
        for transform in (Equalize(**options), CLAHE(**options), MatchHistograms(REFERENCE, **options)):
            seen.clear()
            transform(PHOTO)
            assert seen == [threads]


# ---------------------------------------------------------------- workers and graphs


class Photos(torch.utils.data.Dataset):
    """Found by spawned workers where this module is."""

    def __init__(self, images, transform):
        self.images, self.transform = images, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(tv_tensors.Image(self.images[index]))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers(method):
    images = pixels(8, 3, 20, 24)
    cheq.equalize(images.numpy(), channel_axis=1, num_threads=2)  # OpenMP's threads are there when workers are forked
    fixed = [TRANSFORMS[name][0] for name in ("Equalize", "CLAHE, ycrcb", "MatchHistograms")]
    prepare = v2.Compose([*fixed, v2.ToDtype(torch.float32, scale=True)])
    workers = 1 if method == "spawn" else 2  # each imports PyTorch again
    loader = torch.utils.data.DataLoader(
        Photos(images, prepare), batch_size=4, num_workers=workers, multiprocessing_context=method
    )
    assert torch.equal(torch.cat(list(loader)), torch.stack([prepare(image) for image in images]))


def test_workers_draw_their_own_limits():
    """PyTorch seeds each worker anew, from the loader's generator: reproducible, and not the same for all."""
    images = LARGE.expand(8, -1, -1, -1)

    def load():
        photos = Photos(images, CLAHE(clip_limit=(1, 4), tile_grid_size=(2, 2)))
        generator = torch.Generator().manual_seed(5)
        return torch.cat(list(torch.utils.data.DataLoader(photos, num_workers=2, generator=generator)))

    first = load()
    assert torch.equal(first, load())
    assert len({image.numpy().tobytes() for image in first}) > 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", TRANSFORMS)
def test_one_graph(name):
    """Of torchvision's own transforms too, for plain tensors."""
    torch._dynamo.reset()
    prepare = (
        v2.Compose([v2.RandomHorizontalFlip(p=0), TRANSFORMS[name][0]]) if name == "Equalize" else TRANSFORMS[name][0]
    )
    compiled = torch.compile(prepare, backend="aot_eager", fullgraph=name != "Equalize")
    assert torch.equal(compiled(PHOTO), prepare(PHOTO))
    result = torch.compile(prepare, backend="aot_eager")(tv_tensors.Image(PHOTO))
    assert type(result) is tv_tensors.Image
    assert torch.equal(result, prepare(PHOTO))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_random_clip_limits_in_a_graph():
    torch._dynamo.reset()
    transform = CLAHE(clip_limit=(1, 4), tile_grid_size=(2, 2))
    compiled = torch.compile(transform, backend="aot_eager", fullgraph=True)
    torch.manual_seed(7)
    results = [compiled(LARGE) for _ in range(5)]
    torch.manual_seed(7)
    assert all(torch.equal(result, transform(LARGE)) for result in results)
    assert len({result.numpy().tobytes() for result in results}) > 2


def test_the_benchmark_of_a_pipeline_runs(tmp_path):
    """It compares all answers before it times them."""
    script = Path(__file__).parent.parent / "benchmarks" / "pipeline.py"
    done = subprocess.run(
        [sys.executable, script, "--images", "8", "--rounds", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| equalized by | images/s")
