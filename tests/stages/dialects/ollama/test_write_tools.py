"""Tools, and which of them must be called (protocol.md 3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Given, InvalidRequest, Losses, Message, NeutralRequest, Parameter, Text, Tool, ToolChoice
from tests.stages.dialects.ollama.asking import card, emulating, lax, payload

F, G = Tool("f", path="tools[0]"), Tool("g", path="tools[1]")
EMPTY = {"type": "object", "properties": {}}
USER = Message("user", (Text("Hi"),))


def asking(choice: ToolChoice | None = None, *messages: Message, **more: Any) -> NeutralRequest:
    return NeutralRequest("chat", messages=messages or (USER,), tools=(F, G), tool_choice=choice, **more)


def choose(mode: Any, *names: str) -> ToolChoice:
    return ToolChoice(mode, names or None, "tool_choice")


def offered(request: NeutralRequest, losses: Losses | None = None, of: Any = None) -> list[str]:
    return [tool["function"]["name"] for tool in payload(request, losses, of).get("tools", [])]


def test_a_tool() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    tools = (Tool("f", "F", schema), Tool("g"), Tool("h", "", {}))
    found = payload(NeutralRequest("chat", messages=(USER,), tools=tools))["tools"]
    assert found == [
        {"type": "function", "function": {"name": "f", "description": "F", "parameters": schema}},
        {"type": "function", "function": {"name": "g", "parameters": EMPTY}},
        {"type": "function", "function": {"name": "h", "description": "", "parameters": EMPTY}},
    ]


def test_law_12_calling_none_is_offering_none() -> None:
    losses = Losses()
    assert "tools" not in payload(asking(choose("none")), losses)
    assert "tools" not in payload(asking(choose("none", "f")), losses)
    assert losses.header() is None


@pytest.mark.parametrize(
    ("choice", "names"), [(None, "fg"), (choose("auto"), "fg"), (choose("auto", "g"), "g"), (choose("auto", "x"), "")]
)
def test_what_may_be_called_is_what_is_offered(choice: ToolChoice | None, names: str) -> None:
    losses = Losses()
    assert "".join(offered(asking(choice), losses)) == names
    assert losses.header() is None


@pytest.mark.parametrize(("choice", "names"), [(choose("required"), "fg"), (choose("required", "g"), "g")])
def test_that_one_must_be_called_is_refused(choice: ToolChoice, names: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        payload(asking(choice))
    assert (caught.value.status, caught.value.param) == (400, "tool_choice")
    losses = lax()
    found = payload(asking(choice), losses)
    assert losses.dropped == ["tool_choice"]
    assert "".join(tool["function"]["name"] for tool in found["tools"]) == names
    assert found["messages"] == [{"role": "user", "content": "Hi"}], "dropped is not half asked for"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (choose("required"), "You must answer by calling one of the tools `f`, `g`. Do not answer in words."),
        (choose("required", "g"), "You must answer by calling the tool `g`. Do not answer in words."),
    ],
)
def test_or_it_is_asked_for_in_words(choice: ToolChoice, words: str) -> None:
    emulated = emulating("tool_choice")
    user = {"role": "user", "content": "Hi"}
    assert payload(asking(choice), emulated)["messages"] == [{"role": "system", "content": words}, user]
    system = Message("system", (Text("Be"),))
    said = payload(asking(choice, system, USER), emulated)["messages"]
    assert said == [{"role": "system", "content": f"Be\n\n{words}"}, user]
    assert payload(asking(choice, Message("system"), USER), emulated)["messages"][0]["content"] == words
    later = payload(asking(choice, USER, system), emulated)["messages"]
    assert [message["role"] for message in later] == ["system", "user", "system"]
    assert emulated.header() is None


@pytest.mark.parametrize("losses", [Losses(), lax(), emulating("tool_choice")], ids=["strict", "lax", "emulated"])
def test_a_tool_that_is_not_there_cannot_be_demanded(losses: Losses) -> None:
    with pytest.raises(InvalidRequest) as caught:
        payload(asking(choose("required", "x")), losses)
    assert caught.value.param == "tool_choice"


def test_a_model_without_tools_is_not_offered_any() -> None:
    with pytest.raises(InvalidRequest, match="does not support tools") as caught:
        payload(asking(), of=card("completion"))
    assert caught.value.param == "tools[0]"
    losses = lax()
    assert offered(asking(), losses, card("completion")) == []
    assert losses.dropped == ["tools[0]", "tools[1]"]
    assert offered(asking(), of=card("tools")) == ["f", "g"]
    assert payload(asking(choose("none")), of=card("completion"))["messages"]


@pytest.mark.parametrize(
    ("value", "losses", "dropped"),
    [
        (False, Losses(), ["parallel_tool_calls"]),
        (False, emulating("parallel_tool_calls"), []),
        (True, Losses(), []),
    ],
    ids=range(3),
)
def test_one_call_at_a_time(value: bool, losses: Losses, dropped: list[str]) -> None:
    given = {Parameter.PARALLEL_TOOL_CALLS: Given(value, "parallel_tool_calls")}
    assert offered(asking(parameters=given), losses) == ["f", "g"]
    assert losses.dropped == dropped
