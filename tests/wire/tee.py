"""A TCP proxy that keeps both directions of every connection, byte for byte, and changes none."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from pipeline.testing.wire import HOST

PATIENCE_SECONDS = 20.0


@dataclass
class Recorded:
    """One connection: what the gateway said, and what the server answered."""

    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)


class Tee:
    """Listening in a thread of its own until it is stopped. `url` stands in for the server's."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname, target.port)
        self.connections: list[Recorded] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tee", daemon=True)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._accepted, HOST, 0), self._loop)
        self._server = starting.result(PATIENCE_SECONDS)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def answers(self) -> list[bytes]:
        """The body of every answer, its transfer coding undone, in the order of the connections."""
        return [body for recorded in self.connections for body in _bodies(bytes(recorded.received))]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        recorded = Recorded()
        self.connections.append(recorded)
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            there, back = await asyncio.open_connection(*self._target)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_copy(reader, back, recorded.sent))
                    group.create_task(_copy(there, writer, recorded.received))
            finally:
                back.close()
                writer.close()
        self._tasks.discard(task)


async def _copy(source: asyncio.StreamReader, into: asyncio.StreamWriter, record: bytearray) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(65536):
            record += piece
            into.write(piece)
            await into.drain()
    into.close()


@contextmanager
def tee(url: str) -> Iterator[Tee]:
    """A tee before the server at `url`."""
    proxy = Tee(url)
    try:
        yield proxy
    finally:
        proxy.stop()


class _Recording(io.BytesIO):
    """A recorded connection as `http.client` wants to read one; it must not be closed between two messages."""

    def makefile(self, mode: str) -> _Recording:
        return self

    def close(self) -> None:
        pass


def _bodies(received: bytes) -> list[bytes]:
    recording: Any = _Recording(received)
    bodies: list[bytes] = []
    while recording.tell() < len(received):
        response = HTTPResponse(recording)
        response.begin()
        bodies.append(response.read())
    return bodies
