"""The functions that stages attach to a body, and the one fused loop that runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
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

    __slots__ = ("_closers", "_enders", "_error_makers", "_expands", "_functions", "_patches", "_started")

    def __init__(self) -> None:
        self._functions: list[Callable[[Event], Any]] = []
        self._expands: list[bool] = []
        self._patches: list[PatchFunction] = []
        self._error_makers: list[ErrorFunction] = []
        self._enders: list[EndFunction] = []
        self._closers: list[CloseFunction] = []
        self._started = False

    def map(self, f: MapFunction) -> None:
        self._attach(self._functions, f)
        self._expands.append(False)

    def expand(self, f: ExpandFunction) -> None:
        self._attach(self._functions, f)
        self._expands.append(True)

    def patch(self, f: PatchFunction) -> None:
        self._attach(self._patches, f)

    def on_error(self, f: ErrorFunction) -> None:
        self._attach(self._error_makers, f)

    def on_end(self, f: EndFunction) -> None:
        self._attach(self._enders, f)

    def on_close(self, f: CloseFunction) -> None:
        self._attach(self._closers, f)

    def _attach(self, to: list[Any], what: Any) -> None:
        if self._started:
            raise RuntimeError("attach to a body before its first read")
        to.append(what)

    def _run(self, events: Iterable[Event], emit: Emit) -> None:
        """Pass events through the functions in the order of attachment; `emit` gets what comes out."""
        if True in self._expands:
            for event in events:
                self._run_from(0, event, emit)
            return
        functions = self._functions
        for event in events:
            kept: Event | None = event
            for f in functions:
                kept = f(kept)  # type: ignore[arg-type]  # not None here: the loop breaks when it is
                if kept is None:
                    break
            else:
                emit(kept)  # type: ignore[arg-type]  # as above

    def _run_from(self, at: int, event: Event, emit: Emit) -> None:
        for position in range(at, len(self._functions)):
            f = self._functions[position]
            if self._expands[position]:
                for part in f(event):
                    self._run_from(position + 1, part, emit)
                return
            kept = f(event)
            if kept is None:
                return
            event = kept
        emit(event)

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
