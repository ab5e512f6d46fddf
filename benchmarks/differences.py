"""How the libraries' answers to one question differ, on real pictures: the table of docs/methods.md.

    python benchmarks/differences.py [--paste]

Every answer is made 8 bits where it is not: scikit-image's CDF times 255, the recipe's 0..255, both rounded.
"""

import argparse
from collections.abc import Callable
from itertools import combinations
from typing import Any

import cv2
import numpy as np
import report
from methods import pillow
from skimage.exposure import equalize_hist

from cheq.bench.peers import recipe
from cheq.bench.samples import real_batch

Array = np.ndarray[Any, Any]

ANSWERS: dict[str, Callable[[Array], Array]] = {
    "cv2": cv2.equalizeHist,
    "Pillow": pillow,
    "scikit-image": lambda image: np.rint(255 * equalize_hist(image)).astype(np.uint8),
    "NumPy recipe": lambda image: np.rint(recipe(image)[0]).astype(np.uint8),
}


def table(images: Array) -> str:
    """Return, for each pair, the share of pixels that differ, the mean difference and the largest."""
    answers = {name: np.stack([answer(image) for image in images]).astype(int) for name, answer in ANSWERS.items()}
    lines = ["| | and | pixels that differ | mean difference | largest |", "| --- | --- | --- | --- | --- |"]
    for one, other in combinations(answers, 2):
        apart = np.abs(answers[one] - answers[other])
        lines.append(f"| {one} | {other} | {np.mean(apart > 0):.1%} | {apart.mean():.2f} levels | {apart.max()} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paste", action="store_true", help="paste the table into docs/methods.md")
    found = table(real_batch(300, 96)[:, 0])
    print(found)
    if parser.parse_args().paste:
        report.paste("docs/methods.md", "differences", found)


if __name__ == "__main__":
    main()
