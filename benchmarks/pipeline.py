"""What equalizing adds to a PyTorch pipeline: JPEG files to batches, in a DataLoader's workers.

    python benchmarks/pipeline.py                            # minutes; --paste: into docs/pytorch.md and README
    python benchmarks/pipeline.py --images 8 --rounds 1      # does it run: seconds

Each file is decoded by Pillow, resized to 224 x 224, equalized by one of the contestants, made floats and normalized by
torchvision's transforms. Contestants take turns, an epoch each with workers of its own; those that have the same answer
by definition are compared first, byte for byte. CPU time is that of all processes, the start of workers included. A
second table has what calls cost for one image, in this process.
"""

import argparse
import importlib
import importlib.util
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import report
import skimage.data
import torch
from torchvision.transforms import v2

import cheq
from cheq.bench.timing import Contestant, NotEqual, busy_elsewhere, compete
from cheq.torchvision import CLAHE, Equalize

SIZE = 224
PAGE, MARK = "docs/pytorch.md", "pipeline"
CLIP_LIMIT, TILES = 2.0, (8, 8)
Change = Callable[[torch.Tensor], torch.Tensor]


# ---------------------------------------------------------------- contestants: uint8 (3, 224, 224) to the same


def unchanged(image: torch.Tensor) -> torch.Tensor:
    return image


def with_pillow(image: torch.Tensor) -> torch.Tensor:
    return v2.functional.pil_to_tensor(PIL.ImageOps.equalize(v2.functional.to_pil_image(image)))


def with_cv2(image: torch.Tensor) -> torch.Tensor:
    result = torch.empty(image.shape, dtype=image.dtype)
    for plane, out in zip(image.numpy(), result.numpy(), strict=True):
        cv2.equalizeHist(plane, out)
    return result


def clahe_with_cv2(image: torch.Tensor) -> torch.Tensor:
    result, clahe = torch.empty(image.shape, dtype=image.dtype), cv2.createCLAHE(CLIP_LIMIT, TILES)
    for plane, out in zip(image.numpy(), result.numpy(), strict=True):
        clahe.apply(plane, out)
    return result


def clahe_with_kornia(image: torch.Tensor) -> torch.Tensor:
    kornia = importlib.import_module("kornia.enhance")
    result: torch.Tensor = kornia.equalize_clahe(image / 255, clip_limit=CLIP_LIMIT, grid_size=TILES[::-1])
    return (result * 255).round().to(torch.uint8)


# By table and name, with what it answers: those of one answer are compared.
EQUALIZE: dict[str, tuple[Change, str | None]] = {
    "no equalization": (unchanged, None),
    "torchvision `F.equalize`": (v2.functional.equalize, "pillow"),
    "Pillow `ImageOps.equalize`, and back": (with_pillow, "pillow"),
    '`Equalize(method="pillow")`': (Equalize(method="pillow"), "pillow"),
    "cv2 `equalizeHist`, a loop": (with_cv2, "opencv"),
    "`Equalize()`": (Equalize(), "opencv"),
    "cv2 `createCLAHE`, a loop": (clahe_with_cv2, "clahe"),
    "`CLAHE(clip_limit=2.0)`": (CLAHE(clip_limit=CLIP_LIMIT, tile_grid_size=TILES), "clahe"),
}
if importlib.util.find_spec("kornia") is not None:
    EQUALIZE["kornia `equalize_clahe`"] = (clahe_with_kornia, None)


# ---------------------------------------------------------------- the pipeline


class Files(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Files, each made a tensor that is ready for a model."""

    def __init__(self, paths: list[Path], change: Change) -> None:
        self.paths = paths
        self.resize = v2.Resize((SIZE, SIZE), antialias=True)
        self.change = change
        self.normalize = v2.Compose(
            [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def resized(self, index: int) -> torch.Tensor:
        with PIL.Image.open(self.paths[index]) as picture:
            return self.resize(v2.functional.pil_to_tensor(picture))

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.normalize(self.change(self.resized(index)))


def write_pictures(folder: Path, count: int) -> list[Path]:
    """Write crops of the color photographs in scikit-image's wheel, of the sizes that photographs in data sets have."""
    random = np.random.default_rng(0)
    photographs = [skimage.data.astronaut(), skimage.data.rocket(), skimage.data.immunohistochemistry()]
    paths = []
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        height, width = (int(random.integers(side * 3 // 4, side + 1)) for side in photograph.shape[:2])
        top, left = (
            int(random.integers(side - part + 1))
            for side, part in zip(photograph.shape[:2], (height, width), strict=True)
        )
        paths.append(folder / f"{index}.jpg")
        PIL.Image.fromarray(photograph[top : top + height, left : left + width]).save(paths[-1], quality=90)
    return paths


def check_equal(paths: list[Path]) -> None:
    for index in range(min(len(paths), 30)):
        answers: dict[str, torch.Tensor] = {}
        for name, (change, answer) in EQUALIZE.items():
            result = change(Files(paths, unchanged).resized(index))
            if answer is not None and not torch.equal(answers.setdefault(answer, result), result):
                raise NotEqual(f"{name}: another answer for picture {index} than the first of its kind")


def cpu_seconds() -> float:
    """Return what this process and its workers that have ended took."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def epoch(paths: list[Path], change: Change, workers: int) -> tuple[float, float]:
    """Return the seconds and the seconds of CPU that it takes."""
    loader = torch.utils.data.DataLoader(Files(paths, change), batch_size=32, num_workers=workers)
    start, cpu = time.perf_counter(), cpu_seconds()
    for _ in loader:
        pass
    return time.perf_counter() - start, cpu_seconds() - cpu  # the workers have ended with the last batch


def calls(image: torch.Tensor, seconds: float) -> Iterator[str]:
    """Yield a table of the same image equalized by ever higher layers, and by torchvision."""
    array, options = image.numpy(), ("opencv", "channels", None, -3, None, "lut", None, 256, "raise", 1)
    ours, by_pillow = Equalize(), Equalize(method="pillow")
    contestants = [
        Contestant("`cheq.equalize`, of an array", lambda: cheq.equalize(array, num_threads=1)),
        Contestant("`cheq.torch.equalize`", lambda: cheq.torch.equalize(image)),
        Contestant("its operator, as graphs call it", lambda: torch.ops.cheq.equalize(image, *options)),
        Contestant("`cheq.torchvision.Equalize()`", lambda: ours(image)),
        Contestant("cv2 `equalizeHist`, a loop", lambda: with_cv2(image)),
        Contestant('`Equalize(method="pillow")`', lambda: by_pillow(image), same=False),
        Contestant("torchvision `F.equalize`", lambda: v2.functional.equalize(image), same=False),
    ]
    compete(contestants, seconds=seconds)
    yield "| one call | us, best | median |"
    yield "| --- | --- | --- |"
    for each in contestants:
        yield f"| {each.name} | {1e6 * each.best:.0f} | {1e6 * each.median:.0f} |"


# ---------------------------------------------------------------- the tables


def table(measured: dict[str, list[tuple[float, float]]], images: int) -> Iterator[str]:
    yield "| equalized by | images/s, best | median | CPU an image, ms, best | median | of it equalizing |"
    yield "| --- | --- | --- | --- | --- | --- |"
    plain = None
    for name, epochs in measured.items():
        walls, cpus = zip(*epochs, strict=True)
        costs = [1e3 * pick / images for pick in (min(cpus), statistics.median(cpus))]
        plain = costs[0] if plain is None else plain
        cells = [f"{images / min(walls):.0f}", f"{images / statistics.median(walls):.0f}"]
        cells += [*(f"{cost:.2f}" for cost in costs), f"{costs[0] - plain:.2f}"]
        yield f"| {' | '.join([name, *cells])} |"


def sentence(measured: dict[str, list[tuple[float, float]]], images: int) -> str:
    """Return what README says of the table: CPU time, which other programs disturb least."""
    cpu = {name: f"{1e3 * min(seconds for _, seconds in epochs) / images:.2f} ms" for name, epochs in measured.items()}
    return (
        f"JPEG to batch in a `DataLoader`'s workers, CPU an image: {cpu['`Equalize()`']}; torchvision's `F.equalize` "
        f"{cpu['torchvision `F.equalize`']}. "
        f"With CLAHE: {cpu['`CLAHE(clip_limit=2.0)`']}; cv2 {cpu['cv2 `createCLAHE`, a loop']} "
        "([table](docs/pytorch.md#what-it-costs))."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--paste", action="store_true", help=f"paste the tables into {PAGE}")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)  # as PyTorch does in workers; there it could wait forever for threads that were not forked
    about, busy = report.machine(), busy_elsewhere()
    about["versions"] |= {"torch": torch.__version__}
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in EQUALIZE}
    with tempfile.TemporaryDirectory() as folder:
        paths = write_pictures(Path(folder), chosen.images)
        check_equal(paths)
        for _ in range(chosen.rounds):
            for name, (change, _) in EQUALIZE.items():
                measured[name].append(epoch(paths, change, chosen.workers))
        image = Files(paths, unchanged).resized(0).contiguous()
    torch.set_num_threads(1)  # as in workers
    one = calls(image, 3.0 * chosen.rounds)
    lines = [*table(measured, chosen.images), "", *one]
    about["busy_elsewhere"] = busy()
    foot = f"{chosen.workers} workers, {chosen.images} images, {chosen.rounds} rounds. {report.head(about)}"
    text = "\n".join([*lines, "", foot])
    print(text)
    if chosen.paste:
        report.paste(PAGE, MARK, text)
        report.paste("README.md", MARK, sentence(measured, chosen.images))


if __name__ == "__main__":
    main()
