"""Record small exchanges with the genuine Ollama and with the real llama.cpp server, for recordings.py to load.

    python tests/wire/record.py

Both servers are started for it. Everything is written anew: ids, times and the model's words may differ from the last
run, so read the diff, and commit it with the reason for recording again. Nothing is edited or left out: where a server
ignores the wish for a shorter answer (Ollama 0.9.3 ignores `dimensions`, and `show` lists every tensor), the file is
as long as that.
"""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.wire.model_server import NAME, model_server
from tests.wire.ollama_server import SMOL, TOOLS, OllamaServer, ollama_server
from tests.wire.recordings import FOLDER, Body, Recording, Request, load, save

SECONDS = 60
DULL = {"date"}  # says only when it was recorded

HELLO = [{"role": "user", "content": "Say hello."}]
# What small models answer to it has characters of one to four bytes, for tests that cut a stream anywhere.
MANY_SCRIPTS = [{"role": "user", "content": "Write the word thank you in Japanese, Russian and Greek."}]
EMOJIS = [{"role": "user", "content": "Write three emojis."}]
YES_OR_NO = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "The weather.", "parameters": CITY}}
ASK_PARIS = [{"role": "user", "content": "What is the weather in Paris? Use the tool."}]
TOLD_PARIS = [
    *ASK_PARIS,
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}],
    },
    {"role": "tool", "tool_name": "get_weather", "content": "Sunny."},
]
WHOLE = {"stream": False}
SHORT = {"options": {"num_predict": 8}}

Asked = dict[str, tuple[str, str, Body]]


def post(path: str, body: dict[str, Any], **more: Any) -> tuple[str, str, Body]:
    return "POST", path, {**body, **more}


GREET = {"model": SMOL, "messages": HELLO, **SHORT}
USE_TOOL = {"model": TOOLS, "messages": ASK_PARIS, "tools": [WEATHER]}
ONCE = {"model": SMOL, "prompt": "Once upon a", **SHORT}
# The /v1 layer samples at temperature 1 when not told otherwise, whatever the model's own parameters say.
V1_GREET = {"model": SMOL, "messages": HELLO, "max_tokens": 8, "temperature": 0}
# In this order: what is loaded shows in some answers.
OLLAMA: Asked = {
    "version": ("GET", "/api/version", None),
    "tags": ("GET", "/api/tags", None),
    "show": post("/api/show", {"model": SMOL}),
    "ps-empty": ("GET", "/api/ps", None),
    "load": post("/api/chat", {"model": SMOL, "messages": []}),
    "ps": ("GET", "/api/ps", None),
    "chat-stream": post("/api/chat", GREET),
    "chat-stream-long": post("/api/chat", {"model": SMOL, "messages": MANY_SCRIPTS, "options": {"num_predict": 36}}),
    "chat-whole": post("/api/chat", GREET, **WHOLE),
    "chat-schema": post("/api/chat", {"model": SMOL, "messages": HELLO}, format=YES_OR_NO, **WHOLE),
    "tools-stream": post("/api/chat", USE_TOOL),
    "tools-whole": post("/api/chat", USE_TOOL, **WHOLE),
    "tools-told": post("/api/chat", {"model": TOOLS, "messages": TOLD_PARIS, "tools": [WEATHER], **SHORT}, **WHOLE),
    "tools-refused": post("/api/chat", GREET, tools=[WEATHER]),
    "thinking-refused": post("/api/chat", GREET, think=True),
    "generate-stream": post("/api/generate", ONCE),
    "generate-whole": post("/api/generate", ONCE, **WHOLE),
    "generate-raw": post("/api/generate", ONCE, raw=True, **WHOLE),
    "embed": post("/api/embed", {"model": SMOL, "input": "one", "dimensions": 16}),
    "embed-empty": post("/api/embed", {"model": SMOL, "input": ""}),
    "embed-refused": post("/api/embed", {"model": SMOL, "input": ["", ""]}),
    "embeddings": post("/api/embeddings", {"model": SMOL, "prompt": "one"}),
    "error-unknown-model": post("/api/chat", GREET, model="nope"),
    "error-option-type": post("/api/chat", GREET, options={"temperature": "hot"}),
    "error-stop-type": post("/api/chat", GREET, options={"stop": "x"}, **WHOLE),
    "error-field-type": post("/api/chat", GREET, messages="hello"),
    "error-format-stream": post("/api/chat", GREET, format="yaml"),
    "error-format-whole": post("/api/chat", GREET, format="yaml", **WHOLE),
    "error-no-model": post("/api/chat", {"messages": HELLO}),
    "error-no-json": ("POST", "/api/chat", '{"model":'),
    "error-no-body": ("POST", "/api/chat", ""),
    "error-path": ("GET", "/api/nope", None),
    "error-method": ("GET", "/api/chat", None),
    "create-stream": post("/api/create", {"model": "brief", "from": SMOL, "system": "Be brief."}),
    "create-refused": post("/api/create", {"model": "odd", "from": SMOL, "quantize": "q9_z"}),
    "v1-chat-stream": post("/v1/chat/completions", V1_GREET, stream=True, stream_options={"include_usage": True}),
    "v1-chat-whole": post("/v1/chat/completions", V1_GREET),
    "v1-tools-whole": post("/v1/chat/completions", USE_TOOL, temperature=0),
    "v1-tools-stream": post("/v1/chat/completions", USE_TOOL, temperature=0, stream=True),
    "v1-error-unknown-model": post("/v1/chat/completions", V1_GREET, model="nope"),
    "unload": post("/api/generate", {"model": SMOL, "keep_alive": 0}),
}

SAY = {"model": NAME, "messages": HELLO, "max_tokens": 8, "temperature": 0}
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
CALL = {
    **SAY,
    "messages": [{"role": "user", "content": "Please use get_weather for Paris."}],
    "max_tokens": 64,
    "tools": [WEATHER],
    "tool_choice": "required",
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": YES_OR_NO}}
TEXT = {"model": NAME, "prompt": "Once upon a", "max_tokens": 8, "temperature": 0}
LLAMA_CPP: Asked = {
    "models": ("GET", "/v1/models", None),
    "chat-stream": post("/v1/chat/completions", SAY, **STREAM),
    "chat-stream-long": post("/v1/chat/completions", {**SAY, "messages": EMOJIS, "max_tokens": 24}, **STREAM),
    "chat-whole": post("/v1/chat/completions", SAY),
    "chat-two-stream": post("/v1/chat/completions", {**SAY, "n": 2, "max_tokens": 4}, **STREAM),
    "chat-schema": post("/v1/chat/completions", {**SAY, "max_tokens": 32}, response_format=SCHEMA),
    "logprobs-whole": post("/v1/chat/completions", {**SAY, "max_tokens": 3}, logprobs=True, top_logprobs=2),
    "logprobs-stream": post("/v1/chat/completions", {**SAY, "max_tokens": 3}, logprobs=True, top_logprobs=2, **STREAM),
    "tools-stream": post("/v1/chat/completions", CALL, **STREAM),
    "tools-whole": post("/v1/chat/completions", CALL),
    "completion-stream": post("/v1/completions", TEXT, **STREAM),
    "completion-whole": post("/v1/completions", TEXT),
    "embeddings-float": post("/v1/embeddings", {"model": NAME, "input": "one", "dimensions": 16}),
    "embeddings-base64": post("/v1/embeddings", {"model": NAME, "input": "one", "encoding_format": "base64"}),
    "error-field-type": post("/v1/chat/completions", SAY, temperature="hot"),
    "error-too-long": post("/v1/chat/completions", SAY, messages=[{"role": "user", "content": "w " * 2100}]),
    "error-no-json": ("POST", "/v1/chat/completions", '{"model":'),
    "error-path": ("GET", "/v1/nope", None),
}


def record(folder: str, server: str, address: str, asked: Asked) -> None:
    """Ask all of it, one connection each, and write what came; recordings of other names are removed."""
    shutil.rmtree(FOLDER / folder, ignore_errors=True)
    for name, (method, path, body) in asked.items():
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
        try:
            content = json.dumps(body) if isinstance(body, dict) else body
            connection.request(method, path, content, {} if content is None else {"content-type": "application/json"})
            response = connection.getresponse()
            headers = {key.lower(): value for key, value in response.getheaders() if key.lower() not in DULL}
            recording = Recording(
                f"{folder}/{name}", server, Request(method, path, body), response.status, headers, response.read()
            )
        finally:
            connection.close()
        size = save(recording)
        assert load(recording.name) == recording, "the file shows the body line by line, and must give back every byte"
        print(f"{recording.status} {size:6} characters  {recording.name}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ollama_server(Path(folder) / "server.log") as ollama:
        record("ollama", f"Ollama {_version(ollama)}", ollama.address, OLLAMA)
    with model_server() as model:
        record("llama_cpp", f"xllamacpp {importlib.metadata.version('xllamacpp')}", model.address, LLAMA_CPP)


def _version(ollama: OllamaServer) -> str:
    return str(ollama.call("GET", "/api/version").json["version"])


if __name__ == "__main__":
    main()
