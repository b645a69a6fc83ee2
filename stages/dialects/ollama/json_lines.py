"""One JSON object of an Ollama server, and whether its bytes may be sent on as they are (laws 32, 39)."""

from __future__ import annotations

import re

from pipeline import Data, UpstreamGarbage
from stages.dialects.wire import NOT_JSON, decode, encode

DIALECT = "ollama"

# An escaped backslash, a whole pair, or half of one: only the last is replaced.
_HALVES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
# What makes bytes unfit: an end of line inside, a character that too many readers take for one, the key `error` even
# without a value (clients look for the key alone, pitfall 11), and what may be half a surrogate pair.
_UNFIT = re.compile(rb'[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|"error"|\\u[dD][89a-fA-F]')


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
    """`frame` as the one line it is, or None if it must be written afresh."""
    line = frame.strip()
    return None if _UNFIT.search(line) or not line else line + b"\n"


def line_of(data: Data) -> bytes:
    """`data` as one line, whatever reader splits it."""
    return encode(data) + b"\n"
