"""Stacks of a TIFF behind a single directory, as ImageJ and tifffile write them; what only claims to be one is none."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cheq.pictures import Pixels

_IMAGEJ = "ImageJ="
_PLANES_OF_METAMORPH = 33629


class Place(NamedTuple):
    """Where pixels are: a page, its number in the file, and which picture behind it, if there are several."""

    page: Any
    number: int
    part: int | None = None


def places(file: Any) -> list[Place]:
    """Return where each picture of a file is."""
    found = []
    for index in range(len(file.pages)):
        page = file.pages[index]
        if _PLANES_OF_METAMORPH in page.tags and (planes := page.tags[_PLANES_OF_METAMORPH].count) > 1:
            raise ValueError(f"a MetaMorph stack, of {planes} planes behind one page, is not supported")
        count = _behind(page, file)
        found += [Place(page, index, part if count > 1 else None) for part in range(count)]
    return found


def pixels(place: Place, path: Path) -> Pixels:
    """Return the pixels of one of several pictures behind a page."""
    page, _, part = place
    assert part is not None
    dtype = page.dtype.newbyteorder(page.parent.byteorder)
    return np.memmap(path, dtype, "r", page.dataoffsets[0] + part * page.nbytes, page.shape)


def claimed(page: Any) -> int:
    """Return how many pictures a page's description says that there are."""
    text = page.description
    if text.startswith(_IMAGEJ):
        found = re.search(r"^images=(\d{1,9})\s*$", text, re.MULTILINE)
        return int(found[1]) if found else 1
    shape = shaped(text).get("shape")
    if not (isinstance(shape, list) and all(isinstance(each, int) and each > 0 for each in shape)):
        return 1
    return max(1, math.prod(shape) // int(math.prod(page.shape)))


def shaped(text: str) -> dict[str, Any]:
    """Return what tifffile says of a series; nothing if this is none of its descriptions."""
    if not (text.startswith("{") and '"shape":' in text):  # which did not always come first
        return {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def apart(text: str) -> str:
    """Return the description of a stack whose pictures become pages: it is true of these."""
    said = shaped(text)
    said.pop("truncated", None)
    return json.dumps(said) if said else text


def _behind(page: Any, file: Any) -> int:
    """Return how many pictures are behind a page: those it claims, if their bytes are there and are nothing else."""
    count = claimed(page)
    alone = page.description.startswith(_IMAGEJ) or shaped(page.description).get("truncated") is True
    if count == 1 or not alone or not page.is_contiguous or page.predictor > 1 or page.fillorder != 1:
        return 1
    start = page.dataoffsets[0]
    end = start + count * page.nbytes
    free = all(end <= first or last <= start for first, last in _taken(page, file))
    return count if end <= file.filehandle.size and free else 1


def _taken(page: Any, file: Any) -> Iterator[tuple[int, int]]:
    """Yield where the bytes begin and end that are no pixels of a page."""
    yield 0, 16 if file.is_bigtiff else 8
    for other in file.pages:
        yield other.offset, other.offset + (16 + 20 * len(other.tags) if file.is_bigtiff else 6 + 12 * len(other.tags))
        for tag in other.tags:
            yield tag.valueoffset, tag.valueoffset + tag.valuebytecount
        if other.offset != page.offset:
            for offset, length in zip(other.dataoffsets, other.databytecounts, strict=False):
                yield offset, offset + length
