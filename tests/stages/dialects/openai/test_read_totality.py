"""Any JSON becomes a neutral request or a refusal that names what is there (laws 5, 6, 9, 10, 14)."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Image, InvalidRequest, Losses, NeutralRequest
from stages.dialects.openai.dialect import OpenAI
from stages.dialects.openai.table import READS
from tests.stages.dialects.openai.translated import PIXEL, request_of

URL = f"data:image/png;base64,{PIXEL}"
FULL: dict[str, Any] = {
    "messages": [
        {"role": "developer", "content": "Be kind.", "name": "x"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": URL}}]},
        {
            "role": "assistant",
            "content": None,
            "reasoning": "hm",
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "1"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": URL}}]},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"function": {"name": "f"}}]}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "functions": None,
    "function_call": None,
    "temperature": 1,
    "max_tokens": 5,
    "stop": ["a"],
    "logprobs": True,
    "top_logprobs": 2,
    "reasoning": {"effort": "low"},
    "ollama": {"options": {"top_k": 1, "x": 1}, "keep_alive": "5m", "think": True},
    "options": {"seed": -1},
    "modalities": ["text"],
    "stream_options": {"include_usage": True},
    "service_tier": "auto",
    "n": 2,
}
OPERATIONS: dict[str, dict[str, Any]] = {
    "chat": FULL,
    "completion": {"prompt": ["a", "b"], "echo": True, "max_tokens": 0, "best_of": 1, "suffix": "z", "logprobs": 1},
    "embedding": {"input": ["a", "b"], "encoding_format": "base64", "dimensions": 5, "options": {"x": 1}},
}
names = st.text("abcé \n\x00", max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value below `value` stands."""
    if isinstance(value, dict):
        return [found for key in value for found in ((*path, key), *places(value[key], (*path, key)))]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in ((*path, at), *places(item, (*path, at)))]
    return []


def exists(payload: Any, param: str) -> bool:
    """Whether a path such as `messages[0].content` leads somewhere."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", param):
        if index:
            if not isinstance(payload, list) or int(index) >= len(payload):
                return False
            payload = payload[int(index)]
        elif not isinstance(payload, dict) or name not in payload:
            return False
        else:
            payload = payload[name]
    return True


REQUIRED = ("messages", "input")
TOP = {re.split(r"[.\[]", row.field)[0] for row in READS}
CASES = [(operation, place) for operation, payload in OPERATIONS.items() for place in places(payload)]


def read_with(operation: str, place: tuple[Any, ...], value: Any) -> None:
    """Put `value` at `place` of a request that says all there is to say, and read that."""
    payload = deepcopy(OPERATIONS[operation])
    owner: Any = payload
    for step in place[:-1]:
        owner = owner[step]
    owner[place[-1]] = value
    before = deepcopy(payload)
    losses = Losses()
    refusal: InvalidRequest | None = None
    try:
        OpenAI().read(request_of(payload, operation), losses)
    except InvalidRequest as error:
        refusal = error
    named = losses.dropped if refusal is None else [refusal.param or "nothing"]
    assert all(exists(payload, path) or path in REQUIRED for path in named), named
    assert payload == before, "law 5: a map leaves its input alone"


@pytest.mark.parametrize("value", [None, True, 5, 0.5, "x", [], {}, ["x"], {"x": 1}], ids=repr)
def test_law_6_a_wrong_type_anywhere_is_read_or_refused_by_a_path_that_exists(value: Any) -> None:
    for operation, place in CASES:
        read_with(operation, place, value)


@given(case=st.sampled_from(CASES), value=json_values)
def test_law_6_so_is_any_json_at_all(case: tuple[str, tuple[Any, ...]], value: Any) -> None:
    read_with(*case, value)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_law_5_equal_requests_are_read_equally(operation: str) -> None:
    asked = [OpenAI().read(request_of(deepcopy(OPERATIONS[operation]), operation), Losses()) for _ in range(2)]
    assert asked[0] == asked[1]


def test_laws_9_and_10_each_message_and_each_picture_is_there() -> None:
    asked = OpenAI().read(request_of(FULL), Losses())
    assert isinstance(asked, NeutralRequest)
    assert len(asked.messages) == len(FULL["messages"])
    pictures = [part.data for message in asked.messages for part in message.parts if isinstance(part, Image)]
    assert pictures == [PIXEL, PIXEL]


@given(name=st.text(min_size=1, max_size=8).filter(lambda name: name not in TOP), value=json_values)
def test_law_14_an_unknown_field_changes_only_the_report(name: str, value: Any) -> None:
    plain, more = Losses(), Losses()
    expected = OpenAI().read(request_of(FULL), plain)
    assert OpenAI().read(request_of({**FULL, name: value}), more) == expected
    assert set(more.dropped) - set(plain.dropped) <= {name}
    assert (name in more.dropped) == (value not in (None, []))
