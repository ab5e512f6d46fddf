"""Frames of GIF and WebP by Pillow, which composes them: each is read and written whole."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

from cheq.pictures.picture import BACKGROUND, About, Frame, Picture, of

FIRST = {"MPO": "MPO pictures", "AVIF": "AVIF frames"}  # of which the first is taken; others are plain frames
ALL = {"GIF", "WEBP"}

_LONGEST = {"GIF": 655, "WEBP": 16777}  # seconds, in 16 and 24 bits

_THOUSANDTHS, _HUNDREDTHS = 1000, 100


def warn_of_others(count: int, name: str) -> None:
    """Say that there are more than the one that is taken."""
    if count > 1:
        warnings.warn(f"only the first of the file's {count} {name} is taken", UserWarning, stacklevel=2)


def frames(image: Image.Image, about: About) -> Iterator[Picture]:
    """Yield what each frame shows, all with alpha if one has it, and all in color if one is."""
    opened: Any = image
    modes = {_mode(image, number) for number in range(opened.n_frames)}
    gray = modes <= {"L", "LA"}
    alpha = bool(modes & {"LA", "RGBA"})
    mode = ("LA" if alpha else "L") if gray else ("RGBA" if alpha else "RGB")
    plays = _plays(image)
    for number in range(opened.n_frames):
        image.seek(number)
        image.load()
        duration = Fraction(round(image.info.get("duration", 0) or 0), _THOUSANDTHS)
        frame = Frame(duration, getattr(image, "disposal_method", 0), plays)
        yield of(np.array(image.convert(mode)), replace(about, frame=frame))


def _mode(image: Image.Image, number: int) -> str:
    """Return what a frame needs: alpha only where a pixel is seen through, for writers store changes alone by it."""
    image.seek(number)
    image.load()
    seen_through = image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255
    gray = image.mode in {"1", "L", "LA"}
    return ("LA" if gray else "RGBA") if seen_through else ("L" if gray else "RGB")


def _plays(image: Image.Image) -> int:
    """Return how often an animation is shown, 0 for without end: a GIF says how often again."""
    if image.format != "GIF":
        return int(image.info.get("loop", 0))
    again = image.info.get("loop")
    return 1 if again is None else again and again + 1


def options(form: str, first: Picture, others: list[Image.Image], shown: list[Frame]) -> dict[str, Any]:
    """Return how Pillow is to write frames.

    A frame that is seen through is taken away before the next: else what it showed would be seen behind that.
    """
    found: dict[str, Any] = {"save_all": True, "append_images": others}
    plays = min(shown[0].plays, 65535)
    longest = max(each.duration for each in shown)
    if longest > _LONGEST[form]:
        held = f"it holds {_LONGEST[form]}; .tif holds them all, without timing"
        raise ValueError(f"a .{form.lower()} file cannot hold a frame that is shown for {float(longest):g} s ({held})")
    if form == "WEBP":
        return {**found, "duration": [round(each.duration * _THOUSANDTHS) for each in shown], "loop": plays}
    found["duration"] = [round(each.duration * _HUNDREDTHS) * 10 for each in shown]
    found["disposal"] = BACKGROUND if first.alpha else [min(each.disposal, 1) for each in shown]
    found["optimize"] = False
    return found if plays == 1 else {**found, "loop": plays and plays - 1}
