"""Are the functions for tensors operators of PyTorch's: compiled, exported, mapped, with errors of their own?"""

import shutil

import numpy as np
import pytest

import cheq

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

pytestmark = [
    pytest.mark.worlds,
    # PyTorch's own, of its compiler and of opcheck.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

RANDOM = np.random.default_rng(0)
IMAGES = torch.from_numpy(RANDOM.integers(60, 120, (2, 3, 20, 24), dtype=np.uint8))
REFERENCE = torch.from_numpy(RANDOM.integers(100, 200, (3, 9, 7), dtype=np.uint8))
COUNTS = torch.arange(768).reshape(3, 256) % 11
MASK = torch.from_numpy(RANDOM.random((2, 20, 24)) > 0.4)
OF_REFERENCE = torch.from_numpy(RANDOM.random((9, 7)) > 0.4)
LIMITS = torch.tensor([1.0, 4.0])

CALLS = {
    "equalize": lambda x: cheq.torch.equalize(x),
    "equalize, floats": lambda x: cheq.torch.equalize(x.float() / 255, method="skimage", nbins=50, axes=(-2, -1)),
    "equalize, mask": lambda x: cheq.torch.equalize(x, mask=MASK, outside="keep", color="lab"),
    "equalize, dtype": lambda x: cheq.torch.equalize(x, method="numpy", axes=-1, channel_axis=None, dtype=torch.uint8),
    "clahe": lambda x: cheq.torch.clahe(x, clip_limit=2, tile_grid_size=(3, 2)),
    "clahe, limits": lambda x: cheq.torch.clahe(x, clip_limit=LIMITS, mask=MASK, num_threads=None),
    "clahe, skimage": lambda x: cheq.torch.clahe(x, method="skimage", kernel_size=5, clip_limit=0.02),
    "clahe, sides": lambda x: cheq.torch.clahe(
        x, method="skimage", kernel_size=(2, 5, 6), axes=(1, 2, 3), channel_axis=None, nbins=99, dtype="same"
    ),
    "match": lambda x: cheq.torch.match_histograms(x, REFERENCE),
    "match, masks": lambda x: cheq.torch.match_histograms(
        x, REFERENCE, mask=MASK, reference_mask=OF_REFERENCE, dtype="same"
    ),
    "match, histogram": lambda x: cheq.torch.match_histograms(x, reference_histogram=COUNTS, dtype="same"),
    "match, float64": lambda x: cheq.torch.match_histograms(x, REFERENCE, channel_axis=None, axes=(-3, -2, -1)),
}


@pytest.fixture(autouse=True)
def no_graphs_of_others():
    yield
    torch._dynamo.reset()


def captured(call, **options):
    """A function as one graph, which is run as it was captured: seconds, where C++ made of it would be minutes."""
    return torch.compile(call, fullgraph=True, backend="aot_eager", **options)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_one_graph(name, dynamic):
    expected, strided = CALLS[name](IMAGES), IMAGES.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    compiled = captured(CALLS[name], dynamic=dynamic)
    for images in (IMAGES, strided):
        result = compiled(images)
        assert result.dtype == expected.dtype
        assert result.stride() == expected.stride()
        torch.testing.assert_close(result, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a C++ compiler")
def test_inductor():
    def prepare(images):
        return cheq.torch.equalize(images.flip(-1)).float() - 100

    compiled = torch.compile(prepare, fullgraph=True)
    assert torch.equal(compiled(IMAGES), prepare(IMAGES))


def test_other_sizes_need_no_other_graph():
    compiled, graphs = None, []

    def count(graph, inputs):
        graphs.append(graph)
        return graph.forward

    def call(images, mask):
        return cheq.torch.clahe(images, mask=mask)

    compiled = torch.compile(call, fullgraph=True, backend=count, dynamic=True)
    for height, width in ((20, 24), (30, 31), (17, 40)):
        images = torch.from_numpy(RANDOM.integers(0, 256, (2, 3, height, width), dtype=np.uint8))
        mask = images[:, 0] > 99
        assert torch.equal(compiled(images, mask), call(images, mask))
    assert len(graphs) == 1
    assert [node.target for node in graphs[0].graph.nodes if "cheq" in str(node.target)] == [
        torch.ops.cheq.clahe.default
    ]


class Prepare(torch.nn.Module):
    def forward(self, images, reference, mask):
        images = cheq.torch.equalize(images, mask=mask)
        return cheq.torch.match_histograms(cheq.torch.clahe(images, clip_limit=2.0), reference, dtype="same")


def test_export(tmp_path):
    """With sizes left open, to a file and back."""
    height, width, rows = (torch.export.Dim(name, min=2, max=4096) for name in ("height", "width", "rows"))
    sizes = ({2: height, 3: width}, {1: rows}, {1: height, 2: width})
    exported = torch.export.export(Prepare(), (IMAGES, REFERENCE, MASK), dynamic_shapes=sizes)
    torch.export.save(exported, tmp_path / "prepare.pt2")
    again = torch.export.load(tmp_path / "prepare.pt2").module()
    images = torch.from_numpy(RANDOM.integers(0, 256, (2, 3, 31, 40), dtype=np.uint8))
    for given in ((IMAGES, REFERENCE, MASK), (images, images[0, :, :20, :7].contiguous(), images[:, 0] > 99)):
        assert torch.equal(again(*given), Prepare()(*given))


@pytest.mark.parametrize("name", CALLS)
def test_opcheck(name, monkeypatch):
    """PyTorch's own test of operators, for what the functions give them."""
    (operator,) = {cheq.torch._EQUALIZE, cheq.torch._CLAHE, cheq.torch._MATCH} - {
        other
        for start, other in (("e", cheq.torch._EQUALIZE), ("c", cheq.torch._CLAHE), ("m", cheq.torch._MATCH))
        if not name.startswith(start)
    }
    given = []
    monkeypatch.setattr(operator, "called", lambda arguments: operator.traced(arguments))
    monkeypatch.setattr(operator, "operator", lambda *values: given.append(values))
    CALLS[name](IMAGES)
    monkeypatch.undo()
    torch.library.opcheck(operator.operator, given[0])


# ---------------------------------------------------------------- errors

WRONG = {
    "floats": (lambda x: cheq.torch.equalize(x.float()), r"dtype uint8 or uint16, got float32; convert .* torch.round"),
    "method": (lambda x: cheq.torch.equalize(x, method="cv2"), "method: expected one of 'opencv', "),
    "axes": (lambda x: cheq.torch.equalize(x, axes=(0, 9)), "axes: expected an axis from -4 to 3"),
    "channel_axis": (lambda x: cheq.torch.equalize(x, channel_axis=-9, color="lab"), "channel_axis: expected an axis"),
    "dtype": (lambda x: cheq.torch.clahe(x, dtype=torch.float32), "dtype: expected None, 'same' or the images' own"),
    "clip_limit": (lambda x: cheq.torch.clahe(x, clip_limit=float("nan")), "clip_limit: expected numbers, got NaN"),
    "threads": (lambda x: cheq.torch.equalize(x, num_threads=0), "num_threads: expected"),
    "reference": (lambda x: cheq.torch.match_histograms(x, x.float()), "reference: expected the images' dtype, uint8"),
    "meta": (lambda x: cheq.torch.equalize(x.to("meta")), "a tensor in the CPU's memory, got one on meta"),
    "array": (lambda x: cheq.torch.equalize([x]), "images: expected a torch.Tensor, got builtins.list"),
}
WRONG_SIZES = {
    "channels": (lambda x: cheq.torch.equalize(x, color="lab", channel_axis=0), "images: expected 3 or 4 channels"),
    "mask": (lambda x: cheq.torch.equalize(x, mask=MASK[:, :5]), r"mask: expected a shape that broadcasts"),
    "channels of the reference": (
        lambda x: cheq.torch.match_histograms(x, REFERENCE[:2]),
        "reference: expected the images' 3 channels",
    ),
    "limits": (lambda x: cheq.torch.clahe(x, clip_limit=torch.ones(7)), "clip_limit: expected a shape"),
}


@pytest.mark.parametrize(
    ("name", "dynamic"),
    [*((name, dynamic) for name in WRONG for dynamic in (False, True)), *((name, False) for name in WRONG_SIZES)],
)
def test_errors_come_when_the_graph_is_made(name, dynamic):
    """PyTorch puts cheq's own message into one of its own."""
    call, message = (WRONG | WRONG_SIZES)[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call(IMAGES)
    ran = []

    def backend(graph, inputs):
        ran.append(graph)
        return graph.forward

    with pytest.raises(Exception, match=f"(?s){message}") as caught:
        torch.compile(call, fullgraph=True, backend=backend, dynamic=dynamic)(IMAGES)
    assert type(caught.value).__module__ == "torch._dynamo.exc"
    assert not ran


def test_gradients_are_refused_when_the_graph_is_made():
    images = IMAGES.double().requires_grad_()
    with pytest.raises(Exception, match=r"(?s)a tensor without requires_grad, .*; pass images.detach\(\)"):
        captured(lambda x: cheq.torch.equalize(x, method="skimage"))(images)


@pytest.mark.parametrize("name", WRONG_SIZES)
def test_errors_of_sizes_that_were_not_known_come_when_it_runs(name):
    call, message = WRONG_SIZES[name]
    with pytest.raises(ValueError, match=message):
        captured(call, dynamic=True)(IMAGES)


# ---------------------------------------------------------------- vmap, subclasses


@pytest.mark.parametrize("out", [0, -1])
def test_vmap(out):
    """Image by image, also where the images' axis is another one, and for what each image has of its own."""
    moved = IMAGES.movedim(0, 2)
    mapped = torch.func.vmap(lambda x, m: cheq.torch.equalize(x, mask=m), in_dims=(2, 0), out_dims=out)(moved, MASK)
    assert torch.equal(mapped.movedim(out, 0), cheq.torch.equalize(IMAGES, mask=MASK))
    limited = torch.func.vmap(lambda c: cheq.torch.clahe(IMAGES[0], clip_limit=c), out_dims=out)(LIMITS)
    assert torch.equal(limited.movedim(out, 0)[1], cheq.torch.clahe(IMAGES[0], clip_limit=4.0))
    matched = torch.func.vmap(lambda r: cheq.torch.match_histograms(IMAGES[0], r, dtype="same"))(IMAGES)
    assert torch.equal(matched[1], cheq.torch.match_histograms(IMAGES[0], IMAGES[1], dtype="same"))
    twice = torch.func.vmap(torch.func.vmap(cheq.torch.equalize))(IMAGES)
    assert torch.equal(twice, cheq.torch.equalize(IMAGES))


def test_subclasses_stay():
    class Kept(torch.Tensor):
        pass

    result = cheq.torch.equalize(IMAGES.as_subclass(Kept))
    assert type(result) is Kept
    assert torch.equal(result.as_subclass(torch.Tensor), cheq.torch.equalize(IMAGES))
    with pytest.raises(TypeError, match="dtype uint8 or uint16, got float32"):
        cheq.torch.equalize(IMAGES.float().as_subclass(Kept))


def test_fake_tensors():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        result = cheq.torch.equalize(torch.empty((3, 1 << 20, 1 << 20), dtype=torch.uint8), method="skimage")
    assert (result.shape, result.dtype) == ((3, 1 << 20, 1 << 20), torch.float64)
