"""cheq info: what is here."""

import importlib.metadata
import json
import platform
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

import cheq
from cheq.bench.peers import OPENCV
from cheq.cli.report import say

# What the extras and the comparisons use, by the names under which it is distributed.
_LIBRARIES = (
    *("pillow", "scikit-image", "matplotlib", "tifffile", "imagecodecs", "typer", "rich"),
    *("torch", "torchvision", "kornia", "albumentations", "threadpoolctl"),
)


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Show the version, the CPU, the kernels, OpenMP, the threads, and which optional libraries are here.

    For example: cheq info --json

    Libraries are not imported to find their versions. The exit status is 0.
    """
    found = {**cheq.show_config(mode="dicts"), **_surroundings()}
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    cheq.show_config()
    console = Console()
    say(console, f"{found['python']} ({found['platform']})", "Python   ", colon=" ")
    say(console, found["numpy"], "NumPy    ", colon=" ")
    for name, version in found["libraries"].items():
        say(console, f"{name} {version or 'is not installed'}", "         ", colon=" ")


def _surroundings() -> dict[str, Any]:
    cv2 = [name for name in OPENCV if _version(name)] or OPENCV[:1]
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": importlib.metadata.version("numpy"),
        "libraries": {name: _version(name) for name in (*cv2, *_LIBRARIES)},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
