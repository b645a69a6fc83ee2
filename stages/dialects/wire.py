"""JSON as it goes on the wire, and the small checks that reading someone else's JSON needs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from pipeline import Data

_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
decode_top = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding somebody else's bytes may raise."""

# U+0085, U+2028 and U+2029 are legal in JSON text and split lines in too many readers (protocol.md 3.0.6, law 32).
_LINE_BREAKERS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


def encode(value: Any) -> bytes:
    """Compact JSON on one line, whatever reader splits it."""
    return on_one_line(_encode(value))


def on_one_line(text: bytes) -> bytes:
    """JSON text in which no reader finds a line's end."""
    # Their first bytes: looking for an int in bytes is twenty times as fast as for bytes.
    if not text.isascii() and (0xC2 in text or 0xE2 in text):
        for raw, escaped in _LINE_BREAKERS:
            text = text.replace(raw, escaped)
    return text


@lru_cache(maxsize=64)  # servers say the same few
def media_type(content_type: str | None) -> str:
    """A `content-type` without its parameters, in lower case; "" for none."""
    return (content_type or "").partition(";")[0].strip().lower()


def as_dict(value: Any) -> Data:
    """`value` if it is an object, else an empty one: upstreams put null where the schema says object."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def as_int(value: Any, default: int) -> int:
    """`value` if it is an integer (a bool is not), else `default`."""
    return value if type(value) is int else default


def as_count(value: Any, default: int) -> int:
    """`value` if it is an integer that can count or number something, else `default`."""
    return value if type(value) is int and value >= 0 else default
