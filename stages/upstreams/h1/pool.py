"""Connections to one upstream: last used first, never more than the maximum, none used that is not provably clean."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass

from pipeline import Overloaded, TransportOptions, UpstreamTimeout, UpstreamUnavailable
from stages.upstreams.h1.connection import H1Connection


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect. `path` is a Unix socket's; `tls` verifies `host` (SNI and certificate, RFC 9110 4.3.4)."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    path: str | None = None


class H1Pool:
    """A bounded pool (RFC 9112 9.4). A place is held from `acquire` to `release`, whatever happens in between.

    Last in, first out: a burst's connections then idle out, and the one most likely to be alive is used. Waiting for a
    place is bounded and first come, first served; being handed a place is final, so a waiter that gives up in the same
    turn passes it on.
    """

    def __init__(self, address: Address, options: TransportOptions) -> None:
        self._address = address
        self._options = options
        self._idle: list[H1Connection] = []
        self._busy: set[H1Connection] = set()
        self._places = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    @property
    def places(self) -> int:
        """Places held now: requests under way, their connecting included."""
        return self._places

    @property
    def idle(self) -> int:
        """Connections kept for the next request."""
        return sum(connection.alive for connection in self._idle)

    def take(self) -> H1Connection | None:
        """An idle connection of one's own, if there is one and a place too: the usual case, without a coroutine."""
        if not self._idle or self._waiters or self._places >= self._options.max_connections:
            return None
        connection = self._reuse()
        if connection is not None:
            self._places += 1
            self._busy.add(connection)
        return connection

    async def acquire(self, *, fresh: bool = False) -> H1Connection:
        """A connection of one's own; `fresh` never takes one that was used before.

        Raises `Overloaded` when no place is free in time, `UpstreamTimeout` or `UpstreamUnavailable` on connecting.
        """
        if self._closed:
            raise _stopping()
        if self._places < self._options.max_connections and not self._waiters:
            self._places += 1
        else:
            await self._wait_for_place()
        try:
            connection = None if fresh else self._reuse()
            if connection is None:
                if self._idle:
                    self._idle.pop(0).abort()  # only for `fresh`: a connection more must not break the maximum
                connection = await self._connect()
            if self._closed:
                connection.abort()
                raise _stopping()
        except BaseException:
            self._free_place()
            raise
        self._busy.add(connection)
        return connection

    def release(self, connection: H1Connection) -> None:
        """Give a connection back: kept if it is provably clean, else closed. Idempotent."""
        try:
            self._busy.remove(connection)
        except KeyError:
            return
        if connection.reusable and not self._closed and self._options.keepalive_seconds > 0:
            while self._idle and not self._idle[0].alive:
                self._idle.pop(0)  # the oldest are at the bottom, and expire first
            connection.rest()
            self._idle.append(connection)
        else:
            connection.abort()
        self._free_place()

    def close(self) -> None:
        """Close every connection, those in use too, and send the waiting away."""
        self._closed = True
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(_stopping())
        self._waiters.clear()

    def _reuse(self) -> H1Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.use():
                return connection
            connection.abort()
        return None

    async def _wait_for_place(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._options.pool_seconds):
                await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._free_place()  # handed over in the very turn in which we gave up
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            if isinstance(error, TimeoutError):
                message = "No connection to the upstream became free in time."
                raise Overloaded(message, retry_after=1.0, detail="pool time-out") from None
            raise

    def _free_place(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)  # the place changes hands and is not counted down
                return
        self._places -= 1

    async def _connect(self) -> H1Connection:
        loop = asyncio.get_running_loop()
        address = self._address
        connection = H1Connection(loop, self._options)
        phase = "connect"
        try:
            async with asyncio.timeout(self._options.connect_seconds):
                if address.path is not None:
                    plain, _ = await loop.create_unix_connection(lambda: connection, address.path)
                else:
                    plain, _ = await loop.create_connection(lambda: connection, address.host, address.port)
            if address.tls is not None:
                phase = "tls"
                # asyncio's own limit on the handshake is the longer one: the error would not tell it from a reset.
                async with asyncio.timeout(self._options.tls_seconds):
                    secured = loop.start_tls(
                        plain,
                        connection,
                        address.tls,
                        server_hostname=address.host,
                        ssl_handshake_timeout=2 * self._options.tls_seconds,
                    )
                    connection.over(await secured)
        except BaseException as error:
            connection.abort()
            if isinstance(error, TimeoutError):
                message = "The upstream could not be connected to in time."
                raise UpstreamTimeout(message, detail=f"{phase} time-out") from None
            if isinstance(error, (OSError, UnicodeError)):  # ssl.SSLError is an OSError; a bad name no valid IDNA
                detail = f"{phase}: {type(error).__name__}: {error}"
                raise UpstreamUnavailable("The upstream could not be connected to.", detail=detail) from error
            raise
        return connection


def _stopping() -> UpstreamUnavailable:
    return UpstreamUnavailable("The gateway is stopping.")
