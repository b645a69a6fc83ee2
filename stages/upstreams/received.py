"""Watching what really comes off the wire, for two things that the HTTP client does not tell.

Whether a request may be sent again: a kept-alive connection that the server closed without saying so fails only when
it is used, and sending again is safe if the connection was a reused one and not one byte of an answer came
(RFC 9112 9.3.1). Whether a connection may be used again: bytes after the end of an answer would become the next
request's answer, so each answer is read along by the reader of the other lane, and a connection that sent more than it
says looks to the pool like one that the server closed.
"""

# ruff: noqa: ASYNC109 - the signatures, `timeout` included, are httpcore2's

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import anyio
import httpcore2

from stages.upstreams.h1.reader import Malformed, ResponseReader


class Exchange:
    """One try: how many connections were opened for it and how many bytes were read."""

    __slots__ = ("connects", "is_head", "received")

    def __init__(self, *, is_head: bool) -> None:
        self.is_head = is_head
        self.connects = 0
        self.received = 0

    @property
    def replayable(self) -> bool:
        """A reused connection that gave nothing back."""
        return self.connects == 0 and self.received == 0


current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class WatchingBackend(httpcore2.AsyncNetworkBackend):
    """A network backend that watches and otherwise does what `inner` does. For HTTP/1.1 without a proxy only."""

    def __init__(self, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        exchange = current.get()
        if exchange is not None:
            exchange.connects += 1
        return _WatchedStream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        exchange = current.get()
        if exchange is not None:
            exchange.connects += 1
        return _WatchedStream(await self._inner.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _WatchedStream(httpcore2.AsyncNetworkStream):
    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self._exchange: Exchange | None = None
        self._reader = ResponseReader(is_head=False)
        self._clean = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._inner.read(max_bytes, timeout)
        if self._exchange is not None:
            self._exchange.received += len(data)
        if data:
            try:
                self._reader.feed(data)
            except Malformed:
                self._clean = False
            self._clean = self._clean and not self._reader.surplus
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        exchange = current.get()
        if exchange is not self._exchange and exchange is not None:
            # The first bytes of a request. The body may be read in another task, so the stream remembers whose it is.
            self._exchange = exchange
            self._reader = ResponseReader(is_head=exchange.is_head)
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            stream = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            # The client closes the socket of a handshake that fails, and forgets that of one that is cancelled.
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()
            raise
        return _WatchedStream(stream)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and not self._clean:
            return True  # how the pool asks whether an idle connection has been closed by the server
        return self._inner.get_extra_info(info)
