"""Each failure reaches the official client as the exception of its kind, with the request id to ask about."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from openai import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
)

from pipeline.testing.wire import HOST
from tests.wire.documents import KEY
from tests.wire.gateway_process import GatewayProcess, serving_process
from tests.wire.model_server import NAME, ModelServer

pytestmark = pytest.mark.model

GREET: Any = {"model": NAME, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}


@pytest.fixture(scope="module")
def gateway(model: ModelServer) -> Iterator[GatewayProcess]:
    environment = {"MODEL_URL": model.url, "GATEWRIGHT_DEMO_KEY": KEY}
    with serving_process("configs/quickstart.yaml", **environment) as process:
        yield process


@pytest.fixture
def client(gateway: GatewayProcess) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


def told(error: APIStatusError) -> tuple[int, str | None, str | None]:
    """What an exception says, once it says where to ask further."""
    assert error.request_id
    assert error.message
    return error.status_code, error.code, error.param


def test_a_wrong_key(client: OpenAI) -> None:
    for method in (client.with_options(api_key="gw-nobody-0123456789").models.list,):
        with pytest.raises(AuthenticationError) as caught:
            method()
        assert told(caught.value) == (401, "invalid_api_key", None)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_unknown_model(client: OpenAI, stream: bool) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.chat.completions.create(**{**GREET, "model": "gpt-nope", "stream": stream})
    assert told(caught.value) == (404, "model_not_found", "model")


def test_an_unknown_model_to_look_up(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.models.retrieve("maker/gpt-nope")
    assert told(caught.value) == (404, "model_not_found", "model")


def test_an_unknown_route(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.post("/moderations-of-tomorrow", cast_to=object, body={})
    assert told(caught.value) == (404, None, None)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_request_that_the_gateway_refuses(client: OpenAI, stream: bool) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(**{**GREET, "messages": [], "stream": stream})
    assert told(caught.value) == (400, "invalid_value", "messages")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_request_that_the_model_server_refuses(client: OpenAI, stream: bool) -> None:
    """Its own words, in the client's form: llama.cpp's numeric code becomes none."""
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(**{**GREET, "temperature": "hot", "stream": stream})
    assert caught.value.status_code == 400
    assert "temperature" in caught.value.message
    assert caught.value.code is None or isinstance(caught.value.code, str)


def test_a_prompt_that_is_too_long(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(**{**GREET, "messages": [{"role": "user", "content": "word " * 4000}]})
    assert caught.value.code == "context_length_exceeded"


def test_a_wrong_method(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.get("/chat/completions", cast_to=object)
    assert told(caught.value) == (405, "method_not_supported", None)
    assert caught.value.response.headers["allow"] == "POST"


def test_a_body_that_is_too_large(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as caught:
        client.chat.completions.create(**{**GREET, "user": "x" * (11 << 20)})
    assert told(caught.value) == (413, "request_too_large", None)


def test_a_model_server_that_is_gone() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))  # bound, never listening
        environment = {"MODEL_URL": f"http://{HOST}:{taken.getsockname()[1]}/v1", "GATEWRIGHT_DEMO_KEY": KEY}
        with (
            serving_process("configs/quickstart.yaml", **environment) as gateway,
            OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client,
        ):
            for stream in (False, True):
                with pytest.raises(InternalServerError) as caught:
                    client.chat.completions.create(**GREET, stream=stream)
                assert told(caught.value) == (502, "upstream_unavailable", None)
