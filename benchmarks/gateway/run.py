"""A run: every peer up at once, and round after round each scenario visits one peer after the other."""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import uvloop

from benchmarks.gateway.check import wrong
from benchmarks.gateway.cpu import core_seconds, cpu_seconds
from benchmarks.gateway.machine import machine, raised_priority
from benchmarks.gateway.measurement import Measurement, Run
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import SCENARIOS, Scenario
from benchmarks.gateway.servers import LOAD_CORE, PEER_CORE, PINNED, Running, Unusable, origin, pin, running
from benchmarks.gateway.visit import TRIES, Say, measure

AGAIN_SHARE = 0.25
"""How many of its measurements a run may take again: a machine that is never quiet would keep it for ever."""


def run(peers: Sequence[Peer], scenarios: Sequence[str], rounds: int, seconds: float, nice: int, say: Say) -> Run:
    """Measure. Peers that do not start, and scenarios that a peer answers wrongly, are left out; `say` is told why.

    `nice` is the priority that everything gets, as far as this user may.
    """
    load_before = os.getloadavg()[0]
    # 800 streams are 1,600 connections of a proxy; the usual soft limit is 1,024. What is started inherits it.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = [scenario for scenario in SCENARIOS.values() if scenario.name in scenarios]
    with raised_priority(nice) as priority, ExitStack() as stack:
        up = list(_started(peers, stack, say))
        before = _Core.now(up)
        with _on_core(LOAD_CORE):
            taken = uvloop.run(_rounds(up, chosen, rounds, seconds, say))
        neighbours = _Core.now(up).neighbours(before) if PINNED else None
    facts = {it.peer.name: it.facts for it in up}
    return Run(machine(load_before, priority, neighbours), rounds, seconds, taken, facts)


async def _rounds(
    up: Sequence[Running], scenarios: Sequence[Scenario], rounds: int, seconds: float, say: Say
) -> list[Measurement]:
    taken: list[Measurement] = []
    visits = [(scenario, it) for scenario in scenarios for it in up if scenario.name in it.peer.scenarios]
    spare = math.ceil(AGAIN_SHARE * rounds * len(visits))
    for number in range(1, rounds + 1):
        for scenario, it in tuple(visits):
            # Not all of them in advance: a peer would have the memory of every scenario before the first.
            complaint = wrong(it.peer, it.port, scenario) if number == 1 else None
            if complaint is None:
                got = await measure(it, scenario, number, seconds, say, tries=min(TRIES, 1 + spare))
                spare -= got.again
            else:
                say(f"{it.peer.name} is left out of {scenario.name}: {complaint}")
                visits.remove((scenario, it))
                got = Measurement(it.peer.name, scenario.name, 0, errors=1)
            taken.append(got)
    return taken


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


@dataclass(frozen=True, slots=True)
class _Core:
    """How much of the peers' core was used, and how much of that by the peers, in seconds until some moment."""

    at: float
    all: float
    peers: float

    @classmethod
    def now(cls, up: Sequence[Running]) -> _Core:
        peers = 0.0
        for it in up:
            with suppress(ProcessLookupError):
                peers += cpu_seconds(it.pid) if it.own_core else 0.0
        return cls(time.monotonic(), core_seconds(PEER_CORE), peers)

    def neighbours(self, before: _Core) -> float:
        """The share of the time since `before` in which neither the peers used it nor nobody."""
        others = self.all - before.all - (self.peers - before.peers)
        return max(0.0, others) / (self.at - before.at)


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
