from typing import Any

import numpy as np
import numpy.typing as npt

def equalize(call: Any, clip_limits: npt.NDArray[np.float64], grid: tuple[int, int], tile: tuple[int, int]) -> None: ...
