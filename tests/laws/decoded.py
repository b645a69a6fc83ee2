"""What a dialect's decoder makes of bytes in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import Data, Dialect, EventKind, GatewayError, Headers
from tests.laws.answered import STRAIGHT, STREAM, request_of

CHAT = {pair.client.name: pair for pair in STRAIGHT if pair.operation == "chat"}


@dataclass(frozen=True)
class Decoded:
    """The events, whether the success marker came, and the code of the failure."""

    events: list[Data]
    finished: bool
    failure: str | None


def decoded(dialect: Dialect, pieces: Sequence[bytes]) -> Decoded:
    """Feed the pieces of a chat stream, then the end. An exception that is no typed error passes through."""
    request = request_of(CHAT[dialect.name], stream=True)
    decoder = dialect.decoder(request, Headers({"content-type": STREAM[dialect.name]}))
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
    return Decoded(events, decoder.finished, failure.code if failure else None)
