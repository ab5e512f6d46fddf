import numpy as np
import numpy.typing as npt

from cheq._call import Call

NAN_FOUND: int
INFINITY_FOUND: int
NO_BINS: int

def equalize(
    call: Call,
    cdf: npt.NDArray[np.float64] | None,
    points: npt.NDArray[np.float64] | None,
    maker: int,
    n: int,
    omit: bool,
) -> tuple[int, int] | None: ...
