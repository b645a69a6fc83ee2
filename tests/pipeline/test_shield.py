"""What is shielded runs to its end, whoever cancels, and the cancellation arrives afterwards."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from anyio.lowlevel import checkpoint

from pipeline.deadline import shielded


async def test_it_is_awaited_and_its_error_passes() -> None:
    log: list[str] = []

    async def work() -> None:
        await checkpoint()
        log.append("done")
        raise KeyError("mine")

    with pytest.raises(KeyError):
        await shielded(work)
    assert log == ["done"]


async def test_a_scope_s_cancellation_waits() -> None:
    log: list[str] = []
    go_on = anyio.Event()

    async def work() -> None:
        await go_on.wait()
        log.append("done")

    async def cancelled() -> None:
        await shielded(work)
        await checkpoint()
        log.append("never")

    async with anyio.create_task_group() as outer, anyio.create_task_group() as group:
        group.start_soon(cancelled)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()

        async def let_go() -> None:
            with anyio.CancelScope(shield=True):
                await anyio.wait_all_tasks_blocked()
            assert log == []
            go_on.set()

        outer.start_soon(let_go)
    assert log == ["done"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # about asyncio's own Task.cancel
async def test_task_cancel_waits_too() -> None:
    log: list[str] = []
    go_on = anyio.Event()

    async def work() -> None:
        await go_on.wait()
        log.append("done")

    task = asyncio.get_running_loop().create_task(shielded(work))
    for _ in range(3):
        await checkpoint()
        task.cancel()
    await checkpoint()
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["done"]
