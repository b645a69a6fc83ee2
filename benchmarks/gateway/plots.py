"""A dot for each gateway, one panel a figure. Run by an interpreter that has matplotlib, which the project's has not.

    python plots.py OUT.svg <panels.json      # [{"title": ..., "unit": ..., "dots": [[name, value], ...]}, ...]

Axes are logarithmic: a gateway may cost six hundred times what another does.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import matplotlib  # type: ignore[import-not-found, unused-ignore]  # see above

matplotlib.use("svg")
# Text stays text and names are the same on each run, so that the file is small and a diff shows what changed.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9})

OURS, FLOOR, OTHER = "#1f6f8b", "#9a9a9a", "#d08c60"
FLOORS = ("direct", "nginx", "bare")


def draw(panels: list[dict[str, Any]], path: str) -> None:
    """Write the panels side by side, two in a row."""
    from matplotlib import pyplot  # type: ignore[import-not-found, unused-ignore]  # as above

    rows = math.ceil(len(panels) / 2)
    most = max(len(panel["dots"]) for panel in panels)
    figure, axes = pyplot.subplots(rows, 2, figsize=(11, rows * (0.8 + 0.26 * most)), squeeze=False)
    for at, panel in enumerate(panels):
        dots(axes[at // 2][at % 2], panel)
    if len(panels) % 2:
        axes[-1][-1].axis("off")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def dots(axis: Any, panel: dict[str, Any]) -> None:
    """One panel. Dots and no bars: on a logarithmic axis the length of a bar means nothing."""
    names = [name for name, _ in panel["dots"]][::-1]
    values = [value for _, value in panel["dots"]][::-1]
    axis.scatter(values, names, color=[colour(name) for name in names], zorder=2)
    for name, value in zip(names, values, strict=True):
        said = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        axis.annotate(said, (value, name), xytext=(6, -3), textcoords="offset points")
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 2, max(values) * 4)
    axis.set_title(f"{panel['title']}, {panel['unit']}", loc="left")
    axis.grid(color="#e6e6e6", zorder=1)
    axis.spines[["top", "right"]].set_visible(False)


def colour(name: str) -> str:
    return OURS if name.startswith("gatewright") else FLOOR if name in FLOORS else OTHER


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
