"""The gateway inside somebody else's application, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from pipeline import Gateway, Host, Pipeline
from pipeline.adapters.asgi import GatewayApp
from pipeline.build import build_file
from pipeline.testing.wire import Received, WireUpstream
from tests.wire import documents
from tests.wire.answers import MODEL, always, sized, streamed, whole
from tests.wire.documents import chat, document
from tests.wire.in_loop import running, serving
from tests.wire.raw_client import ask, request


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


def reply(received: Received) -> bytes:
    if received.target == "/v1/models":
        return sized(json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode())
    return streamed("Hi") if b'"stream":true' in received.body else whole("Hi")


def mounted(pipeline: Pipeline, *, enter: bool = True) -> FastAPI:
    """A FastAPI application with a route of its own and the gateway below /llm."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pipeline:
            yield

    app = FastAPI(lifespan=lifespan if enter else None)

    @app.get("/own")
    async def own() -> dict[str, bool]:
        return {"own": True}

    app.mount("/llm", GatewayApp(pipeline))
    return app


async def test_mounted_below_a_prefix_everything_works(tmp_path: Path) -> None:
    with WireUpstream(always(reply)) as upstream:
        pipeline = build_file(documents.write(tmp_path, document(upstream.url, listed=True)))
        async with serving(mounted(pipeline)) as port:
            assert (await ask(port, request("GET", "/own"))).json == {"own": True}
            assert (await ask(port, request("GET", "/llm/readyz"))).status == 200
            listed = await ask(port, request("GET", "/llm/v1/models"))
            assert [model["id"] for model in listed.json["data"]] == [MODEL]
            shown = await ask(port, request("GET", f"/llm/v1/models/{MODEL}"))
            assert shown.json["id"] == MODEL
            answer = await ask(port, request("POST", "/llm/v1/chat/completions", chat(), id="mounted"))
            assert answer.json["choices"][0]["message"]["content"] == "Hi"
            assert answer.header("x-request-id") == "mounted"
            stream = await ask(port, request("POST", "/llm/v1/chat/completions", chat(stream=True)))
            assert stream.body.endswith(b"data: [DONE]\n\n")
            wrong = await ask(port, request("GET", "/llm/v1/nope"))
            assert (wrong.status, wrong.json["error"]["message"]) == (404, "Invalid URL (GET /v1/nope)")
            assert (await ask(port, request("GET", "/v1/models"))).json == {"detail": "Not Found"}
        assert not pipeline.ready
        await upstream.until(lambda seen: seen.open == 0)


async def test_mounted_and_never_entered_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    """A mounted application gets no lifespan events: forgetting to enter the pipeline must be told, not crash."""
    with WireUpstream(always(reply)) as upstream:
        pipeline = build_file(documents.write(tmp_path, document(upstream.url)))
        async with serving(mounted(pipeline, enter=False)) as port:
            assert (await ask(port, request("GET", "/llm/livez"))).status == 200
            assert (await ask(port, request("GET", "/llm/readyz"))).status == 503
            answer = await ask(port, request("POST", "/llm/v1/chat/completions", chat()))
            assert (answer.status, answer.json["error"]["code"]) == (503, "not_ready")
            described = await ask(port, request("GET", "/llm/gateways"))
            assert described.json["gateways"][0]["models"] == []
        assert upstream.seen.connections == 0


async def test_the_gateways_are_listed_without_their_settings(tmp_path: Path) -> None:
    with WireUpstream(always(reply)) as upstream:
        async with running(tmp_path, document(upstream.url, listed=True)) as gateway:
            answer = await ask(gateway.port, request("GET", "/gateways", key=None))
    assert answer.status == 200
    assert answer.json == {
        "gateways": [
            {
                "name": "openai",
                "dialect": "openai",
                "mount": "/v1",
                "faces": {"openai": "/v1"},
                "operations": ["chat", "completion", "embedding", "models.list", "models.show"],
                "models": [MODEL],
            }
        ]
    }


async def test_a_dead_upstream_hides_its_models_and_nothing_else(tmp_path: Path) -> None:
    with WireUpstream(always(sized(b"", status="500 Internal Server Error"))) as upstream:
        async with running(tmp_path, document(upstream.url, listed=True)) as gateway:
            answer = await ask(gateway.port, request("GET", "/gateways"))
            assert answer.json["gateways"][0]["models"] == []
            assert (await ask(gateway.port, request("GET", "/readyz"))).status == 200
            assert gateway.slots == 0


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/gateways"])
async def test_status_paths_answer_get_and_nothing_else(tmp_path: Path, path: str) -> None:
    with WireUpstream(always(reply)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            assert (await ask(gateway.port, request("GET", path, key=None))).status == 200
            refused = await ask(gateway.port, request("POST", path))
            assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
        assert gateway.lines == [], "probes leave no access line"
        assert upstream.seen.connections in (0, 1)


class Broken:
    async def start(self) -> None:
        raise OSError("the disk is gone")

    async def stop(self) -> None:
        """Called all the same: a start that failed half-way may hold something."""


class Counted:
    def __init__(self) -> None:
        self.running = 0

    async def start(self) -> None:
        self.running += 1

    async def stop(self) -> None:
        self.running -= 1


async def test_a_start_that_fails_ends_the_server_and_undoes_what_had_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted = Counted()

    def missing(group: str, name: str) -> Any:
        raise LookupError(name)

    gateways: list[Gateway] = []
    host = Host(resource=missing, implementation=missing)
    app: Any = GatewayApp(Pipeline(gateways, host=host, owned=[counted, Broken()]))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, port=0))
    with pytest.raises(SystemExit) as caught:
        await server.serve()
    assert caught.value.code == 3
    assert counted.running == 0
    assert "the disk is gone" in caplog.text
