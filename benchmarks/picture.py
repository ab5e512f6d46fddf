"""Nanoseconds a pixel against the size of a plane, a line a contestant: from the rows of `sizes` and `layouts`."""

import matplotlib as mpl

mpl.use("Agg")  # no window is opened, on no machine

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from report import Row, label

# Colours that colour-blind readers can tell apart (Okabe and Ito); cheq's lines are solid, others' are not.
COLOURS = ("#D55E00", "#E69F00", "#009E73", "#0072B2", "#CC79A7", "#56B4E9", "#000000", "#999999")


def draw(rows: list[Row], subtitle: str, path: str) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(15, 7.2), sharey=True, layout="constrained")
    _lines(left, [row for row in rows if row["section"] == "sizes"])
    left.set_title("cheq's kernels and threads beside other libraries")
    left.set_ylabel("nanoseconds a pixel (lower is faster)")
    _lines(right, [row for row in rows if row["section"] == "layouts"])
    right.set_title("cheq, 1 thread, by where the pixels are in memory")
    figure.suptitle(f"Equalizing the histograms of 16 million pixels cut into square planes\n{subtitle}", fontsize=11)
    figure.savefig(path, dpi=110)


def _lines(axes: Axes, rows: list[Row]) -> None:
    edges = sorted({_edge(row) for row in rows})
    ends = {}
    for index, name in enumerate(dict.fromkeys(label(row) for row in rows)):
        points = sorted((_edge(row), row["best"] / row["pixels"] * 1e9) for row in rows if label(row) == name)
        axes.plot(*zip(*points, strict=True), label=name, color=COLOURS[index % len(COLOURS)], **_style(name, rows[0]))
        ends[name] = points[-1][1]
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    order = sorted(handles, key=lambda name: -ends[name])  # as the lines end on the right, from above
    axes.legend([handles[name] for name in order], order, fontsize=9, loc="upper right")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(edges, [str(edge) for edge in edges], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("height and width of a plane, pixels")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, alpha=0.35)


def _edge(row: Row) -> int:
    return int(row["work"].split()[0])


def _style(name: str, row: Row) -> dict[str, object]:
    if name == "np.copyto":
        return {"linestyle": ":", "linewidth": 2}
    ours = name.startswith("cheq") or row["section"] == "layouts"
    return {
        "linestyle": "-" if ours else "--",
        "marker": "o" if ours else "s",
        "markersize": 4,
        "linewidth": 2 if ours else 1.4,
    }
