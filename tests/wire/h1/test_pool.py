"""The pool: last in first out, an explicit maximum, a bounded and fair wait, and no place lost by giving up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pipeline import Overloaded, TransportOptions, UpstreamUnavailable
from pipeline.testing.wire import HOST, Wire
from stages.upstreams.h1.connection import H1Connection
from stages.upstreams.h1.pool import Address, H1Pool
from tests.wire.answers import always, silent, then_hold
from tests.wire.h1.lane import ASK, OK, Upstream, fetch, pool_of, read, started, turns_until


@asynccontextmanager
async def pooled(upstream: Upstream, **limits: Any) -> AsyncIterator[H1Pool]:
    pool = H1Pool(Address(HOST, upstream.port), TransportOptions(**{"max_connections": 1, **limits}))
    try:
        yield pool
    finally:
        pool.close()


async def used(pool: H1Pool) -> H1Connection:
    """A connection that has answered once, ready to be given back."""
    connection = await pool.acquire()
    head = b"POST / HTTP/1.1\r\nhost: x\r\n\r\n"
    reader = await connection.exchange(head, b"", is_head=False)
    while not reader.complete:
        await connection.event(connection.awaiting_body())
    connection.take()
    return connection


async def test_the_connection_used_last_is_used_next() -> None:
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream, max_connections=3) as pool:
            first, second, third = [await used(pool) for _ in range(3)]
            for connection in (second, third, first):
                pool.release(connection)
            assert [await pool.acquire() for _ in range(3)] == [first, third, second]


async def test_never_more_connections_than_the_maximum_and_all_are_served() -> None:
    with Upstream(always(OK)) as upstream:
        async with started(max_connections=3) as transport:
            assert await asyncio.gather(*(fetch(transport, upstream.url) for _ in range(30))) == [b"ok"] * 30
            assert (pool_of(transport).places, pool_of(transport).idle) == (0, 3)
        assert upstream.seen.connections == 3


async def test_a_wait_for_a_place_ends_with_overloaded_and_costs_no_place() -> None:
    with Upstream(silent) as upstream:
        async with started(max_connections=1, pool_seconds=0.05) as transport:
            holder = asyncio.create_task(transport.send(upstream.url, ASK))
            await upstream.until(lambda seen: len(seen.requests) == 1)
            with pytest.raises(Overloaded) as caught:
                await transport.send(upstream.url, ASK)
            assert (caught.value.detail, caught.value.work_done) == ("pool time-out", "no")
            assert caught.value.retry_after is not None
            assert pool_of(transport).places == 1
            holder.cancel()
            await asyncio.gather(holder, return_exceptions=True)
            assert pool_of(transport).places == 0


async def test_places_are_given_in_the_order_of_asking() -> None:
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream) as pool:
            order: list[int] = []

            async def ask(number: int) -> None:
                connection = await pool.acquire()
                order.append(number)
                await asyncio.sleep(0)
                pool.release(connection)

            holder = await pool.acquire()
            tasks: list[asyncio.Task[None]] = []
            for number in range(5):
                tasks.append(asyncio.create_task(ask(number)))
                await asyncio.sleep(0)
            pool.release(holder)
            late = asyncio.create_task(ask(5))
            await asyncio.gather(*tasks, late)
            assert order == [0, 1, 2, 3, 4, 5]


async def test_who_comes_while_a_place_changes_hands_takes_neither_it_nor_its_connection() -> None:
    """The place is the waiter's from the moment it is given, and the waiter has not run yet."""
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream) as pool:
            holder = await used(pool)
            waiter = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            pool.release(holder)
            assert pool.idle == 1
            assert pool.take() is None
            assert await waiter is holder
            pool.release(holder)
        assert upstream.seen.connections == 1


async def test_a_place_handed_to_a_waiter_that_gives_up_in_that_turn_is_passed_on() -> None:
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream) as pool:
            holder = await pool.acquire()
            quitter = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            heir = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            pool.release(holder)
            quitter.cancel()
            connection = await heir
            assert quitter.cancelled()
            assert pool.places == 1
            pool.release(connection)
            assert pool.places == 0


async def test_a_place_handed_to_a_lone_waiter_that_gives_up_in_that_turn_is_free_again() -> None:
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream) as pool:
            holder = await pool.acquire()
            quitter = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            pool.release(holder)
            quitter.cancel()
            await asyncio.gather(quitter, return_exceptions=True)
            assert pool.places == 0
            pool.release(await pool.acquire())


async def test_a_waiter_that_gave_up_is_not_handed_a_place() -> None:
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream) as pool:
            holder = await pool.acquire()
            quitter = asyncio.create_task(pool.acquire())
            heir = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            quitter.cancel()
            pool.release(holder)
            pool.release(await heir)
            assert pool.places == 0


async def test_an_idle_connection_expires() -> None:
    with Upstream(always(OK)) as upstream:
        async with started(keepalive_seconds=0.05) as transport:
            assert await fetch(transport, upstream.url) == b"ok"
            assert pool_of(transport).idle == 1
            await upstream.until(lambda seen: seen.open == 0)
            assert pool_of(transport).idle == 0
            assert await fetch(transport, upstream.url) == b"ok"
        assert upstream.seen.connections == 2


async def test_a_connection_in_use_does_not_expire() -> None:
    """Its idle time is over once it is used again, however long the new exchange is."""
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream, keepalive_seconds=0.05) as pool:
            pool.release(await used(pool))
            connection = await pool.acquire()
            await asyncio.sleep(0.1)
            assert connection.alive


async def test_no_connection_is_kept_when_none_may_be() -> None:
    with Upstream(always(OK)) as upstream:
        async with started(keepalive_seconds=0.0) as transport:
            for _ in range(2):
                assert await fetch(transport, upstream.url) == b"ok"
        assert upstream.seen.connections == 2


async def test_closing_sends_the_waiting_away_and_closes_what_is_in_use() -> None:
    with Upstream(then_hold(OK[:-1])) as upstream:
        async with started(max_connections=1) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"o"
            reader = asyncio.create_task(read(answer))
            waiter = asyncio.create_task(transport.send(upstream.url, ASK))
            await asyncio.sleep(0)
            await transport.stop()
            with pytest.raises(UpstreamUnavailable):
                await waiter
            error = (await asyncio.gather(reader, return_exceptions=True))[0]
            assert type(error).__name__ == "UpstreamInterrupted"
            await upstream.until(lambda seen: seen.open == 0)


async def test_closing_while_connecting_leaves_no_connection() -> None:
    with Upstream(always(OK)) as upstream:
        async with pooled(upstream) as pool:
            connecting = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            pool.close()
            with pytest.raises(UpstreamUnavailable):
                await connecting
            assert pool.places == 0
            await upstream.until(lambda seen: seen.open == 0)
            with pytest.raises(UpstreamUnavailable):
                await pool.acquire()


async def test_an_end_seen_on_an_idle_connection_drops_it() -> None:
    async def answer_then_leave(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)

    with Upstream(answer_then_leave, always(OK)) as upstream:
        async with started() as transport:
            assert await fetch(transport, upstream.url) == b"ok"
            pool = pool_of(transport)
            await turns_until(lambda: pool.idle == 0)
            assert await fetch(transport, upstream.url) == b"ok"
        assert len(upstream.seen.requests) == 2


async def test_an_end_that_the_loop_has_not_read_yet_is_found_before_the_connection_is_used() -> None:
    """No turn of the loop lies between the upstream's closing and the next request: only the socket can tell."""

    async def answer_then_leave(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)

    with Upstream(answer_then_leave, always(OK)) as upstream:
        async with started() as transport:
            assert await fetch(transport, upstream.url) == b"ok"
            upstream.wait_for(lambda seen: seen.open == 0)  # blocks this loop on purpose
            assert await fetch(transport, upstream.url) == b"ok"
        assert len(upstream.seen.requests) == 2
