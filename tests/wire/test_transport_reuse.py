"""Connections are kept and reused, and a stale one is survived exactly when that is provably safe.

A server may close a kept connection while the next request is on its way. That request is sent once more, on a fresh
connection, and only if the old one was reused and gave back not one byte; everything else is told to the caller.
"""

from __future__ import annotations

import anyio
import pytest

from pipeline import UpstreamInterrupted, UpstreamTimeout, UpstreamUnavailable
from pipeline.testing.wire import Gate, Wire, WireUpstream
from tests.wire.answers import LAST_CHUNK, always, chunk, chunked_head, once, silent, sized, then_stale
from tests.wire.lanes import ASK, every_lane, read, slots_in_use, started

pytestmark = every_lane

OK = sized(b'{"ok": true}')


async def test_one_connection_serves_requests_that_follow_each_other(lane: str) -> None:
    with WireUpstream(always(OK)) as upstream:
        async with started(lane) as transport:
            for _ in range(5):
                assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert upstream.seen.connections == 1
        assert len(upstream.seen.requests) == 5


async def test_requests_at_the_same_time_get_connections_of_their_own(lane: str) -> None:
    gates: list[Gate] = []

    async def wait_for_the_other(wire: Wire) -> None:
        await wire.request()
        await gates[0].passed()
        await wire.send(OK)
        wire.answered()

    with WireUpstream(wait_for_the_other) as upstream:
        gates.append(upstream.gate())
        async with started(lane) as transport, anyio.create_task_group() as group:

            async def ask() -> None:
                assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'

            group.start_soon(ask)
            group.start_soon(ask)
            await upstream.until(lambda seen: len(seen.requests) == 2)
            gates[0].open()
        assert upstream.seen.connections == 2


async def test_a_body_that_was_not_read_to_its_end_costs_its_connection(lane: str) -> None:
    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head() + chunk(b"one"))
        await wire.hold()

    with WireUpstream(endless, always(OK)) as upstream:
        async with started(lane) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"one"
            await answer.source.aclose()
            await upstream.until(lambda seen: seen.aborts == 1)
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert upstream.seen.connections == 2


async def test_a_stale_connection_is_survived_by_one_fresh_try(lane: str) -> None:
    with WireUpstream(then_stale(OK), always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
            assert slots_in_use(transport) == 0
        assert [request.connection for request in upstream.seen.requests] == [0, 0, 1]
        assert {request.body for request in upstream.seen.requests} == {ASK.body}


async def test_a_connection_reset_while_the_request_was_on_its_way_is_survived(lane: str) -> None:
    async def answer_then_reset(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        wire.reset()

    with WireUpstream(answer_then_reset, always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert upstream.seen.connections == 2


async def test_a_stale_stream_connection_is_survived(lane: str) -> None:
    """The measured case: llama.cpp's server closes after each stream although it promised keep-alive."""
    stream = chunked_head() + chunk(b"data: [DONE]\n\n") + LAST_CHUNK
    with WireUpstream(then_stale(stream)) as upstream:
        async with started(lane) as transport:
            for _ in range(10):
                assert await read(await transport.send(upstream.url, ASK)) == b"data: [DONE]\n\n"


async def test_the_fresh_try_never_meets_a_second_stale_connection(lane: str) -> None:
    """Two kept connections are both stale: the retry opens a third one, and never uses the second."""
    gates: list[Gate] = []

    async def stale(wire: Wire) -> None:
        await wire.request()
        await gates[0].passed()
        await wire.send(OK)
        await wire.request()

    with WireUpstream(stale, stale, always(OK)) as upstream:
        gates.append(upstream.gate())
        async with started(lane) as transport:
            async with anyio.create_task_group() as group:

                async def ask() -> None:
                    await read(await transport.send(upstream.url, ASK))

                group.start_soon(ask)
                group.start_soon(ask)
                await upstream.until(lambda seen: len(seen.requests) == 2)
                gates[0].open()
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert [request.connection for request in upstream.seen.requests][3:] == [2]


async def test_the_fresh_try_is_the_last_one(lane: str) -> None:
    with WireUpstream(then_stale(OK), once(b"")) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            with pytest.raises(UpstreamUnavailable) as caught:
                await transport.send(upstream.url, ASK)
            assert slots_in_use(transport) == 0
        assert caught.value.work_done == "maybe"
        assert upstream.seen.connections == 2


async def test_a_fresh_connection_that_gives_nothing_is_not_tried_again(lane: str) -> None:
    with WireUpstream(once(b""), always(OK)) as upstream:
        async with started(lane) as transport:
            with pytest.raises(UpstreamUnavailable):
                await transport.send(upstream.url, ASK)
        assert len(upstream.seen.requests) == 1


@pytest.mark.parametrize("said", [b"H", OK[:20], OK[: OK.index(b"\r\n\r\n") + 3]])
async def test_one_byte_of_an_answer_forbids_the_fresh_try(lane: str, said: bytes) -> None:
    async def begin_and_close(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        await wire.send(said)

    with WireUpstream(begin_and_close, always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            with pytest.raises(UpstreamUnavailable) as caught:
                await transport.send(upstream.url, ASK)
        assert caught.value.work_done == "maybe"
        assert len(upstream.seen.requests) == 2


async def test_a_cut_body_on_a_reused_connection_is_not_tried_again(lane: str) -> None:
    async def cut(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.request()
        await wire.send(OK[:-3])

    with WireUpstream(cut, always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            answer = await transport.send(upstream.url, ASK)
            with pytest.raises(UpstreamInterrupted):
                await read(answer)
        assert len(upstream.seen.requests) == 2


async def test_a_time_out_on_a_reused_connection_is_not_tried_again(lane: str) -> None:
    """A server that is slow may be working."""

    async def answer_then_silent(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await silent(wire)

    with WireUpstream(answer_then_silent, always(OK)) as upstream:
        async with started(lane, first_byte_seconds=0.1) as transport:
            await read(await transport.send(upstream.url, ASK))
            with pytest.raises(UpstreamTimeout) as caught:
                await transport.send(upstream.url, ASK)
        assert caught.value.work_done == "maybe"
        assert len(upstream.seen.requests) == 2


async def test_a_connection_closed_while_idle_is_noticed_before_it_is_used(lane: str) -> None:
    with WireUpstream(once(OK), always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            await upstream.until(lambda seen: seen.open == 0)
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert len(upstream.seen.requests) == 2


async def test_no_connection_is_kept_when_none_may_be(lane: str) -> None:
    with WireUpstream(always(OK)) as upstream:
        async with started(lane, keepalive_seconds=0.0) as transport:
            for _ in range(2):
                await read(await transport.send(upstream.url, ASK))
        assert upstream.seen.connections == 2


async def test_stopping_closes_what_is_kept_and_starting_again_works(lane: str) -> None:
    with WireUpstream(always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url, ASK))
            await transport.stop()
            await upstream.until(lambda seen: seen.open == 0)
            await transport.start()
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
            await transport.stop()
            await transport.stop()
