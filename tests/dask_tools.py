"""What the tests of cheq.dask share: images, their planes, chunks and masks, and the comparison with cheq in memory."""

import numpy as np
import pytest
from pixel_tools import assert_bits

dask = pytest.importorskip("dask", reason="dask is not installed")
da = pytest.importorskip("dask.array", reason="dask[array] is not installed")

SHAPE = (3, 9, 10, 4)
PLANES = (
    {"axes": (-2, -1)},
    {"axes": (0, 1, 2, 3)},
    {"axes": (0, 2), "channel_axis": -1},
    {"axes": [3]},
    {"channel_axis": -1},
    {"channel_axis": 1},
)
CHUNKS = (-1, (1, 9, 10, 4), (3, 9, 10, 1), (2, 5, 4, 3), ((3, 0), (0, 9), (4, 0, 6), (2, 2)))
MASKS = (None, "dask", "without channels", "broadcast", "a plane without")


def planes_of(dtype):
    """Planes that are few where each of their chunks has a histogram of half a MiB."""
    return PLANES[1:3] if dtype in ("uint16", "int16") else PLANES


def images_of(dtype, shape=SHAPE, seed=0):
    """Images whose planes have many levels, but one of one level; floats have both zeros and large values."""
    random, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if dtype.kind == "f":
        images = random.normal(size=shape).astype(dtype)
        images[..., :2] = 0.0, -0.0
    elif dtype.kind == "b":
        images = random.random(shape) < 0.3
    else:
        limits = np.iinfo(dtype)
        images = random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        images = np.minimum(images, random.integers(limits.min, limits.max, shape, dtype))
    images[0, :2] = images.flat[0]
    return images


def mask_of(kind, planes, shape=SHAPE):
    """A mask for cheq in memory, and the same for cheq.dask."""
    if kind is None:
        return None, None
    whole = np.random.default_rng(3).random(shape) < 0.6
    channel = planes.get("channel_axis")
    if kind == "a plane without":
        whole[1] = False
    elif kind == "without channels":
        whole = whole[0] if channel is None else whole.any(axis=channel)
    elif kind == "broadcast":
        whole = whole[:, :, :1] if channel is None else whole[:1]
    if kind == "dask":
        return whole, da.from_array(whole, chunks=(2, 5, 4, 1))
    return whole, whole


def assert_same(lazy, expected, chunks=None):
    """A dask array that says of itself what it computes: the bits of cheq in memory, block by block."""
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    assert type(lazy._meta) is np.ndarray
    assert (lazy._meta.dtype, lazy._meta.shape) == (lazy.dtype, (0,) * lazy.ndim)
    if chunks is not None:
        assert lazy.chunks == chunks
    assert_bits(lazy.compute(scheduler="synchronous"), expected)
