"""Noticing that a client has left, from before dispatch to the last byte.

No ASGI server raises on `send` after a disconnect, so without a watcher a gateway pays the model provider to the end.
One task per request waits for `http.disconnect` and cancels the request's own task; cancellation then releases
everything on its way out. On asyncio that task is not made for an answer that comes at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import copy_context
from typing import Any

import anyio

from pipeline.timer import Timer

UNWATCHED_SECONDS = 0.02
"""How long a request runs before anybody is set to watch its client: an answer that comes at once is not worth a task,
and a client that leaves sooner is noticed then."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


def while_connected(receive: Receive, work: Callable[[], Awaitable[None]]) -> Awaitable[bool]:
    """Run `work`; True if it finished, False if the client left first and it was cancelled.

    Cancellation from elsewhere, such as a server that shuts down, passes through. The request body must have been
    read: from then on `receive` tells of nothing but the disconnect.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _in_task_group(receive, work)
    return _on_asyncio(loop, receive, work)


class _Watch(Timer):
    """Of one client, over one task. It begins when the timer expires."""

    __slots__ = ("_context", "_receive", "_task", "_watcher", "left")

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, task: asyncio.Task[Any]) -> None:
        self._context = copy_context()  # what is around `receive` may look there
        self._receive = receive
        self._task: asyncio.Task[Any] | None = task
        self._watcher: asyncio.Task[None] | None = None
        self.left = False
        self._start(loop, UNWATCHED_SECONDS)

    def _expire(self) -> None:
        self._watcher = self._context.run(asyncio.get_running_loop().create_task, self._watch())

    async def _watch(self) -> None:
        await _disconnected(self._receive)
        if self._task is not None:
            self.left = True
            self._task.cancel()

    def end(self) -> None:
        """The work is over: from now on a departure changes nothing."""
        self._task = None
        self._stop()
        watcher, self._watcher = self._watcher, None  # its CancelledError keeps a frame that has `self`
        if watcher is not None:
            watcher.cancel()


async def _on_asyncio(loop: asyncio.AbstractEventLoop, receive: Receive, work: Callable[[], Awaitable[None]]) -> bool:
    task = asyncio.current_task(loop)
    assert task is not None
    watch = _Watch(loop, receive, task)
    before = task.cancelling()
    try:
        await work()
    except asyncio.CancelledError:
        # Ours only if undoing our one cancel() leaves the count as it was; otherwise the server wants out too.
        if watch.left and task.uncancel() <= before:
            return False
        raise
    except Exception:
        if watch.left:
            await _take_back(task, before)
        raise
    finally:
        watch.end()
    if watch.left:
        await _take_back(task, before)
    return True


async def _take_back(task: asyncio.Task[Any], before: int) -> None:
    """The work ended in spite of our cancel(), which may not have arrived yet: what follows must not be hit by it."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        if task.cancelling() - 1 > before:
            raise
    task.uncancel()


async def _in_task_group(receive: Receive, work: Callable[[], Awaitable[None]]) -> bool:
    finished = False
    failure: Exception | None = None
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            await _disconnected(receive)
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            await work()
            finished = True
        except Exception as error:
            failure = error  # raised outside, or the group would wrap it
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return finished


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
