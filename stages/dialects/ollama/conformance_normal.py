"""The normal form NL of an Ollama chat request, word for word from protocol.md 6, with rule T of 3.3.

A pure function of JSON, written without the product's reader and writer. The ids that rule T makes are hashes of a
form that no protocol fixes, so here they are written by what they stand for: `T:<message>:<call>`.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from pipeline import Data

_OPTIONS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_COPIED = ("model", "tools", "top_logprobs")
_MADE = re.compile(r"call_[0-9a-f]{24}")


def normal(request: Data) -> Data:
    """NL. What a rule of it does not name is copied."""
    given = {key: value for key, value in request.items() if value is not None}
    out: Data = {key: given[key] for key in _COPIED if key in given}
    out["messages"] = answered([_message(message) for message in given["messages"]])
    out["stream"] = given.get("stream", True)
    if given.get("format"):
        out["format"] = given["format"]
    if "think" in given:
        out["think"] = "medium" if given["think"] is True else given["think"]
    out["options"] = _cut(given.get("options", {}))
    if given.get("logprobs"):
        out["logprobs"] = True
    return out


def settled(request: Data) -> Data:
    """A written request; `options` may be left out where it is empty, and ids of rule T are named by their place."""
    return {**request, "options": request.get("options", {}), "messages": named(request["messages"])}


def named(messages: list[Data]) -> list[Data]:
    """Ids of rule T by their place, in the calls and in what answers them."""
    known: Data = {}
    out = []
    for at, message in enumerate(messages):
        calls = []
        for number, call in enumerate(message.get("tool_calls") or ()):
            known[call["id"]] = f"T:{at}:{number}" if _MADE.fullmatch(call["id"]) else call["id"]
            calls.append({**call, "id": known[call["id"]]})
        message = {**message, "tool_calls": calls} if calls else message
        if message.get("tool_call_id") is not None:
            message = {**message, "tool_call_id": known.get(message["tool_call_id"], message["tool_call_id"])}
        out.append(message)
    return out


def answered(messages: list[Data]) -> list[Data]:
    """Rule T on well-formed history: ids for calls without, and for each tool message the call it answers."""
    waiting: list[Data] = []
    out = []
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            call = _taken(waiting, message)
            waiting.remove(call)
            message = {
                "role": "tool",
                "content": message["content"],
                "tool_call_id": call["id"],
                "tool_name": call["function"]["name"],
            }
        elif message.get("tool_calls"):
            calls = [{**call, "id": call.get("id") or f"T:{at}:{i}"} for i, call in enumerate(message["tool_calls"])]
            message = {**message, "tool_calls": calls}
            waiting = list(calls)
        out.append(message)
    return out


def pictures(request: Data) -> list[bytes]:
    """All pictures of the messages, in order."""
    return [base64.b64decode(picture) for message in request["messages"] for picture in message.get("images") or ()]


def _taken(waiting: list[Data], answer: Data) -> Data:
    """By id, else the first of its name, else the first."""
    by_id = [call for call in waiting if call["id"] == answer.get("tool_call_id")]
    by_name = [call for call in waiting if call["function"]["name"] == answer.get("tool_name")]
    return (by_id or by_name or waiting)[0]


def _message(given: Data) -> Data:
    out: Data = {"role": given["role"].lower(), "content": given.get("content") or ""}
    for key in ("thinking", "images", "tool_call_id", "tool_name"):
        if given.get(key):
            out[key] = given[key]
    calls = given.get("tool_calls") or []
    indices = [call["function"].get("index") for call in calls]
    if calls and None not in indices and len(set(indices)) == len(indices):
        calls = sorted(calls, key=lambda call: int(call["function"]["index"]))
    if calls:
        out["tool_calls"] = [_call(call, at) for at, call in enumerate(calls)]
    return out


def _call(call: Data, at: int) -> Data:
    function = {"index": at, "name": call["function"]["name"], "arguments": call["function"]["arguments"]}
    return {**({"id": call["id"]} if call.get("id") else {}), "function": function}


def _cut(options: Data) -> Data:
    given = {key: value for key, value in options.items() if value is not None}
    out = {key: given[key] for key in _OPTIONS if key in given}
    if given.get("seed", -1) >= 0:
        out["seed"] = given["seed"]
    if given.get("num_predict", 0) > 0:
        out["num_predict"] = given["num_predict"]
    stops: Any = given.get("stop", [])
    stops = [stop for stop in ([stops] if isinstance(stops, str) else stops) if stop]
    return out | ({"stop": stops} if stops else {})
