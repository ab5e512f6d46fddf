"""From how many pixels on do two threads pay? Sets CHEQ_SMALL_WORK in cheq/_core/work.pxd.

    python benchmarks/small_work.py

A line a size: one thread's time, and how many times faster two are, for planes of 96 x 96 and for one plane.
"""

import numpy as np

import cheq
from cheq.bench.timing import Contestant, compete


def speedup(images: np.ndarray) -> tuple[float, float]:
    """Return one thread's seconds and the speedup of two; medians, which are what users of small calls see."""
    out = np.empty_like(images)
    contestants = [Contestant(f"{n}", lambda n=n: cheq.equalize(images, out=out, num_threads=n)) for n in (1, 2)]
    compete(contestants, seconds=2)
    one, two = (contestant.median for contestant in contestants)
    return one, one / two


def main() -> None:
    rng = np.random.default_rng(0)
    print(f"kernels {cheq.show_config('dicts')['kernels']['chosen']}")
    print(f"{'pixels':>9}  {'96 x 96 planes':>22}  {'one plane':>22}")
    for planes in (2, 4, 8, 12, 16, 24, 32, 64, 128, 256):
        pixels = planes * 96 * 96
        batch = rng.integers(0, 256, (planes, 96, 96), np.uint8)
        cells = [speedup(images) for images in (batch, batch.reshape(1, planes * 96, 96))]
        print(f"{pixels:>9}" + "".join(f"  {one * 1e6:>9.1f} us, x {gain:.2f}" for one, gain in cells))


if __name__ == "__main__":
    main()
