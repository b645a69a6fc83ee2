"""A run is written, read and summed up without loss; what was not measured is no zero; noise is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.gateway.measurement import NOISY_SPREAD, Facts, Machine, Measurement, Run

MACHINE = Machine("a cpu", 2, True, 0, "3.11", "6.1", "2026-01-01T00:00:00+00:00", 0.1, 0.2)


def run_of(peer: str, *costs: float | None) -> Run:
    measured = [
        Measurement(peer, "whole-1k-c64", at, cpu_us_per_request=cost) for at, cost in enumerate(costs, start=1)
    ]
    return Run(MACHINE, len(costs), 2.0, measured, {peer: Facts("1.0", idle_rss_mb=17.5)})


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    run = run_of("nginx", 30.0, None, 35.5)
    run.write(tmp_path / "new" / "run.json")
    assert Run.read(tmp_path / "new" / "run.json") == run


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"rounds": 3}')
    with pytest.raises(msgspec.ValidationError):
        Run.read(tmp_path / "run.json")


def test_a_median_is_of_the_rounds_that_have_the_figure() -> None:
    run = run_of("nginx", 30.0, None, 50.0, 32.0)
    assert run.median("nginx", "whole-1k-c64", "cpu_us_per_request") == 32.0
    assert run.median("nginx", "whole-1k-c64", "p50_ms") is None
    assert run.median("bare", "whole-1k-c64", "cpu_us_per_request") is None
    with pytest.raises(ValueError, match="p51_ms"):
        run.median("nginx", "whole-1k-c64", "p51_ms")


@pytest.mark.parametrize("peer", ["nginx", "bare"])
def test_a_steady_peer_that_is_not_steady_makes_a_run_too_noisy(peer: str) -> None:
    assert run_of(peer, 100.0, 100.0, 100.0 + 99 * NOISY_SPREAD).spread(peer, "whole-1k-c64", "cpu_us_per_request")
    assert not list(run_of(peer, 100.0, 100.0, 100.0 + 99 * NOISY_SPREAD).noise())
    (line,) = run_of(peer, 100.0, 100.0, 100.0 + 101 * NOISY_SPREAD).noise()
    assert "whole-1k-c64" in line
    assert peer in line


def test_other_peers_and_single_rounds_prove_no_noise() -> None:
    assert not list(run_of("litellm", 1.0, 100.0).noise())
    assert not list(run_of("nginx", 1.0).noise())


@pytest.mark.parametrize(
    ("run", "known"),
    [
        (run_of("nginx", 1.0, 1.0), True),
        (run_of("bare", 1.0, None, 1.0), True),
        (run_of("nginx", 1.0), False),  # one round has no spread
        (run_of("bare", None, 1.0), False),
        (run_of("gatewright", 1.0, 1.0), False),
    ],
)
def test_noise_is_known_from_two_rounds_of_a_steady_peer(run: Run, known: bool) -> None:
    assert ["not known" in doubt for doubt in run.doubts()] == [True] * (not known)


@pytest.mark.parametrize(("share", "doubtful"), [(None, False), (0.09, False), (0.11, True)])
def test_ratios_beside_a_busy_neighbour_are_in_doubt(share: float | None, doubtful: bool) -> None:
    run = run_of("nginx", 1.0, 1.0)
    doubts = list(replace(run, machine=replace(run.machine, neighbours=share)).doubts())
    assert ["11% of the peers' core" in doubt for doubt in doubts] == [True] * doubtful


@pytest.mark.parametrize(
    ("scenario", "figure", "noisy"),
    [
        ("stream-paced", "cpu_us_per_chunk", True),
        ("stream-paced", "p99_ms", False),
        ("whole-1k-low", "cpu_us_per_request", False),
    ],
)
def test_noise_is_looked_for_where_the_work_is_always_the_same(scenario: str, figure: str, noisy: bool) -> None:
    costs: list[dict[str, Any]] = [{figure: 10.0 * at} for at in (1, 2, 3)]
    measured = [Measurement("bare", scenario, at, **cost) for at, cost in enumerate(costs, start=1)]
    assert any(Run(MACHINE, 3, 2.0, measured).noise()) == noisy
