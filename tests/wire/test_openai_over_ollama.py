"""The official OpenAI client, unmodified, before a genuine Ollama server: what its own `/v1` layer gets wrong, right.

The Ollama bundle serves the OpenAI face below `/v1`, and speaks nothing but Ollama's native API to the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.stages.dialects.openai import schema
from tests.stages.dialects.openai.stream_schema import check_chat_stream, parse_stream
from tests.wire.documents import KEY
from tests.wire.faces import Front, both_faces
from tests.wire.gateway_process import GatewayProcess
from tests.wire.model_server import ModelServer
from tests.wire.ollama_server import OllamaServer
from tests.wire.plain_client import call

pytestmark = [pytest.mark.model, pytest.mark.ollama]

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
QUESTION: Any = {"role": "user", "content": "What is the weather in Paris? Use the tool."}


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, model: ModelServer, ollama: OllamaServer
) -> Iterator[tuple[GatewayProcess, Front]]:
    with both_faces(tmp_path_factory.mktemp("faces"), model, ollama) as (process, fronts):
        yield process, fronts["ollama"]


@pytest.fixture
def front(served: tuple[GatewayProcess, Front]) -> Front:
    return served[1]


@pytest.fixture
def client(front: Front) -> Iterator[OpenAI]:
    with OpenAI(base_url=front.openai, api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


def greet(front: Front, **fields: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": "Say hello."}]
    return {"model": front.model, "messages": said, "max_completion_tokens": 8, "temperature": 0, **fields}


def test_models_are_listed_and_shown(client: OpenAI, front: Front) -> None:
    ids = [model.id for model in client.models.list()]
    assert len(ids) == len(set(ids)) == 2
    assert all(client.models.retrieve(id).id == id for id in ids)
    assert client.models.retrieve(front.model).id.startswith(front.model)


def test_a_stream_says_what_the_whole_answer_says(client: OpenAI, front: Front) -> None:
    whole = client.chat.completions.create(**greet(front))
    *chunks, last = client.chat.completions.create(**greet(front), stream=True, stream_options={"include_usage": True})
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content != ""
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason == "length", "row 1: the limit counts"
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 8
    assert last.usage is not None
    assert last.usage.completion_tokens == 8
    assert {chunk.model for chunk in chunks} == {front.model}


@pytest.mark.parametrize("usage", [False, True], ids=["plain", "usage"])
def test_every_byte_of_a_stream_is_of_the_protocol(front: Front, usage: bool) -> None:
    asked = greet(front, stream=True, **({"stream_options": {"include_usage": True}} if usage else {}))
    answer = call(front.openai, "POST", "/chat/completions", asked, key=KEY)
    assert answer.content_type.startswith("text/event-stream")
    check_chat_stream(parse_stream(answer.body).chunks, usage="required" if usage else "absent")


def test_a_whole_answer_is_of_the_protocol(front: Front) -> None:
    answer = call(front.openai, "POST", "/chat/completions", greet(front), key=KEY)
    schema.check_chat_completion(answer.json)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_is_called_and_its_answer_understood(client: OpenAI, front: Front, stream: bool) -> None:
    asked: dict[str, Any] = {"model": front.tool_model, "messages": [QUESTION], "tools": [TOOL]}
    if stream:
        with client.chat.completions.stream(**asked) as events:
            for _ in events:
                pass
            choice = events.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(**asked).choices[0]
    assert choice.finish_reason == "tool_calls"
    (made,) = choice.message.tool_calls or ()
    assert made.type == "function"
    assert made.id
    assert (made.function.name, json.loads(made.function.arguments)) == ("get_weather", {"city": "Paris"})
    history = [QUESTION, choice.message.model_dump(exclude_none=True, exclude={"parsed", "tool_calls"})]
    history[1]["tool_calls"] = [
        {"id": made.id, "type": "function", "function": {"name": "get_weather", "arguments": made.function.arguments}}
    ]
    history.append({"role": "tool", "tool_call_id": made.id, "content": [{"type": "text", "text": "Sunny."}]})
    assert client.chat.completions.create(model=front.tool_model, messages=history, max_completion_tokens=8).choices[
        0
    ].finish_reason in ("stop", "length")


def test_without_tools_when_the_caller_says_none(client: OpenAI, front: Front) -> None:
    answer = client.chat.completions.create(
        model=front.tool_model, messages=[QUESTION], tools=[TOOL], tool_choice="none", max_completion_tokens=16
    )
    assert answer.choices[0].message.tool_calls is None, "row 2"


def test_json_of_a_schema(client: OpenAI, front: Front) -> None:
    wanted = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
    answer = client.chat.completions.create(
        **{**greet(front), "max_completion_tokens": 40},
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted}},
    )
    assert isinstance(json.loads(answer.choices[0].message.content or "")["yes"], bool)


def test_several_prompts_are_several_answers(client: OpenAI, front: Front) -> None:
    answer = client.completions.create(model=front.model, prompt=["Once upon a", "The sky is"], max_tokens=3)
    assert [choice.index for choice in answer.choices] == [0, 1], "row 21"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 6
    chunks = list(
        client.completions.create(model=front.model, prompt=["Once upon a", "The sky is"], max_tokens=3, stream=True)
    )
    said = {index: "".join(c.text for k in chunks for c in k.choices if c.index == index) for index in (0, 1)}
    assert said == {choice.index: choice.text for choice in answer.choices}


def test_vectors_are_the_same_in_both_encodings(client: OpenAI, front: Front) -> None:
    as_base64 = client.embeddings.create(model=front.model, input=["one", "two"])
    as_floats = client.embeddings.create(model=front.model, input=["one", "two"], encoding_format="float")
    assert [item.index for item in as_base64.data] == [0, 1]
    for one, other in zip(as_base64.data, as_floats.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-3)


def test_what_cannot_be_passed_on_is_refused_by_name(client: OpenAI, front: Front) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**greet(front), logit_bias={"5": 3})
    assert (caught.value.param, caught.value.code) == ("logit_bias", "unsupported_parameter")


def test_what_is_dropped_is_told(served: tuple[GatewayProcess, Front], client: OpenAI) -> None:
    process, front = served
    answer = client.chat.completions.with_raw_response.create(**greet(front), verbosity="low", seed=-5)
    assert answer.headers["x-gateway-dropped"] == "verbosity, seed;changed"
    line = process.line(answer.headers["x-request-id"])
    assert (line["dropped"], line["changed"]) == ("verbosity", "seed")


def test_an_unknown_model_is_a_404(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nope", messages=[{"role": "user", "content": "x"}])
    assert caught.value.code == "model_not_found"


def test_the_model_servers_own_options_get_through(client: OpenAI, front: Front) -> None:
    answer = client.chat.completions.create(**greet(front), extra_body={"top_k": 1, "options": {"num_ctx": 512}})
    assert answer.choices[0].message.content, "row 32"
