"""How a body ended, telling those who want to know, and letting go of what it held."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum

import anyio
import msgspec

from pipeline.codec import Usage
from pipeline.deadline import time_limit
from pipeline.errors import GatewayError
from pipeline.log import NAME

CLOSE_SECONDS = 2.0


class OutcomeKind(Enum):
    """`COMPLETE`: to its own end marker. `FAILED`: an error ended it. `CLOSED`: somebody left early."""

    COMPLETE = "complete"
    FAILED = "failed"
    CLOSED = "closed"


COMPLETE, FAILED, CLOSED = OutcomeKind  # asking the class for one costs as much as three function calls


class Outcome(msgspec.Struct, frozen=True):
    """What every `on_end` function receives, exactly once. `pieces` and `bytes` count what was handed out.

    `first_out_at` is when the first piece was handed out (`time.perf_counter`), `first_waited_seconds` how much of the
    time until then was spent waiting for the source.
    """

    kind: OutcomeKind
    error: GatewayError | None = None
    usage: Usage | None = None
    pieces: int = 0
    bytes: int = 0
    first_out_at: float | None = None
    first_waited_seconds: float = 0.0


def notify(observers: Sequence[Callable[[Outcome], None]], outcome: Outcome) -> None:
    """Tell the observers, outer first. One that raises is reported and the others still hear of it."""
    for f in reversed(observers):
        try:
            f(outcome)
        except Exception as error:
            report(f, error)


async def release(functions: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Call each, for two seconds at most. One that raises is reported and the others still have their turn."""
    for f in functions:
        try:
            with time_limit(CLOSE_SECONDS):
                await f()
        except (Exception, anyio.get_cancelled_exc_class()) as error:
            # Also a cancellation that the function itself let out.
            report(f, error)


def report(f: Callable[..., object], error: BaseException) -> None:
    """Log a clean-up or observer that raised: it must not change the answer, and must not be silent."""
    name = getattr(f, "__qualname__", repr(f))
    logging.getLogger(NAME).error("%s raised while a body ended", name, exc_info=error)
