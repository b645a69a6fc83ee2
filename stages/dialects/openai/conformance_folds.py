"""What an OpenAI answer says, whole or as a stream, read as openai-python's accumulator reads it (protocol.md 2.12)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline import Data, Heard, HeardCall, Parsed

DONE = b"data: [DONE]\n\n"
_FINISH = {"tool_calls": "stop", "function_call": "stop"}
_LISTS = ("tokens", "token_logprobs", "top_logprobs", "text_offset", "content", "refusal")


def fold(operation: str, items: Sequence[Data]) -> Data:
    """The whole answer that a complete stream of one choice spells out: texts and arguments are concatenated."""
    entries = [choice for item in items for choice in item["choices"]]
    finish = next((choice["finish_reason"] for choice in reversed(entries) if choice["finish_reason"]), None)
    choice: Data = {"index": 0, "logprobs": _joined(entries), "finish_reason": finish}
    if operation == "completion":
        choice["text"] = "".join(entry["text"] for entry in entries)
    else:
        choice["message"] = _message([entry["delta"] for entry in entries])
    head = {key: items[0][key] for key in ("id", "created", "model")}
    kind = "text_completion" if operation == "completion" else "chat.completion"
    usage = next((item["usage"] for item in reversed(items) if item.get("usage")), None)
    answer: Data = {**head, "object": kind, "choices": [choice]}
    return answer if usage is None else answer | {"usage": usage}


def heard(operation: str, answer: Data) -> Heard:
    """What a whole answer says; of its first choice."""
    choice = answer["choices"][0]
    usage = answer.get("usage") or {}
    counts = (usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))
    finish = _FINISH.get(choice["finish_reason"], choice["finish_reason"])
    given = choice.get("logprobs") or {}
    if operation == "completion":
        pairs = tuple(zip(given.get("tokens", ()), given.get("token_logprobs", ()), strict=True))
        return Heard(choice["text"], finish=finish, counts=counts, logprobs=pairs)
    message = choice["message"]
    return Heard(
        message["content"] or message.get("refusal") or "",
        message.get("reasoning") or message.get("reasoning_content") or "",
        tuple(
            HeardCall(call["function"]["name"], json.loads(call["function"]["arguments"] or "{}"), call["id"])
            for call in message.get("tool_calls", ())
        ),
        finish,
        counts,
        tuple((token["token"], token["logprob"]) for token in given.get("content") or ()),
    )


def encode(items: Sequence[Data], *, done: bool = True) -> bytes:
    """Events as servers write them, with what is not ASCII as it is."""
    frames = [b"data: " + json.dumps(item, ensure_ascii=False).encode() + b"\n\n" for item in items]
    return b"".join(frames) + (DONE if done else b"")


def failed(message: str) -> bytes:
    """An error in a stream (protocol.md 2.5)."""
    return encode([{"error": {"message": message, "type": "server_error", "param": None, "code": None}}], done=False)


def parse(body: bytes) -> Parsed:
    """Strictly: each event is `data: ` and one line of JSON, however lines are split; nothing follows the end."""
    assert body == b"" or body.endswith(b"\n\n"), "an event without its blank line is never seen"
    items: list[Data] = []
    done, error = False, None
    for event in body.decode().split("\n\n")[:-1]:
        assert not done, "nothing follows [DONE]"
        assert error is None, "nothing follows an error"
        assert event.startswith("data: "), f"a line that is not data: {event[:40]!r}"
        assert len(event.splitlines()) == 1, f"readers split this line: {event!r}"
        if event == "data: [DONE]":
            done = True
            continue
        value = json.loads(event[6:])
        assert isinstance(value, dict), f"an event that is no object: {event!r}"
        if "error" in value:
            assert set(value["error"]) == {"message", "type", "param", "code"}, f"four keys: {value}"
            error = value["error"]["message"]
            assert isinstance(error, str), value
        else:
            items.append(value)
    return Parsed(items, done, error)


def _message(deltas: Sequence[Data]) -> Data:
    """As the accumulator does it: strings are concatenated, `tool_calls` is a list by `index`."""
    message: Data = {"role": "".join(delta.get("role") or "" for delta in deltas), "refusal": None}
    for key in ("content", "reasoning", "reasoning_content", "refusal"):
        said = [delta[key] for delta in deltas if isinstance(delta.get(key), str)]
        if said:
            message[key] = "".join(said)
    calls: list[Data] = []
    for fragment in (fragment for delta in deltas for fragment in delta.get("tool_calls") or ()):
        if fragment["index"] == len(calls):
            calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
        call, function = calls[fragment["index"]], fragment.get("function") or {}
        call["id"] += fragment.get("id") or ""
        for key in ("name", "arguments"):
            call["function"][key] += function.get(key) or ""
    if calls:
        message["tool_calls"] = calls
    message["content"] = message.get("content") or (None if calls else "")
    return message


def _joined(entries: Sequence[Data]) -> Any:
    """Log-probabilities are lists, or parallel lists: each is joined."""
    told = [entry["logprobs"] for entry in entries if entry.get("logprobs")]
    if not told:
        return None
    joined: Data = {}
    for logprobs in told:
        for key in _LISTS:
            if key in logprobs:
                listed = logprobs[key]
                joined[key] = joined.get(key) if listed is None else [*(joined.get(key) or ()), *listed]
    return joined
