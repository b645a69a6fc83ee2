"""Send an upstream's bytes through the whole response path, as a gateway does: decoder, body, shape, encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline import TARGET_USED, Body, GatewayError, Headers, Outcome, Request, Response, Target
from stages.dialects.openai.dialect import OpenAI
from stages.normalise import Normalise
from tests.stages.fakes import FakeSource, Next, fake_host

SSE = "text/event-stream"
JSON = "application/json"


@dataclass
class Served:
    """What the client got, piece by piece; `raised` if nothing had been sent yet when it failed."""

    pieces: list[bytes]
    raised: GatewayError | None
    outcome: Outcome
    source: FakeSource

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


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
    outcomes: list[Outcome] = []
    body.on_end(outcomes.append)
    out: list[bytes] = []
    raised = None
    try:
        while (piece := await body.next_piece()) is not None:
            out.append(piece)
    except GatewayError as error:
        raised = error
    assert source.released, "the connection is released however the body ends"
    assert len(outcomes) == 1
    return Served(out, raised, outcomes[0], source)
