"""The functions that stages attach to a body, and how they are fused into one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from pipeline.errors import GatewayError
from pipeline.events import Event, EventKind
from pipeline.outcome import Outcome, report

MapFunction = Callable[[Event], Event | None]
ExpandFunction = Callable[[Event], tuple[Event, ...]]
PatchFunction = Callable[[bytes], bytes]
ErrorFunction = Callable[[GatewayError], Event | None]
EndFunction = Callable[[Outcome], None]
CloseFunction = Callable[[], Awaitable[None]]
Emit = Callable[[Event], object]


class Attachments:
    """What a stage may hang on a body before its first read.

    | call          | f is                      | when                                                            |
    |---------------|---------------------------|-----------------------------------------------------------------|
    | `map(f)`      | event -> event or None    | each event, inner stages first; None drops it                   |
    | `expand(f)`   | event -> tuple of events  | the same; declared in `@stage(expands=True)`                    |
    | `patch(f)`    | bytes -> bytes            | each encoded frame, last; for edits that need no event          |
    | `on_error(f)` | error -> event or None    | the source failed; may word the last event, never swallows      |
    | `on_end(f)`   | outcome -> None           | exactly once, outer first; observes, must not raise             |
    | `on_close(f)` | async () -> None          | exactly once, last attached first, after `on_end`, shielded, 2 s |

    All but `on_close` are synchronous: nothing may await between two events. Attaching after the first read raises
    `RuntimeError`, because the function would have missed what went before.
    """

    __slots__ = ("_closers", "_enders", "_error_makers", "_functions", "_patches", "_started")

    def __init__(self) -> None:
        # Tuples, and another for each attachment: most bodies have one or two in all.
        self._functions: tuple[tuple[Callable[[Event], Any], bool], ...] = ()  # and whether it expands
        self._patches: tuple[PatchFunction, ...] = ()
        self._error_makers: tuple[ErrorFunction, ...] = ()
        self._enders: tuple[EndFunction, ...] = ()
        self._closers: tuple[CloseFunction, ...] = ()
        self._started = False

    def map(self, f: MapFunction) -> None:
        self._attaching()
        self._functions += ((f, False),)

    def expand(self, f: ExpandFunction) -> None:
        self._attaching()
        self._functions += ((f, True),)

    def patch(self, f: PatchFunction) -> None:
        self._attaching()
        self._patches += (f,)

    def on_error(self, f: ErrorFunction) -> None:
        self._attaching()
        self._error_makers += (f,)

    def on_end(self, f: EndFunction) -> None:
        self._attaching()
        self._enders += (f,)

    def on_close(self, f: CloseFunction) -> None:
        self._attaching()
        self._closers += (f,)

    def _attaching(self) -> None:
        if self._started:
            raise RuntimeError("attach to a body before its first read")

    def _fused(self, emit: Emit) -> Emit:
        """All functions as one, in the order of attachment; what comes out of the last goes to `emit`."""
        side_by_side: list[MapFunction] = []
        for f, expands in reversed(self._functions):
            if not expands:
                side_by_side.insert(0, f)
                continue
            if side_by_side:
                emit, side_by_side = _mapping(side_by_side, emit), []
            emit = _expanding(f, emit)
        return _mapping(side_by_side, emit) if side_by_side else emit

    def _run_patches(self, frames: Iterable[bytes], out: list[bytes]) -> None:
        """Pass encoded frames through the patches; what is in `out` when one raises may still leave."""
        for frame in frames:
            if frame:
                for patch in self._patches:
                    frame = patch(frame)
            out.append(frame)

    def _error_event(self, failure: GatewayError) -> Event:
        """The last event of a failed stream; the outermost stage that words it wins."""
        event = Event({"error": failure.public()}, kind=EventKind.ERROR)
        for f in self._error_makers:
            try:
                worded = f(failure)
            except Exception as error:
                report(f, error)
                continue
            if worded is not None:
                event = Event(worded.data, kind=EventKind.ERROR)  # an error whatever they called it
        return event


def _expanding(f: ExpandFunction, emit: Emit) -> Emit:
    def run(event: Event) -> None:
        for part in f(event):
            emit(part)

    return run


def _mapping(functions: Sequence[MapFunction], emit: Emit) -> Emit:
    """One loop for functions that stand side by side, which saves a call for each of them."""

    def run(event: Event) -> None:
        kept: Event | None = event
        for f in functions:
            kept = f(kept)  # type: ignore[arg-type]  # not None here: the loop ends when it is
            if kept is None:
                return
        emit(kept)  # type: ignore[arg-type]  # as above

    return run
