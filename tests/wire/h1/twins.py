"""Both lanes beside each other: the same scripted upstream, the same exchange, and what each made of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from pipeline import (
    GatewayError,
    Transport,
    TransportOptions,
    UpstreamGarbage,
    UpstreamInterrupted,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from pipeline.testing.wire import Script, Wire
from stages.upstreams.h1.transport import H1Transport
from stages.upstreams.httpx2_transport import Httpx2Transport
from tests.wire.answers import sized
from tests.wire.h1.lane import ASK, Upstream, read

CLASSES = {
    UpstreamUnavailable: "truncated",
    UpstreamInterrupted: "truncated",
    UpstreamGarbage: "protocol",
    UpstreamTimeout: "timeout",
}
FIRST = sized(b"first")


@dataclass(frozen=True)
class Plan:
    """What the upstream sends, read by read, and how it ends. `kept` sends a good answer before, on the same wire."""

    pieces: tuple[bytes, ...]
    ending: Literal["close", "reset", "hold"] = "close"
    kept: bool = False

    @property
    def wire(self) -> bytes:
        return b"".join(self.pieces)

    def script(self) -> Script:
        async def script(wire: Wire) -> None:
            await wire.request()
            if self.kept:
                await wire.send(FIRST)
                await wire.request()
            for piece in self.pieces:
                await wire.send(piece)
                await asyncio.sleep(0)
            if self.ending == "hold":
                await wire.hold()
            elif self.ending == "reset":
                wire.reset()

        return script


@dataclass(frozen=True)
class Outcome:
    """Accepted, or refused with one of the classes."""

    refused: str | None
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


async def outcome(transport: Transport, url: str) -> Outcome:
    try:
        answer = await transport.send(url, ASK)
        body = await read(answer)
    except GatewayError as error:
        return Outcome(CLASSES[next(kind for kind in CLASSES if isinstance(error, kind))])
    return Outcome(None, answer.status, tuple(answer.headers), body)


class Twins:
    """One transport of each lane; fresh connections for every plan."""

    def __init__(self, upstream: Upstream, **options: float) -> None:
        self.upstream = upstream
        self.transports: tuple[Transport, Transport] = (
            H1Transport(TransportOptions(**options)),  # type: ignore[arg-type]  # only limits in seconds are given
            Httpx2Transport(TransportOptions(**options)),  # type: ignore[arg-type]  # the same
        )

    async def play(self, plan: Plan) -> tuple[Outcome, Outcome]:
        """What h1 and what httpx2 made of it."""
        self.upstream.scripts[:] = [plan.script()]
        outcomes: list[Outcome] = []
        for transport in self.transports:
            async with running(transport):
                if plan.kept:
                    assert (await outcome(transport, self.upstream.url)).body == b"first"
                outcomes.append(await outcome(transport, self.upstream.url))
        return outcomes[0], outcomes[1]


@asynccontextmanager
async def running(transport: Transport) -> AsyncIterator[None]:
    await transport.start()
    try:
        yield
    finally:
        await transport.stop()


@dataclass(frozen=True)
class Difference:
    """An allowed difference: who is stricter, for which bytes, and why that is right."""

    stricter: Literal["h1", "httpx2"]
    shape: str
    why: str

    def explains(self, plan: Plan, h1: Outcome, httpx2: Outcome) -> bool:
        strict, lax = (h1, httpx2) if self.stricter == "h1" else (httpx2, h1)
        shaped = re.search(self.shape.encode(), plan.wire, re.IGNORECASE | re.DOTALL) is not None
        return strict.refused is not None and lax.refused is None and shaped
