"""A scripted answer is the same on a socket as in memory: what a law found on the virtual clock is seen on the wire."""

from __future__ import annotations

import pytest

from pipeline import GatewayError, UpstreamInterrupted, UpstreamTimeout
from pipeline.testing import Points, ScriptedAnswer, Stall, VirtualClock, by_hand
from pipeline.testing.wire import Wire, WireUpstream, played
from pipeline.testing.wire.played import Framing
from tests.wire.lanes import ASK, every_lane, read, started

pytestmark = every_lane

EVENTS = ("content-type", "text/event-stream")
WORDS = [b"data: one\n\n", b"data: two\n\n", b"data: [DONE]\n\n"]


def in_memory(answer: ScriptedAnswer) -> bytes | type[Exception]:
    source = answer.in_memory(Points(by_hand=True), VirtualClock()).source
    pieces: list[bytes] = []
    while True:
        attempt = by_hand(source.next)
        if attempt.error is not None:
            return type(attempt.error)
        if attempt.value is None:
            return b"".join(pieces)
        pieces.append(attempt.value)


async def on_the_wire(lane: str, upstream: WireUpstream, **options: float) -> bytes | type[Exception]:
    async with started(lane, **options) as transport:
        try:
            answer = await transport.send(upstream.url, ASK)
            return await read(answer)
        except GatewayError as error:
            return type(error)


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("byte_by_byte", [False, True])
async def test_the_pieces_arrive_however_they_are_sent(lane: str, framing: Framing, byte_by_byte: bool) -> None:
    answer = ScriptedAnswer([b"", *WORDS], 203, (EVENTS, ("x-kit", "1")))
    with WireUpstream(played(answer, framing=framing, byte_by_byte=byte_by_byte)) as upstream:
        async with started(lane) as transport:
            got = await transport.send(upstream.url, ASK)
            assert (got.status, got.headers.get("x-kit")) == (203, "1")
            assert await read(got) == in_memory(answer) == b"".join(WORDS)
        asked = upstream.seen.requests[0]
        assert (asked.method, asked.body, asked.header("content-type")) == ("POST", ASK.body, "application/json")
        await upstream.until(lambda seen: seen.open == 0)
        assert upstream.seen.aborts == 0


async def test_a_connection_that_is_kept_plays_the_script_again(lane: str) -> None:
    with WireUpstream(played(ScriptedAnswer(WORDS))) as upstream:
        async with started(lane) as transport:
            for _ in range(2):
                assert await read(await transport.send(upstream.url, ASK)) == b"".join(WORDS)
        assert (len(upstream.seen.requests), upstream.seen.connections) == (2, 1)


async def test_an_exception_is_a_reset(lane: str) -> None:
    answer = ScriptedAnswer([*WORDS[:1], UpstreamInterrupted("reset")], headers=(EVENTS,))
    with WireUpstream(played(answer)) as upstream:
        assert await on_the_wire(lane, upstream) == in_memory(answer) == UpstreamInterrupted


async def test_a_stall_is_silence_in_real_time(lane: str) -> None:
    """In memory the script says what its reader makes of the silence; here the transport's own limit does."""
    answer = ScriptedAnswer([*WORDS[:1], Stall(60.0), UpstreamTimeout("silent")], headers=(EVENTS,))
    with WireUpstream(played(answer)) as upstream:
        assert await on_the_wire(lane, upstream, idle_seconds=0.1) == in_memory(answer) == UpstreamTimeout
        await upstream.until(lambda seen: seen.open == 0)
        assert upstream.seen.aborts == 1


async def test_after_a_short_stall_the_answer_goes_on(lane: str) -> None:
    answer = ScriptedAnswer([*WORDS[:1], Stall(0.001), *WORDS[1:]])
    with WireUpstream(played(answer)) as upstream:
        assert await on_the_wire(lane, upstream) == in_memory(answer) == b"".join(WORDS)


async def test_a_cut_is_seen_where_the_framing_tells_the_length(lane: str) -> None:
    answer = ScriptedAnswer(WORDS, headers=(EVENTS,))
    size = await _size_of(answer, lane)
    for cut_at in (size - 1, size - 20):
        with WireUpstream(played(answer, cut_at=cut_at)) as upstream:
            assert await on_the_wire(lane, upstream) == UpstreamInterrupted
            await upstream.until(lambda seen: seen.open == 0)
            assert upstream.seen.bytes_sent == cut_at
    with WireUpstream(played(answer, cut_at=size)) as upstream:
        assert await on_the_wire(lane, upstream) == b"".join(WORDS)


async def test_a_cut_is_an_end_where_the_connection_is_the_framing(lane: str) -> None:
    answer = ScriptedAnswer(WORDS, headers=(EVENTS,))
    size = await _size_of(answer, lane, framing="close")
    with WireUpstream(played(answer, framing="close", cut_at=size - 3)) as upstream:
        assert await on_the_wire(lane, upstream) == b"".join(WORDS)[:-3]


async def _size_of(answer: ScriptedAnswer, lane: str, framing: Framing = "chunked") -> int:
    with WireUpstream(played(answer, framing=framing)) as upstream:
        assert await on_the_wire(lane, upstream) == b"".join(WORDS)
        await upstream.until(lambda seen: seen.open == 0)
        return upstream.seen.bytes_sent


async def test_a_peer_that_leaves_ends_a_stall(lane: str) -> None:
    over: list[str] = []

    async def script(wire: Wire) -> None:
        await wire.request()
        try:
            await wire.stall(1000.0)
        finally:
            over.append("left")

    with WireUpstream(script) as upstream:
        assert await on_the_wire(lane, upstream, first_byte_seconds=0.1) == UpstreamTimeout
        await upstream.until(lambda seen: seen.open == 0)
    assert over == ["left"]
