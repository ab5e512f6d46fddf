"""Nanoseconds a pixel against the size of a plane, a line a contestant: from the rows of `sizes` and `layouts`."""

from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # so that no window is opened

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from report import Row, label

# Colors that color-blind readers can tell apart (Okabe and Ito).
OUR_COLORS = ("#56B4E9", "#009E73", "#0072B2", "#D55E00", "#E69F00", "#CC79A7", "#999999", "#000000")
THEIR_COLORS = ("#D55E00", "#E69F00", "#CC79A7", "#999999", "#F0E442")
OURS = {"linestyle": "-", "marker": "o", "markersize": 4, "linewidth": 2}
THEIRS = {"linestyle": "--", "marker": "s", "markersize": 4, "linewidth": 1.4}


def draw(rows: list[Row], subtitle: str, path: str) -> None:
    figure, panels = plt.subplots(1, 2, figsize=(14, 7.6), sharex=True, sharey=True, layout="constrained")
    titles = {
        "sizes": "Kernels and threads of cheq, beside other libraries",
        "layouts": "cheq on 1 thread, by where the pixels are in memory",
    }
    for axes, (section, title) in zip(panels, titles.items(), strict=True):
        _lines(axes, [row for row in rows if row["section"] == section])
        axes.set_title(title)
    edges = sorted({_edge(row) for row in rows if row["section"] == "sizes"})
    panels[0].set_xticks(edges, [str(edge) for edge in edges])
    panels[0].set_ylabel("nanoseconds a pixel (lower is faster)")
    figure.suptitle(f"Equalizing the histograms of 16 million pixels cut into square planes\n{subtitle}", fontsize=11)
    figure.savefig(path, dpi=110)


def _lines(axes: Axes, rows: list[Row]) -> None:
    names = list(dict.fromkeys(label(row) for row in rows))
    styles = dict(zip(names, _styles(names), strict=True))
    drawn = []
    for name in names:
        points = sorted((_edge(row), row["best"] / row["pixels"] * 1e9) for row in rows if label(row) == name)
        shown = "copying the pixels (np.copyto)" if name == "np.copyto" else name
        drawn += axes.plot(*zip(*points, strict=True), label=shown, **styles[name])
    slowest_first = sorted(drawn, key=lambda line: -line.get_ydata()[-1])  # as lines end on the right, from above
    axes.legend(handles=slowest_first, fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.09))
    axes.set(xscale="log", yscale="log", xlabel="height and width of a plane, pixels")
    axes.tick_params(axis="x", which="minor", bottom=False)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, alpha=0.5)
    axes.grid(visible=True, axis="y", which="minor", alpha=0.15)


def _styles(names: list[str]) -> list[dict[str, Any]]:
    """Return how lines look: cheq's solid, others' dashed, the floor dotted; a second thread hollow."""
    ours, theirs = iter(OUR_COLORS), iter(THEIR_COLORS)
    found: list[dict[str, Any]] = []
    for name in names:
        if name == "np.copyto":
            found.append({"linestyle": ":", "color": "black", "linewidth": 2})
        elif name.endswith("2 threads"):
            found.append({**found[-1], "markerfacecolor": "white", "linewidth": 1.2})
        elif name.startswith(("cv2", "Pillow", "scikit", "torch", "kornia")):
            found.append({**THEIRS, "color": next(theirs)})
        else:
            found.append({**OURS, "color": next(ours)})
    return found


def _edge(row: Row) -> int:
    return int(row["work"].split()[0])
