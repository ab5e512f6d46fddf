"""Count the results that a fused multiply-add would change: cheq beside NumPy and scikit-image, on float planes.

A compiler for 64-bit ARM may fuse a product and a sum, which rounds once instead of twice; this is run there on a build
with ``-ffp-contract=off``, where nothing may differ, and on one with ``fast``. ``tools/aarch64.sh`` does both.
"""

import argparse
import sys

import numpy as np
from skimage import exposure

import cheq
from cheq.bench.peers import recipe

PLANES = 300


def planes():
    """Yield small float planes of many ranges, float32 and float64 in turn."""
    random = np.random.default_rng(0)
    for i in range(PLANES):
        scale, offset = 10.0 ** random.integers(-3, 4), random.normal()
        yield (random.gamma(2.0, size=(23, 31)) * scale + offset).astype((np.float32, np.float64)[i % 2])


def levels_of(result):
    """Return the result as users store it: 8-bit levels."""
    return (result * (255 / max(result.max(), 1))).astype(np.uint8)


QUESTIONS = {
    "skimage.exposure.equalize_hist": ("skimage", exposure.equalize_hist),
    "np.histogram, cumsum, np.interp": ("numpy", lambda image: recipe(image)[0]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expect-differences", action="store_true", help="the build fuses")
    arguments = parser.parse_args()
    differing = 0
    for name, (method, answer) in QUESTIONS.items():
        pixels = bits = levels = 0
        for image in planes():
            expected, got = np.asarray(answer(image)), cheq.equalize(image, method=method)
            pixels += image.size
            bits += np.count_nonzero(expected != got)
            levels += np.count_nonzero(levels_of(expected) != levels_of(got))
        print(f"{name}: of {pixels} pixels {bits} differ, {levels} of them as 8-bit levels too")
        differing += bits
    if bool(differing) != arguments.expect_differences:
        sys.exit("expected differences, found none" if arguments.expect_differences else "expected no difference")


if __name__ == "__main__":
    main()
