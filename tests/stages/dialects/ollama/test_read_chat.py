"""A chat of a client, in the neutral form: the rows of protocol.md 3.3 but for options and images."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline import AnswerFormat, IfLost, Image, Losses, Message, Text, Tool, ToolCall, TranslationRules
from tests.stages.dialects.ollama.asking import PNG, USER, answered, lax, neutral, refused, values


def chat(*messages: dict[str, Any], losses: Losses | None = None) -> tuple[Message, ...]:
    return neutral("chat", {"messages": list(messages)}, losses).messages


def call(name: str, index: int | None = None, **more: Any) -> dict[str, Any]:
    return {**more, "function": {"name": name, **({} if index is None else {"index": index})}}


def test_roles_and_texts() -> None:
    (system, user, assistant, tool) = chat(
        {"role": "SYSTEM", "content": "Be"},
        {"role": "User", "content": ""},
        {"role": "assistant", "content": None, "thinking": "hm"},
        {"role": "tool", "content": "4", "tool_name": "add", "tool_call_id": "c1"},
    )
    assert system == Message("system", (Text("Be", "messages[0].content"),), path="messages[0]")
    assert user == Message("user", path="messages[1]")
    assert assistant == Message("assistant", reasoning="hm", path="messages[2]", reasoning_path="messages[2].thinking")
    said = (Text("4", "messages[3].content"),)
    assert tool == Message("tool", said, call_id="c1", tool_name="add", path="messages[3]")


def test_keys_of_messages_match_whatever_their_case() -> None:
    (message,) = chat({"ROLE": "user", "Content": "Hi", "Images": [PNG]})
    assert message.role == "user"
    assert message.parts == (
        Text("Hi", "messages[0].Content"),
        Image(PNG, "image/png", "messages[0].Images[0]"),
    )


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "developer", "content": ""}, "messages[0].role"),
        ({"role": "", "content": ""}, "messages[0].role"),
        ({"role": 1}, "messages[0].role"),
        ({"content": "Hi"}, "messages[0]"),
        ({"role": None}, "messages[0]"),
        ("Hi", "messages[0]"),
        (None, "messages[0]"),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, "messages[0].content"),
        ({"role": "user", "content": 5}, "messages[0].content"),
        ({"role": "assistant", "thinking": {}}, "messages[0].thinking"),
        ({"role": "user", "images": "x"}, "messages[0].images"),
        ({"role": "user", "images": [None]}, "messages[0].images[0]"),
        ({"role": "user", "images": ["????"]}, "messages[0].images[0]"),
        ({"role": "assistant", "tool_calls": {}}, "messages[0].tool_calls"),
        ({"role": "assistant", "tool_calls": [5]}, "messages[0].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{}]}, "messages[0].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{"function": []}]}, "messages[0].tool_calls[0].function"),
        ({"role": "assistant", "tool_calls": [call("")]}, "messages[0].tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [call("f", id=5)]}, "messages[0].tool_calls[0].id"),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "index": 1.5}}]},
            "messages[0].tool_calls[0].function.index",
        ),
        ({"role": "tool", "tool_name": []}, "messages[0].tool_name"),
        ({"role": "tool", "tool_call_id": 1}, "messages[0].tool_call_id"),
    ],
)
def test_a_malformed_message_is_named(message: Any, param: str) -> None:
    error = refused("chat", {"messages": [message]})
    assert (error.status, error.param) == (400, param)
    assert error.message


def test_content_that_is_no_text_is_refused_in_the_servers_words() -> None:
    error = refused("chat", {"messages": [USER, {"role": "user", "content": []}]})
    said = "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string"
    assert (error.message, error.param) == (said, "messages[1].content")


def test_tool_calls_have_arguments_as_objects() -> None:
    arguments = {"b": 1, "a": {"x": [1.5]}}
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}, call("g")]
    (message,) = chat({"role": "assistant", "tool_calls": calls})
    assert message.calls == (
        ToolCall("f", arguments, "c", "messages[0].tool_calls[0]"),
        ToolCall("g", {}, None, "messages[0].tool_calls[1]"),
    )


@pytest.mark.parametrize(
    ("indices", "order"),
    [([1, 0], "ba"), ([2, 0, 1], "bca"), ([0, 0], "ab"), ([1, 1, 0], "abc"), ([None, None], "ab"), ([1, None], "ba")],
)
def test_calls_stand_by_their_index_if_all_differ(indices: list[int | None], order: str) -> None:
    calls = [call(name, index) for name, index in zip("abc", indices, strict=False)]
    (message,) = chat({"role": "assistant", "tool_calls": calls})
    assert "".join(each.name for each in message.calls) == order


def test_what_only_an_assistant_says_is_reported_of_others() -> None:
    losses = Losses()
    (message,) = chat({"role": "user", "content": "Hi", "thinking": "hm", "tool_calls": [call("f")]}, losses=losses)
    assert (message.calls, message.reasoning) == ((), "")
    assert losses.dropped == ["messages[0].tool_calls", "messages[0].thinking"]


def test_what_only_a_tool_says_is_no_loss_of_others() -> None:
    losses = Losses()
    (message,) = chat({"role": "user", "content": "Hi", "tool_name": "f", "tool_call_id": "c"}, losses=losses)
    assert (message.tool_name, message.call_id, losses.header()) == (None, None, None)


def test_fields_that_the_server_does_not_know_are_lost_by_the_rules() -> None:
    fields = {
        "messages": [{**USER, "name": "Ann", "tool_calls": []}],
        "tool_choice": "required",
        "tools": [{"function": {"name": "f", "strict": True}}],
        "options": {"tpyo": 1},
    }
    losses = Losses()
    neutral("chat", fields, losses)
    assert losses.header() is None, "the server ignores them as well"
    named = ["tool_choice", "options.tpyo", "messages[].name", "tools[].function.strict"]
    strict = Losses(TranslationRules(fields=dict.fromkeys(named, IfLost.WARN)))
    neutral("chat", fields, strict)
    assert strict.dropped == ["tool_choice", "options.tpyo", "messages[0].name", "tools[0].function.strict"]


def test_tools() -> None:
    schema = {"type": "object", "properties": {"x": {"const": 1}}, "additionalProperties": False}
    tools = [
        {"type": "function", "function": {"name": "f", "description": "F", "parameters": schema}},
        {"function": {"name": "g"}},
        {"function": {"name": "h", "parameters": {}, "description": ""}},
    ]
    assert neutral("chat", {"tools": tools}).tools == (
        Tool("f", "F", schema, "tools[0]"),
        Tool("g", None, None, "tools[1]"),
        Tool("h", None, {}, "tools[2]"),
    )
    assert neutral("chat", {"tools": None}).tools == ()


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        (5, "tools[0]"),
        ({}, "tools[0]"),
        ({"type": 1, "function": {"name": "f"}}, "tools[0].type"),
        ({"function": {"name": 1}}, "tools[0].function.name"),
        ({"function": {"name": ""}}, "tools[0]"),
        ({"function": {"name": "f", "description": []}}, "tools[0].function.description"),
        ({"function": {"name": "f", "parameters": []}}, "tools[0].function.parameters"),
    ],
)
def test_a_malformed_tool_is_named(tool: Any, param: str) -> None:
    assert refused("chat", {"tools": [tool]}).param == param


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, None),
        ("", None),
        ("json", AnswerFormat(path="format")),
        ({}, AnswerFormat({}, path="format")),
        ({"type": "object"}, AnswerFormat({"type": "object"}, path="format")),
    ],
)
def test_format(given: Any, meant: AnswerFormat | None) -> None:
    assert neutral("chat", {"format": given}).format == meant
    assert neutral("completion", {"format": given}).format == meant


@pytest.mark.parametrize("given", ["yaml", "JSON", 5, True, [], ["json"]])
def test_any_other_format_is_refused(given: Any) -> None:
    error = refused("chat", {"format": given})
    assert (error.status, error.param) == (400, "format")
    assert error.message.startswith("invalid format: ")


@pytest.mark.parametrize(
    ("given", "meant"),
    [(None, None), (False, "none"), (True, "medium"), *((word, word) for word in ("low", "medium", "high", "max"))],
)
def test_think(given: Any, meant: str | None) -> None:
    assert values(neutral("chat", {"think": given})).get("reasoning") == meant


@pytest.mark.parametrize("given", ["", "LOW", "minimal", 0, 1, [], {}])
def test_any_other_think_is_refused(given: Any) -> None:
    error = refused("chat", {"think": given})
    assert (error.status, error.param) == (400, "think")
    assert 'must be "high", "medium", "low", "max", true, or false' in error.message


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"logprobs": True, "top_logprobs": 20}, {"logprobs": True, "top_logprobs": 20}),
        ({"logprobs": True, "top_logprobs": 0}, {"logprobs": True}),
        ({"logprobs": False, "top_logprobs": 3}, {}),
        ({"top_logprobs": 3}, {}),
        ({"keep_alive": "1h30m"}, {"keep_alive": "1h30m"}),
        ({"keep_alive": 0.5}, {"keep_alive": 0.5}),
        ({"truncate": False, "shift": True}, {"truncate": False, "shift": True}),
        ({"truncate": None, "shift": None, "keep_alive": None, "logprobs": None, "top_logprobs": None}, {}),
        ({"_debug_render_only": False}, {}),
    ],
)
def test_parameters_at_the_top(fields: dict[str, Any], meant: dict[str, Any]) -> None:
    assert values(neutral("chat", fields)) == meant
    assert values(neutral("completion", fields)) == meant


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("top_logprobs", 21, "top_logprobs must be between 0 and 20"),
        ("top_logprobs", -1, "top_logprobs must be between 0 and 20"),
        ("keep_alive", "10", 'time: missing unit in duration "10"'),
        ("keep_alive", "soon", 'time: invalid duration "soon"'),
        ("keep_alive", [], "keep_alive must be a number of seconds or a duration such as 5m"),
        ("keep_alive", True, "keep_alive must be a number of seconds or a duration such as 5m"),
        ("_debug_render_only", True, "`_debug_render_only` is not supported by the model server."),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(field: str, value: Any, said: str) -> None:
    for operation in ("chat", "completion"):
        error = refused(operation, {field: value})
        assert (error.status, error.param, error.message) == (400, field, said)


@pytest.mark.parametrize("messages", [[], None, ...])
@pytest.mark.parametrize(
    ("keep_alive", "reason"),
    [(..., "load"), ("5m", "load"), (-1, "load"), (0, "unload"), ("0", "unload"), ("0s", "unload")],
)
def test_no_messages_load_the_model_or_unload_it(messages: Any, keep_alive: Any, reason: str) -> None:
    assert answered("chat", {"messages": messages, "keep_alive": keep_alive}) == {
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": reason, "logprobs": None}
        ]
    }


def test_a_load_is_checked_like_any_other() -> None:
    assert refused("chat", {"messages": [], "keep_alive": "10"}).param == "keep_alive"
    assert refused("chat", {"messages": [], "options": {"seed": "x"}}).param == "options.seed"


@pytest.mark.parametrize("stream", [True, False, None, ...])
def test_law_11_the_mode_is_the_clients(stream: Any) -> None:
    for operation in ("chat", "completion"):
        assert neutral(operation, {"stream": stream}).stream is (stream is not False)


@pytest.mark.parametrize("operation", ["chat", "completion", "embedding", "embedding.single"])
def test_law_14_an_unknown_key_changes_only_the_report(operation: str) -> None:
    losses = Losses(TranslationRules(fields={"zzz": IfLost.WARN}))
    assert neutral(operation, {"zzz": {"model": "x"}}, losses) == neutral(operation, {})
    assert losses.dropped == ["zzz"]


def test_nothing_known_is_reported_as_unknown() -> None:
    losses = lax()
    neutral("chat", {"stream": True, "tools": [], "format": "", "options": {}, "think": True}, losses)
    assert losses.header() is None


def test_law_5_a_reading_changes_nothing() -> None:
    fields = {"messages": [{**USER, "images": [PNG]}], "options": {"stop": ["a", ""], "num_gpu": 1}}
    before = copy.deepcopy(fields)
    assert neutral("chat", fields) == neutral("chat", fields)
    assert fields == before
