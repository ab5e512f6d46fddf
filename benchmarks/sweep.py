"""Nanoseconds a pixel against the size of a plane: every kernel, two threads, layouts, and the peers. Draws a picture.

    python benchmarks/sweep.py -o sweep.png          # about a minute

cv2 gives the same bytes (compared first). Pillow and torchvision give Pillow's answer, scikit-image floats from 0
to 1, a copy (np.copyto) is the floor: timed on the same pixels, but their outputs are others. Absent peers are
left out.
"""

import argparse
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from cases import Images, cv2_planes, uniform
from PIL import Image, ImageOps
from skimage.exposure import equalize_hist
from timing import Contestant, compete

import cheq
from cheq._core import integer

PIXELS = 2**22
EDGES = (8, 16, 28, 48, 96, 192, 384, 768, 1536, 2048)


def ours(images: Images, out: Images, kernel: str, threads: int, **options: Any) -> Contestant:
    suffix = "".join(f", {name}" for name in options)
    return Contestant(
        f"cheq {kernel}, {threads} thread{'s' * (threads > 1)}{suffix}",
        lambda: cheq.equalize(images, out=out, num_threads=threads, **options),
        lambda: integer.use_kernel(kernel),
    )


def layouts(images: Images, kernel: str) -> Iterator[Contestant]:
    """Yield the same number of pixels, every second column of a row, alternating channels, and under a mask."""
    wide = np.repeat(images, 2, axis=-1)[..., ::2]
    yield Contestant("cheq, every second column", lambda: cheq.equalize(wide, num_threads=1))
    if len(images) >= 3:
        last = np.ascontiguousarray(
            np.moveaxis(images[: len(images) // 3 * 3].reshape(-1, 3, *images.shape[1:]), 1, -1)
        )
        yield Contestant("cheq, channels last", lambda: cheq.equalize(last, channel_axis=-1, num_threads=1))
    mask = images > 99
    yield Contestant("cheq, under a mask", lambda: cheq.equalize(images, mask=mask, num_threads=1))


def peers(images: Images, out: Images) -> Iterator[Contestant]:
    some = images[: max(1, len(images) // 64)]  # the slow ones do a share of the work
    yield Contestant("copy", lambda: np.copyto(out, images))
    yield Share("Pillow", len(images) / len(some), lambda: [ImageOps.equalize(Image.fromarray(each)) for each in some])
    yield Share("scikit-image", len(images) / len(some), lambda: [equalize_hist(each) for each in some])
    try:
        functional = importlib.import_module("torchvision.transforms.v2.functional")
        tensor = importlib.import_module("torch").from_numpy(some)
    except ImportError:
        return
    yield Share("torchvision", len(images) / len(some), lambda: functional.equalize(tensor))


class Share(Contestant):
    """A contestant that does one part in ``parts`` of the work."""

    def __init__(self, name: str, parts: float, run: Callable[[], Any]) -> None:
        super().__init__(name, run)
        self.parts = parts

    @property
    def best(self) -> float:
        return super().best * self.parts


def measure(edge: int, seconds: float) -> dict[str, float]:
    images = uniform(max(1, PIXELS // edge**2), edge, edge)
    out = np.empty_like(images)
    available = [name for name, runs in integer.kernels().items() if runs]
    same = [Contestant("cv2", lambda: cv2_planes(images, out), lambda: cv2.setNumThreads(1))]
    same += [ours(images, out, kernel, 1) for kernel in available]
    same += [ours(images, out, available[-1], 2)]
    compete(same, seconds=seconds, rounds=3)
    integer.use_kernel(available[-1])
    others = [*layouts(images, available[-1]), *peers(images, out)]
    compete(others, seconds=seconds, rounds=3, compare=False)
    return {each.name: each.best / images.size * 1e9 for each in same + others}


def draw(results: dict[int, dict[str, float]], path: str) -> None:
    mpl.use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots(figsize=(10, 6.5), layout="constrained")
    names = list(dict.fromkeys(name for row in results.values() for name in row))
    for index, name in enumerate(names):
        edges = [edge for edge in results if name in results[edge]]
        cheqs = name.startswith("cheq")
        axes.plot(
            edges,
            [results[edge][name] for edge in edges],
            label=name,
            color=mpl.colormaps["tab20"](index % 20),
            linewidth=2 if cheqs else 1.4,
            linestyle="-" if cheqs else "--",
            marker="o" if cheqs else "s",
            markersize=3.5,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(list(results), [str(edge) for edge in results])
    axes.set_xlabel("height and width of a plane, pixels")
    axes.set_ylabel("nanoseconds a pixel (lower is faster)")
    axes.set_title(f"Equalizing {PIXELS // 2**20} Mi uniform pixels, one thread unless named")
    axes.grid(visible=True, which="major", alpha=0.4)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.savefig(path, dpi=110)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-o", "--output", default="sweep.png", help="the picture (default: %(default)s)")
    options.add_argument("--seconds", type=float, default=2.0, help="a size (default: %(default)s)")
    chosen = options.parse_args()
    results = {}
    for edge in EDGES:
        results[edge] = measure(edge, chosen.seconds)
        print(f"{edge:>5}  " + "  ".join(f"{name} {value:.3f}" for name, value in results[edge].items()), flush=True)
    draw(results, chosen.output)


if __name__ == "__main__":
    main()
