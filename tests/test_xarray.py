"""Does cheq.xarray give cheq's bytes by the names of dimensions, and keep all else that a DataArray has?"""

import doctest
import itertools
import pickle

import numpy as np
import pytest
from pixel_tools import assert_bits

import cheq

xarray = pytest.importorskip("xarray", reason="xarray is not installed")
ours = cheq.xarray
pytestmark = pytest.mark.worlds

DIMS = ("time", "y", "x", "band")
SHAPE = (4, 24, 33, 3)


def levels(dtype=np.uint8, shape=SHAPE, seed=0):
    random = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return random.normal(0.1, 0.3, shape).clip(-1, 1).astype(dtype)
    return random.integers(30, 120, shape).astype(dtype)


def series(order=DIMS, dtype=np.uint8, seed=0, chunks=None):
    """An image with coordinates of each kind, attributes, a name and an encoding, its dimensions in any order."""
    array = xarray.DataArray(
        levels(dtype, seed=seed),
        dims=DIMS,
        coords={
            "time": np.arange("2026-01-01", "2026-01-05", dtype="datetime64[D]").astype("datetime64[ns]"),
            "y": np.linspace(3, 1, SHAPE[1]),
            "band": ["r", "g", "b"],
            "sun": ("time", [1.0, 2.0, 3.0, 4.0]),
            "where": "here",
        },
        name="scene",
        attrs={"units": "counts", "grid": {"crs": 4326}},
    )
    array.encoding = {"zlib": True, "dtype": np.dtype(dtype).name}
    array = array.transpose(*order)
    return array if chunks is None else array.chunk(chunks)


def assert_same(result, expected, image):
    """The values, given in the order of DIMS, and all that the image has."""
    __tracebackhide__ = True
    assert type(result) is xarray.DataArray
    assert (result.dims, result.name) == (image.dims, image.name)
    packed = {"dtype": image.encoding["dtype"]} if result.dtype == image.dtype else {}
    assert result.encoding == {"zlib": True, **packed}
    assert result.attrs == image.attrs
    assert set(result.coords) == set(image.coords)
    for name, coordinate in image.coords.items():
        assert coordinate.identical(result.coords[name])
    values = result.transpose(*DIMS).values
    assert values.dtype == expected.dtype
    np.testing.assert_array_equal(values, expected)


def needs_dask():
    pytest.importorskip("cheq.dask", reason="dask is not installed", exc_type=ImportError)


# For each function: the call by names, and the same by cheq with the axes of DIMS.
REFERENCE = xarray.DataArray(levels(shape=(17, 40, 3), seed=3), dims=("y", "x", "band"))
LIMITS = xarray.DataArray([1.0, 2.0, 3.0, 4.0], dims="time")
PLANES = {"axes": (1, 2), "channel_axis": 3}
CASES = {
    "equalize": (
        lambda image: ours.equalize(image, ("y", "x"), channel_dim="band"),
        lambda array: cheq.equalize(array, **PLANES),
    ),
    "planes without channels": (
        lambda image: ours.equalize(image, ("x", "y"), method="skimage"),
        lambda array: cheq.equalize(array, axes=(1, 2), method="skimage"),
    ),
    "one name": (
        lambda image: ours.equalize(image, "x", method="numpy", dtype="same"),
        lambda array: cheq.equalize(array, axes=2, method="numpy", dtype="same"),
    ),
    "volumes": (
        lambda image: ours.equalize(image, ["y", "time", "x"], channel_dim="band"),
        lambda array: cheq.equalize(array, axes=(0, 1, 2), channel_axis=3),
    ),
    "lightness": (
        lambda image: ours.equalize(image, ("y", "x"), channel_dim="band", color="ycrcb"),
        lambda array: cheq.equalize(array, color="ycrcb", **PLANES),
    ),
    "clahe": (
        lambda image: ours.clahe(image, ("y", "x"), clip_limit=2, tile_grid_size=(3, 2)),
        lambda array: cheq.clahe(array, clip_limit=2, tile_grid_size=(3, 2), **PLANES),
    ),
    "clahe, a limit a time": (
        lambda image: ours.clahe(image, ("y", "x"), clip_limit=LIMITS),
        lambda array: cheq.clahe(array, clip_limit=LIMITS.values[:, np.newaxis], **PLANES),
    ),
    "clahe, lightness": (
        lambda image: ours.clahe(image, ("y", "x"), channel_dim="band", color="lab", clip_limit=LIMITS),
        lambda array: cheq.clahe(array, color="lab", clip_limit=LIMITS.values, **PLANES),
    ),
    "clahe, volumes": (
        lambda image: ours.clahe(image, ("time", "y", "x"), method="skimage", kernel_size=(2, 6, 11)),
        lambda array: cheq.clahe(array, axes=(0, 1, 2), method="skimage", kernel_size=(2, 6, 11)),
    ),
    "match": (
        lambda image: ours.match_histograms(image, REFERENCE, ("y", "x"), channel_dim="band"),
        lambda array: cheq.match_histograms(array, REFERENCE.values, **PLANES),
    ),
    "match, one for all": (
        lambda image: ours.match_histograms(image, REFERENCE[..., 0], ("y", "x"), dtype="same"),
        lambda array: cheq.match_histograms(array, REFERENCE.values[np.newaxis, ..., :1], axes=(1, 2), dtype="same"),
    ),
    "match, to the first": (
        lambda image: ours.match_histograms(image, series()[0], ("y", "x"), channel_dim="band", color="lab"),
        lambda array: cheq.match_histograms(array, array[0], color="lab", **PLANES),
    ),
}


@pytest.mark.parametrize("order", [DIMS, ("band", "x", "time", "y")], ids="-".join)
@pytest.mark.parametrize("name", CASES)
def test_the_bytes_of_cheq_and_all_else_of_the_image(name, order):
    by_name, by_axes = CASES[name]
    image = series(order)
    before = image.copy(deep=True)
    assert_same(by_name(image), by_axes(levels()), image)
    assert image.identical(before)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", CASES)
def test_every_order_of_dimensions(name):
    by_name, by_axes = CASES[name]
    expected = by_axes(levels())
    for order in itertools.permutations(DIMS):
        image = series(order)
        assert_same(by_name(image), expected, image)


@pytest.mark.parametrize("name", CASES)
def test_data_of_dask_stay_lazy_and_give_the_same(name):
    needs_dask()
    by_name, by_axes = CASES[name]
    image = series(chunks={"time": 2, "band": 3})
    if "volumes" in name:
        image = image.chunk(time=4, band=1)
    with computes_nothing():
        result = by_name(image)
    assert result.chunks == image.chunks
    assert_same(result, by_axes(levels()), image)


def computes_nothing():
    import dask

    def refuse(*arguments, **named):
        raise AssertionError("computed")

    return dask.config.set(scheduler=refuse)


def test_a_plane_that_spans_chunks_of_dask():
    needs_dask()
    image = series(chunks={"time": 2, "y": 7, "x": 20})
    for lazy in (False, True):
        result = ours.equalize(image, ("y", "x"), channel_dim="band", lazy=lazy)
        assert result.chunks == image.chunks
        assert_same(result, cheq.equalize(levels(), **PLANES), image)


# ---------------------------------------------------------------- masks


MASK = levels(seed=5) > 60  # in the order of DIMS


@pytest.mark.parametrize("chunks", [None, {"time": 2, "band": 3}], ids=["NumPy", "dask"])
@pytest.mark.parametrize("order", [DIMS, ("x", "band", "y", "time")], ids="-".join)
def test_masks_are_aligned_by_name(order, chunks):
    if chunks:
        needs_dask()
    image = series(chunks=chunks)
    whole = image.copy(data=MASK) if chunks is None else image.copy(data=image.chunk(chunks).data * 0 + MASK > 0)
    masks = {
        "whole": (whole.transpose(*order), MASK),
        "without channels": (whole.isel(band=1, drop=True).transpose("y", "time", "x"), MASK[..., 1]),
        "of one image": (whole.isel(band=1, time=2, drop=True).transpose("x", "y"), MASK[2, ..., 1]),
        "of columns": (whole.isel(band=1, time=2, y=5, drop=True), MASK[2, 5, :, 1]),
        "without coordinates": (xarray.DataArray(MASK[2, ..., 1], dims=("y", "x")), MASK[2, ..., 1]),
    }
    for mask, expected in masks.values():
        for outside in ("lut", "keep"):
            result = ours.equalize(image, ("y", "x"), channel_dim="band", mask=mask, outside=outside)
            assert_same(result, cheq.equalize(levels(), mask=expected, outside=outside, **PLANES), image)
    mask, expected = masks["of one image"]
    options = {"clip_limit": 3.0, "outside": "keep", "color": "ycrcb"}
    result = ours.clahe(image.transpose(*order), ("y", "x"), channel_dim="band", mask=mask, **options)
    expected = cheq.clahe(levels(), mask=expected, **options, **PLANES)
    assert_same(result, expected, image.transpose(*order))


def test_masks_of_both_sides_of_matching():
    image, reference = series(), series(seed=7).isel(time=0, x=slice(4, 25))
    pixels = levels(seed=7)[0, :, 4:25]
    counted = (reference > 70).transpose("x", "band", "y")
    masks = {"mask": image > 50, "reference_mask": counted}
    result = ours.match_histograms(image, reference, ("y", "x"), channel_dim="band", **masks)
    masks = {"mask": levels() > 50, "reference_mask": pixels > 70}
    assert_same(result, cheq.match_histograms(levels(), pixels, **masks, **PLANES), image)
    mask = counted.isel(band=2)
    result = ours.match_histograms(image, reference, ("y", "x"), channel_dim="band", reference_mask=mask)
    expected = cheq.match_histograms(levels(), pixels, reference_mask=pixels[..., 2] > 70, **PLANES)
    assert_same(result, expected, image)


def test_a_histogram_as_reference():
    image, counts = series(), np.random.default_rng(0).integers(0, 99, 256)
    result = ours.match_histograms(image, None, ("y", "x"), channel_dim="band", reference_histogram=counts)
    expected = cheq.match_histograms(levels(), reference_histogram=counts, **PLANES)
    assert_same(result, expected, image)


def test_a_reference_for_each_plane():
    image, reference = series(), series(("x", "y", "band", "time"), seed=7)
    result = ours.match_histograms(image, reference, ("y", "x"), channel_dim="band", dtype="same")
    assert_same(result, cheq.match_histograms(levels(), levels(seed=7), dtype="same", **PLANES), image)


def test_missing_values_stay_missing():
    values = levels(np.float32)
    values[1, 3:9, 5, :] = np.nan
    image = series(dtype=np.float32).copy(data=values)
    with pytest.raises(ValueError, match="nan_policy='omit'"):
        ours.equalize(image, ("y", "x"), method="skimage")
    result = ours.equalize(image, ("y", "x"), method="skimage", nan_policy="omit")
    assert_same(result, cheq.equalize(values, axes=(1, 2), method="skimage", nan_policy="omit"), image)
    np.testing.assert_array_equal(result.isnull(), image.isnull())
    options = {"mask": image.notnull(), "outside": "keep"}
    result = ours.match_histograms(image, series(dtype=np.float32, seed=2)[0], ("y", "x"), **options)
    np.testing.assert_array_equal(result.isnull(), image.isnull())


# ---------------------------------------------------------------- errors


IMAGE = series()
REFUSED = {
    "an unknown name": (ValueError, r"dims: .*\['time', 'y', 'x', 'band'\], got \('y', 'lat'\)", ("y", "lat"), {}),
    "a name twice": (ValueError, r"dims: .*different names.*got \('x', 'x'\)", ("x", "x"), {}),
    "no name": (ValueError, r"dims: .*got \(\)", (), {}),
    "a number": (ValueError, r"dims: .*got 2", 2, {}),
    "a list": (ValueError, r"dims: .*got \[\['y', 'x'\]\]", [["y", "x"]], {}),
    "letters": (ValueError, r"dims: .*got 'yx'", "yx", {}),
    "unknown channels": (ValueError, r"channel_dim: .*\['time', 'band'\].*got 'c'", ("y", "x"), {"channel_dim": "c"}),
    "channels of planes": (ValueError, "channel_dim: .*not in dims, got 'x'", ("y", "x"), {"channel_dim": "x"}),
    "no channels": (ValueError, "channel_dim: .*color='lab', got None", ("y", "x"), {"color": "lab"}),
    "axes": (TypeError, "axes: .*pass dims, the names", ("y", "x"), {"axes": (1, 2)}),
    "channel_axis": (TypeError, "channel_axis: .*pass channel_dim", ("y", "x"), {"channel_axis": -1}),
    "out": (TypeError, "out: .*new DataArray", ("y", "x"), {"out": IMAGE.values}),
    "a mask of NumPy": (TypeError, r"mask: expected an xarray.DataArray, got numpy.ndarray; pass xarray.DataArray\(",
                        ("y", "x"), {"mask": MASK}),
    "a mask of numbers": (TypeError, "mask: expected dtype bool", ("y", "x"), {"mask": IMAGE}),
    "another dimension": (ValueError, r"mask: .*got \['lat'\]", ("y", "x"), {"mask": (IMAGE > 3).rename(y="lat")}),
    "another size": (ValueError, r"mask: expected the sizes.*'y'", ("y", "x"), {"mask": IMAGE[:, :5] > 3}),
    "other coordinates": (ValueError, r"mask: expected .*coordinates.*'y'", ("y", "x"),
                          {"mask": (IMAGE > 3).assign_coords(y=IMAGE.y + 1)}),
    "coordinates in another order": (ValueError, "mask: expected .*coordinates", ("y", "x"),
                                     {"mask": IMAGE[:, ::-1] > 3}),
    "a mask of colors": (ValueError, "mask: expected", ("y", "x"),
                         {"mask": IMAGE > 3, "channel_dim": "band", "color": "ycrcb"}),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("function", ["equalize", "clahe", "match_histograms"])
def test_what_is_refused(function, name):
    error, message, dims, options = REFUSED[name]
    reference = (IMAGE.isel(time=0),) if function == "match_histograms" else ()
    with pytest.raises(error, match=message):
        getattr(ours, function)(IMAGE, *reference, dims, **options)


def test_other_refusals():
    with pytest.raises(TypeError, match=r"image: expected an xarray.DataArray, got numpy.ndarray; pass xarray.DataArr"):
        ours.equalize(IMAGE.values, ("y", "x"))
    with pytest.raises(TypeError, match=r"reference: expected an xarray.DataArray"):
        ours.match_histograms(IMAGE, IMAGE.values, ("y", "x"))
    with pytest.raises(ValueError, match=r"reference: expected the dimensions \['y', 'x'\], got .* without \['x'\]"):
        ours.match_histograms(IMAGE, IMAGE.isel(x=0), ("y", "x"))
    with pytest.raises(ValueError, match=r"reference: expected dimensions out of .*got \['lat'\]"):
        ours.match_histograms(IMAGE, IMAGE.rename(time="lat"), ("y", "x"))
    with pytest.raises(ValueError, match=r"reference: expected .*coordinates"):
        ours.match_histograms(IMAGE, IMAGE.isel(time=slice(2)), ("y", "x"))
    with pytest.raises(ValueError, match=r"reference_mask: expected the sizes and coordinates of the reference"):
        ours.match_histograms(IMAGE, IMAGE, ("y", "x"), reference_mask=IMAGE[::-1] > 3)
    with pytest.raises(ValueError, match=r"dims: expected two names, of height and width, got \('time', 'y', 'x'\)"):
        ours.clahe(IMAGE, ("time", "y", "x"))
    with pytest.raises(ValueError, match=r"clip_limit: expected dimensions out of \['time', 'band'\], got \['x'\]"):
        ours.clahe(IMAGE, ("y", "x"), clip_limit=xarray.DataArray(np.ones(SHAPE[2]), dims="x"))
    with pytest.raises(TypeError, match=r"images: expected dtype .*int64"):
        ours.equalize(IMAGE.astype(np.int64), ("y", "x"))


def test_data_of_other_libraries_are_refused():
    class Other(np.lib.mixins.NDArrayOperatorsMixin):
        shape, ndim, dtype = (2, 3), 2, np.dtype(np.uint8)

        def __array_function__(self, *arguments):
            return NotImplemented

        def __array_ufunc__(self, *arguments, **named):
            return NotImplemented

        def __array__(self, *arguments, **named):
            return np.zeros(self.shape, self.dtype)

    image = xarray.DataArray(Other(), dims=("y", "x"))
    with pytest.raises(TypeError, match=r"image: expected data of NumPy or dask, got .*Other; pass image.as_numpy\(\)"):
        ours.equalize(image, ("y", "x"))


def test_a_mask_of_dask_beside_data_of_numpy_is_not_computed():
    needs_dask()
    with pytest.raises(TypeError, match=r"mask: expected a NumPy array, got dask.*pass mask.compute\(\)"):
        ours.equalize(IMAGE, ("y", "x"), mask=(IMAGE > 3).chunk())


def test_from_zarr_to_zarr(tmp_path):
    needs_dask()
    pytest.importorskip("zarr", reason="zarr is not installed")
    image = xarray.DataArray(levels(np.uint16), dims=DIMS, name="scenes").chunk(time=1, x=20)
    image.to_zarr(tmp_path / "scenes.zarr", consolidated=False)
    opened = xarray.open_zarr(tmp_path / "scenes.zarr", consolidated=False).scenes
    result = ours.equalize(opened, ("y", "x"), channel_dim="band")
    assert result.chunks == image.chunks
    result.to_zarr(tmp_path / "clear.zarr", consolidated=False)
    written = xarray.open_zarr(tmp_path / "clear.zarr", consolidated=False).scenes
    np.testing.assert_array_equal(written.values, cheq.equalize(levels(np.uint16), **PLANES), strict=True)


def test_files_have_the_values_of_the_result(tmp_path):
    """How the old values were packed must not be how the new ones are."""
    pytest.importorskip("zarr", reason="zarr is not installed")
    where = {"store": tmp_path / "scenes.zarr", "consolidated": False}
    packed = {"dtype": "int16", "scale_factor": 0.5, "add_offset": 3.0, "_FillValue": -1}
    image = xarray.DataArray(levels().astype(np.float32), dims=DIMS, name="scenes")
    image.to_zarr(**where, encoding={"scenes": packed})
    opened = xarray.open_zarr(**where, chunks=None).scenes.astype(np.float32, keep_attrs=True)
    opened.encoding = xarray.open_zarr(**where, chunks=None).scenes.encoding
    assert opened.encoding["scale_factor"] == 0.5
    for result in (
        ours.equalize(opened, ("y", "x"), method="skimage"),
        ours.equalize(opened.astype(np.uint8).copy(), ("y", "x"), method="skimage"),
    ):
        result.to_zarr(**where, mode="w")
        written = xarray.open_zarr(**where, chunks=None).scenes
        assert_bits(written.values, result.values)


def test_a_reference_of_dask_is_not_computed():
    needs_dask()
    image = series(chunks={"time": 2, "band": 3})
    with pytest.raises(TypeError, match=r"reference: expected a NumPy array, got dask.*pass reference.compute\(\)"):
        ours.match_histograms(image, image[0], ("y", "x"), channel_dim="band")
    result = ours.match_histograms(image, image[0].compute(), ("y", "x"), channel_dim="band")
    assert_same(result, cheq.match_histograms(levels(), levels()[0], **PLANES), image)


def test_a_dataset_is_taken_variable_by_variable():
    dataset = xarray.Dataset({"day": series(), "night": series(seed=4)}, attrs={"title": "days"})
    with pytest.raises(TypeError, match=r"image: .*Dataset; .*dataset.map\(cheq.xarray.equalize, dims=...\)"):
        ours.equalize(dataset, ("y", "x"))
    result = dataset.map(ours.equalize, dims=("y", "x"), channel_dim="band", keep_attrs=True)
    assert_same(result.day, cheq.equalize(levels(), **PLANES), result.day)
    assert_same(result.night, cheq.equalize(levels(seed=4), **PLANES), result.night)
    assert result.night.attrs == dataset.night.attrs


def test_groups_and_pickles():
    image = series()
    result = image.groupby("time").map(ours.equalize, dims=("time", "y", "x"), channel_dim="band")
    np.testing.assert_array_equal(result.transpose(*DIMS), cheq.equalize(levels(), **PLANES))
    assert pickle.loads(pickle.dumps(ours.equalize)) is ours.equalize


@pytest.mark.parametrize("name", ours.__all__)
def test_docstring_examples(name):
    for example in doctest.DocTestFinder(recurse=False).find(getattr(ours, name), name, globs={}):
        assert example.examples
        assert doctest.DocTestRunner().run(example).failed == 0
