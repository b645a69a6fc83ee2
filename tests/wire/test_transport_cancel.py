"""Cancelling a request in any phase closes its connection, at once and for good, and no pool slot is ever lost.

A gateway cancels an upstream call whenever a client leaves. With the HTTP client that everybody knows, each cancelled
connect could cost a slot for ever, until the pool was empty and nothing but a restart helped.
"""

from __future__ import annotations

import functools
import gc
import random
from collections.abc import Awaitable, Callable, Iterator

import anyio
import pytest

from pipeline import UpstreamCall
from pipeline.testing.wire import Received, Wire, WireUpstream
from tests.wire.answers import LAST_CHUNK, always, chunk, chunked_head, silent, sized, then_hold
from tests.wire.lanes import ASK, every_lane, read, slots_in_use, started

pytestmark = every_lane

OK = sized(b'{"ok": true}')
SLOTS, WORKERS = 10, 20


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the garbage collector a forgotten socket stays open, and the test sees that it was forgotten."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def cancelled_once(work: Callable[[], Awaitable[object]], when: Callable[[], Awaitable[object]]) -> None:
    """Run `work` and cancel it as soon as `when` returns."""
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                await when()
                scope.cancel()

            group.start_soon(cancel)
            await work()
            raise AssertionError("it should not have finished")


async def test_cancelled_while_the_handshake_is_under_way(lane: str, uncollected: None) -> None:
    """The server accepts the connection and never answers the client's hello."""

    async def mute(wire: Wire) -> None:
        await wire.hold()

    with WireUpstream(mute) as upstream:
        address = upstream.url.replace("http:", "https:")
        async with started(lane) as transport:
            for number in range(1, 11):
                seen_one_more = functools.partial(lambda n, seen: seen.connections == n, number)
                await cancelled_once(
                    lambda: transport.send(address, ASK), functools.partial(upstream.until, seen_one_more)
                )
            await upstream.until(lambda seen: seen.open == 0)
            assert slots_in_use(transport) == 0


async def test_cancelled_while_waiting_for_a_free_connection(lane: str) -> None:
    with WireUpstream(then_hold(chunked_head() + chunk(b"one")), always(OK)) as upstream:
        async with started(lane, max_connections=1, pool_seconds=20) as transport:
            held = await transport.send(upstream.url, ASK)
            await cancelled_once(lambda: transport.send(upstream.url, ASK), anyio.wait_all_tasks_blocked)
            await held.source.aclose()
            assert slots_in_use(transport) == 0
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert len(upstream.seen.requests) == 2


async def test_cancelled_while_the_request_is_being_sent(lane: str) -> None:
    async def deaf(wire: Wire) -> None:
        await gate.passed()
        await wire.hold()

    huge = UpstreamCall("POST", "", b"x" * (64 << 20), ASK.headers)
    with WireUpstream(deaf) as upstream:
        gate = upstream.gate()
        async with started(lane) as transport:
            await cancelled_once(
                lambda: transport.send(upstream.url, huge), lambda: upstream.until(lambda seen: seen.open == 1)
            )
            gate.open()
            await upstream.until(lambda seen: seen.open == 0)
            assert slots_in_use(transport) == 0


async def test_cancelled_while_waiting_for_the_head(lane: str) -> None:
    with WireUpstream(silent) as upstream:
        async with started(lane) as transport:
            await cancelled_once(
                lambda: transport.send(upstream.url, ASK), lambda: upstream.until(lambda seen: seen.requests)
            )
            await upstream.until(lambda seen: seen.aborts == 1 and seen.open == 0)
            assert slots_in_use(transport) == 0


async def test_cancelled_in_the_middle_of_the_body(lane: str) -> None:
    """The read itself closes the connection; its owner then gives the slot back, as for any answer."""
    with WireUpstream(then_hold(chunked_head() + chunk(b"one"))) as upstream:
        async with started(lane) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"one"
            await cancelled_once(answer.source.next, anyio.wait_all_tasks_blocked)
            await upstream.until(lambda seen: seen.aborts == 1 and seen.open == 0)
            await answer.source.aclose()
            assert slots_in_use(transport) == 0


async def test_closed_between_the_head_and_the_first_byte(lane: str) -> None:
    with WireUpstream(then_hold(chunked_head())) as upstream:
        async with started(lane) as transport:
            answer = await transport.send(upstream.url, ASK)
            await answer.source.aclose()
            await answer.source.aclose()
            await upstream.until(lambda seen: seen.aborts == 1 and seen.open == 0)
            assert slots_in_use(transport) == 0


async def test_closing_is_not_undone_by_a_cancellation(lane: str) -> None:
    with WireUpstream(then_hold(chunked_head() + chunk(b"one"))) as upstream:
        async with started(lane) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"one"
            with anyio.CancelScope() as scope:
                scope.cancel()
                await answer.source.aclose()
            await upstream.until(lambda seen: seen.aborts == 1 and seen.open == 0)
            assert slots_in_use(transport) == 0


async def storm(lane: str, cancels: int) -> None:
    """Twenty workers over ten slots cancel requests in every phase, at random; then everything still works."""
    chance = random.Random(1093)
    left = cancels

    def reply(request: Received) -> bytes:
        return OK if request.target == "/ok" else chunked_head() + chunk(b"one") + LAST_CHUNK

    async def sometimes_silent(wire: Wire) -> None:
        while True:
            request = await wire.request()
            if request.target == "/silent":
                await wire.hold()
            await wire.send(reply(request))
            wire.answered()

    with WireUpstream(sometimes_silent) as upstream:
        async with started(lane, max_connections=SLOTS, pool_seconds=20) as transport:

            async def worker() -> None:
                nonlocal left
                while left > 0:
                    url = upstream.url + chance.choice(("/silent", "/stream", "/silent"))
                    with anyio.move_on_after(chance.uniform(0, 0.006)) as scope:
                        await read(await transport.send(url, ASK))
                    left -= scope.cancelled_caught

            async with anyio.create_task_group() as group:
                for _ in range(WORKERS):
                    group.start_soon(worker)
            assert slots_in_use(transport) == 0
            healthy = 0
            async with anyio.create_task_group() as group:

                async def ask() -> None:
                    nonlocal healthy
                    body = await read(await transport.send(upstream.url + "/ok", ASK))
                    healthy += body == b'{"ok": true}'

                for _ in range(WORKERS):
                    group.start_soon(ask)
            assert healthy == WORKERS
            assert slots_in_use(transport) == 0
            assert upstream.seen.open <= SLOTS
        await upstream.until(lambda seen: seen.open == 0)


async def test_a_storm_of_cancellations_loses_no_slot(lane: str) -> None:
    await storm(lane, 2_000)


@pytest.mark.thorough
async def test_a_long_storm_of_cancellations_loses_no_slot(lane: str) -> None:
    await storm(lane, 40_000)
