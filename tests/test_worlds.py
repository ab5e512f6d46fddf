"""Are arrays of other libraries refused, and is it said what to pass instead? The libraries need not be installed."""

import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import cheq
from cheq import _worlds, recipes


def fake(module, name="Array", base=object):
    """A class of a library's that NumPy would make an array of."""
    return type(
        name, (base,), {"__module__": module, "__array__": lambda self, *args, **named: np.ones((20, 20), bool)}
    )


WORLDS = {
    "dask.array.core": ("dask.array.core.Array", "compute()"),
    "torch": ("torch.Array", "numpy()"),
    "xarray.core.dataarray": ("xarray.core.dataarray.Array", "values"),
}
# The calls below for which a library's module has a function of its own.
THREE = {"equalize", "equalize, colors", "clahe", "match_histograms"}
OWN = {
    "dask": THREE | {"histogram", "equalization_lut", "matching_lut", "apply_lut"},
    "torch": THREE,
    "xarray": THREE,
}
# The argument, what it is called in messages, and a call with it.
IMAGE = np.arange(400).reshape(20, 20).astype(np.uint8)
LUT, HIST = np.zeros(256, np.uint8), np.ones(256, int)
CALLS = {
    "equalize": ("images", cheq.equalize),
    "equalize, colors": ("images", lambda x: cheq.equalize(x, color="ycrcb", channel_axis=-1)),
    "clahe": ("images", cheq.clahe),
    "equalize, mask": ("mask", lambda x: cheq.equalize(IMAGE, mask=x)),
    "histogram": ("images", cheq.histogram),
    "histogram, mask": ("mask", lambda x: cheq.histogram(IMAGE, mask=x)),
    "equalization_lut": ("histogram", cheq.equalization_lut),
    "apply_lut": ("images", lambda x: cheq.apply_lut(x, LUT)),
    "apply_lut, lut": ("lut", lambda x: cheq.apply_lut(IMAGE, x)),
    "apply_lut, mask": ("mask", lambda x: cheq.apply_lut(IMAGE, LUT, mask=x, outside="keep")),
    "match_histograms": ("images", lambda x: cheq.match_histograms(x, IMAGE)),
    "match_histograms, reference": ("reference", lambda x: cheq.match_histograms(IMAGE, x)),
    "match_histograms, mask": ("mask", lambda x: cheq.match_histograms(IMAGE, IMAGE, mask=x)),
    "match_histograms, its mask": ("reference_mask", lambda x: cheq.match_histograms(IMAGE, IMAGE, reference_mask=x)),
    "matching_lut": ("histogram", lambda x: cheq.matching_lut(x, HIST)),
    "matching_lut, reference": ("reference_histogram", lambda x: cheq.matching_lut(HIST, x)),
    "cumulative_distribution": ("images", cheq.cumulative_distribution),
    "otsu_threshold": ("images", cheq.otsu_threshold),
    "binarize": ("images", cheq.binarize),
    "binarize, threshold": ("threshold", lambda x: cheq.binarize(IMAGE, x)),
    "rgb_to_gray": ("images", cheq.rgb_to_gray),
    "image_histogram_equalization": ("image", recipes.image_histogram_equalization),
    "histogram_equalize": ("img", recipes.histogram_equalize),
    "plot": ("image", cheq.plot),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("module", WORLDS)
def test_every_array_argument(module, name):
    argument, call = CALLS[name]
    if name == "plot":
        pytest.importorskip("matplotlib", reason="cheq.plot needs matplotlib")
    got, instead = WORLDS[module]
    with pytest.raises(TypeError) as caught:
        call(fake(module)())
    own = module.partition(".")[0]
    call_own = f"call cheq.{own}.{name.partition(',')[0]}, or " if name in OWN[own] else ""
    assert str(caught.value) == f"{argument}: expected a NumPy array, got {got}; {call_own}pass {argument}.{instead}"


@pytest.mark.parametrize("module", WORLDS)
def test_subclasses_and_lists(module):
    theirs = fake(module)
    ours = fake("monai.data.meta_tensor", "MetaTensor", theirs)
    with pytest.raises(TypeError, match=r"got monai.data.meta_tensor.MetaTensor; call cheq\."):
        cheq.equalize(ours())
    for several in ([IMAGE, theirs()], (theirs(), theirs())):
        with pytest.raises(TypeError, match=rf"got a list of {module}.Array; pass \[x\..* for x in images\]"):
            cheq.equalize(several)


def test_out_that_is_no_array():
    with pytest.raises(TypeError, match=r"out: expected a numpy.ndarray, got Array"):
        cheq.equalize(IMAGE, out=fake("torch")())


@pytest.mark.parametrize("module", ["torchlike", "daskette.array", "xarrays", "__main__", "PIL.Image"])
def test_other_objects_that_are_arrays_to_numpy_stay_arrays(module):
    expected = np.ones((20, 20), np.uint8)
    images = type("Array", (), {"__module__": module, "__array__": lambda self, *args, **named: expected})()
    np.testing.assert_array_equal(cheq.equalize(images), cheq.equalize(expected))
    shown = SimpleNamespace(__array_interface__=IMAGE.__array_interface__, keep=IMAGE)
    np.testing.assert_array_equal(cheq.equalize(shown), cheq.equalize(IMAGE))
    np.testing.assert_array_equal(cheq.equalize([IMAGE, IMAGE])[1], cheq.equalize(IMAGE))


def test_each_module_has_the_functions_that_are_proposed():
    for name, world in _worlds.WORLDS.items():
        pytest.importorskip(name, reason=f"{name} is not installed")
        assert set(getattr(cheq, name).__all__) == set(world.functions)


@pytest.mark.parametrize("name", ["dask", "torch", "torchvision", "xarray", "albumentations"])
def test_a_missing_library_is_named_with_its_extra(name, monkeypatch):
    monkeypatch.delitem(vars(cheq), name, raising=False)  # delattr would ask for it, and so load it
    monkeypatch.delitem(sys.modules, f"cheq.{name}", raising=False)
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    install = name if name == "albumentations" else rf"cheq\[{name}\]"
    with pytest.raises(ImportError, match=rf"^cheq\.{name} needs \w+; to get it: pip install '{install}'$"):
        getattr(cheq, name)


@pytest.mark.parametrize(
    ("library", "make"),
    [
        ("dask.array", lambda dask, x: dask.from_array(x)),
        ("torch", lambda torch, x: torch.from_numpy(x)),
        ("xarray", lambda xarray, x: xarray.DataArray(x)),
    ],
)
def test_the_libraries_themselves(library, make):
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    with pytest.raises(TypeError, match="images: expected a NumPy array, got "):
        cheq.equalize(make(module, IMAGE))
