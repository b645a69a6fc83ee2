"""Newline-delimited JSON, cut on bytes (protocol.md 1.10, 3.0.7; laws 34, 38).

Lines end in LF and nothing else: text readers that also split on U+2028 or U+0085 cut JSON in the middle. The other
way round some clients use such readers, and a blank line crashes one of them (1.12), so frames are what may be sent as
it is: one line that says something, its LF, and no CR before it.
"""

from __future__ import annotations

from stages.dialects.framing import Framer

_LF = b"\n"
_CR = 0x0D  # an int: looking for one in bytes is much quicker than looking for b"\r"
_BLANK = b" \t\r\n"


class NdjsonFramer(Framer):
    """Blank lines are skipped and CRLF becomes LF. A line is counted with its end."""

    def finish(self) -> list[bytes]:
        """Some servers do not end their last line."""
        rest = self.rest()
        return [_ended(rest)] if rest.strip(_BLANK) else []

    @staticmethod
    def is_one_frame(piece: bytes) -> bool:
        return piece.startswith(b"{") and piece.find(_LF) == len(piece) - 1 and _CR not in piece

    def find_end(self, buffer: bytearray, start: int) -> int:
        at = buffer.find(_LF, start)
        return at + 1 if at >= 0 else -1

    def frame(self, cut: bytes) -> bytes:
        if not cut.strip(_BLANK):
            return b""
        return _ended(cut) if cut.endswith(b"\r\n") else cut


def _ended(line: bytes) -> bytes:
    return line.rstrip(b"\r\n") + _LF
