from typing import Any

import numpy as np
import numpy.typing as npt

MAY_OVERLAP: int
APART: int
FRESH: int
MAKERS: dict[str, int]
NBINS: int

def equalize_usual(
    images: object,
    method: object,
    color: object,
    axes: object,
    channel_axis: object,
    mask: object,
    outside: object,
    out: object,
    dtype: object,
    nbins: object,
    nan_policy: object,
    num_threads: object,
) -> npt.NDArray[np.uint8] | None: ...
def equalize(call: Any, maker: int) -> None: ...
def match(call: Any, targets: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]], truncates: bool) -> None: ...
def learn(call: Any, knots: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> None: ...
def count(call: Any, hist: npt.NDArray[np.int64]) -> None: ...
def apply(call: Any, luts: npt.NDArray[Any]) -> None: ...
def equalization_lut(hist: npt.NDArray[np.int64], luts: npt.NDArray[Any], maker: int, signed: bool) -> None: ...
def matching_lut(
    hist: npt.NDArray[np.int64],
    luts: npt.NDArray[Any],
    targets: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]],
    signed: bool,
) -> None: ...
def otsu_thresholds(hist: npt.NDArray[np.int64], thresholds: npt.NDArray[np.int64]) -> None: ...
