"""cheq's functions as transforms of torchvision's second kind, for images, videos, and samples that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cheq import _methods
from cheq._worlds import needed

with needed(__name__, "cheq[torchvision]"):
    import PIL.Image
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import v2

from cheq import torch as _functions

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from torch import Tensor

    from cheq._typing import ClaheMethod, Color, KernelSize, Method, NanPolicy, Outside

    Mask: TypeAlias = Tensor | Literal["sample"] | None
    DType: TypeAlias = Literal["same"] | None

__all__ = ["CLAHE", "Equalize", "MatchHistograms"]

_MODES = ("L", "RGB")


class _OfImages(v2.Transform):
    """What the transforms share: what of a sample is changed, when, and under which mask."""

    def __init__(self, mask: Mask, p: float, **options: Any) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p: expected a probability from 0 to 1, got {p!r}")
        if not (mask is None or isinstance(mask, torch.Tensor) or (isinstance(mask, str) and mask == "sample")):
            raise TypeError(f"mask: expected a torch.Tensor or 'sample', got {mask!r}")
        self.mask, self.p, self.options = mask, p, options

    def change(self, images: Tensor, **options: Any) -> Tensor:
        """Call the function of cheq.torch."""
        raise NotImplementedError

    def check(self, **options: Any) -> None:
        """Raise for options that no image fits, when the transform is made and not in a worker."""
        dtype = torch.uint8 if self.options.get("nbins") in (None, _methods.NBINS) else torch.float32
        mask = None if self.mask is None else torch.ones((16, 16), dtype=torch.bool)
        self.change(torch.zeros((3, 16, 16), dtype=dtype), **self.options | {"mask": mask} | options)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw once for the images of a sample whether they are changed, and find the mask in it."""
        params = {"changes": self.p == 1 or bool(torch.rand(()) < self.p), "mask": self.mask}
        if isinstance(self.mask, str):
            masks = [value for value in flat_inputs if isinstance(value, tv_tensors.Mask)]
            if len(masks) != 1:
                raise ValueError(f"mask: expected one tv_tensors.Mask in each sample, got {len(masks)}")
            params["mask"] = masks[0].as_subclass(torch.Tensor) != 0
        return params

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Return an image or a video changed, anything else as it is."""
        options = {**self.options, **params}  # which graphs of PyTorch 2.6 take, unlike |
        if not options.pop("changes"):
            return inpt
        if isinstance(inpt, PIL.Image.Image):
            return self.change_picture(inpt, options)
        if not isinstance(inpt, tv_tensors.TVTensor):
            return self.change(inpt, **options)
        if not isinstance(inpt, (tv_tensors.Image, tv_tensors.Video)):
            return inpt
        return tv_tensors.wrap(self.change(inpt.as_subclass(torch.Tensor), **options), like=inpt)

    def change_picture(self, picture: PIL.Image.Image, options: dict[str, Any]) -> PIL.Image.Image:
        """Change a picture of PIL's, whose channels are its last axis."""
        if picture.mode not in _MODES:
            raise TypeError(f"picture: expected mode L or RGB, got {picture.mode}; pass picture.convert('RGB')")
        pixels, channel_axis = torch.from_numpy(np.array(picture)), -1
        if picture.mode == "L":
            pixels, channel_axis = pixels[None], -3
        else:
            options = {name: _channels_last(value) for name, value in options.items()}
        result = self.change(pixels, channel_axis=channel_axis, **options)
        if result.dtype != torch.uint8:
            raise TypeError(f"dtype: expected 'same' where pictures are PIL's, which have bytes; got {result.dtype}")
        return PIL.Image.fromarray((result[0] if picture.mode == "L" else result).numpy())

    def extra_repr(self) -> str:
        """Return the options for ``repr``."""
        given = self.options | {"mask": self.mask, "p": self.p}
        return ", ".join(f"{name}={_shown(value)}" for name, value in given.items() if value is not None)


def _channels_last(option: Any) -> Any:
    return option.movedim(-3, -1) if isinstance(option, torch.Tensor) and option.ndim > 2 else option


def _shown(value: Any) -> str:
    return f"tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)


class Equalize(_OfImages):
    """
    Equalize the histogram of every image: `cheq.torch.equalize` as a transform.

    It changes ``tv_tensors.Image`` and ``tv_tensors.Video``, PIL images of mode L and RGB, and of plain tensors those
    that torchvision's own transforms take for images: the first one, in samples that have no image of the other kinds.
    Boxes, masks, labels and all else are returned as they are. Tensors are in the CPU's memory, (..., channels, height,
    width) or (height, width).

    Parameters
    ----------
    method : {"opencv", "pillow", "skimage", "numpy"}
        Whose definition is used. ``"pillow"`` gives what ``v2.functional.equalize`` gives for uint8. ``"skimage"`` and
        ``"numpy"`` give floats, unless `dtype` is ``"same"``.
    color : {"channels", "ycrcb", "yuv", "lab"}, optional
        What is equalized: every channel on its own, or the lightness of R, G, B.
    mask : torch.Tensor of bool or "sample", optional
        Which pixels are counted: those under True, in all images alike, such as the disk that a lens shows; or
        ``"sample"``: those where the one ``tv_tensors.Mask`` of the sample is not 0.
    outside : {"lut", "keep"}, optional
        What pixels outside `mask` become: what the lookup table says, or they keep their value.
    dtype : None or "same", optional
        ``"same"`` keeps the images' dtype; PIL images need it with ``"skimage"`` and ``"numpy"``.
    nbins, nan_policy
        For floats, as for `cheq.equalize`.
    num_threads : int or None, default: 1
        The most threads to use; more than one seldom pays for single images, or where ``DataLoader`` has workers.
    p : float, default: 1.0
        The probability with which a sample is changed; all its images are, or none. Below 1 it is drawn by PyTorch's
        generator, which ``torch.manual_seed`` sets.

    Raises
    ------
    TypeError, ValueError
        For options that no image fits, when the transform is made; and from `cheq.torch.equalize` for a tensor, such as
        floats with ``"opencv"``. TypeError for PIL images of other modes; ValueError for a sample with no mask, or with
        several, where `mask` is ``"sample"``.

    Examples
    --------
    >>> import cheq, torch
    >>> from torchvision.transforms import v2
    >>> prepare = v2.Compose([v2.Resize(32), cheq.torchvision.Equalize(), v2.ToDtype(torch.float32, scale=True)])
    >>> prepare(torch.zeros(3, 48, 64, dtype=torch.uint8)).shape
    torch.Size([3, 32, 42])
    """

    def __init__(
        self,
        *,
        method: Method = "opencv",
        color: Color = "channels",
        mask: Mask = None,
        outside: Outside = "lut",
        dtype: DType = None,
        nbins: int = _methods.NBINS,
        nan_policy: NanPolicy = "raise",
        num_threads: int | None = 1,
        p: float = 1.0,
    ) -> None:
        super().__init__(
            mask,
            p,
            method=method,
            color=color,
            outside=outside,
            dtype=dtype,
            nbins=nbins,
            nan_policy=nan_policy,
            num_threads=num_threads,
        )
        self.check()

    def change(self, images: Tensor, **options: Any) -> Tensor:
        """Call `cheq.torch.equalize`."""
        return _functions.equalize(images, **options)


class CLAHE(_OfImages):
    """
    Equalize every image locally (CLAHE): `cheq.torch.clahe` as a transform.

    Of a sample it changes what `Equalize` does.

    Parameters
    ----------
    clip_limit : float or (float, float), optional
        How much of a tile a bin of its histogram may hold, as for `cheq.clahe`; by default 40.0 with ``"opencv"`` and
        0.01 with ``"skimage"``. A pair, (low, high) from 0 up: for each sample, all its images together, a limit is
        drawn between these, uniformly, by PyTorch's generator, which ``torch.manual_seed`` sets.
    tile_grid_size : (int, int), default: (8, 8)
        With ``"opencv"``: the number of columns and of rows of tiles.
    method, kernel_size, nbins
        As for `cheq.clahe`.
    color, mask, outside, dtype, num_threads, p
        As for `Equalize`.

    Raises
    ------
    TypeError, ValueError
        As from `Equalize`, and from `cheq.torch.clahe`.

    Examples
    --------
    >>> import cheq, torch
    >>> clear = cheq.torchvision.CLAHE(clip_limit=(1.0, 4.0), color="lab", p=0.5)
    >>> clear(torch.zeros(3, 48, 64, dtype=torch.uint8)).shape
    torch.Size([3, 48, 64])
    """

    def __init__(
        self,
        *,
        clip_limit: float | tuple[float, float] | None = None,
        tile_grid_size: tuple[int, int] | None = None,
        method: ClaheMethod = "opencv",
        kernel_size: KernelSize = None,
        nbins: int | None = None,
        color: Color = "channels",
        mask: Mask = None,
        outside: Outside = "lut",
        dtype: DType = None,
        num_threads: int | None = 1,
        p: float = 1.0,
    ) -> None:
        super().__init__(
            mask,
            p,
            clip_limit=clip_limit,
            tile_grid_size=tile_grid_size,
            method=method,
            kernel_size=kernel_size,
            nbins=nbins,
            color=color,
            outside=outside,
            dtype=dtype,
            num_threads=num_threads,
        )
        self.limits = _as_limits(clip_limit)
        for limit in self.limits or (clip_limit,):
            self.check(clip_limit=limit)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the limit as well."""
        params = super().make_params(flat_inputs)
        if self.limits is not None:
            # It stays a tensor, which torch.compile can draw.
            params["clip_limit"] = torch.empty((), dtype=torch.float64).uniform_(*self.limits)
        return params

    def change(self, images: Tensor, **options: Any) -> Tensor:
        """Call `cheq.torch.clahe`."""
        return _functions.clahe(images, **options)


def _as_limits(clip_limit: Any) -> tuple[float, float] | None:
    """Return the lowest and the highest limit to draw, or None for a single one."""
    if not isinstance(clip_limit, (tuple, list)):
        return None
    try:
        low, high = map(float, clip_limit)
    except (TypeError, ValueError):
        low, high = 1, 0
    if not 0 <= low <= high:
        raise ValueError(f"clip_limit: expected a number, or (low, high) with 0 <= low <= high, got {clip_limit!r}")
    return low, high


class MatchHistograms(_OfImages):
    """
    Give every image the histogram of a reference: `cheq.torch.match_histograms` as a transform.

    Of a sample it changes what `Equalize` does.

    Parameters
    ----------
    reference : torch.Tensor or PIL image
        What images are to look like, of their dtype and with as many channels: (channels, height, width), of any size.
        Either this or `reference_histogram`.
    reference_histogram : torch.Tensor, shape (levels,) or (channels, levels)
        The same for integers, as counts or weights.
    color : {"channels", "ycrcb", "yuv", "lab"}, optional
        What is matched: every channel to its own of the reference, or the lightness of R, G, B.
    mask, outside, num_threads, p
        As for `Equalize`.
    reference_mask : torch.Tensor of bool, optional
        Which pixels of the reference are counted.
    dtype : "same" or None, default: "same"
        ``"same"``: integers become the nearest level. None: they are cut off, as scikit-image does it.

    Raises
    ------
    TypeError, ValueError
        As from `Equalize`, and from `cheq.torch.match_histograms`.

    Examples
    --------
    >>> import cheq, torch
    >>> day = torch.arange(100, 250, 2, dtype=torch.uint8).repeat(3, 50, 1)  # (3, 50, 75)
    >>> like_day = cheq.torchvision.MatchHistograms(day)
    >>> int(like_day(torch.arange(96, dtype=torch.uint8).reshape(3, 4, 8)).max())
    248
    """

    def __init__(
        self,
        reference: Tensor | PIL.Image.Image | None = None,
        *,
        reference_histogram: Tensor | None = None,
        color: Color = "channels",
        mask: Mask = None,
        reference_mask: Tensor | None = None,
        outside: Outside = "lut",
        dtype: DType = "same",
        num_threads: int | None = 1,
        p: float = 1.0,
    ) -> None:
        if isinstance(reference, PIL.Image.Image):
            reference = v2.functional.pil_to_tensor(reference)
        elif isinstance(reference, tv_tensors.TVTensor):
            reference = reference.as_subclass(torch.Tensor)
        super().__init__(
            mask,
            p,
            reference=reference,
            reference_histogram=reference_histogram,
            reference_mask=reference_mask,
            color=color,
            outside=outside,
            dtype=dtype,
            num_threads=num_threads,
        )
        self.check()

    def change(self, images: Tensor, **options: Any) -> Tensor:
        """Call `cheq.torch.match_histograms`."""
        return _functions.match_histograms(images, **options)

    def check(self, **options: Any) -> None:
        """Match the reference to itself, or an image of its levels to its histogram."""
        image, histogram = self.options["reference"], self.options["reference_histogram"]
        if image is None:
            words = isinstance(histogram, torch.Tensor) and histogram.shape[-1:] == (1 << 16,)
            image = torch.zeros((3, 1, 1), dtype=torch.uint16 if words else torch.uint8)
        mask = None if self.mask is None else torch.ones((1, 1), dtype=torch.bool)
        self.change(image, **self.options | {"mask": mask} | options)
