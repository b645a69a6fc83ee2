"""Noticing that a client has left, from before dispatch to the last byte.

No ASGI server raises on `send` after a disconnect, so without a watcher a gateway pays the model provider to the end.
One task per request waits for `http.disconnect` and cancels the request's own task; cancellation then releases
everything on its way out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio

from pipeline.deadline import running_on_asyncio

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


async def while_connected(receive: Receive, work: Callable[[], Awaitable[None]]) -> bool:
    """Run `work`; True if it finished, False if the client left first and it was cancelled.

    Cancellation from elsewhere, such as a server that shuts down, passes through. The request body must have been
    read: from then on `receive` tells of nothing but the disconnect.
    """
    return await (_on_asyncio(receive, work) if running_on_asyncio() else _in_task_group(receive, work))


async def _on_asyncio(receive: Receive, work: Callable[[], Awaitable[None]]) -> bool:
    task = asyncio.current_task()
    assert task is not None
    left = False
    over = False

    async def watch() -> None:
        nonlocal left
        await _disconnected(receive)
        if not over:
            left = True
            task.cancel()

    before = task.cancelling()
    watcher = asyncio.get_running_loop().create_task(watch())
    try:
        await work()
    except asyncio.CancelledError:
        # Ours only if undoing our one cancel() leaves the count as it was; otherwise the server wants out too.
        if left and task.uncancel() <= before:
            return False
        raise
    except Exception:
        if left:
            await _absorb(task)
        raise
    finally:
        over = True
        watcher.cancel()
    if left:
        await _absorb(task)
    return True


async def _absorb(task: asyncio.Task[Any]) -> None:
    """The client left in the very turn in which the work ended: take back the cancel that has not arrived yet."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        if task.uncancel() > 0:
            raise


async def _in_task_group(receive: Receive, work: Callable[[], Awaitable[None]]) -> bool:
    left = False
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            nonlocal left
            await _disconnected(receive)
            left = True
            group.cancel_scope.cancel()

        group.start_soon(watch)
        await work()
        left = False
        group.cancel_scope.cancel()
    return not left


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
