"""Newline-delimited JSON, cut on bytes (protocol.md 1.10, 3.0.7; laws 34, 38).

Lines end in LF and nothing else: text readers that also split on U+2028 or U+0085 cut JSON in the middle. The other
way round some clients use such readers, and a blank line crashes one of them (1.12), so frames are what may be sent as
it is: one line that says something, its LF, and no CR before it.
"""

from __future__ import annotations

from stages.dialects.framing import EventTooLarge

_LF = b"\n"
_CR = 0x0D  # an int: looking for one in bytes is much quicker than looking for b"\r"
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"


class NdjsonFramer:
    """Cuts pieces of any size into frames; linear in the bytes whatever the split.

    Blank lines are skipped, CRLF becomes LF, a leading byte-order mark is dropped. Raises `EventTooLarge` over
    `max_event_bytes`, counted with the line's end.
    """

    def __init__(self, *, max_event_bytes: int = 8 * 1024 * 1024) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._first = True
        self._max = max_event_bytes

    def feed(self, piece: bytes) -> list[bytes]:
        """The frames that `piece` completes."""
        if not self._buffer and not self._first and len(piece) <= self._max and _is_one_line(piece):
            return [piece]
        self._buffer += piece
        if self._first and not self._strip_bom():
            return []
        return self._cut()

    def finish(self) -> list[bytes]:
        """What is left at the end of the stream: some servers do not end their last line."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return [_ended(rest)] if rest.strip(_BLANK) else []

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
        while (at := buffer.find(_LF, position)) >= 0:
            end = at + 1
            if end - start > self._max:
                raise EventTooLarge(self._max, frames)
            line = bytes(buffer[start:end])
            if line.strip(_BLANK):
                frames.append(_ended(line) if line.endswith(b"\r\n") else line)
            start = position = end
        if start:
            del buffer[:start]
        self._searched = len(buffer)
        if len(buffer) > self._max:
            raise EventTooLarge(self._max, frames)
        return frames


def _is_one_line(piece: bytes) -> bool:
    """Whether `piece` is one frame as it is. Nearly every piece is, and it is quickly seen."""
    return piece.startswith(b"{") and piece.find(_LF) == len(piece) - 1 and _CR not in piece


def _ended(line: bytes) -> bytes:
    return line.rstrip(b"\r\n") + _LF
