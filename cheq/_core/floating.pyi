from typing import Any

import numpy as np
import numpy.typing as npt

NAN_FOUND: int
INFINITY_FOUND: int
NO_BINS: int

def equalize(
    call: Any,
    cdf: npt.NDArray[np.float64] | None,
    points: npt.NDArray[np.float64] | None,
    maker: int,
    n: int,
    omit: bool,
) -> tuple[int, int] | None: ...
def find_outside(call: Any, lowest: float, highest: float) -> tuple[int, float] | None: ...
