"""Server-sent events, cut on bytes (WHATWG HTML 9.2; protocol.md 2.12, laws 34-37).

Lines end in LF, CR or CRLF and nothing else: text readers that also split on U+2028 or U+0085 cut JSON in the middle.
A frame is everything up to and including the blank line that ends it, so frames can be forwarded byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Atomic groups: CRLF is one line end, never a CR followed by a blank line.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event grew past the cap without ending."""


class SseFramer:
    """Cuts pieces of any size into frames; linear in the bytes whatever the split.

    A frame that ends in CR is complete at once; an LF that follows in the next piece opens the next frame, where an
    empty line means nothing. A leading byte-order mark is dropped. Raises `EventTooLarge` over `max_event_bytes`.
    """

    def __init__(self, *, max_event_bytes: int = 8 * 1024 * 1024) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._first = True
        self._max = max_event_bytes

    def feed(self, piece: bytes) -> list[bytes]:
        """The frames that `piece` completes."""
        if not self._buffer and not self._first and _is_one_frame(piece):
            return [piece]
        self._buffer += piece
        if self._first and not self._strip_bom():
            return []
        return self._cut()

    def finish(self) -> list[bytes]:
        """What is left at the end of the stream, ended properly: clients ignore an event without its blank line."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        if not rest.strip(b"\r\n"):
            return []
        return [rest.rstrip(b"\r\n") + b"\n\n"]

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
        while match := _BLANK_LINE.search(buffer, position):
            end = match.end()
            frames.append(bytes(buffer[start:end]))
            start = position = end
        if start:
            del buffer[:start]
        # A blank line may be split over pieces: its first three bytes can already be here.
        self._searched = max(0, len(buffer) - 3)
        if len(buffer) > self._max:
            raise EventTooLarge(f"an event is over {self._max} bytes")
        return frames


def _is_one_frame(piece: bytes) -> bool:
    return piece.endswith(b"\n\n") and piece.find(b"\n\n") == len(piece) - 2 and b"\r" not in piece


def data_of(frame: bytes) -> bytes | None:
    """The data of a frame: its `data` lines joined by LF, less one leading space each; None if it has none."""
    if frame.startswith(b"data: ") and _is_one_frame(frame) and frame.find(b"\n") == len(frame) - 2:
        return frame[6:-2]
    lines = [_value(line) for line in frame.splitlines() if line == b"data" or line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def _value(line: bytes) -> bytes:
    value = line[5:]
    return value[1:] if value.startswith(b" ") else value


def replace_data(frame: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """`frame` with its data changed; frames without data, and data that `change` leaves alone, keep their bytes."""
    data = data_of(frame)
    if data is None:
        return frame
    changed = change(data)
    return frame if changed is data else encode(changed)


def encode(data: bytes) -> bytes:
    """One event. `data` must be a single line, as JSON is."""
    return b"data: " + data + b"\n\n"
