"""`cheq equalize` on a folder of 1,000 files, beside a loop over cv2 and ImageMagick's mogrify.

    python benchmarks/files.py

The files are crops of scikit-image's photographs: JPEG and PNG, gray and color, 256 to 768 pixels wide. Each contestant
is a process of its own, from an empty folder of results; their pixels are compared where the codec is lossless.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

LOOP = """
import sys, pathlib, cv2
source, target = map(pathlib.Path, sys.argv[1:])
for path in sorted(source.iterdir()):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image.ndim == 2:
        image = cv2.equalizeHist(image)
    else:
        image = cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)])
    cv2.imwrite(str(target / path.name), image)
"""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "retina")
EDGES = (256, 384, 512, 768)


def make_files(folder: Path, count: int, kinds: tuple[str, ...]) -> None:
    """Write crops of photographs, of each kind in turn."""
    rng = np.random.default_rng(0)
    photographs = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in PHOTOGRAPHS]
    for index in range(count):
        picture, edge = photographs[index % len(photographs)], EDGES[index // len(kinds) % len(EDGES)]
        size = int(rng.integers(min(picture.size) // 2, min(picture.size) + 1))
        left, top = (int(rng.integers(length - size + 1)) for length in picture.size)
        crop = picture.resize((edge, edge * 3 // 4), Image.Resampling.BICUBIC, (left, top, left + size, top + size))
        kind, extension = kinds[index % len(kinds)].split(".")
        crop = crop.convert("L") if kind == "gray" else crop
        crop.save(folder / f"{index:04}.{extension}", **({"quality": 92} if extension == "jpg" else {}))


def contestants(work: Path) -> dict[str, list[str]]:
    source, target = str(work / "in"), str(work / "out")
    found = {
        "cheq equalize": [sys.executable, "-m", "cheq", "equalize", source, "-o", target],
        "cheq equalize, one thread": [sys.executable, "-m", "cheq", "equalize", source, "-o", target, "--threads", "1"],
        "a loop over cv2": [sys.executable, "-c", LOOP, source, target],
    }
    if shutil.which("mogrify"):
        found["mogrify -channel RGB -equalize"] = [
            *("mogrify", "-path", target, "-channel", "RGB", "-equalize"),
            *map(str, sorted((work / "in").iterdir())),
        ]
    return found


def seconds(command: list[str], target: Path) -> float:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def check(work: Path) -> None:
    """Compare the results with cv2's, file by file where the codec is lossless."""
    for path in sorted((work / "in").glob("*.png")):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        planes = [image] if image.ndim == 2 else cv2.split(image)
        expected = cv2.merge([cv2.equalizeHist(plane) for plane in planes])
        if not np.array_equal(cv2.imread(str(work / "out" / path.name), cv2.IMREAD_UNCHANGED), expected):
            raise SystemExit(f"{path.name}: not the same pixels")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print("| files | contestant | files/s, best | files/s, median | MB written |\n| --- | --- | --- | --- | --- |")
    for kinds in (("gray.jpg", "color.jpg"), ("gray.png", "color.png")):
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            (work / "in").mkdir()
            make_files(work / "in", chosen.count, kinds)
            times: dict[str, list[float]] = {}
            written = {}
            for _ in range(chosen.rounds):
                for contestant, command in contestants(work).items():
                    times.setdefault(contestant, []).append(seconds(command, work / "out"))
                    written[contestant] = sum(path.stat().st_size for path in (work / "out").iterdir()) / 1e6
                    if not contestant.startswith("mogrify"):
                        check(work)
            for contestant, taken in times.items():
                best, median = (chosen.count / value for value in (min(taken), statistics.median(taken)))
                print(
                    f"| {' and '.join(kinds)} | {contestant} | {best:.0f} | {median:.0f} | {written[contestant]:.1f} |"
                )


if __name__ == "__main__":
    main()
