"""The load counts each answer once and times it rightly, whole or in pieces, and takes no failure for a result."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from benchmarks.gateway.answers import StreamParts, answer, in_chunk, openai_stream
from benchmarks.gateway.load import Load, Prepared, Tally, prepared
from tests.benchmarks.gateway.scripted_server import Exchange, Script, serving

pytestmark = [pytest.mark.wire, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

ANSWER = answer(b"y" * 500)
WHOLE = prepared("/v1/chat/completions", {"authorization": "Bearer k"}, b"asked", least_bytes=500)
PARTS = openai_stream("origin-100cps")


def stream_request(chunks: int) -> Prepared:
    return prepared("/v1/chat/completions", {}, b"streamed", chunks=chunks)


def stream(parts: StreamParts, chunks: int) -> bytes:
    """A stream whose chunks were all sent now."""
    now = b"%020d" % time.monotonic_ns()
    return parts.head + (parts.before + now + parts.after) * chunks + parts.end


@asynccontextmanager
async def loaded(
    script: Script, requests: Sequence[Prepared], connections: int, rate: float | None = None
) -> AsyncIterator[Tally]:
    """A load that counts from its first request on."""
    async with serving(script) as port:
        load = Load(port, requests, connections, rate)
        load.tally.counting = True
        await load.start()
        try:
            yield load.tally
        finally:
            load.stop()
            await anyio.lowlevel.checkpoint()


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not true():  # noqa: ASYNC110  # a load that woke somebody at each answer would cost too much
            await anyio.sleep(0.002)


async def test_every_answer_of_a_slow_server_counts_once_and_takes_as_long_as_it_took() -> None:
    answered = 0

    def slow(exchange: Exchange) -> None:
        nonlocal answered
        if answered < 30:  # then silence, so that nothing moves while the test looks
            answered += 1
            exchange.send(ANSWER, after_seconds=0.02)

    async with loaded(slow, [WHOLE], 3) as tally:
        await until(lambda: tally.requests == 30)
        await anyio.sleep(0.05)
    assert (tally.requests, len(tally.latencies), tally.errors) == (30, 30, 0)
    assert min(tally.latencies) > 18_000_000  # a loop's timer may be a millisecond early


async def test_answers_in_two_pieces_are_complete_with_the_second() -> None:
    async with loaded(
        lambda exchange: exchange.send(ANSWER[:300], ANSWER[300:], apart_seconds=0.02), [WHOLE], 1
    ) as tally:
        await until(lambda: tally.requests >= 3)
    assert tally.errors == 0
    assert min(tally.latencies) > 18_000_000


async def test_nothing_counts_before_and_after_the_counting() -> None:
    seen = 0

    def count(exchange: Exchange) -> None:
        nonlocal seen
        seen += 1
        exchange.send(ANSWER)

    async with loaded(count, [WHOLE], 2) as tally:
        tally.counting = False
        before = tally.requests
        await until(lambda: seen > 50)
    assert tally.requests == before == len(tally.latencies)


async def test_each_connection_goes_through_the_requests_in_turn_from_another_one_on() -> None:
    seen: dict[int, list[bytes]] = defaultdict(list)

    def note(exchange: Exchange) -> None:
        seen[exchange.connection].append(exchange.body)
        exchange.send(ANSWER)

    requests = [prepared("/", {}, body, least_bytes=500) for body in (b"a", b"b", b"c")]
    async with loaded(note, requests, 3) as tally:
        await until(lambda: tally.requests > 60)
    assert Counter(bodies[0] for bodies in seen.values()) == {b"a": 1, b"b": 1, b"c": 1}
    for bodies in seen.values():
        begun = b"abc".index(bodies[0])
        assert b"".join(bodies) == (b"abc" * len(bodies))[begun : begun + len(bodies)]


@pytest.mark.parametrize("cut", [1, 7, 150, 333, 10_000])
async def test_chunks_are_found_wherever_reads_cut_them(cut: int) -> None:
    asked = 0

    def once(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            sent = stream(PARTS, 5)
            exchange.send(*(sent[at : at + cut] for at in range(0, len(sent), cut)))

    async with loaded(once, [stream_request(5)], 1) as tally:
        await until(lambda: asked == 2)
    assert (tally.requests, tally.chunks, tally.errors) == (1, 5, 0)
    assert (len(tally.first_chunks), len(tally.gaps), len(tally.delays)) == (1, 4, 5)


async def test_a_stamp_is_found_although_a_gateway_cut_its_chunk_there() -> None:
    stamp = b"%020d" % time.monotonic_ns()
    events = b'data: {"choices":[{"delta":{"content": "%b"}}]}\n\n' % stamp
    framed = in_chunk(events[:48]) + in_chunk(events[48:]) + b"0\r\n\r\n"
    assert events[40:48].strip(b'0123456789"') == b""  # the cut is in the digits

    head = PARTS.head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    async with loaded(lambda exchange: exchange.send(head + framed), [stream_request(1)], 1) as tally:
        await until(lambda: tally.requests >= 2)
    assert tally.errors == 0


async def test_the_delay_of_a_chunk_is_its_way_and_the_gap_its_distance_from_the_last() -> None:
    def late(exchange: Exchange) -> None:
        sent = stream(PARTS, 2)
        middle = len(PARTS.head) + len(PARTS.before) + 20 + len(PARTS.after)
        exchange.send(sent[:middle], sent[middle:], after_seconds=0.04, apart_seconds=0.06)

    async with loaded(late, [stream_request(2)], 1) as tally:
        await until(lambda: tally.requests >= 1)
    first, second = tally.delays[:2]
    assert first > 38_000_000  # it was stamped before it waited
    assert second - first > 58_000_000
    assert tally.gaps[0] == second - first
    assert tally.first_chunks[0] > 38_000_000


async def test_at_a_fixed_rate_a_request_is_timed_from_when_it_was_due() -> None:
    asked = 0

    def one_slow_answer(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        exchange.send(ANSWER, after_seconds=0.5 if asked == 1 else 0.0)

    async with loaded(one_slow_answer, [WHOLE], 1, rate=50.0) as tally:
        await until(lambda: tally.requests >= 10)
    # While the first took 500 ms, a request became due every 20 ms: the second waited for 480 of them, ...
    waited = [latency / 1e6 for latency in tally.latencies[:10]]
    assert waited[1] > 250
    assert waited[8] > 100
    assert waited[1] > waited[4] > waited[8]


async def test_a_fixed_rate_is_no_more_than_that_however_quick_the_answers() -> None:
    begun = time.monotonic()
    async with loaded(lambda exchange: exchange.send(ANSWER), [WHOLE], 4, rate=100.0) as tally:
        await until(lambda: tally.requests >= 20)
    assert time.monotonic() - begun > 0.18
    assert tally.errors == 0


REFUSED = b"HTTP/1.1 500 Oh\r\ncontent-length: 600\r\n\r\n" + b"z" * 600
SHORT = answer(b"y" * 499)
NOT_HTTP = b"220 mail.example ESMTP\r\n"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [(REFUSED, "status 500"), (SHORT, "499 bytes"), (NOT_HTTP, "not HTTP")],
    ids=["500", "short", "smtp"],
)
async def test_a_wrong_answer_is_an_error_and_no_request(wrong: bytes, why: str) -> None:
    asked = 0

    def wrong_once(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        exchange.send(wrong if asked == 1 else ANSWER)

    async with loaded(wrong_once, [WHOLE], 1) as tally:
        await until(lambda: tally.requests >= 3)
    assert tally.errors == 1
    assert why in tally.first_error
    assert len(tally.latencies) == tally.requests


async def test_a_refused_stream_is_told_in_the_peers_words() -> None:
    async with loaded(lambda exchange: exchange.send(REFUSED), [stream_request(5)], 1) as tally:
        await until(lambda: tally.errors >= 1)
    assert "status 500: b'zzz" in tally.first_error


async def test_a_peer_that_closes_after_each_answer_is_no_failure() -> None:
    closing = ANSWER.replace(b"server: origin", b"connection: close", 1)
    async with loaded(lambda exchange: exchange.send(closing), [WHOLE], 1) as tally:
        await until(lambda: tally.requests >= 3)
    assert tally.errors == 0


async def test_a_stream_that_lost_a_chunk_is_an_error() -> None:
    async with loaded(lambda exchange: exchange.send(stream(PARTS, 4)), [stream_request(5)], 1) as tally:
        await until(lambda: tally.errors >= 2)
    assert tally.requests == 0
    assert "4 chunks" in tally.first_error


async def test_a_connection_that_is_cut_is_an_error_and_another_one_goes_on() -> None:
    def cut_the_first(exchange: Exchange) -> None:
        if exchange.connection == 0:
            exchange.cut()
        else:
            exchange.send(ANSWER)

    async with loaded(cut_the_first, [WHOLE], 1) as tally:
        await until(lambda: tally.requests >= 3)
    assert tally.errors == 1
    assert "lost" in tally.first_error


async def test_a_peer_that_is_not_there_yet_is_an_error_and_is_asked_once_it_is() -> None:
    async with serving(lambda exchange: None) as port:
        pass  # a port at which nobody is now
    load = Load(port, [WHOLE], 2)
    load.tally.counting = True
    await load.start()
    assert load.tally.errors >= 2
    assert "no connection" in load.tally.first_error
    async with serving(lambda exchange: exchange.send(ANSWER), port):
        try:
            await until(lambda: load.tally.requests >= 3)
        finally:
            load.stop()
            await anyio.lowlevel.checkpoint()
