"""What tests are made of, from cheq's own tables: a new method, dtype or kernel is met by every test that asks here.

``test_golden.py`` holds these lists against those of the naive versions in ``reference.py``.
"""

from cheq import _color, _methods
from cheq._core import dispatch

INTEGERS = _methods.INTEGERS
FLOATS = ("float32", "float64")
DTYPES = {name: method.dtypes for name, method in _methods.METHODS.items()}
METHODS = tuple(DTYPES)
CASES = [(method, dtype) for method, dtypes in DTYPES.items() for dtype in dtypes]
INTEGER_CASES = [(method, dtype) for method, dtype in CASES if dtype in INTEGERS]
NOT_BOOL = [(method, dtype) for method, dtype in CASES if dtype != "bool"]
FLOAT_CASES = [(method, dtype) for method, dtype in CASES if dtype in FLOATS]
SPACES = _color.SPACES  # whose lightness is equalized
KERNELS = [name for name, runs in dispatch.kernels().items() if runs]  # that this CPU has the instructions of


def methods_of(dtype):
    """The methods that take a dtype."""
    return [method for method, dtypes in DTYPES.items() if dtype in dtypes]
