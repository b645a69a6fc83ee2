"""A run: every peer up at once, and round after round each scenario visits one peer after the other."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import uvloop

from benchmarks.gateway.agreed import ALIASES
from benchmarks.gateway.answers import CHUNKS, WHOLE_BYTES
from benchmarks.gateway.bodies import body
from benchmarks.gateway.check import wrong
from benchmarks.gateway.cpu import cpu_seconds, rss_bytes
from benchmarks.gateway.figures import Spent, figures
from benchmarks.gateway.load import Load, Prepared, prepared
from benchmarks.gateway.machine import machine, raised_priority
from benchmarks.gateway.measurement import Measurement, Run
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import SCENARIOS, Ask, Scenario
from benchmarks.gateway.servers import LOAD_CORE, Running, Unusable, origin, pin, running

WARM_UP_SECONDS = 0.3
MOST_SECONDS = 8.0
STALL_SECONDS, TRIES = 0.3, 3  # virtual machines are stopped at times, and the clock runs on
REST_SECONDS, IDLE_SHARE, RESTS = 0.05, 0.2, 200
Say = Callable[[str], None]


def run(peers: Sequence[Peer], scenarios: Sequence[str], rounds: int, seconds: float, nice: int, say: Say) -> Run:
    """Measure. Peers that do not start, and scenarios that a peer answers wrongly, are left out; `say` is told why.

    `nice` is the priority that everything gets, as far as this user may.
    """
    load_before = os.getloadavg()[0]
    # 800 streams are 1,600 connections of a proxy; the usual soft limit is 1,024. What is started inherits it.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    visits: list[tuple[Scenario, Running]] = []
    taken: list[Measurement] = []
    with raised_priority(nice) as priority, ExitStack() as stack:
        up = list(_started(peers, stack, say))
        for scenario in (it for it in SCENARIOS.values() if it.name in scenarios):
            for it in up:
                if scenario.name in it.peer.scenarios:
                    complaint = wrong(it.peer, it.port, scenario)
                    if complaint is None:
                        visits.append((scenario, it))
                    else:
                        say(f"{it.peer.name} is left out of {scenario.name}: {complaint}")
                        taken.append(Measurement(it.peer.name, scenario.name, 0, errors=1))
        with _on_core(LOAD_CORE):
            taken += uvloop.run(_rounds(visits, rounds, seconds, say))
    facts = {it.peer.name: it.facts for it in up}
    return Run(machine(load_before, priority), rounds, seconds, taken, facts)


async def measure(it: Running, scenario: Scenario, number: int, seconds: float, say: Say) -> Measurement:
    """Visit one peer with one scenario. If the machine stood still meanwhile, the visit is made again; without figures
    after `TRIES` of them."""
    for _ in range(TRIES):
        measured = await _visit(it, scenario, number, seconds, say)
        if measured is not None:
            return measured
        say(f"{it.peer.name}, {scenario.name}: the machine stood still, so once more")
    return Measurement(it.peer.name, scenario.name, number)


async def _visit(it: Running, scenario: Scenario, number: int, seconds: float, say: Say) -> Measurement | None:
    requests = [request(it.peer, ask) for ask in scenario.asks]
    load = Load(it.port, requests, scenario.connections, scenario.rate)
    planned = max(seconds, scenario.least_seconds)
    base = rss_bytes(it.pid)
    try:
        await load.start(scenario.ramp_seconds)
        await _warmed(load, scenario)
        cpu, begun = cpu_seconds(it.pid), time.monotonic()
        load.tally.counting = True
        await asyncio.sleep(planned)
        late = time.monotonic() - begun - planned
        await _enough(load, scenario)
        load.tally.counting = False
        took = time.monotonic() - begun
        spent = Spent(cpu_seconds(it.pid) - cpu, took, rss_bytes(it.pid), base)
    finally:
        load.stop()
    if not (load.tally.requests or load.tally.chunks or load.tally.errors):
        load.tally.failed("nothing came in time")
    if not await _rested(it):
        say(f"{it.peer.name} still works long after {scenario.name}: that is in the figures of its next visit")
    if late > STALL_SECONDS:
        return None
    if load.tally.errors:
        say(f"{it.peer.name}, {scenario.name}: {load.tally.errors} errors, the first: {load.tally.first_error}")
    return figures(it.peer.name, scenario, number, load.tally, spent)


def request(peer: Peer, ask: Ask) -> Prepared:
    """What a peer is sent for `ask`."""
    sent = body(peer.dialect, ask.size, peer.model(ask.alias), ask.stream, ask.limit)
    path, headers = peer.path(), peer.headers()
    if ask.stream:
        return prepared(path, headers, sent, chunks=ask.limit or CHUNKS)
    # A gateway may leave fields out. That the text is whole has been checked.
    return prepared(path, headers, sent, least_bytes=WHOLE_BYTES[ALIASES[ask.alias]] // 2)


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
    next one its accounts. Whether it has, in time."""
    for _ in range(RESTS):
        before = cpu_seconds(it.pid)
        await asyncio.sleep(REST_SECONDS)
        if cpu_seconds(it.pid) - before < IDLE_SHARE * REST_SECONDS:
            return True
    return False


async def _rounds(
    visits: Sequence[tuple[Scenario, Running]], rounds: int, seconds: float, say: Say
) -> list[Measurement]:
    return [
        await measure(it, scenario, number, seconds, say) for number in range(1, rounds + 1) for scenario, it in visits
    ]


def _started(peers: Sequence[Peer], stack: ExitStack, say: Say) -> Iterator[Running]:
    origin_pid, origin_port = stack.enter_context(origin())
    for peer in peers:
        try:
            it = stack.enter_context(running(peer, origin_pid, origin_port))
        except Unusable as error:
            say(f"{peer.name} is left out: {error}")
            continue
        took = it.facts.first_200_s
        say(f"{peer.name} is up" + ("" if took is None else f" after {took:.2f} s"))
        yield it


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
