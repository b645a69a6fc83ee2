"""A server whose answers a test writes down, byte for byte, for the load to be measured against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

END = b"\r\n\r\n"


class Exchange:
    """One request that was read, and what may be done about it."""

    def __init__(self, transport: asyncio.Transport, body: bytes, connection: int) -> None:
        self.body = body
        self.connection = connection
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def send(self, *pieces: bytes, after_seconds: float = 0.0, apart_seconds: float = 0.0) -> None:
        """Write the pieces, each after the one before it has left."""
        if after_seconds:
            self._loop.call_later(after_seconds, self._write, pieces, apart_seconds)
        else:
            self._write(pieces, apart_seconds)

    def cut(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def _write(self, pieces: tuple[bytes, ...], apart_seconds: float) -> None:
        self._transport.write(pieces[0])
        if pieces[1:]:
            self._loop.call_later(apart_seconds, self._write, pieces[1:], apart_seconds)


Script = Callable[[Exchange], None]


class _Connection(asyncio.Protocol):
    def __init__(self, script: Script, number: int) -> None:
        self._script = script
        self._number = number
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, end, rest = self._seen.partition(END)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if end and len(rest) >= length:
            self._seen = rest[length:]
            self._script(Exchange(self._transport, rest[:length], self._number))


@asynccontextmanager
async def serving(script: Script, port: int = 0) -> AsyncIterator[int]:
    """The port on which `script` answers every request. Connections are numbered from 0."""
    opened = 0

    def connection() -> _Connection:
        nonlocal opened
        opened += 1
        return _Connection(script, opened - 1)

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
