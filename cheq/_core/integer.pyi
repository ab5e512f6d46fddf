from typing import Any

import numpy as np
import numpy.typing as npt

MAY_OVERLAP: int
APART: int
FRESH: int
MAKERS: dict[str, int]

def run(
    images: npt.NDArray[Any] | None,
    mask: npt.NDArray[Any] | None,
    out: npt.NDArray[Any] | None,
    hist: npt.NDArray[np.int64] | None,
    luts: npt.NDArray[Any] | None,
    n_batch: int,
    threads: int,
    apart: int,
    maker: int = ...,
    signed: bool = ...,
    levels: bool = ...,
) -> bool: ...
def equalization_lut(
    hist: npt.NDArray[np.int64], luts: npt.NDArray[Any], maker: int = ..., signed: bool = ...
) -> None: ...
def otsu_thresholds(hist: npt.NDArray[np.int64], thresholds: npt.NDArray[np.int64]) -> None: ...
