"""Draw how the cost of a pixel grows: with the number of planes, with their size, and with levels or bins; one thread.

python benchmarks/growth.py docs/growth.png
"""

import argparse
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # so that no window is opened

import cv2
import matplotlib.pyplot as plt
import numpy as np
import report
from depths import equalized
from skimage.exposure import equalize_hist

import cheq
from cheq.bench.timing import Contestant, busy_elsewhere, compete

Array = np.ndarray[Any, Any]
PIXELS = 2**20
PEER_PIXELS = 2**17  # peers that are slow do a share
NUMBERS = (1, 4, 16, 64, 256, 1024)
EDGES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
BITS = range(8, 17)


@dataclass
class Kind:
    """One color in the picture: pixels of a dtype, equalized by cheq and by a peer."""

    name: str
    color: str
    made: Callable[..., Array]  # of a shape, and of the number of levels or bins as a power of two
    ours: Callable[..., Any]
    peer_name: str
    peer: Callable[..., Array]


def of_levels(dtype: str, shape: tuple[int, ...], bits: int = 12) -> Array:
    return np.random.default_rng(0).integers(0, 2 ** min(bits, 8 * np.dtype(dtype).itemsize), shape, dtype)


def of_floats(shape: tuple[int, ...], bits: int = 8) -> Array:
    return np.random.default_rng(bits).random(shape)


def equalize_floats(images: Array, bits: int = 8, **options: Any) -> Array:
    return cheq.equalize(images, method="skimage", nbins=2**bits, **options)


def equalize_words(images: Array, bits: int = 12, **options: Any) -> Array:
    return cheq.equalize(images, **options)


def numpy_words(image: Array, bits: int = 12) -> Array:
    return equalized(image)


def skimage_floats(image: Array, bits: int = 8) -> Array:
    return equalize_hist(image, nbins=2**bits)


BYTES = Kind(
    "uint8",
    "#0072B2",
    partial(of_levels, "uint8"),
    equalize_words,
    "cv2",
    lambda image, bits=8: cv2.equalizeHist(image),
)
WORDS = Kind("uint16", "#009E73", partial(of_levels, "uint16"), equalize_words, "NumPy", numpy_words)
FLOATS = Kind("float64, 'skimage'", "#D55E00", of_floats, equalize_floats, "scikit-image", skimage_floats)


def measured(kind: Kind, shape: tuple[int, ...], seconds: float, **bits: int) -> tuple[float, float]:
    """Return nanoseconds a pixel, cheq's and the peer's, of planes of this shape; outputs are compared."""
    images = kind.made(shape, **bits)
    some = min(len(images), max(1, PEER_PIXELS // images[0].size))
    ours = Contestant("cheq", partial(kind.ours, images, out=np.empty_like(images), num_threads=1, **bits))
    ours.arrange = lambda found: found[:some]
    peer = Contestant(
        kind.peer_name,
        lambda: np.stack([kind.peer(image, **bits) for image in images[:some]]),
        parts=len(images) / some,
    )
    compete([peer, ours], seconds=seconds, rounds=2)
    return ours.best / images.size * 1e9, peer.best / images.size * 1e9


Panel = tuple[str, list[tuple[Kind, list[tuple[float, tuple[float, float]]]]]]


def panels(seconds: float) -> Iterator[Panel]:
    """Yield a title and, for each kind, what it costs at each place of the axis."""
    measure = partial(measured, seconds=seconds)
    kinds = (BYTES, WORDS, FLOATS)
    yield (
        "number of planes of 96 x 96",
        [(kind, [(n, measure(kind, (n, 96, 96))) for n in NUMBERS]) for kind in kinds],
    )
    yield (
        "height and width of a plane; 1 Mi pixels or one plane",
        [(kind, [(e, measure(kind, (max(1, PIXELS // e**2), e, e))) for e in EDGES]) for kind in kinds],
    )
    yield (
        "levels of uint16, bins of float64; 96 x 96",
        [(kind, [(2**bits, measure(kind, (64, 96, 96), bits=bits)) for bits in BITS]) for kind in kinds[1:]],
    )


def draw(found: list[Panel], about: str, path: str) -> None:
    figure, all_axes = plt.subplots(1, 3, figsize=(15, 6), sharey=True, layout="constrained")
    for axes, (title, lines) in zip(all_axes, found, strict=True):
        for kind, points in lines:
            places, costs = zip(*points, strict=True)
            ours, theirs = zip(*costs, strict=True)
            axes.plot(places, ours, color=kind.color, marker="o", markersize=4, label=f"cheq, {kind.name}")
            axes.plot(places, theirs, "--s", color=kind.color, markersize=4, linewidth=1.2, label=kind.peer_name)
        axes.set(xscale="log", yscale="log", xlabel=title)
        axes.set_xscale("log", base=2)
        axes.set_xticks(places, [f"{place:,}" for place in places], rotation=45)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(visible=True, alpha=0.5)
    all_axes[0].set_ylabel("nanoseconds a pixel, one thread (lower is faster)")
    all_axes[0].legend(ncols=1, fontsize=9)
    figure.suptitle(f"What a pixel costs, uniform data\n{about}", fontsize=10)
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="where the picture is written")
    parser.add_argument("--seconds", type=float, default=0.6, help="for each point (default: %(default)s)")
    chosen = parser.parse_args()
    about, busy = report.machine(), busy_elsewhere()
    cv2.setNumThreads(1)
    found = list(panels(chosen.seconds))
    about["busy_elsewhere"] = busy()
    draw(found, textwrap.fill(report.head(about).replace("*", ""), 150), chosen.path)


if __name__ == "__main__":
    main()
