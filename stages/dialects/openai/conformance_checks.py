"""What OpenAI's clients require of an answer: its keys, and the order of a stream (protocol.md 2.4-2.7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline import Data

CHAT_FINISH = ("stop", "length", "tool_calls", "content_filter", "function_call")
TEXT_FINISH = ("stop", "length", "content_filter")


def check(operation: str, answer: Data, *, model: str) -> None:
    """A whole answer."""
    if operation == "embedding":
        _embeddings(answer, model)
        return
    _head(answer, "text_completion" if operation == "completion" else "chat.completion", model)
    assert [choice["index"] for choice in answer["choices"]] == list(range(len(answer["choices"])))
    assert answer["choices"], "no choices"
    for choice in answer["choices"]:
        _finish(operation, choice["finish_reason"])
        if operation == "completion":
            assert isinstance(choice["text"], str)
            _text_logprobs(choice["logprobs"])
            continue
        _chat_logprobs(choice["logprobs"])
        message = choice["message"]
        assert message["role"] == "assistant"
        assert message["refusal"] is None or isinstance(message["refusal"], str)
        calls = message.get("tool_calls")
        assert calls is None or calls, "tool_calls is absent or not empty"
        assert isinstance(message["content"], str) or (message["content"] is None and (calls or message["refusal"]))
        for call in calls or ():
            _call(call)
            assert "index" not in call, "a whole call has no index"
        assert len({call["id"] for call in calls or ()}) == len(calls or ()), "ids are distinct"
        _agree(choice["finish_reason"], bool(calls))
    if "usage" in answer:
        check_usage(answer["usage"])


def check_stream(operation: str, items: Sequence[Data], *, model: str, usage: bool, complete: bool) -> None:
    """The chunks of a stream, in order."""
    assert items or not complete, "a complete stream says something"
    for key in ("id", "object", "created", "model"):
        assert len({json.dumps(item[key]) for item in items}) <= 1, f"{key} changes within a stream"
    state: dict[int, Data] = {}
    told = False
    for item in items:
        _head(item, "text_completion" if operation == "completion" else "chat.completion.chunk", model)
        assert not told, "nothing follows the usage chunk"
        assert ("usage" in item) == usage, "usage is in every chunk or in none"
        if item.get("usage") is not None:
            told = True
            assert item["choices"] == [], "the usage chunk has no choices"
            check_usage(item["usage"])
            assert state, "usage comes last"
            assert all(known["finish"] for known in state.values()), "usage comes last"
            continue
        assert item["choices"], "only the usage chunk has no choices"
        for choice in item["choices"]:
            _chunk(operation, choice, state.setdefault(choice["index"], {"calls": [], "finish": None, "first": True}))
    assert list(state) == list(range(len(state))), "choices are numbered without a gap"
    if complete:
        assert all(known["finish"] for known in state.values()), "a choice without its finish"


def _chunk(operation: str, choice: Data, known: Data) -> None:
    assert known["finish"] is None, "nothing follows the finish of a choice"
    finish = known["finish"] = choice["finish_reason"]
    if finish is not None:
        _finish(operation, finish)
    if operation == "completion":
        assert isinstance(choice["text"], str)
        _text_logprobs(choice["logprobs"])
        return
    _chat_logprobs(choice["logprobs"])
    delta = choice["delta"]
    assert ("role" in delta) == known["first"], "the role is said once and first"
    assert not known["first"] or delta["role"] == "assistant"
    known["first"] = False
    assert finish is None or delta == {}, "the finish has a chunk of its own"
    for key in ("content", "reasoning", "reasoning_content", "refusal"):
        assert key not in delta or isinstance(delta[key], str), f"{key} is text"
    for fragment in delta.get("tool_calls", ()):
        at = fragment["index"]
        if at < len(known["calls"]):
            assert set(fragment) == {"index", "function"}, "id and type are said once"
            assert set(fragment["function"]) == {"arguments"}, "the name is said once"
            continue
        assert at == len(known["calls"]), "calls are numbered in order of appearance"
        _call(fragment)
        assert fragment["id"] not in known["calls"], "ids are distinct"
        known["calls"].append(fragment["id"])
    if finish is not None:
        _agree(finish, bool(known["calls"]))


def check_usage(usage: Any) -> None:
    """Counts, the last of which is the sum of the others (law 18)."""
    parts = [usage[key] for key in ("prompt_tokens", "completion_tokens")]
    assert all(_is_count(part) for part in parts), f"counts: {usage}"
    assert usage["total_tokens"] == sum(parts), f"the sum: {usage}"


def _head(answer: Data, kind: str, model: str) -> None:
    assert answer["object"] == kind
    assert isinstance(answer["id"], str)
    assert answer["id"]
    assert _is_count(answer["created"])
    assert answer["model"] == model, "the model is the one asked for (law 21)"
    assert isinstance(answer["choices"], list)


def _finish(operation: str, finish: Any) -> None:
    assert finish in (TEXT_FINISH if operation == "completion" else CHAT_FINISH), f"finish_reason {finish!r}"


def _agree(finish: str, called: bool) -> None:
    """Laws 16 and 17: agents act on the reason."""
    assert called or finish != "tool_calls", "tool_calls without calls"
    assert not called or finish != "stop", "stop in spite of calls"


def _call(call: Data) -> None:
    assert isinstance(call["id"], str)
    assert call["id"], "a call has an id"
    assert call["type"] == "function"
    assert isinstance(call["function"]["name"], str)
    assert isinstance(call["function"]["arguments"], str), "arguments are JSON text"


def _chat_logprobs(logprobs: Any) -> None:
    if logprobs is None:
        return
    assert {"content", "refusal"} <= set(logprobs)
    for token in (*(logprobs["content"] or ()), *(logprobs["refusal"] or ())):
        assert isinstance(token["top_logprobs"], list)
        for entry in (token, *token["top_logprobs"]):
            assert isinstance(entry["token"], str)
            assert isinstance(entry["logprob"], (int, float))
            assert entry["bytes"] is None or all(0 <= byte < 256 for byte in entry["bytes"])


def _text_logprobs(logprobs: Any) -> None:
    if logprobs is None:
        return
    lists = [logprobs[key] for key in ("tokens", "token_logprobs", "top_logprobs", "text_offset")]
    assert len({len(listed) for listed in lists}) == 1, "four parallel lists"


def _embeddings(answer: Data, model: str) -> None:
    assert answer["object"] == "list"
    assert answer["model"] == model
    assert [item["index"] for item in answer["data"]] == list(range(len(answer["data"])))
    assert all(item["object"] == "embedding" for item in answer["data"])
    assert _is_count(answer["usage"]["prompt_tokens"])
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
