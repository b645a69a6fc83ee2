"""Lines of `/api/chat` and `/api/generate` as neutral events (protocol.md 1.4, 1.5, 1.10, 3.2).

A whole answer is a line too. A line is one event, so that its bytes can be forwarded, although it may say several
things at once: the last one may carry text, calls and the end.
"""

from __future__ import annotations

import math
from typing import Any

from pipeline import Data
from stages.dialects.ollama import finish, timestamps
from stages.dialects.ollama.json_lines import parse
from stages.dialects.wire import as_count, as_dict, as_list, as_text, encode

_SAID = {"chat": ("content", "thinking", "tool_calls"), "completion": ("response", "thinking", "tool_calls")}
_TOP = frozenset({"message", "done", "done_reason", "logprobs", "prompt_eval_count", "eval_count", "error"})
USAGE = (("prompt_tokens", "prompt_eval_count"), ("completion_tokens", "eval_count"))


class Lines:
    """The lines of one answer. Calls are numbered over all of them: older servers number each one 0 (pitfall 15)."""

    def __init__(self, operation: str) -> None:
        self._chat = operation == "chat"
        self._text, *_ = self._said = _SAID[operation]
        self._calls = 0

    def neutral(self, frame: bytes) -> Data:
        """A line as one event. What the neutral form does not know stays where it stands."""
        line = parse(frame)
        said = as_dict(line.get("message")) if self._chat else line
        delta: Data = {}
        if self._chat:
            delta = {key: value for key, value in said.items() if key not in self._said}
        for name, key in (("content" if self._chat else "text", self._text), ("reasoning", "thinking")):
            if text := as_text(said.get(key)):
                delta[name] = text
        if calls := [self._call(as_dict(call)) for call in as_list(said.get("tool_calls"))]:
            delta["tool_calls"] = calls
        ended = line.get("done") is True
        word = finish.read(line.get("done_reason"), called=self._calls > 0) if ended else None
        logprobs = [entry for entry in as_list(line.get("logprobs")) if isinstance(entry, dict)]
        told = {"finish_reason": word, "logprobs": {"content": logprobs} if logprobs else None}
        taken = _TOP if self._chat else {*_TOP, *self._said}
        neutral: Data = {key: value for key, value in line.items() if key not in taken}
        if finish.is_own(line.get("done_reason")):
            neutral["done_reason"] = line["done_reason"]
        if (created := _created(line.get("created_at"))) is not None:
            neutral["created"] = created
        if self._chat:
            neutral["choices"] = [{"index": 0, "delta": delta, **told}]
        else:
            neutral["choices"] = [{"index": 0, "text": "", **delta, **told}]
        if usage := _usage(line, generated=ended and word not in finish.UNTIMED):
            neutral["usage"] = usage
        return neutral

    def _call(self, call: Data) -> Data:
        function = as_dict(call.get("function"))
        index, self._calls = self._calls, self._calls + 1
        name = as_text(function.get("name"))
        rest = {key: value for key, value in function.items() if key not in ("index", "name", "arguments")}
        neutral: Data = {key: value for key, value in call.items() if key not in ("id", "function")}
        id = as_text(call.get("id"))
        neutral |= {"index": index, **({"id": id} if id else {}), "type": "function"}
        return {**neutral, "function": {**rest, "name": name, "arguments": _text_of(function.get("arguments"))}}


def _usage(line: Data, *, generated: bool) -> Data:
    """The counts of a line. Servers leave out a zero, so at the end of an answer what is absent is one (pitfall 44)."""
    usage: Data = {name: line[key] for name, key in USAGE if as_count(line.get(key), -1) >= 0}
    if generated:
        usage = {name: usage.get(name, 0) for name, _ in USAGE}
    if len(usage) == len(USAGE):
        usage["total_tokens"] = sum(usage.values())
    return usage


def _text_of(arguments: Any) -> str:
    """The JSON text of the object, keys in their order; servers that only look like this one send the text itself."""
    if isinstance(arguments, str):
        return arguments
    return encode(as_dict(arguments)).decode()


def _created(created_at: Any) -> int | None:
    seconds = timestamps.unix(as_text(created_at))
    return None if seconds is None else max(0, math.floor(seconds))
