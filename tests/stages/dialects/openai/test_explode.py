"""A whole answer as the steps of a stream, so that a stage sees the same whichever was asked for."""

from __future__ import annotations

from typing import Any

from stages.dialects.openai import chat, text

HEAD = {"id": "i", "created": 5, "model": "m", "system_fingerprint": "fp", "service_tier": "default"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
LOGPROBS = {"content": [], "refusal": None}


def told(kind: str, said: dict[str, Any], ended: dict[str, Any]) -> list[dict[str, Any]]:
    head = {**HEAD, "object": kind}
    return [
        {**head, "choices": [said]},
        {**head, "more": 1, "choices": [ended]},
        {**head, "choices": [], "usage": USAGE},
    ]


def test_a_chat_is_said_then_ended_then_counted_and_every_step_says_whose_it_is() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hi", "tool_calls": [{**call, "index": 0}, {**call, "index": 0}]}
    choice = {"index": 0, "message": message, "logprobs": LOGPROBS, "finish_reason": "stop", "score": 1}
    answer = {**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE, "more": 1}
    delta = {**message, "tool_calls": [{**call, "index": 0}, {**call, "index": 1}]}
    assert chat.explode(answer) == told(
        "chat.completion.chunk",
        {"index": 0, "delta": delta, "finish_reason": None, "logprobs": LOGPROBS},
        {"index": 0, "delta": {}, "finish_reason": "stop", "score": 1},
    )


def test_a_text_is_told_alike() -> None:
    choice = {"index": 0, "text": "Hi", "logprobs": None, "finish_reason": "stop", "score": 1}
    answer = {**HEAD, "object": "text_completion", "choices": [choice], "usage": USAGE, "more": 1}
    assert text.explode(answer) == told(
        "text_completion",
        {"index": 0, "text": "Hi", "logprobs": None, "finish_reason": None, "score": 1},
        {"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"},
    )


def test_what_has_no_choices_is_one_event() -> None:
    assert chat.explode({"choices": None, "x": 1}) == [{"choices": None, "x": 1}]
