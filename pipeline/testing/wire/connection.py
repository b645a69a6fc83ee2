"""One connection of a scripted upstream, as its script drives it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


class Gone(Exception):
    """The peer closed or reset the connection."""


@dataclass(frozen=True)
class Received:
    """One request as it came off the wire. `connection` counts from 0."""

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass
class Seen:
    """What happened so far. Written by the upstream's thread only, under `changed`; to be read from any."""

    connections: int = 0
    open: int = 0
    aborts: int = 0
    bytes_sent: int = 0
    requests: list[Received] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition, repr=False)


class Wire:
    """One accepted connection, as its script drives it. Whatever fails because the peer left raises `Gone`."""

    def __init__(self, seen: Seen, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._seen = seen
        self._reader = reader
        self._writer = writer
        self.number = number
        self.idle = True  # between requests, where a peer that leaves aborts nothing

    async def request(self) -> Received:
        """Read one request, its body by Content-Length."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            self.idle = False
            line, *fields = head.decode("latin-1").split("\r\n")[:-2]
            headers = tuple((name, value.strip()) for name, _, value in (field.partition(":") for field in fields))
            length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Gone from error
        method, target, _ = line.split(" ")
        received = Received(self.number, method, target, headers, body)
        with self._seen.changed:
            self._seen.requests.append(received)
            self._seen.changed.notify_all()
        return received

    async def send(self, data: bytes) -> None:
        """Write and wait until the peer's side has room: a peer that does not read blocks the script here."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (ConnectionError, ssl.SSLError) as error:
            raise Gone from error
        with self._seen.changed:
            self._seen.bytes_sent += len(data)
            self._seen.changed.notify_all()

    async def send_bytewise(self, data: bytes) -> None:
        """One segment a byte. The peer may still read several at once; the loop turns between let it not to."""
        for at in range(len(data)):
            await self.send(data[at : at + 1])
            await asyncio.sleep(0)

    async def hold(self) -> None:
        """Say nothing more and wait until the peer leaves."""
        with contextlib.suppress(ConnectionError):
            await self._reader.read()
        raise Gone

    async def stall(self, seconds: float) -> None:
        """Say nothing for a while, in real time. The peer may leave meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hold()

    async def flood(self, data: bytes, *, pause_seconds: float = 0.0) -> None:
        """Send `data` again and again until the peer leaves."""
        while True:
            await self.send(data)
            await asyncio.sleep(pause_seconds)

    def half_close(self) -> None:
        """No more bytes from here; the other direction stays open."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Close by RST, as a crashed process does."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def answered(self) -> None:
        """An answer is complete: a peer that leaves now aborts nothing."""
        self.idle = True


Script = Callable[[Wire], Awaitable[None]]
"""An async function of one accepted connection; it returns to close it."""
