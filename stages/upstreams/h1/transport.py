"""The `h1` lane: `pipeline.Transport` over the pool."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from pipeline import (
    GatewayError,
    Headers,
    InternalError,
    SettingsError,
    TransportOptions,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamGarbage,
    running_on_asyncio,
)
from stages.upstreams.h1.connection import Cut, H1Connection
from stages.upstreams.h1.pool import Address, H1Pool
from stages.upstreams.h1.reader import ResponseReader
from stages.upstreams.tls import client_context

REMEMBERED = 64
_HEAD = re.compile(r"[!-~]+ [!-~]+ HTTP/1\.1(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*)+")
_OURS = frozenset(
    ("accept-encoding", "connection", "content-length", "expect", "keep-alive", "te", "transfer-encoding", "upgrade")
)


class H1Transport:
    """HTTP/1.1 over TCP, TLS or a Unix socket, on asyncio only: one pool per origin, which an upstream has one of.

    A request that dies on a reused connection before any byte of an answer is sent once more on a fresh one
    (RFC 9112 9.3.1), and never after a time-out. HTTP/2, proxies and trio are the other lane's: asking for them here
    is a start-up error.
    """

    def __init__(self, options: TransportOptions) -> None:
        if options.http2:
            raise SettingsError("transport h1 speaks HTTP/1.1 only; say `transport: httpx2` for http2", field="http2")
        if options.proxy is not None:
            raise SettingsError("transport h1 has no proxies; say `transport: httpx2`", field="proxy")
        self._options = options
        wanted = options.tls or options.ca_file or options.cert_file  # files that are no use are a start-up error too
        self._tls = client_context(options) if wanted else None
        self._pools: dict[tuple[str, str], H1Pool] = {}
        self._prepared = lru_cache(maxsize=REMEMBERED)(self._prepare)  # an upstream is asked for few things

    async def start(self) -> None:
        if not running_on_asyncio():
            raise SettingsError("transport h1 needs asyncio; say `transport: httpx2` under trio", field="transport")

    async def stop(self) -> None:
        """Close every connection. Safe without a start and twice."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._prepared.cache_clear()

    async def send(self, url: str, call: UpstreamCall) -> UpstreamAnswer:
        pool, head = self._prepared(url, call.method, call.headers)
        if call.body or call.method not in ("GET", "HEAD"):
            head = b"%b\r\ncontent-length: %d\r\n\r\n" % (head, len(call.body))  # RFC 9110 8.6
        else:
            head += b"\r\n\r\n"
        is_head = call.method == "HEAD"
        connection = pool.take() or await pool.acquire()
        try:
            reader = await connection.exchange(head, call.body, is_head=is_head)
        except Cut:
            used = connection.exchanges > 1
            pool.release(connection)
            if not used:
                raise
            try:
                connection = await pool.acquire(fresh=True)
                reader = await connection.exchange(head, call.body, is_head=is_head)
            except BaseException as error:
                pool.release(connection)
                if isinstance(error, GatewayError):
                    error.work_done = "maybe"  # by the first try
                raise
        except BaseException:
            pool.release(connection)
            raise
        source = _Source(connection, reader, pool)
        if reader.compressed:
            await source.aclose()
            raise UpstreamGarbage("The upstream compressed its answer though asked not to.", work_done="maybe")
        return UpstreamAnswer(reader.status, Headers.from_raw(reader.headers), source)

    def _prepare(self, url: str, method: str, fields: tuple[tuple[str, str], ...]) -> tuple[H1Pool, bytes]:
        scheme, authority, target = _split(url)
        pool = self._pools.get((scheme, authority)) or self._open(scheme, authority)
        return pool, _fixed_head(method, target, authority, fields)

    def _open(self, scheme: str, authority: str) -> H1Pool:
        options = self._options
        parts = urlsplit(f"//{authority}")
        tls = self._tls if scheme == "https" else None
        if scheme == "https" and tls is None:
            raise InternalError(
                "The gateway could not send the request.", detail="a transport that was made without tls"
            )
        address = Address(parts.hostname or "", parts.port or (443 if tls else 80), tls, options.uds)
        self._pools[scheme, authority] = pool = H1Pool(address, options)
        return pool


class _Source:
    """The body, owning its connection until the end: then the pool has it back, and it may be anyone's."""

    __slots__ = ("_connection", "_over", "_pool", "_reader")

    def __init__(self, connection: H1Connection, reader: ResponseReader, pool: H1Pool) -> None:
        self._connection = connection
        self._reader = reader
        self._pool = pool
        self._over = False

    async def next(self) -> bytes | None:
        if self._over:
            return None
        connection, reader = self._connection, self._reader
        if not (reader.pieces or reader.complete):
            until = connection.awaiting_body()
            try:
                while not (reader.pieces or reader.complete):
                    await connection.event(until)
            except BaseException:
                connection.abort()
                self._release()
                raise
        if reader.pieces:
            return connection.take()
        self._release()
        return None

    async def aclose(self) -> None:
        self._release()

    def _release(self) -> None:
        if not self._over:
            self._over = True
            self._pool.release(self._connection)


def _split(url: str) -> tuple[str, str, str]:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme, authority, slash + path or "/"


def _fixed_head(method: str, target: str, authority: str, fields: tuple[tuple[str, str], ...]) -> bytes:
    """The request head but for its length: RFC 9112 3.2 (target and Host) and 5, RFC 9110 12.5.3.

    `Expect` is never sent, since some upstreams hang on it.
    """
    names = {name.lower() for name, _ in fields}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"host: {authority}")
    if "user-agent" not in names:
        lines.append("user-agent: gatewright")
    lines.append("accept-encoding: identity")
    lines += [f"{name}: {value}" for name, value in fields]
    head = "\r\n".join(lines)
    if _HEAD.fullmatch(head) is None or head.count("\n") >= len(lines) or not names.isdisjoint(_OURS):
        raise InternalError("The gateway could not send the request.", detail="an unsafe request line or header field")
    return head.encode("latin-1")
