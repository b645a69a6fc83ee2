"""Send an upstream's bytes through the whole response path to a client: decoder, body, shape, encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from pipeline import TARGET_USED, Body, Data, Dialect, Headers, Request, Response, Target
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI
from stages.normalise import Normalise
from tests.stages.dialects.served import Served, read_to_end
from tests.stages.fakes import FakeClock, FakeSource, Next, fake_host

NDJSON = "application/x-ndjson"
JSON = "application/json; charset=utf-8"
SSE = "text/event-stream"
NOW = 1_767_323_045.5
NOW_TEXT = "2026-01-02T03:04:05.5Z"
DONE = b"data: [DONE]\n\n"
_DIALECTS: dict[str, Dialect] = {"ollama": Ollama(), "openai": OpenAI()}


class Ticks(FakeClock):
    """A clock on which a second passes with each look."""

    def monotonic(self) -> float:
        self.advance(1)
        return self.now


def ask(*, stream: bool = True, operation: str = "chat", dialect: str = "ollama", usage: bool = False) -> Request:
    """A client's request for the model `asked`."""
    payload: Data = {"model": "asked", "stream": stream}
    if usage:
        payload["stream_options"] = {"include_usage": True}
    return Request(operation, model="asked", payload=payload, dialect=dialect, stream=stream, id="req-1")


async def body_of(
    request: Request,
    pieces: Sequence[Any],
    *,
    upstream: str = "ollama",
    content_type: str = "",
    shape: Literal["complete", "forward"] = "complete",
    model: str = "theirs",
    operation: str | None = None,
    clock: FakeClock | None = None,
) -> tuple[Body, FakeSource]:
    """A bound body that has not been read. `operation` is what the upstream was asked if it is another one."""
    asked = request if operation is None else request.evolve(operation=operation)
    content_type = content_type or ((SSE if upstream == "openai" else NDJSON) if request.stream else JSON)
    source = FakeSource(pieces)
    body = Body(source, _DIALECTS[upstream].decoder(asked, Headers({"content-type": content_type})))
    response = Response(body).with_slot(TARGET_USED, Target("upstream", model))
    host = fake_host(clock=clock or FakeClock(NOW), implementations={("dialect", "ollama"): Ollama})
    await Normalise(Normalise.Settings(shape=shape), host)(request, Next(lambda _: response))
    body.bind(_DIALECTS[request.dialect].encoder(request))
    return body, source


async def serve(request: Request, pieces: Sequence[Any], **given: Any) -> Served:
    """Read the answer to its end."""
    return await read_to_end(*await body_of(request, pieces, **given))


def line(said: Any = "", *, done: bool = False, model: str = "theirs", **fields: Any) -> bytes:
    """A line of a chat: a text, or the fields of the message."""
    message = {"role": "assistant", "content": ""} | ({"content": said} if isinstance(said, str) else said)
    return as_line({"model": model, "created_at": "2026-01-02T03:04:06Z", "message": message, "done": done, **fields})


def as_line(value: Any) -> bytes:
    """As servers write it: compact, with what is not ASCII as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def chunk(delta: Data | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """An event of an OpenAI stream; `choice` are more fields of its choice."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish, **fields.pop("choice", {})}
    return b"data: " + json.dumps({"id": "c", "created": 5, "choices": [choice], **fields}).encode() + b"\n\n"
