"""The event stream of chat and text completions, both ways (protocol.md 2.5, 2.6, 2.12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipeline import (
    Data,
    Event,
    EventKind,
    UpstreamGarbage,
    UpstreamInterrupted,
    Usage,
)
from stages.dialects.decoders import FramedDecoder
from stages.dialects.framing import MAX_EVENT_BYTES
from stages.dialects.openai import usage as usage_of
from stages.dialects.openai.errors import in_band
from stages.dialects.sse import SseFramer, data_of
from stages.dialects.wire import NOT_JSON, decode, encode

Fold = Callable[[Sequence[Event]], Data]

_END = EventKind.END
DONE = b"data: [DONE]\n\n"
_USUAL = b"data: {"  # how nearly every frame begins; it carries an object, so it cannot be the end marker
_TELLING = re.compile(rb'"(?:error"|usage"(?!:null))')  # one search, because every frame pays for it

# Strings that mean nothing but themselves, wherever they stand.
_TEXTS = re.compile(rb'"(?:content|reasoning|reasoning_content|text|obfuscation)": ?("(?:[^"\\\r\n]++|\\[^\r\n])++")')


class StreamDecoder(FramedDecoder):
    """Frames and events of an upstream's stream.

    Every frame gets a cheap look at its bytes: `[DONE]` ends the stream and drops what follows; a truthy `error` fails
    it (protocol.md 2.5); the last usage is remembered. An end without `[DONE]` is a failure even after a clean EOF.
    """

    dialect = "openai"

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(SseFramer(max_event_bytes=max_event_bytes))
        self._usage: Usage | None = None

    def finish(self) -> list[bytes]:
        frames = [] if self.finished or self.failure is not None else self.look(self._framer.finish())
        if not self.finished and self.failure is None:
            self.failure = UpstreamInterrupted(
                "The upstream's stream ended without its end marker.", work_done="maybe", detail="no [DONE]"
            )
        return frames

    def events(self, frame: bytes) -> Sequence[Event]:
        if not frame.startswith(_USUAL):
            data = data_of(frame)
            if not data:
                return ()
            if data.startswith(b"[DONE]"):
                return (Event({}, kind=EventKind.END, frame=frame, dialect=self.dialect),)
        return (Event(frame=frame, dialect=self.dialect, decode=decode_frame, texts=_TEXTS),)

    def usage(self) -> Usage | None:
        return self._usage

    def look(self, frames: list[bytes]) -> list[bytes]:
        for at, frame in enumerate(frames):
            if not frame.startswith(_USUAL) and (data_of(frame) or b"").startswith(b"[DONE]"):
                self.finished = True
                return frames[: at + 1]
            if not _TELLING.search(frame):
                continue
            if b'"usage"' in frame:
                self._usage = usage_of.look(data_of(frame) or b"") or self._usage
            if b'"error"' in frame:
                self.failure = in_band(data_of(frame) or b"")
                if self.failure is not None:
                    return frames[:at]
        return frames


class StreamEncoder:
    """Events as chunks. After an error event there is no `[DONE]`: a naive client must not see success."""

    dialect = "openai"
    whole = False
    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, fold: Fold) -> None:
        self._fold = fold

    def encode(self, event: Event) -> bytes:
        if event.frame is not None and event.dialect == self.dialect:
            return event.frame
        return DONE if event.kind is _END else encode_frame(event.data)

    def finish(self) -> bytes:
        return b""

    def fold(self, events: Sequence[Event]) -> Data:
        return self._fold(events)


def encode_frame(data: Data) -> bytes:
    return b"data: " + encode(data) + b"\n\n"


def decode_frame(frame: bytes) -> Data:
    try:
        data = decode(data_of(frame) or b"")
    except NOT_JSON as error:
        raise UpstreamGarbage(
            "The upstream sent an event that is not JSON.", work_done="maybe", detail=str(error)
        ) from None
    if not isinstance(data, dict):
        raise UpstreamGarbage("The upstream sent an event that is not a JSON object.", work_done="maybe")
    return data
