"""A report says of a run what its figures say, and nothing where they say nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gateway import publish
from benchmarks.gateway.goals import goals
from benchmarks.gateway.measurement import Facts, Machine, Measurement, Ours, Run
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.peers.environment import Environment
from benchmarks.gateway.report import asked, number, report
from benchmarks.gateway.scenarios import SCENARIOS

MACHINE = Machine("A processor", 2, True, 0, "3.11.7", "6.1", "2026-11-25T23:00:00+00:00", 0.1, 0.2)
REQUEST = "CPU a request, 1 KB, 64 connections"
PAGE = "# Speed\n\n<!-- measured: run -->\nold\n<!-- end measured -->\n\nMore.\n"


def rounds(
    peer: str, scenario: str, *values: float, figure: str = "cpu_us_per_request", errors: int = 0
) -> list[Measurement]:
    said: list[dict[str, Any]] = [{figure: value, "errors": errors} for value in values]
    return [Measurement(peer, scenario, at, **figures) for at, figures in enumerate(said, 1)]


def run(*measurements: list[Measurement], **facts: Facts) -> Run:
    return Run(MACHINE, 3, 2.0, [m for each in measurements for m in each], facts)


QUIET = run(
    rounds("nginx", "whole-1k-c64", 30, 33, 36),
    rounds("bare", "whole-1k-c64", 90, 100, 110),
    rounds("gatewright", "whole-1k-c64", 120, 132, 600),
    gatewright=Facts("0.1.0", idle_rss_mb=61.0, first_200_s=0.5),
)
NOISY = run(rounds("nginx", "whole-1k-c64", 30, 33, 66), rounds("gatewright", "whole-1k-c64", 132, 132, 132))


def verdicts(of: Run, what: str) -> list[tuple[float | None, bool | None]]:
    return [(goal.read(of), goal.met(of)) for goal in goals() if goal.what == what]


def test_a_ratio_is_of_medians_so_one_bad_round_moves_nothing() -> None:
    assert verdicts(QUIET, REQUEST) == [(4.0, True), (1.32, True), (None, None), (None, None)]


def test_a_goal_that_is_missed_is_called_so_and_one_that_was_not_measured_too() -> None:
    text = report(QUIET)
    assert f"| {REQUEST} | 4 x nginx | <= 4.5 x nginx | met |" in text
    assert "| Memory when idle | 61 MB | <= 60 MB | **missed** |" in text
    assert f"| {REQUEST} |  | <= 0.01 x litellm | not measured |" in text


def test_added_time_is_the_difference_to_the_origin_itself() -> None:
    whole = run(
        rounds("direct", "whole-1k-low", 0.2, figure="p50_ms"),
        rounds("gatewright", "whole-1k-low", 0.9, figure="p50_ms"),
    )
    ((added, met),) = verdicts(whole, "Time to a whole answer, added to p50, 10 requests/s")
    assert added == pytest.approx(0.7)
    assert met is False


@pytest.mark.parametrize(("share", "met"), [(0.99, True), (0.989, False)])
def test_the_share_of_chunks_in_time_has_to_be_at_least_the_goal(share: float, met: bool) -> None:
    streams = run(rounds("gatewright", "streams-800", share, figure="within_250ms"))
    assert verdicts(streams, "Chunks within 250 ms, 800 streams x 20/s") == [(share, met)]


def test_wrong_answers_reach_no_goal_however_cheap_and_are_shown() -> None:
    failing = replace(QUIET, measurements=[*QUIET.measurements, *rounds("gatewright", "whole-1k-c64", 1, errors=7)])
    assert verdicts(failing, REQUEST)[0] == (None, None)
    row = next(
        line for line in report(failing).splitlines() if line.startswith("| gatewright |") and line.endswith("7 |")
    )
    assert row.startswith("| gatewright |  |  |")


def test_every_peer_of_a_scenario_is_set_beside_the_floors() -> None:
    lines = report(QUIET).splitlines()
    assert "| peer | x nginx | x bare | CPU µs/request | spread | errors |" in lines
    assert "| gatewright | 4 | 1.32 | 132 | 364% |  |" in lines


def test_a_noisy_run_is_shown_but_concludes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = report(NOISY)
    assert "**Too noisy: this run concludes nothing.**" in text
    assert "nginx in whole-1k-c64: CPU per request spreads 109%" in text
    assert not any(goal.what in text for goal in goals())
    assert "| peer | CPU µs/request | spread | errors |" in text
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    NOISY.write(tmp_path / "run.json")
    assert publish.main([str(tmp_path / "run.json"), "--into", str(page)]) == 3
    assert page.read_text() == PAGE


def test_a_page_gets_the_report_in_its_place_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "PLOTS", Environment("nowhere"))
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    QUIET.write(tmp_path / "run.json")
    for _ in range(2):
        assert publish.main([str(tmp_path / "run.json"), "--into", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("# Speed\n\n<!-- measured: run -->\n")
    assert text.endswith("<!-- end measured -->\n\nMore.\n")
    assert text.count(report(QUIET)) == 1
    assert "old" not in text
    assert "![" not in text


def test_a_run_that_cannot_tell_its_noise_says_so_and_goes_onto_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = run(rounds("nginx", "whole-1k-c64", 30), rounds("gatewright", "whole-1k-c64", 120))
    text = report(once)
    (doubt,) = once.doubts()
    assert f"**{doubt}**" in text
    assert f"| {REQUEST} | 4 x nginx | <= 4.5 x nginx | met |" in text
    assert doubt not in report(QUIET)
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    once.write(tmp_path / "run.json")
    assert publish.main([str(tmp_path / "run.json"), "--into", str(page)]) == 3
    assert page.read_text() == PAGE
    assert doubt in capsys.readouterr().out


def test_visits_that_were_disturbed_are_told() -> None:
    measured = [Measurement("bare", "mixed", 1, again=2), Measurement("bare", "mixed", 2, again=1, disturbed="so")]
    row = next(line for line in report(run(measured)).splitlines() if line.startswith("| disturbed"))
    assert "3 visits made again; 1 of 2 measurements stayed disturbed" in row


def test_a_page_without_a_place_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Speed\n")
    with pytest.raises(ValueError, match="has no place"):
        publish.insert(QUIET, page)
    assert page.read_text() == "# Speed\n"


def test_every_goal_can_be_reached_by_some_scenario_that_is_run() -> None:
    """A goal whose scenario or figure is misspelt would be "not measured" for ever."""
    theirs = ("direct", "nginx", "bare", "tensorzero", "litellm")
    ours = ("gatewright", "gatewright-complete", "gatewright-translate", "gatewright-translate-back")
    assert {"direct", "nginx", "bare", *ours} <= PEERS.keys()
    figures = ("cpu_us_per_request", "cpu_us_per_chunk", "ttft_p50_ms", "p50_ms", "within_250ms", "rss_kb_per_stream")
    ones: dict[str, Any] = dict.fromkeys(figures, 1.0)
    everything = run(
        *([Measurement(peer, scenario, 1, **ones)] for peer in (*theirs, *ours) for scenario in SCENARIOS),
        gatewright=Facts("", idle_rss_mb=1, first_200_s=1, first_200_cpu_s=1, installed_mb=1),
    )
    everything = replace(everything, ours=Ours(0.3, 1.7))
    assert [goal.what for goal in goals() if goal.read(everything) is None] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_scenario_is_told_in_a_line(scenario: str) -> None:
    line = asked(SCENARIOS[scenario])
    assert line.startswith(f"{SCENARIOS[scenario].connections} connections")
    assert SCENARIOS[scenario].asks[0].alias in line


@pytest.mark.parametrize(
    ("value", "said"), [(None, ""), (0.0, "0"), (0.44083, "0.441"), (4.0, "4"), (99.95, "100"), (20435.2, "20,435")]
)
def test_a_number_has_three_digits_that_matter(value: float | None, said: str) -> None:
    assert number(value) == said
