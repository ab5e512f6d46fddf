"""Reading users' files: what the libraries warn of, for the user to see, and the most pixels that they decode."""

import logging
import threading
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

MOST_PIXELS = 178_956_970  # Pillow's own limit, beyond which a file is taken for an attack


@contextmanager
def collected_warnings() -> Iterator[dict[int, list[str]]]:
    """Collect what is meant for users by the thread that said it: Python's own recording knows one thread only."""
    collected: dict[int, list[str]] = defaultdict(list)

    def show(message: Warning | str, *where: Any, **more: Any) -> None:
        collected[threading.get_ident()].append(str(message))

    handler = _IntoList(collected)
    loggers = [logging.getLogger(name) for name in ("tifffile", "imagecodecs")]  # which log what others warn of
    for logger in loggers:
        logger.addHandler(handler)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is meant for programmers
        warnings.simplefilter("always", UserWarning)
        # Pillow only warns of pictures over its limit, and raises at twice that.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.showwarning = show
        try:
            yield collected
        finally:
            for logger in loggers:
                logger.removeHandler(handler)


class _IntoList(logging.Handler):
    """Collects what is logged by the thread that said it."""

    def __init__(self, collected: dict[int, list[str]]) -> None:
        super().__init__(logging.WARNING)
        self._collected = collected

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "Interlace handling" not in message:  # logged for every interlaced PNG, which is still read correctly
            self._collected[threading.get_ident()].append(message)


@contextmanager
def pixel_limit(limit: int) -> Iterator[None]:
    """Let all libraries refuse pictures of more pixels."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = limit
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
