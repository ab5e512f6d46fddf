"""One call of a public function: images, axes, mask, result and threads, checked once and laid out for the core."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cheq import _arguments, _threads
from cheq._core.integer import APART, FRESH, MAY_OVERLAP

if TYPE_CHECKING:
    import numpy.typing as npt

# What remains to be done once a call is checked and has its result.
Work: TypeAlias = Callable[[], None]


class Call:
    """What the core is given: arrays with the batch axes first, and how many threads it may use."""

    __slots__ = ("images", "keeps", "mask", "n_batch", "order", "out", "ownership", "shape", "threads")

    shape: tuple[int, ...]  # of the images as they were passed
    order: list[int] | None  # of their axes, if it is another here
    n_batch: int  # batch axes
    images: npt.NDArray[Any]
    mask: npt.NDArray[np.bool_] | None
    keeps: bool  # what is outside the mask
    out: npt.NDArray[Any] | None
    ownership: int  # MAY_OVERLAP, APART or FRESH: what is known of out (_core/views.pxd)
    threads: int  # at most so many

    @property
    def batch(self) -> tuple[int, ...]:
        """The batch shape."""
        return self.images.shape[: self.n_batch]

    def give(
        self,
        out: Any,
        dtype: np.dtype[Any],
        shape: tuple[int, ...] | None = None,
        which: str = "the images' shape",
    ) -> npt.NDArray[Any]:
        """Return what the user gets, ``out`` once it is checked or else a new array; the core writes it."""
        shape = self.shape if shape is None else shape
        if out is None:
            result = array = np.empty(shape, dtype)
            self.ownership = FRESH
        else:
            result, array = out, _arguments.as_out(out, shape, dtype, which)
            self.ownership = MAY_OVERLAP
        self.out = array if self.order is None else array.transpose(self.order)
        return result

    def part(self, at: tuple[slice, ...]) -> Call:
        """Return the call for a part of the batch."""
        part = Call()
        for name in self.__slots__:
            setattr(part, name, getattr(self, name))
        part.images = self.images[at]
        part.mask = None if self.mask is None else self.mask[at]
        part.out = None if self.out is None else self.out[at]
        return part

    def parts(self, most: int, axes: int | None = None) -> Iterator[tuple[Call, tuple[slice, ...]]]:
        """Cut a call along its batch axes, the first ``axes`` of them or all, into parts of at most so many elements.

        Yields the call for each part, and where the part is in the batch.
        """
        steps: list[int] = []
        batch, room = self.batch[:axes], max(1, most)
        for length in reversed(batch):
            steps.insert(0, max(1, min(room, length)))
            room //= steps[0]
        if all(step >= length for step, length in zip(steps, batch, strict=True)):
            yield self, ()
            return
        starts = (range(0, length, step) for step, length in zip(steps, batch, strict=True))
        for start in itertools.product(*starts):
            at = tuple(slice(first, first + step) for first, step in zip(start, steps, strict=True))
            yield self.part(at), at

    def separate(self, table: npt.NDArray[Any] | None = None) -> Any:
        """Copy what the core, which asks for this, would overwrite before reading it; return a table, copied too."""
        self.images = _arguments.apart_from(self.out, self.images)
        self.mask = _arguments.apart_from(self.out, self.mask)
        self.ownership = APART
        return _arguments.apart_from(self.out, table)


def of_axes(
    images: npt.NDArray[Any], n_batch: int, order: list[int] | None, num_threads: int | None, pixels: int
) -> Call:
    """Return the call for images in this order of axes, the first ``n_batch`` of which are batch axes."""
    call = Call()
    call.shape, call.n_batch, call.order = images.shape, n_batch, order
    call.images = images if order is None else images.transpose(order)
    call.mask = call.out = None
    call.keeps = False
    call.ownership = APART
    call.threads = _threads.resolve(num_threads, pixels)
    return call


def of_planes(
    images: npt.ArrayLike,
    dtypes: tuple[str, ...],
    axes: int | Iterable[int] | None,
    channel_axis: int | None,
    mask: npt.ArrayLike | None,
    num_threads: int | None,
    *,
    others: Mapping[str, tuple[str, ...]] | None = None,
    all_alike: bool = False,
    name: str = "images",
) -> Call:
    """Return the call of a function that works on planes.

    ``others``, ``all_alike``: see as_images and order_axes; ``name``: of the argument.
    """
    array = _arguments.as_images(images, dtypes, others, name)
    n_batch, order = _arguments.order_axes(array.shape, axes, channel_axis, all_alike=all_alike, name=name)
    call = of_axes(array, n_batch, order, num_threads, array.size)
    if mask is not None:
        whole = _arguments.as_mask(mask, array.shape, channel_axis, name)
        call.mask = whole if order is None else whole.transpose(order)
    return call


def stand_in(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of a shape and dtype that takes no memory, to be checked in place of one that is not there.

    Of ones: a mask of a reference must select a pixel, and its histogram have a count.
    """
    return np.broadcast_to(np.ones((), dtype.newbyteorder("=")), shape)
