"""The official Ollama client, unmodified, against both kinds of model server.

What a user does on the first day: list, show, chat, stream, call a tool and tell its result, ask for JSON, embed,
misspell a name, press stop. Where a server really is an Ollama, what the gateway says is what the server says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ollama import AsyncClient, Client, ResponseError

from tests.wire.documents import KEY
from tests.wire.faces import Front, both_faces
from tests.wire.model_server import ModelServer
from tests.wire.ollama_server import OllamaServer

pytestmark = [pytest.mark.model, pytest.mark.ollama]

SHORT = {"num_predict": 8, "temperature": 0}
GREET = [{"role": "user", "content": "Say hello."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SCHEMA = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the loop is the client's own business; a second one would only make the models work twice


@pytest.fixture(scope="module")
def fronts(
    tmp_path_factory: pytest.TempPathFactory, model: ModelServer, ollama: OllamaServer
) -> Iterator[dict[str, Front]]:
    with both_faces(tmp_path_factory.mktemp("faces"), model, ollama) as (_, fronts):
        yield fronts


@pytest.fixture(params=["llama", "ollama"])
def front(request: pytest.FixtureRequest, fronts: dict[str, Front]) -> Front:
    return fronts[request.param]


@pytest.fixture
def client(front: Front) -> Iterator[Client]:
    with Client(host=front.ollama, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False, timeout=60) as client:
        yield client


def test_models_are_listed_and_shown(client: Client, front: Front) -> None:
    names = [model.model or "" for model in client.list().models]
    assert any(name.removesuffix(":latest") == front.model for name in names)
    shown = client.show(front.model)
    assert "completion" in (shown.capabilities or ["completion"])


def test_running_models_are_told(client: Client, front: Front) -> None:
    assert {(model.model or "").removesuffix(":latest") for model in client.ps().models} <= {
        front.model,
        front.tool_model,
    }


def test_a_stream_says_what_the_whole_answer_says(client: Client, front: Front) -> None:
    whole = client.chat(front.model, GREET, options=SHORT)
    *parts, last = client.chat(front.model, GREET, options=SHORT, stream=True)
    assert "".join(part.message.content or "" for part in [*parts, last]) == whole.message.content != ""
    assert all(part.model == front.model for part in [*parts, last])
    assert [part.done for part in parts] == [False] * len(parts)
    assert last.done
    assert last.done_reason == whole.done_reason
    assert last.eval_count == whole.eval_count
    assert (last.eval_duration or 0) >= 1
    assert (last.total_duration or 0) >= (last.eval_duration or 0)


def test_a_text_is_generated(client: Client, front: Front) -> None:
    whole = client.generate(front.model, "Once upon a", options=SHORT)
    parts = list(client.generate(front.model, "Once upon a", options=SHORT, stream=True))
    assert "".join(part.response or "" for part in parts) == whole.response != ""
    assert parts[-1].done_reason in ("stop", "length")


def test_raw_text_is_continued(client: Client, front: Front) -> None:
    assert client.generate(front.model, "Once upon a", raw=True, options=SHORT).response


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_is_called_and_its_answer_understood(client: Client, front: Front, stream: bool) -> None:
    question = {"role": "user", "content": front.question}
    asked: dict[str, Any] = {"tools": [WEATHER], "options": {"temperature": 0, "num_predict": 64}}
    if stream:
        parts = list(client.chat(front.tool_model, [question], stream=True, **asked))
        calls = [call for part in parts for call in part.message.tool_calls or ()]
    else:
        calls = list(client.chat(front.tool_model, [question], **asked).message.tool_calls or ())
    assert [call.function.name for call in calls] == ["get_weather"]
    assert isinstance(calls[0].function.arguments["city"], str)
    # The client's own types keep no id of a call: the gateway has to find out by itself what is answered.
    said = {"role": "assistant", "content": "", "tool_calls": [call.model_dump() for call in calls]}
    result = {"role": "tool", "tool_name": "get_weather", "content": "Sunny, 20 degrees."}
    after = client.chat(front.tool_model, [question, said, result], options=SHORT)
    assert after.done


def test_json_of_a_schema(client: Client, front: Front) -> None:
    answer = client.chat(front.model, GREET, format=SCHEMA, options={"temperature": 0, "num_predict": 40})
    assert isinstance(json.loads(answer.message.content or "")["yes"], bool)


def test_texts_become_unit_vectors(client: Client, front: Front) -> None:
    vectors = client.embed(front.model, ["one", "two"]).embeddings
    assert len(vectors) == 2
    assert [sum(x * x for x in vector) for vector in vectors] == pytest.approx([1, 1], abs=1e-3)
    assert client.embed(front.model, "one").embeddings[0] == pytest.approx(vectors[0], abs=1e-2)


def test_the_older_embedding_call(client: Client, front: Front) -> None:
    assert len(client.embeddings(front.model, "one").embedding) == 576


def test_an_unknown_model_is_a_404_that_clients_pull_on(client: Client) -> None:
    with pytest.raises(ResponseError) as caught:
        client.chat("no-such-model", GREET)
    assert caught.value.status_code == 404
    assert "no-such-model" in caught.value.error
    assert "not found" in caught.value.error


def test_a_wrong_key_is_a_401(front: Front) -> None:
    stranger = {"Authorization": "Bearer nobody"}
    with (
        Client(host=front.ollama, headers=stranger, trust_env=False) as client,
        pytest.raises(ResponseError) as caught,
    ):
        client.list()
    assert (caught.value.status_code, caught.value.error) == (401, "unauthorized")


def test_a_wrong_option_is_a_400(client: Client, front: Front) -> None:
    with pytest.raises(ResponseError) as caught:
        client.chat(front.model, GREET, options={"temperature": "warm"})
    # A real Ollama says 500 to this, as if it were to blame.
    assert caught.value.status_code == 400
    assert "temperature" in caught.value.error


def test_loading_and_unloading(client: Client, front: Front) -> None:
    assert client.generate(front.model).done_reason == "load"
    assert client.chat(front.model, []).done_reason == "load"
    assert client.generate(front.model, keep_alive=0).done_reason == "unload"


def test_management_needs_its_scope(client: Client) -> None:
    with pytest.raises(ResponseError) as caught:
        client.delete("anything")
    assert caught.value.status_code == 403


async def test_stopping_in_the_middle_frees_the_model_server(fronts: dict[str, Front], model: ModelServer) -> None:
    async with AsyncClient(
        host=fronts["llama"].ollama, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False
    ) as client:
        parts = await client.chat(
            fronts["llama"].model, GREET, stream=True, options={"num_predict": 1500, "temperature": 0, "stop": ["\x00"]}
        )
        seen = 0
        async for _ in parts:
            seen += 1
            if seen == 2:
                break
        await parts.aclose()
    freed = await asyncio.to_thread(model.wait_for, 0, 10.0)
    assert freed
