"""The full-featured lane to an upstream: any `httpx2.AsyncBaseTransport`, called directly, never through a Client.

A Client would keep cookies (one tenant's session would be sent with another's request), read proxies from the
environment, follow redirects and decompress. The transport below it does none of that. HTTP/2, proxies and trio are
here; an embedder's plain `httpx` transport works too, because the module is a parameter.
"""

from __future__ import annotations

from typing import Any

import httpcore2
import httpx2

from pipeline import (
    Headers,
    TransportOptions,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamGarbage,
    running_on_asyncio,
)
from stages.upstreams.httpx2_errors import Phase, typed
from stages.upstreams.received import Exchange, WatchingBackend, current
from stages.upstreams.tls import client_context

_ALWAYS = (("accept-encoding", "identity"), ("user-agent", "gatewright"))


class Httpx2Transport:
    """HTTP/2, proxies and trio too, over any transport of httpx2. Implements `pipeline.Transport`.

    With `inner` the caller brings the transport (a mock, or one of plain `httpx` with `module=httpx`) and it is used
    as it is; otherwise one is made from `options`. A request that dies on a reused connection before any byte of an
    answer is sent once more on a fresh one: llama.cpp's server closes after every stream while promising keep-alive.
    """

    def __init__(self, options: TransportOptions | None = None, *, inner: Any = None, module: Any = httpx2) -> None:
        self._options = options = options if options is not None else TransportOptions()
        self._module = module
        self._given = inner
        self._inner: Any = inner
        self._fresh: Any = None
        self._tls = client_context(options) if inner is None else None

    async def start(self) -> None:
        """Make the pools; the event loop decides the network backend, so not before."""
        if self._given is None:
            self._inner = self._pooled(keepalive=True)
            # HTTP/2 and proxies share connections between requests, where a count of bytes means nothing: no replay.
            if self._options.proxy is None and not self._options.http2:
                self._fresh = self._pooled(keepalive=False)

    async def stop(self) -> None:
        """Close every connection. Safe without a start and twice."""
        for transport in (self._inner, self._fresh):
            if transport is not None:
                await transport.aclose()
        self._inner, self._fresh = self._given, None

    async def send(self, url: str, call: UpstreamCall) -> UpstreamAnswer:
        options = self._options
        timeout = {
            "connect": options.connect_seconds,
            "pool": options.pool_seconds,
            "write": options.write_seconds,
            "read": options.first_byte_seconds,
        }
        exchange = Exchange(is_head=call.method == "HEAD")
        token = current.set(exchange)
        try:
            response = await self._exchange(self._inner, url, call, timeout)
        except self._module.TransportError as error:
            if self._fresh is None or not exchange.replayable or not _is_cut(error):
                raise typed(error, Phase.HEAD, sent=exchange.received > 0) from error
            try:
                response = await self._exchange(self._fresh, url, call, timeout)
            except self._module.TransportError as second:
                raise typed(second, Phase.HEAD, sent=True) from second
        finally:
            current.reset(token)
        # httpcore reads this again when the body is iterated.
        timeout["read"] = options.idle_seconds
        headers = Headers.from_raw([(name.lower(), value) for name, value in response.headers.raw])
        source = _Source(response.stream)
        if any(coding.lower() != "identity" for coding in headers.all("content-encoding")):
            await source.aclose()
            raise UpstreamGarbage("The upstream compressed its answer though asked not to.", work_done="maybe")
        return UpstreamAnswer(response.status_code, headers, source)

    async def _exchange(self, transport: Any, url: str, call: UpstreamCall, limits: dict[str, float]) -> Any:
        request = self._module.Request(
            call.method,
            url,
            headers=[*call.headers, *_ALWAYS],
            content=call.body,
            extensions={"timeout": limits},
        )
        return await transport.handle_async_request(request)

    def _pooled(self, *, keepalive: bool) -> httpx2.AsyncBaseTransport:
        options = self._options
        assert self._tls is not None
        limits = httpx2.Limits(
            max_connections=options.max_connections,
            max_keepalive_connections=options.max_connections if keepalive else 0,
            keepalive_expiry=options.keepalive_seconds,
        )
        transport = httpx2.AsyncHTTPTransport(
            verify=self._tls, trust_env=False, http2=options.http2, limits=limits, proxy=options.proxy, uds=options.uds
        )
        # The pool takes a backend, the transport around it has no argument for one.
        if options.proxy is None and not options.http2:
            transport._pool._network_backend = WatchingBackend(_backend())
        return transport


class _Source:
    """The body's bytes as the reads returned them. Never decompressed, never decoded."""

    def __init__(self, stream: Any) -> None:
        # What httpx wraps around its core's stream only renames errors, which `typed` reads by name anyway, and a
        # generator inside a generator is not closed with the outer one.
        self._stream = getattr(stream, "_httpcore_stream", stream)
        self._pieces = aiter(self._stream)
        self._closed = False

    async def next(self) -> bytes | None:
        try:
            piece: bytes = await anext(self._pieces)
        except StopAsyncIteration:
            await self.aclose()
            return None
        except Exception as error:
            await self.aclose()
            raise typed(error, Phase.BODY, sent=True) from error
        return piece

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        # A generator that is only dropped is closed by the event loop: later, and in a task of its own.
        close_pieces = getattr(self._pieces, "aclose", None)
        try:
            if close_pieces is not None:
                await close_pieces()
        finally:
            await self._stream.aclose()


def _backend() -> httpcore2.AsyncNetworkBackend:
    return httpcore2.AnyIOBackend() if running_on_asyncio() else httpcore2.TrioBackend()


def _is_cut(error: Exception) -> bool:
    """EOF or reset, never a time-out: a server that is slow may be working."""
    return type(error).__name__ in ("RemoteProtocolError", "ReadError", "WriteError", "CloseError")
