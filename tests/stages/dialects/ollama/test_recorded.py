"""What a real Ollama said, before both kinds of client."""

from __future__ import annotations

import json

import pytest

from pipeline import Headers, OutcomeKind
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.ollama.served import ask, body_of, serve
from tests.wire import recordings
from tests.wire.recordings import Recording

_OPERATIONS = {
    "/api/chat": "chat",
    "/api/generate": "completion",
    "/api/embed": "embedding",
    "/api/embeddings": "embedding.single",
    "/api/create": "manage.create",
    "/api/show": "models.show",
}
OURS = [one for one in recordings.all("ollama") if one.request.path in _OPERATIONS]
FAILED = [one for one in OURS if one.status >= 400 or b'{"error":' in one.body]
ANSWERED = [one for one in OURS if one not in FAILED]
GENERATED = [one for one in ANSWERED if _OPERATIONS[one.request.path] in ("chat", "completion")]


def named(cases: list[Recording]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("recording", cases, ids=[one.name for one in cases])


def streams(recording: Recording) -> bool:
    return "ndjson" in recording.headers["content-type"]


@named(ANSWERED)
async def test_an_ollama_client_gets_the_very_bytes(recording: Recording) -> None:
    request = ask(operation=_OPERATIONS[recording.request.path], stream=streams(recording))
    model = json.loads(recording.body.split(b"\n")[0]).get("model", "asked")
    body, _ = await body_of(
        request.evolve(model=model), [recording.body], content_type=recording.headers["content-type"], model=model
    )
    assert b"".join([piece async for piece in body.pieces()]) == recording.body


@named(GENERATED)
async def test_a_client_of_the_other_shape_hears_the_same(recording: Recording) -> None:
    operation = _OPERATIONS[recording.request.path]
    lines = [json.loads(line) for line in recording.body.splitlines()]
    other = ask(operation=operation, stream=not streams(recording))
    served = await serve(other, [recording.body], content_type=recording.headers["content-type"])
    heard = served.lines if other.stream else [served.json]
    assert heard[-1]["done"] is True

    def text(said: list[dict[str, dict[str, str]]]) -> str:
        return "".join(str(line["message"]["content"] if operation == "chat" else line["response"]) for line in said)

    assert text(heard) == text(lines)
    told = {key: value for key, value in lines[-1].items() if key not in ("message", "response", "model")}
    assert {key: heard[-1][key] for key in told} == told


@named(GENERATED)
async def test_an_openai_client_gets_a_whole_answer(recording: Recording) -> None:
    request = ask(operation=_OPERATIONS[recording.request.path], stream=streams(recording), dialect="openai")
    served = await serve(request, [recording.body], content_type=recording.headers["content-type"])
    assert served.outcome.kind is OutcomeKind.COMPLETE


@named(FAILED)
async def test_a_failure_has_the_servers_words(recording: Recording) -> None:
    if recording.status >= 400:
        error = Ollama().decode_error(recording.status, Headers(recording.headers), recording.body)
    else:
        request = ask(operation=_OPERATIONS[recording.request.path])
        served = await serve(request, [recording.body], content_type=recording.headers["content-type"])
        assert served.raised is not None
        error = served.raised
    if recording.body.startswith(b"{"):
        assert error.message == json.loads(recording.body)["error"]
    assert error.status in (400, 404, 502)
