"""Response heads and error bodies as ASGI messages."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from pipeline.adapters.disconnect import Message
from pipeline.dialect import Dialect, ErrorReply
from pipeline.errors import GatewayError

Send = Callable[[Message], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

# For streams: a proxy in front must neither store, change nor hold back what goes by.
STREAM_HEADERS: RawHeaders = [(b"cache-control", b"no-cache, no-transform"), (b"x-accel-buffering", b"no")]


async def send_head(send: Send, status: int, headers: RawHeaders) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_whole(send: Send, status: int, body: bytes, headers: RawHeaders, *, bare: bool = False) -> None:
    """A head and the one piece that follows it; `bare` leaves the piece out, as HEAD wants (RFC 9110 9.3.2)."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bare else body})


async def send_json(send: Send, status: int, value: Any, headers: RawHeaders | None = None) -> None:
    await send_whole(
        send, status, msgspec.json.encode(value), [(b"content-type", b"application/json"), *(headers or ())]
    )


async def send_error(
    send: Send,
    error: GatewayError,
    dialect: Dialect | None,
    request_id: str,
    *,
    model: str = "",
    allow: str | None = None,
    bare: bool = False,
) -> None:
    """An error, worded by `dialect`; neutral JSON of the same content where no gateway was found."""
    if dialect is None:
        reply = ErrorReply(error.status, msgspec.json.encode({"error": error.public()}))
    else:
        reply = dialect.error_reply(error, model)
    headers: RawHeaders = [(b"content-type", reply.content_type.encode()), (b"x-request-id", request_id.encode())]
    if error.retry_after is not None:
        # Retry-After is in whole seconds: rounded up, or the caller would be early.
        headers.append((b"retry-after", str(max(1, math.ceil(error.retry_after))).encode()))
        headers.append((b"retry-after-ms", str(math.ceil(error.retry_after * 1000)).encode()))
    if reply.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if allow is not None:
        headers.append((b"allow", allow.encode()))
    await send_whole(send, reply.status, reply.body, headers, bare=bare)
