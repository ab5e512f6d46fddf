"""Random cases of matching, the same ones every time: for the naive version against scikit-image, and for cheq."""

import numpy as np

from cheq.parity.pixels import FLOAT_KINDS, KINDS, plane


def pairs_of_planes(number, dtype, seed=0):
    """Yield so many images and references, each of any size and kind."""
    random, kinds = np.random.default_rng([seed, np.dtype(dtype).num]), KINDS
    if np.dtype(dtype).kind == "f":
        kinds += tuple(kind for kind in FLOAT_KINDS if kind != "zeros of both signs")  # of which any comes out
    for i in range(number):
        shapes = np.maximum(1, (random.random((2, 2)) ** 2 * 90).astype(int)).tolist()
        yield tuple(plane(str(random.choice(kinds)), dtype, tuple(shape), 2 * i + place)
                    for place, shape in enumerate(shapes))  # fmt: skip
