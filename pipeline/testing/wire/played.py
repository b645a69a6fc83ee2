"""A scripted answer on the wire: its head, its steps as chunks, and what breaks it off."""

from __future__ import annotations

from typing import Literal

from pipeline.testing.scripted import ScriptedAnswer, Stall
from pipeline.testing.wire.connection import Script, Wire

Framing = Literal["chunked", "close"]


def played(
    answer: ScriptedAnswer, *, framing: Framing = "chunked", byte_by_byte: bool = False, cut_at: int | None = None
) -> Script:
    """A script that answers every request of a connection so.

    A piece of bytes is a chunk, a `Stall` lasts as long in real time, an exception resets the connection. `framing`:
    `close` ends the body with the connection, so that its client cannot see a cut. `byte_by_byte` sends single bytes.
    `cut_at` closes before that byte of the response, its head and framing counted.
    """

    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            out = _Cut(wire, byte_by_byte=byte_by_byte, left=cut_at)
            if not await _plays(answer, out, framing):
                return
            wire.answered()
            if framing == "close":
                return

    return script


async def _plays(answer: ScriptedAnswer, out: _Cut, framing: Framing) -> bool:
    """Whether the answer is complete."""
    chunked = framing == "chunked"
    await out.send(_head(answer, chunked=chunked))
    for step in answer.steps:
        if out.over:
            return False
        if isinstance(step, Stall):
            await out.wire.stall(step.seconds)
        elif isinstance(step, Exception):
            out.wire.reset()
            return False
        elif step:  # an empty chunk would be the last one
            await out.send(_chunk(step) if chunked else step)
    if chunked:
        await out.send(_chunk(b""))
    return not out.over


def _head(answer: ScriptedAnswer, *, chunked: bool) -> bytes:
    framing = ("transfer-encoding", "chunked") if chunked else ("connection", "close")
    fields = "".join(f"{name}: {value}\r\n" for name, value in (*answer.headers, framing))
    return f"HTTP/1.1 {answer.status} Scripted\r\n{fields}\r\n".encode("latin-1")


def _chunk(data: bytes) -> bytes:
    """RFC 9112 7.1; the last one for no data."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class _Cut:
    """Sends up to a number of bytes and not one more."""

    def __init__(self, wire: Wire, *, byte_by_byte: bool, left: int | None) -> None:
        self.wire = wire
        self.over = left == 0
        self._byte_by_byte = byte_by_byte
        self._left = left

    async def send(self, data: bytes) -> None:
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.over = self._left == 0
        if self._byte_by_byte:
            await self.wire.send_bytewise(data)
        else:
            await self.wire.send(data)
