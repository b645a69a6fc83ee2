"""A piece of work that stays as it is: what the gateway's figures are compared with on another build of Python.

Instruction counts depend on the interpreter, its compiler flags and its version. This does what the gateway does and
calls none of its code. Half of it is the interpreter's work (coroutines, attribute writes, small dicts, byte searches),
which changes from build to build; half is the JSON library's, which comes as the same compiled wheel for all. So it
moves about as much as the figures do: on CPython 3.11 optimised by Debian, 3.12 and 3.13, against an unoptimised 3.11,
no figure moved 7 % against it. Changing it makes the baseline worthless.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_BODY = msgspec.json.encode(
    {"model": "small", "messages": [{"role": "user", "content": "Which road? " * 30}] * 30, "stream": True}
)
_FRAMES = b"".join(b'data: {"choices":[{"index":0,"delta":{"content":" w%d"}}]}\n\n' % at for at in range(30))


class _Item:
    __slots__ = ("kind", "name", "values")

    def __init__(self, name: str, values: dict[str, Any], *, kind: str = "data") -> None:
        self.name = name
        self.values = values
        self.kind = kind


async def _end(item: _Item) -> _Item:
    return item


def _layer(inner: Callable[[_Item], Awaitable[_Item]]) -> Callable[[_Item], Awaitable[_Item]]:
    async def call(item: _Item) -> _Item:
        return await inner(_Item(item.name, {**item.values, "seen": True}, kind=item.kind))

    return call


_handler = _layer(_layer(_layer(_end)))


def reference() -> object:
    """Do it once: about as much as thirty events of a stream."""
    item = _Item("chat", dict(_decode(_BODY)))
    coroutine: Any = _handler(item)
    try:
        coroutine.send(None)
    except StopIteration as done:
        item = done.value
    out: list[bytes] = []
    begin = 0
    while (end := _FRAMES.find(b"\n\n", begin)) >= 0:
        frame = _FRAMES[begin : end + 2]
        begin = end + 2
        if not frame.startswith(b"data: ") or b'"error"' in frame:
            continue
        data = msgspec.json.decode(frame[6:-2])
        for choice in data.get("choices") or ():
            text = choice["delta"].get("content")
            out.append(_encode({**item.values, "index": choice.get("index", 0), "text": text}))
    return b"".join(out)
