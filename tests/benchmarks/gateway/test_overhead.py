"""What the gateway costs over a bare proxy on the same server, measured here and now: the guard of its speed.

Both are up, and each round visits one right after the other, so that a neighbour on the machine finds them both. What
is compared is the CPU time of their processes within a round; of the rounds the median counts.
"""

from __future__ import annotations

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
    ("whole-1k-c64", "cpu_us_per_request"): 4.2,
    ("stream-paced", "cpu_us_per_chunk"): 2.6,
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
        # A visit that was disturbed each time has no times, but this figure it has.
        pairs = [of["gatewright", at] / of["bare", at] for of in figures for at in range(1, ROUNDS + 1)]
        found[scenario, figure] = statistics.median(pairs)
    return found


def too_dear(found: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {key: round(ratio, 2) for key, ratio in found.items() if ratio > HIGHEST[key]}


@pytest.mark.timeout(600)  # two runs, on a machine that may be busy
@pytest.mark.wire
def test_the_gateway_costs_no_more_over_a_bare_proxy_than_is_allowed(tmp_path: Path) -> None:
    first = measured(tmp_path / "first.json")
    dear = too_dear(ratios(first))
    if dear:
        dear = too_dear(ratios(first, measured(tmp_path / "second.json")))
    assert dear == {}, "times the bare proxy; benchmarks/README.md says what to do"
