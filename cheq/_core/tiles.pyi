from typing import Any

import numpy as np
import numpy.typing as npt

MOST_AXES: int
MOST_TILE_PIXELS: int

def equalize(call: Any, clip_limits: npt.NDArray[np.float64], grid: tuple[int, int], tile: tuple[int, int]) -> None: ...
def adapt(call: Any, tile: tuple[int, ...], clip_limit: float, nbins: int) -> None: ...
