"""Planes in the chunks of a dask array: one task a chunk, or counts a chunk that add up. For ``cheq/dask.py``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import dask.array as da
import numpy as np
from dask.layers import ArrayBlockIdDep

import cheq
from cheq import _arguments, _call, _pieces

if TYPE_CHECKING:
    from cheq._call import Call
    from cheq._typing import Array, ArrayLike, Color, DType

Chunks: TypeAlias = "tuple[tuple[int, ...], ...]"
# What tasks are given a block of: an array, and for each of its axes the number by which it is known. The images' axes
# are 0, 1, ...; an axis that the images lack has a higher number, and one chunk.
Operand: TypeAlias = "tuple[da.Array, tuple[int, ...]]"


def check_array(name: str, array: Any) -> None:
    """Raise unless this is a dask array of NumPy's, with chunks of known sizes."""
    if not isinstance(array, da.Array):
        kind = type(array)
        raise TypeError(
            f"{name}: expected a dask.array.Array, got {kind.__module__}.{kind.__qualname__}; "
            f"pass dask.array.from_array({name}), or call the function of cheq itself"
        )
    _arguments.as_array(name, array._meta)
    if not all(length >= 0 for length in array.shape):  # nor NaN
        raise ValueError(
            f"{name}: expected chunks of known sizes, got shape {array.shape}; call {name}.compute_chunk_sizes()"
        )


def stand_in(name: str, array: Any) -> Any:
    """Return what is checked in place of a dask array, without computing it; anything else is returned."""
    if not isinstance(array, da.Array):
        return array
    check_array(name, array)
    return _call.stand_in(array.shape, array.dtype)


def laid_out(array: Any, labels: tuple[int, ...], chunks: Chunks) -> Operand:
    """Return an array in chunks that lie along those of others; axes of length 1 broadcast."""
    own = tuple(
        chunks[label] if label < len(chunks) and sum(chunks[label]) == length else (length,)
        for label, length in zip(labels, array.shape, strict=True)
    )
    return (array.rechunk(own) if isinstance(array, da.Array) else da.from_array(array, chunks=own)), labels


def blocks(
    function: Callable[..., Array],
    name: str,
    labels: tuple[int, ...],
    operands: dict[str, Operand],
    dtype: Any,
    **options: Any,
) -> da.Array:
    """Return what a function makes of the operands, block by block; options: those of ``da.blockwise``."""
    return da.blockwise(
        partial(_of_blocks, function, tuple(operands)),
        labels,
        *(each for operand in operands.values() for each in operand),
        token=f"cheq-{name}",
        dtype=dtype,
        meta=np.empty((0,) * len(labels), dtype),
        align_arrays=False,
        **options,
    )


def _of_blocks(function: Callable[..., Array], names: tuple[str, ...], *given: Any) -> Array:
    arguments = {name: _only(block) for name, block in zip(names, given, strict=True)}
    place = arguments.pop("place", None)
    try:
        return function(**arguments)
    except ValueError as error:
        if place is None:
            raise
        raise ValueError(f"in images.blocks[{', '.join(map(str, place))}]: {error}") from error


def _only(block: Any) -> Any:
    """Return a block itself; dask has lists along axes that a result lacks, which here have one chunk."""
    while isinstance(block, list):
        (block,) = block
    return block


def settled(array: da.Array) -> da.Array:
    """Compute an array, whose last axis has one chunk, where its blocks are to stay: in this process, or on workers.

    All of it has been computed when this returns, or an error was raised: on workers the tasks that it takes must not
    meet those of the next pass, which would keep the images' chunks from one to the other.
    """
    array = array.persist()
    array[..., :0].compute()
    return array


class Planes:
    """The planes of a dask array."""

    def __init__(self, images: da.Array, call: Call, channel_axis: int | None, mask: Any) -> None:
        self.images, self.call = images, call
        order = range(images.ndim) if call.order is None else call.order
        self.axes = tuple(order[call.n_batch :])
        self.batch = tuple(order[: call.n_batch])
        self.channel = (
            None if channel_axis is None else _arguments.axis_index("channel_axis", channel_axis, images.ndim)
        )
        self.labels, self.levels = tuple(range(images.ndim)), images.ndim
        # A chunk's own shape must never be taken for channels.
        self.options: dict[str, Any] = {"axes": self.axes, "num_threads": 1}
        self.operand = {"images": (images, self.labels)}
        self.mask = {} if mask is None else {"mask": self._mask_of(mask)}

    def _mask_of(self, mask: Any) -> Operand:
        """Return a mask with as many axes as the images; that of a lightness has none for channels."""
        mask = mask if isinstance(mask, da.Array) else np.asarray(mask)
        labels = self.labels
        if self.call.mask is not None and self.call.mask.ndim < len(labels):
            labels = tuple(label for label in labels if label != self.channel)
        elif self.channel is not None and mask.ndim < len(labels):
            mask = _arguments.with_channels(mask, len(labels) - 1 - self.channel)
        return self.laid(mask[(np.newaxis,) * (len(labels) - mask.ndim)], labels)

    def laid(self, array: Any, labels: tuple[int, ...]) -> Operand:
        return laid_out(array, labels, self.images.chunks)

    def are_whole(self, axes: tuple[int, ...] = ()) -> bool:
        """Whether each plane is in one chunk, and all along these axes too."""
        return all(self.images.numblocks[axis] == 1 for axis in (*self.axes, *axes))

    def not_whole(self, what: str, axes: tuple[int, ...] = ()) -> ValueError:
        whole = (*self.axes, *axes)
        chunks = {axis: -1 if axis in whole else "auto" for axis in self.labels}
        return ValueError(
            f"images: expected chunks of whole planes{' with all channels' if axes else ''} for {what}, "
            f"got chunks of {self.images.chunksize} of {self.images.shape}; pass images.rechunk({chunks})"
        )

    def each(self, function: Callable[..., Array], name: str, dtype: Any, others: dict[str, Operand]) -> da.Array:
        """Return what a function makes of the images' blocks, each with whole planes: of their shape."""
        place = {"place": (ArrayBlockIdDep(self.images.chunks), self.labels)}
        return blocks(partial(function, **self.options), name, self.labels, self.operand | others | place, dtype)

    def counted(self, function: Callable[..., Array], name: str, length: int, kind: Any, **others: Operand) -> da.Array:
        """Return numbers, so many a plane, of the parts of planes: along the images' axes one for each block."""
        labels, operands = (*self.labels, self.levels), self.operand | self.mask | others
        one = dict.fromkeys(self.axes, 1)
        return blocks(function, name, labels, operands, kind, new_axes={self.levels: length}, adjust_chunks=one)

    def histogram(self, split_every: int | None = None) -> da.Array:
        levels = 1 << 8 * self.images.dtype.itemsize
        counts = self.counted(partial(_count, **self.options), "histogram", levels, np.int64)
        return counts.sum(axis=self.axes, dtype=np.int64, split_every=split_every)

    def look_up(self, luts: da.Array) -> da.Array:
        """Return the images with the LUTs applied: one for all, or one a plane."""
        labels = (self.levels,) if luts.ndim == 1 else (*self.batch, self.levels)
        others = {"lut": self.laid(luts, labels)} | (self.mask if self.call.keeps else {})
        outside, dtype = "keep" if self.call.keeps else "lut", luts.dtype.newbyteorder("=")
        return self.each(partial(cheq.apply_lut, outside=outside), "apply_lut", dtype, others)

    def reference_histogram(self, counts: Any, lacking: int = 0) -> dict[str, Operand]:
        """Return a histogram for tasks: it broadcasts to batch shape + (levels,), ``lacking`` the axis of channels."""
        labels = (*self.batch[: len(self.batch) - lacking], self.levels)
        return {"reference_histogram": self.laid(counts, labels[len(labels) - counts.ndim :])}

    def matched(self, reference: dict[str, Operand], result: Any, same: bool, lazy: bool) -> da.Array:
        """Return integer images that have the histogram of a reference, planes split over chunks."""
        kind, labels = self.call.images.dtype, (*self.batch, self.levels)
        make = partial(_matching_luts, images_dtype=kind, same=same, truncates=not same and self.channel is not None)
        luts = blocks(make, "matching_lut", labels, {"histogram": (self.histogram(), labels)} | reference, result)
        return self.look_up(luts if lazy else settled(luts))

    def reference(self, reference: Array, mask: ArrayLike | None, color: Color) -> dict[str, Operand]:
        """Return a reference for tasks: its axes are the images' last, and the blocks of those of a batch theirs."""
        first = self.images.ndim - reference.ndim
        labels = tuple(axis + self.levels + 1 if axis in self.axes else axis for axis in self.labels[first:])
        operands = {"reference": self.laid(reference, labels)}
        if mask is not None:
            shape, axis = reference.shape, None if self.channel is None else self.channel - first
            if color != "channels" and axis is not None:
                shape, labels = (each[:axis] + each[axis + 1 :] for each in (shape, labels))
                axis = None
            operands["reference_mask"] = self.laid(_arguments.as_mask(mask, shape, axis, "reference"), labels)
        return operands

    def interpolated(self, dtype: Any, method: str, nbins: int, nan_policy: str, lazy: bool) -> da.Array:
        """Return float images equalized, of which parts of planes are read three times: facts, counts, values."""
        kind = np.dtype(np.float64) if self.images.dtype == np.bool_ else self.call.images.dtype
        last, axes = self.levels, self.axes
        facts = self.counted(partial(_pieces.facts_of, axes=axes), "facts", _pieces.FACTS, np.float64).max(axis=axes)
        check = partial(_pieces.checked, kind=kind, nbins=nbins, nan_policy=nan_policy)
        labels = (*self.batch, last + 1)
        facts = blocks(check, "checked", labels, {"facts": (facts.rechunk(-1), labels)}, np.float64)
        facts, _ = of_planes = self.laid(facts if lazy else settled(facts), labels)
        counts = self.counted(partial(_pieces.count, nbins=nbins, axes=axes), "count", nbins, np.int64, facts=of_planes)
        counts = counts.sum(axis=axes, dtype=np.int64)
        curves = blocks(
            partial(_pieces.curves_of, kind=kind, method=method),
            "curves",
            (*self.batch, last + 2, last),
            {"counts": (counts, (*self.batch, last)), "facts": of_planes},
            np.float64,
            new_axes={last + 2: 2},
        )
        others = {"curves": self.laid(curves if lazy else settled(curves), (*self.batch, last + 2, last))}
        others |= self.mask if self.call.keeps else {}
        value = partial(_pieces.interpolate, result=dtype, axes=axes)
        return blocks(value, "interpolate", self.labels, self.operand | others, dtype)


def _count(images: Array, mask: Array | None = None, **options: Any) -> Array:
    """Count a block; its pixels' axes stay, of length 1."""
    return np.expand_dims(cheq.histogram(images, mask=mask, **options), options["axes"])


def _matching_luts(
    histogram: Array, reference_histogram: Array, *, images_dtype: np.dtype[Any], same: bool, truncates: bool
) -> Array:
    """Return the LUTs that do what `cheq.match_histograms` does, which has dtypes of its own."""
    dtype: DType = "same" if same else None
    luts = cheq.matching_lut(histogram, reference_histogram, images_dtype=images_dtype, dtype=dtype)
    if truncates:
        return luts.astype(images_dtype)
    if not same:
        luts[~histogram.any(axis=-1)] = np.nan
    return luts
