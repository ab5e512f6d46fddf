"""Transforms for albumentations, 1.4 and 2.0: its `Equalize`, `CLAHE` and `HistogramMatching` by cheq.

They take what albumentations' own take, uint16 too, and any number of channels where channels are done one by one. They
work on one thread, as they run in the workers of a data loader; ``images``, ``volume`` and ``volumes`` are one call of
cheq, in which each image or slice is done on its own. float32 is taken as albumentations has it, from 0 to 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cheq import clahe, equalize, match_histograms
from cheq._worlds import needed

with needed(__name__, "albumentations"):
    from albumentations.augmentations.utils import read_rgb_image
    from albumentations.core.transforms_interface import ImageOnlyTransform

    # isort: split
    import albucore  # which it needs, as it does cv2
    import cv2

if TYPE_CHECKING:
    from cheq._typing import Array, Color, Method, Outside

__all__ = ["CLAHE", "Equalize", "HistogramMatching"]

_LEVELS = ("opencv", "pillow")  # methods that work on whole levels
_PIXEL = np.zeros((1, 1, 3), np.uint8)  # so that cheq checks what a transform is made with


class _Transform(ImageOnlyTransform):
    """What the three have in common: the mask, and batches."""

    _names: tuple[str, ...]  # of the arguments, but for p

    def __init__(self, mask_key: str | None, outside: Outside, p: float) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p: expected a probability, 0 to 1, got {p!r}")
        equalize(_PIXEL, channel_axis=-1, mask=None if mask_key is None else True, outside=outside)
        super().__init__(p=p)
        self.mask_key, self.outside = mask_key, outside

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        return (*self._names, "mask_key", "outside")

    @property
    def targets_as_params(self) -> list[str]:
        return [] if self.mask_key is None else [self.mask_key]

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        if self.mask_key is None:
            return {}
        mask, (height, width) = np.asarray(data[self.mask_key]) != 0, params["shape"][:2]
        if mask.ndim > 2 and mask.shape[-3:] == (height, width, 1):  # as some have masks
            mask = mask[..., 0]
        return {"counted": mask}

    def apply(self, img: Array, **params: Any) -> Array:
        return self._apply(img, img.ndim > 2, params)

    def apply_to_images(self, images: Array | Sequence[Array], **params: Any) -> Array:
        array = images if isinstance(images, np.ndarray) else np.stack(images)
        return self._apply(array, array.ndim > 3, params)

    def apply_to_volumes(self, volumes: Array | Sequence[Array], **params: Any) -> Array:
        array = volumes if isinstance(volumes, np.ndarray) else np.stack(volumes)
        return self._apply(array, array.ndim > 4, params)

    def _apply(self, images: Array, has_channels: bool, params: dict[str, Any]) -> Array:
        axes = {"axes": (-3, -2), "channel_axis": -1} if has_channels else {"axes": (-2, -1)}
        return self._change(images, params, **axes, mask=params.get("counted"), outside=self.outside, num_threads=1)

    def _change(self, images: Array, params: dict[str, Any], **options: Any) -> Array:
        raise NotImplementedError


class Equalize(_Transform):
    """
    Equalize images, as `albumentations.Equalize` does with ``mode="cv"``.

    Parameters
    ----------
    method : {"opencv", "pillow", "skimage", "numpy"}
        Whose definition is used, as in `cheq.equalize`. ``"pillow"`` gives what Pillow gives, which ``mode="pil"`` of
        albumentations does not. Results have the images' dtype with each.
    by_channels : bool
        Whether each channel is equalized on its own, or Y of YCrCb alone, which uint8 images may have with ``"opencv"``
        and ``"pillow"``.
    mask_key : str, optional
        The argument of the call that has the mask: only pixels where it is not 0 are counted. ``"mask"`` is the mask
        that the pipeline transforms along with the image; another name is passed as it is.
    outside : {"lut", "keep"}
        What pixels outside the mask become: what the lookup table (LUT) says, or they stay as they are.
    p : float
        The probability of doing it.

    Notes
    -----
    float32 images become uint8 for ``"opencv"`` and ``"pillow"`` and float32 again, as in albumentations; the other
    methods take them as they are, and ``"numpy"`` gives 0 to 255.

    A mask of nothing, or of one level, leaves the image as it is; in albumentations such images become 0.

    Examples
    --------
    >>> import albumentations, numpy as np
    >>> from cheq.albumentations import Equalize
    >>> transform = albumentations.Compose([albumentations.HorizontalFlip(), Equalize(p=1)])
    >>> image = np.random.default_rng(0).integers(40, 90, (48, 64, 3), dtype=np.uint8)
    >>> int(transform(image=image)["image"].max())
    255
    """

    _names = ("method", "by_channels")

    def __init__(
        self,
        method: Method = "opencv",
        by_channels: bool = True,
        mask_key: str | None = None,
        outside: Outside = "lut",
        p: float = 0.5,
    ) -> None:
        super().__init__(mask_key, outside, p)
        equalize(_PIXEL, channel_axis=-1, method=method)
        if not (by_channels or method in _LEVELS):
            raise ValueError(f"method: expected 'opencv' or 'pillow' with by_channels=False, got {method!r}")
        self.method, self.by_channels = method, by_channels

    def _change(self, images: Array, params: dict[str, Any], **options: Any) -> Array:
        if not self.by_channels and _in_color(images, options):
            options["color"] = "ycrcb"
        if self.method in _LEVELS:
            return _in_levels(equalize, images, method=self.method, **options)
        return equalize(images, method=self.method, dtype="same", **options)


class CLAHE(_Transform):
    """
    Equalize images tile by tile, as `albumentations.CLAHE` does: `cv2.createCLAHE`.

    Parameters
    ----------
    clip_limit : float or (float, float)
        How many times the average bin a bin of a tile's histogram may hold: a random number from the first to the
        second, for all images of a call the same; one number c is ``(1, c)``.
    tile_grid_size : (int, int)
        The number of columns and of rows of tiles.
    color : {"lab", "ycrcb", "yuv", "channels"}
        What is equalized in color images: the lightness in a color space, L of Lab as in albumentations, or each
        channel. uint16 images take all but ``"lab"``.
    mask_key, outside, p
        As for `Equalize`.

    Notes
    -----
    float32 images become uint8 and float32 again, as in albumentations.
    """

    _names = ("clip_limit", "tile_grid_size", "color")

    def __init__(
        self,
        clip_limit: float | tuple[float, float] = (1, 4),
        tile_grid_size: tuple[int, int] = (8, 8),
        color: Color = "lab",
        mask_key: str | None = None,
        outside: Outside = "lut",
        p: float = 0.5,
    ) -> None:
        super().__init__(mask_key, outside, p)
        limits = (1, clip_limit) if np.ndim(clip_limit) == 0 else clip_limit
        self.clip_limit = _as_range("clip_limit", limits, 0, np.inf)
        clahe(_PIXEL, clip_limit=self.clip_limit[1], tile_grid_size=tile_grid_size, color=color, channel_axis=-1)
        self.tile_grid_size, self.color = tuple(tile_grid_size), color

    def get_params(self) -> dict[str, Any]:
        return {"clip_limit": self.py_random.uniform(*self.clip_limit)}

    def _change(self, images: Array, params: dict[str, Any], **options: Any) -> Array:
        if self.color != "channels" and _in_color(images, options):
            options["color"] = self.color
        return _in_levels(clahe, images, clip_limit=params["clip_limit"], tile_grid_size=self.tile_grid_size, **options)


class HistogramMatching(_Transform):
    """
    Give images the histogram of a reference, as `albumentations.HistogramMatching` does, without resizing it.

    Parameters
    ----------
    reference_images : sequence, optional
        What images are to look like, one of them at random: arrays of any size, or what `read_fn` reads. Without it
        each call gets a list of arrays by `metadata_key`.
    blend_ratio : (float, float)
        How much of the result is the matched image, the rest is the image itself: a random number from the first to the
        second.
    read_fn : callable, optional
        What makes an array of one of the reference images. By default arrays are taken as they are, and paths are read
        as R, G, B.
    metadata_key : str
        The argument of the call that has the references, where `reference_images` is not given.
    mask_key, outside, p
        As for `Equalize`. Of a reference, its pixels under a mask can be passed themselves:
        ``reference[mask][np.newaxis]``.

    Notes
    -----
    As in albumentations, values are cut off to whole levels toward zero, and float32 images and references become uint8
    and float32 again. uint16 images take uint16 references.
    """

    _names = ("reference_images", "blend_ratio", "read_fn", "metadata_key")

    def __init__(
        self,
        reference_images: Sequence[Any] | None = None,
        blend_ratio: tuple[float, float] = (0.5, 1.0),
        read_fn: Callable[[Any], Array] | None = None,
        metadata_key: str = "hm_metadata",
        mask_key: str | None = None,
        outside: Outside = "lut",
        p: float = 0.5,
    ) -> None:
        super().__init__(mask_key, outside, p)
        if reference_images is not None and len(reference_images) == 0:
            raise ValueError("reference_images: expected at least one, got none")
        self.reference_images = reference_images
        self.blend_ratio = _as_range("blend_ratio", blend_ratio, 0, 1)
        self.read_fn, self.metadata_key = read_fn, metadata_key

    def to_dict_private(self) -> dict[str, Any]:
        paths = all(isinstance(one, str) for one in self.reference_images or ())
        if self.read_fn is not None or not paths:
            raise NotImplementedError(
                "HistogramMatching: expected paths as reference_images, and no read_fn, to serialize it; "
                "pass other references in each call, by metadata_key"
            )
        return super().to_dict_private()  # type: ignore[no-any-return]

    @property
    def targets_as_params(self) -> list[str]:
        own = [self.metadata_key] if self.reference_images is None else []
        return own + super().targets_as_params

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        found = super().get_params_dependent_on_data(params, data)
        references = data[self.metadata_key] if self.reference_images is None else self.reference_images
        if len(references) == 0:
            raise ValueError(f"{self.metadata_key}: expected a list of at least one reference, got none")
        # In this order, as albumentations draws them.
        found["reference"] = self._read(self.py_random.choice(references))
        found["blend_ratio"] = self.py_random.uniform(*self.blend_ratio)
        return found

    def _read(self, reference: Any) -> Array:
        if self.read_fn is not None:
            return self.read_fn(reference)
        if isinstance(reference, str | os.PathLike):
            return read_rgb_image(reference)  # type: ignore[no-any-return]
        return np.asarray(reference)

    def _change(self, images: Array, params: dict[str, Any], **options: Any) -> Array:
        reference, ratio = params["reference"], params["blend_ratio"]
        gray = "channel_axis" not in options
        if gray:  # one channel: cut off as in color
            images = images[..., np.newaxis]
            options |= {"axes": (-3, -2), "channel_axis": -1}
        if reference.ndim == 2:
            reference = reference[..., np.newaxis]
        matched = _in_levels(match_histograms, images, reference=_levels(reference), **options)
        if ratio < 1 and images.size > 0:
            matched = _blended(matched, images, ratio)
        return matched[..., 0] if gray else matched


def _as_range(name: str, limits: Any, lowest: float, highest: float) -> tuple[float, float]:
    try:
        low, high = limits
        valid = lowest <= low <= high <= highest
    except (TypeError, ValueError):
        valid = False
    if not valid:
        to = "up" if highest == np.inf else f"to {highest}"
        raise ValueError(f"{name}: expected two numbers in order, from {lowest} {to}, got {limits!r}")
    return low, high


def _in_color(images: Array, options: dict[str, Any]) -> bool:
    """Whether the images have a lightness: channels, and more than one."""
    return "channel_axis" in options and images.shape[-1] > 1


def _in_levels(function: Callable[..., Array], images: Array, **options: Any) -> Array:
    """Call a function that takes whole levels, with floats as albumentations makes 8 bits of them and floats again."""
    result = function(_levels(images), **options)
    return result / np.float32(255) if images.dtype == np.float32 else result


def _levels(images: Array) -> Array:
    """Return float32 in 0..1 as 8 bits, and other images as they are."""
    if images.dtype != np.float32:
        return images
    scaled = np.rint(images * np.float32(255))
    if np.isnan(scaled.max(initial=0)):
        raise ValueError("image: expected float32 in 0..1, got NaN")
    return np.clip(scaled, 0, 255).astype(np.uint8)


def _blended(matched: Array, images: Array, ratio: float) -> Array:
    if images.dtype == np.uint16:  # which albucore does not blend
        flat = matched.reshape(-1, 1), images.reshape(-1, 1)  # cv2 has no arrays of four axes
        blended: Array = cv2.addWeighted(flat[0], ratio, flat[1], 1 - ratio, 0)
        return blended.reshape(images.shape)
    return albucore.add_weighted(matched, ratio, images, 1 - ratio)  # type: ignore[no-any-return]
