"""How long do albumentations' transforms take, and those of cheq.albumentations in their place?

    python benchmarks/transforms.py                  # half a minute; --paste: into docs/albumentations.md
    python benchmarks/transforms.py --seconds 0.1    # does it run

One picture of 224 x 224 a call, in this process, by each in turn; results are compared first, byte for byte.
"""

import argparse
import os
from functools import partial
from typing import Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it asks the network for its newest version

import albumentations
import cv2
import numpy as np
import report
import skimage.data

from cheq import albumentations as ours
from cheq.bench.timing import Contestant, compete

PAGE, MARK = "docs/albumentations.md", "transforms"
PHOTO = skimage.data.astronaut()[:224, :224].copy()
GRAY = np.ascontiguousarray(PHOTO[..., 1])
REFERENCE = skimage.data.coffee()[:224, :224].copy()  # of the images' size: theirs would be resized
UNIT = np.float32(1 / 255) * PHOTO
TILES = {"clip_limit": (2, 2), "tile_grid_size": (8, 8), "p": 1}
MATCH = {"blend_ratio": (1, 1), "p": 1}

# What is done, to what, by theirs and by ours.
ROWS = {
    "Equalize, RGB": (PHOTO, albumentations.Equalize(p=1), ours.Equalize(p=1)),
    "Equalize, gray": (GRAY, albumentations.Equalize(p=1), ours.Equalize(p=1)),
    "Equalize, RGB of float32": (UNIT, albumentations.Equalize(p=1), ours.Equalize(p=1)),
    "Equalize, by_channels=False": (
        PHOTO,
        albumentations.Equalize(by_channels=False, p=1),
        ours.Equalize(by_channels=False, p=1),
    ),
    "CLAHE, RGB": (PHOTO, albumentations.CLAHE(**TILES), ours.CLAHE(**TILES)),
    "CLAHE, gray": (GRAY, albumentations.CLAHE(**TILES), ours.CLAHE(**TILES)),
}


def matching() -> tuple[albumentations.BasicTransform, albumentations.BasicTransform]:
    """Return theirs, whose arguments differ between its releases, and ours."""
    if int(albumentations.__version__.split(".")[0]) < 2:
        theirs = albumentations.HistogramMatching([REFERENCE], read_fn=lambda array: array, **MATCH)
    else:
        theirs = albumentations.HistogramMatching(metadata_key="hm_metadata", **MATCH)
    return theirs, ours.HistogramMatching([REFERENCE], **MATCH)


def changed(transform: albumentations.BasicTransform, **data: Any) -> np.ndarray:
    return transform(**data)["image"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    parser.add_argument("--paste", action="store_true", help=f"paste the table into {PAGE}")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)  # as ours, for pictures so small
    lines = ["| one call, us | theirs, best | median | ours, best | median |", "| --- | --- | --- | --- | --- |"]
    rows = {**ROWS, "HistogramMatching, RGB": (PHOTO, *matching())}
    for name, (image, theirs, own) in rows.items():
        options = {"hm_metadata": [REFERENCE]} if "Matching" in name else {}
        contestants = [
            Contestant(f"{name}, {who}", partial(changed, transform, image=image, **extra))
            for who, transform, extra in (("theirs", theirs, options), ("ours", own, {}))
        ]
        compete(contestants, seconds=chosen.seconds)
        cells = [f"{1e6 * pick:.0f}" for each in contestants for pick in (each.best, each.median)]
        lines.append(f"| {' | '.join([name, *cells])} |")
    about = report.machine()
    about["versions"] |= {"albumentations": albumentations.__version__}
    text = "\n".join([*lines, "", report.head(about)])
    print(text)
    if chosen.paste:
        report.paste(PAGE, MARK, text)


if __name__ == "__main__":
    main()
