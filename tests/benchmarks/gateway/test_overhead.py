"""What the gateway costs over a bare proxy on the same server, measured here and now: the guard of its speed.

Both are up, and each round visits one right after the other, so that a neighbour on the machine finds them both. What
is compared is the CPU time of their processes within a round; of the rounds the median counts.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gateway.measurement import Measurement, Run

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 3
SECONDS = 0.5
HIGHEST = {
    ("whole-1k-c64", "cpu_us_per_request"): 3.6,
    ("stream-paced", "cpu_us_per_chunk"): 2.3,
}
"""The most that gatewright may cost, as a multiple of the bare proxy: 1.3 times the higher of what a quiet machine and
one with tests beside it showed. The goal, on a quiet machine, is 1.45 a request."""


def measured(out: Path) -> list[Measurement]:
    """One short run of both, in processes that no coverage tool looks into: they would count as the gateway's work."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-m", "benchmarks.gateway", "--peers", "bare", "gatewright"]
    command += ["--scenarios", *(scenario for scenario, _ in HIGHEST)]
    # No priority over the tests beside this one: some of them watch the clock.
    command += ["--rounds", str(ROUNDS), "--seconds", str(SECONDS), "--nice", "0", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    # 3 says that it was too noisy for a report, which looks at absolute figures; the pairs may do all the same.
    assert done.returncode in (0, 3), done.stdout + done.stderr
    measurements = Run.read(out).measurements
    assert [m for m in measurements if m.errors] == []
    return measurements


def ratios(*runs: list[Measurement]) -> dict[tuple[str, str], float]:
    """gatewright over the bare proxy in each round; the median of all rounds of `runs`."""
    found = {}
    for scenario, figure in HIGHEST:
        figures = [{(m.peer, m.round): getattr(m, figure) for m in run if m.scenario == scenario} for run in runs]
        pairs = [(of["gatewright", at], of["bare", at]) for of in figures for at in range(1, ROUNDS + 1)]
        # A visit that was disturbed each time still has this figure, unless the machine stood still for all of it.
        usable = [ours / bare for ours, bare in pairs if ours and bare]
        found[scenario, figure] = statistics.median(usable) if usable else math.inf  # no figure is no proof
    return found


def too_dear(found: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {key: round(ratio, 2) for key, ratio in found.items() if ratio > HIGHEST[key]}


def test_the_median_of_the_rounds_counts_and_no_figure_is_no_proof() -> None:
    def rounds(scenario: str, figure: str, *pairs: tuple[float | None, float | None]) -> list[Measurement]:
        return [
            Measurement(peer, scenario, at, **{figure: value})  # type: ignore[arg-type]  # each is a float or None
            for at, pair in enumerate(pairs, 1)
            for peer, value in zip(("gatewright", "bare"), pair, strict=True)
        ]

    (request, per_request), (chunk, per_chunk) = HIGHEST
    quiet = rounds(request, per_request, (300.0, 100.0), (900.0, 100.0), (310.0, 100.0))
    still = rounds(chunk, per_chunk, (None, 20.0), (50.0, None), (None, None))
    known = rounds(chunk, per_chunk, (None, 20.0), (50.0, 20.0), (None, None))
    assert too_dear(ratios(quiet + still)) == {(chunk, per_chunk): math.inf}
    assert ratios(quiet + still, quiet + known) == {(request, per_request): 3.1, (chunk, per_chunk): 2.5}


@pytest.mark.timeout(600)  # two runs, on a machine that may be busy
@pytest.mark.wire
def test_the_gateway_costs_no_more_over_a_bare_proxy_than_is_allowed(tmp_path: Path) -> None:
    first = measured(tmp_path / "first.json")
    dear = too_dear(ratios(first))
    if dear:
        dear = too_dear(ratios(first, measured(tmp_path / "second.json")))
    assert dear == {}, "times the bare proxy; benchmarks/README.md says what to do"
