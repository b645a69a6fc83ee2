"""A client that sends exactly the bytes it is given and leaves exactly as it is told. asyncio, one connection each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.testing.wire import HOST
from tests.wire.documents import KEY

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """A response, its transfer coding undone. `complete` says whether its end was seen."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool = True

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(
    method: str,
    target: str,
    body: bytes | dict[str, Any] = b"",
    *,
    key: str | None = KEY,
    id: str = "",
    extra: str = "",
) -> bytes:
    """A well-formed request; `extra` is further header lines, each with its line end."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"Authorization: Bearer {key}"] if key is not None else []
    lines += [f"X-Request-Id: {id}"] if id else []
    lines += [f"Content-Length: {len(content)}"] if content or method == "POST" else []
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode() + content


class RawClient:
    """One connection to a gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def read_until(self, mark: bytes) -> bytes:
        """The bytes up to and including `mark`."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.readuntil(mark)

    async def skip_past(self, mark: bytes) -> None:
        """Read and forget everything up to the first read that ends after `mark`, however much it is."""
        last = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while mark not in last:
                piece = await self._reader.read(65536)
                assert piece, "the connection ended first"
                last = last[-len(mark) :] + piece

    async def answer(self) -> Answer:
        """The next response; one that is cut short comes back as incomplete."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line, *fields = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            headers = tuple((name, value.strip()) for name, _, value in (field.partition(":") for field in fields))
            head = Answer(int(line.split(" ")[1]), headers, b"")
            body, complete = bytearray(), True
            try:
                if head.header("transfer-encoding") == "chunked":
                    while size := int(await self._reader.readuntil(b"\r\n"), 16):
                        body += (await self._reader.readexactly(size + 2))[:-2]
                    await self._reader.readexactly(2)
                else:
                    body += await self._reader.readexactly(int(head.header("content-length") or 0))
            except (asyncio.IncompleteReadError, ConnectionError):
                complete = False
        return Answer(head.status, headers, bytes(body), complete)

    async def ended(self) -> bool:
        """Whether the server closes this connection without another byte."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.read(1) == b""

    def leave(self) -> None:
        """Close by reset, as a browser tab or a killed process does."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[RawClient]:
    """A connection that is closed at the end. It buffers little: whoever does not read slows the server down."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=65536)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def ask(port: int, data: bytes) -> Answer:
    """The answer to one request on a connection of its own."""
    async with connected(port) as client:
        await client.send(data)
        return await client.answer()
