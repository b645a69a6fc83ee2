"""A started h1 transport, what to send with it, and a look into its pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pipeline import TransportOptions, UpstreamAnswer, UpstreamCall
from pipeline.testing.wire import WireUpstream
from stages.upstreams.h1.connection import H1Connection
from stages.upstreams.h1.pool import H1Pool
from stages.upstreams.h1.transport import H1Transport
from tests.wire.answers import sized

ASK = UpstreamCall("POST", "", b'{"model": "scripted"}', (("content-type", "application/json"),))
HUGE = UpstreamCall("POST", "", b"x" * 16_000_000)
OK = sized(b"ok")


class Upstream(WireUpstream):
    """These tests leave while a connection is being accepted, which the plain one does not wait for."""

    async def _stop(self) -> None:
        for _ in range(10):  # from the listening socket to the script; asyncio leaks what it accepts in a closed server
            await asyncio.sleep(0)
        await super()._stop()


@asynccontextmanager
async def started(**options: Any) -> AsyncIterator[H1Transport]:
    transport = H1Transport(TransportOptions(**options))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.stop()


async def read(answer: UpstreamAnswer) -> bytes:
    """The rest of the body."""
    pieces: list[bytes] = []
    while (piece := await answer.source.next()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


async def fetch(transport: H1Transport, url: str, call: UpstreamCall = ASK) -> bytes:
    """One whole exchange."""
    return await read(await transport.send(url, call))


def pool_of(transport: H1Transport) -> H1Pool:
    """The only pool. Nothing public tells, because nothing but tests asks."""
    (pool,) = transport._pools.values()
    return pool


def connection_of(answer: UpstreamAnswer) -> H1Connection:
    connection: H1Connection = answer.source._connection  # type: ignore[attr-defined]  # the lane's own source
    return connection


async def turns_until(true: Callable[[], object]) -> None:
    """Let the loop and the upstream's thread turn until `true()`; the test's own time-out bounds it."""
    while not true():  # noqa: ASYNC110  # what is looked at has no event to wait for
        await asyncio.sleep(0.001)
