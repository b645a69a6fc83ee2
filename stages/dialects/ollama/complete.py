"""`shape: complete` for clients of this dialect: one event a line, the same for whole answers (protocol.md 3.4).

Lines of an Ollama server stay as they came, but for the model's name. From another dialect come deltas and fragments;
what they add up to is told here once: calls when they are whole, and reason, counts and durations in one done line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline import (
    END,
    Clock,
    Data,
    Event,
    EventKind,
    Request,
    UpstreamGarbage,
    UpstreamInterrupted,
)
from stages.dialects.alike import OWN, Alike
from stages.dialects.ollama import finish, logprobs, render, timestamps
from stages.dialects.ollama.json_lines import DIALECT, line_of
from stages.dialects.ollama.lines import Lines
from stages.dialects.ollama.named import Named
from stages.dialects.ollama.timings import Stopwatch
from stages.dialects.ollama.tool_calls import ToolCalls
from stages.dialects.wire import as_count, as_dict, as_int, as_list, as_text, encode

_DATA = EventKind.DATA


class Completer:
    """The events of one chat or text answer, for the client's `request`."""

    def __init__(self, request: Request, *, model: str, clock: Clock, new_call_id: Callable[[], str]) -> None:
        self._operation = request.operation
        self._chat = request.operation == "chat"
        self._stream = request.stream
        self._model = model
        self._clock = clock
        self._watch = Stopwatch(clock)
        self._calls = ToolCalls(new_call_id)
        self._named = Named(request.operation, model)
        self._alike = Alike() if request.stream else None
        self._lines = Lines(request.operation)
        self._native = False
        self._seen = False
        self._finish: str | None = None
        self._usage: Data = {}
        self._created_at = 0.0
        self._created: int | None = None

    def __call__(self, event: Event) -> tuple[Event, ...]:
        """The events to send in place of `event`."""
        if event.kind is not _DATA:
            if event.kind is not EventKind.END:
                return (event,)
            return (END,) if self._native else (self._last(), END)
        if event.dialect == DIALECT:
            self._native = True
            return (self._named(event, self._now),)
        alike = self._alike
        if alike is None:
            return self._told(event.data)
        if event.frame is None:
            alike.forget()
            return self._told(event.data)
        made = alike.made_of(event.frame, self._now_said)
        if made is not None:
            return (Event(frame=made, dialect=DIALECT, decode=self._lines.neutral),)
        alike.forget()
        events = self._told(event.data)
        if len(events) == 1:
            alike.learn(event, self._line_of)
        return events

    def _line_of(self, event: Event) -> bytes | None:
        """What the encoder makes of it, but for the time."""
        events = self._told(event.data)
        if len(events) != 1:
            return None
        line = render.line(self._operation, events[0].data, model=self._model, created_at="", own=True)
        return line_of({**line, "created_at": OWN})

    def _now_said(self) -> bytes:
        """The time of a line that says something."""
        self._watch.said()
        return encode(self._now())

    def _told(self, data: Data) -> tuple[Event, ...]:
        if self._created is None and not self._stream:
            self._created = as_count(data.get("created"), 0) or None
        if data.get("usage") is not None:
            self._hold_usage(as_dict(data["usage"]))
        events: list[Event] = []
        for at, given in enumerate(as_list(data.get("choices"))):
            choice = as_dict(given)
            if as_int(choice.get("index"), at) == 0 and self._finish is None:
                self._seen = True
                events += self._said(choice)
        return tuple(events)

    def _said(self, choice: Data) -> list[Event]:
        delta = as_dict(choice.get("delta")) or choice
        text, reasoning = _text(delta), _reasoning(delta)
        called = self._called(delta) if "tool_calls" in delta or "function_call" in delta else False
        entries = logprobs.entries(choice["logprobs"]) if choice.get("logprobs") is not None else []
        if text or reasoning or called:
            self._watch.said()
        events = []
        if text or reasoning or entries:
            said = {"content" if self._chat else "text": text}
            if reasoning:
                said["reasoning"] = reasoning
            events.append(self._line(said, entries))
        word = choice.get("finish_reason")
        if isinstance(word, str) and word:
            self._finish = finish.neutral(word, called=bool(self._calls))
            events += self._whole_calls()
        return events

    def _called(self, delta: Data) -> bool:
        return self._calls.add(delta.get("tool_calls")) | self._calls.add_legacy(delta.get("function_call"))

    def _whole_calls(self) -> list[Event]:
        return [self._line({"tool_calls": self._calls.whole()}, [])] if self._calls else []

    def _last(self) -> Event:
        """The done line. An end without a reason is how a cut answer looks; a stop would hide it (pitfall 17)."""
        if not self._seen:
            raise UpstreamGarbage("The upstream's answer has no choices.", work_done="maybe")
        if self._finish is None and self._stream:
            raise UpstreamInterrupted("The upstream ended the stream without a finish reason.", work_done="maybe")
        said: Data = {}
        if self._finish is None:
            self._finish = finish.neutral("stop", called=bool(self._calls))
            said = {"tool_calls": self._calls.whole()} if self._calls else {}
        line = self._line(said, [], self._finish).data
        durations = {} if self._finish in finish.UNTIMED else self._watch.all(streamed=self._stream)
        return Event({**line, **({"usage": self._usage} if self._usage else {}), **durations}, dialect=DIALECT)

    def _line(self, said: Data, entries: list[Data], word: str | None = None) -> Event:
        told = {"index": 0, "finish_reason": word, "logprobs": {"content": entries} if entries else None}
        choice = {**told, "delta": said} if self._chat else {**told, "text": "", **said}
        return Event({"model": self._model, "created_at": self._now(), "choices": [choice]}, dialect=DIALECT)

    def _now(self) -> str:
        """Of a stream, the time of each line, which does not go back when the clock does (law 33)."""
        if self._created is not None:
            return timestamps.rfc3339(self._created)
        self._created_at = max(self._created_at, self._clock.time())
        return timestamps.rfc3339(self._created_at)

    def _hold_usage(self, usage: Data) -> None:
        for name in ("prompt_tokens", "completion_tokens"):
            if (count := as_count(usage.get(name), -1)) >= 0:
                self._usage[name] = count
        if len(self._usage) > 1:
            self._usage["total_tokens"] = self._usage["prompt_tokens"] + self._usage["completion_tokens"]


def _text(delta: Data) -> str:
    """The text, or a refusal where there is none; some send a list of parts where a string belongs."""
    given = delta.get("content") if "content" in delta else delta.get("text")
    if given and isinstance(given, str):
        return given
    text = "".join(as_text(part.get("text")) for part in map(as_dict, as_list(given)))
    return text or as_text(delta.get("refusal"))


def _reasoning(delta: Data) -> str:
    """The reasoning under whichever of its names; servers that use two say the same twice."""
    if text := as_text(delta.get("reasoning")) or as_text(delta.get("reasoning_content")):
        return text
    details = delta.get("reasoning_details")
    return "".join(_detail(part) for part in map(as_dict, as_list(details))) if details else ""


def _detail(part: Data) -> Any:
    return as_text(part.get("text")) or as_text(part.get("summary"))
