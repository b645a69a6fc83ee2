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
from typing import Any, Protocol
from weakref import ref

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

    def time(self) -> float:
        """Its clock, in seconds."""
        ...


class Timer:
    """Calls its own `_expire`, in an empty context, once its time is up by the loop's clock, unless it is stopped.

    uvloop's clock stands still during a turn and counts milliseconds: a timer that is started late in a long turn is
    early by what had passed of it, as one of the loop's own would be.
    """

    __slots__ = ("_due_at", "_line")

    _due_at: float
    _line: dict[Timer, float]

    def _start(self, loop: Loop, seconds: float) -> None:
        # Kept by the loop itself, whose class knows nothing of it: a list of loops would outlive them, and be shared by
        # threads.
        try:
            lines: _Lines = loop._gatewright_lines  # type: ignore[attr-defined]  # as said
        except AttributeError:
            lines = loop._gatewright_lines = _Lines(loop)  # type: ignore[attr-defined]  # as said
        now = loop.time()
        self._due_at = now + seconds
        lines[seconds].enter(self, now)

    def _stop(self) -> None:
        """Idempotent, and nothing is left of it."""
        self._line.pop(self, None)

    def _expire(self) -> None:
        """The time is up. If it raises, those that are due in the same turn have theirs at the next look."""
        raise NotImplementedError  # what then happens is what kinds of timers differ in


class _Lines(dict[float, "_Line"]):
    """All lines of one loop: for each wait that was asked for lately the line to begin in."""

    __slots__ = ("_by_exponent", "_loop")

    def __init__(self, loop: Loop) -> None:
        self._loop = ref(loop)  # which has us: no cycle
        self._by_exponent: dict[int, _Line] = {}

    def now(self) -> float:
        return self._running().time()

    def call_later(self, seconds: float, call: Callable[[], object]) -> None:
        # In no context: that of whoever came first would be kept, and be everybody's.
        self._running().call_later(seconds, call, context=Context())

    def _running(self) -> Loop:
        loop = self._loop()
        assert loop is not None, "it is running"
        return loop

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
        self._lines.call_later(seconds + GRAIN_SECONDS, self._look)
        self._armed = True

    def _look(self) -> None:
        self._armed = False
        now = self._lines.now()
        waited: list[Timer] = []
        for timer, since in self._waiting.items():
            if (left := since + self._seconds - now) > 0:
                self._arm(left)
                break
            waited.append(timer)
        due: list[Timer] = []
        for timer in waited:
            rest = timer._due_at - now
            if rest > 0:
                del self._waiting[timer]
                self._lines.line(rest).enter(timer, now)
            else:
                due.append(timer)
        try:
            while due:
                timer = due.pop(0)
                if self._waiting.pop(timer, None) is not None:
                    timer._expire()
        finally:
            if due:
                self._arm(0)  # one raised: the others are due at the next look
