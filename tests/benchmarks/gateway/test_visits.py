"""A visit waits for what a slow peer needs to say anything, and tells that it said nothing."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from benchmarks.gateway import run
from benchmarks.gateway.answers import answer, openai_whole
from benchmarks.gateway.load import Load
from benchmarks.gateway.measurement import Facts
from benchmarks.gateway.peers.direct import Direct
from benchmarks.gateway.scenarios import Ask, Scenario
from benchmarks.gateway.servers import Running
from tests.benchmarks.gateway.scripted_server import Exchange, serving

pytestmark = [pytest.mark.wire, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

SCENARIO = Scenario("four", (Ask("chat-1k"),), 4)
ANSWER = answer(openai_whole("origin-1k"))


def at(port: int) -> Running:
    """Something on a port, whose process is this one."""
    return Running(Direct(), os.getpid(), port, Facts("scripted"))


async def test_a_slow_peer_is_counted_from_its_first_answers_on_and_until_there_are_two_on_each_connection() -> None:
    asked: list[int] = []
    said: list[str] = []

    def slow(exchange: Exchange) -> None:
        asked.append(exchange.connection)
        exchange.send(ANSWER, after_seconds=0.5)

    async with serving(slow) as port:
        got = await run.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert said == []
    assert got.requests >= 8
    assert len(asked) >= got.requests + 4 + 4  # the four before the counting, and the four that nobody waited for
    assert got.seconds is not None
    assert got.seconds > 0.9


async def test_a_peer_that_says_nothing_has_an_error_and_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_SECONDS", 0.1)
    said: list[str] = []
    async with serving(lambda exchange: None) as port:
        got = await run.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert (got.errors, got.requests, got.cpu_us_per_request, got.p50_ms) == (1, 0, None, None)
    assert said == ["direct, four: 1 errors, the first: nothing came in time"]


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
        visit = len(loads)
        if visit <= 2 and visit not in stopped and loads[-1].tally.counting:
            stopped.add(visit)
            time.sleep(0.6)  # the whole loop stands still, as when the machine does

    monkeypatch.setattr(run, "Load", Watched)
    async with serving(stopping) as port:
        got = await run.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert said == ["direct, four: the machine stood still, so once more"] * 2
    assert got.requests > 0
    assert got.seconds is not None
    assert got.seconds < 0.5


async def test_a_peer_that_does_not_come_to_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "IDLE_SHARE", 0.0)  # so that none ever does
    monkeypatch.setattr(run, "RESTS", 2)
    said: list[str] = []
    async with serving(lambda exchange: exchange.send(ANSWER)) as port:
        await run.measure(at(port), SCENARIO, 1, seconds=0.05, say=said.append)
    assert said == ["direct still works long after four: that is in the figures of its next visit"]
