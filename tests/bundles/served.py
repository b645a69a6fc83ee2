"""A gateway made of a bundle, in front of model servers that are functions, asked without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from pipeline import GatewayApp, Pipeline, Registry, TransportOptions
from stages.upstreams.httpx2_transport import Httpx2Transport
from tests.pipeline.adapters.asgi_driver import Client, ask

KEY, ADMIN = "gw-plain-0123456789abcdef", "gw-admin-0123456789abcdef"
UPSTREAMS = {
    "ollama": {"dialect": "ollama", "base_url": "http://127.0.0.1:1", "transport": "ollama"},
    "openai": {"dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "transport": "openai"},
}
CARD = {"name": "tiny:latest", "model": "tiny:latest", "digest": "0" * 64, "capabilities": ["completion", "embedding"]}
DONE = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}


class Servers:
    """An Ollama server of version 0.30.0 and one that speaks OpenAI's API; both serve `tiny`.

    They remember what they were asked, but for what a catalogue asks them.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []

    def ollama(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path == "/api/tags":
            return httpx2.Response(200, json={"models": [CARD]})
        if path in ("/api/version", "/api/ps", "/api/show"):
            return httpx2.Response(200, json={"version": "0.30.0", "models": []})
        asked = self._remember(request)
        if path == "/api/pull":
            lines = [{"status": "pulling manifest"}, {"status": "success"}]
            return _lines(lines if asked.get("stream", True) else lines[-1:])
        line = {"model": "tiny:latest", "created_at": "2026-01-02T03:04:05Z"}
        if path == "/api/generate":
            return _lines([{**line, "response": f" <- {asked['prompt']}", **DONE}])
        return _lines([{**line, "message": {"role": "assistant", "content": "Hi"}, **DONE}])

    def openai(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/models":
            return httpx2.Response(200, json={"object": "list", "data": [{"id": "tiny"}]})
        self._remember(request)
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
        counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return httpx2.Response(200, json={"model": "tiny", "choices": [choice], "usage": counts})

    def _remember(self, request: httpx2.Request) -> Any:
        body = json.loads(request.content) if request.content else {}
        self.seen.append((request.method, request.url.path, body))
        return body


def _lines(values: list[Any]) -> httpx2.Response:
    content = b"".join(json.dumps(value).encode() + b"\n" for value in values)
    return httpx2.Response(200, headers={"content-type": "application/x-ndjson"}, content=content)


class Served:
    """The gateway at work. `lines` are its access lines."""

    def __init__(self, app: GatewayApp, servers: Servers, lines: list[dict[str, Any]]) -> None:
        self._app = app
        self.servers = servers
        self.lines = lines

    async def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Client:
        headers = [(b"host", b"localhost"), *([(b"authorization", f"Bearer {key}".encode())] if key else [])]
        content = b"" if body is None else json.dumps(body).encode()
        return await ask(self._app, Client(content), method=method, path=path, headers=headers)


@asynccontextmanager
async def serving(tmp_path: Path, use: str, **given: Any) -> AsyncIterator[Served]:
    """The bundle `use` with these arguments, over the upstreams of `UPSTREAMS`."""
    team = [{"id": "plain", "key": KEY}, {"id": "admin", "key": ADMIN, "scopes": ["manage"]}]
    document = {
        "version": 1,
        "resources": {"upstreams": UPSTREAMS, "keys": {"team": {"keys": team}}},
        "gateways": {"edge": {"use": use, "with": given}},
    }
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(document))
    servers, lines = Servers(), list[dict[str, Any]]()
    answers: Mapping[str, Callable[[httpx2.Request], httpx2.Response]] = {
        "ollama": servers.ollama,
        "openai": servers.openai,
    }
    registry = Registry.default()
    for name, answer in answers.items():
        registry = registry.with_("transport", name, _transport(answer))
    pipeline = Pipeline.from_config(path, registry=registry, environ={}, access=lines.append)
    async with pipeline:
        yield Served(GatewayApp(pipeline), servers, lines)


def _transport(answer: Callable[[httpx2.Request], httpx2.Response]) -> Callable[[TransportOptions], Httpx2Transport]:
    return lambda options: Httpx2Transport(options, inner=httpx2.MockTransport(answer))
