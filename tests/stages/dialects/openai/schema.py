"""What OpenAI's objects must be, strictly: written from protocol.md 2.4-2.8 and 2.10, not from the product's code.

Each `check_...` raises `Violation` with the path of what is wrong. Required keys must be there, even when null; unknown
keys are allowed. A stream as a whole is checked in `stream_schema`.
"""

from __future__ import annotations

from typing import Any

from tests.stages.dialects.openai.shape import (
    Check,
    Violation,
    anything,
    count,
    demand,
    either,
    filled,
    listing,
    mapping,
    null,
    nullable,
    number,
    one_of,
    record,
    table,
    text,
)

__all__ = [
    "Violation",
    "check_chat_chunk",
    "check_chat_completion",
    "check_embeddings",
    "check_error",
    "check_model",
    "check_model_list",
    "check_text_completion",
]

FINISH = one_of("stop", "length", "tool_calls", "content_filter", "function_call")
TEXT_FINISH = one_of("stop", "length", "content_filter")
FINGERPRINTS = {"service_tier": nullable(text), "system_fingerprint": nullable(text)}

_TOP = {"token": text, "logprob": number, "bytes": nullable(listing(count))}
_TOKEN = record({**_TOP, "top_logprobs": listing(record(_TOP))})
LOGPROBS = nullable(record({"content": nullable(listing(_TOKEN)), "refusal": nullable(listing(_TOKEN))}))
TEXT_LOGPROBS = nullable(
    record(
        {
            "tokens": listing(text),
            "token_logprobs": listing(nullable(number)),
            "top_logprobs": listing(nullable(table(number))),
            "text_offset": listing(count),
        }
    )
)

_FUNCTION = record({"name": text, "arguments": text})
_CALL = record({"id": filled, "type": one_of("function"), "function": _FUNCTION})
_MESSAGE = record(
    {"role": one_of("assistant"), "content": nullable(text), "refusal": nullable(text)},
    {
        "tool_calls": listing(_CALL, least=1),
        "annotations": listing(mapping),
        "audio": nullable(mapping),
        "function_call": _FUNCTION,
        "reasoning": nullable(text),
        "reasoning_content": nullable(text),
    },
)
_COUNTS = record({"prompt_tokens": count, "completion_tokens": count, "total_tokens": count})


def USAGE(value: Any, path: str) -> None:
    """Three counts, the last the sum of the others (law 18)."""
    _COUNTS(value, path)
    total = value["prompt_tokens"] + value["completion_tokens"]
    demand(value["total_tokens"] == total, f"{path}.total_tokens", f"the sum {total}")


def head(object: str, choice: Check, *, least: int = 1) -> Check:
    """The fields of every generated answer and chunk, but for usage."""
    required = {
        "id": filled,
        "object": one_of(object),
        "created": count,
        "model": filled,
        "choices": listing(choice, least=least),
    }
    return record(required, FINGERPRINTS)


_CHAT_CHOICE = record({"index": count, "message": _MESSAGE, "logprobs": LOGPROBS, "finish_reason": FINISH})
_CHAT = head("chat.completion", _CHAT_CHOICE)
_TEXT_CHOICE = record({"index": count, "text": text, "logprobs": TEXT_LOGPROBS, "finish_reason": TEXT_FINISH})
_TEXT = head("text_completion", _TEXT_CHOICE)

_FRAGMENT = record(
    {"index": count},
    {
        "id": filled,
        "type": one_of("function"),
        "function": record({}, {"name": text, "arguments": text}),
    },
)
_DELTA = record(
    {},
    {
        "role": one_of("assistant"),
        "content": nullable(text),
        "refusal": nullable(text),
        "tool_calls": listing(_FRAGMENT, least=1),
        "reasoning": nullable(text),
        "reasoning_content": nullable(text),
    },
)
_CHUNK_CHOICE = record({"index": count, "delta": _DELTA, "logprobs": LOGPROBS, "finish_reason": nullable(FINISH)})
CHAT_CHUNK = head("chat.completion.chunk", _CHUNK_CHOICE, least=0)
_TEXT_CHUNK_CHOICE = record(
    {"index": count, "text": text, "logprobs": TEXT_LOGPROBS, "finish_reason": nullable(TEXT_FINISH)}
)
TEXT_CHUNK = head("text_completion", _TEXT_CHUNK_CHOICE, least=0)


def check_chat_completion(value: Any) -> None:
    """A whole chat answer (2.4). Choices are in the order of their index, from 0."""
    _whole(value, _CHAT)
    for choice in value["choices"]:
        calls = choice["message"].get("tool_calls", [])
        ids = {call["id"] for call in calls}
        demand(len(ids) == len(calls), "$.choices", f"distinct call ids, not {sorted(ids)}")
        # Laws 16 and 17: agents act on the reason, so it must agree with the calls.
        demand(bool(calls) or choice["finish_reason"] != "tool_calls", "choices", "finish tool_calls without calls")
        demand(not calls or choice["finish_reason"] != "stop", "choices", "finish stop in spite of calls")


def check_text_completion(value: Any) -> None:
    """A whole text completion (2.6)."""
    _whole(value, _TEXT)


def _whole(value: Any, check: Check) -> None:
    check(value, "$")
    if "usage" in value:
        USAGE(value["usage"], "$.usage")
    indices = [choice["index"] for choice in value["choices"]]
    demand(indices == list(range(len(indices))), "$.choices", f"indices from 0 without a gap, not {indices}")


def check_chat_chunk(value: Any) -> None:
    """One chunk by itself (2.5)."""
    CHAT_CHUNK(value, "$")


def check_embeddings(value: Any) -> None:
    """An embedding answer (2.7); `data[i].index == i` (law 41)."""
    vector = either(listing(number, least=1), filled)
    item = record({"object": one_of("embedding"), "index": count, "embedding": vector})
    usage = record({"prompt_tokens": count, "total_tokens": count})
    check = record({"object": one_of("list"), "data": listing(item, least=1), "model": filled, "usage": usage})
    check(value, "$")
    for at, embedding in enumerate(value["data"]):
        demand(embedding["index"] == at, f"$.data[{at}].index", f"{at}")


def check_model(value: Any) -> None:
    """One model (2.8)."""
    record({"id": filled, "object": one_of("model"), "created": count, "owned_by": text})(value, "$")


def check_model_list(value: Any) -> None:
    """The model list; `data` is an array, never null, and names are unique (law 43)."""
    record({"object": one_of("list"), "data": listing(anything)})(value, "$")
    for model in value["data"]:
        check_model(model)
    names = [model["id"] for model in value["data"]]
    demand(len(names) == len(set(names)), "$.data", f"unique ids, not {names}")


def check_error(value: Any) -> None:
    """An error body: exactly the four keys; `code` is a string or null, never a number (2.10, law 44)."""
    word = either(filled, null)
    record({"error": record({"message": filled, "type": filled, "param": word, "code": word})})(value, "$")
    demand(set(value) == {"error"}, "$", "nothing beside `error`")
    demand(set(value["error"]) == {"message", "type", "param", "code"}, "$.error", "exactly four keys")
