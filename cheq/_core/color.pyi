from typing import Any

import numpy as np
import numpy.typing as npt

GRAY_METHODS: tuple[str, ...]
LUMA_METHODS: tuple[str, ...]

def to_gray(
    images: npt.NDArray[Any],
    out: npt.NDArray[Any],
    method: str,
    kernel: str,
    swapped: bool,
    threads: int,
    apart: bool,
) -> bool: ...
def equalize_ycrcb(
    images: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.bool_] | None,
    out: npt.NDArray[np.uint8],
    method: str,
    kernel: str,
    n_batch: int,
    threads: int,
    apart: bool,
) -> bool: ...
