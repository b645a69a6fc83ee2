"""A run: every peer up at once, and round after round each scenario visits one peer after the other."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from benchmarks.gateway.answers import CHUNKS
from benchmarks.gateway.bodies import body
from benchmarks.gateway.cpu import cpu_seconds, rss_bytes
from benchmarks.gateway.load import Load, Prepared, Tally, prepared
from benchmarks.gateway.measurement import Machine, Measurement, Run
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import SCENARIOS, Ask, Scenario
from benchmarks.gateway.servers import LOAD_CORE, Running, Unusable, origin, pin, running

WARM_UP_SECONDS = 0.5
REST_SECONDS = 0.2  # after a visit, in which a peer clears away what was cut off
SOON_NS = 250_000_000
LEAST_FOR_P99, LEAST_FOR_P999 = 100, 1000
LEAST_BYTES = {"chat-1k": 600, "chat-100k": 99_000}
Say = Callable[[str], None]


def run(peers: Sequence[Peer], scenarios: Sequence[str], rounds: int, seconds: float, say: Say) -> Run:
    """Measure. Peers that do not start are left out, and `say` is told why."""
    load_before = os.getloadavg()[0]
    with ExitStack() as stack:
        origin_pid, origin_port = stack.enter_context(origin())
        up: list[Running] = []
        for peer in peers:
            try:
                up.append(stack.enter_context(running(peer, origin_pid, origin_port)))
            except Unusable as error:
                say(f"{peer.name} is left out: {error}")
            else:
                took = up[-1].facts.first_200_s
                say(f"{peer.name} is up" + (f" after {took:.2f} s" if took is not None else ""))
        with _on_core(LOAD_CORE):
            measurements = uvloop.run(_rounds(up, [SCENARIOS[name] for name in scenarios], rounds, seconds, say))
    machine = _machine(load_before)
    return Run(machine, rounds, seconds, measurements, {it.peer.name: it.facts for it in up})


async def _rounds(
    up: Sequence[Running], scenarios: Sequence[Scenario], rounds: int, seconds: float, say: Say
) -> list[Measurement]:
    return [
        await measure(it, scenario, number, seconds, say)
        for number in range(1, rounds + 1)
        for scenario in scenarios
        for it in up
        if scenario.name in it.peer.scenarios
    ]


async def measure(it: Running, scenario: Scenario, number: int, seconds: float, say: Say) -> Measurement:
    """Visit one peer with one scenario."""
    load = Load(
        it.port, [request(it.peer, scenario.name, ask) for ask in scenario.asks], scenario.connections, scenario.rate
    )
    tally = load.tally
    rss_before = rss_bytes(it.pid)
    try:
        await load.start(scenario.ramp_seconds)
        await asyncio.sleep(WARM_UP_SECONDS)
        cpu, begun = cpu_seconds(it.pid), time.monotonic()
        tally.counting = True
        await asyncio.sleep(seconds)
        cpu, took = cpu_seconds(it.pid) - cpu, time.monotonic() - begun
        tally.counting = False
        rss = rss_bytes(it.pid)
    finally:
        load.stop()
    await asyncio.sleep(REST_SECONDS)
    if tally.errors:
        say(f"{it.peer.name}, {scenario.name}: {tally.errors} errors, the first: {tally.first_error}")
    return _figures(it.peer.name, scenario, number, tally, cpu, took, rss_before, rss)


def request(peer: Peer, scenario: str, ask: Ask) -> Prepared:
    """What a peer is sent for `ask`."""
    sent = body(peer.dialect, ask.size, peer.model(ask.alias), ask.stream)
    path, headers = peer.path(scenario), peer.headers(scenario)
    if ask.stream:
        return prepared(path, headers, sent, chunks=CHUNKS)
    return prepared(path, headers, sent, least_bytes=LEAST_BYTES[ask.alias])


def _figures(
    peer: str, scenario: Scenario, number: int, tally: Tally, cpu: float, took: float, rss_before: int, rss: int
) -> Measurement:
    requests, chunks = tally.requests, tally.chunks
    due = scenario.connections * scenario.chunk_rate * took if scenario.chunk_rate else 0
    paced = tally.delays if due else []
    soon = sum(delay <= SOON_NS for delay in paced)
    return Measurement(
        peer,
        scenario.name,
        number,
        requests=requests,
        chunks=chunks,
        errors=tally.errors,
        seconds=took,
        cpu_us_per_request=cpu / requests * 1e6 if requests and not due else None,
        cpu_us_per_chunk=cpu / chunks * 1e6 if chunks and scenario.streams else None,
        rps=requests / took if requests and scenario.rate is None and not due else None,
        p50_ms=_quantile(tally.latencies, 0.5) if not due else None,
        p99_ms=_quantile(tally.latencies, 0.99, LEAST_FOR_P99) if not due else None,
        p999_ms=_quantile(tally.latencies, 0.999, LEAST_FOR_P999) if not due else None,
        ttft_p50_ms=_quantile(tally.first_chunks, 0.5),
        ttft_p99_ms=_quantile(tally.first_chunks, 0.99, LEAST_FOR_P99),
        gap_p50_ms=_quantile(tally.gaps, 0.5) if due else None,
        gap_p99_ms=_quantile(tally.gaps, 0.99, LEAST_FOR_P99) if due else None,
        chunk_delay_p50_ms=_quantile(paced, 0.5),
        chunk_delay_p99_ms=_quantile(paced, 0.99, LEAST_FOR_P99),
        within_250ms=soon / max(due, len(paced)) if due else None,
        rss_mb=rss / 1e6,
        rss_kb_per_stream=(rss - rss_before) / 1e3 / scenario.connections if scenario.name == "streams-800" else None,
        load_average=os.getloadavg()[0],
    )


def _quantile(nanoseconds: list[int], share: float, least: int = 1) -> float | None:
    """In milliseconds; None where there are too few values for it to mean anything."""
    if len(nanoseconds) < least:
        return None
    ordered = sorted(nanoseconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _machine(load_before: float) -> Machine:
    cores = os.cpu_count() or 1
    named = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return Machine(
        cpu=named[0] if named else platform.processor(),
        cores=cores,
        pinned=cores > 1,
        python=sys.version.split()[0],
        kernel=platform.release(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        load_before=load_before,
        load_after=os.getloadavg()[0],
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
