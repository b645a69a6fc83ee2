"""Cutting a stream of bytes into frames, whatever the protocol and however the bytes are split."""

from __future__ import annotations

from abc import ABC, abstractmethod

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""The default cap of one event: no line that an Ollama server or client takes is longer (protocol.md 1.1, 3.0.7)."""

_CR = 0x0D  # an int: looking for one in bytes is much quicker than looking for b"\r"
_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event is over the cap; `frames` are the whole ones before it."""

    def __init__(self, max_event_bytes: int, frames: list[bytes]) -> None:
        super().__init__(f"an event is over {max_event_bytes} bytes")
        self.frames = frames


class Framer(ABC):
    """Cuts pieces of any size into frames; linear in the bytes whatever the split.

    A leading byte-order mark is dropped. Raises `EventTooLarge` over `max_event_bytes`. What a frame ends with is up to
    the protocol; `overlap` is how many bytes of that may already be here when the rest of it comes. `seen_cr` turns
    true with the first CR: most streams have none, and are cut more quickly.
    """

    overlap = 0

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._first = True
        self.seen_cr = False
        self._max = max_event_bytes

    @staticmethod
    @abstractmethod
    def is_one_frame(piece: bytes) -> bool:
        """Whether `piece` is one frame as it is. Nearly every piece is, so this must be quick."""

    @abstractmethod
    def find_end(self, buffer: bytearray, start: int) -> int:
        """Where the first frame that ends after `start` ends, or -1."""

    @abstractmethod
    def finish(self) -> list[bytes]:
        """What is left at the end of the stream."""

    def frame(self, cut: bytes) -> bytes:
        """What was cut, as a frame; b"" for what says nothing."""
        return cut

    def feed(self, piece: bytes) -> list[bytes]:
        """The frames that `piece` completes."""
        if not self._buffer and not self._first and len(piece) <= self._max and self.is_one_frame(piece):
            return [piece]
        self.seen_cr = self.seen_cr or _CR in piece
        self._buffer += piece
        if self._first and not self._strip_bom():
            return []
        return self._cut()

    def rest(self) -> bytes:
        """Take what is no frame yet."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return rest

    def _strip_bom(self) -> bool:
        if len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer):
            return False
        if self._buffer.startswith(_BOM):
            del self._buffer[: len(_BOM)]
        self._first = False
        return True

    def _cut(self) -> list[bytes]:
        frames: list[bytes] = []
        start = 0
        buffer = self._buffer
        position = self._searched
        while (end := self.find_end(buffer, position)) >= 0:
            if end - start > self._max:
                raise EventTooLarge(self._max, frames)
            if frame := self.frame(bytes(buffer[start:end])):
                frames.append(frame)
            start = position = end
        if start:
            del buffer[:start]
        self._searched = max(0, len(buffer) - self.overlap)
        if len(buffer) > self._max:
            raise EventTooLarge(self._max, frames)
        return frames
