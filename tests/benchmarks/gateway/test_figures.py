"""From a tally to figures: what a scenario does not give stays out, and what never came counts as late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gateway.figures import Spent, figures, quantile_ms
from benchmarks.gateway.load import Tally
from benchmarks.gateway.scenarios import SCENARIOS

MS = 1_000_000
SPENT = Spent(cpu_seconds=0.5, seconds=2.0, rss_bytes=90_000_000, base_rss_bytes=50_000_000)


def test_whole_answers_give_costs_and_latencies_and_nothing_of_chunks() -> None:
    tally = Tally(requests=1000, latencies=[at * MS for at in range(1000)])
    got = figures("bare", SCENARIOS["whole-1k-c64"], 1, tally, SPENT)
    assert (got.cpu_us_per_request, got.rps) == (500, 500)
    assert (got.p50_ms, got.p99_ms, got.p999_ms) == (499, 989, 998)
    assert (got.cpu_us_per_chunk, got.chunk_delay_p50_ms, got.within_250ms, got.rss_kb_per_stream) == (None,) * 4


def test_paced_streams_give_costs_a_chunk_and_no_requests_a_second() -> None:
    tally = Tally(
        requests=20,
        chunks=4000,
        latencies=[MS] * 20,
        first_chunks=[2 * MS] * 40,
        gaps=[10 * MS] * 3980,
        delays=[MS] * 4000,
    )
    got = figures("bare", SCENARIOS["stream-paced"], 1, tally, SPENT)
    assert (got.cpu_us_per_chunk, got.cpu_us_per_request, got.rps, got.p50_ms) == (125, None, None, None)
    assert (got.ttft_p50_ms, got.gap_p50_ms, got.chunk_delay_p50_ms, got.within_250ms) == (2, 10, 1, 1)


def test_chunks_of_a_burst_have_no_delay_since_their_stamp_is_none() -> None:
    tally = Tally(requests=10, chunks=2000, latencies=[MS] * 10, gaps=[0] * 1990, delays=[10**15] * 2000)
    got = figures("bare", SCENARIOS["stream-burst-c8"], 1, tally, SPENT)
    assert (got.chunk_delay_p50_ms, got.gap_p50_ms, got.within_250ms) == (None, None, None)
    assert (got.cpu_us_per_chunk, got.rps) == (250, 5)


@pytest.mark.parametrize(
    ("delays_ms", "share"), [([1] * 32_000, 1.0), ([1] * 8_000, 0.25), ([1] * 8_000 + [251] * 24_000, 0.25)]
)
def test_chunks_that_came_late_or_never_are_not_in_time(delays_ms: list[int], share: float) -> None:
    tally = Tally(chunks=len(delays_ms), delays=[delay * MS for delay in delays_ms], gaps=[MS])
    got = figures("bare", SCENARIOS["streams-800"], 1, tally, SPENT)  # 800 x 20 a second, for two seconds
    assert got.within_250ms == share


def test_the_memory_of_a_stream_is_what_the_first_round_took_for_it() -> None:
    scenario = SCENARIOS["streams-800"]
    assert figures("bare", scenario, 1, Tally(), SPENT).rss_kb_per_stream == 40_000_000 / 800 / 1000
    assert figures("bare", scenario, 2, Tally(), SPENT).rss_kb_per_stream is None


def test_errors_are_told_and_nothing_measured_gives_no_figures() -> None:
    got = figures("bare", SCENARIOS["whole-1k-c1"], 1, Tally(errors=3), SPENT)
    assert (got.errors, got.requests) == (3, 0)
    assert (got.cpu_us_per_request, got.rps, got.p50_ms, got.ttft_p50_ms) == (None,) * 4


def test_open_loop_has_no_throughput_of_its_own() -> None:
    got = figures("bare", SCENARIOS["whole-1k-low"], 1, Tally(requests=20, latencies=[MS] * 20), SPENT)
    assert (got.rps, got.p50_ms) == (None, 1)


@pytest.mark.parametrize(("count", "expected"), [(99, None), (100, 99.0)])
def test_a_high_quantile_of_few_values_is_none(count: int, expected: float | None) -> None:
    assert quantile_ms([at * MS for at in range(1, count + 1)], 990, 100) == expected


@pytest.mark.parametrize(
    ("count", "per_mille", "rank"),
    [(1, 500, 1), (2, 500, 1), (3, 500, 2), (100, 990, 99), (101, 990, 100), (700, 990, 693), (1000, 999, 999)],
)
def test_a_quantile_is_the_first_value_that_so_many_do_not_exceed(count: int, per_mille: int, rank: int) -> None:
    values = [at * MS for at in range(count, 0, -1)]
    assert quantile_ms(values, per_mille) == rank


def test_one_late_value_in_a_hundred_is_not_their_p99() -> None:
    assert quantile_ms([*[MS] * 99, 999 * MS], 990, 100) == 1


def test_a_visit_that_was_disturbed_tells_what_the_work_cost_and_no_times() -> None:
    spent = replace(SPENT, waited_seconds=1.0, disturbed="others had its core")
    whole = Tally(requests=1000, latencies=[MS] * 1000)
    got = figures("bare", SCENARIOS["whole-1k-c64"], 1, whole, spent)
    assert (got.cpu_us_per_request, got.rss_mb, got.waited, got.disturbed) == (500, 90, 0.5, "others had its core")
    assert (got.rps, got.p50_ms, got.p99_ms) == (None,) * 3
    ones = [MS] * 4000
    streamed = Tally(requests=20, chunks=4000, latencies=[MS], first_chunks=ones, gaps=ones, delays=ones)
    got = figures("bare", SCENARIOS["streams-800"], 1, streamed, spent)
    assert (got.cpu_us_per_chunk, got.rss_kb_per_stream) == (125, 50)
    assert (got.ttft_p50_ms, got.gap_p50_ms, got.chunk_delay_p99_ms, got.within_250ms) == (None,) * 4
