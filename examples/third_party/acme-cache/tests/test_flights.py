"""Equal requests at the same time: one call, whoever leaves and whatever fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from pipeline import DeadlineExceeded, GatewayError, Handler, UpstreamUnavailable
from upstream import Gate, Upstream, cache, chat, handler, read

from acme_cache import Cache


class Callers:
    """Callers of the same thing, each with a number; what they were told, and a scope to send each away."""

    def __init__(self, ask: Handler, tasks: TaskGroup) -> None:
        self._ask = ask
        self._tasks = tasks
        self.told: dict[int, str] = {}
        self.scopes: dict[int, anyio.CancelScope] = {}

    async def arrive(self, *numbers: int) -> None:
        """They ask, one after the other, and wait as far as they get."""
        for number in numbers:
            self._tasks.start_soon(self._call, number)
            await settled()

    async def _call(self, number: int) -> None:
        with anyio.CancelScope() as self.scopes[number]:
            try:
                self.told[number] = await read(await self._ask(chat()))
            except GatewayError as error:
                self.told[number] = type(error).__name__


@asynccontextmanager
async def callers(stage: Cache, upstream: Upstream) -> AsyncIterator[Callers]:
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            yield Callers(handler(stage, upstream), tasks)
    assert stage._flights == {}


async def settled() -> None:
    """Every task has gone as far as it can."""
    for _ in range(20):
        await checkpoint()


@pytest.mark.parametrize("held", ["head", "rest"])
async def test_equal_requests_share_one_call(held: str) -> None:
    upstream, gate = Upstream(), Gate(1)
    setattr(upstream, held, gate)
    async with callers(cache(), upstream) as each:
        await each.arrive(1, 2, 3)
        assert each.told == {}
        gate.opened.set()
    assert each.told == dict.fromkeys((1, 2, 3), "answer 1")
    assert len(upstream.calls) == 1


async def test_what_is_shared_need_not_be_kept() -> None:
    upstream, gate = Upstream(), Gate(1)
    upstream.head = gate
    stage = cache(entries=1)
    async with callers(stage, upstream) as each:
        await each.arrive(1, 2)
        gate.opened.set()
        stage._shelf.put = lambda key, recorded: None  # type: ignore[method-assign]  # as if there were no room
    assert each.told == dict.fromkeys((1, 2), "answer 1")


@pytest.mark.parametrize("held", ["head", "rest"])
async def test_when_the_leader_leaves_one_follower_goes_on_and_the_others_wait_for_it(held: str) -> None:
    upstream, gate = Upstream(), Gate(1, 2)
    setattr(upstream, held, gate)
    async with callers(cache(), upstream) as each:
        await each.arrive(1, 2, 3)
        each.scopes[1].cancel()
        await settled()
        assert (len(upstream.calls), each.told) == (2, {})
        gate.opened.set()
    assert each.told == {2: "answer 2", 3: "answer 2"}
    assert len(upstream.calls) == 2


async def test_a_leader_whose_time_is_up_hands_over_too() -> None:
    upstream, gate = Upstream(), Gate(1)

    async def late(number: int) -> None:
        await gate(number)
        if number == 1:
            raise DeadlineExceeded("late")

    upstream.rest = late
    async with callers(cache(), upstream) as each:
        await each.arrive(1, 2, 3)
        gate.opened.set()
    assert each.told == {1: "DeadlineExceeded", 2: "answer 2", 3: "answer 2"}


async def test_a_follower_that_leaves_is_not_missed() -> None:
    upstream, gate = Upstream(), Gate(1)
    upstream.head = gate
    async with callers(cache(), upstream) as each:
        await each.arrive(1, 2, 3)
        each.scopes[2].cancel()
        await settled()
        gate.opened.set()
    assert each.told == {1: "answer 1", 3: "answer 1"}
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("held", ["head", "rest"])
async def test_when_the_leader_fails_each_asks_for_itself(held: str) -> None:
    upstream, gate = Upstream(), Gate(1)

    async def fail(number: int) -> None:
        await gate(number)
        if number == 1:
            raise UpstreamUnavailable("down")

    setattr(upstream, held, fail)
    async with callers(cache(), upstream) as each:
        await each.arrive(1, 2, 3)
        gate.opened.set()
    assert sorted(each.told.values()) == ["UpstreamUnavailable", "answer 2", "answer 3"]


async def test_nobody_waits_for_an_answer_that_is_too_long() -> None:
    upstream, gate = Upstream(), Gate(1)
    upstream.pieces, upstream.rest = 3, gate
    async with callers(cache(events=2), upstream) as each:
        await each.arrive(1, 2)
        assert each.told == {2: "answer 2" * 3}
        gate.opened.set()


async def test_nobody_waits_longer_than_patience() -> None:
    upstream, gate = Upstream(), Gate(1)
    upstream.head = gate
    async with callers(cache(patience_seconds=0.01), upstream) as each:
        await each.arrive(1)
        await each.arrive(2)
        with anyio.fail_after(5):
            while 2 not in each.told:
                await checkpoint()
        assert each.told == {2: "answer 2"}
        gate.opened.set()


async def test_only_equal_requests_wait() -> None:
    upstream, gate = Upstream(), Gate(1)
    upstream.head = gate
    stage = cache()
    async with callers(stage, upstream) as each:
        await each.arrive(1)
        assert await read(await handler(stage, upstream)(chat("something else"))) == "answer 2"
        assert each.told == {}
        gate.opened.set()
