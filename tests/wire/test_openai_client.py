"""The official OpenAI client, unmodified, against `gatewright serve configs/quickstart.yaml` before a real model.

What a user does on the first day: list, chat, stream, call tools, ask for JSON, embed, misspell a name, press stop.
"""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.wire.documents import KEY
from tests.wire.gateway_process import GatewayProcess, serving_process
from tests.wire.model_server import NAME, ModelServer

pytestmark = pytest.mark.model

GREET: Any = {"model": NAME, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8, "temperature": 0}
WEATHER: Any = {
    "model": NAME,
    "messages": [{"role": "user", "content": "Please use get_weather for Paris."}],
    "temperature": 0,
    "max_tokens": 64,
    "tool_choice": "required",
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ],
}
LONG: Any = {**GREET, "max_tokens": 1500, "stream": True, "extra_body": {"ignore_eos": True}}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the loop is the client's own business; a second one would only make the model work twice


@pytest.fixture(scope="module")
def gateway(model: ModelServer) -> Iterator[GatewayProcess]:
    environment = {"MODEL_URL": model.url, "GATEWRIGHT_DEMO_KEY": KEY}
    with serving_process("configs/quickstart.yaml", **environment) as process:
        yield process


@pytest.fixture
def client(gateway: GatewayProcess) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


def test_models_are_listed_and_shown(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [NAME]
    assert client.models.retrieve(NAME).id == NAME


def test_a_chat_is_answered(client: OpenAI) -> None:
    answer = client.chat.completions.create(**GREET)
    (choice,) = answer.choices
    assert choice.message.content
    assert choice.message.role == "assistant"
    assert choice.finish_reason in ("stop", "length")
    assert answer.model == NAME
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer._request_id


def test_a_stream_says_what_the_whole_answer_says(client: OpenAI) -> None:
    whole = client.chat.completions.create(**GREET)
    chunks = list(client.chat.completions.create(**GREET, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == whole.choices[0].finish_reason
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_comes_last_and_only_when_it_is_asked_for(client: OpenAI) -> None:
    *chunks, last = client.chat.completions.create(**GREET, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens > 0
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_the_clients_own_accumulator_folds_the_stream(client: OpenAI) -> None:
    with client.chat.completions.stream(**GREET) as stream:
        for _ in stream:
            pass
        folded = stream.current_completion_snapshot
    whole = client.chat.completions.create(**GREET)
    assert folded.choices[0].message.content == whole.choices[0].message.content
    assert folded.choices[0].finish_reason == whole.choices[0].finish_reason


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_several_choices_are_kept_apart(client: OpenAI, stream: bool) -> None:
    said = {0: "", 1: ""}
    if stream:
        for chunk in client.chat.completions.create(**GREET, n=2, stream=True):
            for piece in chunk.choices:
                said[piece.index] += piece.delta.content or ""
    else:
        for choice in client.chat.completions.create(**GREET, n=2).choices:
            said[choice.index] += choice.message.content or ""
    assert said[0] == said[1] != ""  # the same twice, at temperature 0


def test_a_tool_is_called_and_its_answer_understood(client: OpenAI) -> None:
    message = client.chat.completions.create(**WEATHER).choices[0].message
    assert message.tool_calls is not None
    (call,) = message.tool_calls
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert "Paris" in call.function.arguments
    answered = [
        *WEATHER["messages"],
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny"},
    ]
    turn = client.chat.completions.create(**{**WEATHER, "messages": answered, "tool_choice": "none", "max_tokens": 16})
    assert turn.choices[0].message.content
    assert turn.choices[0].finish_reason in ("stop", "length")


def test_a_streamed_tool_call_is_put_together_by_the_client(client: OpenAI) -> None:
    with client.chat.completions.stream(**WEATHER) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert "Paris" in call.function.arguments


class City(BaseModel):
    name: str
    inhabitants: int


def test_structured_output_is_parsed(client: OpenAI) -> None:
    asked: Any = {**GREET, "messages": [{"role": "user", "content": "Describe Paris."}], "max_tokens": 64}
    message = client.chat.completions.parse(**asked, response_format=City).choices[0].message
    assert isinstance(message.parsed, City)


def test_log_probabilities_are_whole(client: OpenAI) -> None:
    logprobs = client.chat.completions.create(**GREET, logprobs=True, top_logprobs=2).choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content
    assert all(len(token.top_logprobs) == 2 and token.bytes for token in logprobs.content)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_text_is_completed(client: OpenAI, stream: bool) -> None:
    asked: Any = {"model": NAME, "prompt": "Once upon a", "max_tokens": 6, "temperature": 0}
    if stream:
        chunks = list(client.completions.create(**asked, stream=True))
        assert "".join(chunk.choices[0].text for chunk in chunks)
        assert chunks[-1].choices[0].finish_reason == "length"
    else:
        answer = client.completions.create(**asked)
        assert answer.choices[0].text
        assert answer.id.startswith("cmpl-") or answer.id


def test_embeddings_are_the_same_in_both_encodings(client: OpenAI) -> None:
    """The client asks for base64 when nobody says otherwise, and decodes it by itself."""
    texts = ["the sky", "a stone"]
    default = client.embeddings.create(model=NAME, input=texts)
    floats = client.embeddings.create(model=NAME, input=texts, encoding_format="float")
    assert [item.index for item in floats.data] == [0, 1]
    for one, other in zip(default.data, floats.data, strict=True):
        assert len(one.embedding) == 576
        assert one.embedding == pytest.approx(other.embedding, abs=1e-4)
    raw = client.embeddings.with_raw_response.create(model=NAME, input=texts, encoding_format="base64")
    encoded: Any = raw.http_response.json()["data"][0]["embedding"]
    assert struct.unpack("<576f", base64.b64decode(encoded)) == pytest.approx(default.data[0].embedding, abs=1e-4)


def test_closing_a_stream_frees_the_models_slot(client: OpenAI, model: ModelServer, gateway: GatewayProcess) -> None:
    """Generating on would take half a minute: the slot can only be free because the upstream was told."""
    id = "closed-by-the-client"
    with client.chat.completions.create(**LONG, extra_headers={"x-request-id": id}) as stream:
        next(iter(stream))
        assert model.wait_for(1, seconds=10)
    assert model.wait_for(0, seconds=10)
    assert gateway.line(id)["outcome"] == "aborted"


async def test_the_asynchronous_client_streams(gateway: GatewayProcess) -> None:
    async with AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
        whole = await client.chat.completions.create(**GREET)
        said = ""
        async for chunk in await client.chat.completions.create(**GREET, stream=True):
            said += chunk.choices[0].delta.content or ""
        assert said == whole.choices[0].message.content
        assert [model.id async for model in client.models.list()] == [NAME]


async def test_cancelling_a_task_frees_the_models_slot(gateway: GatewayProcess, model: ModelServer) -> None:
    """Streams only: this server generates a whole answer to its end even when its own caller hangs up."""
    async with AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
        task = asyncio.create_task(_read(client, LONG))
        assert await asyncio.to_thread(model.wait_for, 1, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(model.wait_for, 0, 10)


async def _read(client: AsyncOpenAI, asked: Any) -> None:
    answer = await client.chat.completions.create(**asked)
    async for _ in answer:
        pass


async def test_many_at_once_all_get_their_own_answer(gateway: GatewayProcess) -> None:
    """More than the model has slots. Its server closes connections after streams without saying so; nobody notices."""
    async with AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client:

        async def ask(number: int) -> str:
            said = ""
            async for chunk in await client.chat.completions.create(**{**GREET, "max_tokens": 3}, stream=True):
                said += chunk.choices[0].delta.content or ""
            return said

        answers = await asyncio.gather(*(ask(number) for number in range(12)))
    assert len(set(answers)) == 1
    assert answers[0]
