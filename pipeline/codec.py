"""What a wire protocol gives the engine to read and write bodies: pure state machines, one pair a body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from pipeline.errors import GatewayError
from pipeline.events import Data, Event


class Usage(msgspec.Struct, frozen=True):
    """Token counts as the upstream reported them. Missing is not zero: an unknown count is None."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Decoder(Protocol):
    """An upstream's bytes, cut into frames and, when asked, decoded into events.

    `feed` never raises: a frame that reports an error, or bytes that are no frame, set `failure`, and the body fails
    after the frames before it have left. `finished` turns true when the protocol's own success marker was seen;
    whatever comes after it is dropped. Terminal and usage are found by a cheap look at the bytes, not by decoding.
    """

    dialect: str
    whole: bool
    finished: bool
    failure: GatewayError | None

    def feed(self, piece: Any) -> list[Any]:
        """The frames that `piece` completes, in order; the rest is kept for the next call."""
        ...

    def finish(self) -> list[Any]:
        """At the end of the bytes: the last frames. Sets `failure` when the success marker never came."""
        ...

    def events(self, frame: Any) -> Sequence[Event]:
        """The neutral events of one frame, still undecoded where possible."""
        ...

    def usage(self) -> Usage | None:
        """The token counts seen so far."""
        ...


class Encoder(Protocol):
    """Events, written in the client's dialect. A frame of the same dialect is forwarded as it is."""

    dialect: str
    whole: bool
    content_type: str

    def encode(self, event: Event) -> bytes:
        """The bytes of one event; b"" while a whole answer is being gathered."""
        ...

    def finish(self) -> bytes:
        """The bytes still owed at the end: all of a whole answer, nothing of a stream."""
        ...

    def fold(self, events: Sequence[Event]) -> Data:
        """The whole answer that these events are the stream of."""
        ...
