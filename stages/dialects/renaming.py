"""Another name for the model in an answer that otherwise leaves as it came (laws 21, 49)."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from stages.dialects.wire import NOT_JSON, decode_top, encode, on_one_line

# Up to the name there are no brackets and no escapes, so the quotes pair up and the key is one of the outermost object.
_HEAD = re.compile(rb'(?:data: )?\s*\{[^{}\[\]\\]*?"model"\s*:\s*("[^"\\]*")')


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
    """Renames one frame of a stream after another, mostly without reading it.

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
            found = _HEAD.match(frame)
            if found is None:
                return self._read(frame)
            self._head = found[0]
            self._renamed = frame[: found.start(1)] + self._name
        end = len(self._head)
        if frame.find(b'"model"', end) >= 0 or frame.find(b"\\u006", end) >= 0:
            return self._read(frame)
        return on_one_line(self._renamed + frame[end:])
