"""The genuine Ollama server, called without a gateway: what the tests through a gateway take for granted.

When one of these fails, the server or the set-up changed, and not the gateway.
"""

from __future__ import annotations

from typing import Any

import pytest
from ollama import Client, ResponseError

from tests.wire.ollama_server import SMOL, TOOLS, OllamaServer

pytestmark = pytest.mark.ollama

GREET: dict[str, Any] = {
    "model": SMOL,
    "messages": [{"role": "user", "content": "Say hello."}],
    "options": {"num_predict": 6},
}
WEATHER: dict[str, Any] = {
    "model": TOOLS,
    "messages": [{"role": "user", "content": "What is the weather in Paris? Use the tool."}],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather in a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ],
}


def test_version(ollama: OllamaServer) -> None:
    assert ollama.call("GET", "/api/version").json == {"version": "0.9.3"}


def test_tags(ollama: OllamaServer) -> None:
    models = ollama.call("GET", "/api/tags").json["models"]
    assert {model["name"] for model in models} == {f"{SMOL}:latest", f"{TOOLS}:latest"}


@pytest.mark.parametrize(("model", "can"), [(SMOL, ["completion"]), (TOOLS, ["completion", "tools"])])
def test_show(ollama: OllamaServer, model: str, can: list[str]) -> None:
    shown = ollama.call("POST", "/api/show", {"model": model}).json
    assert shown["capabilities"] == can
    assert "num_predict                    64" in shown["parameters"]


def test_a_chat_as_a_stream(ollama: OllamaServer) -> None:
    lines = ollama.lines("/api/chat", GREET)
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert "".join(line["message"]["content"] for line in lines)
    assert (lines[-1]["done_reason"], lines[-1]["eval_count"]) == ("length", 6)


def test_a_chat_as_a_whole(ollama: OllamaServer) -> None:
    answer = ollama.call("POST", "/api/chat", {**GREET, "stream": False})
    assert answer.content_type == "application/json; charset=utf-8"
    assert answer.json["message"]["content"] == _said(ollama.lines("/api/chat", GREET)), "temperature 0"


def test_generate(ollama: OllamaServer) -> None:
    asked = {"model": SMOL, "prompt": "Once upon a", "raw": True, "options": {"num_predict": 4}}
    lines = ollama.lines("/api/generate", asked)
    assert "".join(line["response"] for line in lines)
    assert lines[-1]["eval_count"] == 4


def test_embed(ollama: OllamaServer) -> None:
    vectors = ollama.call("POST", "/api/embed", {"model": SMOL, "input": ["one", "two"]}).json["embeddings"]
    assert [len(vector) for vector in vectors] == [576, 576]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_tool_is_called(ollama: OllamaServer, stream: bool) -> None:
    asked = {**WEATHER, "stream": stream}
    lines = ollama.lines("/api/chat", asked) if stream else [ollama.call("POST", "/api/chat", asked).json]
    calls = [call for line in lines for call in line["message"].get("tool_calls", [])]
    assert calls == [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]
    assert lines[-1]["done_reason"] == "stop"


def test_an_unknown_model(ollama: OllamaServer) -> None:
    answer = ollama.call("POST", "/api/chat", {**GREET, "model": "nope"})
    assert (answer.status, answer.json) == (404, {"error": 'model "nope" not found, try pulling it first'})


def test_load_and_unload(ollama: OllamaServer) -> None:
    ollama.unload(SMOL)
    assert ollama.loaded() == set()
    loaded = ollama.call("POST", "/api/generate", {"model": SMOL, "stream": False}).json
    assert (loaded["done_reason"], loaded["response"]) == ("load", "")
    assert ollama.loaded() == {f"{SMOL}:latest"}
    assert ollama.unload(SMOL).json["done_reason"] == "unload"
    assert ollama.loaded() == set()


def test_the_official_client(ollama: OllamaServer) -> None:
    with Client(host=ollama.address, trust_env=False) as client:
        parts = list(client.chat(SMOL, GREET["messages"], stream=True, options=GREET["options"]))
        assert "".join(part.message.content or "" for part in parts)
        with pytest.raises(ResponseError) as caught:
            client.chat("nope", GREET["messages"])
    assert caught.value.status_code == 404


def _said(lines: list[dict[str, Any]]) -> str:
    return "".join(line["message"]["content"] for line in lines)
