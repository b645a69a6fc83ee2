"""Sent again once: on a reused connection that gave not one byte, on a fresh one, and never over the maximum."""

from __future__ import annotations

import asyncio

import pytest

from pipeline import UpstreamTimeout, UpstreamUnavailable
from pipeline.testing.wire import Gate, Script, Wire
from tests.wire.answers import always, once, silent, then_stale
from tests.wire.h1.lane import ASK, HUGE, OK, Upstream, fetch, pool_of, started


def then_reset(*said: bytes) -> Script:
    """Answer one request; to the next one say `said` and reset the connection."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        for data in said:
            await wire.send(data)
        wire.reset()

    return script


@pytest.mark.parametrize("stale", [then_stale(OK), then_reset()], ids=["end", "reset"])
async def test_a_stale_connection_is_survived_once(stale: Script) -> None:
    with Upstream(stale, always(OK)) as upstream:
        async with started() as transport:
            assert [await fetch(transport, upstream.url) for _ in range(2)] == [b"ok"] * 2
            assert pool_of(transport).places == 0
        assert [request.connection for request in upstream.seen.requests] == [0, 0, 1]


async def test_a_first_use_is_not_sent_again() -> None:
    with Upstream(once(b""), always(OK)) as upstream:
        async with started() as transport:
            with pytest.raises(UpstreamUnavailable) as caught:
                await fetch(transport, upstream.url)
            assert caught.value.work_done == "maybe"
        assert len(upstream.seen.requests) == 1


async def test_one_byte_of_an_answer_forbids_it() -> None:
    with Upstream(then_reset(b"H"), always(OK)) as upstream:
        async with started() as transport:
            await fetch(transport, upstream.url)
            with pytest.raises(UpstreamUnavailable):
                await fetch(transport, upstream.url)
        assert len(upstream.seen.requests) == 2


async def test_a_time_out_forbids_it() -> None:
    async def answer_then_silent(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await silent(wire)

    with Upstream(answer_then_silent, always(OK)) as upstream:
        async with started(first_byte_seconds=0.1) as transport:
            await fetch(transport, upstream.url)
            with pytest.raises(UpstreamTimeout):
                await fetch(transport, upstream.url)
        assert len(upstream.seen.requests) == 2


async def test_the_second_try_is_the_last_and_says_that_the_first_may_have_worked() -> None:
    with Upstream(then_stale(OK), once(b"")) as upstream:
        async with started() as transport:
            await fetch(transport, upstream.url)
            with pytest.raises(UpstreamUnavailable) as caught:
                await fetch(transport, upstream.url)
            assert (caught.value.work_done, pool_of(transport).places) == ("maybe", 0)
        assert len(upstream.seen.requests) == 3


async def test_a_second_try_that_cannot_connect_says_that_the_first_may_have_worked() -> None:
    """Alone, a failed connect did no work; here it is the end of a request that was sent."""

    async def answer_close_the_door_then_leave(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        upstream._server.close()

    with Upstream(answer_close_the_door_then_leave) as upstream:
        async with started() as transport:
            await fetch(transport, upstream.url)
            with pytest.raises(UpstreamUnavailable) as caught:
                await fetch(transport, upstream.url)
            assert caught.value.work_done == "maybe"
            assert caught.value.detail is not None
            assert caught.value.detail.startswith("connect: ConnectionRefusedError")


async def test_the_second_connection_is_fresh_and_the_maximum_holds() -> None:
    """Two idle connections, both stale, and two places: the fresh one takes the place of the other idle one."""
    gates: list[Gate] = []

    async def stale(wire: Wire) -> None:
        await wire.request()
        await gates[0].passed()
        await wire.send(OK)
        await wire.request()

    with Upstream(stale, stale, always(OK)) as upstream:
        gates.append(upstream.gate())
        async with started(max_connections=2) as transport:
            both = asyncio.gather(*(fetch(transport, upstream.url) for _ in range(2)))
            await upstream.until(lambda seen: len(seen.requests) == 2)
            gates[0].open()
            assert await both == [b"ok"] * 2
            assert pool_of(transport).idle == 2
            assert await fetch(transport, upstream.url) == b"ok"
            assert pool_of(transport).idle == 1
            await upstream.until(lambda seen: seen.open == 1)
        assert [request.connection for request in upstream.seen.requests][3:] == [2]


async def test_a_large_request_is_sent_again_whole() -> None:
    with Upstream(then_stale(OK), always(OK)) as upstream:
        async with started() as transport:
            assert await fetch(transport, upstream.url) == b"ok"
            assert await fetch(transport, upstream.url, HUGE) == b"ok"
        assert upstream.seen.requests[-1].body == HUGE.body
        assert upstream.seen.requests[0].body == ASK.body
