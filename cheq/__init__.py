"""Exact, fast histogram equalization of whole batches of images.

``cheq.equalize(images)`` gives, byte for byte, what ``cv2.equalizeHist`` gives for each image; with ``method`` it gives
what Pillow, scikit-image or the NumPy recipe give. ``cheq.clahe`` equalizes tile by tile, and ``cheq.match_histograms``
gives images the histogram of a reference.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

try:
    import numpy  # isort: skip  (before the compiled part: where NumPy refuses an interpreter, cheq must not load)
    from cheq import _threads  # isort: skip  (first of cheq: it looks for a fork before the compiled part loads OpenMP)
except ImportError as error:
    if error.name == "cheq._core":
        raise ImportError(
            "cheq's compiled part is missing: this is its source tree, not an installed package. If cheq is installed, "
            "start Python in another folder; if not, 'pip install .' builds and installs it (a C compiler is needed)."
        ) from None
    # The messages of CPython (since 3.12), Cython and NumPy. Other errors of theirs mention interpreters too.
    refusals = "support loading in subinterpreters", "one interpreter per process", "more than once per process"
    if not any(refusal in str(error) for refusal in refusals):
        raise
    raise ImportError(
        "cheq and NumPy load once a process, into one interpreter, which should be the main one; "
        "use threads or processes instead of subinterpreters"
    ) from error
from cheq._clahe import clahe
from cheq._color import rgb_to_gray
from cheq._config import choose_kernel, show_config
from cheq._distribution import cumulative_distribution
from cheq._equalize import equalize
from cheq._match import match_histograms, matching_lut
from cheq._steps import apply_lut, equalization_lut, histogram
from cheq._threshold import binarize, otsu_threshold
from cheq._version import __version__

__all__ = [
    "__version__",
    "apply_lut",
    "binarize",
    "clahe",
    "cumulative_distribution",
    "equalization_lut",
    "equalize",
    "histogram",
    "match_histograms",
    "matching_lut",
    "otsu_threshold",
    "plot",
    "recipes",
    "rgb_to_gray",
    "show_config",
]

choose_kernel()

del choose_kernel, numpy, _threads

if TYPE_CHECKING:
    from cheq import recipes
    from cheq._plot import plot
else:

    def __getattr__(name):
        """Load what few programs need when it is first asked for."""
        if name in ("recipes", "dask", "torch", "torchvision", "xarray", "albumentations"):
            return _import_module(f"cheq.{name}")
        if name == "plot":
            return _import_module("cheq._plot").plot
        raise AttributeError(f"module 'cheq' has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})


del TYPE_CHECKING
