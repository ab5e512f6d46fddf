"""Equalize: integer planes by a LUT, float planes by bins and interpolation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, overload

import numpy as np

from cheq import _arguments, _call, _color, _methods
from cheq._core import color as _lightness
from cheq._core import floating, integer
from cheq._core.integer import equalize_usual

if TYPE_CHECKING:
    from typing import Any, Literal, Unpack

    import numpy.typing as npt

    from cheq._call import Call, Work
    from cheq._typing import (
        Array,
        ArrayLike,
        Axes,
        Color,
        DType,
        Level,
        Method,
        NanPolicy,
        Options,
        Outside,
        Scalar,
    )

NAN_POLICIES = ("raise", "omit")


@overload
def equalize(
    images: npt.NDArray[Scalar],
    *,
    dtype: Literal["same"],
    method: Method = ...,
    out: Array | None = ...,
    **options: Unpack[Options],
) -> npt.NDArray[Scalar]: ...
@overload
def equalize(
    images: npt.NDArray[Level],
    *,
    method: Literal["opencv", "pillow"] = ...,
    dtype: DType = ...,
    out: Array | None = ...,
    **options: Unpack[Options],
) -> npt.NDArray[Level]: ...
@overload
def equalize(
    images: npt.NDArray[np.float32],
    *,
    method: Literal["skimage"],
    dtype: None = ...,
    out: Array | None = ...,
    **options: Unpack[Options],
) -> npt.NDArray[np.float32]: ...
@overload
def equalize(
    images: Array,
    *,
    method: Literal["skimage", "numpy"],
    dtype: None = ...,
    out: Array | None = ...,
    **options: Unpack[Options],
) -> npt.NDArray[np.float64]: ...
@overload
def equalize(
    images: ArrayLike, *, method: Method = ..., dtype: DType = ..., out: Array | None = ..., **options: Unpack[Options]
) -> Array: ...
def equalize(
    images: ArrayLike,
    *,
    method: Method = "opencv",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    outside: Outside = "lut",
    out: Array | None = None,
    dtype: DType = None,
    nbins: int = _methods.NBINS,
    nan_policy: NanPolicy = "raise",
    num_threads: int | None = None,
) -> Array:
    """
    Equalize the histogram of every image of a batch.

    Parameters
    ----------
    images : array_like, shape (..., height, width)
        One image or a batch with any number of batch axes, of a dtype that the method takes. Any strides are
        taken without a copy; the array is not changed (unless it is `out`).
    method : {"opencv", "pillow", "skimage", "numpy"}
        Whose definition is used. Each gives, byte for byte, what its library gives for each plane, the pixels
        that share one histogram:

        - ``"opencv"``: ``cv2.equalizeHist``, for uint8. uint16, which OpenCV does not take, becomes uint16 by
          the same formula with 65535.
        - ``"pillow"``: ``PIL.ImageOps.equalize``, for uint8 (so also torchvision's and kornia's answer).
        - ``"skimage"``: ``skimage.exposure.equalize_hist``, for bool, 8-bit and 16-bit integers, float32 and
          float64. The result is the cumulative distribution function (CDF: the share of pixels at or below a
          value), 0..1, float32 for float32 and else float64.
        - ``"numpy"``: the NumPy recipe, often copied: ``np.histogram(image, 256, density=True)``, its cumulative
          sum scaled to 0..255, ``np.interp`` at the bins' left edges; for 8-bit and 16-bit integers, float32 and
          float64. The result is float64.
    color : {"channels", "ycrcb", "yuv", "lab"}, optional
        What is equalized in color images: every channel on its own, a fourth one too; or their lightness:
        R, G, B (uint8, 3 or 4 channels, ``"opencv"`` or ``"pillow"``) become Y, Cr, Cb or Y, U, V or L, a, b, the
        first of these is equalized, and they become R, G, B again, as with ``cv2.cvtColor``; a fourth channel is kept
        as it is.
    axes : int or tuple of int, optional
        The axes of a plane: the pixels that share one histogram. By default the last two, not counting
        `channel_axis`. ``axes=(-3, -2, -1)`` equalizes volumes.
    channel_axis : int, optional
        The axis of R, G, B: each channel is equalized on its own, as split, equalize and merge do, unless
        `color` says otherwise.
    mask : array_like of bool, optional
        Only pixels under True are counted; the lookup table (LUT: for each old level the new one) that follows
        from them is applied to all, unless `outside` says otherwise. It broadcasts against the images' shape or, with
        `channel_axis` and fewer axes than the images or another `color`, against their shape without the channel
        axis. With ``"opencv"`` levels below the lowest counted one become 0. A plane without a counted pixel
        is returned unchanged where the result has the images' dtype and is integer, else it becomes NaN; one with a
        single counted level is unchanged with ``"opencv"`` and ``"pillow"``.
    outside : {"lut", "keep"}, optional
        What pixels outside `mask` become. ``"lut"``: what the LUT says. ``"keep"``: they keep their value, as a number
        in the result's dtype, in all channels and also where `out` is another array than `images`.
    out : ndarray, shape of images, optional
        Where the result is written, of the result's dtype; `images` itself works in place where dtypes
        agree. With other overlapping memory the result is as if `images` had been copied first.
    dtype : None, "same" or the images' dtype, optional
        ``"same"``, or their dtype itself, keeps the images' dtype with ``"skimage"`` and ``"numpy"`` too. For
        integers the result is then ``min + rint(c * (max - min))`` of the dtype's limits and the CDF c in 0..1.
    nbins : int, optional
        The number of bins for float images with ``"skimage"`` and ``"numpy"``. Integers have one bin for each level.
    nan_policy : {"raise", "omit"}, optional
        For float images with NaN or infinities among the counted pixels: an error, or they are not counted;
        NaN then stays NaN (also with one bin, where np.interp gives a number) and infinities become the ends of
        the CDF.
    num_threads : int, optional
        The most threads to use. By default as many as OpenMP's limit, the CPU affinity and the cgroup's CPU quota
        all allow, and one for small work. Always one in a forked process.

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
        one too narrow for `nbins` different edges. Also if neither `axes` nor `channel_axis` is given for images
        of three or more axes whose last looks like channels: 3 or 4 long, or 1 after a height and a width of 16 or
        more, or if `outside` is ``"keep"`` without a mask. Nothing has been written then.

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

    Results for floats are those of NumPy 2, whose bins of float32 differ from those of NumPy 1.

    Ctrl-C (``KeyboardInterrupt``) during a long call leaves each plane of `out` either finished or untouched: one that
    is being written is finished first, which takes some seconds a gigapixel. Without `out` no plane is waited for.

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
    usual = equalize_usual(
        images, method, color, axes, channel_axis, mask, outside, out, dtype, nbins, nan_policy, num_threads
    )
    if usual is not None:
        return usual
    call, kind, work = check(
        images, method, color, axes, channel_axis, mask, outside, dtype, nbins, nan_policy, num_threads
    )
    result = call.give(out, kind)
    work()
    return result


def check(
    images: ArrayLike,
    method: Method = "opencv",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = None,
    mask: ArrayLike | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    nbins: int = _methods.NBINS,
    nan_policy: NanPolicy = "raise",
    num_threads: int | None = None,
) -> tuple[Call, np.dtype[Any], Work]:
    """Check all arguments of `equalize` but ``out``, without reading a pixel.

    Returns the call, the result's dtype, and the work, to be done once the call has its result.
    """
    how = _methods.of(method)
    color = _color.as_color(color)
    nan_policy = _arguments.as_choice("nan_policy", nan_policy, NAN_POLICIES)
    keeps = _arguments.keeps(outside, mask)
    work: Work
    if color == "channels":
        call = _call.of_planes(images, how.dtypes, axes, channel_axis, mask, num_threads, others=_methods.TAKEN)
    else:
        _color.refuse_floats(color, how)
        call = _color.of_images(images, color, _color.BYTES, axes, channel_axis, mask, num_threads)
    call.keeps = keeps
    kind = call.images.dtype
    same, nbins = dtype is not None and _arguments.is_same(dtype, kind), _arguments.as_number_of_bins(nbins, kind)
    if color != "channels":  # conversions round: an image whose lightness stays may change all the same
        work = partial(_lightness.equalize, call, _lightness.SPACES[color], how.maker)
    elif kind.kind in "fb":
        work = partial(equalize_floats, call, how, nbins, nan_policy)
    else:
        work = partial(integer.equalize, call, how.maker)
    return call, how.result(kind, same), work


def equalize_floats(
    call: Call,
    how: _methods.Method,
    nbins: int,
    nan_policy: NanPolicy,
    cdf: npt.NDArray[np.float64] | None = None,
    points: npt.NDArray[np.float64] | None = None,
) -> None:
    """Equalize planes of floats, or of bool, which scikit-image counts as floats, and give their distributions.

    Raises for a plane that has no answer; nothing has been written then.
    """
    if call.images.dtype == np.bool_:
        call.images = call.images.astype(np.float64)  # what np.histogram counts bools as, and np.interp looks up
    wrong = floating.equalize(call, cdf, points, how.maker, nbins, nan_policy == "omit")
    if wrong is not None:
        raise without_bins(call.batch, nbins, *wrong)


def without_bins(batch: tuple[int, ...], nbins: int, plane: int, what: int) -> ValueError:
    index = tuple(map(int, np.unravel_index(plane, batch))) if batch else ()
    where = f" in plane {index}" if batch else ""
    if what == floating.NO_BINS:
        return ValueError(
            f"images: expected a range of values with room for {nbins} bins, got too many bins for data range{where}"
        )
    found = "NaN" if what == floating.NAN_FOUND else "an infinity"
    return ValueError(f"images: expected finite values, got {found}{where}; pass nan_policy='omit' to leave it out")
