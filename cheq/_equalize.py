"""Equalize, and the three steps it is made of: histogram, equalization_lut, apply_lut."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _color, _floating, _methods, _planes, _threads
from cheq._core import integer

# Pixels below which one thread is used: a second one gains little then (benchmarks/small_work.py).
SMALL_WORK = 1 << 17

# What a call without options has: each is known by its identity, which is worth half a microsecond a call.
_OPENCV, _OPENCV_NAME = _methods.OPENCV, _methods.OPENCV.name
_CHANNELS, _RAISE, _NBINS = _methods.CHANNELS, _methods.RAISE, _methods.NBINS
_UINT8 = np.dtype(np.uint8)


def equalize(
    images: npt.ArrayLike,
    *,
    method: str = _OPENCV_NAME,
    color: str = _CHANNELS,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    out: npt.NDArray[Any] | None = None,
    dtype: str | None = None,
    nbins: int = _NBINS,
    nan_policy: str = _RAISE,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
    """
    Equalize the histogram of every image of a batch.

    Parameters
    ----------
    images : array_like, shape (..., height, width)
        One image or a batch with any number of batch axes, of a dtype that the method takes. Any strides are
        taken without a copy; the array is not changed (unless it is `out`).
    method : {"opencv", "pillow", "skimage", "numpy"}
        Whose definition is used; each gives, byte for byte, what its reference gives for each plane:

        - ``"opencv"``: ``cv2.equalizeHist``, for uint8. uint16, which OpenCV does not take, becomes uint16 by
          the same formula with 65535.
        - ``"pillow"``: ``PIL.ImageOps.equalize``, for uint8 (so also torchvision's and kornia's answer).
        - ``"skimage"``: ``skimage.exposure.equalize_hist``, for bool, 8-bit and 16-bit integers, float32 and
          float64. The result is the CDF, 0..1, float32 for float32 and else float64.
        - ``"numpy"``: the recipe ``np.histogram(image, 256, density=True)``, its cumulative sum scaled to
          0..255, ``np.interp`` at the bins' left edges; for 8-bit and 16-bit integers, float32 and float64.
          The result is float64.
    color : {"channels", "ycrcb"}, optional
        What is equalized of colour images: every channel on its own, a fourth one too; or their luminance:
        R, G, B (uint8, 3 or 4 channels, ``"opencv"`` or ``"pillow"``) become Y, Cr, Cb, Y is equalized, and they
        become R, G, B again, as with ``cv2.cvtColor``; a fourth channel is kept as it is.
    axes : int or tuple of int, optional
        The axes of a plane: the pixels that share one histogram. By default the last two, not counting
        `channel_axis`. ``axes=(-3, -2, -1)`` equalizes volumes.
    channel_axis : int, optional
        The axis of R, G, B: each channel is equalized on its own, as split, equalize and merge do, unless
        `color` says otherwise.
    mask : array_like of bool, optional
        Only pixels under True are counted; the LUT is applied to all. It broadcasts against the images'
        shape or, with `channel_axis` and fewer axes than the images or with ``color="ycrcb"``, against their
        shape without the channel axis. With ``"opencv"`` levels below the lowest counted one become 0. A plane
        without a counted pixel is returned unchanged where the result has the images' dtype and is integer, else it
        becomes NaN; one with one counted level is unchanged with ``"opencv"`` and ``"pillow"``.
    out : ndarray, shape of images, optional
        Where the result is written, of the result's dtype; `images` itself works in place where dtypes
        agree. Other overlapping memory is treated as if `images` had been copied first.
    dtype : {None, "same"}, optional
        ``"same"`` keeps the images' dtype with ``"skimage"`` and ``"numpy"`` too. For integers the result is
        then ``min + rint(c * (max - min))`` of the dtype's limits and the CDF c in 0..1.
    nbins : int, optional
        The number of bins for float images with ``"skimage"`` and ``"numpy"``. Integers have a bin a level.
    nan_policy : {"raise", "omit"}, optional
        For float images with NaN or infinities among the counted pixels: an error, or they are not counted;
        NaN then stays NaN (with one bin too, where np.interp makes a number of it) and infinities become the
        ends of the CDF.
    num_threads : int, optional
        The most threads to use. By default the least of OpenMP's limit, the CPU affinity and the
        cgroup's CPU quota, and one for small work. One in a forked process.

    Returns
    -------
    ndarray, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError
        If a dtype is not one that the method takes (nothing is converted silently), if `images` is a masked
        array, or if `num_threads` is not an int.
    ValueError
        If `method`, another option, an axis, a shape or `num_threads` is out of range, if `out` is read-only
        or overlaps itself, or if a float plane has no bins: values that are not finite, a range too wide, or
        one too narrow for `nbins` different edges. Nothing has been written then.

    Warns
    -----
    UserWarning
        If the last of three or more axes is 3 or 4 long and neither `axes` nor `channel_axis` is given.

    See Also
    --------
    histogram, equalization_lut, apply_lut : the steps, for one LUT over data larger than memory.

    Notes
    -----
    With ``"opencv"``, counts h, first occupied level i and n pixels, level v becomes
    ``round((h[i+1] + ... + h[v]) * (255 / (n - h[i])))`` in float32, half to even (OpenCV,
    ``modules/imgproc/src/histogram.cpp``). A plane of one level is unchanged.

    With ``"pillow"``, ``step = (n - h[last]) // 255`` and level v becomes
    ``min((step // 2 + h[0] + ... + h[v-1]) // step, 255)`` (Pillow, ``src/PIL/ImageOps.py``). A plane is
    unchanged if step is 0: if fewer than 255 pixels are not of its last occupied level.

    Floats are NumPy 2's: its bins of float32 differ from those of NumPy 1.

    A ``KeyboardInterrupt`` during a long call leaves each plane of `out` whole or untouched; so a plane that is being
    written to it is finished first, which takes some seconds a gigapixel. Without `out` nothing is waited for.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> faces = np.random.default_rng(0).integers(40, 90, (1800, 1, 96, 96), dtype=np.uint8)
    >>> equalized = cheq.equalize(faces)
    >>> int(equalized.min()), int(equalized.max())
    (0, 255)
    >>> cheq.equalize(faces[0, 0], method="skimage").dtype
    dtype('float64')
    """
    how = _OPENCV if method is _OPENCV_NAME else _methods.of(method)
    if color is not _CHANNELS:
        _methods.check_choice("color", color, (_methods.CHANNELS, "ycrcb"))
    if color == "ycrcb":
        _methods.result(how, np.dtype(np.uint8), dtype, nbins, nan_policy)
        return _color.equalize_ycrcb(
            images, method=method, axes=axes, channel_axis=channel_axis, mask=mask, out=out, num_threads=num_threads
        )
    if type(images) is not np.ndarray or images.dtype is not _UINT8:
        images = _planes.as_images(images, how.dtypes, _methods.TAKEN)
    shape = images.shape
    n_batch, order = _planes.order_axes(shape, axes, channel_axis)
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, shape, channel_axis)
    if dtype is None and nbins is _NBINS and nan_policy is _RAISE and how is _OPENCV:
        result = images.dtype
    else:
        result = _methods.result(how, images.dtype, dtype, nbins, nan_policy)
    apart = integer.MAY_OVERLAP
    if out is None:
        out, apart = np.empty(shape, result), integer.FRESH
    else:
        _planes.check_out(out, shape, result)
    if how is _OPENCV:
        if order is not None or not integer.run(images, mask, out, None, None, n_batch, threads, apart):
            _run(images, mask, out, None, None, n_batch, order, threads, apart)
    elif images.dtype.kind in "fb":
        fresh = apart == integer.FRESH
        _floating.equalize(images, mask, out, n_batch, order, threads, how, nbins, nan_policy, fresh)
    else:
        signed, levels = images.dtype.kind == "i", result == images.dtype
        _run(images, mask, out, None, None, n_batch, order, threads, apart, how.maker, signed, levels)
    return out


def histogram(
    images: npt.ArrayLike,
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.int64]:
    """
    Count the pixels of each grey level in every plane.

    Parameters
    ----------
    images : array_like of uint8, int8, uint16 or int16
        As for `equalize`.
    axes, channel_axis, mask, num_threads
        As for `equalize`.

    Returns
    -------
    ndarray of int64, shape batch shape + (256,) or, of 16-bit levels, + (65536,)
        Bin b counts the level b + the dtype's minimum. The batch shape is the images' shape without the planes'
        axes, in order: ``(N, C)`` for ``(N, H, W, C)`` with ``channel_axis=-1``. Histograms of parts of a data
        set can be added.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> cheq.histogram(np.array([[7, 7], [7, 9]], np.uint8))[[7, 8, 9]].tolist()
    [3, 0, 1]
    """
    images = _planes.as_images(images, _methods.INTEGERS)
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis)
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, images.shape, channel_axis)
    shape = (*_planes.batch_shape(images, n_batch, order), _methods.levels_of(images.dtype))
    hist = np.empty(shape, np.int64) if images.size else np.zeros(shape, np.int64)
    _run(images, mask, None, hist, None, n_batch, order, threads, integer.APART, signed=images.dtype.kind == "i")
    return hist


def equalization_lut(
    histogram: npt.ArrayLike,
    *,
    method: str = "opencv",
    dtype: str | None = None,
    images_dtype: npt.DTypeLike | None = None,
) -> npt.NDArray[Any]:
    """
    Return the lookup table that equalizes each histogram.

    Parameters
    ----------
    histogram : array_like of int, shape (..., 256) or (..., 65536)
        Counts of all levels of the images' dtype, lowest first, none negative; the total of each histogram
        below 2**63.
    method : {"opencv", "pillow", "skimage", "numpy"}
        Whose definition is used; see `equalize`.
    dtype : {None, "same"}
        As for `equalize`.
    images_dtype : dtype, optional
        Of the images that were counted: by default uint8 for 256 bins and uint16 for 65,536; int8 and int16
        where their levels are signed.

    Returns
    -------
    ndarray, shape of histogram
        Entries have the dtype of `equalize`'s result. With ``"opencv"`` levels below the first occupied bin
        become 0. A histogram with one occupied bin, or none, gives the identity with ``"opencv"`` and
        ``"pillow"``.

    Raises
    ------
    TypeError
        If the counts are not integers, or the method does not take images of this dtype.
    ValueError
        If a count is negative, the last axis has another length or an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> hist = np.bincount([3, 3, 5, 8], minlength=256)
    >>> cheq.equalization_lut(hist)[[3, 5, 8]].tolist()
    [0, 128, 255]
    """
    how = _methods.of(method)
    counts = _planes.as_histogram(histogram)
    images = _methods.counted_dtype(how, counts.shape[-1], images_dtype)
    result = _methods.result(how, images, dtype)
    luts = np.empty(counts.shape, result)
    integer.equalization_lut(counts, luts, how.maker, images.kind == "i")
    return luts


def apply_lut(
    images: npt.ArrayLike,
    lut: npt.ArrayLike,
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    out: npt.NDArray[Any] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
    """
    Replace every pixel by its level's entry in a lookup table.

    Parameters
    ----------
    images : array_like of uint8, int8, uint16 or int16
        As for `equalize`.
    lut : array_like, shape (levels,) or batch shape + (levels,)
        One LUT for all planes, or one a plane, as `equalization_lut` makes them from `histogram`'s result:
        256 entries for 8-bit images or 65,536, the lowest level's first; of 8-bit or 16-bit integers, float32
        or float64.
    axes, channel_axis, out, num_threads
        As for `equalize`.

    Returns
    -------
    ndarray of the LUT's dtype, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError, ValueError
        As `equalize` does; also for a `lut` of another dtype or shape.

    Examples
    --------
    One LUT for a data set that is read in two parts:

    >>> import numpy as np
    >>> import cheq
    >>> parts = np.random.default_rng(0).integers(40, 90, (2, 100, 28, 28), dtype=np.uint8)
    >>> hist = sum(cheq.histogram(part, axes=(0, 1, 2)) for part in parts)
    >>> lut = cheq.equalization_lut(hist)
    >>> equalized = [cheq.apply_lut(part, lut) for part in parts]
    """
    images = _planes.as_images(images, _methods.INTEGERS)
    luts = _planes.as_luts(lut)
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis, warn=luts.ndim > 1)
    levels = _methods.levels_of(images.dtype)
    _planes.check_luts(luts, _planes.batch_shape(images, n_batch, order), levels)
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    apart = integer.MAY_OVERLAP
    if out is None:
        out, apart = np.empty(images.shape, luts.dtype), integer.FRESH
    else:
        _planes.check_out(out, images.shape, luts.dtype)
    _run(images, None, out, None, luts, n_batch, order, threads, apart, signed=images.dtype.kind == "i")
    return out


def _run(
    images: Any,
    mask: npt.NDArray[Any] | None,
    out: npt.NDArray[Any] | None,
    hist: npt.NDArray[np.int64] | None,
    luts: npt.NDArray[Any] | None,
    n_batch: int,
    order: list[int] | None,
    threads: int,
    apart: int,
    maker: int = integer.MAKERS["opencv"],
    signed: bool = False,
    levels: bool = True,
) -> None:
    """Give the core its views, batch axes first; copy first what it would overwrite too early."""
    if order is not None:
        arrays = (None if array is None else np.asarray(array).transpose(order) for array in (images, mask, out))
        images, mask, out = arrays
    if integer.run(images, mask, out, hist, luts, n_batch, threads, apart, maker, signed, levels):
        return
    images, mask, luts = (_planes.apart_from(out, array) for array in (images, mask, luts))
    integer.run(images, mask, out, hist, luts, n_batch, threads, integer.APART, maker, signed, levels)
