"""One call of a public function: images, axes, mask, result and threads, checked once and laid out for the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cheq import _arguments, _threads

if TYPE_CHECKING:
    import numpy.typing as npt

# Who else may see the result: it may overlap what is read; it does not; it was made here, so that an interrupt may
# leave it half written. The core has the same numbers (_core/views.pxd).
MAY_OVERLAP, APART, FRESH = 0, 1, 2


class Call:
    """What the core is given: arrays with the batch axes first, and how many threads it may use.

    images, mask, out : the arrays, transposed, or None
    n_batch : the number of batch axes
    threads : at most so many
    ownership : what is known of ``out``
    """

    __slots__ = ("images", "mask", "n_batch", "order", "out", "ownership", "shape", "threads")

    def __init__(
        self,
        images: npt.NDArray[Any],
        n_batch: int,
        order: list[int] | None,
        num_threads: int | None,
        pixels: int | None = None,
    ) -> None:
        self.shape = images.shape  # as they were passed
        self.images = images if order is None else images.transpose(order)
        self.n_batch, self.order = n_batch, order
        self.mask: npt.NDArray[np.bool_] | None = None
        self.out: npt.NDArray[Any] | None = None
        self.ownership = APART
        self.threads = _threads.team(num_threads, images.size if pixels is None else pixels)

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
            result, self.ownership = np.empty(shape, dtype), FRESH
        else:
            _arguments.check_out(out, shape, dtype, which)
            result, self.ownership = out, MAY_OVERLAP
        self.out = np.asarray(result)
        if self.order is not None:
            self.out = self.out.transpose(self.order)
        return result

    def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Have the core do this; copy first what it would overwrite before it is read."""
        done = work(self, *arguments)
        if done is False:
            self.images = _arguments.apart_from(self.out, self.images)
            self.mask = _arguments.apart_from(self.out, self.mask)
            self.ownership = APART
            done = work(self, *(_arguments.apart_from(self.out, each) for each in arguments))
        return done


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
) -> Call:
    """Return the call of a function that works on planes; ``others``, ``all_alike``: see as_images and order_axes."""
    array = _arguments.as_images(images, dtypes, others)
    n_batch, order = _arguments.order_axes(array.shape, axes, channel_axis, all_alike=all_alike)
    call = Call(array, n_batch, order, num_threads)
    if mask is not None:
        whole = _arguments.as_mask(mask, array.shape, channel_axis)
        call.mask = whole if order is None else whole.transpose(order)
    return call
