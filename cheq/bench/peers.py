"""The libraries that cheq is timed beside, each used at its best, with the method that gives its answer."""

import importlib
import importlib.metadata
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cheq.pictures import Pixels


class Work(NamedTuple):
    """What is timed; how its result becomes an array of images' shape; how its threads are set, and how many it had."""

    run: Callable[[], Any]
    as_array: Callable[[Any], Pixels]
    set_threads: Callable[[int], None] = lambda count: None
    threads: int = 1


@dataclass(frozen=True)
class Peer:
    """A library: how it is called, the names it is distributed under, whose method its answer is.

    ``function`` is cheq's that gives it, with the ``options``. ``prepare`` imports the library and brings uint8 images
    of shape (count, height, width) into the form that its users have.
    """

    name: str
    packages: tuple[str, ...]
    method: str
    prepare: Callable[[Pixels], Work]
    function: str = "equalize"
    options: dict[str, Any] = field(default_factory=dict)

    def version(self) -> str:
        """The installed version; PackageNotFoundError where there is none."""
        for package in self.packages[:-1]:
            try:
                return importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                pass
        return importlib.metadata.version(self.packages[-1])

    def absent(self) -> str | None:
        """Why it cannot be used here, or None."""
        try:
            self.version()
            self.prepare(np.zeros((1, 8, 8), np.uint8))
        except importlib.metadata.PackageNotFoundError:
            return "not installed"
        except Exception as error:  # a damaged installation raises nearly anything
            return f"does not load ({' '.join(str(error).split())})"
        return None


def _cv2(images: Pixels) -> Work:
    cv2: Any = importlib.import_module("cv2")
    out = np.empty_like(images)

    def run() -> Pixels:
        for image, target in zip(images, out, strict=True):
            cv2.equalizeHist(image, target)
        return out

    return Work(run, np.asarray, cv2.setNumThreads, cv2.getNumThreads())


def _cv2_clahe(images: Pixels) -> Work:
    cv2: Any = importlib.import_module("cv2")
    apply, out = cv2.createCLAHE(_CLIPPED["clip_limit"], _CLIPPED["tile_grid_size"]).apply, np.empty_like(images)

    def run() -> Pixels:
        for image, target in zip(images, out, strict=True):
            apply(image, target)
        return out

    return Work(run, np.asarray, cv2.setNumThreads, cv2.getNumThreads())


def _pillow(images: Pixels) -> Work:
    image_module, ops = (importlib.import_module(f"PIL.{name}") for name in ("Image", "ImageOps"))
    pictures = [image_module.fromarray(image) for image in images]
    return Work(lambda: [ops.equalize(picture) for picture in pictures], np.stack)


def _skimage(images: Pixels) -> Work:
    exposure: Any = importlib.import_module("skimage.exposure")
    return Work(lambda: [exposure.equalize_hist(image) for image in images], np.stack)


def _skimage_clahe(images: Pixels) -> Work:
    exposure: Any = importlib.import_module("skimage.exposure")
    return Work(lambda: [exposure.equalize_adapthist(image) for image in images], np.stack)


def _skimage_match(images: Pixels) -> Work:
    exposure: Any = importlib.import_module("skimage.exposure")
    return Work(lambda: [exposure.match_histograms(image, REFERENCE) for image in images], np.stack)


def recipe(image: Pixels, nbins: int = 256, counted: Pixels | None = None, top: int = 255) -> tuple[Pixels, Pixels]:
    """Equalize by the well-known NumPy recipe; return that and the CDF scaled to `top`. `counted` is a mask."""
    density, edges = np.histogram(image if counted is None else image[counted], nbins, density=True)
    cdf = density.cumsum()
    cdf = top * cdf / cdf[-1]
    return np.asarray(np.interp(image, edges[:-1], cdf)), cdf


def _numpy(images: Pixels) -> Work:
    return Work(lambda: [recipe(image)[0] for image in images], np.stack)


def _torchvision(images: Pixels) -> Work:
    torch: Any = importlib.import_module("torch")
    equalize = importlib.import_module("torchvision.transforms.v2.functional").equalize
    call = partial(equalize, torch.from_numpy(images[:, np.newaxis]))
    return Work(call, _without_channel, torch.set_num_threads, torch.get_num_threads())


def _kornia(images: Pixels) -> Work:
    torch: Any = importlib.import_module("torch")
    equalize = importlib.import_module("kornia.enhance").equalize
    floats = torch.from_numpy(images[:, np.newaxis].astype(np.float32) / np.float32(255))
    return Work(
        partial(equalize, floats),
        lambda result: np.rint(_without_channel(result) * 255).astype(np.uint8),
        torch.set_num_threads,
        torch.get_num_threads(),
    )


def _without_channel(tensor: Any) -> Pixels:
    return np.asarray(tensor.numpy()[:, 0])


def _albumentations(images: Pixels) -> Work:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for its newest version
    transform = importlib.import_module("albumentations").Equalize(p=1)
    return Work(lambda: [transform(image=image)["image"] for image in images], np.stack)


# What all are matched to: a picture most of which is dark.
REFERENCE = np.asarray(np.linspace(0, 255**0.5, 128 * 128) ** 2, np.uint8).reshape(128, 128)

# What most users of cv2's CLAHE choose.
_CLIPPED: dict[str, Any] = {"clip_limit": 2.0, "tile_grid_size": (8, 8)}

# All are cv2.
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")

PEERS = (
    Peer("cv2", OPENCV, "opencv", _cv2),
    Peer("Pillow", ("pillow",), "pillow", _pillow),
    Peer("scikit-image", ("scikit-image",), "skimage", _skimage),
    Peer("NumPy recipe", ("numpy",), "numpy", _numpy),
    Peer("albumentations", ("albumentations",), "opencv", _albumentations),
    Peer("torchvision", ("torchvision",), "pillow", _torchvision),
    Peer("kornia", ("kornia",), "pillow", _kornia),
    Peer("cv2", OPENCV, "opencv", _cv2_clahe, "clahe", _CLIPPED),
    Peer("scikit-image", ("scikit-image",), "skimage", _skimage_clahe, "clahe"),
    Peer("scikit-image", ("scikit-image",), "skimage", _skimage_match, "match_histograms", {"reference": REFERENCE}),
)
