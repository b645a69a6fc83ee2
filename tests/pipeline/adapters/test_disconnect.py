"""Whatever the work makes of a client's departure, what follows it is not cancelled by a client that is gone."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any
from weakref import ref

import anyio
import pytest

from pipeline.adapters.disconnect import Message, while_connected


class Departure:
    """Leaves when told to."""

    def __init__(self) -> None:
        self.now = anyio.Event()

    async def receive(self) -> Message:
        await self.now.wait()
        return {"type": "http.disconnect"}


async def test_work_that_finishes_is_not_disturbed() -> None:
    departure = Departure()

    async def work() -> None:
        await anyio.lowlevel.checkpoint()

    assert await while_connected(departure.receive, work)


async def test_a_departure_cancels_the_work() -> None:
    departure = Departure()
    ended: list[str] = []

    async def work() -> None:
        departure.now.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            ended.append("cancelled")
            raise

    assert not await while_connected(departure.receive, work)
    assert ended == ["cancelled"]
    await anyio.lowlevel.checkpoint()


async def test_a_failure_comes_out_as_it_is() -> None:
    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        raise LookupError("as it is")

    with pytest.raises(LookupError, match="as it is"):
        await while_connected(Departure().receive, work)


def swallows(departure: Departure) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        departure.now.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return

    return work


def fails(departure: Departure) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        departure.now.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise LookupError from None

    return work


# One loop: how often a task was asked to cancel is asyncio's own bookkeeping.
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("make", [swallows, fails])
async def test_work_that_ends_in_spite_of_it_leaves_nothing_behind(
    anyio_backend: str, make: Callable[[Departure], Callable[[], Awaitable[None]]]
) -> None:
    departure = Departure()
    task = asyncio.current_task()
    assert task is not None
    try:
        await while_connected(departure.receive, make(departure))
    except LookupError:
        assert make is fails
    assert task.cancelling() == 0
    await asyncio.sleep(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_server_that_stops_gets_through(anyio_backend: str) -> None:
    task = asyncio.current_task()
    assert task is not None

    async def stops_and_leaves() -> Message:
        task.cancel()
        return {"type": "http.disconnect"}

    with pytest.raises(asyncio.CancelledError):
        await while_connected(stops_and_leaves, lambda: asyncio.sleep(60))
    assert task.uncancel() == 0


async def test_each_client_is_watched_in_the_context_of_its_own_request() -> None:
    name: ContextVar[str] = ContextVar("name")
    seen: list[tuple[str, str]] = []

    async def request(mine: str) -> None:
        name.set(mine)

        async def receive() -> Message:
            seen.append((mine, name.get()))
            return {"type": "http.disconnect"}

        assert not await while_connected(receive, anyio.sleep_forever)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for mine in "abc":
                group.start_soon(request, mine)
    assert sorted(seen) == [("a", "a"), ("b", "b"), ("c", "c")]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_request_that_was_watched_leaves_nothing_to_the_garbage_collector(anyio_backend: str) -> None:
    watched = anyio.Event()

    async def receive() -> Message:
        watched.set()
        await anyio.sleep_forever()
        return {}

    held = ref(receive)
    gc.disable()
    try:
        assert await while_connected(receive, watched.wait)
        del receive
        await asyncio.sleep(0)  # the watcher hears that it is cancelled
        await asyncio.sleep(0)
        assert held() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_client_is_watched_where_tasks_are_made_in_the_old_way(anyio_backend: str) -> None:
    """By a factory that takes no context (Python before 3.11)."""

    def factory(loop: asyncio.AbstractEventLoop, work: Any) -> asyncio.Task[Any]:
        return asyncio.Task(work, loop=loop)

    async def leaves() -> Message:
        return {"type": "http.disconnect"}

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        with anyio.fail_after(10):
            assert not await while_connected(leaves, anyio.sleep_forever)
    finally:
        loop.set_task_factory(None)
