"""Counting what really came off the wire, to know whether a request may be sent again.

A kept-alive connection that the server closed without saying so fails only when it is used. Sending again is safe if
the connection was a reused one and not one byte of an answer came (RFC 9112 9.3.1); the HTTP client's own errors do
not tell the second. This network backend counts reads and connects for the exchange of the current task.
"""

# ruff: noqa: ASYNC109 - the signatures, `timeout` included, are httpcore2's

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore2


class Exchange:
    """One try: how many connections were opened for it and how many bytes were read."""

    __slots__ = ("connects", "received")

    def __init__(self) -> None:
        self.connects = 0
        self.received = 0

    @property
    def replayable(self) -> bool:
        """A reused connection that gave nothing back."""
        return self.connects == 0 and self.received == 0


current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class CountingBackend(httpcore2.AsyncNetworkBackend):
    """A network backend that counts and otherwise does what `inner` does."""

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
        return _CountingStream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _CountingStream(httpcore2.AsyncNetworkStream):
    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._inner.read(max_bytes, timeout)
        exchange = current.get()
        if exchange is not None:
            exchange.received += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return _CountingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
