from typing import Any

import numpy as np
import numpy.typing as npt

def to_gray(
    images: npt.NDArray[Any],
    out: npt.NDArray[Any],
    pillow: bool,
    swapped: bool,
    threads: int,
    apart: bool,
) -> bool: ...
def equalize_ycrcb(
    images: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.bool_] | None,
    out: npt.NDArray[np.uint8],
    maker: int,
    n_batch: int,
    threads: int,
    apart: int,
) -> bool: ...
