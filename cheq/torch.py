"""cheq's functions for PyTorch's tensors in the CPU's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import cheq
from cheq import _arguments, _call, _clahe, _equalize, _match, _methods
from cheq._worlds import needed

with needed(__name__, "cheq[torch]"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Literal, TypeAlias

    from torch import Tensor

    from cheq._typing import Array, Axes, ClaheMethod, Color, KernelSize, Method, NanPolicy, Outside

    DType: TypeAlias = Literal["same"] | torch.dtype | None

__all__ = ["clahe", "equalize", "match_histograms"]

_CHANNELS = -3  # where PyTorch has them: (..., channels, height, width)

# NumPy's dtype for each of PyTorch's that has one, and the other way.
_DTYPES = {
    getattr(torch, dtype): np.dtype(dtype)
    for dtype in (
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
}
_TENSORS = {dtype: of_tensors for of_tensors, dtype in _DTYPES.items()}

# What cheq's messages propose for arrays, and what does the same for tensors. A shift needs signed integers there.
_WORDS = {
    "np.rint(": "torch.round(",
    "np.isfinite(": "torch.isfinite(",
    "np.asarray(": "torch.asarray(",
    "astype(np.": "to(torch.",
    "=np.": "=torch.",
    " >> ": ".long() >> ",
}


def equalize(
    images: Tensor,
    *,
    method: Method = "opencv",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = _CHANNELS,
    mask: Tensor | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    nbins: int = _methods.NBINS,
    nan_policy: NanPolicy = "raise",
    num_threads: int | None = 1,
) -> Tensor:
    """
    Equalize the histogram of every image of a batch: `cheq.equalize` for tensors.

    Parameters
    ----------
    images : torch.Tensor, shape (..., channels, height, width) or (height, width)
        In the CPU's memory, of any strides and of a dtype that the method takes. It is read where it is and not
        changed.
    method, color, outside, nbins, nan_policy
        As for `cheq.equalize`; ``method="pillow"`` gives what torchvision's ``equalize`` gives for uint8.
    axes : int or tuple of int, optional
        The axes of a plane: the pixels that share one histogram. By default the last two, not counting `channel_axis`.
    channel_axis : int or None, default: -3
        The axis of the channels, each of which is equalized on its own unless `color` says otherwise. A tensor of two
        axes has none. Sizes do not matter: that of (N, H, W) is the first. This is the same as None, no channels, but
        for `color`, and for masks of fewer axes. Volumes (N, C, D, H, W) need ``axes=(-3, -2, -1)`` and
        ``channel_axis=-4``, or None.
    mask : torch.Tensor of bool, optional
        Only pixels under True are counted. It broadcasts against the images' shape or, with fewer axes, against their
        shape without the channel axis: (N, H, W) for (N, C, H, W).
    dtype : None, "same" or the images' torch.dtype, optional
        ``"same"`` keeps the images' dtype with ``"skimage"`` and ``"numpy"`` too.
    num_threads : int or None, default: 1
        The most threads to use; None: as many as `cheq.equalize` would. One, because ``DataLoader`` workers and
        PyTorch's own threads share the cores.

    Returns
    -------
    torch.Tensor, shape of images
        New and contiguous, with the same bytes as `cheq.equalize` gives. A subclass stays what PyTorch makes of it.

    Raises
    ------
    TypeError
        If an argument is not a tensor, is not in the CPU's memory, requires a gradient, is sparse, quantized or nested,
        or if its dtype is not one that the method takes.
    ValueError
        As for `cheq.equalize`.

    Notes
    -----
    Under ``torch.compile``, ``torch.export`` and ``torch.func.vmap`` (an image after the other) it is the operator
    ``torch.ops.cheq.equalize``: a graph has one node for it, for sizes that are dynamic too. Errors are then raised
    when the graph is made, or when it runs where they depend on sizes that are not known before. There is no gradient.

    Examples
    --------
    >>> import cheq, torch
    >>> faces = torch.arange(40, 72, dtype=torch.uint8).repeat(8, 3, 32, 1)  # (8, 3, 32, 32)
    >>> equalized = cheq.torch.equalize(faces)
    >>> int(equalized.min()), int(equalized.max())
    (0, 255)
    """
    return _EQUALIZE(
        images=images,
        method=method,
        color=color,
        axes=axes,
        channel_axis=channel_axis,
        mask=mask,
        outside=outside,
        dtype=dtype,
        nbins=nbins,
        nan_policy=nan_policy,
        num_threads=num_threads,
    )


def clahe(
    images: Tensor,
    *,
    clip_limit: float | Tensor | None = None,
    tile_grid_size: Iterable[int] | None = None,
    method: ClaheMethod = "opencv",
    kernel_size: KernelSize = None,
    nbins: int | None = None,
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = _CHANNELS,
    mask: Tensor | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    num_threads: int | None = 1,
) -> Tensor:
    """
    Equalize every image of a batch locally (CLAHE): `cheq.clahe` for tensors.

    Parameters
    ----------
    images : torch.Tensor, shape (..., channels, height, width) or (height, width)
        As for `equalize`.
    clip_limit : float or torch.Tensor, optional
        One for all, or with ``"opencv"`` a tensor that broadcasts to the batch shape: of shape (N, C) for a limit a
        plane of (N, C, H, W), of shape (N,) for one an image.
    tile_grid_size, method, kernel_size, nbins, color, outside
        As for `cheq.clahe`.
    axes, channel_axis, mask, dtype, num_threads
        As for `equalize`.

    Returns
    -------
    torch.Tensor, shape of images
        As from `equalize`.

    Raises
    ------
    TypeError, ValueError
        As from `equalize` and `cheq.clahe`.

    Notes
    -----
    As for `equalize`; the operator is ``torch.ops.cheq.clahe``.

    Examples
    --------
    >>> import cheq, torch
    >>> scans = torch.arange(90, 122, dtype=torch.uint8).repeat(8, 1, 32, 1)  # (8, 1, 32, 32)
    >>> clear = cheq.torch.clahe(scans, clip_limit=torch.linspace(1, 4, 8))  # a limit an image
    """
    return _CLAHE(
        images=images,
        clip_limit=clip_limit,
        tile_grid_size=tile_grid_size,
        method=method,
        kernel_size=kernel_size,
        nbins=nbins,
        color=color,
        axes=axes,
        channel_axis=channel_axis,
        mask=mask,
        outside=outside,
        dtype=dtype,
        num_threads=num_threads,
    )


def match_histograms(
    images: Tensor,
    reference: Tensor | None = None,
    *,
    reference_histogram: Tensor | None = None,
    method: Literal["skimage"] = "skimage",
    color: Color = "channels",
    axes: Axes = None,
    channel_axis: int | None = _CHANNELS,
    mask: Tensor | None = None,
    reference_mask: Tensor | None = None,
    outside: Outside = "lut",
    dtype: DType = None,
    num_threads: int | None = 1,
) -> Tensor:
    """
    Give every image of a batch the histogram of a reference: `cheq.match_histograms` for tensors.

    Parameters
    ----------
    images : torch.Tensor, shape (..., channels, height, width) or (height, width)
        As for `equalize`.
    reference : torch.Tensor, shape (..., channels, height, width) or (height, width)
        Of the images' dtype and as many channels: one image of any size for all, or one for each. Either this or
        `reference_histogram`.
    reference_histogram : torch.Tensor, shape (levels,) or batch shape + (levels,)
        What images of integers are to look like, as counts or weights: as for `cheq.match_histograms`.
    method, color, outside
        As for `cheq.match_histograms`.
    axes, mask, num_threads
        As for `equalize`.
    channel_axis : int or None, default: -3
        As for `equalize`, and each channel is matched to the same one of the reference. Pass None for gray images
        (N, H, W), whose reference is (H, W).
    reference_mask : torch.Tensor of bool, optional
        Which pixels of the reference are counted.
    dtype : None, "same" or the images' torch.dtype, optional
        ``"same"``: the images' dtype, integers rounded to the nearest level. None: scikit-image's dtypes. With channels
        they are the images', integers cut off; without, float64, or float32 for float32.

    Returns
    -------
    torch.Tensor, shape of images
        As from `equalize`.

    Raises
    ------
    TypeError, ValueError
        As from `equalize` and `cheq.match_histograms`.

    Notes
    -----
    As for `equalize`; the operator is ``torch.ops.cheq.match_histograms``.

    Examples
    --------
    >>> import cheq, torch
    >>> night = torch.arange(40, 72, dtype=torch.uint8).repeat(8, 3, 32, 1)  # (8, 3, 32, 32)
    >>> day = torch.arange(100, 250, 2, dtype=torch.uint8).repeat(3, 50, 1)  # (3, 50, 75)
    >>> cheq.torch.match_histograms(night, day, dtype="same").shape
    torch.Size([8, 3, 32, 32])
    """
    return _MATCH(
        images=images,
        reference=reference,
        reference_histogram=reference_histogram,
        method=method,
        color=color,
        axes=axes,
        channel_axis=channel_axis,
        mask=mask,
        reference_mask=reference_mask,
        outside=outside,
        dtype=dtype,
        num_threads=num_threads,
    )


# ---------------------------------------------------------------- tensors


def _check_kind(name: str, value: object, function: str) -> None:
    if isinstance(value, torch.Tensor):
        if value.is_nested:
            raise TypeError(f"{name}: expected a dense tensor, got a nested one; pass each of {name}.unbind()")
        return
    hint = ""
    if isinstance(value, np.ndarray):
        own = f"call cheq.{function}, or " if name == "images" else ""
        hint = f"; {own}pass torch.as_tensor({name})"
    kind = type(value)
    raise TypeError(f"{name}: expected a torch.Tensor, got {kind.__module__}.{kind.__qualname__}{hint}")


def _check_memory(name: str, tensor: Tensor) -> None:
    """Raise unless NumPy can read a tensor's memory."""
    if not tensor.is_cpu and tensor.device.type != "cpu":  # a fake tensor is not, and has the other's device
        hint = "" if tensor.device.type == "meta" else f"; pass {name}.cpu()"
        raise TypeError(f"{name}: expected a tensor in the CPU's memory, got one on {tensor.device}{hint}")
    if tensor.requires_grad:
        raise TypeError(
            f"{name}: expected a tensor without requires_grad, for there is no gradient; pass {name}.detach()"
        )
    if tensor.layout is not torch.strided:
        raise TypeError(f"{name}: expected a dense tensor, got {tensor.layout}; pass {name}.to_dense()")
    if tensor.is_quantized:
        raise TypeError(f"{name}: expected a tensor of numbers, got a quantized one; pass {name}.int_repr()")
    if tensor.dtype not in _DTYPES:
        taken = _arguments.listed(_methods.SKIMAGE.dtypes)
        raise TypeError(f"{name}: expected dtype {taken}, got {tensor.dtype}; convert with {name}.to(torch.float32)")


def _as_array(name: str, tensor: Tensor) -> Array:
    _check_memory(name, tensor)
    array: Array = tensor.numpy()
    return array


def _in_words_of_torch(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a function of cheq's, whose messages then propose what works with tensors."""
    try:
        return function(**arguments)
    except (TypeError, ValueError) as error:
        message = str(error)
        for of_numpy, of_torch in _WORDS.items():
            message = message.replace(of_numpy, of_torch)
        raise type(error)(message) from None


# ---------------------------------------------------------------- operators


class _Operator:
    """A function of cheq's for tensors: called at once, or where PyTorch traces by an operator, a node of its graph.

    ``schema`` has the operator's arguments: the function's, each of one type, and ``clip_limits`` for a tensor of them.
    """

    def __init__(self, function: Callable[..., Array], check: Callable[..., Any], schema: str) -> None:
        self.function, self.check = function, check
        kinds = [argument.split() for argument in schema.split(", ")]
        self.names = [name for _, name in kinds]
        self.needed = [name for kind, name in kinds if kind == "Tensor"]
        self.tensors = [name for kind, name in kinds if kind in ("Tensor", "Tensor?") and name != "clip_limits"]
        self.operator = torch.library.custom_op(
            f"cheq::{function.__name__}", self.run, mutates_args=(), device_types="cpu", schema=f"({schema}) -> Tensor"
        )
        self.operator.register_fake(self.run_fake)
        self.operator.register_vmap(self.run_one_by_one)

    def __call__(self, **arguments: Any) -> Tensor:
        for name in self.tensors:
            if arguments[name] is not None or name in self.needed:
                _check_kind(name, arguments[name], self.function.__name__)
        images, dtype = arguments["images"], arguments["dtype"]
        if images.ndim == 2 and arguments["channel_axis"] == _CHANNELS:
            arguments["channel_axis"] = None
        if isinstance(dtype, torch.dtype):
            arguments["dtype"] = str(dtype).removeprefix("torch.")
        if torch.compiler.is_compiling() or type(images) is not torch.Tensor:
            return self.traced(arguments)
        try:
            return self.called(arguments)
        except RuntimeError:  # no memory of its own, as under vmap
            return self.traced(arguments)

    def called(self, arguments: dict[str, Any]) -> Tensor:
        arrays = arguments.copy()
        for name, value in arguments.items():
            if isinstance(value, torch.Tensor):
                arrays[name] = _as_array(name, value)
        return torch.from_numpy(_in_words_of_torch(self.function, arrays))

    def traced(self, arguments: dict[str, Any]) -> Tensor:
        """Call the operator."""
        axes, size, limit = (arguments.get(name) for name in ("axes", "kernel_size", "clip_limit"))
        if axes is not None:
            axes = arguments["axes"] = [axes] if isinstance(axes, int) else list(axes)
        if isinstance(size, (int, float)):
            arguments["kernel_size"] = [size] * (2 if axes is None else len(axes))
        if isinstance(limit, torch.Tensor):
            arguments["clip_limit"], arguments["clip_limits"] = None, limit
        return self.operator(*[arguments.get(name) for name in self.names])

    # What the operator does, whose arguments come by position.

    def named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        arguments = dict(zip(self.names, values, strict=True))
        limits = arguments.pop("clip_limits", None)
        return arguments if limits is None else arguments | {"clip_limit": limits}

    def run(self, *values: Any) -> Tensor:
        return self.called(self.named(values))

    def run_fake(self, *values: Any) -> Tensor:
        """Check what is known without pixels, and return a tensor like the result, without memory as well."""
        arguments = self.named(values)
        _, dtype, _ = _in_words_of_torch(self.check, _with_stand_ins(arguments))
        images = arguments["images"]
        return images.new_empty(images.shape, dtype=_TENSORS[dtype])

    def run_one_by_one(self, about: Any, in_dims: tuple[int | None, ...], *values: Any) -> tuple[Tensor, int]:
        """Call the operator for each image of vmap's, whose axis may be anywhere in any of the tensors."""
        pairs = list(zip(values, in_dims, strict=True))
        results = [
            self.operator(*[value if axis is None else value.select(axis, index) for value, axis in pairs])
            for index in range(about.batch_size)
        ]
        return torch.stack(results), 0


def _with_stand_ins(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with arrays that take no memory in place of tensors that have none.

    Where a size is not known before the graph runs, which checks it then, they have sizes that fit.
    """
    tensors = {name: value for name, value in arguments.items() if isinstance(value, torch.Tensor)}
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if not all(type(length) is int for shape in shapes.values() for length in shape):
        images, channel = shapes["images"], arguments["channel_axis"]
        fits = [16] * len(images)
        if channel is not None and -len(images) <= channel < len(images):
            fits[channel] = 3
        like_images = tuple(length if type(length) is int else fit for length, fit in zip(images, fits, strict=True))
        levels = (_methods.levels_of(_DTYPES.get(tensors["images"].dtype, np.dtype(np.uint8))),)
        like = {"images": like_images, "reference": like_images, "reference_histogram": levels}
        shapes = {name: like.get(name, ()) for name in shapes}
    stand_ins = {}
    for name, tensor in tensors.items():
        _check_memory(name, tensor)
        stand_ins[name] = _call.stand_in(shapes[name], _DTYPES[tensor.dtype])
    return arguments | stand_ins


_EQUALIZE = _Operator(
    cheq.equalize,
    _equalize.check,
    "Tensor images, str method, str color, int[]? axes, int? channel_axis, Tensor? mask, str outside, str? dtype, "
    "int nbins, str nan_policy, int? num_threads",
)
_CLAHE = _Operator(
    cheq.clahe,
    _clahe.check,
    "Tensor images, float? clip_limit, int[]? tile_grid_size, str method, float[]? kernel_size, int? nbins, str color, "
    "int[]? axes, int? channel_axis, Tensor? mask, str outside, str? dtype, int? num_threads, Tensor? clip_limits",
)
_MATCH = _Operator(
    cheq.match_histograms,
    _match.check,
    "Tensor images, Tensor? reference, Tensor? reference_histogram, str method, str color, int[]? axes, "
    "int? channel_axis, Tensor? mask, Tensor? reference_mask, str outside, str? dtype, int? num_threads",
)
