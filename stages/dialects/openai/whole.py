"""Whole answers, both ways: one frame that decodes into the event of a stream which says it all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline import END, Data, Event, EventKind, UpstreamGarbage, Usage
from stages.dialects.decoders import MAX_WHOLE_BYTES, GatheringDecoder
from stages.dialects.openai import usage as usage_of
from stages.dialects.openai.errors import in_band
from stages.dialects.wire import NOT_JSON, decode, decode_top, encode

Fold = Callable[[Sequence[Event]], Data]
Neutral = Callable[[Data], Data]


class WholeDecoder(GatheringDecoder):
    """Gathers one JSON object. Its syntax is checked at the top level even when the bytes are only forwarded.

    `neutral` makes an event's data of an answer that has another shape.
    """

    dialect = "openai"

    def __init__(self, neutral: Neutral | None = None, *, max_bytes: int = MAX_WHOLE_BYTES) -> None:
        super().__init__(max_bytes)
        self._neutral = neutral
        self._usage: Usage | None = None

    def finish(self) -> list[bytes]:
        frame = self.gathered()
        try:
            top = decode_top(frame)
        except NOT_JSON as error:
            self.failure = _garbage(error)
            return []
        if "error" in top:
            self.failure = in_band(frame)
        if self.failure is not None:
            return []
        if "usage" in top:
            self._usage = usage_of.counts(top["usage"])
        self.finished = True
        return [frame]

    def events(self, frame: bytes) -> Sequence[Event]:
        try:
            answer = decode(frame)
        except NOT_JSON as error:
            # Below the top level a number out of range or bytes that are no UTF-8 show only now.
            raise _garbage(error) from None
        return (Event(answer if self._neutral is None else self._neutral(answer), dialect=self.dialect), END)

    def usage(self) -> Usage | None:
        return self._usage


class WholeEncoder:
    """Gathers events and writes their fold at the end."""

    dialect = "openai"
    whole = True
    content_type = "application/json"

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._events: list[Event] = []

    def encode(self, event: Event) -> bytes:
        if event.kind is EventKind.DATA:
            self._events.append(event)
        return b""

    def finish(self) -> bytes:
        return encode(self._fold(self._events))

    def fold(self, events: Sequence[Event]) -> Data:
        return self._fold(events)


def _garbage(error: Exception) -> UpstreamGarbage:
    return UpstreamGarbage("The upstream's answer is not a JSON object.", work_done="maybe", detail=str(error))
