"""`shape: complete`: whatever the upstream left out or bent is put right (protocol.md 2.4-2.7).

One state machine for streams and whole answers, because a whole answer arrives here as the events a stream would have
given. Fields that the schema does not know survive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from pipeline import END, Data, Event, EventKind, Request, UpstreamGarbage, UpstreamInterrupted
from stages.dialects.alike import Alike
from stages.dialects.openai import usage as usage_of
from stages.dialects.openai.chat import CHUNK_OBJECT, TEXTS
from stages.dialects.openai.foreign import ForeignChat, ForeignText
from stages.dialects.openai.logprobs import complete_chat_logprobs, complete_text_logprobs
from stages.dialects.openai.stream import decode_frame, encode_frame
from stages.dialects.openai.tool_calls import ToolCalls
from stages.dialects.wire import as_count, as_dict, as_list, as_text

_DIALECT = "openai"
_REASONING = ("reasoning", "reasoning_content")
_TEXT_FINISH = frozenset({"stop", "length", "content_filter"})
_CHAT_FINISH = _TEXT_FINISH | {"tool_calls", "function_call"}
_DATA = EventKind.DATA
_FINISH_WORDS = {"eos": "stop", "end_turn": "stop", "eos_token": "stop", "max_tokens": "length"}


class Completer(ABC):
    """What all generated answers share: one id, time and model; finish reasons; when usage is told.

    The trap is usage: with `include_usage` every chunk says `"usage": null` and one extra chunk after the last finish
    carries the totals; without it the key is absent. Upstreams mix it into other chunks, so a stream holds it back.
    Clients read `choices[0]` of every other chunk: what has no choices is not sent, and its fields join the next chunk.
    """

    object: str
    id_prefix: str
    reasons = _TEXT_FINISH

    def __init__(self, request: Request, *, model: str, id: str, created: int) -> None:
        self._request = request
        self._model = model
        self._id = id
        self._created = created
        self._stream = request.stream
        self._wants_usage = not request.stream or _includes_usage(request)
        self._tells_null_usage = request.stream and self._wants_usage
        self._usage_chunk: Data | None = None
        self._same: Data = {}
        self._unsent: Data = {}
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._alike = Alike() if request.stream else None
        self._translate: Callable[[Data], list[Data]] | None = None

    def __call__(self, event: Event) -> tuple[Event, ...]:
        """The events to send in place of `event`."""
        if event.kind is not _DATA:
            return self._end() if event.kind is EventKind.END else (event,)
        alike = self._alike
        if alike is None:
            return self._the_long_way(event)
        if event.frame is None:
            alike.forget()
            return self._the_long_way(event)
        made = alike.made_of(event.frame)
        if made is not None:
            return (Event(frame=made, dialect=_DIALECT, decode=decode_frame),)
        alike.forget()
        events = self._the_long_way(event)
        if len(events) == 1:
            alike.learn(event, self._frame_of)
        return events

    def _frame_of(self, event: Event) -> bytes | None:
        events = self._the_long_way(event)
        return encode_frame(events[0].data) if len(events) == 1 else None

    def _the_long_way(self, event: Event) -> tuple[Event, ...]:
        if event.dialect != _DIALECT and (event.dialect or self._translate is not None):
            # Another protocol's server is answering. What the gateway puts between its events is taken for its.
            if self._translate is None:
                self._translate = self.translation(self._request)
            chunks: list[Event] = []
            for data in self._translate(event.data):
                chunks += self._put_right(event, data)
            return tuple(chunks)
        return self._put_right(event, event.data)

    def _put_right(self, event: Event, data: Data) -> tuple[Event, ...]:
        same = self._same or self._same_for_all(data)
        head = {**same, **self._unsent, **data, **same}  # first, so that what the gateway says of an answer begins it
        said, ended = [], []
        for at, given in enumerate(as_list(data.get("choices"))):
            choice = as_dict(given)
            index = as_count(choice.get("index"), at)
            if index in self._finished:
                continue
            first = index not in self._open
            if first:
                self._open.add(index)
            reason = as_text(choice.get("finish_reason"))  # "" is how some say null
            apart = reason != "" and self._stream  # a stream says the end in a chunk of its own
            text = self.said(index, choice, first=first, ending=apart)
            if text is not None:
                said.append(text)
            if reason:
                self._finished.add(index)
                finish = self.finish_reason(index, reason)
                if apart:
                    ended.append(self.ended(index, choice, finish))
                elif text is not None:
                    text["finish_reason"] = finish
        usage = usage_of.complete(data["usage"]) if data.get("usage") is not None else None
        if usage is not None and not self._stream and said:
            head["usage"], self._usage_chunk = usage, None
        else:
            if usage is not None:
                self._usage_chunk = {**head, "choices": [], "usage": usage}
            if not (said or ended):
                self._unsent = head
                return ()
            if not self._tells_null_usage:
                del head["usage"]
        self._unsent = {}
        if said and ended:
            return event.with_data({**head, "choices": said}), event.with_data({**head, "choices": ended})
        head["choices"] = said or ended
        return (event.with_data(head),)

    # What differs between the kinds of answer.

    @abstractmethod
    def translation(self, request: Request) -> Callable[[Data], list[Data]]:
        """From the events of another protocol to the chunks that a server of this one would send."""

    @abstractmethod
    def said(self, index: int, choice: Data, *, first: bool, ending: bool) -> Data | None:
        """The choice without its end; None if nothing is left to say."""

    @abstractmethod
    def ended(self, index: int, choice: Data, finish: str) -> Data:
        """The choice's last chunk."""

    def finish_reason(self, index: int, given: str) -> str:
        """`given` as one of the reasons that there are. Raises on `error`, which some send without an error object."""
        if given == "error":
            raise UpstreamInterrupted("The upstream failed while answering.", work_done="maybe")
        return given if given in self.reasons else _FINISH_WORDS.get(given, "stop")

    # What they share.

    def _same_for_all(self, data: Data) -> Data:
        """What every chunk says alike; `data` is the first."""
        self._same = {
            "id": as_text(data.get("id")) or self.id_prefix + _digest(self._id)[:29],
            "object": self.object,
            "created": as_count(data.get("created"), self._created),
            "model": self._model,
            "usage": None,
        }
        return self._same

    def _end(self) -> tuple[Event, ...]:
        if not self._open:
            raise UpstreamGarbage("The upstream's answer has no choices.", work_done="maybe")
        unfinished = self._open - self._finished
        if unfinished and self._stream:
            # An end marker without a finish reason is how a cut answer looks; "stop" would hide it (pitfall 17).
            raise UpstreamInterrupted("The upstream ended the stream without a finish reason.", work_done="maybe")
        events: list[Event] = []
        if unfinished:
            finish = [self.ended(index, {}, self.finish_reason(index, "stop")) for index in sorted(unfinished)]
            events.append(Event({"choices": finish}))
        if self._usage_chunk is not None and self._wants_usage:
            events.append(Event(self._usage_chunk))
        # Not the upstream's own end marker, whose frame may carry fields that clients trip over (pitfall 12).
        return (*events, END)


class ChatCompleter(Completer):
    """Chat: the role once and first, tool calls numbered, content a string, log-probabilities whole."""

    object = CHUNK_OBJECT
    id_prefix = "chatcmpl-"
    reasons = _CHAT_FINISH

    def __init__(
        self, request: Request, *, model: str, id: str, created: int, reasoning_fields: Sequence[str] = ()
    ) -> None:
        super().__init__(request, model=model, id=id, created=created)
        self._reasoning_fields = reasoning_fields
        self._calls: dict[int, ToolCalls] = {}
        self._call_ids = 0

    def translation(self, request: Request) -> Callable[[Data], list[Data]]:
        return ForeignChat(request)

    def said(self, index: int, choice: Data, *, first: bool, ending: bool) -> Data | None:
        delta: Data = {"role": "assistant", "content": ""} if first else {}
        for key, value in as_dict(choice.get("delta")).items():
            if value is None:
                continue
            if key in TEXTS:
                delta[key] = value if isinstance(value, str) else _joined(value)
            elif key == "tool_calls":
                calls = self._calls.setdefault(index, ToolCalls(partial(self._new_call_id, index))).fragments(value)
                if calls:
                    delta["tool_calls"] = calls
            elif key == "function_call":
                delta[key] = {name: as_text(part) for name, part in as_dict(value).items()}
            elif key != "role":
                delta[key] = value
        if self._reasoning_fields:
            delta = self._with_reasoning_named(delta)
        logprobs = choice.get("logprobs")
        if logprobs is not None:
            logprobs = complete_chat_logprobs(logprobs)
        if ending and not first and logprobs is None and not any(delta.values()):
            return None
        rest = {} if ending else choice
        return {**rest, "index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}

    def _new_call_id(self, choice: int) -> str:
        """The choice is in it: those of several upstream calls are completed apart, and no two ids may be the same."""
        number, self._call_ids = self._call_ids, self._call_ids + 1
        return "call_" + _digest(f"{_digest(self._id)}/{choice}/{number}")[:24]

    def _with_reasoning_named(self, delta: Data) -> Data:
        """The reasoning under the names that a config wants; servers that use both names say the same twice."""
        reasoning = next((delta[name] for name in _REASONING if delta.get(name)), None)
        if reasoning is None:
            return delta
        rest = {key: value for key, value in delta.items() if key not in _REASONING}
        return {**rest, **dict.fromkeys(self._reasoning_fields, reasoning)}

    def ended(self, index: int, choice: Data, finish: str) -> Data:
        return {**choice, "index": index, "delta": {}, "logprobs": None, "finish_reason": finish}

    def finish_reason(self, index: int, given: str) -> str:
        """`stop` after tool calls makes agents ignore the calls (law 17, pitfall 16). `length` stays."""
        reason = super().finish_reason(index, given)
        if reason not in ("stop", "tool_calls"):
            return reason
        return "tool_calls" if self._calls.get(index) else "stop"


class TextCompleter(Completer):
    """Text completions: `text` always a string, log-probabilities as parallel lists."""

    object = "text_completion"
    id_prefix = "cmpl-"

    def translation(self, request: Request) -> Callable[[Data], list[Data]]:
        return ForeignText(request)

    def said(self, index: int, choice: Data, *, first: bool, ending: bool) -> Data | None:
        text = choice.get("text")
        text = text if isinstance(text, str) else ""
        logprobs = complete_text_logprobs(choice.get("logprobs"))
        if ending and not first and not text and logprobs is None:
            return None
        rest = {} if ending else choice
        return {**rest, "text": text, "index": index, "logprobs": logprobs, "finish_reason": None}

    def ended(self, index: int, choice: Data, finish: str) -> Data:
        return {**choice, "text": "", "index": index, "logprobs": None, "finish_reason": finish}


def _includes_usage(request: Request) -> bool:
    return as_dict(request.payload.get("stream_options")).get("include_usage") is True


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _joined(parts: Any) -> str:
    """Some send a list of parts where a string belongs."""
    return "".join(as_text(as_dict(part).get("text")) for part in as_list(parts))
