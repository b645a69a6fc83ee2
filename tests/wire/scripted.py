"""An upstream that does exactly what a script says, on a real socket, and remembers what was done to it.

It runs asyncio in a thread of its own, so that the loop under test (asyncio or trio) holds nothing but what is tested,
and a gateway in another process can call it too. A script is an async function of a `Wire`, which is one accepted
connection; the n-th connection plays the n-th script, and the last script is played by all that follow.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import anyio.to_thread

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20.0


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
    """What happened so far. Written by the upstream's thread only, under its condition."""

    connections: int = 0
    open: int = 0
    aborts: int = 0
    bytes_sent: int = 0
    requests: list[Received] = field(default_factory=list)


class Gate:
    """Closed until a test opens it, from whichever thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    async def passed(self) -> None:
        await self._event.wait()


class Wire:
    """One accepted connection, as its script drives it. Whatever fails because the peer left raises `Gone`."""

    def __init__(
        self, upstream: ScriptedUpstream, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._upstream = upstream
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
        with self._upstream.changed:
            self._upstream.seen.requests.append(received)
            self._upstream.changed.notify_all()
        return received

    async def send(self, data: bytes) -> None:
        """Write and wait until the peer's side has room: a peer that does not read blocks the script here."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (ConnectionError, ssl.SSLError) as error:
            raise Gone from error
        with self._upstream.changed:
            self._upstream.seen.bytes_sent += len(data)
            self._upstream.changed.notify_all()

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


class ScriptedUpstream:
    """A context manager; listening from construction to exit, on TCP or on the Unix socket `uds`.

    `seen` may be read from any thread.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, uds: str | None = None) -> None:
        self.seen = Seen()
        self.changed = threading.Condition()
        self.failures: list[BaseException] = []
        self.scripts = list(scripts)
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted upstream", daemon=True)
        self._thread.start()
        if uds is not None:
            self._server = self._call(asyncio.start_unix_server(self._accepted, uds))
            self.port = 0
        else:
            self._server = self._call(asyncio.start_server(self._accepted, HOST, 0, ssl=tls, backlog=1024))
            self.port = int(self._server.sockets[0].getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"

    def gate(self) -> Gate:
        return Gate(self._loop)

    def wait_for(self, true: Callable[[Seen], object]) -> None:
        """Block until `true(seen)`."""
        with self.changed:
            if not self.changed.wait_for(lambda: true(self.seen), PATIENCE_SECONDS):
                raise AssertionError(f"did not happen at the upstream: {self.seen}")

    async def until(self, true: Callable[[Seen], object]) -> None:
        """`wait_for` from an event loop."""
        await anyio.to_thread.run_sync(self.wait_for, true)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()
        if self.failures and value is None:
            raise self.failures[0]

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with self.changed:
            number = self.seen.connections
            self.seen.connections += 1
            self.seen.open += 1
            self.changed.notify_all()
        aborted = False
        wire = Wire(self, number, reader, writer)
        try:
            await self.scripts[min(number, len(self.scripts) - 1)](wire)
        except Gone:
            aborted = not wire.idle
        except asyncio.CancelledError:
            # The upstream stops; this is the top of the task. No waiting for the peer's half of a TLS farewell: its
            # loop may be the one that waits for us.
            writer.transport.abort()
        except Exception as error:
            self.failures.append(error)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self._tasks.discard(task)
            with self.changed:
                self.seen.open -= 1
                self.seen.aborts += aborted
                self.changed.notify_all()
