"""What a client gets of a body that is read to its end, whatever the dialects on both sides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pipeline import Body, Data, GatewayError, Outcome, UpstreamError
from tests.stages.fakes import FakeSource


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

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Data]:
        """The lines of an Ollama stream, as a reader sees them that splits wherever Python does (law 32)."""
        lines = [json.loads(line) for line in self.body.decode().splitlines()]
        assert len(lines) == self.body.count(b"\n")
        return lines

    @property
    def events(self) -> list[Any]:
        """The events of an OpenAI stream; the end marker is the text of it."""
        datas = [event.removeprefix("data: ") for event in self.body.decode().split("\n\n") if event]
        return [data if data == "[DONE]" else json.loads(data) for data in datas]


async def read_to_end(body: Body, source: FakeSource) -> Served:
    """Read a bound body as an adapter does. However it ends, it ends once and lets go of the connection."""
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
    (outcome,) = outcomes
    if isinstance(outcome.error, UpstreamError):
        assert outcome.error.work_done == "maybe", "who had begun to answer had worked: no retry"
    return Served(out, raised, outcome, source)
