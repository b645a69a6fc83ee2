"""From what the load saw and what the kernel accounted for to the figures of one measurement."""

from __future__ import annotations

import os
from dataclasses import dataclass

from benchmarks.gateway.load import Tally
from benchmarks.gateway.measurement import Measurement
from benchmarks.gateway.scenarios import Scenario

SOON_NS = 250_000_000
LEAST_FOR_P99, LEAST_FOR_P999 = 100, 1000
"""How many values a high quantile needs: below, one late value would be all of it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a peer used while the load counted. `base_rss_bytes` was resident before the first connection."""

    cpu_seconds: float
    seconds: float
    rss_bytes: int
    base_rss_bytes: int


def figures(peer: str, scenario: Scenario, number: int, tally: Tally, spent: Spent) -> Measurement:
    """One measurement. What a scenario does not give stays None.

    Streams that never pause have no requests a second: how many end in the time is the origin's doing. The share of
    chunks in time is of those that were due, so chunks that never came count as late.
    """
    requests, chunks, seconds = tally.requests, tally.chunks, spent.seconds
    due = scenario.connections * scenario.chunk_rate * seconds if scenario.chunk_rate else 0
    soon = sum(delay <= SOON_NS for delay in tally.delays)
    latencies = [] if scenario.paced else tally.latencies
    gaps, delays = (tally.gaps, tally.delays) if scenario.paced else ([], [])
    grown = spent.rss_bytes - spent.base_rss_bytes
    return Measurement(
        peer,
        scenario.name,
        number,
        requests=requests,
        chunks=chunks,
        errors=tally.errors,
        seconds=seconds,
        cpu_us_per_request=spent.cpu_seconds / requests * 1e6 if latencies else None,
        cpu_us_per_chunk=spent.cpu_seconds / chunks * 1e6 if chunks and scenario.only_streams else None,
        rps=requests / seconds if latencies and scenario.rate is None else None,
        p50_ms=quantile_ms(latencies, 0.5),
        p99_ms=quantile_ms(latencies, 0.99, LEAST_FOR_P99),
        p999_ms=quantile_ms(latencies, 0.999, LEAST_FOR_P999),
        ttft_p50_ms=quantile_ms(tally.first_chunks, 0.5),
        ttft_p99_ms=quantile_ms(tally.first_chunks, 0.99, LEAST_FOR_P99),
        gap_p50_ms=quantile_ms(gaps, 0.5),
        gap_p99_ms=quantile_ms(gaps, 0.99, LEAST_FOR_P99),
        chunk_delay_p50_ms=quantile_ms(delays, 0.5),
        chunk_delay_p99_ms=quantile_ms(delays, 0.99, LEAST_FOR_P99),
        within_250ms=soon / max(due, len(tally.delays)) if due else None,
        rss_mb=spent.rss_bytes / 1e6,
        # Later rounds find the memory of the first: it is not given back, and nothing would seem to grow.
        rss_kb_per_stream=grown / 1e3 / scenario.connections if scenario.crowd and number == 1 else None,
        load_average=os.getloadavg()[0],
    )


def quantile_ms(nanoseconds: list[int], share: float, least: int = 1) -> float | None:
    """The value below which `share` of them lie, in milliseconds; None for fewer than `least` values."""
    if len(nanoseconds) < least:
        return None
    ordered = sorted(nanoseconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6
