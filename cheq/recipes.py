"""Recipes that are often copied, under their own names: the same results bit for bit, for whole batches in one call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from cheq import _arguments, _call, _color, _distribution, _equalize, _methods

if TYPE_CHECKING:
    import numpy.typing as npt

    from cheq._typing import ArrayLike, Axes

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
        text = text.partition("; pass nan_policy")[0].replace("images.", f"{name}.")
        raise type(error)(name + text.removeprefix("images")) from None


def image_histogram_equalization(
    image: ArrayLike,
    number_bins: int = 256,
    *,
    axes: Axes = None,
    channel_axis: int | None = None,
    num_threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """
    Equalize by the NumPy recipe, which is often copied.

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
        array = _arguments.as_images(image, how.dtypes)
        number = _arguments.as_number_of_bins(number_bins, np.dtype(np.float64), "number_bins")
        if axes is None and channel_axis is None and array.ndim > 2 and array.shape[-1] == 3:
            axes = (-3, -2, -1)
        if array.dtype.kind != "f":
            array = array.astype(np.float64)  # as np.histogram and np.interp do
        call = _call.of_planes(array, how.dtypes, axes, channel_axis, None, num_threads)
        out = call.give(None, np.dtype(np.float64))
        cdf, _ = _distribution.distributions(call, how, number, "raise")
        return out, cdf


def histogram_equalize(
    img: ArrayLike,
    *,
    nbins: int = 256,
    axes: Axes = None,
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
            axes = (-2, -1) if axes is None and gray.ndim > 2 else axes  # no channels are left to be forgotten
        images = _arguments.as_images(img, how.dtypes)
        if images.dtype != np.float32:
            # In place where the gray pictures were made here, which are float64 then.
            return _equalize.equalize(
                images, method="skimage", axes=axes, out=gray, nbins=nbins, num_threads=num_threads
            )
        # The recipe keeps the doubles that np.interp makes of floats, and equalize_hist does not.
        number = _arguments.as_number_of_bins(nbins, images.dtype)
        call = _call.of_planes(images, how.dtypes, axes, None, None, num_threads)
        out = call.give(None, np.dtype(np.float64))
        _equalize.equalize_floats(call, how, number, "raise")
        return out
