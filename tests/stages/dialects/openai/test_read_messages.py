"""Messages of a client as neutral turns (protocol.md 2.3, 3.1; law 9)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Losses, Message, Text, ToolCall
from tests.stages.dialects.openai.translated import read, refused


def turns(*messages: dict[str, Any], losses: Losses | None = None) -> tuple[Message, ...]:
    read_turns = read({"messages": list(messages)}, losses=losses).messages
    assert len(read_turns) == len(messages)
    assert [turn.path for turn in read_turns] == [f"messages[{at}]" for at in range(len(messages))]
    return read_turns


def call(id: str | None, name: str, arguments: str | None = "{}") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("role", "neutral"),
    [
        *(("system", "system"), ("developer", "system"), ("user", "user"), ("User", "user")),
        *(("assistant", "assistant"), ("tool", "tool"), ("function", "tool")),
    ],
)
def test_roles(role: str, neutral: str) -> None:
    [turn] = turns({"role": role, "content": "x"})
    assert (turn.role, turn.text) == (neutral, "x")


@pytest.mark.parametrize("fields", [{}, {"content": None}, {"content": ""}])
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_nothing_said_is_no_parts(role: str, fields: dict[str, Any]) -> None:
    assert turns({"role": role, **fields})[0].parts == ()


def test_text_parts_keep_their_places() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": ""}, {"type": "refusal", "refusal": "no"}]
    [turn] = turns({"role": "user", "content": content})
    assert turn.text == "a\n\nno"
    assert [part.path for part in turn.parts] == [
        *("messages[0].content[0].text", "messages[0].content[1].text", "messages[0].content[2].refusal"),
    ]


def test_a_refusal_is_what_the_assistant_said() -> None:
    [turn] = turns({"role": "assistant", "content": None, "refusal": "I must not."})
    assert turn.parts == (Text("I must not.", "messages[0].refusal"),)


@pytest.mark.parametrize(
    ("fields", "reasoning", "where", "dropped"),
    [
        ({"reasoning": "a"}, "a", "reasoning", []),
        ({"reasoning_content": "b"}, "b", "reasoning_content", []),
        ({"reasoning": "a", "reasoning_content": "a"}, "a", "reasoning", []),
        ({"reasoning": "a", "reasoning_content": "b"}, "a", "reasoning", ["messages[0].reasoning_content"]),
        ({"reasoning": "", "reasoning_content": "b"}, "b", "reasoning_content", []),
    ],
)
def test_past_reasoning_goes_by_two_names(
    fields: dict[str, str], reasoning: str, where: str, dropped: list[str]
) -> None:
    losses = Losses()
    [turn] = turns({"role": "assistant", "content": "x", **fields}, losses=losses)
    assert (turn.reasoning, turn.reasoning_path) == (reasoning, f"messages[0].{where}")
    assert losses.dropped == dropped


def test_calls_become_objects_in_order() -> None:
    [turn] = turns({"role": "assistant", "tool_calls": [call("a", "f", '{"b": 1, "a": "é"}'), call(None, "g", "")]})
    assert turn.calls == (
        ToolCall("f", {"b": 1, "a": "é"}, "a", "messages[0].tool_calls[0]"),
        ToolCall("g", {}, None, "messages[0].tool_calls[1]"),
    )
    assert list(turn.calls[0].arguments) == ["b", "a"]


@pytest.mark.parametrize("arguments", ["{", "[]", "1", "null", '"x"', "{} {}"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    payload = {"messages": [{"role": "assistant", "tool_calls": [call("a", "f"), call("b", "f", arguments)]}]}
    assert refused(payload) == ("messages[0].tool_calls[1].function.arguments", "invalid_value")


def test_calls_of_custom_tools_are_refused() -> None:
    custom = {"id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}
    payload = {"messages": [{"role": "assistant", "tool_calls": [custom]}]}
    assert refused(payload) == ("messages[0].tool_calls[0]", "unsupported_parameter")


@pytest.mark.parametrize("content", ["12", [{"type": "text", "text": "12"}]])
def test_an_answer_knows_its_call_by_id_and_name(content: Any) -> None:
    answered = turns(
        {"role": "assistant", "tool_calls": [call("a", "old"), call("b", "g")]},
        {"role": "assistant", "tool_calls": [call("a", "f")]},
        {"role": "tool", "tool_call_id": "a", "content": content},
        {"role": "tool", "tool_call_id": "b", "name": "other", "content": content},
        {"role": "tool", "tool_call_id": "c", "name": "named", "content": content},
        {"role": "tool", "tool_call_id": "d", "content": content},
    )[2:]
    assert [(turn.call_id, turn.tool_name, turn.text) for turn in answered] == [
        *(("a", "f", "12"), ("b", "g", "12"), ("c", "named", "12"), ("d", None, "12")),
    ]


def test_the_legacy_form_of_calls() -> None:
    asked, answered = turns(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}},
        {"role": "function", "name": "f", "content": "12"},
    )
    assert asked.calls == (ToolCall("f", {"a": 1}, None, "messages[0].function_call"),)
    assert (answered.role, answered.call_id, answered.tool_name) == ("tool", None, "f")


def test_what_is_lost_of_messages() -> None:
    losses = Losses()
    message = {"role": "user", "content": "x", "name": "Ada", "cache_control": {}, "annotations": [{}], "mood": 1}
    turns({**message, "audio": None, "refusal": None}, losses=losses)
    assert losses.dropped == ["messages[0].mood"]
    assert refused({"messages": [{"role": "assistant", "audio": {"id": "x"}}]}) == (
        "messages[0].audio",
        "unsupported_parameter",
    )


@pytest.mark.parametrize(
    ("messages", "param", "code"),
    [
        (None, "messages", "missing_required_parameter"),
        ({}, "messages", "invalid_type"),
        ([], "messages", "invalid_value"),
        (["x"], "messages[0]", "invalid_type"),
        ([None], "messages[0]", "invalid_type"),
        ([{"content": "x"}], "messages[0]", "missing_required_parameter"),
        ([{"role": "robot"}], "messages[0].role", "invalid_value"),
        ([{"role": 5}], "messages[0].role", "invalid_type"),
        ([{"role": "user", "content": 5}], "messages[0].content", "invalid_type"),
        ([{"role": "assistant", "tool_calls": {}}], "messages[0].tool_calls", "invalid_type"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "messages[0].tool_calls[0]", "invalid_type"),
        ([{"role": "assistant", "tool_calls": [{}]}], "messages[0].tool_calls[0]", "missing_required_parameter"),
        (
            [{"role": "assistant", "tool_calls": [{"id": 5, "function": {"name": "f"}}]}],
            *("messages[0].tool_calls[0].id", "invalid_type"),
        ),
        (
            [{"role": "assistant", "tool_calls": [{"function": {"name": ""}}]}],
            *("messages[0].tool_calls[0].function.name", "invalid_value"),
        ),
        ([{"role": "tool", "tool_call_id": 5}], "messages[0].tool_call_id", "invalid_type"),
        ([{"role": "assistant", "reasoning": []}], "messages[0].reasoning", "invalid_type"),
        ([{"role": "assistant", "refusal": []}], "messages[0].refusal", "invalid_type"),
    ],
)
def test_what_no_message_is(messages: Any, param: str, code: str) -> None:
    assert refused({"messages": messages}) == (param, code)
