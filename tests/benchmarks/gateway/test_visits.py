"""A visit waits for what a slow peer needs to say anything, tells that it said nothing, and is made again if somebody
else spoilt it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import accumulate, chain, count, repeat
from typing import Any

import pytest

from benchmarks.gateway import visit
from benchmarks.gateway.answers import answer, openai_whole
from benchmarks.gateway.load import Load
from benchmarks.gateway.measurement import Facts
from benchmarks.gateway.peers.direct import Direct
from benchmarks.gateway.scenarios import CROWD, Ask, Scenario
from benchmarks.gateway.servers import Running
from tests.benchmarks.gateway.scripted_server import Exchange, serving

pytestmark = [pytest.mark.wire, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

SCENARIO = Scenario("four", (Ask("chat-1k"),), 4)
ANSWER = answer(openai_whole("origin-1k"))


def at(port: int, *, own_core: bool = False) -> Running:
    """Something on a port, whose process is this one."""
    return Running(Direct(), os.getpid(), port, Facts("scripted"), own_core)


def at_once(exchange: Exchange) -> None:
    exchange.send(ANSWER)


def waiting(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Let the one thread of the peer wait for so long in each visit, whose CPU time is none, and no machine stand
    still."""
    monkeypatch.setattr(visit, "STALL_SECONDS", 600.0)
    so_far = accumulate(chain.from_iterable((0.0, wait) for wait in seconds))
    monkeypatch.setattr(visit, "waits", lambda _: {1: next(so_far)})
    monkeypatch.setattr(visit, "cpu_seconds", lambda _: 1.0)
    used = count(0.0, 9.0)
    monkeypatch.setattr(visit, "core_seconds", lambda _: next(used))


async def test_a_slow_peer_is_counted_from_its_first_answers_on_and_until_there_are_two_on_each_connection() -> None:
    asked: list[int] = []
    said: list[str] = []

    def slow(exchange: Exchange) -> None:
        asked.append(exchange.connection)
        exchange.send(ANSWER, after_seconds=0.5)

    async with serving(slow) as port:
        got = await visit.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert said == []
    assert got.requests >= 8
    assert len(asked) >= got.requests + 4 + 4  # the four before the counting, and the four that nobody waited for
    assert got.seconds is not None
    assert got.seconds > 0.9


async def test_a_peer_that_says_nothing_has_an_error_and_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "MOST_SECONDS", 0.1)
    said: list[str] = []
    async with serving(lambda exchange: None) as port:
        got = await visit.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert (got.errors, got.requests, got.cpu_us_per_request, got.p50_ms) == (1, 0, None, None)
    assert said == ["direct, four: 1 errors, the first: nothing came in time"]


async def test_a_peer_that_is_gone_has_an_error_and_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int) -> float:
        raise ProcessLookupError(f"process {pid} is gone")

    monkeypatch.setattr(visit, "cpu_seconds", gone)
    said: list[str] = []
    async with serving(at_once) as port:
        got = await visit.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert (got.errors, got.requests, got.cpu_us_per_request) == (1, 0, None)
    assert said == [f"direct, four: process {os.getpid()} is gone"]


async def test_a_visit_during_which_the_machine_stood_still_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Load] = []
    stopped: set[int] = set()
    said: list[str] = []

    class Watched(Load):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            loads.append(self)

    def stopping(exchange: Exchange) -> None:
        exchange.send(ANSWER)
        visited = len(loads)
        if visited <= 2 and visited not in stopped and loads[-1].tally.counting:
            stopped.add(visited)
            time.sleep(0.6)  # the whole loop stands still, as when the machine does

    monkeypatch.setattr(visit, "Load", Watched)
    async with serving(stopping) as port:
        got = await visit.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert len(said) == 2
    assert all(line.startswith("direct, four: the machine stood still for 0.") for line in said)
    assert (got.again, got.disturbed) == (2, "")
    assert got.requests > 0
    assert got.seconds is not None
    assert got.seconds < 0.5


async def test_a_visit_during_which_others_had_the_core_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch, 9.0, 9.0, 0.0)
    said: list[str] = []
    async with serving(at_once) as port:
        got = await visit.measure(at(port, own_core=True), SCENARIO, 1, seconds=0.1, say=said.append)
    assert len(said) == 2
    assert all("others had its core for" in line and line.endswith("so once more") for line in said)
    assert (got.again, got.disturbed, got.waited) == (2, "", 0)
    assert got.p50_ms is not None


async def test_a_visit_that_is_disturbed_each_time_keeps_its_costs_and_loses_its_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting(monkeypatch, 9.0, 9.0)
    said: list[str] = []
    async with serving(at_once) as port:
        got = await visit.measure(at(port, own_core=True), SCENARIO, 1, seconds=0.1, say=said.append, tries=2)
    assert [line.rpartition(", ")[2] for line in said] == ["so once more", "so it has no times"]
    assert "others had its core for" in got.disturbed
    assert (got.again, got.p50_ms, got.rps) == (1, None, None)
    assert got.cpu_us_per_request is not None


async def test_a_peer_is_not_held_to_waits_for_its_own_threads_nor_for_the_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting(monkeypatch, 9.0)
    async with serving(at_once) as port:
        got = await visit.measure(at(port), SCENARIO, 1, seconds=0.1, say=lambda _: None)
        assert (got.again, got.disturbed, got.waited) == (0, "", None)  # it shares its core with the load
        cpu = chain([0.0, 9.0], repeat(9.0))  # all that the core did: its threads waited for each other
        monkeypatch.setattr(visit, "cpu_seconds", lambda _: next(cpu))
        waiting_threads = count(0.0, 9.0)
        monkeypatch.setattr(visit, "waits", lambda _: {1: next(waiting_threads)})
        got = await visit.measure(at(port, own_core=True), SCENARIO, 1, seconds=0.1, say=lambda _: None)
    assert (got.again, got.disturbed, got.waited) == (0, "", 0)


async def test_a_wrong_answer_counts_however_disturbed_the_visit_was(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(monkeypatch, 9.0)
    async with serving(lambda exchange: exchange.send(answer(b"{}"))) as port:
        got = await visit.measure(at(port, own_core=True), SCENARIO, 1, seconds=0.1, say=lambda _: None)
    assert (got.again, got.errors > 0) == (0, True)


async def test_the_memory_of_a_stream_is_counted_from_before_the_first_visit_even_if_that_was_disturbed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Scenario("crowd", (Ask("chat-1k"),), CROWD)
    waiting(monkeypatch, 9.0, 0.0)
    resident = chain([10_000_000], repeat(30_000_000))
    monkeypatch.setattr(visit, "rss_bytes", lambda _: next(resident))
    async with serving(at_once) as port:
        got = await visit.measure(at(port, own_core=True), crowd, 1, seconds=0.1, say=lambda _: None)
    assert got.again == 1
    assert got.rss_kb_per_stream == 20_000 / CROWD


def using(*seconds: float) -> Callable[[int], float]:
    """The CPU clock of a peer that uses so much in one look after the other, and nothing after that."""
    so_far = accumulate(chain(chain.from_iterable((0.0, used) for used in seconds), repeat(0.0)))
    return lambda _: next(so_far)


@pytest.mark.parametrize(
    ("used", "looks"), [((), 3), ((0.05,), 4), ((0.0, 0.0, 0.05), 6), ((0.05, 0.0, 0.05, 0.0, 0.0), 6)]
)
async def test_a_peer_has_rested_when_it_was_calm_several_times_in_a_row(
    monkeypatch: pytest.MonkeyPatch, used: tuple[float, ...], looks: int
) -> None:
    clock, looked = using(*used), 0

    def look(pid: int) -> float:
        nonlocal looked
        looked += 1
        return clock(pid)

    monkeypatch.setattr(visit, "cpu_seconds", look)
    monkeypatch.setattr(visit, "REST_SECONDS", 0.001)
    assert await visit._rested(at(0))
    assert looked == 2 * looks


async def test_a_peer_that_does_not_come_to_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "IDLE_SHARE", 0.0)  # so that none ever does
    monkeypatch.setattr(visit, "RESTS", 2)
    said: list[str] = []
    async with serving(at_once) as port:
        await visit.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert said == ["direct still works long after four: that is in the figures of its next visit"]
