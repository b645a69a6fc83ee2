"""What Ollama's clients require of an answer: its keys, and the order of lines (protocol.md 1.4, 1.12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pipeline import Data

_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
_COUNTS = ("prompt_eval_count", "eval_count")


def check(operation: str, answer: Data, *, model: str) -> None:
    """A whole answer, which looks like a done line."""
    if operation == "embedding":
        assert answer["model"] == model
        assert all(isinstance(vector, list) and vector for vector in answer["embeddings"])
        return
    assert answer["done"] is True
    _line(operation, answer, model)


def check_stream(operation: str, items: Sequence[Data], *, model: str, complete: bool) -> None:
    """The lines of a stream, in order (law 28)."""
    for item in items:
        _line(operation, item, model)
    assert [item["done"] for item in items[:-1]] == [False] * len(items[:-1]), "one done line, and it is last"
    assert not complete or (items and items[-1]["done"] is True), "a complete stream has its done line"
    times = [_time(item["created_at"]) for item in items]
    assert times == sorted(times), "time does not go back (law 33)"


def _line(operation: str, item: Data, model: str) -> None:
    assert item["model"] == model, "the model is the one asked for (law 21)"
    _time(item["created_at"])
    said = item["message"] if operation == "chat" else item
    assert isinstance(said["content" if operation == "chat" else "response"], str)
    if operation == "chat":
        assert said["role"] == "assistant"
    assert "error" not in item, "clients look for the key alone"
    assert said.get("thinking", "x"), "thinking is absent or says something"
    assert isinstance(said.get("thinking", "x"), str)
    _calls(said.get("tool_calls"))
    if item["done"]:
        _ended(item)
    else:
        assert item["done"] is False
        assert not {"done_reason", *_DURATIONS, *_COUNTS} & set(item), "told at the end only"


def _calls(calls: Any) -> None:
    """Calls are whole, never fragments (law 28)."""
    if calls is None:
        return
    assert calls, "tool_calls is absent or not empty"
    for call in calls:
        assert isinstance(call["function"]["name"], str)
        assert isinstance(call["function"]["arguments"], dict), "arguments are an object"
        assert isinstance(call["function"]["index"], int)


def _ended(item: Data) -> None:
    """Law 33: clients divide by the durations."""
    assert isinstance(item.get("done_reason", ""), str)
    told = [key for key in _DURATIONS if key in item]
    assert {"total_duration", "eval_duration", "prompt_eval_duration"} <= set(told)
    assert all(isinstance(item[key], int) and item[key] >= 1 for key in told), "nanoseconds, at least 1"
    assert item["total_duration"] >= item["prompt_eval_duration"] + item["eval_duration"]
    for key in _COUNTS:
        assert isinstance(item.get(key, 0), int)
        assert item.get(key, 0) >= 0


def _time(text: Any) -> tuple[str, str]:
    """UTC on one scale, so that texts compare as the times do."""
    assert isinstance(text, str)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    assert text.endswith("Z"), f"created_at is UTC: {text!r}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", whole), f"RFC 3339: {text!r}"
    assert re.fullmatch(r"(\d{0,8}[1-9])?", fraction), f"up to nine digits, zeros trimmed: {text!r}"
    return whole, fraction.ljust(9, "0")
