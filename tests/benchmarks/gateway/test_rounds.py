"""A run looks at each peer's answers before it times them, and gives up on a machine that is never quiet."""

from __future__ import annotations

import pytest

from benchmarks.gateway import run
from benchmarks.gateway.measurement import Facts, Measurement
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import SCENARIOS, Scenario
from benchmarks.gateway.servers import Running
from benchmarks.gateway.visit import TRIES, Say

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])

UP = [Running(PEERS[name], 1, 1, Facts("")) for name in ("nginx", "bare")]
CHOSEN = [SCENARIOS["streams-800"], SCENARIOS["image-1m-c4"]]


class Told:
    """Stands for the checks and the visits of a run: what was asked for, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, wrong: tuple[str, str] | None = None) -> None:
        self.events: list[tuple[str, str, str]] = []
        self.tries: list[int] = []
        self._wrong = wrong
        monkeypatch.setattr(run, "wrong", self.check)
        monkeypatch.setattr(run, "measure", self.measure)

    def check(self, peer: Peer, port: int, scenario: Scenario) -> str | None:
        self.events.append(("check", peer.name, scenario.name))
        return "wrong" if (peer.name, scenario.name) == self._wrong else None

    async def measure(
        self, it: Running, scenario: Scenario, number: int, seconds: float, say: Say, tries: int
    ) -> Measurement:
        """Disturbed each time."""
        self.events.append((f"visit {number}", it.peer.name, scenario.name))
        self.tries.append(tries)
        return Measurement(it.peer.name, scenario.name, number, again=tries - 1)


@on_asyncio
async def test_a_peer_is_asked_nothing_of_another_scenario_before_it_is_visited_with_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(monkeypatch)
    await run._rounds(UP, CHOSEN, 2, 1.0, lambda _: None)
    visits = [(peer, scenario.name) for scenario in CHOSEN for peer in ("nginx", "bare")]
    first = [(what, *visit) for visit in visits for what in ("check", "visit 1")]
    assert told.events == first + [("visit 2", *visit) for visit in visits]


@on_asyncio
async def test_a_scenario_that_was_answered_wrongly_is_not_visited_in_any_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(monkeypatch, wrong=("bare", "streams-800"))
    taken = await run._rounds(UP, CHOSEN, 3, 1.0, lambda _: None)
    assert [(m.peer, m.scenario, m.round, m.errors) for m in taken if m.errors] == [("bare", "streams-800", 0, 1)]
    assert sum(event[1:] == ("bare", "streams-800") for event in told.events) == 1
    assert len(taken) == 1 + 3 * 3


@on_asyncio
async def test_a_quarter_of_the_measurements_may_be_taken_again_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch)
    await run._rounds(UP, CHOSEN, 3, 1.0, lambda _: None)
    assert told.tries == [TRIES, 2, *[1] * 10]  # three of twelve


def test_neighbours_are_whoever_has_the_core_beside_the_peers() -> None:
    before = run._Core(at=10.0, all=5.0, peers=1.0)
    assert run._Core(at=20.0, all=12.0, peers=4.0).neighbours(before) == 0.4
    assert run._Core(at=20.0, all=5.0, peers=4.0).neighbours(before) == 0  # ticks are coarse


def test_only_peers_on_their_own_core_are_no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    def used(pid: int) -> float:
        if pid == 3:
            raise ProcessLookupError
        return 10.0 * pid

    monkeypatch.setattr(run, "cpu_seconds", used)
    up = [Running(PEERS["bare"], pid, 1, Facts(""), own_core=pid > 1) for pid in (1, 2, 3, 4)]
    assert run._Core.now(up).peers == 60
