"""A real model server's answers, as clients get them in either shape.

`complete`: every answer, chunk and error is strictly what OpenAI's protocol says, although the server bends it in a
dozen places. `forward`: what the server wrote is what the client reads, byte for byte, proven by a tee between the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stages.dialects.openai import schema
from tests.stages.dialects.openai.stream_schema import check_chat_stream, check_text_stream, parse_stream
from tests.wire.documents import document, write
from tests.wire.gateway_process import serving_process
from tests.wire.model_server import NAME, ModelServer
from tests.wire.plain_client import Plain, call
from tests.wire.tee import Tee, tee

pytestmark = pytest.mark.model

ALIAS = "gpt-4o"
GREET = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 6, "temperature": 0}
TOOLS = {
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
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]},
    },
}
CHATS: dict[str, dict[str, Any]] = {
    "plain": GREET,
    "two choices": {**GREET, "n": 2},
    "log-probabilities": {**GREET, "logprobs": True, "top_logprobs": 2},
    "tools": TOOLS,
    "a schema": {**GREET, "response_format": SCHEMA, "max_tokens": 24},
    "a stop word": {**GREET, "stop": ["o", "e", "a"]},
}
TEXTS: dict[str, dict[str, Any]] = {
    "plain": {"prompt": "Once upon a", "max_tokens": 4, "temperature": 0},
    "log-probabilities": {"prompt": "Once upon a", "max_tokens": 4, "temperature": 0, "logprobs": 2},
    "two choices": {"prompt": "Once upon a", "max_tokens": 4, "temperature": 0, "n": 2},
}


@dataclass
class Place:
    """Both gateways before one server; only the forwarding one goes through the tee."""

    complete: str
    forward: str
    tee: Tee

    def forwarded(self, path: str, body: dict[str, Any]) -> tuple[bytes, bytes]:
        """What the server wrote, and what the client read."""
        before = len(self.tee.answers())
        answer = call(self.forward, "POST", path, body)
        (wrote,) = self.tee.answers()[before:]
        return wrote, answer.body


@pytest.fixture(scope="module")
def place(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    names = {NAME: NAME, ALIAS: NAME}
    folders: list[Path] = [tmp_path_factory.mktemp("complete"), tmp_path_factory.mktemp("forward")]
    with (
        tee(model.address) as recorder,
        serving_process(write(folders[0], document(model.address, aliases=names))) as complete,
        # No connection is kept, so that each exchange is one connection of the tee, in order.
        serving_process(
            write(folders[1], document(recorder.url, shape="forward", aliases=names, keepalive_seconds=0))
        ) as forward,
    ):
        yield Place(complete.url, forward.url, recorder)


@pytest.mark.parametrize("model_name", [NAME, ALIAS])
@pytest.mark.parametrize("asked", CHATS.values(), ids=CHATS.keys())
def test_a_whole_chat_is_strictly_of_the_protocol(place: Place, asked: dict[str, Any], model_name: str) -> None:
    answer = call(place.complete, "POST", "/chat/completions", {**asked, "model": model_name})
    assert (answer.status, answer.content_type) == (200, "application/json")
    schema.check_chat_completion(answer.json)
    assert answer.json["model"] == model_name
    assert len(answer.json["choices"]) == asked.get("n", 1)


@pytest.mark.parametrize("usage", [True, False], ids=["usage", "no usage"])
@pytest.mark.parametrize("asked", CHATS.values(), ids=CHATS.keys())
def test_a_chat_stream_is_strictly_of_the_protocol(place: Place, asked: dict[str, Any], usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if usage else {}
    body = {**asked, "model": ALIAS, "stream": True, **options}
    answer = call(place.complete, "POST", "/chat/completions", body)
    stream = _stream(answer)
    check_chat_stream(stream, usage="required" if usage else "absent")
    assert {chunk["model"] for chunk in stream} == {ALIAS}


@pytest.mark.parametrize("asked", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_completion_is_strictly_of_the_protocol(place: Place, asked: dict[str, Any]) -> None:
    answer = call(place.complete, "POST", "/completions", {**asked, "model": ALIAS})
    schema.check_text_completion(answer.json)
    stream = _stream(call(place.complete, "POST", "/completions", {**asked, "model": ALIAS, "stream": True}))
    check_text_stream(stream, usage="absent")
    assert {chunk["model"] for chunk in stream} == {ALIAS}


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_are_strictly_of_the_protocol(place: Place, encoding: str) -> None:
    body = {"model": ALIAS, "input": ["one", "two"], "encoding_format": encoding}
    answer = call(place.complete, "POST", "/embeddings", body)
    schema.check_embeddings(answer.json)
    assert answer.json["model"] == ALIAS


def test_models_are_strictly_of_the_protocol(place: Place) -> None:
    answer = call(place.complete, "GET", "/models")
    schema.check_model_list(answer.json)
    assert {model["id"] for model in answer.json["data"]} == {NAME, ALIAS}
    for model in answer.json["data"]:
        shown = call(place.complete, "GET", f"/models/{model['id']}").json
        schema.check_model(shown)
        assert shown == model


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "a wrong type": ("/chat/completions", {**GREET, "model": NAME, "temperature": "hot"}),
    "a prompt too long": ("/chat/completions", {"model": NAME, "messages": [{"role": "user", "content": "w " * 4000}]}),
    "a picture": (
        "/chat/completions",
        {
            "model": NAME,
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}],
                }
            ],
        },
    ),
    "a schema that is none": (
        "/chat/completions",
        {
            **GREET,
            "model": NAME,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}},
        },
    ),
    "no prompt": ("/completions", {"model": NAME}),
    "an empty input": ("/embeddings", {"model": NAME, "input": []}),
}


@pytest.mark.parametrize("shape", ["complete", "forward"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("path", "body"), BAD.values(), ids=BAD.keys())
def test_an_error_is_strictly_of_the_protocol(
    place: Place, path: str, body: dict[str, Any], stream: bool, shape: str
) -> None:
    """With either shape: errors are the one thing that is never forwarded as it came."""
    url = place.complete if shape == "complete" else place.forward
    asked = {**body, "stream": True} if stream and path != "/embeddings" else body
    answer = call(url, "POST", path, asked)
    assert answer.status in (400, 500)
    schema.check_error(answer.json)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("asked", CHATS.values(), ids=CHATS.keys())
def test_forwarded_by_its_own_name_a_chat_keeps_its_bytes(place: Place, asked: dict[str, Any], stream: bool) -> None:
    wrote, read = place.forwarded("/chat/completions", {**asked, "model": NAME, "stream": stream})
    assert read == wrote
    assert read.endswith(b"data: [DONE]\n\n") is stream


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_forwarded_by_its_own_name_a_text_completion_keeps_its_bytes(place: Place, stream: bool) -> None:
    wrote, read = place.forwarded("/completions", {**TEXTS["plain"], "model": NAME, "stream": stream})
    assert read == wrote


def test_forwarded_by_its_own_name_embeddings_keep_their_bytes(place: Place) -> None:
    wrote, read = place.forwarded("/embeddings", {"model": NAME, "input": "one"})
    assert read == wrote


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_forwarded_by_another_name_only_the_name_differs(place: Place, stream: bool) -> None:
    body = {**GREET, "model": ALIAS, "stream": stream}
    wrote, read = place.forwarded("/chat/completions", body)
    theirs, ours = _events(wrote), _events(read)
    assert {event.pop("model") for event in theirs} == {NAME}
    assert {event.pop("model") for event in ours} == {ALIAS}
    assert ours == theirs
    assert (b"[DONE]" in read) is stream


def test_a_forwarded_request_says_upstream_what_the_client_said(place: Place) -> None:
    """Unknown fields too; but for the model's name."""
    body = {**GREET, "model": ALIAS, "x_unknown": {"deep": [1, None]}, "user": "z\u00fcrich"}
    call(place.forward, "POST", "/chat/completions", body)
    sent = bytes(place.tee.connections[-1].sent)
    assert json.loads(sent.partition(b"\r\n\r\n")[2]) == {**body, "model": NAME}


def _events(body: bytes) -> list[dict[str, Any]]:
    if not body.startswith(b"data: "):
        return [json.loads(body)]
    return [json.loads(frame[6:]) for frame in body.split(b"\n\n")[:-1] if frame != b"data: [DONE]"]


def _stream(answer: Plain) -> list[Any]:
    assert (answer.status, answer.content_type) == (200, "text/event-stream; charset=utf-8")
    parsed = parse_stream(answer.body)
    assert parsed.done
    return parsed.chunks
