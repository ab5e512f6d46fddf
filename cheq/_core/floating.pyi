from typing import Any

import numpy as np
import numpy.typing as npt

NAN_FOUND: int
INFINITY_FOUND: int
NO_BINS: int

def run(
    images: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_] | None,
    out: npt.NDArray[Any] | None,
    cdf: npt.NDArray[np.float64] | None,
    points: npt.NDArray[np.float64] | None,
    n_batch: int,
    threads: int,
    maker: int,
    n: int,
    omit: bool,
    fresh: bool,
) -> tuple[int, int] | None: ...
