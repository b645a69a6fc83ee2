"""Whoever is cancelled while reading or closing a body, wherever it waits: everything is released, exactly once.

Two kinds of cancellation: an anyio scope, on both loops, and asyncio's own `Task.cancel`, which no anyio shield stops
and which is what a client's disconnect uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint

from pipeline import Body, Outcome, OutcomeKind
from tests.pipeline.fakes import FakeSource, Stall, line_body, read

Work = Callable[[], Awaitable[object]]


async def cancelled_by_scope(work: Work, when: Work) -> bool:
    """Run `work`, cancel it once `when` has returned, and wait for it. Whether the cancellation came through."""
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            await when()
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        await work()
    return group.cancel_scope.cancelled_caught


async def cancelled_by_task(work: Work, when: Work) -> bool:
    """The same by asyncio's own cancel."""

    async def run() -> None:
        await work()

    task = asyncio.get_running_loop().create_task(run())
    await when()
    task.cancel()
    await asyncio.wait({task})
    return task.cancelled()


HOW = {"scope": cancelled_by_scope, "task": cancelled_by_task}


@pytest.fixture(params=["scope", "task"])
def how(request: pytest.FixtureRequest, anyio_backend_name: str) -> Callable[[Work, Work], Awaitable[bool]]:
    # Task.cancel is asyncio's alone; on trio the scope is all there is, so it takes both turns.
    return HOW["scope" if anyio_backend_name == "trio" else request.param]


How = Callable[[Work, Work], Awaitable[bool]]


class Watch:
    """What a body's observers and releases were told, and when they were done."""

    def __init__(self, body: Body, *, slow: Stall | None = None) -> None:
        self.outcomes: list[OutcomeKind] = []
        self.released: list[str] = []
        body.on_end(self._heard)
        body.on_close(self._released("inner"))
        body.on_close(self._released("slow", slow))
        body.on_close(self._released("outer"))

    def _heard(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome.kind)

    def _released(self, name: str, slow: Stall | None = None) -> Callable[[], Awaitable[None]]:
        async def release() -> None:
            await checkpoint()
            if slow is not None:
                slow.reached.set()
                await slow.go_on.wait()
            self.released.append(name)

        return release


async def turns(count: int) -> None:
    for _ in range(count):
        await checkpoint()


@pytest.mark.parametrize("after", range(16))
async def test_cancelled_at_any_await_everything_is_released_once(how: How, after: int) -> None:
    source = FakeSource(b"a\n", b"b\n", b".\n", b"past the end\n")
    body = line_body(source)
    watch = Watch(body)
    began = anyio.Event()

    async def work() -> None:
        began.set()
        await read(body)

    async def when() -> None:
        await began.wait()
        await turns(after)

    await how(work, when)
    assert source.closed
    assert watch.released == ["outer", "slow", "inner"]
    assert len(watch.outcomes) == 1
    calls = list(source.calls)
    await body.aclose()
    assert source.calls == calls


@pytest.mark.parametrize(
    ("before", "kind"),
    [((), OutcomeKind.CLOSED), ((b"a\n",), OutcomeKind.CLOSED), ((b"a\n.\n",), OutcomeKind.COMPLETE)],
    ids=["waiting for the first read", "waiting for a later read", "reading past the end marker"],
)
async def test_cancelled_while_the_source_stalls(how: How, before: tuple[bytes, ...], kind: OutcomeKind) -> None:
    stall = Stall()
    source = FakeSource(*before, stall)
    body = line_body(source)
    watch = Watch(body)
    assert await how(lambda: read(body), stall.reached.wait)
    assert source.calls[-1] == "aclose"
    assert watch.outcomes == [kind]
    assert watch.released == ["outer", "slow", "inner"]


async def test_cancelled_while_waiting_for_an_event(how: How) -> None:
    stall = Stall()
    source = FakeSource(b"a\n", stall)
    body = line_body(source)
    watch = Watch(body)
    assert await how(body.collect, stall.reached.wait)
    assert (source.closed, watch.outcomes) == (True, [OutcomeKind.CLOSED])


@pytest.mark.parametrize("reading", [True, False], ids=["at the end", "closing early"])
async def test_what_is_being_released_is_released_to_its_end(how: How, reading: bool) -> None:
    slow = Stall()
    source = FakeSource(b"a\n.\n")
    body = line_body(source)
    watch = Watch(body, slow=slow)

    async def when() -> None:
        await slow.reached.wait()

    async def work() -> None:
        await (read(body) if reading else body.aclose())
        await checkpoint()

    async def let_go() -> None:
        await turns(8)  # the cancellation has long arrived, and was held off
        assert watch.released == ["outer"]
        slow.go_on.set()

    async with anyio.create_task_group() as group:

        async def cancel_then_let_go() -> None:
            await when()
            group.start_soon(let_go)

        assert await how(work, cancel_then_let_go), "held off, not swallowed"
    assert watch.released == ["outer", "slow", "inner"]
    assert source.closed


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio cancels a scope once and for all
async def test_cancelled_again_and_again_while_releasing() -> None:
    slow = Stall()
    source = FakeSource(b"a\n")
    body = line_body(source)
    watch = Watch(body, slow=slow)

    async def close() -> None:
        await body.aclose()

    task = asyncio.get_running_loop().create_task(close())
    await slow.reached.wait()
    for _ in range(3):
        task.cancel()
        await turns(2)
    assert not task.done()
    slow.go_on.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert watch.released == ["outer", "slow", "inner"]
    assert source.closed


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # a cancellation as an exception to let out is asyncio's idea
async def test_a_release_that_lets_out_a_cancellation_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = FakeSource(b"a\n")
    body = line_body(source)
    watch = Watch(body)

    async def awaits_a_cancelled_task() -> None:
        task = asyncio.get_running_loop().create_task(asyncio.Event().wait())
        task.cancel()
        await task

    body.on_close(awaits_a_cancelled_task)
    await body.aclose()
    assert watch.released == ["outer", "slow", "inner"]
    assert source.closed
    assert "awaits_a_cancelled_task raised while a body ended" in caplog.text
