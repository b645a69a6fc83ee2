"""Timers that are nearly always stopped before they are due: any number of them for one timer of the loop.

A request has two, its deadline and the start of the watch over its client, and stops both; a loop's own timer costs
an allocation, a place in a heap, and a closing that is called back for. Timers that wait equally long are due in the
order in which they came: they stand in a line, and only its first needs the loop. So that few lines do for all, each
is a power of two long. A timer waits in the longest that is not too long for it, and the rest of its time in shorter
ones, which hardly any lives to see.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from math import frexp, ldexp
from time import monotonic
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

GRAIN_SECONDS = 0.001
"""By how much the loop is asked too late. uvloop counts whole milliseconds, and would look just before it is time."""

REMEMBERED = 64
"""For how many waits a loop remembers the line. There are three, unless embedders give deadlines of their own."""


class Loop(Protocol):
    """What is asked of an event loop."""

    def call_later(
        self, delay: float, callback: Callable[..., object], /, *args: Any, context: Context | None = None
    ) -> object:
        """Call it back then, in the thread of the loop."""
        ...

    def is_closed(self) -> bool:
        """Whether it will never run again."""
        ...


class Timer:
    """Calls its own `_expire` once its time is up, in an empty context, unless it is stopped before. Never early."""

    __slots__ = ("_due_at", "_line")

    _due_at: float
    _line: dict[Timer, float]

    def _start(self, loop: Loop, seconds: float) -> None:
        lines = _latest
        if lines.loop() is not loop:
            lines = _lines_of(loop)
        # Not the loop's own time: uvloop's is that of the turn's beginning, and the timer would be early by the turn.
        now = monotonic()
        self._due_at = now + seconds
        lines[seconds].enter(self, now)

    def _stop(self) -> None:
        """Idempotent, and nothing is left of it."""
        self._line.pop(self, None)

    def _expire(self) -> None:
        """The time is up. Must not raise: others are due in the same turn."""
        raise NotImplementedError


class _Lines(dict[float, "_Line"]):
    """All lines of one loop: for each wait that was asked for lately the line to begin in."""

    __slots__ = ("_by_exponent", "loop")

    def __init__(self, loop: Loop | None) -> None:
        self.loop: Callable[[], Loop | None] = (lambda: None) if loop is None else ref(loop)
        self._by_exponent: dict[int, _Line] = {}

    def __missing__(self, seconds: float) -> _Line:
        if len(self) >= REMEMBERED:
            self.clear()
        line = self[seconds] = self.line(seconds)
        return line

    def line(self, seconds: float) -> _Line:
        """The longest that is not too long."""
        exponent = frexp(max(seconds, GRAIN_SECONDS))[1]
        line = self._by_exponent.get(exponent)
        if line is None:
            line = self._by_exponent[exponent] = _Line(self, ldexp(0.5, exponent))
        return line


class _Line:
    """Those that wait equally long, by when they came. The loop calls back for the first, even if it has left."""

    __slots__ = ("_armed", "_lines", "_seconds", "_waiting")

    def __init__(self, lines: _Lines, seconds: float) -> None:
        self._lines = lines
        self._seconds = seconds
        self._waiting: dict[Timer, float] = {}
        self._armed = False

    def enter(self, timer: Timer, now: float) -> None:
        """Stand at the end."""
        timer._line = waiting = self._waiting
        waiting[timer] = now
        if not self._armed:
            self._arm(self._seconds)

    def _arm(self, seconds: float) -> None:
        loop = self._lines.loop()
        assert loop is not None, "it is running"
        self._armed = True
        # In no context: that of whoever came first would be kept, and be everybody's.
        loop.call_later(seconds + GRAIN_SECONDS, self._look, context=Context())

    def _look(self) -> None:
        self._armed = False
        now = monotonic()
        waited: list[Timer] = []
        for timer, since in self._waiting.items():
            if (left := since + self._seconds - now) > 0:
                self._arm(left)
                break
            waited.append(timer)
        for timer in waited:
            if self._waiting.pop(timer, None) is None:
                continue  # stopped by one before it
            rest = timer._due_at - now
            if rest > 0:
                self._lines.line(rest).enter(timer, now)
            else:
                timer._expire()


# By loop, and the one that was asked last: there is hardly ever another. Weak, or a loop would outlive its run.
_all: WeakKeyDictionary[Loop, _Lines] = WeakKeyDictionary()
_latest = _Lines(None)


def _lines_of(loop: Loop) -> _Lines:
    global _latest
    lines = _all.get(loop)
    if lines is None:
        for other in list(_all):
            if other.is_closed():
                del _all[other]  # what still waits there waits for ever, and would keep its loop
        lines = _all[loop] = _Lines(loop)
    _latest = lines
    return lines
