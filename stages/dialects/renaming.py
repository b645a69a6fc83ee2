"""Another name for the model in an answer that otherwise leaves as it came (laws 21, 49)."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from stages.dialects.wire import NOT_JSON, decode_top, encode, on_one_line

_KEY = b'"model"'
_NAME = re.compile(rb'"model"\s*:\s*("[^"\\]*")')
_OPENINGS = (b"{", b"data: {")
_BACKSLASH = 0x5C  # an int: looking for one in bytes is much quicker than looking for b"\\"


def rename(data: bytes, name: bytes) -> bytes:
    """A JSON object under the name `name` (JSON text) and all else equal; what is none, or has no name, stays as it is.

    It is decoded one level deep and written again.
    """
    if b'"model"' not in data:
        return data
    try:
        top = decode_top(data)
    except NOT_JSON:
        return data
    if "model" not in top:
        return data
    return encode({**top, "model": msgspec.Raw(name)}) + (b"\n" if data.endswith(b"\n") else b"")


class FrameRenamer:
    """Renames one frame of a stream after another, or the one of a whole answer, mostly without reading it.

    The frames of a stream begin alike up to the model's name, so what was found out about the first beginning holds
    for all that have it. The name must not come again, escaped neither, since readers take the last: such a frame, and
    one whose beginning says too little, is left to `read`.
    """

    __slots__ = ("_head", "_name", "_read", "_renamed")

    def __init__(self, name: bytes, read: Callable[[bytes], bytes]) -> None:
        self._name = name
        self._read = read
        self._head = b""
        self._renamed = b""

    def __call__(self, frame: bytes) -> bytes:
        if not (self._head and frame.startswith(self._head)):
            found = _first_name(frame)
            if found is None:
                return self._read(frame)
            self._head = frame[: found.end()]
            self._renamed = on_one_line(frame[: found.start(1)] + self._name)
        end = len(self._head)
        rest = frame[end:]
        if frame.find(_KEY, end) >= 0 or (_BACKSLASH in rest and b"\\u006" in rest):
            return self._read(frame)
        return self._renamed + on_one_line(rest)


def _first_name(frame: bytes) -> re.Match[bytes] | None:
    """The first name in `frame`, if its key is certainly one of the outermost object.

    That is so if nothing before it but the brace at the beginning is a bracket or an escape: then quotes pair up.
    """
    at = frame.find(_KEY)
    before = frame[:at]
    if at < 0 or not before.startswith(_OPENINGS) or len(before.translate(None, b"{}[]\\")) != at - 1:
        return None
    return _NAME.match(frame, at)
