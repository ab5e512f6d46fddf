"""Files to pixels and back: pictures, NumPy arrays; and files that are written wholly or not at all. No equalizing."""

from typing import Any

import numpy as np

__all__ = ["Pixels"]

Pixels = np.ndarray[Any, np.dtype[Any]]
