"""Each wait has its own limit and its own name: connect, tls, pool, write, first byte, idle.

Every limit bounds the whole of its phase: an upstream that drips one byte at a time gains nothing by it.
"""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme

from pipeline import GatewayError, Overloaded, UpstreamCall, UpstreamTimeout
from pipeline.testing.wire import Wire
from tests.wire.answers import LAST_CHUNK, always, chunk, chunked_head, silent, then_hold
from tests.wire.h1.lane import ASK, HUGE, OK, Upstream, fetch, pool_of, started
from tests.wire.h1.unreachable import unreachable

SHORT = 0.1


async def refused(url: str, call: UpstreamCall = ASK, **options: float) -> GatewayError:
    """What one exchange raises; the place must be free again."""
    async with started(**options) as transport:
        with pytest.raises(GatewayError) as caught:
            await fetch(transport, url, call)
        assert pool_of(transport).places == 0
    return caught.value


def dripping(start: bytes, drop: bytes) -> Upstream:
    async def drip(wire: Wire) -> None:
        await wire.request()
        await wire.send(start)
        while True:
            await wire.send(drop)
            await asyncio.sleep(SHORT / 5)

    return Upstream(drip)


async def test_connecting() -> None:
    with unreachable() as url:
        error = await refused(url, connect_seconds=SHORT)
    assert (type(error), error.detail, error.work_done) == (UpstreamTimeout, "connect time-out", "no")


async def test_connecting_is_bounded_by_its_own_limit_when_tls_follows() -> None:
    """The time allowed for the handshake is no more time to connect in."""
    with unreachable() as url:
        async with asyncio.timeout(5):
            error = await refused(url.replace("http:", "https:"), connect_seconds=SHORT, tls_seconds=60)
    assert error.detail == "connect time-out"


async def test_the_tls_handshake() -> None:
    async def mute(wire: Wire) -> None:
        await wire.hold()

    with Upstream(mute) as upstream:
        error = await refused(upstream.url.replace("http:", "https:"), tls_seconds=SHORT)
        await upstream.until(lambda seen: seen.open == 0)
    assert (type(error), error.detail, error.work_done) == (UpstreamTimeout, "tls time-out", "no")


async def test_waiting_for_a_place() -> None:
    with Upstream(silent) as upstream:
        async with started(max_connections=1, pool_seconds=SHORT) as transport:
            holder = asyncio.create_task(transport.send(upstream.url, ASK))
            await upstream.until(lambda seen: seen.requests)
            with pytest.raises(Overloaded) as caught:
                await transport.send(upstream.url, ASK)
            assert caught.value.detail == "pool time-out"
            holder.cancel()
            await asyncio.gather(holder, return_exceptions=True)


async def test_writing() -> None:
    async def deaf(wire: Wire) -> None:
        await gate.passed()
        await wire.hold()

    with Upstream(deaf) as upstream:
        gate = upstream.gate()
        error = await refused(upstream.url, HUGE, write_seconds=SHORT)
        gate.open()
        await upstream.until(lambda seen: seen.open == 0)
    assert (type(error), error.detail, error.work_done) == (UpstreamTimeout, "write time-out", "maybe")


async def test_the_first_byte() -> None:
    with Upstream(silent) as upstream:
        error = await refused(upstream.url, first_byte_seconds=SHORT)
        await upstream.until(lambda seen: seen.aborts == 1)
    assert (type(error), error.detail, error.work_done) == (UpstreamTimeout, "first byte time-out", "maybe")


@pytest.mark.parametrize(
    ("start", "drop"),
    [(b"HTTP/1.1 200 OK\r\nx: ", b"a"), (b"", b"HTTP/1.1 102 Processing\r\n\r\n")],
    ids=["a field", "interim answers"],
)
async def test_the_head_of_an_upstream_that_drips(start: bytes, drop: bytes) -> None:
    with dripping(start, drop) as upstream:
        async with asyncio.timeout(5):
            error = await refused(upstream.url, first_byte_seconds=3 * SHORT)
    assert error.detail == "first byte time-out"


async def test_silence_in_the_body() -> None:
    with Upstream(then_hold(chunked_head() + chunk(b"some"))) as upstream:
        error = await refused(upstream.url, idle_seconds=SHORT)
        await upstream.until(lambda seen: seen.aborts == 1)
    assert (type(error), error.detail, error.work_done) == (UpstreamTimeout, "idle time-out", "maybe")


@pytest.mark.parametrize("start", [b"5;x=", LAST_CHUNK[:-2] + b"x: "], ids=["a chunk extension", "a trailer"])
async def test_a_body_that_drips_anything_but_body(start: bytes) -> None:
    with dripping(chunked_head() + start, b"a") as upstream:
        async with asyncio.timeout(5):
            error = await refused(upstream.url, idle_seconds=3 * SHORT)
    assert error.detail == "idle time-out"


async def test_a_body_that_keeps_coming_may_take_as_long_as_it_likes() -> None:
    async def slow(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head())
        for _ in range(8):
            await wire.send(chunk(b"x"))
            await asyncio.sleep(SHORT / 2)
        await wire.send(LAST_CHUNK)

    with Upstream(slow) as upstream:
        async with started(idle_seconds=2 * SHORT) as transport:
            assert await fetch(transport, upstream.url) == b"x" * 8


async def test_a_slow_owner_is_no_silent_upstream() -> None:
    """The idle limit runs while somebody waits for bytes, not while the caller is slow to take them."""
    with Upstream(always(chunked_head() + chunk(b"x") + LAST_CHUNK)) as upstream:
        async with started(idle_seconds=SHORT) as transport:
            answer = await transport.send(upstream.url, ASK)
            await asyncio.sleep(2 * SHORT)
            assert await answer.source.next() == b"x"
            assert await answer.source.next() is None


async def test_a_limit_that_was_met_does_not_end_a_later_wait() -> None:
    """One timer serves every wait of a connection: a short limit behind a long one still holds, and none lingers."""
    with Upstream(always(OK)) as upstream:
        async with started(first_byte_seconds=SHORT, idle_seconds=60) as transport:
            for _ in range(3):
                answer = await transport.send(upstream.url, ASK)
                await asyncio.sleep(1.2 * SHORT)
                assert await answer.source.next() == b"ok"
                assert await answer.source.next() is None
        assert upstream.seen.connections == 1


async def test_a_stalled_handshake_and_a_refused_one_have_different_names() -> None:
    """A certificate that nobody vouches for is not a time-out."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Upstream(always(OK), tls=context) as upstream:
        error = await refused(upstream.url)
    assert error.detail is not None
    assert error.detail.startswith("tls: SSLCertVerificationError")
