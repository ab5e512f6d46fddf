"""cheq for xarray: dimensions by name; dims, coords, attrs, name and encoding are kept.

Data of dask stay lazy: `cheq.dask` does the work, with the same bytes. A Dataset is taken variable by variable:
``dataset.map(cheq.xarray.equalize, dims=("y", "x"))``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

import cheq
from cheq._worlds import needed, world_of

with needed(__name__, "cheq[xarray]"):
    import xarray

__all__ = ["clahe", "equalize", "match_histograms"]

Dims: TypeAlias = str | Iterable[Hashable]

# Options of cheq's functions that have another name here, or none.
_INSTEAD = {
    "axes": "pass dims, the names of a plane's dimensions",
    "channel_axis": "pass channel_dim, the name of the dimension of R, G, B",
    "out": "the result is a new DataArray",
}

# What an encoding says of the values in a file, beside chunks and compression.
_PACKING = ("dtype", "scale_factor", "add_offset", "_FillValue", "missing_value", "fill_value", "_Unsigned")


def equalize(
    image: xarray.DataArray,
    dims: Dims,
    *,
    channel_dim: Hashable | None = None,
    mask: xarray.DataArray | None = None,
    **options: Any,
) -> xarray.DataArray:
    """
    Equalize every plane of a DataArray; `cheq.equalize` for xarray.

    Parameters
    ----------
    image : DataArray
        Its data are a NumPy or a dask array, of a dtype that the method takes.
    dims : str or iterable of hashable
        The names of a plane's dimensions, whose pixels share one histogram: ``("y", "x")`` equalizes each image of a
        series, ``("time", "y", "x")`` all images by one histogram. Their order does not matter.
    channel_dim : hashable, optional
        The name of the dimension of R, G, B, where `color` needs it.
    mask : DataArray of bool, optional
        Only pixels under True are counted. Its dimensions are those of `image` or some of them, in any order; where
        both have coordinates for one, they must be equal.
    **options
        ``method``, ``color``, ``outside``, ``dtype``, ``nbins``, ``nan_policy`` and ``num_threads`` of `cheq.equalize`,
        or, for data of dask, those of `cheq.dask.equalize`.

    Returns
    -------
    DataArray
        With the dims, coords, attrs, name and encoding of `image`, lazy and with its chunks where it is of dask. If its
        values are stored as another dtype than the result has, the encoding no longer says how.

    Raises
    ------
    TypeError
        If `image` or `mask` is no DataArray, if its data are of another library, or as by `cheq.equalize`.
    ValueError
        If `dims` or `channel_dim` has a name that `image` does not have, or has it twice; if the mask has another
        dimension, or other coordinates; or as by `cheq.equalize`.

    Notes
    -----
    NaN, xarray's missing values, are an error, or with ``nan_policy="omit"`` not counted, and stay.

    Examples
    --------
    >>> import cheq, numpy as np, xarray
    >>> frames = np.random.default_rng(0).integers(40, 90, (5, 48, 64), dtype=np.uint8)
    >>> series = xarray.DataArray(frames, dims=("time", "y", "x"), coords={"time": range(5)}, name="frames")
    >>> equalized = cheq.xarray.equalize(series, ("y", "x"))
    >>> equalized.name, equalized.dims, int(equalized.max())
    ('frames', ('time', 'y', 'x'), 255)
    """
    return _apply("equalize", image, _names(image, dims, channel_dim, options), channel_dim, mask, options)


def clahe(
    image: xarray.DataArray,
    dims: Dims,
    *,
    channel_dim: Hashable | None = None,
    mask: xarray.DataArray | None = None,
    clip_limit: Any = None,
    **options: Any,
) -> xarray.DataArray:
    """
    Equalize every plane of a DataArray tile by tile; `cheq.clahe` for xarray.

    Parameters
    ----------
    image, channel_dim, mask
        As for `equalize`.
    dims : iterable of hashable
        The names of a plane's dimensions: height and width, in this order, also where `image` has another.
    clip_limit : float, array_like or DataArray, optional
        As for `cheq.clahe`. A DataArray has a limit for each plane, by the names of dimensions that are not in `dims`.
    **options
        ``tile_grid_size`` (columns, rows), ``method``, ``kernel_size`` (in the order of `dims`) and the other options
        of `cheq.clahe`, or, for data of dask, of `cheq.dask.clahe`.

    Returns
    -------
    DataArray
        As for `equalize`.

    Raises
    ------
    TypeError, ValueError
        As by `equalize` and `cheq.clahe`.

    Examples
    --------
    >>> import cheq, numpy as np, xarray
    >>> frames = np.random.default_rng(0).integers(40, 90, (5, 48, 64), dtype=np.uint8)
    >>> series = xarray.DataArray(frames, dims=("time", "y", "x"))
    >>> limits = xarray.DataArray([1.0, 2.0, 3.0, 4.0, 5.0], dims="time")
    >>> cheq.xarray.clahe(series, ("y", "x"), clip_limit=limits).shape
    (5, 48, 64)
    """
    names = _names(image, dims, channel_dim, options)
    if options.get("method", "opencv") == "opencv" and len(names) != 2:
        raise ValueError(f"dims: expected two names, of height and width, got {dims!r}")
    if isinstance(clip_limit, xarray.DataArray):
        batch = [name for name in image.dims if name not in names]
        clip_limit = _laid_out("clip_limit", clip_limit, image, batch, channel_dim)
    ordered = image.transpose(*(name for name in image.dims if name not in names), *names)
    done = _apply("clahe", ordered, names, channel_dim, mask, {"clip_limit": clip_limit, **options})
    return done.transpose(*image.dims)


def match_histograms(
    image: xarray.DataArray,
    reference: xarray.DataArray | None,
    dims: Dims,
    *,
    channel_dim: Hashable | None = None,
    mask: xarray.DataArray | None = None,
    reference_mask: xarray.DataArray | None = None,
    **options: Any,
) -> xarray.DataArray:
    """
    Give every plane of a DataArray the histogram of a reference; `cheq.match_histograms` for xarray.

    Parameters
    ----------
    image, dims, channel_dim, mask
        As for `equalize`.
    reference : DataArray
        What the planes are to look like. It has the dimensions `dims`, of any size, and `channel_dim`. It may have
        others of `image`: then each plane has its own reference, and coordinates must be equal. None with
        ``reference_histogram``, an option of `cheq.match_histograms`, which is an array.
    reference_mask : DataArray of bool, optional
        Which pixels of `reference` are counted, as `mask` says it of `image`.
    **options
        ``color``, ``outside``, ``dtype`` and the other options of `cheq.match_histograms`, or, for data of dask, of
        `cheq.dask.match_histograms`.

    Returns
    -------
    DataArray
        As for `equalize`. With integers it is float64 unless ``dtype="same"`` is given, or `channel_dim`.

    Raises
    ------
    TypeError, ValueError
        As by `equalize` and `cheq.match_histograms`; so NaN is an error unless a mask leaves it out.

    Examples
    --------
    >>> import cheq, numpy as np, xarray
    >>> frames = np.random.default_rng(0).integers(40, 90, (5, 48, 64), dtype=np.uint8)
    >>> series = xarray.DataArray(frames, dims=("time", "y", "x"))
    >>> steady = cheq.xarray.match_histograms(series, series[0], ("y", "x"), dtype="same")
    >>> bool((steady[0] == series[0]).all())
    True
    """
    names = _names(image, dims, channel_dim, options)
    if reference is None:
        return _apply("match_histograms", image, names, channel_dim, mask, options | {"reference_mask": reference_mask})
    options["reference"] = _laid_out("reference", reference, image, image.dims, None, names)
    every = [*names, *(() if channel_dim is None else (channel_dim,))]
    if missing := [name for name in every if name not in reference.dims]:
        raise ValueError(f"reference: expected the dimensions {every}, got {list(reference.dims)} without {missing}")
    if reference_mask is not None:
        options["reference_mask"] = _laid_out("reference_mask", reference_mask, reference, image.dims, channel_dim)
    return _apply("match_histograms", image, names, channel_dim, mask, options)


def _apply(
    function: str,
    image: xarray.DataArray,
    names: tuple[Hashable, ...],
    channel_dim: Hashable | None,
    mask: xarray.DataArray | None,
    options: dict[str, Any],
) -> xarray.DataArray:
    """Call a function of cheq, or of cheq.dask, with the data of an array, and make an array like it of the result."""
    data, world = image.data, cheq
    if world_of(type(data)) == "dask":
        world = import_module("cheq.dask")
    elif not isinstance(data, np.ndarray):
        kind = f"{type(data).__module__}.{type(data).__qualname__}"
        raise TypeError(f"image: expected data of NumPy or dask, got {kind}; pass image.as_numpy()")
    options["axes"] = image.get_axis_num(names)
    if channel_dim is not None:
        options["channel_axis"] = image.get_axis_num(channel_dim)
    if mask is not None:
        options["mask"] = _laid_out("mask", mask, image, image.dims, channel_dim)
    result = image.copy(data=getattr(world, function)(data, **options))
    if np.dtype(result.encoding.get("dtype", result.dtype)) != result.dtype:
        # Files would be written with the old values' dtype and scale: floats from 0 to 1 as zeros and ones.
        result.encoding = {name: value for name, value in result.encoding.items() if name not in _PACKING}
    return result


def _names(
    image: xarray.DataArray, dims: Dims, channel_dim: Hashable | None, options: dict[str, Any]
) -> tuple[Hashable, ...]:
    """Return the names of a plane's dimensions, once they and that of the channels are the image's."""
    _check_array("image", image)
    for name, instead in _INSTEAD.items():
        if name in options:
            raise TypeError(f"{name}: expected no such option with a DataArray, got one; {instead}")
    names = (dims,) if isinstance(dims, str) or not isinstance(dims, Iterable) else tuple(dims)
    if not names or any(name not in image.dims for name in names) or len(set(names)) < len(names):
        raise ValueError(f"dims: expected one or more different names of {list(image.dims)}, got {dims!r}")
    others = [name for name in image.dims if name not in names]
    if channel_dim is not None and channel_dim not in others:
        raise ValueError(f"channel_dim: expected one of {others}, which are not in dims, got {channel_dim!r}")
    color = options.get("color", "channels")
    if color != "channels" and channel_dim is None:
        raise ValueError(f"channel_dim: expected the dimension of R, G, B for color={color!r}, got None")
    return names


def _check_array(argument: str, value: Any) -> None:
    if isinstance(value, xarray.DataArray):
        return
    got = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, xarray.Dataset):
        instead = "take one of its variables, or all with dataset.map(cheq.xarray.equalize, dims=...)"
    else:
        instead = "pass xarray.DataArray(array, dims=...)"
    raise TypeError(f"{argument}: expected an xarray.DataArray, got {got}; {instead}")


def _laid_out(
    argument: str,
    array: xarray.DataArray,
    image: xarray.DataArray,
    names: Iterable[Hashable],
    channel_dim: Hashable | None,
    free: tuple[Hashable, ...] = (),
) -> Any:
    """Return the data of an array that belongs to an image, with these dimensions in order, new ones of length 1.

    Where it has no channels the result has none either: so cheq has masks that are the same for all channels. The sizes
    and coordinates of the planes may be ``free`` to differ.
    """
    _check_array(argument, array)
    wanted = [name for name in names if name != channel_dim or name in array.dims]
    if other := [name for name in array.dims if name not in wanted]:
        raise ValueError(f"{argument}: expected dimensions out of {wanted}, got {other} beside them")
    try:
        xarray.align(array, image, join="exact", copy=False, exclude=free)
    except ValueError as error:
        of = "the reference" if argument == "reference_mask" else "the image"
        raise ValueError(f"{argument}: expected the sizes and coordinates of {of}, got others: {error}") from None
    return array.variable.set_dims(wanted).data
