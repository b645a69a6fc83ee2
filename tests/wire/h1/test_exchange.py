"""One exchange on a real connection: framing at the socket, surplus, early answers, and back-pressure both ways."""

from __future__ import annotations

import asyncio

import pytest

from pipeline import InternalError, UpstreamCall, UpstreamGarbage, UpstreamInterrupted, UpstreamUnavailable
from pipeline.testing.wire import Gate, Received, Wire
from stages.upstreams.h1.connection import HIGH_WATER_BYTES, WRITE_BYTES
from tests.wire.answers import LAST_CHUNK, always, chunk, chunked_head, once, sized, then_hold
from tests.wire.h1.lane import ASK, HUGE, OK, Upstream, connection_of, fetch, pool_of, read, started, turns_until

NOT_KEPT = {
    "Connection: close": sized(b"ok", extra=b"connection: close\r\n"),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "surplus in the same write": OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison",
    "one byte of surplus": OK + b"H",
}


@pytest.mark.parametrize("shape", NOT_KEPT)
async def test_a_connection_that_may_not_be_reused_is_closed(shape: str) -> None:
    with Upstream(always(NOT_KEPT[shape])) as upstream:
        async with started() as transport:
            for _ in range(3):
                assert await fetch(transport, upstream.url) == b"ok"
            assert (pool_of(transport).places, pool_of(transport).idle) == (0, 0)
        assert [request.connection for request in upstream.seen.requests] == [0, 1, 2]


async def test_head_has_no_body_and_its_connection_is_not_reused() -> None:
    with Upstream(always(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")) as upstream:
        async with started() as transport:
            for _ in range(2):
                answer = await transport.send(upstream.url, UpstreamCall("HEAD", ""))
                assert answer.headers.get("content-length") == "5"
                assert await read(answer) == b""
        assert upstream.seen.connections == 2


async def test_surplus_that_comes_later_costs_the_idle_connection_and_nobody_else() -> None:
    gates: list[Gate] = []

    async def answer_then_poison(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        await gates[0].passed()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison")
        await wire.hold()

    with Upstream(answer_then_poison, always(OK)) as upstream:
        gates.append(upstream.gate())
        async with started() as transport:
            assert await fetch(transport, upstream.url) == b"ok"
            gates[0].open()
            upstream.wait_for(lambda seen: seen.bytes_sent > len(OK))  # the loop has not read it yet
            assert await fetch(transport, upstream.url) == b"ok"
        assert upstream.seen.connections == 2


async def test_an_upstream_that_speaks_before_it_is_asked_is_not_listened_to() -> None:
    async def hasty(wire: Wire) -> None:
        await wire.send(sized(b"poison"))
        await wire.hold()

    with Upstream(hasty) as upstream:
        async with started() as transport:
            pool = transport._open("http", upstream.url.removeprefix("http://"))
            connection = await pool.acquire()
            await turns_until(lambda: not connection.alive)
            pool.release(connection)


async def test_the_body_may_end_with_the_connection_in_order_but_not_by_a_reset() -> None:
    body = b"HTTP/1.1 200 OK\r\n\r\nbody"

    async def reset(wire: Wire) -> None:
        await wire.request()
        await wire.send(body)
        wire.reset()

    with Upstream(once(body), reset) as upstream:
        async with started() as transport:
            assert await fetch(transport, upstream.url) == b"body"
            with pytest.raises((UpstreamInterrupted, UpstreamUnavailable)):
                await fetch(transport, upstream.url)


async def test_an_upstream_that_closes_only_its_own_direction_is_understood() -> None:
    async def half(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK)
        wire.half_close()
        await wire.hold()

    with Upstream(half, always(OK)) as upstream:
        async with started() as transport:
            for _ in range(2):
                assert await fetch(transport, upstream.url) == b"ok"


async def test_an_answer_that_comes_before_the_request_is_written_is_taken() -> None:
    """RFC 9112 9.5. The rest of the request is not sent, so the connection cannot be reused."""
    refusal = sized(b"too large", status="413 Content Too Large")

    async def refuse_early(wire: Wire) -> None:
        await wire._reader.readuntil(b"\r\n\r\n")  # the head alone, which no script asks for otherwise
        await wire.send(refusal)
        await gate.passed()
        await wire.hold()

    with Upstream(refuse_early, always(OK)) as upstream:
        gate = upstream.gate()
        async with started() as transport:
            pool = transport._open("http", upstream.url.removeprefix("http://"))
            answer = await transport.send(upstream.url, HUGE)
            assert (answer.status, await read(answer)) == (413, b"too large")
            assert (pool.places, pool.idle) == (0, 0)
            gate.open()
            assert await fetch(transport, upstream.url) == b"ok"


async def test_a_large_request_is_written_as_the_upstream_takes_it() -> None:
    gates: list[Gate] = []

    async def wait_then_answer(wire: Wire) -> None:
        await gates[0].passed()
        received = await wire.request()
        await wire.send(sized(b"%d" % len(received.body)))

    with Upstream(wait_then_answer) as upstream:
        gates.append(upstream.gate())
        async with started() as transport:
            pool = transport._open("http", upstream.url.removeprefix("http://"))
            asking = asyncio.create_task(fetch(transport, upstream.url, HUGE))
            await turns_until(lambda: pool._busy)
            (connection,) = pool._busy
            await turns_until(lambda: connection._write_paused)
            assert connection._transport.get_write_buffer_size() <= 2 * WRITE_BYTES + 1024
            gates[0].open()
            assert await asking == b"%d" % len(HUGE.body)


async def test_an_upstream_that_resets_while_a_large_request_is_written_is_one_typed_error() -> None:
    async def reset(wire: Wire) -> None:
        await gate.passed()
        wire.reset()

    with Upstream(reset) as upstream:
        gate = upstream.gate()
        async with started() as transport:
            asking = asyncio.create_task(fetch(transport, upstream.url, HUGE))
            await upstream.until(lambda seen: seen.connections == 1)
            gate.open()
            with pytest.raises(UpstreamUnavailable):
                await asking
            assert pool_of(transport).places == 0


async def test_a_slow_owner_stops_the_upstream_and_gets_every_byte_later() -> None:
    piece = bytes(range(256)) * 256

    async def much(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head())
        for _ in range(500):
            await wire.send(chunk(piece))
        await wire.send(LAST_CHUNK)

    with Upstream(much) as upstream:
        async with started() as transport:
            answer = await transport.send(upstream.url, ASK)
            connection = connection_of(answer)
            await turns_until(lambda: connection._reading_paused)
            for _ in range(1000):
                await asyncio.sleep(0)
            assert connection._reader.buffered <= 2 * HIGH_WATER_BYTES + 1024
            assert upstream.seen.bytes_sent < 500 * len(piece)
            assert await read(answer) == piece * 500
            await upstream.until(lambda seen: seen.bytes_sent > 500 * len(piece))


async def test_stopping_while_reading_is_paused_is_a_typed_error_for_the_reader() -> None:
    async def flood(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head())
        await wire.flood(chunk(b"x" * 50_000))

    with Upstream(flood) as upstream:
        async with started() as transport:
            answer = await transport.send(upstream.url, ASK)
            connection = connection_of(answer)
            await turns_until(lambda: connection._reading_paused)
            await transport.stop()
            assert await answer.source.next()
            with pytest.raises(UpstreamInterrupted):
                await read(answer)


async def test_an_answer_read_to_its_end_has_no_hold_on_the_next_one() -> None:
    """Closing it again, or reading on, must not touch the connection that another request uses by now."""
    with Upstream(always(lambda request: sized(request.body))) as upstream:
        async with started(max_connections=1) as transport:
            first = await transport.send(upstream.url, ASK)
            assert await read(first) == ASK.body
            second = await transport.send(upstream.url, UpstreamCall("POST", "", b"second"))
            assert await first.source.next() is None
            await first.source.aclose()
            assert pool_of(transport).places == 1
            assert await read(second) == b"second"
        assert upstream.seen.connections == 1


async def test_garbage_after_a_good_head_is_told_when_the_body_is_read() -> None:
    with Upstream(then_hold(chunked_head() + chunk(b"ok") + b"garbage\r\n")) as upstream:
        async with started() as transport:
            answer = await transport.send(upstream.url, ASK)
            with pytest.raises(UpstreamGarbage) as caught:
                await read(answer)
            assert caught.value.work_done == "maybe"
            await upstream.until(lambda seen: seen.open == 0)


async def test_a_compressed_answer_is_refused_and_its_connection_closed() -> None:
    with Upstream(then_hold(sized(b"zzz", extra=b"content-encoding: gzip\r\n"))) as upstream:
        async with started() as transport:
            with pytest.raises(UpstreamGarbage):
                await transport.send(upstream.url, ASK)
            assert pool_of(transport).places == 0
            await upstream.until(lambda seen: seen.open == 0)


# -- what is sent -----------------------------------------------------------------------------------------------------


async def test_the_request_is_what_was_asked_with_our_framing_and_nothing_else() -> None:
    with Upstream(always(OK)) as upstream:
        async with started() as transport:
            await fetch(transport, upstream.url + "/v1/x?y=1", UpstreamCall("POST", "", b"hi", (("accept", "*/*"),)))
        (request,) = upstream.seen.requests
        assert request == Received(
            0,
            "POST",
            "/v1/x?y=1",
            (
                ("host", upstream.url.removeprefix("http://")),
                ("user-agent", "gatewright"),
                ("accept-encoding", "identity"),
                ("accept", "*/*"),
                ("content-length", "2"),
            ),
            b"hi",
        )


@pytest.mark.parametrize("size", [0, 1, WRITE_BYTES, WRITE_BYTES + 1, 3 * WRITE_BYTES])
async def test_bodies_of_every_size_arrive_whole(size: int) -> None:
    with Upstream(always(lambda request: sized(request.body))) as upstream:
        async with started() as transport:
            body = bytes(at % 251 for at in range(size))
            assert await fetch(transport, upstream.url, UpstreamCall("POST", "", body)) == body


UNSAFE = {
    "a line break in a value": UpstreamCall("POST", "", b"", (("x", "a\r\nevil: 1"),)),
    "a line feed in a value": UpstreamCall("POST", "", b"", (("x", "a\nevil: 1"),)),
    "NUL in a value": UpstreamCall("POST", "", b"", (("x", "a\0"),)),
    "beyond Latin-1": UpstreamCall("POST", "", b"", (("x", "\u20ac"),)),
    "a line break in a name": UpstreamCall("POST", "", b"", (("x: 1\r\nevil", "a"),)),
    "an empty name": UpstreamCall("POST", "", b"", (("", "a"),)),
    "a length of one's own": UpstreamCall("POST", "", b"hi", (("Content-Length", "1"),)),
    "a coding of one's own": UpstreamCall("POST", "", b"hi", (("transfer-encoding", "chunked"),)),
    "Expect": UpstreamCall("POST", "", b"hi", (("expect", "100-continue"),)),
    "a space in the method": UpstreamCall("GET /admin", "", b""),
}


@pytest.mark.parametrize("shape", UNSAFE)
async def test_a_request_that_could_be_read_as_two_is_never_sent(shape: str) -> None:
    with Upstream(always(OK)) as upstream:
        async with started() as transport:
            with pytest.raises(InternalError):
                await transport.send(upstream.url, UNSAFE[shape])
        assert upstream.seen.connections == 0


@pytest.mark.parametrize("path", ["/a b", "/a\r\nevil: 1", "/caf\u00e9", "/\0"])
async def test_a_target_that_is_not_visible_ascii_is_never_sent(path: str) -> None:
    with Upstream(always(OK)) as upstream:
        async with started() as transport:
            with pytest.raises(InternalError):
                await transport.send(upstream.url + path, ASK)
        assert upstream.seen.connections == 0
