"""The stream of lines, both ways (protocol.md 1.8, 1.10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pipeline import END, Data, Event, EventKind, GatewayError, UpstreamGarbage, Usage
from stages.dialects.decoders import FramedDecoder
from stages.dialects.framing import MAX_EVENT_BYTES
from stages.dialects.ndjson import NdjsonFramer
from stages.dialects.ollama import errors
from stages.dialects.ollama.answers import Answers
from stages.dialects.ollama.json_lines import DIALECT, as_line, line_of, parse
from stages.dialects.wire import NOT_JSON, as_count, as_dict, as_text, decode_top

# One search, because every line pays for it. Arguments of a tool may hold the same keys, so a hit is looked into.
_TELLING = re.compile(rb'"(?:done"\s*:\s*true|status"\s*:\s*"success"|error")')


class Told(msgspec.Struct):
    """What the end of an answer is known by, read without decoding the rest."""

    done: Any = None
    status: Any = None
    error: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None

    def usage(self) -> Usage | None:
        """The counts; one that is not told is unknown."""
        prompt, generated = as_count(self.prompt_eval_count, -1), as_count(self.eval_count, -1)
        if prompt < 0 and generated < 0:
            return None
        return Usage(prompt if prompt >= 0 else None, generated if generated >= 0 else None)


_decode_told = msgspec.json.Decoder(Told).decode


def told(frame: bytes) -> Told:
    """Raises `UpstreamGarbage` on what is no JSON object."""
    try:
        return _decode_told(frame)
    except NOT_JSON:
        return msgspec.convert(parse(frame), Told)


class StreamDecoder(FramedDecoder):
    """Lines and events of an upstream's stream.

    An answer ends in its done line, and a pull, push or create in `success`; what follows is dropped. A line with an
    error fails it. An end without either is a failure even after a clean EOF (protocol.md 1.10.6).
    """

    dialect = DIALECT

    def __init__(self, answers: Answers, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(NdjsonFramer(max_event_bytes=max_event_bytes))
        self._answers = answers
        self._done_line: bytes | None = None
        self._usage: Usage | None = None

    def finish(self) -> list[bytes]:
        if self.finished or self.failure is not None:
            return []
        # What is left without its line end may be a line, or the half of one that a cut left behind.
        frames = self.look([frame for frame in self._framer.finish() if _is_object(frame)])
        if not self.finished and self.failure is None:
            self.failure = errors.incomplete()
        return frames

    def events(self, frame: bytes) -> Sequence[Event]:
        event = self._answers.event(frame)
        return (event, END) if frame == self._done_line else (event,)

    def usage(self) -> Usage | None:
        return self._usage

    def look(self, frames: list[bytes]) -> list[bytes]:
        for at, frame in enumerate(frames):
            if not _TELLING.search(frame):
                continue
            try:
                line = told(frame)
            except GatewayError as error:
                self.failure = error
                return frames[:at]
            if line.error:
                self.failure = errors.in_band(frame)
                if self.failure is not None:
                    return frames[:at]
            if line.done is True if self._answers.generates else line.status == "success":
                self.finished = True
                self._done_line = frame
                self._usage = line.usage()
                return frames[: at + 1]
        return frames


class StreamEncoder:
    """Events as lines. After an error there is no done line: a client must not see success."""

    dialect = DIALECT
    whole = False
    content_type = "application/x-ndjson"

    def __init__(self, render: Callable[[Event], Data], fold: Callable[[Sequence[Event]], Data]) -> None:
        self._render = render
        self._fold = fold
        self._passed: Event | None = None

    def encode(self, event: Event) -> bytes:
        if event.kind is EventKind.END:
            return b""
        if event.kind is EventKind.ERROR:
            return line_of({"error": _message(event.data)})
        if event.frame is not None and event.dialect == DIALECT and (line := as_line(event.frame)) is not None:
            self._passed = event
            return line
        if self._passed is not None and not event.data.get("created_at"):
            self._render(self._passed)  # whose time it is given
        self._passed = None
        return line_of(self._render(event))

    def finish(self) -> bytes:
        return b""

    def fold(self, events: Sequence[Event]) -> Data:
        return self._fold(events)


def _message(data: Data) -> str:
    """A string, never empty: some clients take an empty error for none."""
    error = data.get("error")
    return as_text(error) or as_text(as_dict(error).get("message")) or "The gateway failed."


def _is_object(frame: bytes) -> bool:
    try:
        decode_top(frame)
    except NOT_JSON:
        try:
            parse(frame)
        except UpstreamGarbage:
            return False
    return True
