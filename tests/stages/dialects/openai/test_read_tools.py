"""Tools, the choice among them, and the form of the answer (protocol.md 2.2, 3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import AnswerFormat, Losses, Tool, ToolChoice
from tests.stages.dialects.openai.translated import CHAT, chat_with, ignoring, read, refused

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
F: dict[str, Any] = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
G: dict[str, Any] = {"type": "function", "function": {"name": "g"}}


def test_functions_and_their_older_form() -> None:
    expected = [("f", "d", SCHEMA), ("g", None, None)]
    for field, given in (("tools", [F, G]), ("functions", [F["function"], G["function"]])):
        tools = read({**CHAT, field: given}).tools
        assert [(tool.name, tool.description, tool.parameters) for tool in tools] == expected
        assert [tool.path for tool in tools] == [f"{field}[0]", f"{field}[1]"]


@pytest.mark.parametrize(("strict", "dropped"), [(True, ["tools[0].function.strict"]), (False, []), (None, [])])
def test_strict_is_reported_where_it_was_counted_on(strict: bool | None, dropped: list[str]) -> None:
    losses = Losses()
    chat_with(losses, tools=[{"type": "function", "function": {"name": "f", "strict": strict}}])
    assert losses.dropped == dropped


@pytest.mark.parametrize("tool", [{"type": "custom", "custom": {"name": "f"}}, {"type": "web_search"}])
def test_other_tools_are_refused(tool: dict[str, Any]) -> None:
    assert refused({**CHAT, "tools": [F, tool]}) == ("tools[1]", "unsupported_parameter")
    assert chat_with(ignoring(), tools=[F, tool]).tools == (Tool("f", "d", SCHEMA, "tools[0]"),)


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (None, None),
        ("auto", None),
        ("none", ToolChoice("none", None, "tool_choice")),
        ("required", ToolChoice("required", None, "tool_choice")),
        ({"type": "function", "function": {"name": "g"}}, ToolChoice("required", ("g",), "tool_choice")),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [F]}},
            ToolChoice("auto", ("f",), "tool_choice"),
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [F, G]}},
            ToolChoice("required", ("f", "g"), "tool_choice"),
        ),
    ],
)
def test_the_choice(given: Any, choice: ToolChoice | None) -> None:
    assert chat_with(tools=[F, G], tool_choice=given).tool_choice == choice


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        ("auto", None),
        ("none", ToolChoice("none", None, "function_call")),
        ({"name": "g"}, ToolChoice("required", ("g",), "function_call")),
    ],
)
def test_the_choice_in_its_older_form(given: Any, choice: ToolChoice | None) -> None:
    assert chat_with(functions=[F["function"], G["function"]], function_call=given).tool_choice == choice


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"tools": {}}, "tools", "invalid_type"),
        ({"tools": [5]}, "tools[0]", "invalid_type"),
        ({"tools": [{"type": "function"}]}, "tools[0]", "missing_required_parameter"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function", "missing_required_parameter"),
        ({"tools": [{"function": {"name": "f", "parameters": []}}]}, "tools[0].function.parameters", "invalid_type"),
        ({"functions": [None]}, "functions[0]", "invalid_type"),
        ({"tools": [F], "tool_choice": "any"}, "tool_choice", "invalid_value"),
        ({"tools": [F], "tool_choice": 5}, "tool_choice", "invalid_type"),
        ({"tools": [F], "tool_choice": {}}, "tool_choice", "missing_required_parameter"),
        ({"tools": [F], "tool_choice": {"type": "custom"}}, "tool_choice", "unsupported_parameter"),
        (
            {"tools": [F], "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice",
            "invalid_value",
        ),
        ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
        (
            {"tools": [F], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
            *("tool_choice", "invalid_value"),
        ),
        (
            {"tools": [F], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "x"}}},
            *("tool_choice.allowed_tools.mode", "invalid_value"),
        ),
        ({"functions": [F["function"]], "function_call": "x"}, "function_call", "invalid_value"),
        ({"functions": [F["function"]], "function_call": {}}, "function_call", "missing_required_parameter"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], param: str, code: str) -> None:
    assert refused({**CHAT, **fields}) == (param, code)


def test_tools_count_before_functions() -> None:
    losses = Losses()
    asked = chat_with(losses, tools=[F], functions=[G["function"]])
    assert [tool.name for tool in asked.tools] == ["f"]
    assert losses.dropped == ["functions"]


@pytest.mark.parametrize(
    ("given", "format"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, AnswerFormat(None, None, "response_format")),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"}},
            AnswerFormat(SCHEMA, "n", "response_format"),
        ),
    ],
)
def test_the_form_of_the_answer(given: Any, format: AnswerFormat | None) -> None:
    losses = Losses()
    assert chat_with(losses, response_format=given).format == format
    assert losses.header() is None


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ("json", "response_format", "invalid_type"),
        ({}, "response_format", "missing_required_parameter"),
        ({"type": "grammar"}, "response_format.type", "invalid_value"),
        ({"type": "json_schema"}, "response_format", "missing_required_parameter"),
        (
            {"type": "json_schema", "json_schema": {"name": "n"}},
            "response_format.json_schema",
            "missing_required_parameter",
        ),
        ({"type": "json_schema", "json_schema": {"schema": "x"}}, "response_format.json_schema.schema", "invalid_type"),
    ],
)
def test_row_36_a_form_that_cannot_be_kept_is_refused(given: Any, param: str, code: str) -> None:
    assert refused({**CHAT, "response_format": given}) == (param, code)
