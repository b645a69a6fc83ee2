"""Chat answers as neutral events and back (protocol.md 2.4, 2.5).

Law: the whole answer equals the collected stream. Unknown fields survive both ways: those of the top level, of a
choice and of a message each stay on their level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import Data, Event
from stages.dialects.openai import choices
from stages.dialects.wire import as_dict, as_int, as_list, as_text

TEXTS = frozenset({"content", "refusal", "reasoning", "reasoning_content"})
WHOLE_OBJECT = "chat.completion"
CHUNK_OBJECT = "chat.completion.chunk"
_KNOWN = frozenset({"index", "delta", "logprobs", "finish_reason"})


def neutral(answer: Data) -> Data:
    """A whole answer as the one chunk that says it all. Tool calls are numbered by their place: some say 0 of all."""
    if not isinstance(answer.get("choices"), list):
        return answer
    said = [_as_delta(as_dict(choice), at) for at, choice in enumerate(answer["choices"])]
    return {**answer, "object": CHUNK_OBJECT, "choices": said}


def fold(events: Sequence[Event]) -> Data:
    """The whole answer that a stream spells out."""
    return choices.fold(events, WHOLE_OBJECT, _Choice)


def _as_delta(choice: Data, at: int) -> Data:
    delta = as_dict(choice.get("message"))
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        delta = {**delta, "tool_calls": [{**as_dict(call), "index": number} for number, call in enumerate(calls)]}
    said = {"index": at, "finish_reason": None, **choice, "delta": delta}
    said.pop("message", None)
    return said


class _Choice:
    """One choice while its deltas come in."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._message: Data = {"role": "assistant"}
        self._calls: dict[int, Data] = {}
        self._legacy_call: Data = {}
        self._logprobs: Data | None = None
        self._finish: Any = None
        self._rest: Data = {}

    def add(self, choice: Data) -> None:
        message = self._message
        for key, value in as_dict(choice.get("delta")).items():
            if key == "tool_calls":
                for at, fragment in enumerate(as_list(value)):
                    call = as_dict(fragment)
                    _merge_call(self._calls.setdefault(as_int(call.get("index"), at), {}), call)
            elif key == "function_call" and isinstance(value, dict):
                _merge_function(self._legacy_call, value)
            elif key not in message:
                message[key] = value
            elif key in TEXTS and isinstance(value, str):
                message[key] = as_text(message[key]) + value
            elif isinstance(value, list) and isinstance(message[key], list):
                message[key] = [*message[key], *value]
            elif value is not None:
                message[key] = value
        if isinstance(choice.get("logprobs"), dict):
            self._add_logprobs(choice["logprobs"])
        self._finish = choice.get("finish_reason") or self._finish
        if not choice.keys() <= _KNOWN:
            self._rest |= {key: value for key, value in choice.items() if key not in _KNOWN}

    def _add_logprobs(self, logprobs: Data) -> None:
        total = self._logprobs = self._logprobs if self._logprobs is not None else {"content": None, "refusal": None}
        for key, value in logprobs.items():
            if isinstance(value, list):
                total[key] = [*as_list(total.get(key)), *value]
            else:
                total.setdefault(key, value)

    def whole(self) -> Data:
        message = self._message
        if self._legacy_call:
            message["function_call"] = {"name": "", "arguments": "", **self._legacy_call}
        if self._calls:
            ordered = [self._calls[index] for index in sorted(self._calls)]
            message["tool_calls"] = [{key: value for key, value in call.items() if key != "index"} for call in ordered]
        if not message.get("content"):
            # With calls or a refusal the content is normally null; an answer that says nothing says "".
            message["content"] = None if self._calls or self._legacy_call or message.get("refusal") else ""
        message.setdefault("refusal", None)
        return {
            "index": self._index,
            "message": message,
            "logprobs": self._logprobs,
            "finish_reason": self._finish,
            **self._rest,
        }


def _merge_call(call: Data, fragment: Data) -> None:
    """Add one fragment to a tool call: names and ids are said once, arguments are concatenated."""
    for key, value in fragment.items():
        if key == "function":
            _merge_function(call.setdefault("function", {"name": "", "arguments": ""}), as_dict(value))
        elif value is not None and not call.get(key):
            call[key] = value


def _merge_function(function: Data, fragment: Data) -> None:
    for key, part in fragment.items():
        if key == "arguments" and isinstance(part, str):
            function[key] = as_text(function.get(key)) + part
        elif part:
            function[key] = part
