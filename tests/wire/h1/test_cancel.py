"""Cancelling, at whichever await, closes the socket at once and gives the place back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from pipeline.testing.wire import Wire
from stages.upstreams.h1.transport import H1Transport
from tests.wire.answers import always, chunk, chunked_head, silent, then_hold
from tests.wire.h1.lane import ASK, HUGE, OK, Upstream, fetch, pool_of, started, turns_until
from tests.wire.h1.unreachable import unreachable


async def cancelled(work: asyncio.Task[Any]) -> None:
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


def begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(work)


async def healthy(transport: H1Transport, upstream: Upstream) -> None:
    """The place is free and the next request is served."""
    assert pool_of(transport).places == 0
    upstream.scripts.append(always(OK))
    assert await fetch(transport, upstream.url) == b"ok"


async def test_while_connecting() -> None:
    with unreachable() as url:
        async with started() as transport:
            asking = begin(transport.send(url, ASK))
            await asyncio.sleep(0.05)
            await cancelled(asking)
            assert pool_of(transport).places == 0


async def test_during_the_tls_handshake() -> None:
    async def mute(wire: Wire) -> None:
        await wire.hold()

    with Upstream(mute) as upstream:
        async with started() as transport:
            asking = begin(transport.send(upstream.url.replace("http:", "https:"), ASK))
            await upstream.until(lambda seen: seen.open == 1)
            await cancelled(asking)
            assert pool_of(transport).places == 0
            await upstream.until(lambda seen: seen.open == 0)


async def test_while_waiting_for_a_place() -> None:
    with Upstream(silent) as upstream:
        async with started(max_connections=1) as transport:
            holder = begin(transport.send(upstream.url, ASK))
            await upstream.until(lambda seen: seen.requests)
            waiter = begin(transport.send(upstream.url, ASK))
            await asyncio.sleep(0)
            await cancelled(waiter)
            assert pool_of(transport).places == 1
            await cancelled(holder)
            await healthy(transport, upstream)


async def test_while_writing_to_an_upstream_that_does_not_read() -> None:
    async def deaf(wire: Wire) -> None:
        await gate.passed()
        await wire.hold()

    with Upstream(deaf) as upstream:
        gate = upstream.gate()
        async with started() as transport:
            asking = begin(transport.send(upstream.url, HUGE))
            await upstream.until(lambda seen: seen.open == 1)
            pool = pool_of(transport)
            await turns_until(lambda: any(connection._write_paused for connection in pool._busy))
            await cancelled(asking)
            gate.open()
            await upstream.until(lambda seen: seen.open == 0)
            await healthy(transport, upstream)


async def test_before_the_head() -> None:
    with Upstream(silent) as upstream:
        async with started() as transport:
            asking = begin(transport.send(upstream.url, ASK))
            await upstream.until(lambda seen: seen.requests)
            await cancelled(asking)
            await upstream.until(lambda seen: seen.aborts == 1)
            await healthy(transport, upstream)


async def test_in_the_body() -> None:
    with Upstream(then_hold(chunked_head() + chunk(b"some"))) as upstream:
        async with started() as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"some"
            reading = begin(answer.source.next())
            await asyncio.sleep(0)
            await cancelled(reading)
            await upstream.until(lambda seen: seen.aborts == 1)
            await answer.source.aclose()
            await healthy(transport, upstream)


async def test_closing_the_body_early() -> None:
    async def flood(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head())
        await wire.flood(chunk(b"x" * 10_000))

    with Upstream(flood) as upstream:
        async with started() as transport:
            answer = await transport.send(upstream.url, ASK)
            await answer.source.next()
            await answer.source.aclose()
            await answer.source.aclose()
            await upstream.until(lambda seen: seen.aborts == 1)
            await healthy(transport, upstream)


@pytest.mark.parametrize("turns", range(12))
async def test_after_any_number_of_turns(turns: int) -> None:
    """Cancelled after 0, 1, 2 ... turns of the loop, a request never keeps a place or a socket."""
    with Upstream(always(OK)) as upstream:
        async with started(max_connections=1) as transport:
            await fetch(transport, upstream.url)
            for _ in range(5):
                asking = begin(fetch(transport, upstream.url))
                for _ in range(turns):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                assert pool_of(transport).places == 0
            assert await fetch(transport, upstream.url) == b"ok"
            await upstream.until(lambda seen: seen.open <= 1)
