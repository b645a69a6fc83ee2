"""The terminal that says back what it was told: the same every time, and in OpenAI's form once normalised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import ModelNotFound, NotFound, Payload, Request, compose
from stages.dialects.openai.dialect import OpenAI
from stages.echo import Echo
from stages.normalise import Normalise
from tests.stages.dialects.openai import schema
from tests.stages.dialects.openai.stream_schema import check_chat_stream, check_text_stream, parse_stream
from tests.stages.fakes import fake_host, never_next


async def echoed(operation: str, *, stream: bool = False, model: str = "echo", **fields: Any) -> bytes:
    """The answer of a gateway made of `echo` and `normalise`."""
    body = json.dumps({"model": model, "stream": stream, **fields}).encode()
    payload = Payload.parse(body)
    request = Request(operation, model=model, payload=payload, dialect="openai", stream=stream, id="req-1")
    host = fake_host()
    handler = compose([Echo(Echo.Settings(models=["echo", "other"]), host), Normalise(Normalise.Settings(), host)])
    response = await handler(request)
    response.body.bind(OpenAI().encoder(request))
    return b"".join([piece async for piece in response.body.pieces()])


def said(text: Any) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "no"}, {"role": "user", "content": text}]


@given(text=st.text(max_size=30))
async def test_law_23_what_was_said_comes_back_whole_and_streamed_and_the_same_again(text: str) -> None:
    whole = await echoed("chat", messages=said(text))
    value = json.loads(whole)
    schema.check_chat_completion(value)
    assert value["choices"][0]["message"]["content"] == text
    streamed = await echoed("chat", stream=True, messages=said(text), stream_options={"include_usage": True})
    chunks = parse_stream(streamed).chunks
    check_chat_stream(chunks, usage="required")
    assert "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]) == text
    assert chunks[-1]["usage"] == value["usage"]
    assert await echoed("chat", messages=said(text)) == whole


@given(text=st.text(max_size=30))
async def test_text_completions_come_back_too(text: str) -> None:
    value = json.loads(await echoed("completion", prompt=text))
    schema.check_text_completion(value)
    assert value["choices"][0]["text"] == text
    check_text_stream(parse_stream(await echoed("completion", stream=True, prompt=text)).chunks, usage="absent")


async def test_the_text_parts_of_a_message_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "b"}]
    value = json.loads(await echoed("chat", messages=said(parts)))
    assert value["choices"][0]["message"]["content"] == "a\nb"


TOOLS = [{"type": "function", "function": {"name": "look"}}, {"type": "function", "function": {"name": "find"}}]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look"}}])
async def test_a_tool_choice_calls_the_first_tool(choice: Any) -> None:
    value = json.loads(await echoed("chat", messages=said("Hi"), tools=TOOLS, tool_choice=choice))
    schema.check_chat_completion(value)
    (call,) = value["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "look", "arguments": "{}"}
    assert value["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("choice", [None, "none", "auto"])
async def test_without_a_tool_choice_no_tool_is_called(choice: Any) -> None:
    value = json.loads(await echoed("chat", messages=said("Hi"), tools=TOOLS, tool_choice=choice))
    assert value["choices"][0]["message"]["content"] == "Hi"


@pytest.mark.parametrize(
    "tools", [5, "look", {"a": 1}, ["look"], [None], [{"function": None}], [{"function": {"name": 5}}]]
)
async def test_malformed_tools_are_no_crash(tools: Any) -> None:
    schema.check_chat_completion(
        json.loads(await echoed("chat", messages=said("Hi"), tools=tools, tool_choice="required"))
    )


@pytest.mark.parametrize(
    ("given_input", "vectors"), [("a", 1), (["a", "b", "a"], 3), ([5, 6, 7], 1), ([[5, 6], [7]], 2)]
)
async def test_law_41_each_input_has_its_vector(given_input: Any, vectors: int) -> None:
    value = json.loads(await echoed("embedding", input=given_input))
    schema.check_embeddings(value)
    assert len(value["data"]) == vectors


async def test_the_same_text_has_the_same_vector_and_another_text_another() -> None:
    data = json.loads(await echoed("embedding", input=["a", "b", "a"]))["data"]
    assert data[0]["embedding"] == data[2]["embedding"] != data[1]["embedding"]


async def test_the_models_are_listed_and_shown() -> None:
    value = json.loads(await echoed("models.list", model=""))
    schema.check_model_list(value)
    assert [model["id"] for model in value["data"]] == ["echo", "other"]
    schema.check_model(json.loads(await echoed("models.show", model="other")))


@pytest.mark.parametrize("operation", ["chat", "completion", "embedding", "models.show"])
async def test_another_model_is_404(operation: str) -> None:
    with pytest.raises(ModelNotFound):
        await echoed(operation, model="nobody", messages=said("Hi"), input="a")


async def neutral(operation: str, **fields: Any) -> list[dict[str, Any]]:
    """The events of `echo` alone."""
    echo = Echo(Echo.Settings(), fake_host())
    response = await echo(Request(operation, model="echo", payload=fields), never_next)
    return [event.data async for event in response.body]


@pytest.mark.parametrize(
    ("operation", "answer"), [("alive", {}), ("version", {"version": "0.0.0"}), ("models.running", {"models": []})]
)
async def test_it_says_of_itself_that_there_is_nothing_to_say(operation: str, answer: dict[str, Any]) -> None:
    assert await neutral(operation) == [answer, {}]


async def test_a_single_embedding_is_that_of_its_prompt() -> None:
    assert await neutral("embedding.single", prompt="hi") == await neutral("embedding", input="hi")


@pytest.mark.parametrize("messages", [{}, {"messages": None}, {"messages": []}])
async def test_a_chat_without_messages_says_nothing(messages: dict[str, Any]) -> None:
    assert [event["choices"][0]["delta"] for event in (await neutral("chat", **messages))[:2]] == [{"content": ""}, {}]


async def test_there_is_nothing_to_manage() -> None:
    with pytest.raises(NotFound, match="nothing to pull"):
        await neutral("manage.pull", model="other")
