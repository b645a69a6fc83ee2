"""JSON as it is written here is one line for every reader (protocol.md 3.0.6, law 32)."""

from __future__ import annotations

import json

import pytest

from stages.dialects.wire import encode, media_type


@pytest.mark.parametrize("breaker", ["\u0085", "\u2028", "\u2029"])
def test_what_some_readers_split_lines_at_is_escaped(breaker: str) -> None:
    value = {"said": f"one{breaker}two", "é": [breaker]}
    text = encode(value).decode()
    assert len(text.splitlines()) == 1
    assert json.loads(text) == value


@pytest.mark.parametrize("kept", ["plain", "é", "\u00a0", "\u2027", "日本語", "🦙"])
def test_everything_else_is_written_as_it_is(kept: str) -> None:
    assert encode({"said": kept}).decode() == f'{{"said":"{kept}"}}'


@pytest.mark.parametrize(
    ("header", "media"),
    [("application/json", "application/json"), ("Text/Event-Stream ; charset=utf-8", "text/event-stream"), (None, "")],
)
def test_a_media_type_is_told_without_its_parameters(header: str | None, media: str) -> None:
    assert media_type(header) == media
