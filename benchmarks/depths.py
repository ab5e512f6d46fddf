"""16 bits a pixel and floats: each method beside NumPy or scikit-image, and what makes a histogram hard."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from cases import KERNELS, Case, cheq_runs
from methods import beside as beside_by
from methods import counted_and_looked_up
from pictures import mosaic
from skimage.exposure import equalize_hist

import cheq
from cheq.bench.peers import recipe
from cheq.bench.timing import Contestant

Array = np.ndarray[Any, Any]
MOST = 65535
SKIMAGE = {"scikit-image": equalize_hist}
RECIPE = {"the NumPy recipe": lambda image: recipe(image)[0]}


def beside(work: str, images: Array, peers: dict[str, Callable[[Array], Array]], **options: Any) -> Case:
    return beside_by(work, images, peers, *KERNELS[::-1], **options)


def two_uniforms(bits: int, *shape: int) -> Array:
    """Return uint16 pixels of so many bits, most of them of middle levels."""
    random = np.random.default_rng(0)
    return (random.integers(0, 2 ** (bits - 1), shape) + random.integers(0, 2 ** (bits - 1), shape)).astype(np.uint16)


def smooth(count: int, edge: int) -> Array:
    """Return uint16 planes of all 16 bits: photographs' levels, and what lies between."""
    pixels = mosaic().reshape(-1)[: count * edge * edge].reshape(count, edge, edge).astype(np.uint16)
    return pixels * 256 + two_uniforms(8, *pixels.shape)


def equalized(image: Array, counted: Array | None = None) -> Array:
    """Do what ``opencv`` does with 256 levels with 65,536: count, make a LUT, take its entries."""
    hist = np.bincount((image if counted is None else image[counted]).ravel(), minlength=MOST + 1)
    first = hist.nonzero()[0][0]
    running = np.maximum(hist.cumsum() - hist[first], 0).astype(np.float32)
    lut = np.rint(running * (np.float32(MOST) / running[-1])).astype(np.uint16)
    return lut.take(image)


def signed_and_looked_up(image: Array) -> Array:
    return counted_and_looked_up(image.view(np.uint16) ^ np.uint16(2**15))


def counted(image: Array) -> Array:
    return np.bincount(image.ravel(), minlength=MOST + 1)


def filling(result: Array) -> Contestant:
    """Write the result's memory: no method takes less."""
    return Contestant("result.fill(0)", partial(result.fill, 0), same=False)


def with_floor(case: Case, shape: tuple[int, ...]) -> Case:
    case.contestants.append(filling(np.empty(shape)))
    return case


def counting(work: str, images: Array, some: int) -> Case:
    peer = Contestant(
        "np.bincount", lambda: np.stack([counted(image) for image in images[:some]]), parts=len(images) / some
    )
    ours = list(cheq_runs(partial(cheq.histogram, images), *KERNELS[::-1]))
    for contestant in ours:
        contestant.arrange = lambda found: found[:some]
    return Case(work, images.size, [peer, *ours])


def applying(work: str, images: Array) -> Case:
    lut = np.random.default_rng(0).permutation(MOST + 1).astype(np.uint16)
    ours, theirs = np.empty_like(images), np.empty_like(images)
    contestants = [
        Contestant("np.take", partial(np.take, lut, images, out=theirs, mode="clip")),
        *cheq_runs(partial(cheq.apply_lut, images, lut, out=ours), *KERNELS[::-1]),
    ]
    return Case(work, images.size, contestants)


def words() -> Iterator[Case]:
    """Yield jobs of uint16 and int16: by bits, by the planes' sizes, by layout, and each step."""
    numpy = {"NumPy: count, LUT, take": equalized}
    planes = {"NumPy: count, LUT, take": lambda image: np.stack([equalized(plane) for plane in image])}
    large, small = {bits: two_uniforms(bits, 20, 512, 512) for bits in (10, 12, 16)}, two_uniforms(16, 900, 96, 96)
    for bits, images in large.items():
        yield beside(f"opencv, {bits} bits (20, 512, 512)", images, numpy, some=2, out=np.uint16)
    for bits in (12, 16):
        images = two_uniforms(bits, 900, 96, 96)
        yield beside(f"opencv, {bits} bits (900, 96, 96)", images, numpy, some=10, out=np.uint16)
    yield beside("opencv, photographs of 16 bits (900, 96, 96)", smooth(900, 96), numpy, some=10, out=np.uint16)
    mask = np.hypot(*np.ogrid[-1:1:512j, -1:1:512j]) < 1
    masked = {"NumPy: count, LUT, take": partial(equalized, counted=mask)}
    yield beside("opencv, 12 bits (20, 512, 512), under a mask", large[12], masked, some=2, out=np.uint16, mask=mask)
    strided = np.repeat(large[12], 2, -1)[..., ::2]
    yield beside("opencv, 12 bits (20, 512, 512), every second column", strided, numpy, some=2, out=np.uint16)
    constant = np.where(np.arange(512)[:, None] < 400, np.uint16(0), large[12])
    yield beside("opencv, 12 bits (20, 512, 512), most of it black", constant, numpy, some=2, out=np.uint16)
    fast = {**SKIMAGE, "np.bincount and a LUT": counted_and_looked_up}
    for bits, images in large.items():
        job = f"skimage, {bits} bits (20, 512, 512)"
        yield with_floor(beside(job, images, fast, some=2, out=np.float64, method="skimage"), images.shape)
    yield with_floor(
        beside("numpy, 12 bits (20, 512, 512)", large[12], RECIPE, some=2, out=np.float64, method="numpy"),
        large[12].shape,
    )
    signed = {**SKIMAGE, "np.bincount and a LUT": signed_and_looked_up}
    ct = large[12].view(np.int16) - np.int16(1024)
    colors = np.moveaxis(two_uniforms(12, 7, 512, 512, 3), -1, 1)
    yield beside("opencv, 12 bits (7, 3, 512, 512), channels last in memory", colors, planes, some=1, out=np.uint16)
    yield beside("skimage, int16 of 12 bits (20, 512, 512)", ct, signed, some=2, out=np.float64, method="skimage")
    yield beside("skimage, 16 bits (900, 96, 96)", small, fast, some=10, out=np.float64, method="skimage")
    for bits, images in large.items():
        yield counting(f"histogram, {bits} bits (20, 512, 512)", images, 2)
    yield counting("histogram, 16 bits (100, 96, 96)", small[:100], 100)
    yield applying("apply_lut, 12 bits (20, 512, 512)", large[12])
    yield applying("apply_lut, 16 bits (20, 512, 512)", large[16])


def hard_floats() -> dict[str, Array]:
    """Return float64 planes, (200, 96, 96), by what their values are."""
    random = np.random.default_rng(0)
    shape = (200, 96, 96)
    uniform = random.random(shape)
    return {
        "uniform": uniform,
        "k / 255": random.integers(0, 256, shape) / 255,
        "normal": random.normal(size=shape),
        "sorted": np.sort(uniform.reshape(200, -1)).reshape(shape),
        "constant in long runs": np.repeat(uniform[..., ::16], 16, -1),
    }


def floats() -> Iterator[Case]:
    """Yield jobs of floats: by their values, sizes and bins, with masks and with NaN."""
    values = hard_floats()
    uniform = values["uniform"]
    for name, images in values.items():
        job = f"float64 {name} (200, 96, 96)"
        yield beside(f"skimage, {job}", images, SKIMAGE, some=20, out=np.float64, method="skimage")
        yield beside(f"numpy, {job}", images, RECIPE, some=20, out=np.float64, method="numpy")
    single = uniform.astype(np.float32)
    yield beside("skimage, float32 uniform (200, 96, 96)", single, SKIMAGE, some=20, out=np.float32, method="skimage")
    yield beside("numpy, float32 uniform (200, 96, 96)", single, RECIPE, some=20, out=np.float64, method="numpy")
    large = np.random.default_rng(0).random((1, 2048, 2048))
    yield beside("skimage, float64 uniform (2048, 2048)", large, SKIMAGE, some=1, out=np.float64, method="skimage")
    yield beside("numpy, float64 uniform (2048, 2048)", large, RECIPE, some=1, out=np.float64, method="numpy")
    for nbins in (10, 100, 1000, MOST + 1):
        peer = {"scikit-image": partial(equalize_hist, nbins=nbins)}
        job = f"skimage, float64 uniform (200, 96, 96), {nbins:,} bins"
        yield beside(job, uniform, peer, some=20, out=np.float64, method="skimage", nbins=nbins)
    mask = np.hypot(*np.ogrid[-1:1:96j, -1:1:96j]) < 1
    masked = {"scikit-image": partial(equalize_hist, mask=mask)}
    job = "skimage, float64 uniform (200, 96, 96), under a mask"
    yield beside(job, uniform, masked, some=20, out=np.float64, method="skimage", mask=mask)
    holes = np.where(uniform < 0.1, np.nan, uniform)
    job, peer = "skimage, float64 uniform (200, 96, 96), a tenth NaN", {"scikit-image, NaN left out": without_nan}
    case = beside(job, holes, peer, some=20, out=np.float64, method="skimage", nan_policy="omit")
    for contestant in case.contestants:
        contestant.arrange = lambda found: np.nan_to_num(found[:20], nan=-1)
    yield case


def without_nan(image: Array) -> Array:
    found = equalize_hist(np.where(np.isnan(image), 0.5, image), mask=~np.isnan(image))
    return np.where(np.isnan(image), np.nan, found)


DEPTHS: dict[str, Callable[[], Iterator[Case]]] = {"words": words, "floats": floats}
