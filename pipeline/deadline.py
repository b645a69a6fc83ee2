"""One timer per request, none per chunk, and a shield: the only place that knows which event loop is running.

A scope or a timer costs 9-42 us and a gateway awaits once per chunk, so the deadline arms a single timer and
interrupts whatever await is in progress when it fires. On asyncio that is a `Timer` and `Task.cancel`, undone by
`Task.uncancel` (the rule of `asyncio.timeout`); elsewhere an anyio scope around each await. This module is the one
exception to "the core does not import asyncio".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from math import inf
from typing import Any, Protocol, TypeVar

import anyio

from pipeline.errors import DeadlineExceeded
from pipeline.timer import Timer

T = TypeVar("T")


class Deadline(Protocol):
    """Bounds any number of awaits, one after another and from any task, by one point in time."""

    async def guard(self, call: Callable[[], Awaitable[T]]) -> T:
        """Await `call()`; raises `DeadlineExceeded` once the time is up. Cancellation from elsewhere passes through."""
        ...

    def close(self) -> None:
        """Disarm. Idempotent."""
        ...


class NoDeadline:
    """No limit: what a body has until the runtime gives it one."""

    async def guard(self, call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    def close(self) -> None:
        pass


class _LoopDeadline(Timer):
    """asyncio: one timer. The task inside `guard` when it fires is the one that is interrupted."""

    __slots__ = ("_expired", "_interrupted", "_loop", "_seconds", "_task")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = seconds <= 0
        self._interrupted: asyncio.Task[object] | None = None
        self._task: asyncio.Task[object] | None = None
        self._start(loop, seconds)

    def _expire(self) -> None:
        self._expired = True
        if self._task is not None:
            self._interrupted = self._task
            self._task.cancel()

    async def guard(self, call: Callable[[], Awaitable[T]]) -> T:
        if self._expired:
            raise exceeded(self._seconds)
        outer, task = self._task, asyncio.current_task(self._loop)
        self._task = task
        before = task.cancelling() if task is not None else 0
        try:
            return await call()
        except asyncio.CancelledError:
            # Ours only if our one cancel() is all that was added to the count; otherwise somebody else wants out too.
            if task is not None and self._interrupted is task and task.cancelling() - 1 <= before:
                raise exceeded(self._seconds) from None
            raise
        finally:
            self._task = outer
            if self._interrupted is task and task is not None:
                # Whatever the call made of it, or a scope further out would take our cancel() for somebody else's.
                self._interrupted = None
                task.uncancel()

    def close(self) -> None:
        self._stop()


class _ScopeDeadline:
    """Any other loop: an anyio scope per await. Slower, and right."""

    __slots__ = ("_seconds", "_until")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = anyio.current_time() + seconds

    async def guard(self, call: Callable[[], Awaitable[T]]) -> T:
        if anyio.current_time() >= self._until:
            raise exceeded(self._seconds)
        with anyio.CancelScope(deadline=self._until) as scope:
            return await call()
        if scope.cancelled_caught:
            raise exceeded(self._seconds)
        raise AssertionError("unreachable: a scope that did not catch either returned or raised")

    def close(self) -> None:
        self._until = inf


def exceeded(seconds: float) -> DeadlineExceeded:
    """The error of a passed deadline. The upstream may have done the work."""
    return DeadlineExceeded(f"The request did not finish within {max(seconds, 0):g} s.", work_done="maybe")


async def shielded(call: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await `call()` to its end, whoever cancels meanwhile; their cancellation is delivered afterwards.

    An anyio scope does not hold off asyncio's own `Task.cancel`, so on asyncio the call gets a task of its own. Where
    no loop runs, as under the hand driver of the conformance kit, there is nobody to cancel.
    """
    try:
        scope = anyio.CancelScope(shield=True)
    except anyio.NoEventLoopError:
        await call()
        return
    with scope:
        if not running_on_asyncio():
            await call()
            return
        task = asyncio.get_running_loop().create_task(call())
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        task.result()


def time_limit(seconds: float) -> AbstractContextManager[object]:
    """Leave the block after `seconds`, quietly. Without a running loop no time passes, so nothing is limited."""
    try:
        return anyio.move_on_after(seconds)
    except anyio.NoEventLoopError:
        return nullcontext()


def running_on_asyncio() -> bool:
    """Whether the running event loop is asyncio's (or uvloop's)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def soon(call: Callable[[], object]) -> None:
    """Call it at the next turn of asyncio's loop, which is once for all that happens in this one. Elsewhere, now."""
    try:
        asyncio.get_running_loop().call_soon(call)
    except RuntimeError:
        call()


def deadline_in(seconds: float | None) -> Deadline:
    """A deadline `seconds` from now on the loop that is running; None means none."""
    if seconds is None:
        return NoDeadline()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _ScopeDeadline(seconds)
    return _LoopDeadline(loop, seconds)
