"""The transports under the fault suite: every kind in the registry. They are twins: each law here holds for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from pipeline import Registry, Transport, TransportOptions, UpstreamAnswer, UpstreamCall

_REGISTRY = Registry.default()
LANES: dict[str, Callable[[TransportOptions], Transport]] = {
    kind: _REGISTRY.load("transport", kind) for kind in _REGISTRY.kinds("transport")
}
ASYNCIO_ONLY = {"h1"}  # made of asyncio's own transports; it refuses to start anywhere else

every_lane = pytest.mark.parametrize(
    ("anyio_backend", "lane"),
    [(loop, lane) for lane in LANES for loop in ("asyncio", "trio") if loop == "asyncio" or lane not in ASYNCIO_ONLY],
)

ASK = UpstreamCall("POST", "", b'{"model": "scripted"}', (("content-type", "application/json"),))


@asynccontextmanager
async def started(lane: str, **options: Any) -> AsyncIterator[Transport]:
    """A running transport with these options."""
    transport = LANES[lane](TransportOptions(**options))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.stop()


async def read(answer: UpstreamAnswer) -> bytes:
    """The rest of the body. Releases the answer on every way out, as its owner must."""
    pieces: list[bytes] = []
    try:
        while (piece := await answer.source.next()) is not None:
            pieces.append(piece)
    finally:
        with anyio.CancelScope(shield=True):
            await answer.source.aclose()
    return b"".join(pieces)


def slots_in_use(transport: Any) -> int:
    """Requests that hold a place in a pool of either lane. Nothing public tells it, because nothing but tests asks."""
    if hasattr(transport, "_pools"):
        return sum(pool.places for pool in transport._pools.values())
    pools = [inner._pool for inner in (transport._inner, transport._fresh) if inner is not None]
    return sum(len(pool._requests) for pool in pools) + sum(
        not connection.is_idle() for pool in pools for connection in pool.connections
    )
