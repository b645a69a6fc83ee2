"""Server-sent events, cut on bytes (WHATWG HTML 9.2; protocol.md 2.12, laws 34-37).

Lines end in LF, CR or CRLF and nothing else: text readers that also split on U+2028 or U+0085 cut JSON in the middle.
A frame is everything up to and including the blank line that ends it, so frames can be forwarded byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stages.dialects.framing import Framer

# Possessive `?+`: CRLF is one line end, never a CR followed by a blank line.
_BLANK_LINE = re.compile(rb"(?:\r\n?+|\n)(?:\r\n?+|\n)")
# The same where no CR has been seen, which is nearly everywhere; ten times as fast.
_BLANK_LINE_WITHOUT_CR = re.compile(rb"\n\n")
_CR, _LF = 0x0D, 0x0A  # ints: looking for one in bytes is much quicker than looking for b"\r"


def _is_one_line(piece: bytes) -> bool:
    """Whether `piece` is one frame of one line. Nearly every frame is, and it is quickly seen."""
    return piece.find(b"\n") == len(piece) - 2 and piece[-1] == _LF and _CR not in piece


class SseFramer(Framer):
    """A frame is everything up to and including the blank line that ends it, so that it can be forwarded.

    A frame that ends in CR is complete at once; an LF that follows in the next piece opens the next frame, where an
    empty line means nothing.
    """

    overlap = 3  # a blank line may be split over pieces: its first three bytes can already be here
    is_one_frame = staticmethod(_is_one_line)

    def finish(self) -> list[bytes]:
        """What is left at the end of the stream, ended properly: clients ignore an event without its blank line."""
        rest = self.rest()
        return [rest.rstrip(b"\r\n") + b"\n\n"] if rest.strip(b"\r\n") else []

    def find_end(self, buffer: bytearray, start: int) -> int:
        match = (_BLANK_LINE if self.seen_cr else _BLANK_LINE_WITHOUT_CR).search(buffer, start)
        return match.end() if match is not None else -1


def data_of(frame: bytes) -> bytes | None:
    """The data of a frame: its `data` lines joined by LF, less one leading space each; None if it has none."""
    if frame.startswith(b"data: ") and _is_one_line(frame):
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
    """One event. JSON that is forwarded may span lines; each gets its own field, and readers join them by LF."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
