"""The ASGI application without a server, on both loops: answers, refusals, departures, and one line for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline import (
    TARGET_USED,
    Body,
    Event,
    GatewayApp,
    Handler,
    Host,
    Overloaded,
    Pipeline,
    Registry,
    Request,
    Response,
    StageSettings,
    Target,
    stage,
)
from tests.pipeline.adapters.asgi_driver import Client, ask, chat, scope

CONFIG = """\
version: 1
gateways:
  echo:
    dialect: openai
    mount: /v1
    chain: [{authenticate: {anonymous: true}}, test.end, normalise]
"""
Answer = Callable[[], AsyncIterator[Event]]


def says(*texts: str) -> Answer:
    async def events() -> AsyncIterator[Event]:
        for text in texts:
            yield Event({"choices": [{"index": 0, "delta": {"content": text}}]})
        yield Event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})

    return events


class Server:
    """The application over a chain whose terminal answers with the given events."""

    def __init__(self, tmp_path: Path, answer: Answer | Exception) -> None:
        @stage("test.end", response_writes=(TARGET_USED,), calls_next="never")
        class End:
            class Settings(StageSettings):
                pass

            def __init__(self, settings: Settings, host: Host) -> None:
                pass

            async def __call__(self, request: Request, call_next: Handler, /) -> Response:
                if isinstance(answer, Exception):
                    raise answer
                return Response(Body.of(answer())).with_slot(TARGET_USED, Target("end", request.model))

        self.lines: list[dict[str, Any]] = []
        registry = Registry.default().with_("stage", "test.end", End)
        path = tmp_path / "gateway.yaml"
        path.write_text(CONFIG)
        self.pipeline = Pipeline.from_config(path, registry=registry, access=self.lines.append)
        self.app = GatewayApp(self.pipeline)

    async def asked(self, client: Client, **given: Any) -> Client:
        async with self.pipeline:
            return await ask(self.app, client, **given)


async def test_a_whole_answer_has_its_length(tmp_path: Path) -> None:
    server = Server(tmp_path, says("a", "b"))
    client = await server.asked(Client(chat()))
    assert client.status == 200
    assert client.headers["content-length"] == str(len(client.body))
    assert client.json["choices"][0]["message"]["content"] == "ab"
    assert [line["outcome"] for line in server.lines] == ["complete"]


async def test_a_typed_failure_keeps_its_status_and_its_wait(tmp_path: Path) -> None:
    server = Server(tmp_path, Overloaded("full", retry_after=1.2))
    client = await server.asked(Client(chat()))
    assert (client.status, client.json["error"]["code"]) == (503, "server_overloaded")
    assert (client.headers["retry-after"], client.headers["retry-after-ms"]) == ("2", "1200")
    assert [(line["status"], line["outcome"]) for line in server.lines] == [(503, "failed")]


async def test_an_unexpected_failure_is_opaque_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(tmp_path, ZeroDivisionError("inside"))
    client = await server.asked(Client(chat()))
    assert client.status == 500
    assert "inside" not in client.body.decode()
    assert [record.getMessage().endswith(client.headers["x-request-id"]) for record in caplog.records] == [True]


async def test_a_client_that_leaves_before_its_request_is_complete_gets_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path, says("a"))
    client = Client(b'{"model', complete=False)
    client.leave()
    await server.asked(client)
    assert client.sent == []
    assert [(line["status"], line["outcome"]) for line in server.lines] == [(499, "aborted")]


async def test_a_client_that_leaves_before_the_head_ends_the_work(tmp_path: Path) -> None:
    closed: list[str] = []

    async def stalls() -> AsyncIterator[Event]:
        try:
            await anyio.sleep_forever()
            yield Event({})
        finally:
            closed.append("source")

    server = Server(tmp_path, stalls)
    client = Client(chat(stream=True))
    client.leave()
    await server.asked(client)
    assert (client.sent, closed) == ([], ["source"])
    assert [(line["status"], line["outcome"]) for line in server.lines] == [(200, "aborted")]


async def test_a_client_that_leaves_in_the_middle_ends_the_work(tmp_path: Path) -> None:
    closed: list[str] = []

    async def goes_on() -> AsyncIterator[Event]:
        try:
            while True:
                yield Event({"choices": [{"index": 0, "delta": {"content": "more"}}]})
        finally:
            closed.append("source")

    server = Server(tmp_path, goes_on)
    client = await server.asked(Client(chat(stream=True), leave_at=4))
    assert closed == ["source"]
    assert client.status == 200
    assert b"[DONE]" not in client.body
    assert [line["outcome"] for line in server.lines] == ["aborted"]


async def test_a_stream_that_fails_in_the_middle_ends_with_one_error_event(tmp_path: Path) -> None:
    async def breaks() -> AsyncIterator[Event]:
        yield Event({"choices": [{"index": 0, "delta": {"content": "half"}}]})
        raise Overloaded("full")

    server = Server(tmp_path, breaks)
    client = await server.asked(Client(chat(stream=True)))
    *_, last = client.body.strip().split(b"\n\n")
    assert b'"error":{"message":"full"' in last
    assert [(line["status"], line["outcome"]) for line in server.lines] == [(200, "failed")]


async def test_before_it_is_started_it_says_so(tmp_path: Path) -> None:
    server = Server(tmp_path, says("a"))
    client = await ask(server.app, Client(chat()))
    assert (client.status, client.json["error"]["code"]) == (503, "not_ready")
    ready = await ask(server.app, Client(), method="GET", path="/readyz")
    assert ready.status == 503


async def test_an_http_1_1_request_names_its_host(tmp_path: Path) -> None:
    server = Server(tmp_path, says("a"))
    assert (await server.asked(Client(chat()), headers=[])).status == 400
    assert (await server.asked(Client(chat()), headers=[], http_version="1.0")).status == 200


async def test_the_mount_of_an_outer_application_is_not_part_of_the_path(tmp_path: Path) -> None:
    server = Server(tmp_path, says("a"))
    path = "/llm/v1/chat/completions"
    assert (await server.asked(Client(chat()), path=path, root_path="/llm")).status == 200
    assert (await server.asked(Client(chat()), path=path)).status == 404


async def test_web_sockets_are_turned_away(tmp_path: Path) -> None:
    client = Client()
    await Server(tmp_path, says("a")).app({**scope(), "type": "websocket"}, client.receive, client.send)
    assert [message["type"] for message in client.sent] == ["websocket.close"]


@pytest.mark.parametrize("fails", [True, False])
async def test_the_lifespan_starts_and_stops_the_pipeline(
    tmp_path: Path, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path, says("a"))

    async def broken() -> None:
        raise OSError("no")

    if fails:
        monkeypatch.setattr(server.pipeline, "_owned", [type("Owned", (), {"start": staticmethod(broken)})])
    client = Client()
    client.leave()
    ready: list[bool] = []

    async def send(message: Any) -> None:
        client.sent.append(message)
        ready.append(server.pipeline.ready)

    await server.app({"type": "lifespan"}, client.receive, send)
    kinds = [message["type"] for message in client.sent]
    if fails:
        assert kinds == ["lifespan.startup.failed"]
        assert client.sent[0]["message"] == "OSError: no"
    else:
        assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert ready == [True, False]


HOST = (b"host", b"localhost")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([HOST, HOST], 400),
        ([HOST, (b"content-length", b"5"), (b"content-length", b"5")], 400),
        ([HOST, (b"content-type", b"application/json"), (b"content-type", b"text/plain")], 400),
        ([HOST, (b"content-encoding", b"identity"), (b"content-encoding", b"gzip")], 400),
        ([HOST, (b"content-length", b"5"), (b"transfer-encoding", b"chunked")], 400),
        ([HOST, (b"content-length", b"-1")], 400),
        ([HOST, (b"content-length", b"9" * 5000)], 413),
        ([HOST, (b"content-encoding", b"gzip")], 415),
        ([HOST, (b"content-type", b"text/plain")], 415),
        ([(b"host", b"a b")], 400),
        ([], 400),
        ([HOST, (b"accept", b"a"), (b"accept", b"b"), (b"content-encoding", b"Identity")], 200),
    ],
)
async def test_a_head_that_two_servers_could_read_differently_is_refused(
    tmp_path: Path, fields: list[tuple[bytes, bytes]], status: int
) -> None:
    server = Server(tmp_path, says("a"))
    client = await server.asked(Client(chat()), headers=fields)
    assert client.status == status
