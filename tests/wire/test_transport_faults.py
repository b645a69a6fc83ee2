"""Whatever an upstream does wrong becomes one typed error that says what happened, and leaves nothing behind.

Truncation is never silent: an answer cut at any byte is an error, and what came before the cut arrives unchanged.
"""

from __future__ import annotations

import socket

import anyio
import pytest

from pipeline import (
    GatewayError,
    Overloaded,
    UpstreamAnswer,
    UpstreamCall,
    UpstreamGarbage,
    UpstreamInterrupted,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from pipeline.testing.wire import HOST, Script, Wire, WireUpstream
from tests.wire.answers import LAST_CHUNK, always, chunk, chunked_head, once, silent, sized, then_hold
from tests.wire.lanes import ASK, every_lane, read, slots_in_use, started

pytestmark = every_lane

SIZED = sized(b'{"answer": "forty-two"}')
STREAM = b"data: one\n\ndata: [DONE]\n\n"
CHUNKED = chunked_head() + chunk(STREAM[:11]) + chunk(STREAM[11:]) + LAST_CHUNK


async def failure_of(lane: str, *scripts: Script, ask: UpstreamCall = ASK, **options: float) -> GatewayError:
    """The error that reading the answer brings; afterwards the upstream is left and no slot is held."""
    with WireUpstream(*scripts) as upstream:
        async with started(lane, **options) as transport:
            with pytest.raises(GatewayError) as caught:
                await read(await transport.send(upstream.url, ask))
            assert slots_in_use(transport) == 0
            await upstream.until(lambda seen: seen.open == 0)
        return caught.value


async def test_a_port_where_nobody_listens_is_unavailable(lane: str) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))  # bound and not listening: connections are refused, and nobody else can take the port
        async with started(lane) as transport:
            with pytest.raises(UpstreamUnavailable) as caught:
                await transport.send(f"http://{HOST}:{taken.getsockname()[1]}", ASK)
            assert slots_in_use(transport) == 0
    assert caught.value.work_done == "no"
    assert HOST not in caught.value.message


async def test_an_upstream_that_never_answers_is_timed_out(lane: str) -> None:
    error = await failure_of(lane, silent, first_byte_seconds=0.1)
    assert isinstance(error, UpstreamTimeout)
    assert error.work_done == "maybe"


async def test_a_head_that_never_ends_is_timed_out(lane: str) -> None:
    error = await failure_of(lane, then_hold(b"HTTP/1.1 200 OK\r\ncontent-"), first_byte_seconds=0.1)
    assert isinstance(error, UpstreamTimeout)


async def test_a_body_that_falls_silent_is_timed_out_by_the_idle_limit(lane: str) -> None:
    stream = chunked_head() + chunk(b"data: one\n\n")
    with anyio.fail_after(20):
        error = await failure_of(lane, then_hold(stream), first_byte_seconds=1000, idle_seconds=0.1)
    assert isinstance(error, UpstreamTimeout)
    assert error.work_done == "maybe"


async def test_a_read_of_the_body_may_take_longer_than_the_head_may(lane: str) -> None:
    """The first-byte limit ends with the head: `idle_seconds` alone bounds each read of the body."""

    async def slow(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head() + chunk(b"one"))
        await gate.passed()
        await wire.send(chunk(b"two") + LAST_CHUNK)
        wire.answered()

    with WireUpstream(slow) as upstream:
        gate = upstream.gate()
        async with started(lane, first_byte_seconds=0.2, idle_seconds=20) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"one"
            async with anyio.create_task_group() as group:

                async def read_on() -> None:
                    assert await read(answer) == b"two"

                group.start_soon(read_on)
                await anyio.sleep(0.3)  # real time must pass while it reads: the limit is the HTTP client's own
                gate.open()


async def test_an_upstream_that_does_not_read_is_timed_out(lane: str) -> None:
    async def deaf(wire: Wire) -> None:
        await gate.passed()
        await wire.hold()

    huge = UpstreamCall("POST", "", b"x" * (64 << 20), ASK.headers)
    with WireUpstream(deaf) as upstream:
        gate = upstream.gate()
        async with started(lane, write_seconds=0.2, first_byte_seconds=0.2) as transport:
            with pytest.raises(UpstreamTimeout):
                await transport.send(upstream.url, huge)
            assert slots_in_use(transport) == 0
        gate.open()
        await upstream.until(lambda seen: seen.open == 0)


async def test_no_free_connection_in_time_is_overload_and_nothing_is_sent(lane: str) -> None:
    with WireUpstream(then_hold(chunked_head() + chunk(b"one"))) as upstream:
        async with started(lane, max_connections=1, pool_seconds=0.1) as transport:
            held = await transport.send(upstream.url, ASK)
            with pytest.raises(Overloaded) as caught:
                await transport.send(upstream.url, ASK)
            await held.source.aclose()
            assert slots_in_use(transport) == 0
        assert len(upstream.seen.requests) == 1
    assert (caught.value.status, caught.value.work_done, caught.value.retry_after) == (503, "no", 1.0)


async def test_a_request_that_waits_gets_the_connection_that_becomes_free(lane: str) -> None:
    with WireUpstream(then_hold(chunked_head() + chunk(b"one")), always(SIZED)) as upstream:
        async with started(lane, max_connections=1, pool_seconds=20) as transport:
            held = await transport.send(upstream.url, ASK)
            async with anyio.create_task_group() as group:

                async def wait() -> None:
                    assert await read(await transport.send(upstream.url, ASK)) == b'{"answer": "forty-two"}'

                group.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                assert len(upstream.seen.requests) == 1
                await held.source.aclose()


@pytest.mark.parametrize(
    ("response", "body"), [(SIZED, b'{"answer": "forty-two"}'), (CHUNKED, STREAM)], ids=["sized", "chunked"]
)
async def test_an_answer_cut_at_any_byte_is_an_error(lane: str, response: bytes, body: bytes) -> None:
    """What comes before the cut is a prefix of the body; only the whole of it ends without an error."""
    head = response.index(b"\r\n\r\n") + 4

    async def cut(wire: Wire) -> None:
        # One byte more for each connection: every place to cut is tried once.
        await wire.request()
        await wire.send(response[: wire.number])
        wire.answered()

    async def read_into(pieces: list[bytes], answer: UpstreamAnswer) -> None:
        while (piece := await answer.source.next()) is not None:
            pieces.append(piece)

    with WireUpstream(cut) as upstream:
        async with started(lane) as transport:
            for _ in range(head):
                with pytest.raises(UpstreamUnavailable):
                    await transport.send(upstream.url, ASK)
            for _ in range(head, len(response)):
                answer = await transport.send(upstream.url, ASK)
                pieces: list[bytes] = []
                with pytest.raises(UpstreamInterrupted) as caught:
                    await read_into(pieces, answer)
                assert caught.value.work_done == "maybe"
                assert body.startswith(b"".join(pieces))
            assert await read(await transport.send(upstream.url, ASK)) == body
            assert slots_in_use(transport) == 0
        assert len(upstream.seen.requests) == len(response) + 1, "a cut answer is never asked for again"


@pytest.mark.parametrize("response", [SIZED, CHUNKED], ids=["sized", "chunked"])
async def test_an_answer_in_segments_of_one_byte_is_the_same_answer(lane: str, response: bytes) -> None:
    async def bytewise(wire: Wire) -> None:
        while True:
            await wire.request()
            await (wire.send(response) if gate_number.pop() else wire.send_bytewise(response))
            wire.answered()

    gate_number = [True, False]
    with WireUpstream(bytewise) as upstream:
        async with started(lane) as transport:
            slowly = await read(await transport.send(upstream.url, ASK))
            assert slowly == await read(await transport.send(upstream.url, ASK))
        assert upstream.seen.connections == 1


async def test_a_reset_before_the_head_is_unavailable(lane: str) -> None:
    async def reset(wire: Wire) -> None:
        await wire.request()
        wire.reset()

    error = await failure_of(lane, reset)
    assert isinstance(error, UpstreamUnavailable)
    assert error.work_done == "maybe"


async def test_a_reset_in_the_body_is_an_interruption(lane: str) -> None:
    async def reset(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head() + chunk(b"one"))
        await gate.passed()
        wire.reset()

    with WireUpstream(reset) as upstream:
        gate = upstream.gate()
        async with started(lane) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert await answer.source.next() == b"one"
            gate.open()
            with pytest.raises(UpstreamInterrupted):
                await answer.source.next()
            assert slots_in_use(transport) == 0


async def test_a_server_that_closes_only_its_own_side_has_cut_its_answer(lane: str) -> None:
    async def half_close(wire: Wire) -> None:
        await wire.request()
        await wire.send(SIZED[:-5])
        wire.half_close()
        await wire.hold()

    assert isinstance(await failure_of(lane, half_close), UpstreamInterrupted)


GARBAGE_HEADS = {
    "no http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "status is no number": b"HTTP/1.1 fine OK\r\n\r\n",
    "header without colon": b"HTTP/1.1 200 OK\r\nthis is not a field\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    "length is no number": b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nab",
}


@pytest.mark.parametrize("head", GARBAGE_HEADS.values(), ids=GARBAGE_HEADS.keys())
async def test_a_head_that_is_not_http_is_garbage(lane: str, head: bytes) -> None:
    error = await failure_of(lane, once(head))
    assert isinstance(error, UpstreamGarbage)
    assert error.work_done == "maybe"


async def test_a_head_without_end_is_garbage_long_before_memory_is_full(lane: str) -> None:
    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nx-filler: ")
        await wire.flood(b"x" * 65536)

    error = await failure_of(lane, endless)
    assert isinstance(error, UpstreamGarbage)


async def test_a_chunk_size_that_is_no_number_is_garbage(lane: str) -> None:
    error = await failure_of(lane, once(chunked_head() + chunk(b"one") + b"zz\r\nbroken\r\n"))
    assert isinstance(error, UpstreamGarbage)


@pytest.mark.parametrize("codings", [(b"gzip",), (b"gzip", b"identity"), (b"identity", b"br"), (b"identity, gzip",)])
async def test_a_compressed_answer_is_refused_and_its_connection_closed(lane: str, codings: tuple[bytes, ...]) -> None:
    """Decompression was not asked for, and a bomb must not be unpacked here. One field or several, RFC 9110 5.3."""
    fields = b"".join(b"content-encoding: %b\r\n" % coding for coding in codings)
    error = await failure_of(lane, then_hold(sized(b"\x1f\x8b\x08", extra=fields)))
    assert isinstance(error, UpstreamGarbage)


async def test_an_answer_that_says_it_is_not_compressed_is_taken(lane: str) -> None:
    """Codings are compared without case (RFC 9110 8.4.1)."""
    plain = sized(b"plain", extra=b"content-encoding: Identity\r\n")
    with WireUpstream(always(plain)) as upstream:
        async with started(lane) as transport:
            assert await read(await transport.send(upstream.url, ASK)) == b"plain"


async def test_interim_answers_are_passed_over(lane: str) -> None:
    with WireUpstream(always(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + SIZED)) as upstream:
        async with started(lane) as transport:
            answer = await transport.send(upstream.url, ASK)
            assert (answer.status, await read(answer)) == (200, b'{"answer": "forty-two"}')
