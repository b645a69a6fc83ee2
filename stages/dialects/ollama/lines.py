"""Lines of `/api/chat` and `/api/generate` as neutral events (protocol.md 1.4, 1.5, 1.10, 3.2).

A whole answer is a line too. A line is one event, so that its bytes can be forwarded, although it may say several
things at once: the last one may carry text, calls and the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline import Data
from stages.dialects.ollama import finish, timestamps
from stages.dialects.ollama.json_lines import parse
from stages.dialects.wire import as_count, as_dict, as_list, as_text, encode

USAGE = (("prompt_tokens", "prompt_eval_count"), ("completion_tokens", "eval_count"))
_COUNTS = frozenset(key for _, key in USAGE)


class Lines:
    """The lines of one answer.

    Calls are numbered over all of them: older servers number each one 0 (pitfall 15). The answer was created when the
    first of its lines was.
    """

    def __init__(self, operation: str) -> None:
        self._chat = operation == "chat"
        self._calls = 0
        self._created: int | None = None

    def neutral(self, frame: bytes) -> Data:
        """A line as one event. What the neutral form does not know stays where it stands."""
        line = parse(frame)  # nobody else has it, so what is read is taken out and the rest stays
        message = as_dict(line.pop("message", None))
        if self._chat:
            said = delta = message
            text, name = said.pop("content", None), "content"
        else:
            said, delta = line, {"text": ""}
            text, name = said.pop("response", None), "text"
        thinking, calls = said.pop("thinking", None), said.pop("tool_calls", None)
        if text and isinstance(text, str):
            delta[name] = text
        if thinking and isinstance(thinking, str):
            delta["reasoning"] = thinking
        if calls and isinstance(calls, list):
            delta["tool_calls"] = [self._call(as_dict(call)) for call in calls]
        ended, reason = line.pop("done", None) is True, line.pop("done_reason", None)
        word = finish.read(reason, called=self._calls > 0) if ended else None
        if reason and finish.is_own(reason):
            line["done_reason"] = reason
        told = {"index": 0, "finish_reason": word, "logprobs": _logprobs(line.pop("logprobs", None))}
        line["choices"] = [{**told, "delta": delta} if self._chat else {**told, **delta}]
        if ended or not _COUNTS.isdisjoint(line):
            counts = [line.pop(key, None) for _, key in USAGE]
            if usage := _usage(counts, generated=ended and word not in finish.UNTIMED):
                line["usage"] = usage
        if self._created is None:
            self._created = _created(line.get("created_at"))
        if self._created is not None:
            line["created"] = self._created
        line.pop("error", None)
        return line

    def _call(self, call: Data) -> Data:
        function = as_dict(call.get("function"))
        index, self._calls = self._calls, self._calls + 1
        name = as_text(function.get("name"))
        rest = {key: value for key, value in function.items() if key not in ("index", "name", "arguments")}
        neutral: Data = {key: value for key, value in call.items() if key not in ("id", "function")}
        id = as_text(call.get("id"))
        neutral |= {"index": index, **({"id": id} if id else {}), "type": "function"}
        return {**neutral, "function": {**rest, "name": name, "arguments": _text_of(function.get("arguments"))}}


def _usage(counts: Sequence[Any], *, generated: bool) -> Data:
    """The counts of a line. Servers leave out a zero, so at the end of an answer what is absent is one (pitfall 44)."""
    usage: Data = {}
    for (name, _), given in zip(USAGE, counts, strict=True):
        count = as_count(given, 0 if generated else -1)
        if count >= 0:
            usage[name] = count
    if len(usage) == len(USAGE):
        usage["total_tokens"] = sum(usage.values())
    return usage


def _logprobs(given: Any) -> Data | None:
    entries = [entry for entry in as_list(given) if isinstance(entry, dict)] if given else None
    return {"content": entries} if entries else None


def _text_of(arguments: Any) -> str:
    """The JSON text of the object, keys in their order; servers that only look like this one send the text itself."""
    if isinstance(arguments, str):
        return arguments
    return encode(as_dict(arguments)).decode()


def _created(created_at: Any) -> int | None:
    seconds = timestamps.unix(as_text(created_at))
    return None if seconds is None else max(0, math.floor(seconds))
