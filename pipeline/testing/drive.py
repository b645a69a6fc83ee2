"""Running a coroutine so that each place where it waits is known, and a cancellation can be delivered at any of them.

By hand there is no event loop: sending into the coroutine costs about a microsecond, an example ten. That works as long
as only the kit's own points are awaited. Whatever else is awaited raises `NeedsLoop`, and the example is tried on real
loops, where every suspension counts as a place, the stage's own locks and sleeps too.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import anyio

from pipeline.testing.points import Point

T = TypeVar("T")

MOST_AWAITS = 100_000


class NeedsLoop(Exception):
    """The coroutine waits for something that only an event loop can give."""


class Cancelled(BaseException):
    """A cancellation by hand. No `except Exception` catches it, as with those of the event loops."""


@dataclass
class Attempt(Generic[T]):
    """What became of a call. `awaits` counts the places where it waited; `delivered` that it was cancelled at one."""

    value: T | None = None
    error: Exception | None = None
    awaits: int = 0
    delivered: bool = False
    cancelled: bool = False

    @property
    def swallowed(self) -> bool:
        """It was cancelled and went on as if nothing had happened."""
        return self.delivered and not self.cancelled

    def unwrap(self) -> T:
        if self.error is not None:
            raise self.error
        assert self.value is not None, "cancelled"
        return self.value


def by_hand(call: Callable[[], Coroutine[Any, Any, T]], *, cancel_at: int | None = None) -> Attempt[T]:
    """Drive `call()` to its end without an event loop; throw `Cancelled` at the wait number `cancel_at`.

    Raises `NeedsLoop` at the first wait for anything but a `Point`.
    """
    attempt: Attempt[T] = Attempt()
    coroutine = call()
    resume: Callable[[], Any] = partial(coroutine.send, None)
    while True:
        try:
            waits_for = resume()
        except StopIteration as stop:
            attempt.value = stop.value
            return attempt
        except Cancelled:
            attempt.cancelled = True
            return attempt
        except Exception as error:
            if needs_loop(error):
                raise NeedsLoop(str(error)) from error
            attempt.error = error
            return attempt
        if not isinstance(waits_for, Point):
            _abandon(coroutine)
            raise NeedsLoop(f"it waits for {waits_for!r}")
        if attempt.awaits > MOST_AWAITS:
            _abandon(coroutine)
            raise AssertionError(f"it never returns: {MOST_AWAITS} waits, the last one for {waits_for.name}")
        resume = partial(coroutine.send, None)
        if attempt.awaits == cancel_at and waits_for.cancellable:
            attempt.delivered = True
            resume = partial(coroutine.throw, Cancelled())
        attempt.awaits += 1


async def on_loop(call: Callable[[], Coroutine[Any, Any, T]], *, cancel_at: int | None = None) -> Attempt[T]:
    """The same on the loop that is running; the cancellation is that of a scope around the call."""
    attempt: Attempt[T] = Attempt()
    with anyio.CancelScope() as scope:
        counted = _Counted(call(), attempt, scope, cancel_at)
        try:
            attempt.value = await counted
        except Exception as error:
            attempt.error = error
    attempt.cancelled = scope.cancelled_caught
    return attempt


class _Counted(Generic[T]):
    """Awaits a coroutine and counts its suspensions."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, T], attempt: Attempt[T], scope: anyio.CancelScope, cancel_at: int | None
    ) -> None:
        self._coroutine = coroutine
        self._attempt = attempt
        self._scope = scope
        self._cancel_at = cancel_at

    def __await__(self) -> Generator[Any, Any, T]:
        coroutine, attempt = self._coroutine, self._attempt
        cancellation = anyio.get_cancelled_exc_class()
        resume: Callable[[], Any] = partial(coroutine.send, None)
        while True:
            try:
                waits_for = resume()
            except StopIteration as stop:
                value: T = stop.value
                return value
            if attempt.awaits == self._cancel_at:
                self._scope.cancel()
            attempt.awaits += 1
            try:
                sent = yield waits_for
            except BaseException as error:
                attempt.delivered = attempt.delivered or isinstance(error, cancellation)
                resume = partial(coroutine.throw, error)
            else:
                # trio sends an error in, wrapped, and has it raised where it is unwrapped.
                attempt.delivered = attempt.delivered or isinstance(getattr(sent, "error", None), cancellation)
                resume = partial(coroutine.send, sent)


def needs_loop(error: BaseException | None) -> bool:
    """Whether the error, or one that it hides, says that no event loop is running."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, anyio.NoEventLoopError):
            return True
        if isinstance(error, RuntimeError) and ("event loop" in str(error) or "async context" in str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _abandon(coroutine: Coroutine[Any, Any, Any]) -> None:
    """End a coroutine that cannot go on. What it does about it is not judged here: the example runs again elsewhere."""
    try:
        coroutine.close()
    except (Exception, Cancelled):
        return
