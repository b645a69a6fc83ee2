"""From what the load saw and what the kernel accounted for to the figures of one measurement."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.gateway.load import Tally
from benchmarks.gateway.measurement import Measurement
from benchmarks.gateway.scenarios import Scenario

SOON_NS = 250_000_000
LEAST_FOR_P99, LEAST_FOR_P999 = 100, 1000
"""How many values a high quantile needs: below, one late value would be all of it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a peer used while the load counted.

    `base_rss_bytes` was resident before the first connection. `waited_seconds` is for how long others had its core
    while it could have run. `disturbed` tells why the times of the visit are worth nothing; empty if they are not.
    """

    cpu_seconds: float
    seconds: float
    rss_bytes: int
    base_rss_bytes: int
    waited_seconds: float | None = None
    disturbed: str = ""


def figures(peer: str, scenario: Scenario, number: int, tally: Tally, spent: Spent) -> Measurement:
    """One measurement. What a scenario does not give stays None.

    Streams that never pause have no requests a second: how many end in the time is the origin's doing. The share of
    chunks in time is of those that were due, so chunks that never came count as late. A visit that was disturbed gives
    what was spent, and no times.
    """
    chunks, seconds = tally.chunks, spent.seconds
    requests = 0 if scenario.paced else tally.requests
    timed = Tally() if spent.disturbed else tally
    due = scenario.connections * scenario.chunk_rate * seconds if scenario.chunk_rate and not spent.disturbed else 0
    soon = sum(delay <= SOON_NS for delay in timed.delays)
    latencies = [] if scenario.paced else timed.latencies
    gaps, delays = (timed.gaps, timed.delays) if scenario.paced else ([], [])
    grown = spent.rss_bytes - spent.base_rss_bytes
    return Measurement(
        peer,
        scenario.name,
        number,
        requests=tally.requests,
        chunks=chunks,
        errors=tally.errors,
        seconds=seconds,
        waited=None if spent.waited_seconds is None else spent.waited_seconds / seconds,
        disturbed=spent.disturbed,
        cpu_us_per_request=spent.cpu_seconds / requests * 1e6 if requests else None,
        cpu_us_per_chunk=spent.cpu_seconds / chunks * 1e6 if chunks and scenario.only_streams else None,
        rps=requests / seconds if latencies and scenario.rate is None else None,
        p50_ms=quantile_ms(latencies, 500),
        p99_ms=quantile_ms(latencies, 990, LEAST_FOR_P99),
        p999_ms=quantile_ms(latencies, 999, LEAST_FOR_P999),
        ttft_p50_ms=quantile_ms(timed.first_chunks, 500),
        ttft_p99_ms=quantile_ms(timed.first_chunks, 990, LEAST_FOR_P99),
        gap_p50_ms=quantile_ms(gaps, 500),
        gap_p99_ms=quantile_ms(gaps, 990, LEAST_FOR_P99),
        chunk_delay_p50_ms=quantile_ms(delays, 500),
        chunk_delay_p99_ms=quantile_ms(delays, 990, LEAST_FOR_P99),
        within_250ms=soon / max(due, len(delays)) if due else None,
        rss_mb=spent.rss_bytes / 1e6,
        # Later rounds find the memory of the first: it is not given back, and nothing would seem to grow.
        rss_kb_per_stream=grown / 1e3 / scenario.connections if scenario.crowd and number == 1 else None,
    )


def quantile_ms(nanoseconds: list[int], per_mille: int, least: int = 1) -> float | None:
    """The smallest value that so many per mille of them do not exceed, in milliseconds; None for fewer than `least`."""
    if len(nanoseconds) < least:
        return None
    rank = -(-len(nanoseconds) * per_mille // 1000)  # in whole numbers: 0.99 is none
    return sorted(nanoseconds)[rank - 1] / 1e6
