"""Neutral events as lines of `/api/chat` and `/api/generate`, and a whole answer of many lines (protocol.md 1.4, 1.5).

What stands beside the neutral fields is written too if the event is of this dialect, and left behind otherwise: the
fields of another protocol mean nothing to clients of this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline import Data
from stages.dialects.ollama import arguments, finish
from stages.dialects.ollama.lines import USAGE
from stages.dialects.wire import as_count, as_dict, as_int, as_list, as_text

_NEUTRAL = frozenset({"choices", "usage", "created", "model", "created_at", "done_reason", "error", "id", "object"})
_IN_DELTA = frozenset({"role", "content", "reasoning", "tool_calls", "refusal"})
_IN_CHOICE = frozenset({"index", "text", "reasoning", "tool_calls", "finish_reason", "logprobs", "delta"})
_TEXTS = ("content", "response", "thinking")
_LISTS = ("tool_calls", "logprobs")


def line(operation: str, data: Data, *, model: str, created_at: str, own: bool) -> Data:
    """One line. Those of `model` and `created_at` that the event has win; `own` says it is of this dialect."""
    chat = operation == "chat"
    choice = _first(data.get("choices"))
    delta = as_dict(choice.get("delta"))
    said = delta or choice
    text = as_text(delta.get("content")) or as_text(choice.get("text"))
    spoken: Data = {"role": as_text(delta.get("role")) or "assistant", "content": text} if chat else {"response": text}
    if reasoning := as_text(said.get("reasoning")):
        spoken["thinking"] = reasoning
    if calls := as_list(said.get("tool_calls")):
        spoken["tool_calls"] = [_call(as_dict(call), at) for at, call in enumerate(calls)]
    if own:
        spoken |= _others(delta, _IN_DELTA) if chat else _others(choice, _IN_CHOICE)
    written: Data = {
        "model": as_text(data.get("model")) or model,
        "created_at": as_text(data.get("created_at")) or created_at,
    }
    written |= {"message": spoken} if chat else spoken
    word = as_text(choice.get("finish_reason"))
    written["done"] = word != ""
    if word:
        written["done_reason"] = finish.written(word, data.get("done_reason"))
    if entries := as_list(as_dict(choice.get("logprobs")).get("content")):
        written["logprobs"] = entries
    if own:
        written |= _others(data, _NEUTRAL)
    if usage := as_dict(data.get("usage")):
        # A zero is left out, as servers do.
        written |= {key: usage[name] for name, key in USAGE if as_count(usage.get(name), 0)}
    return written


def _first(choices: Any) -> Data:
    """The choice that this protocol has room for."""
    for choice in map(as_dict, as_list(choices)):
        if as_int(choice.get("index"), 0) == 0:
            return choice
    return {}


def _others(given: Data, known: frozenset[str]) -> Data:
    return {} if given.keys() <= known else {key: value for key, value in given.items() if key not in known}


def _call(call: Data, at: int) -> Data:
    function = as_dict(call.get("function"))
    id = as_text(call.get("id"))
    written: Data = {"id": id} if id else {}
    written |= {key: value for key, value in call.items() if key not in ("id", "type", "index", "function")}
    rest = {key: value for key, value in function.items() if key not in ("index", "name", "arguments")}
    written["function"] = {
        "index": as_count(call.get("index"), at),
        "name": as_text(function.get("name")),
        "arguments": arguments.parse(as_text(function.get("arguments"))),
        **rest,
    }
    return written


def joined(operation: str, lines: Iterable[Data]) -> Data:
    """The whole answer that `lines` spell out: texts joined, calls and log-probabilities gathered, else the last."""
    whole: Data = {}
    for one in lines:
        if operation == "chat":
            message = _added(as_dict(whole.get("message")), as_dict(one.get("message")))
            whole = {**_added(whole, one), "message": message}
        else:
            whole = _added(whole, one)
    calls = (whole.get("message") or {}).get("tool_calls") if operation == "chat" else whole.get("tool_calls")
    if calls:
        _in_order(calls)
    return whole


def _added(total: Data, part: Data) -> Data:
    added = {**total, **part}
    for key in _TEXTS:
        if key in total and key in part:
            added[key] = as_text(total[key]) + as_text(part[key])
    for key in _LISTS:
        if key in total or key in part:
            added[key] = [*as_list(total.get(key)), *as_list(part.get(key))]
    return added


def _in_order(calls: list[Any]) -> None:
    """By their numbers where those tell them apart."""
    numbers = [as_int(as_dict(as_dict(call).get("function")).get("index"), 0) for call in calls]
    if len(set(numbers)) == len(numbers):
        calls.sort(key=lambda call: as_int(as_dict(as_dict(call).get("function")).get("index"), 0))
