"""Recipes that people paste, under their own names: the same results bit for bit, for whole batches in one call."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from cheq import _color, _equalize, _floating, _methods, _planes, _threads

__all__ = ["histogram_equalize", "image_histogram_equalization"]


@contextmanager
def _called(name: str) -> Iterator[None]:
    """Let errors call the images what they are called here, and advise no option that is not."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = str(error)
        if not text.startswith("images: "):
            raise
        raise type(error)(f"{name}{text.removeprefix('images').partition('; pass nan_policy')[0]}") from None


def image_histogram_equalization(
    image: npt.ArrayLike,
    number_bins: int = 256,
    *,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = None,
    num_threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """
    Equalize by the well-known NumPy recipe.

    That is ``hist, bins = np.histogram(image.flatten(), number_bins, density=True)``, ``cdf = hist.cumsum()``,
    ``cdf = 255 * cdf / cdf[-1]`` and ``np.interp(image.flatten(), bins[:-1], cdf)``.

    Parameters
    ----------
    image : array_like of uint8, int8, uint16, int16, float32 or float64, shape (..., height, width)
        One image or a batch.
    number_bins : int
        The number of bins, from the smallest to the largest value.
    axes, channel_axis, num_threads
        As for `cheq.equalize`. Without `axes` and `channel_axis`, three or more axes of which the last is 3 long
        are taken for R, G, B: the channels of each image share one histogram, as in the original.

    Returns
    -------
    equalized : ndarray of float64, shape of image
        Values in 0..255.
    cdf : ndarray of float64, shape batch shape + (number_bins,)
        The scaled cumulative distribution of each plane.

    Raises
    ------
    TypeError, ValueError
        As `cheq.equalize` does.

    Examples
    --------
    >>> import numpy as np
    >>> from cheq.recipes import image_histogram_equalization
    >>> images = np.random.default_rng(0).random((10, 28, 28))
    >>> equalized, cdf = image_histogram_equalization(images, 64)
    >>> equalized.shape, cdf.shape
    ((10, 28, 28), (10, 64))
    """
    with _called("image"):
        how = _methods.NUMPY
        images = _planes.as_images(image, how.dtypes)
        number = _methods.check_nbins(number_bins, np.dtype(np.float64), "number_bins")
        if axes is None and channel_axis is None and images.ndim > 2 and images.shape[-1] == 3:
            axes = (-3, -2, -1)
        n_batch, order = _planes.order_axes(images.shape, axes, channel_axis)
        small = num_threads is None and images.size < _equalize.SMALL_WORK
        threads = 1 if small else _threads.resolve(num_threads)
        if images.dtype.kind != "f":
            images = images.astype(np.float64)  # as np.histogram and np.interp do
        out = np.empty(images.shape, np.float64)
        cdf, _ = _floating.distributions(images, None, n_batch, order, threads, how, number, "raise", out)
        return out, cdf


def histogram_equalize(
    img: npt.ArrayLike,
    *,
    nbins: int = 256,
    axes: int | Iterable[int] | None = None,
    channel_axis: int | None = -1,
    num_threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """
    Equalize by scikit-image's recipe: ``rgb2gray``, ``cumulative_distribution``, ``np.interp``.

    Parameters
    ----------
    img : array_like, shape (..., height, width, 3), or (..., height, width) with ``channel_axis=None``
        One picture or a batch.
    nbins, num_threads
        As for `cheq.equalize` with method ``"skimage"``.
    axes
        As for `cheq.equalize`, of the gray pictures.
    channel_axis : int or None
        The axis of R, G, B; None for pictures that are gray already.

    Returns
    -------
    ndarray of float64
        The CDF of every pixel, in the shape of the gray pictures.

    Raises
    ------
    TypeError, ValueError
        As `cheq.equalize` and `cheq.rgb_to_gray` do.

    Notes
    -----
    Gray values are a matrix product, whose order of sums is the linear algebra library's: equal to
    ``skimage.color.rgb2gray`` where that is called on arrays of the same layout by the same NumPy.

    Examples
    --------
    >>> import numpy as np
    >>> from cheq.recipes import histogram_equalize
    >>> pictures = np.random.default_rng(0).integers(0, 256, (10, 28, 28, 3), dtype=np.uint8)
    >>> histogram_equalize(pictures).shape
    (10, 28, 28)
    """
    with _called("img"):
        how = _methods.SKIMAGE
        gray = None
        if channel_axis is not None:
            img = gray = _color.rgb_to_gray(img, channel_axis=channel_axis, method="skimage")
            axes = (-2, -1) if axes is None and img.ndim > 2 else axes  # no channels are left to be forgotten
        images = _planes.as_images(img, how.dtypes)
        if images.dtype != np.float32:
            # In place where the gray pictures were made here, which are float64 then.
            return _equalize.equalize(
                images, method="skimage", axes=axes, out=gray, nbins=nbins, num_threads=num_threads
            )
        # The recipe keeps the doubles that np.interp makes of floats, and equalize_hist does not.
        number = _methods.check_nbins(nbins, images.dtype)
        n_batch, order = _planes.order_axes(images.shape, axes, None)
        out = np.empty(images.shape, np.float64)
        threads = _threads.resolve(num_threads)
        _floating.equalize(images, None, out, n_batch, order, threads, how, number, _methods.RAISE, True)
        return out
