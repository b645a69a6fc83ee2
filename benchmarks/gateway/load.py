"""The load: HTTP/1.1 connections that ask and time the answers, on uvloop, without a task or future per request."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import httptools

from benchmarks.gateway.answers import STAMP, STAMP_DIGITS

RECONNECT_SECONDS = 0.05
_MARGIN = len(b'"content": ""') + STAMP_DIGITS  # so much of a stamp may stand at the end of a read


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as bytes, and what its answer has to be: `chunks` stamped chunks, or a body of `least_bytes`."""

    data: bytes
    chunks: int = 0
    least_bytes: int = 0


def prepared(path: str, headers: Mapping[str, str], body: bytes, *, chunks: int = 0, least_bytes: int = 0) -> Prepared:
    """A POST of `body`."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, f"content-length: {len(body)}", "", ""])
    return Prepared(head.encode("latin-1") + body, chunks, least_bytes)


@dataclass(slots=True)
class Tally:
    """What was seen while `counting`. Times are in nanoseconds.

    Times to the first chunk, answers and errors are kept from the start: a stream that began before the counting is as
    good for the one, and a failure then as bad for the other.
    """

    counting: bool = False
    answers: int = 0
    requests: int = 0
    chunks: int = 0
    errors: int = 0
    first_error: str = ""
    latencies: list[int] = field(default_factory=list)
    first_chunks: list[int] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)

    def failed(self, why: str) -> None:
        """An answer was not what it has to be."""
        self.errors += 1
        self.first_error = self.first_error or why


class Connection(asyncio.Protocol):
    """One connection; `load` is told when an answer is complete and when the connection is gone."""

    def __init__(self, load: Load, at: int) -> None:
        self._load = load
        self._tally = load.tally
        self._parser = httptools.HttpResponseParser(self)
        self.at = at
        self._asked: Prepared | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._asked is not None and not self._load.stopped:
            self._tally.failed(f"the connection was lost: {exc}")
        self._load.lost(self)

    def ask(self, request: Prepared, since: int | None = None) -> None:
        """Send a request. Its time counts from `since`, or from now."""
        self._asked = request
        self._body_bytes = self._chunks = self._last_chunk = 0
        self._pieces: list[bytes] = []
        self._rest = b""
        self._complete = False
        self._since = time.monotonic_ns() if since is None else since
        self._transport.write(request.data)

    def close(self) -> None:
        """Close at once, whatever is outstanding."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        asked = self._asked
        if asked is None:
            return self._give_up("bytes that nobody asked for")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            return self._give_up(f"not HTTP: {error}")
        if asked.chunks and self._pieces and self._parser.get_status_code() == 200:
            self._look_for_chunks(now)
        if self._complete:
            self._answered(asked, now)
        return None

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._complete = True
        self._kept = self._parser.should_keep_alive()

    def _look_for_chunks(self, now: int) -> None:
        tally = self._tally
        seen = self._rest + b"".join(self._pieces)
        self._pieces.clear()
        end = 0
        for found in STAMP.finditer(seen):
            end = found.end()
            self._chunks += 1
            if self._last_chunk == 0:
                tally.first_chunks.append(now - self._since)
            if tally.counting:
                tally.chunks += 1
                tally.delays.append(now - int(found[1]))
                if self._last_chunk:
                    tally.gaps.append(now - self._last_chunk)
            self._last_chunk = now
        self._rest = seen[max(end, len(seen) - _MARGIN) :]

    def _answered(self, asked: Prepared, now: int) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            self._tally.failed(f"status {status}: {b''.join(self._pieces)[:300]!r}")
        elif self._chunks != asked.chunks or self._body_bytes < asked.least_bytes:
            self._tally.failed(f"an answer of {self._body_bytes} bytes with {self._chunks} chunks")
        elif self._tally.counting:
            self._tally.requests += 1
            self._tally.latencies.append(now - self._since)
        self._asked = None
        self._tally.answers += 1
        if self._kept:
            self._load.answered(self)
        else:
            self._transport.abort()

    def _give_up(self, why: str) -> None:
        self._tally.failed(why)
        self._asked = None
        self._transport.abort()


class Load:
    """Connections to one port that send `requests` in turn, closed loop or, with a `rate` a second, open loop."""

    def __init__(self, port: int, requests: Sequence[Prepared], connections: int, rate: float | None = None) -> None:
        self.tally = Tally()
        self.stopped = False
        self._port = port
        self._requests = requests
        self._count = connections
        self._rate = rate
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        self._due: deque[int] = deque()  # open loop: since when each request waits for a connection
        self._sent = 0
        self._background: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    async def start(self, ramp_seconds: float = 0.0) -> None:
        """Open the connections, and begin to ask on one after the other over `ramp_seconds`."""
        begun = self._loop.time()
        for at in range(self._count):
            await asyncio.sleep(max(0.0, begun + at * ramp_seconds / self._count - self._loop.time()))
            await self._try(at)
        if self._rate is not None:
            self._tick(self._loop.time(), 0)

    def stop(self) -> None:
        """Close all connections."""
        self.stopped = True
        for task in self._background:
            task.cancel()
        for connection in tuple(self._open):
            connection.close()

    def answered(self, connection: Connection) -> None:
        """A connection is free."""
        if self.stopped:
            return
        if self._rate is None:
            connection.at += 1
            connection.ask(self._requests[connection.at % len(self._requests)])
        elif self._due:
            connection.ask(self._next(), self._due.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """A connection is gone: another one takes its place."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self.stopped:
            self._in_background(self._try_again(connection.at + 1))

    def _tick(self, begun: float, number: int) -> None:
        if self.stopped or self._rate is None:
            return
        # Due when the timer fires: its own lateness, up to a millisecond, is none of the gateway's.
        now = time.monotonic_ns()
        if self._idle:
            self._idle.pop().ask(self._next(), now)
        else:
            self._due.append(now)
        self._loop.call_at(begun + (number + 1) / self._rate, self._tick, begun, number + 1)

    def _next(self) -> Prepared:
        self._sent += 1
        return self._requests[self._sent % len(self._requests)]

    async def _try(self, at: int) -> None:
        """Open a connection and ask on it. Nobody there is an error, and somebody may be in a moment."""
        try:
            _, connection = await self._loop.create_connection(lambda: Connection(self, at), "127.0.0.1", self._port)
        except OSError as error:
            self.tally.failed(f"no connection: {error}")
            self._in_background(self._try_again(at))
            return
        self._open.add(connection)
        self.answered(connection)

    async def _try_again(self, at: int) -> None:
        await asyncio.sleep(RECONNECT_SECONDS)
        await self._try(at)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
