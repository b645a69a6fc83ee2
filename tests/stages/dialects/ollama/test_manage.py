"""Management, discovery and the greeting: what is handed through, and when it is over (protocol.md 1.1, 1.7, 1.8)."""

from __future__ import annotations

import json

import pytest

from pipeline import END, Event, Headers, OutcomeKind
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.ollama.served import JSON, as_line, ask, serve
from tests.stages.dialects.served import Served

PULL = [
    as_line({"status": "pulling manifest"}),
    as_line({"status": "pulling 1234", "digest": "sha256:12", "total": 10, "completed": 5, "done": True}),
    as_line({"status": "success"}),
]


async def manage(what: str, pieces: list[bytes], *, stream: bool = True, content_type: str = "") -> Served:
    return await serve(ask(operation=f"manage.{what}", stream=stream), pieces, content_type=content_type)


@pytest.mark.parametrize("what", ["pull", "push", "create"])
async def test_progress_is_handed_through_and_ends_in_success(what: str) -> None:
    served = await manage(what, [*PULL, b'{"status":"more"}\n'])
    assert served.body == b"".join(PULL)
    assert served.outcome.kind is OutcomeKind.COMPLETE
    whole = await manage(what, PULL[2:], stream=False)
    assert whole.body == PULL[2]


async def test_progress_without_success_is_a_failure() -> None:
    served = await manage("pull", PULL[:2])
    assert served.lines[-1].keys() == {"error"}
    assert (served.outcome.error and served.outcome.error.code) == "upstream_incomplete"


async def test_a_model_that_does_not_exist_is_an_error_line_in_a_200_answer() -> None:
    served = await manage("pull", [PULL[0], b'{"error":"pull model manifest: file does not exist"}'])
    assert served.lines == [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]


@pytest.mark.parametrize("what", ["copy", "delete", "blob.check", "blob.push"])
@pytest.mark.parametrize("content_type", ["", JSON, "text/plain"])
async def test_no_body_at_all_is_a_success(what: str, content_type: str) -> None:
    served = await manage(what, [], stream=False, content_type=content_type or "application/octet-stream")
    assert (served.body, served.outcome.kind) == (b"", OutcomeKind.COMPLETE)


def test_a_line_that_the_gateway_makes_is_written() -> None:
    encoder = Ollama().encoder(ask(operation="manage.pull"))
    assert encoder.encode(Event({"status": "success"})) == b'{"status":"success"}\n'
    assert encoder.encode(END) == b""
    whole = Ollama().encoder(ask(operation="manage.pull", stream=False))
    for event in (Event({"status": "pulling manifest"}), Event({"status": "success"}), END):
        whole.encode(event)
    assert whole.finish() == b'{"status":"success"}'


async def test_what_a_server_shows_is_handed_through() -> None:
    shown = b'{\n "license": "x", "model_info": {"general.architecture": "llama"}, "capabilities": ["completion"]}'
    served = await serve(ask(operation="models.show", stream=False), [shown])
    assert served.body == shown
    decoder = Ollama().decoder(ask(operation="models.show", stream=False), Headers())
    decoder.feed(shown)
    [event, _] = decoder.events(decoder.finish()[0])
    assert Ollama().encoder(ask(operation="models.show", stream=False)).fold([event]) == json.loads(shown)


def test_the_greeting() -> None:
    encoder = Ollama().encoder(ask(operation="alive", stream=False))
    assert (encoder.encode(Event({})), encoder.whole) == (b"", True)
    assert (encoder.content_type, encoder.finish()) == ("text/plain; charset=utf-8", b"Ollama is running")


def test_the_routes() -> None:
    routes = {(route.method, route.path): route.operation for route in Ollama.routes}
    assert len(routes) == len(Ollama.routes)
    assert {method for method, path in routes if path in ("/", "/api/tags", "/api/version")} == {"GET", "HEAD"}
    assert routes["DELETE", "/api/delete"] == "manage.delete"
    assert {routes[method, "/api/blobs/{model}"] for method in ("HEAD", "POST")} == {
        "manage.blob.check",
        "manage.blob.push",
    }
    assert Ollama.forwarded == {"models.show"}
