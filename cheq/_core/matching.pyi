from typing import Any

import numpy as np
import numpy.typing as npt

MOST_PIXELS: int

def learn_levels(
    shares: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    lowest: float,
    knots: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
) -> None: ...
def learn_floats(call: Any, knots: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> None: ...
def match_floats(call: Any, targets: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]) -> None: ...
