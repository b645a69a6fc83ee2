"""What decoders share: frames are looked at as they come, until the end or the first failure; wholes are gathered."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pipeline import GatewayError, UpstreamGarbage
from stages.dialects.framing import EventTooLarge, Framer

MAX_WHOLE_BYTES = 32 * 1024 * 1024


class FramedDecoder(ABC):
    """`look` sees every frame. It sets `finished` or `failure`, and returns the frames up to that one.

    After either nothing more is read. An event over the cap fails the stream after the frames before it, unless one of
    them was the end.
    """

    whole = False

    def __init__(self, framer: Framer) -> None:
        self.finished = False
        self.failure: GatewayError | None = None
        self._framer = framer

    @abstractmethod
    def look(self, frames: list[bytes]) -> list[bytes]: ...

    def feed(self, piece: bytes) -> list[bytes]:
        if self.finished or self.failure is not None:
            return []
        try:
            return self.look(self._framer.feed(piece))
        except EventTooLarge as error:
            frames = self.look(error.frames)
            if not self.finished and self.failure is None:
                message = "The upstream sent an oversized event."
                self.failure = UpstreamGarbage(message, work_done="maybe", detail=str(error))
            return frames


class GatheringDecoder:
    """A whole answer in any number of pieces, up to a cap: one that is larger fails, and is no longer kept."""

    whole = True

    def __init__(self, max_bytes: int) -> None:
        self.finished = False
        self.failure: GatewayError | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._max = max_bytes

    def feed(self, piece: bytes) -> list[bytes]:
        self._size += len(piece)
        if self._size > self._max:
            message = "The upstream's answer is too large."
            self.failure = UpstreamGarbage(message, work_done="maybe", detail=f"over {self._max} bytes")
        elif self.failure is None:
            self._pieces.append(piece)
        return []

    def gathered(self) -> bytes:
        return b"".join(self._pieces)
