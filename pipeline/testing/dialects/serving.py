"""An answer on its way through one dialect: from the bytes of an upstream to those that its client gets.

The body is the engine's own and is completed as the stage `normalise` has it done, so that what is seen is what a
client of a gateway would see. There is no event loop: nothing in a dialect waits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.body import Body
from pipeline.conformance import Parsed
from pipeline.dialect import Dialect
from pipeline.errors import GatewayError, InternalError
from pipeline.events import Data, EventKind
from pipeline.headers import Headers
from pipeline.outcome import Outcome, OutcomeKind
from pipeline.request import Request
from pipeline.testing.dialects.subject import DialectSubject
from pipeline.testing.drive import by_hand
from pipeline.testing.points import Points
from pipeline.testing.scripted import ScriptedSource
from pipeline.testing.virtual_clock import VirtualClock


def asked(dialect: Dialect, operation: str, request: Data, *, stream: bool) -> Request:
    """The request of a client, which is answered in the mode `stream` whatever is written in it."""
    decoded = dialect.decode_request(operation, json.dumps(request).encode(), "")
    return Request(
        operation, model=decoded.model, payload=decoded.payload, dialect=dialect.name, stream=stream, id="kit-request"
    )


@dataclass
class Served:
    """What a client got; `raised` where nothing had been sent yet when it failed."""

    body: bytes
    raised: GatewayError | None
    outcome: Outcome | None

    def parsed(self, subject: DialectSubject) -> Parsed:
        """A stream, which has ended in exactly one way. Raises `AssertionError` where it has not."""
        parsed = subject.kit.parse(self.body)
        ends = {"an end marker": parsed.done, "an error": parsed.error is not None, "a status": self.raised is not None}
        seen = [end for end, is_there in ends.items() if is_there]
        assert len(seen) == 1, f"the stream ended in {' and '.join(seen) or 'nothing that a client could tell'}"
        assert self.raised is None or not self.body, "it failed by a status after bytes had been sent"
        if self.outcome is not None:
            complete = self.outcome.kind is OutcomeKind.COMPLETE
            assert complete == parsed.done, f"the client saw {seen[0]}, the access line says {self.outcome.kind.value}"
        return parsed

    def whole(self) -> Data:
        """A whole answer. Raises what it failed with, or `AssertionError` where it is no JSON object."""
        if self.raised is not None:
            raise self.raised
        try:
            answer = json.loads(self.body)
        except ValueError as error:
            raise AssertionError(f"a whole answer that is no JSON: {self.body[:200]!r}") from error
        assert isinstance(answer, dict), f"a whole answer that is no object: {answer!r}"
        return answer


def serve(subject: DialectSubject, request: Request, steps: Sequence[Any], *, came_streamed: bool) -> Served:
    """Read the answer to its end. Raises `AssertionError` where the dialect raised what is no typed error."""
    served = by_hand(lambda: _read(subject.dialect, request, steps, came_streamed=came_streamed)).unwrap()
    failure = served.raised or (served.outcome.error if served.outcome is not None else None)
    if isinstance(failure, InternalError) and failure.__cause__ is not None:
        cause = failure.__cause__
        raise AssertionError(f"the dialect raised {type(cause).__name__}: {cause}") from cause
    return served


async def _read(dialect: Dialect, request: Request, steps: Sequence[Any], *, came_streamed: bool) -> Served:
    source = ScriptedSource(steps, Points(by_hand=True), VirtualClock())
    body = Body(source, dialect.decoder(_in_mode(request, came_streamed), Headers()))
    body.expand(dialect.completer(request, model=request.model, id=request.id, clock=VirtualClock()))
    body.bind(dialect.encoder(request))
    outcomes: list[Outcome] = []
    body.on_end(outcomes.append)
    pieces: list[bytes] = []
    raised: GatewayError | None = None
    try:
        while (piece := await body.next_piece()) is not None:
            pieces.append(piece)
    except GatewayError as error:
        raised = error
    return Served(b"".join(pieces), raised, outcomes[0] if outcomes else None)


def _in_mode(request: Request, stream: bool) -> Request:
    return Request(
        request.operation, model=request.model, payload=request.payload, dialect=request.dialect, stream=stream
    )


@dataclass(frozen=True)
class Decoded:
    """What a decoder made of bytes: the data of its events, whether the end marker came, and the failure's code."""

    events: list[Data]
    finished: bool
    failure: str | None


def decoded(dialect: Dialect, request: Request, pieces: Sequence[bytes]) -> Decoded:
    """Feed the pieces, then the end. What is no typed error passes through."""
    decoder = dialect.decoder(request, Headers())
    events: list[Data] = []
    failure: GatewayError | None = None

    def look(frames: Sequence[Any]) -> None:
        for frame in frames:
            events.extend(event.data for event in decoder.events(frame) if event.kind is EventKind.DATA)

    try:
        for piece in pieces:
            look(decoder.feed(piece))
        look(decoder.finish())
    except GatewayError as error:
        failure = error
    failure = failure or decoder.failure
    # An end marker behind what failed is not reached by a body, though the decoder may have seen it in the same read.
    finished = decoder.finished and failure is None
    return Decoded(events, finished, (failure.code or type(failure).__name__) if failure else None)
