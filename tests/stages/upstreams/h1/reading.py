"""What came of reading a response, as a value that two readings can be compared by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stages.upstreams.h1.reader import Malformed, ResponseReader


@dataclass(frozen=True)
class Reading:
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    ending: str  # complete, malformed or cut
    reusable: bool


def reading(reads: Iterable[bytes], *, is_head: bool = False, eof: bool = True) -> Reading:
    """Feed these reads and then, if `eof`, the orderly end of the connection."""
    reader = ResponseReader(is_head=is_head)
    body: list[bytes] = []
    ending = "cut"
    try:
        for data in reads:
            reader.feed(data)
            body.append(reader.take() or b"")
        if eof:
            reader.eof()
    except Malformed:
        body.append(reader.take() or b"")
        ending = "malformed"
    if reader.complete:
        ending = "complete"
    headers = tuple(reader.headers) if reader.head_done else ()
    return Reading(reader.status, headers, b"".join(body), ending, reader.reusable)
