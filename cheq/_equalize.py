"""Equalize, and the three steps it is made of: histogram, equalization_lut, apply_lut."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from cheq import _planes, _threads
from cheq._core import integer

# Pixels below which one thread is used: a second one gains little then (benchmarks/small_work.py).
SMALL_WORK = 1 << 17


def equalize(
    images: npt.ArrayLike,
    *,
    method: str = "opencv",
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    mask: npt.ArrayLike | None = None,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.uint8]:
    """
    Equalize the histogram of every image of a batch.

    Parameters
    ----------
    images : array_like of uint8, shape (..., height, width)
        One image or a batch with any number of batch axes. Any strides are taken without a copy; the
        array is not changed (unless it is `out`).
    method : {"opencv"}
        Whose definition is used. ``"opencv"`` gives, byte for byte, what ``cv2.equalizeHist`` gives for
        each plane.
    axes : int or tuple of int, optional
        The axes of a plane: the pixels that share one histogram. By default the last two, not counting
        `channel_axis`. ``axes=(-3, -2, -1)`` equalizes volumes.
    channel_axis : int, optional
        The axis of R, G, B: each channel is equalized on its own, as split, equalize and merge do.
    mask : array_like of bool, optional
        Only pixels under True are counted; the LUT is applied to all. It broadcasts against the images'
        shape or, with `channel_axis` and fewer axes than the images, against their shape without the
        channel axis. Levels below the lowest counted one become 0. A plane without a counted pixel, or
        with one counted level, is returned unchanged.
    out : ndarray of uint8, shape of images, optional
        Where the result is written; `images` itself works in place. Other overlapping memory is treated
        as if `images` had been copied first.
    num_threads : int, optional
        The most threads to use. By default the least of OpenMP's limit, the CPU affinity and the
        cgroup's CPU quota, and one for small work. One in a forked process.

    Returns
    -------
    ndarray of uint8, shape of images
        A new C-contiguous array, or `out`.

    Raises
    ------
    TypeError
        If a dtype is not the one stated (nothing is converted silently), if `images` is a masked array, or
        if `num_threads` is not an int.
    ValueError
        If `method`, an axis, a shape or `num_threads` is out of range, or `out` is read-only or overlaps
        itself. Nothing has been written then.

    Warns
    -----
    UserWarning
        If the last of three or more axes is 3 or 4 long and neither `axes` nor `channel_axis` is given.

    See Also
    --------
    histogram, equalization_lut, apply_lut : the steps, for one LUT over data larger than memory.

    Notes
    -----
    With counts h, first occupied level i and n pixels, level v becomes
    ``round((h[i+1] + ... + h[v]) * (255 / (n - h[i])))`` in float32, half to even (OpenCV,
    ``modules/imgproc/src/histogram.cpp``). A plane of one level is unchanged.

    A ``KeyboardInterrupt`` during a long call leaves each plane of `out` whole or untouched.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> faces = np.random.default_rng(0).integers(40, 90, (1800, 1, 96, 96), dtype=np.uint8)
    >>> equalized = cheq.equalize(faces)
    >>> int(equalized.min()), int(equalized.max())
    (0, 255)
    """
    _planes.check_method(method)
    images = _planes.as_images(images)
    shape = images.shape
    n_batch, order = _planes.order_axes(shape, axes, channel_axis)
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, shape, channel_axis)
    if out is None:
        out = np.empty(shape, np.uint8)
    else:
        _planes.check_out(out, shape)
    if order is not None or not integer.run(images, mask, out, None, None, n_batch, threads, False):
        _run(images, mask, out, None, None, n_batch, order, threads)
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
    images, axes, channel_axis, mask, num_threads
        As for `equalize`.

    Returns
    -------
    ndarray of int64, shape batch shape + (256,)
        The batch shape is the images' shape without the planes' axes, in order: ``(N, C)`` for
        ``(N, H, W, C)`` with ``channel_axis=-1``. Histograms of parts of a data set can be added.

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
    images = _planes.as_images(images)
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis)
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if mask is not None:
        mask = _planes.as_mask(mask, images.shape, channel_axis)
    shape = (*_planes.batch_shape(images, n_batch, order), _planes.LEVELS)
    hist = np.empty(shape, np.int64) if images.size else np.zeros(shape, np.int64)
    _run(images, mask, None, hist, None, n_batch, order, threads)
    return hist


def equalization_lut(histogram: npt.ArrayLike, *, method: str = "opencv") -> npt.NDArray[np.uint8]:
    """
    Return the lookup table that equalizes each histogram.

    Parameters
    ----------
    histogram : array_like of int, shape (..., 256)
        Counts of the levels 0 to 255, none negative; the total of each histogram below 2**63.
    method : {"opencv"}
        Whose definition is used; see `equalize`.

    Returns
    -------
    ndarray of uint8, shape of histogram
        Levels below the first occupied bin become 0. A histogram with one occupied bin, or none, gives the
        identity.

    Raises
    ------
    TypeError
        If the counts are not integers.
    ValueError
        If a count is negative, the last axis is not 256 long or `method` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import cheq
    >>> hist = np.bincount([3, 3, 5, 8], minlength=256)
    >>> cheq.equalization_lut(hist)[[3, 5, 8]].tolist()
    [0, 128, 255]
    """
    _planes.check_method(method)
    counts = _planes.as_histogram(histogram)
    luts = np.empty(counts.shape, np.uint8)
    integer.equalization_lut(counts, luts)
    return luts


def apply_lut(
    images: npt.ArrayLike,
    lut: npt.ArrayLike,
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.uint8]:
    """
    Replace every pixel by its level's entry in a lookup table.

    Parameters
    ----------
    images, axes, channel_axis, out, num_threads
        As for `equalize`.
    lut : array_like of uint8, shape (256,) or batch shape + (256,)
        One LUT for all planes, or one a plane, as `equalization_lut` makes them from `histogram`'s result.

    Returns
    -------
    ndarray of uint8, shape of images
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
    images = _planes.as_images(images)
    luts = _planes.as_luts(lut)
    n_batch, order = _planes.order_axes(images.shape, axes, channel_axis, warn=luts.ndim > 1)
    _planes.check_luts(luts, _planes.batch_shape(images, n_batch, order))
    threads = 1 if num_threads is None and images.size < SMALL_WORK else _threads.resolve(num_threads)
    if out is None:
        out = np.empty(images.shape, np.uint8)
    else:
        _planes.check_out(out, images.shape)
    _run(images, None, out, None, luts, n_batch, order, threads)
    return out


def _run(
    images: Any,
    mask: npt.NDArray[Any] | None,
    out: npt.NDArray[np.uint8] | None,
    hist: npt.NDArray[np.int64] | None,
    luts: npt.NDArray[np.uint8] | None,
    n_batch: int,
    order: list[int] | None,
    threads: int,
) -> None:
    """Give the core its views, batch axes first; copy first what it would overwrite too early."""
    if order is not None:
        arrays = (None if array is None else np.asarray(array).transpose(order) for array in (images, mask, out))
        images, mask, out = arrays
    if integer.run(images, mask, out, hist, luts, n_batch, threads, False):
        return
    images, mask, luts = (_planes.apart_from(out, array) for array in (images, mask, luts))
    integer.run(images, mask, out, hist, luts, n_batch, threads, True)
