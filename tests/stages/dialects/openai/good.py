"""Good answers of every kind: what the schema must accept, and a base for tests that bend them."""

from __future__ import annotations

from typing import Any

_HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "m", "system_fingerprint": "fp", "extra": {"a": 1}}
_TOP = {"token": "a", "logprob": -1.5, "bytes": None}
_TOKEN = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": [_TOP]}
_LOGPROBS = {"content": [_TOKEN], "refusal": None}
_USAGE = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
_CALLS = [
    {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}},
    {"id": "call_2", "type": "function", "function": {"name": "look", "arguments": ""}},
]

CHAT: dict[str, Any] = {
    **_HEAD,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None, "extra": [1]},
            "logprobs": _LOGPROBS,
            "finish_reason": "stop",
            "extra": "x",
        },
        {
            "index": 1,
            "message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": _CALLS},
            "logprobs": None,
            "finish_reason": "tool_calls",
        },
    ],
    "usage": {**_USAGE, "extra": {"cached_tokens": 1}},
}

TEXT: dict[str, Any] = {
    **_HEAD,
    "object": "text_completion",
    "choices": [
        {
            "index": 0,
            "text": "Hi",
            "logprobs": {
                "tokens": ["Hi"],
                "token_logprobs": [-0.5],
                "top_logprobs": [{"a token": -0.5}],
                "text_offset": [0],
            },
            "finish_reason": "length",
        }
    ],
    "usage": _USAGE,
}

EMBEDDINGS: dict[str, Any] = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5, -1.0], "extra": 1},
        {"object": "embedding", "index": 1, "embedding": "AAAAPw=="},
    ],
    "model": "m",
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}

MODELS: dict[str, Any] = {
    "object": "list",
    "data": [
        {"id": "a", "object": "model", "created": 0, "owned_by": "x", "extra": None},
        {"id": "b", "object": "model", "created": 1, "owned_by": ""},
    ],
}

ERROR: dict[str, Any] = {"error": {"message": "no", "type": "server_error", "param": None, "code": "x"}}


def _chunk(*choices: Any, usage: Any = None) -> dict[str, Any]:
    return {**_HEAD, "object": "chat.completion.chunk", "choices": list(choices), "usage": usage}


def _delta(index: int, finish: str | None = None, logprobs: Any = None, **delta: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}


def _call(index: int, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **fields}]}


def chat_stream() -> list[dict[str, Any]]:
    """Two choices, one of which calls two tools, and the usage chunk."""
    return [
        _chunk(_delta(0, role="assistant", content="")),
        _chunk(_delta(0, content="Hi", logprobs=_LOGPROBS)),
        _chunk(_delta(1, role="assistant")),
        _chunk(_delta(1, **_call(0, id="call_1", type="function", function={"name": "look", "arguments": ""}))),
        _chunk(_delta(1, **_call(0, function={"arguments": "{}"}))),
        _chunk(_delta(1, **_call(1, id="call_2", type="function", function={"name": "look", "arguments": "{}"}))),
        _chunk(_delta(0, "stop")),
        _chunk(_delta(1, "tool_calls")),
        _chunk(usage=_USAGE),
    ]


def text_stream() -> list[dict[str, Any]]:
    """One text completion, without usage."""

    def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish, "extra": 1}
        return {**_HEAD, "object": "text_completion", "choices": [choice]}

    return [chunk("Hi"), chunk(" there"), chunk("", "stop")]
