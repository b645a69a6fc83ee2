"""Send an upstream's bytes through the whole response path, as a gateway does: decoder, body, shape, encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pipeline import TARGET_USED, Body, Headers, Request, Response, Target
from stages.dialects.openai.dialect import OpenAI
from stages.normalise import Normalise
from tests.stages.dialects.served import Served, read_to_end
from tests.stages.fakes import FakeSource, Next, fake_host

SSE = "text/event-stream"
JSON = "application/json"


def chat(*, stream: bool, operation: str = "chat", usage: bool = False) -> Request:
    """A client's request for the model `asked`. The id fixes the ids that the gateway makes."""
    payload = {"model": "asked", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    if usage:
        payload["stream_options"] = {"include_usage": True}
    return Request(operation, model="asked", payload=payload, dialect="openai", stream=stream, id="req-1")


async def body_of(
    request: Request,
    pieces: Sequence[Any],
    *,
    content_type: str,
    shape: Literal["complete", "forward"] = "complete",
    upstream_model: str = "theirs",
) -> tuple[Body, FakeSource]:
    """A bound body that has not been read."""
    source = FakeSource(pieces)
    dialect = OpenAI()
    body = Body(source, dialect.decoder(request, Headers({"content-type": content_type})))
    response = Response(body).with_slot(TARGET_USED, Target("upstream", upstream_model))
    normalise = Normalise(Normalise.Settings(shape=shape), fake_host())
    assert (await normalise(request, Next(lambda _: response))).body is body
    body.bind(dialect.encoder(request))
    return body, source


async def serve(
    request: Request,
    pieces: Sequence[Any],
    *,
    content_type: str,
    shape: Literal["complete", "forward"] = "complete",
    upstream_model: str = "theirs",
) -> Served:
    """Read the answer to its end."""
    body, source = await body_of(request, pieces, content_type=content_type, shape=shape, upstream_model=upstream_model)
    return await read_to_end(body, source)
