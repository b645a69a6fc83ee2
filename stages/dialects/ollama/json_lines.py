"""One JSON object of an Ollama server, and whether its bytes may be sent on as they are (laws 32, 39)."""

from __future__ import annotations

import re

from pipeline import Data, UpstreamGarbage
from stages.dialects.wire import NOT_JSON, decode, encode, on_one_line

DIALECT = "ollama"

# An escaped backslash, a whole pair, or half of one: only the last is replaced.
_HALVES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_MAYBE_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_LF, _CR = 0x0A, 0x0D  # ints: looking for one in bytes is much quicker than looking for b"\r"


def parse(frame: bytes) -> Data:
    """The object in `frame`. Half surrogate pairs become U+FFFD; anything else that is no JSON object is garbage."""
    try:
        data = decode(frame)
    except NOT_JSON as error:
        data = _repaired(frame, error)
    if not isinstance(data, dict):
        raise UpstreamGarbage("The upstream sent something that is not a JSON object.", work_done="maybe")
    return data


def _repaired(frame: bytes, error: Exception) -> object:
    whole = _HALVES.sub(lambda match: match[1] or rb"\ufffd", frame)
    try:
        if whole != frame:
            return decode(whole)
    except NOT_JSON as still:
        error = still
    raise UpstreamGarbage("The upstream sent something that is not JSON.", work_done="maybe", detail=str(error))


def as_line(frame: bytes) -> bytes | None:
    """`frame` as the one line it is, or None if it must be written afresh.

    Bytes are unfit with an end of line inside, a character that too many readers take for one, the key `error` even
    without a value (clients look for the key alone, pitfall 11), and what may be half a surrogate pair.
    """
    line = frame.strip()
    if not line or _LF in line or _CR in line or b'"error"' in line or on_one_line(line) != line:
        return None
    return None if b"\\u" in line and _MAYBE_HALF.search(line) else line + b"\n"


def line_of(data: Data) -> bytes:
    """`data` as one line, whatever reader splits it."""
    return encode(data) + b"\n"
