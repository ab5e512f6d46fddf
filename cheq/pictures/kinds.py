"""Kinds of a TIFF's pages (tag 254): which are smaller copies of others, which are masks, and whose."""

from collections.abc import Sequence
from typing import NamedTuple


class Kind(NamedTuple):
    """What a page says that it is, and its height and width."""

    reduced: bool
    mask: bool
    size: tuple[int, int]


def reduced_by(kinds: Sequence[Kind], number: int) -> int | None:
    """Return the number of the page that a page is a smaller copy of: the one before it, or if none is, the next."""
    kind = kinds[number]
    if not kind.reduced or kind.mask:
        return None
    wholes = [each for each, other in enumerate(kinds) if not (other.reduced or other.mask) and other.size >= kind.size]
    return _before_or_after(wholes, number)


def masked_by(kinds: Sequence[Kind], number: int) -> int | None:
    """Return the number of the page that is a page's mask: each is that of the page of its size before it."""
    kind = kinds[number]
    alike = [each for each, other in enumerate(kinds) if other.size == kind.size]
    pages = [each for each in alike if not kinds[each].mask]
    masks = (each for each in alike if kinds[each].mask and _before_or_after(pages, each) == number)
    return None if kind.mask else next(masks, None)


def _before_or_after(numbers: Sequence[int], number: int) -> int | None:
    before = [each for each in numbers if each < number]
    return before[-1] if before else next(iter(numbers), None)
