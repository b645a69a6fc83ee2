"""A deadline interrupts whatever is awaited, takes nobody else's cancellation for its own, and leaves none behind.

On trio by a virtual clock; on asyncio by a tiny real one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio
import pytest
import trio.testing
from anyio.lowlevel import checkpoint

from pipeline import DeadlineExceeded
from pipeline.deadline import NoDeadline, deadline_in, running_on_asyncio

TINY = 0.02
ON_ASYNCIO = pytest.mark.parametrize("anyio_backend", [("asyncio", {})])  # about asyncio's own Task.cancel


@pytest.fixture(
    scope="module",
    params=[("asyncio", {}), ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})],
    ids=["asyncio", "trio"],
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


async def for_ever() -> None:
    await anyio.Event().wait()


async def test_what_is_done_in_time_is_returned() -> None:
    async def quick() -> str:
        await checkpoint()
        return "done"

    deadline = deadline_in(60)
    assert await deadline.guard(quick) == "done"
    assert await deadline.guard(quick) == "done"
    deadline.close()
    deadline.close()


async def test_what_is_awaited_when_it_passes_is_interrupted() -> None:
    started = anyio.current_time()
    with pytest.raises(DeadlineExceeded, match=r"within 0\.02 s") as caught:
        await deadline_in(TINY).guard(for_ever)
    assert anyio.current_time() - started >= TINY * 0.9
    assert (caught.value.status, caught.value.work_done) == (504, "maybe")


async def test_once_passed_nothing_is_begun_any_more() -> None:
    begun: list[str] = []

    async def call() -> None:
        begun.append("call")

    deadline = deadline_in(TINY)
    for _ in range(2):
        with pytest.raises(DeadlineExceeded):
            await deadline.guard(for_ever)
        with pytest.raises(DeadlineExceeded):
            await deadline.guard(call)
    assert begun == []


@pytest.mark.parametrize("seconds", [0, -3.5])
async def test_one_that_had_passed_before_it_was_made_begins_nothing(seconds: float) -> None:
    begun: list[str] = []

    async def call() -> None:
        begun.append("call")

    with pytest.raises(DeadlineExceeded, match="within 0 s"):
        await deadline_in(seconds).guard(call)
    assert begun == []


async def test_one_that_passes_between_two_awaits_stops_the_second() -> None:
    deadline = deadline_in(TINY)
    await deadline.guard(checkpoint)
    with anyio.move_on_after(TINY * 2):
        await for_ever()
    with pytest.raises(DeadlineExceeded):
        await deadline.guard(for_ever)


async def test_an_error_of_the_call_passes_through() -> None:
    async def fails() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError):
        await deadline_in(60).guard(fails)


async def test_nested_guards_of_one_deadline_raise_it_once() -> None:
    deadline = deadline_in(TINY)
    with pytest.raises(DeadlineExceeded):
        await deadline.guard(lambda: deadline.guard(for_ever))
    await checkpoint()


async def test_the_outer_await_is_still_guarded_after_an_inner_one() -> None:
    deadline = deadline_in(TINY)

    async def outer() -> None:
        await deadline.guard(checkpoint)
        await for_ever()

    with pytest.raises(DeadlineExceeded):
        await deadline.guard(outer)


@pytest.mark.parametrize("inner_first", [True, False])
async def test_of_two_deadlines_the_earlier_is_named(inner_first: bool) -> None:
    outer, inner = deadline_in(60 if inner_first else TINY), deadline_in(TINY / 2 if inner_first else 60)
    with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s" if inner_first else r"within 0\.02 s"):
        await outer.guard(lambda: inner.guard(for_ever))
    outer.close()
    inner.close()


async def test_a_cancellation_from_outside_is_not_the_deadline() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await deadline_in(60).guard(for_ever)
        except DeadlineExceeded:
            ended.append("deadline")
        except anyio.get_cancelled_exc_class():
            ended.append("cancelled")
            raise

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert ended == ["cancelled"]


async def test_a_scope_around_the_guard_keeps_its_own_time() -> None:
    deadline = deadline_in(60)
    with anyio.move_on_after(TINY) as scope:
        await deadline.guard(for_ever)
    assert scope.cancelled_caught
    deadline.close()


async def test_a_closed_deadline_interrupts_nobody() -> None:
    deadline = deadline_in(TINY)
    await deadline.guard(checkpoint)
    deadline.close()
    with anyio.move_on_after(TINY * 3) as scope:
        await deadline.guard(for_ever)
    assert scope.cancelled_caught


async def test_none_is_no_deadline() -> None:
    deadline = deadline_in(None)
    assert isinstance(deadline, NoDeadline)
    await deadline.guard(checkpoint)
    deadline.close()


async def test_it_knows_the_loop(anyio_backend_name: str) -> None:
    assert running_on_asyncio() == (anyio_backend_name == "asyncio")


@ON_ASYNCIO
async def test_task_cancel_passes_through_and_is_not_the_deadline() -> None:
    async def work() -> None:
        await deadline_in(60).guard(for_ever)

    task = asyncio.get_running_loop().create_task(work())
    await checkpoint()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@ON_ASYNCIO
async def test_when_both_come_at_once_the_cancellation_wins() -> None:
    deadline = deadline_in(60)

    async def work() -> None:
        await deadline.guard(for_ever)

    task = asyncio.get_running_loop().create_task(work())
    await checkpoint()
    task.cancel()
    deadline._expire()  # type: ignore[attr-defined]  # the timer of asyncio's deadline, fired by hand
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1, "only the other's request is left"


@ON_ASYNCIO
@pytest.mark.parametrize("answer", ["deadline", "another error", "nothing"])
async def test_whatever_the_call_makes_of_it_no_cancel_request_stays_behind(answer: str) -> None:
    async def call() -> None:
        try:
            await for_ever()
        except asyncio.CancelledError:
            if answer == "another error":
                raise KeyError("instead") from None
            if answer == "deadline":
                raise

    expected = {"deadline": DeadlineExceeded, "another error": KeyError}
    task = asyncio.current_task()
    assert task is not None
    if answer in expected:
        with pytest.raises(expected[answer]):
            await deadline_in(TINY).guard(call)
    else:
        await deadline_in(TINY).guard(call)
    assert task.cancelling() == 0
    async with asyncio.timeout(60):
        await checkpoint()


@ON_ASYNCIO
async def test_a_task_that_was_cancelled_before_still_has_its_deadline() -> None:
    async def work() -> str:
        with suppress(asyncio.CancelledError):  # shuts down in its own time, as a server does
            await for_ever()
        try:
            await deadline_in(TINY).guard(for_ever)
        except DeadlineExceeded:
            return "deadline"
        return "done"

    task = asyncio.get_running_loop().create_task(work())
    await checkpoint()
    task.cancel()
    assert await task == "deadline"
    assert task.cancelling() == 1
