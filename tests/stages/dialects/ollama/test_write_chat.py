"""A neutral chat as this dialect writes it: the rows of protocol.md 3.1 but for parameters and tools."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline import (
    AnswerFormat,
    Audio,
    Given,
    Image,
    InvalidRequest,
    Losses,
    Message,
    NeutralRequest,
    Parameter,
    ToolCall,
)
from pipeline import Text as T
from tests.stages.dialects.ollama.asking import JPEG, PNG, WAV, card, emulating, lax, payload, written

HI = Message("user", (T("Hi"),), path="messages[0]")


def chat(*messages: Message, **more: Any) -> NeutralRequest:
    return NeutralRequest("chat", messages=messages or (HI,), **more)


def messages(*given: Message, losses: Losses | None = None, of: Any = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = payload(chat(*given), losses, of)["messages"]
    return found


def with_given(parameter: Parameter, value: Any, **more: Any) -> NeutralRequest:
    return chat(parameters={parameter: Given(value, parameter.key)}, **more)


def test_law_7_nothing_is_said_that_was_not_asked() -> None:
    said = [{"role": "user", "content": "Hi"}]
    (call,) = written(chat())
    assert (call.operation, call.payload) == ("chat", {"model": "theirs", "messages": said, "stream": False})
    assert payload(chat(stream=True))["stream"] is True


def test_messages() -> None:
    given = (
        Message("system", (T("Be"), T("brief"))),
        Message("user"),
        Message("assistant", (T("So"),), reasoning="hm"),
    )
    assert messages(*given) == [
        {"role": "system", "content": "Be\nbrief"},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "So", "thinking": "hm"},
    ]


def test_law_10_images_keep_their_order_and_bytes() -> None:
    given = Message("user", (Image(PNG, "image/png"), T("a"), Image(JPEG), T("b"), Audio(WAV, "wav"), Image(PNG)))
    assert messages(given) == [{"role": "user", "content": "a\nb", "images": [PNG, JPEG, WAV, PNG]}]


@pytest.mark.parametrize(
    ("part", "lacking"), [(Image(PNG, path="messages[0].x"), "vision"), (Audio(WAV, path="messages[0].x"), "audio")]
)
def test_what_a_model_cannot_see_or_hear_is_refused(part: Image | Audio, lacking: str) -> None:
    able = card("completion", lacking)
    unable = card("completion", *({"vision", "audio"} - {lacking}))
    given = Message("user", (T("a"), part))
    assert messages(given, of=able)[0]["images"] == [part.data]
    assert messages(given, of=card())[0]["images"] == [part.data], "nothing is known, so nothing is held back"
    with pytest.raises(InvalidRequest) as caught:
        messages(given, of=unable)
    assert (caught.value.status, caught.value.param) == (400, "messages[0].x")
    losses = lax()
    assert messages(given, losses=losses, of=unable) == [{"role": "user", "content": "a"}]
    assert losses.dropped == ["messages[0].x"]


def test_past_reasoning_needs_a_server_that_thinks() -> None:
    given = Message("assistant", (T("So"),), reasoning="hm", path="messages[0]")
    losses = Losses()
    assert messages(given, losses=losses, of=card(version="0.8.9")) == [{"role": "assistant", "content": "So"}]
    assert losses.dropped == ["messages[0]"]


def test_calls_have_their_arguments_as_objects_and_a_number() -> None:
    calls = (ToolCall("f", {"b": 1, "a": {}}, "c1"), ToolCall("g", {}))
    assert messages(Message("assistant", calls=calls)) == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c1", "function": {"index": 0, "name": "f", "arguments": {"b": 1, "a": {}}}},
                {"function": {"index": 1, "name": "g", "arguments": {}}},
            ],
        }
    ]


def test_a_tools_answer_names_the_call_and_the_tool() -> None:
    """The id of the latest call counts; servers before 0.12.10 know the name alone."""
    found = messages(
        Message("assistant", calls=(ToolCall("old", {}, "c1"), ToolCall("other", {}, "c2"))),
        Message("assistant", calls=(ToolCall("new", {}, "c1"),)),
        Message("tool", (T("1"),), call_id="c1"),
        Message("tool", (T("2"),), call_id="c2", tool_name="said"),
        Message("tool", (T("3"), T("4")), call_id="c9"),
        Message("tool", tool_name="alone"),
    )
    assert found[2:] == [
        {"role": "tool", "content": "1", "tool_call_id": "c1", "tool_name": "new"},
        {"role": "tool", "content": "2", "tool_call_id": "c2", "tool_name": "said"},
        {"role": "tool", "content": "3\n4", "tool_call_id": "c9"},
        {"role": "tool", "content": "", "tool_name": "alone"},
    ]


def test_format() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/x"}}}
    assert payload(chat(format=AnswerFormat()))["format"] == "json"
    assert payload(chat(format=AnswerFormat({})))["format"] == {}
    assert payload(chat(format=AnswerFormat(schema, "n")), of=card(version="0.5.0"))["format"] == schema


def test_a_schema_needs_a_server_that_knows_them() -> None:
    old = card(version="0.4.9")
    assert payload(chat(format=AnswerFormat()), of=old)["format"] == "json"
    with pytest.raises(InvalidRequest) as caught:
        payload(chat(format=AnswerFormat({}, path="response_format")), of=old)
    assert caught.value.param == "response_format"
    losses = lax()
    assert "format" not in payload(chat(format=AnswerFormat({}, path="response_format")), losses, old)
    assert losses.dropped == ["response_format"]


def test_several_choices_are_refused_or_asked_for_one_by_one() -> None:
    assert len(written(with_given(Parameter.CHOICES, 1))) == 1
    with pytest.raises(InvalidRequest) as caught:
        written(with_given(Parameter.CHOICES, 2))
    assert (caught.value.param, caught.value.code) == ("n", "unsupported_value")
    losses = lax()
    assert (len(written(with_given(Parameter.CHOICES, 2), losses)), losses.dropped) == (1, ["n"])

    unseeded = written(with_given(Parameter.CHOICES, 3), emulating("n"))
    assert [call.payload for call in unseeded] == [written(chat())[0].payload] * 3
    parameters = {Parameter.CHOICES: Given(3, "n"), Parameter.SEED: Given(2**31 - 2, "seed")}
    seeded = written(chat(parameters=parameters), emulating("n"))
    assert [call.payload["options"] for call in seeded] == [{"seed": 2**31 - 2}, {"seed": 2**31 - 1}, {"seed": 0}]


def test_law_5_a_writing_changes_nothing() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1, "description": "A"}}}
    asked = chat(HI, Message("assistant", calls=(ToolCall("f", {"a": []}, "c"),)), format=AnswerFormat(schema))
    before = copy.deepcopy(asked)
    assert written(asked) == written(asked)
    assert asked == before
