"""A visit: one peer is asked what one scenario asks, for a while, and what it did and what it spent is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.gateway.agreed import ALIASES
from benchmarks.gateway.answers import CHUNKS, WHOLE_BYTES
from benchmarks.gateway.bodies import body
from benchmarks.gateway.cpu import core_seconds, cpu_seconds, longest_wait, rss_bytes, waits
from benchmarks.gateway.figures import Spent, figures
from benchmarks.gateway.load import Load, Prepared, prepared
from benchmarks.gateway.measurement import Measurement
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import Ask, Scenario
from benchmarks.gateway.servers import PEER_CORE, Running

WARM_UP_SECONDS = 0.3
MOST_SECONDS = 8.0
TRIES = 3
STALL_SECONDS = 0.3  # virtual machines are stopped at times, and the clock runs on
WAITED_SHARE = 0.25  # of the time. Neighbours of lower priority take a tenth, one of the same takes half
REST_SECONDS, IDLE_SHARE, CALM, RESTS = 0.05, 0.05, 3, 200
Say = Callable[[str], None]


async def measure(
    it: Running, scenario: Scenario, number: int, seconds: float, say: Say, tries: int = TRIES
) -> Measurement:
    """Visit one peer with one scenario, and again if the visit was disturbed, up to `tries` times in all.

    The last visit counts. If it was disturbed like the others it has no times, but still tells what the work cost.
    """
    where = f"{it.peer.name}, {scenario.name}"
    again = 0
    try:
        base = rss_bytes(it.pid)  # before the first visit: a later one finds memory that it left
        while True:
            got = await _visit(it, scenario, number, seconds, base, say)
            if not await _rested(it):
                say(f"{it.peer.name} still works long after {scenario.name}: that is in the figures of its next visit")
            if not got.disturbed or got.errors:
                break
            if again == tries - 1:
                say(f"{where}: {got.disturbed}, so it has no times")
                break
            say(f"{where}: {got.disturbed}, so once more")
            again += 1
    except ProcessLookupError as error:
        got = Measurement(it.peer.name, scenario.name, number, errors=1)
        say(f"{where}: {error}")
    return replace(got, again=again)


async def _visit(
    it: Running, scenario: Scenario, number: int, seconds: float, base_rss_bytes: int, say: Say
) -> Measurement:
    requests = [request(it.peer, ask) for ask in scenario.asks]
    load = Load(it.port, requests, scenario.connections, scenario.rate)
    tally, planned = load.tally, max(seconds, scenario.least_seconds)
    try:
        await load.start(scenario.ramp_seconds)
        await _warmed(load, scenario)
        cpu, waited, used, begun = cpu_seconds(it.pid), waits(it.pid), core_seconds(PEER_CORE), time.monotonic()
        tally.counting = True
        await asyncio.sleep(planned)
        late = time.monotonic() - begun - planned
        await _enough(load, scenario)
        tally.counting = False
        took = time.monotonic() - begun
        cpu, rss = cpu_seconds(it.pid) - cpu, rss_bytes(it.pid)
        others = core_seconds(PEER_CORE) - used - cpu
        wait = _wait_for_others(others, longest_wait(waited, waits(it.pid))) if it.own_core else None
    finally:
        load.stop()
    disturbed = ""
    if late > STALL_SECONDS:
        disturbed = f"the machine stood still for {late:.1f} s"
    elif wait is not None and wait > WAITED_SHARE * took:
        disturbed = f"others had its core for {wait / took:.0%} of the time"
    if not (tally.requests or tally.chunks or tally.errors or disturbed):
        tally.failed("nothing came in time")
    if tally.errors:
        say(f"{it.peer.name}, {scenario.name}: {tally.errors} errors, the first: {tally.first_error}")
    return figures(it.peer.name, scenario, number, tally, Spent(cpu, took, rss, base_rss_bytes, wait, disturbed))


def _wait_for_others(others: float, waited: float | None) -> float | None:
    """How much of a wait was for somebody else: no more than `others` had of the core, in seconds. Threads of one peer
    wait for each other as well."""
    return None if waited is None else min(waited, max(0.0, others))


def request(peer: Peer, ask: Ask) -> Prepared:
    """What a peer is sent for `ask`."""
    sent = body(peer.dialect, ask.size, peer.model(ask.alias), ask.stream, ask.limit)
    if ask.stream:
        return prepared(peer.path(), peer.headers(), sent, chunks=ask.limit or CHUNKS)
    # A gateway may leave fields out. That the text is whole has been checked.
    return prepared(peer.path(), peer.headers(), sent, least_bytes=WHOLE_BYTES[ALIASES[ask.alias]] // 2)


async def _warmed(load: Load, scenario: Scenario) -> None:
    """Connections all begin at once, and a slow peer answers them all at once: wait until it has, or its first answers
    would be counted without the CPU time that they took."""
    await asyncio.sleep(WARM_UP_SECONDS)
    if scenario.closed:
        await _until(load, lambda: load.tally.answers >= scenario.connections)


async def _enough(load: Load, scenario: Scenario) -> None:
    """Of a slow peer, at least two answers on each connection."""
    if scenario.closed:
        await _until(load, lambda: load.tally.requests >= 2 * scenario.connections)


async def _until(load: Load, true: Callable[[], bool]) -> None:
    until = time.monotonic() + MOST_SECONDS
    # A load that woke somebody at each answer would cost too much.
    while not true() and not load.tally.errors and time.monotonic() < until:  # noqa: ASYNC110  # see above
        await asyncio.sleep(0.02)


async def _rested(it: Running) -> bool:
    """After a visit, wait until the peer has cleared away what was cut off: the next one shares its core, and its own
    next one its accounts. Whether it has, in time. One quiet moment proves nothing: it may wait for a timer."""
    calm = 0
    for _ in range(RESTS):
        before = cpu_seconds(it.pid)
        await asyncio.sleep(REST_SECONDS)
        calm = calm + 1 if cpu_seconds(it.pid) - before < IDLE_SHARE * REST_SECONDS else 0
        if calm == CALM:
            return True
    return False
