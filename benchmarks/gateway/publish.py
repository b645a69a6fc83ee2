"""Where a report goes: beside its run, or into the place that a page keeps for it; with plots if they can be drawn.

python -m benchmarks.gateway report RUN.json                            # print it
python -m benchmarks.gateway report RUN.json --into docs/performance.md
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.gateway.goals import cost
from benchmarks.gateway.install import PLOTS
from benchmarks.gateway.measurement import Run
from benchmarks.gateway.peers.peer import BUILD
from benchmarks.gateway.report import report

TOO_NOISY = 3
_BLOCK = re.compile(r"(<!-- measured: run -->\n).*?(<!-- end measured -->)", re.DOTALL)

PANELS = (
    ("CPU a request, 1 KB, 64 connections", "µs", "whole-1k-c64", "cpu_us_per_request"),
    ("CPU a request, 200 KB of history", "µs", "history-200k-c8", "cpu_us_per_request"),
    ("CPU a paced chunk, 2,000 a second", "µs", "stream-paced", "cpu_us_per_chunk"),
    ("Time to the first chunk, p50", "ms", "stream-paced", "ttft_p50_ms"),
)


def main(arguments: Sequence[str]) -> int:
    """The command line of `report`. The exit code: 3 if the run concludes nothing, or is not good enough for a page."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway report", description=about)
    parser.add_argument("run", type=Path, nargs="?", default=BUILD / "run.json", help="default: %(default)s")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="between <!-- measured: run --> and its end")
    args = parser.parse_args(arguments)
    run = Run.read(args.run)
    if args.into is None:
        print(report(run))
    elif against := [*run.noise(), *run.doubts()]:
        print("\n".join([*against, f"{args.into} stays as it is"]))
        return TOO_NOISY
    else:
        insert(run, args.into)
    return TOO_NOISY if any(run.noise()) else 0


def insert(run: Run, page: Path) -> None:
    """Write the report of `run` into `page`, its plots beside it. Raises `ValueError` if there is no place."""
    text = page.read_text("utf-8")
    if not _BLOCK.search(text):
        raise ValueError(f"{page} has no place for a run")
    told = _with_plots(run, page.with_suffix(".svg"))
    page.write_text(_BLOCK.sub(lambda block: f"{block[1]}\n{told}\n{block[2]}", text), "utf-8")


def beside(run: Run, path: Path) -> Path:
    """Write the report of `run`, whose JSON is at `path`, as Markdown beside it."""
    page = path.with_suffix(".md")
    page.write_text(f"# A run of the gateway benchmark\n\n{_with_plots(run, path.with_suffix('.svg'))}", "utf-8")
    return page


def _with_plots(run: Run, picture: Path) -> str:
    """The report, with a picture above it if it could be drawn."""
    panels: list[dict[str, object]] = [
        {"title": title, "unit": unit, "dots": dots}
        for title, unit, scenario, figure in PANELS
        if (dots := [[peer, value] for peer in run.facts if (value := cost(run, peer, scenario, figure))])
    ]
    if not panels or any(run.noise()) or not PLOTS.installed():
        return report(run)
    command = [PLOTS.python, Path(__file__).with_name("plots.py"), picture]
    subprocess.run(command, input=msgspec.json.encode(panels), check=True)
    return f"![Cost and delay of each gateway]({picture.name})\n\n{report(run)}"
