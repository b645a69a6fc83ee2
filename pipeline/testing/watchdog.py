"""Finding a stage that blocks: it holds the thread and waits for nothing, so no time limit of an event loop can end it.

A timer of the system interrupts it where it is. That ends loops, sleeps, locks and reads of sockets; not a loop that
catches everything, `BaseException` too. Only in the main thread, and only where there are such timers.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 20.0
AGAIN = 1.0


class Blocked(BaseException):
    """One example took all the time there is. Not an `Exception`: Hypothesis would look for a smaller one for hours."""

    def __init__(self, where: str) -> None:
        super().__init__(f"it blocks: it holds the thread and waits for nothing, at last in {where}")


@contextmanager
def unblocked(seconds: float) -> Iterator[None]:
    """Raise `Blocked` in whatever runs inside for longer than that, and again each second until it is heard."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Blocked(_where(frame))

    handler = signal.signal(signal.SIGALRM, interrupt)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        # What pytest-timeout may have set goes on.
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def _where(frame: FrameType | None) -> str:
    """The innermost line that is not of the interpreter's own library."""
    while (
        frame is not None
        and "lib/python" in frame.f_code.co_filename
        and "site-packages" not in frame.f_code.co_filename
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "an unknown place"
