"""What carries a request to an upstream: the seam between dispatch policy and HTTP clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from pipeline.headers import Headers
from pipeline.source import Source


class UpstreamCall(msgspec.Struct, frozen=True):
    """A request as a dialect writes it: `path` is appended to the upstream's base URL."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class UpstreamAnswer(msgspec.Struct, frozen=True):
    """A response head. `source` yields the body's bytes as the reads returned them, and owns the connection."""

    status: int
    headers: Headers
    source: Source


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """What an upstream's settings ask of its transport. Every time limit is explicit: no client default applies.

    `first_byte_seconds` runs from the request's last byte to the response head, `idle_seconds` between two reads of
    the body. `tls` says whether it will be sent to an address that begins with https: what that needs is made when the
    transport is, or not at all. A transport that cannot do what is asked raises `SettingsError` when it is made.
    """

    connect_seconds: float = 5.0
    tls_seconds: float = 5.0
    pool_seconds: float = 2.0
    write_seconds: float = 30.0
    first_byte_seconds: float = 60.0
    idle_seconds: float = 60.0
    tls: bool = True
    max_connections: int = 1000
    keepalive_seconds: float = 30.0
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    uds: str | None = None
    http2: bool = False
    proxy: str | None = None


class Transport(Protocol):
    """An HTTP client, reduced to what a gateway may do: one request, one answer, no redirects, cookies or retries of
    its own, no decompression.

    `url` is absolute; `send` returns at the response head. It raises the typed errors of `pipeline.errors` and nothing
    else: `Overloaded` when no connection was free in time, `UpstreamUnavailable`, `UpstreamTimeout`,
    `UpstreamGarbage`. The same from the source, where `UpstreamInterrupted` means cut in the middle. Cancelling
    closes the connection.
    """

    async def start(self) -> None: ...
    async def send(self, url: str, call: UpstreamCall) -> UpstreamAnswer: ...
    async def stop(self) -> None: ...
