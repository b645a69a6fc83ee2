"""Whole answers, both ways: one frame that decodes into the events a stream would have given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline import END, Data, Event, EventKind, GatewayError, Usage
from stages.dialects.decoders import MAX_WHOLE_BYTES, GatheringDecoder
from stages.dialects.ollama import errors
from stages.dialects.ollama.answers import Answers
from stages.dialects.ollama.json_lines import DIALECT
from stages.dialects.ollama.stream import told
from stages.dialects.wire import encode


class WholeDecoder(GatheringDecoder):
    """Gathers one JSON object. One of generated text that is not done is a failure in spite of its 200 (1.10.7)."""

    dialect = DIALECT

    def __init__(self, answers: Answers, *, max_bytes: int = MAX_WHOLE_BYTES) -> None:
        super().__init__(max_bytes)
        self._answers = answers
        self._usage: Usage | None = None

    def finish(self) -> list[bytes]:
        if self.failure is not None:
            return []
        frame = self.gathered().removeprefix(b"\xef\xbb\xbf")
        if self._answers.may_be_empty and not frame.strip():
            self.finished = True
            return []
        try:
            answer = told(frame)
        except GatewayError as error:
            self.failure = error
            return []
        if answer.error:
            self.failure = errors.in_band(frame)
        if self.failure is None and self._answers.generates and answer.done is not True:
            self.failure = errors.incomplete()
        if self.failure is not None:
            return []
        self._usage = answer.usage()
        self.finished = True
        return [frame]

    def events(self, frame: bytes) -> Sequence[Event]:
        return (self._answers.event(frame), END)

    def usage(self) -> Usage | None:
        return self._usage


class WholeEncoder:
    """Gathers events and writes their fold at the end; an answer that nobody changed is written as it came."""

    dialect = DIALECT
    whole = True
    content_type = errors.CONTENT_TYPE

    def __init__(self, fold: Callable[[Sequence[Event]], Data]) -> None:
        self._fold = fold
        self._events: list[Event] = []

    def encode(self, event: Event) -> bytes:
        if event.kind is EventKind.DATA:
            self._events.append(event)
        return b""

    def finish(self) -> bytes:
        match self._events:
            case []:
                return b""
            case [Event(frame=bytes() as frame, dialect="ollama")] if b'"error"' not in frame:
                return frame
            case events:
                return encode(self._fold(events))

    def fold(self, events: Sequence[Event]) -> Data:
        return self._fold(events)


class AliveEncoder(WholeEncoder):
    """What `GET /` says: plain text that clients know the server by (protocol.md 1.1)."""

    content_type = "text/plain; charset=utf-8"

    def __init__(self) -> None:
        super().__init__(lambda events: {})

    def finish(self) -> bytes:
        return b"Ollama is running"
