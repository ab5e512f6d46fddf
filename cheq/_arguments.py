"""The checks of what users pass, one argument each. Messages say which one, what was expected and what came."""

from __future__ import annotations

import operator
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cheq import _worlds

if TYPE_CHECKING:
    import numpy.typing as npt

Choice = TypeVar("Choice", bound=str)

_UINT8 = np.dtype(np.uint8)
_BOOL = np.dtype(np.bool_)
_ALL_LEVELS = (1 << 8, 1 << 16)  # of 8-bit and 16-bit dtypes
OUTSIDE = ("lut", "keep")
_LUT_DTYPES = ("uint8", "int8", "uint16", "int16", "float32", "float64")

_MOST_BINS = 1 << 24

# Effort for the exact answer to "do these two views overlap"; past it they are taken to overlap: images are copied,
# and an out is refused. NumPy's solver needs far less for views of one array.
_OVERLAP_WORK = 10_000


def as_choice(argument: str, value: Choice, valid: Collection[str]) -> Choice:
    """Return one of the valid texts; of a subclass of str its characters count, whatever it says that it equals."""
    if type(value) is str and value in valid:
        return value
    if isinstance(value, str) and (text := str.__str__(value)) in valid:
        return text  # type: ignore[return-value]
    raise ValueError(f"{argument}: expected one of {', '.join(map(repr, valid))}; got {value!r}")


def is_same(dtype: Any, images: np.dtype[Any]) -> bool:
    """Return whether results are to have the images' dtype: "same", or that dtype; None leaves it to the method."""
    if dtype is None or (isinstance(dtype, str) and str.__str__(dtype) == "same"):
        same = dtype is not None
    else:
        meant = as_dtype(dtype)
        same = meant is not None and meant == images  # None would be equal to float64
        if not same:
            raise ValueError(f"dtype: expected None, 'same' or the images' own dtype, {images}; got {dtype!r}")
    if same and images == _BOOL:
        raise TypeError(
            f"dtype: expected None for images of dtype bool, got {dtype!r}; pass images.astype(np.uint8) * 255"
        )
    return same


def as_dtype(dtype: Any) -> np.dtype[Any] | None:
    """Return the dtype that is meant, in the machine's byte order, or None where it is none."""
    try:
        meant: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError, OverflowError):  # NumPy reads texts and lists as a dtype's fields
        return None
    return meant.newbyteorder("=")


def as_int(name: str, value: Any, expected: str = "an int") -> int:
    """Return an integer of any kind as an int; a bool, NumPy's too, is none here."""
    if type(value) is int:
        return value
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return operator.index(value)  # refuses floats and arrays of several numbers
    except TypeError:
        raise TypeError(f"{name}: expected {expected}, got {shown(value)} of type {type(value).__name__}") from None


def shown(value: Any) -> str:
    """Return what it is for a message, or its beginning."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def as_bins(name: str, value: Any) -> int:
    number = as_int(name, value)
    if not 1 <= number <= _MOST_BINS:
        raise ValueError(f"{name}: expected 1 to {_MOST_BINS} bins, got {number}")
    return number


def as_number_of_bins(nbins: Any, images: np.dtype[Any], name: str = "nbins") -> int:
    """Return the number of bins, which only float images may have another number of than 256."""
    number = as_bins(name, nbins)
    if number != 256 and images.kind != "f":
        raise ValueError(f"{name}: expected 256 for images of dtype {images}, got {number}; only floats have others")
    return number


def as_images(
    images: npt.ArrayLike,
    dtypes: tuple[str, ...],
    others: Mapping[str, tuple[str, ...]] | None = None,
    name: str = "images",
) -> npt.NDArray[Any]:
    """Return ``images`` as a plain array of one of the dtypes, in the machine's byte order, or raise.

    others: methods and the dtypes they take, to name those that take these images; name: of the argument.
    """
    if type(images) is np.ndarray and images.dtype is _UINT8 and dtypes[0] == "uint8":
        return images  # nearly every call
    array = as_array(name, images)
    if array.dtype.byteorder in "<>" and array.dtype.newbyteorder("=").name in dtypes:
        return native(array)
    if array.dtype.type.__name__ not in dtypes:  # dtype.name is the same, made anew each time
        takers = [repr(method) for method, taken in (others or {}).items() if array.dtype.name in taken]
        instead = f", or pass method={' or '.join(takers)}, which takes {array.dtype}" if takers else ""
        raise TypeError(
            f"{name}: expected dtype {listed(dtypes)}, got {array.dtype}; {conversion(array.dtype, name)}{instead}"
        )
    return array


def native(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array in the machine's byte order; that order by name, as zarr has it, is another dtype to NumPy."""
    dtype = array.dtype.newbyteorder("=")
    return array.view(dtype) if array.dtype.isnative else array.astype(dtype)


def listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def as_array(name: str, value: npt.ArrayLike) -> npt.NDArray[Any]:
    if type(value) is np.ndarray:
        return value if value.dtype.names is None else plain(value)
    _refuse_other_worlds(name, value)
    if _is_masked(value):
        masks = {"images": "mask", "reference": "reference_mask"}
        hint = f"pass its data and {masks[name]}=~m.mask" if name in masks else f"pass np.ma.getdata({name})"
        raise TypeError(f"{name}: expected an array without a mask, got a numpy.ma.MaskedArray m; {hint}")
    try:
        return plain(np.asarray(value))
    except ValueError as error:
        raise ValueError(
            f"{name}: expected an array or nested sequences of equal lengths; images of several sizes are equalized "
            f"one by one ({error})"
        ) from error


def plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return numbers without the names that their dtype may give to parts of them, which a buffer shows instead."""
    return array if array.dtype.names is None or array.dtype.kind == "V" else array.view(array.dtype.str)


def _refuse_other_worlds(name: str, value: object) -> None:
    """Refuse arrays that np.asarray would compute, or strip of their coordinates, without a word; and lists of them."""
    several = isinstance(value, list | tuple)
    for kind in set(map(type, value)) if several else {type(value)}:  # type: ignore[call-overload]
        world = _worlds.world_of(kind)
        if world is not None:
            got, to_numpy = f"{kind.__module__}.{kind.__qualname__}", _worlds.WORLDS[world].to_numpy
            if several:
                raise TypeError(
                    f"{name}: expected a NumPy array, got a list of {got}; pass [x.{to_numpy} for x in {name}]"
                )
            function = _worlds.called_function()
            own = name in ("images", "histogram") and function in _worlds.WORLDS[world].functions
            call = f"call cheq.{world}.{function}, or " if own else ""
            raise TypeError(f"{name}: expected a NumPy array, got {got}; {call}pass {name}.{to_numpy}")


def _is_masked(value: object) -> bool:
    """Whether this is a masked array, asked without ``np.ma``: its first mention imports numpy.ma.

    A process that another thread forks just then could never import it, and hang in its first call with a mask.
    """
    return isinstance(value, getattr(sys.modules.get("numpy.ma"), "MaskedArray", ()))


def conversion(dtype: np.dtype[Any], name: str = "images") -> str:
    """Return how an array of ``dtype`` is made uint8, by what such arrays usually hold."""
    if dtype.kind == "b":
        return f"convert with {name}.astype(np.uint8) * 255"
    if dtype.kind == "f":
        return (
            f"convert values in 0..1 with np.rint({name} * 255).astype(np.uint8), "
            f"or values in 0..255 with np.rint({name}).astype(np.uint8)"
        )
    if dtype.kind == "u":
        return (
            f"convert the full range with ({name} >> {8 * (dtype.itemsize - 1)}).astype(np.uint8), "
            f"or values in 0..255 with {name}.astype(np.uint8)"
        )
    if dtype.kind == "i" and dtype.itemsize > 1:
        return f"convert values in 0..255 with {name}.astype(np.uint8)"
    if dtype.kind == "i":
        return f"convert its levels with ({name}.astype(np.int16) + 128).astype(np.uint8)"
    with_numpy = f"convert with np.asarray({name}, dtype=np.uint8)"
    if dtype.kind in "OUS":
        return (
            f"{with_numpy} if they hold pixels (a path is to be read first; None is what reading a missing file gives)"
        )
    return with_numpy


def order_axes(
    shape: tuple[int, ...],
    axes: int | Iterable[int] | None,
    channel_axis: int | None,
    *,
    all_alike: bool = False,
    name: str = "images",
) -> tuple[int, list[int] | None]:
    """Return the number of batch axes, and the order that puts them in front; None if they are there.

    all_alike: planes do not matter, so that nothing is asked where the last axis looks like channels.
    """
    ndim = len(shape)
    if axes is None and channel_axis is None:
        if ndim < 2 or shape[-1] in (1, 3, 4):
            _check_last_two(shape, all_alike, name)
        return ndim - 2, None
    pixel_axes = _plane_axes(shape, axes, channel_axis, name)
    n_batch = ndim - len(pixel_axes)
    if pixel_axes[0] == n_batch:
        return n_batch, None
    order = list(range(ndim))
    for axis in reversed(pixel_axes):
        del order[axis]
    return n_batch, order + pixel_axes


def _check_last_two(shape: tuple[int, ...], all_alike: bool, name: str) -> None:
    if len(shape) < 2:
        raise ValueError(f"{name}: expected at least two axes (height, width), got shape {shape}; for others pass axes")
    if len(shape) > 2 and looks_like_channels(shape) and not all_alike:
        raise ValueError(
            f"{name}: expected channel_axis or axes beside shape {shape}, whose last axis looks like channels; "
            "pass channel_axis=-1 if it holds them, or axes=(-2, -1) if each plane is one of the last two axes"
        )


def looks_like_channels(shape: tuple[int, ...]) -> bool:
    """Whether the last axis does: R, G, B, a fourth one, or the single one of (N, H, W, 1), which is no width."""
    return shape[-1] in (3, 4) or (shape[-1] == 1 and len(shape) >= 4 and min(shape[-3:-1]) >= 16)


def _plane_axes(
    shape: tuple[int, ...], axes: int | Iterable[int] | None, channel_axis: int | None, name: str
) -> list[int]:
    """Return the axes whose pixels share one histogram, none negative, in order."""
    ndim = len(shape)
    channel = None if channel_axis is None else axis_index("channel_axis", channel_axis, ndim)
    if axes is None:
        rest = list(range(ndim))
        if channel is not None:
            del rest[channel]
        if len(rest) < 2:
            raise ValueError(
                f"{name}: expected at least two axes (height, width) beside channel_axis, got shape {shape}; "
                "for others pass axes"
            )
        return rest[-2:]
    axes = axes if type(axes) is tuple else as_tuple(axes)
    chosen = [axis_index("axes", axis, ndim) for axis in axes]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"axes: expected one or more different axes, got {axes!r} for {ndim} axes")
    if channel in chosen:
        raise ValueError(f"channel_axis: expected an axis that is not in axes {axes!r}, got {channel_axis!r}")
    return sorted(chosen)


def as_tuple(axes: int | Iterable[int]) -> tuple[int, ...]:
    """Return one axis or several as a tuple, of whatever they are."""
    try:
        return (operator.index(axes),)  # type: ignore[arg-type]
    except TypeError:
        pass
    try:
        return tuple(axes)  # type: ignore[arg-type]
    except (TypeError, NotImplementedError):  # no iterable, or an array or a buffer that says so when it is asked
        return (axes,)  # type: ignore[return-value]


def axis_index(name: str, axis: int, ndim: int) -> int:
    index = axis if type(axis) is int else as_int(name, axis)
    if ndim == 0:
        raise ValueError(f"{name}: expected an axis of images that have axes, got {axis!r} for shape ()")
    if not -ndim <= index < ndim:
        raise ValueError(f"{name}: expected an axis from {-ndim} to {ndim - 1} for {ndim} axes, got {axis!r}")
    return index % ndim


def as_mask(
    mask: npt.ArrayLike, shape: tuple[int, ...], channel_axis: int | None, of: str = "images"
) -> npt.NDArray[np.bool_]:
    """Return ``mask`` broadcast to the images' shape; one without their channel axis is the same for all channels."""
    name = "mask" if of == "images" else f"{of}_mask"
    array = as_array(name, mask)
    if array.dtype != _BOOL:
        raise TypeError(f"{name}: expected dtype bool, got {array.dtype}; convert with {name} != 0")
    channel = None if channel_axis is None else operator.index(channel_axis) % len(shape)
    return broadcast(
        name, array, shape, channel, f"the {of}'{'' if of.endswith('s') else 's'} shape without channel_axis"
    )


def broadcast(
    name: str, array: npt.NDArray[Any], shape: tuple[int, ...], channel: int | None, without: str
) -> npt.NDArray[Any]:
    """Return an array broadcast to a shape; one of fewer axes is the same along the axis ``channel`` of it."""
    target, aligned = shape, array
    if channel is not None and array.ndim < len(shape):
        target = shape[:channel] + shape[channel + 1 :]
        aligned = with_channels(array, len(target) - channel)
    try:
        return np.broadcast_to(aligned, shape)
    except ValueError:
        what = f" ({without})" if target != shape else ""
        raise ValueError(f"{name}: expected a shape that broadcasts to {target}{what}, got {array.shape}") from None


def with_channels(array: npt.NDArray[Any], behind: int) -> npt.NDArray[Any]:
    """Return an array with an axis of length 1 where channels are, if ``behind`` of its axes and others come before."""
    return np.expand_dims(array, array.ndim - behind) if array.ndim > behind else array


def keeps(outside: str, mask: Any) -> bool:
    """Return whether pixels outside the mask are to stay what they are."""
    if (type(outside) is str and outside == "lut") or as_choice("outside", outside, OUTSIDE) == "lut":
        return False
    if mask is None:
        raise ValueError("outside: expected 'lut' without a mask, got 'keep'; pass the mask outside which pixels stay")
    return True


def as_out(
    out: npt.NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any] = _UINT8, which: str = "the images' shape"
) -> npt.NDArray[Any]:
    """Return ``out`` as a plain array, which tells the truth where a subclass may not, or raise."""
    if not isinstance(out, np.ndarray) or _is_masked(out):
        raise TypeError(f"out: expected a numpy.ndarray, got {type(out).__name__}")
    array = np.asarray(out)
    if array.dtype is not dtype and (array.dtype != dtype or not array.dtype.isnative):
        raise TypeError(f"out: expected dtype {dtype}, got {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"out: expected {which} {shape}, got {array.shape}")
    if not array.flags.carray:  # C-contiguous and writable; one question for nearly every call
        _check_memory(array)
    return plain(array)


def _check_memory(out: npt.NDArray[Any]) -> None:
    if not out.flags.writeable:
        raise ValueError("out: expected a writable array, got a read-only one")
    if not out.flags.forc and _overlaps_itself(out):
        raise ValueError(f"out: expected elements apart in memory, got strides {out.strides} for shape {out.shape}")


def _overlaps_itself(array: npt.NDArray[Any]) -> bool:
    """Whether an element shares bytes with another, which differs from it in this axis first; so they may lie at 0."""
    for _ in range(array.ndim):
        if share_memory(array[:1], array[1:]):
            return True
        array = array[0]
    return False


def share_memory(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Whether two arrays share bytes, or it is too much work to say."""
    try:
        return np.shares_memory(a, b, max_work=_OVERLAP_WORK)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def apart_from(out: Any, array: Any) -> Any:
    """Return an array, copied if it shares memory with ``out``; None stays None."""
    return array.copy() if array is not None and share_memory(array, out) else array


def as_histogram(
    histogram: npt.ArrayLike, name: str = "histogram", instead: str = "pass counts, as cheq.histogram makes them"
) -> npt.NDArray[np.int64]:
    """Return ``histogram`` as contiguous int64, or raise; instead: what to do with floats."""
    counts = as_array(name, histogram)
    if counts.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integer counts, got dtype {counts.dtype}; {instead}")
    check_bins(name, counts)
    if counts.size and int(counts.min()) < 0:
        raise ValueError(f"{name}: expected counts of 0 or more, got {counts.min()}")
    total, most = _largest_total(counts), np.iinfo(np.int64).max
    if total > most:
        raise ValueError(f"{name}: expected a total of at most {most}, got {total}")
    return np.ascontiguousarray(counts, dtype=np.int64)


def check_bins(name: str, counts: npt.NDArray[Any]) -> None:
    if counts.ndim == 0 or counts.shape[-1] not in _ALL_LEVELS:
        raise ValueError(f"{name}: expected a last axis of 256 or 65536 bins, got shape {counts.shape}")


def _largest_total(counts: npt.NDArray[Any]) -> int:
    """Return the largest total of a histogram, or less where no total can be near 2**63."""
    most = int(counts.max()) if counts.size else 0
    return most * counts.shape[-1] if most < 1 << 47 else int(np.max(counts.sum(axis=-1, dtype=object)))


def as_luts(lut: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return ``lut`` as an array of a dtype that LUTs have, or raise."""
    array = as_array("lut", lut)
    if array.dtype.type.__name__ not in _LUT_DTYPES:
        raise TypeError(
            f"lut: expected dtype {listed(_LUT_DTYPES)}, got {array.dtype}; convert with lut.astype(np.uint8)"
        )
    return array


def check_luts(lut: npt.NDArray[Any], batch: tuple[int, ...], images: np.dtype[Any], keeps: bool) -> None:
    levels = 1 << 8 * images.itemsize
    if lut.shape not in ((levels,), (*batch, levels)):
        one_each = f" or one a plane, {(*batch, levels)}" if batch else ""
        raise ValueError(f"lut: expected the shape of one LUT, ({levels},){one_each}; got {lut.shape}")
    if keeps and not np.can_cast(images, lut.dtype):
        raise TypeError(f"lut: expected a dtype that holds all levels of {images}, for outside='keep'; got {lut.dtype}")
