"""Storms: no place is lost however requests are cancelled, every abort reaches the upstream, and no two answers mix."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from pathlib import Path

import pytest

from pipeline import GatewayError, UpstreamCall
from pipeline.testing.wire import Script, Wire
from stages.upstreams.h1.transport import H1Transport
from tests.wire.answers import LAST_CHUNK, chunk, chunked_head, sized
from tests.wire.h1.lane import ASK, Upstream, fetch, pool_of, read, started

PLACES, WORKERS = 10, 20
SEED = 20260101


async def streamed(wire: Wire) -> None:
    """Answer every request with a few chunks that take a moment."""
    while True:
        await wire.request()
        await wire.send(chunked_head())
        for _ in range(3):
            await asyncio.sleep(0.001)
            await wire.send(chunk(b"x" * 100))
        await wire.send(LAST_CHUNK)
        wire.answered()


async def storm(transport: H1Transport, url: str, *, cancels: int, seconds: float) -> int:
    """Workers cancel their requests at random moments. Returns how many really were cancelled."""
    dice = random.Random(SEED)
    end, count = time.monotonic() + seconds, 0

    async def worker() -> None:
        nonlocal count
        while count < cancels and time.monotonic() < end:
            asking = asyncio.create_task(fetch(transport, url))
            if dice.random() < 0.5:
                for _ in range(dice.randrange(12)):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(dice.random() * 0.01)
            asking.cancel()
            if dice.random() < 0.2:
                await asyncio.sleep(0)
                asking.cancel()
            (ended,) = await asyncio.gather(asking, return_exceptions=True)
            count += isinstance(ended, asyncio.CancelledError)

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return count


async def weathered(cancels: int, seconds: float) -> int:
    with Upstream(streamed) as upstream:
        async with started(max_connections=PLACES, pool_seconds=10) as transport:
            count = await storm(transport, upstream.url, cancels=cancels, seconds=seconds)
            assert pool_of(transport).places == 0
            healthy = await asyncio.gather(*(fetch(transport, upstream.url) for _ in range(WORKERS)))
            assert healthy == [b"x" * 300] * WORKERS
            assert (pool_of(transport).places, len(pool_of(transport)._waiters)) == (0, 0)
            assert pool_of(transport).idle <= PLACES
            await upstream.until(lambda seen: seen.open <= PLACES)
    return count


async def test_a_storm_of_cancels_loses_no_place() -> None:
    count = await weathered(cancels=10**9, seconds=6)
    assert count >= 200


@pytest.mark.thorough
async def test_a_minute_of_cancels_loses_no_place() -> None:
    print(f"{await weathered(cancels=10**9, seconds=60)} cancels, 0 places lost, {WORKERS} of {WORKERS} healthy")


# -- aborts -----------------------------------------------------------------------------------------------------------


async def before_the_head(wire: Wire) -> None:
    await wire.request()
    await wire.hold()


async def busy(wire: Wire) -> None:
    await wire.request()
    await wire.send(chunked_head())
    while True:
        await wire.send(chunk(b"x" * 100))
        await asyncio.sleep(0.001)


async def silent_stream(wire: Wire) -> None:
    await wire.request()
    await wire.send(chunked_head() + chunk(b"x"))
    await wire.hold()


@pytest.mark.parametrize("phase", [before_the_head, busy, silent_stream])
async def test_every_abort_reaches_the_upstream(phase: Script) -> None:
    aborts = 100
    with Upstream(phase) as upstream:
        async with started() as transport:
            took: list[float] = []
            for _ in range(aborts):
                asking = asyncio.create_task(fetch(transport, upstream.url))
                await upstream.until(lambda seen: len(seen.requests) == len(took) + 1)
                await asyncio.sleep(0.001 if phase is not before_the_head else 0)
                begun = time.monotonic()
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                await upstream.until(lambda seen: seen.aborts == len(took) + 1)
                took.append(time.monotonic() - begun)
            assert pool_of(transport).places == 0
        assert upstream.seen.aborts == aborts
    print(f"{phase.__name__}: {aborts} of {aborts} aborts seen, p99 {sorted(took)[98] * 1000:.1f} ms")


# -- poison -----------------------------------------------------------------------------------------------------------


def poisoned(dice: random.Random) -> Script:
    """Answer each request with its own token, well or with something wrong.

    What is too much comes in one write with the answer. An answer that nobody asked for and that is on its way while
    the next request is sent cannot be told from that request's own: HTTP/1.1 has no numbers.
    """

    async def script(wire: Wire) -> None:
        while True:
            request = await wire.request()
            token = request.body
            good = sized(token * 50)
            match dice.randrange(8):
                case 0:
                    await wire.send(good + sized(b"POISON" * 50))
                case 1 | 2:
                    await wire.send(good[: dice.randrange(len(good))])
                    return
                case 3:
                    await wire.send(chunked_head() + chunk(token) + b"zz\r\nPOISON\r\n")
                case 4:
                    await wire.send(b"POISON" + good)
                case 5:
                    await wire.send(chunked_head() + chunk(token * 25) + chunk(token * 25) + LAST_CHUNK)
                case _:
                    await wire.send(good)

    return script


async def interleaved(requests: int, seconds: float) -> tuple[int, int]:
    """How many answers were good, and how many were refused; not one may hold another's token."""
    good = refused = 0
    end = time.monotonic() + seconds
    numbers = iter(range(requests))
    with Upstream(poisoned(random.Random(SEED))) as upstream:
        async with started(max_connections=PLACES, first_byte_seconds=5, idle_seconds=5) as transport:

            async def worker() -> None:
                nonlocal good, refused
                for number in numbers:
                    if time.monotonic() > end:
                        return
                    token = b"<%08d>" % number
                    try:
                        body = await fetch(transport, upstream.url, UpstreamCall("POST", "", token))
                    except GatewayError:
                        refused += 1
                    else:
                        assert body == token * 50
                        good += 1

            await asyncio.gather(*(worker() for _ in range(WORKERS)))
            assert pool_of(transport).places == 0
    return good, refused


async def test_poisoned_and_clean_answers_interleaved_never_mix() -> None:
    good, refused = await interleaved(1500, seconds=20)
    assert good > 0
    assert refused > 0


@pytest.mark.thorough
async def test_a_minute_of_poisoned_and_clean_answers_never_mixes() -> None:
    good, refused = await interleaved(10**9, seconds=60)
    print(f"{good} good, {refused} refused, 0 mixed")


# -- descriptors and memory -------------------------------------------------------------------------------------------


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident() -> int:
    """Bytes of memory in use by this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def crowd(size: int) -> tuple[int, int, float]:
    """`size` idle and `size` busy streams, then all are left. Descriptors before and after, and growth in MiB."""

    async def half_busy(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head() + chunk(b"x"))
        if wire.number % 2:
            await wire.hold()
        while True:
            await wire.send(chunk(b"y" * 300))
            await asyncio.sleep(0.05)

    with Upstream(half_busy) as upstream:
        async with started(max_connections=2 * size) as transport:
            answer = await transport.send(upstream.url, ASK)  # what the first exchange makes once
            await answer.source.aclose()
            await upstream.until(lambda seen: seen.open == 0)
            gc.collect()
            before, memory = descriptors(), resident()
            answers = await asyncio.gather(*(transport.send(upstream.url, ASK) for _ in range(2 * size)))
            readers = [asyncio.create_task(read(answer)) for answer in answers]
            await upstream.until(lambda seen: seen.bytes_sent > 4 * size * 300)
            assert pool_of(transport).places == 2 * size
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            assert pool_of(transport).places == 0
            await upstream.until(lambda seen: seen.open == 0)
            del answers, readers
            gc.collect()
            return before, descriptors(), (resident() - memory) / 2**20


async def test_a_crowd_of_streams_leaves_nothing_behind() -> None:
    before, after, grown = await crowd(50)
    assert after <= before
    assert grown < 64


@pytest.mark.thorough
async def test_a_large_crowd_of_streams_leaves_nothing_behind() -> None:
    before, after, grown = await crowd(500)
    print(f"1000 streams: descriptors {before} -> {after}, memory +{grown:.1f} MiB (the upstream's own side included)")
    assert after <= before
    assert grown < 128
