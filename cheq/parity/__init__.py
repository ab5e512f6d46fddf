"""Proof on your own machine: cheq compared, bit for bit, with the libraries that are installed beside it.

``python -m cheq.parity`` and ``cheq parity`` are the same from a shell (``pip install 'cheq[cli]'``); `check` needs
NumPy and what it compares with.
"""

from cheq.parity.checking import check
from cheq.parity.mismatch import Rerun, rerun
from cheq.parity.result import Mismatch, Result, Row

__all__ = ["Mismatch", "Rerun", "Result", "Row", "check", "rerun"]
