"""A client that reads slowly slows its own upstream down, and the gateway's memory does not grow meanwhile.

Proven from the other end: the upstream wants to send far more than any socket buffers, and its `send` blocks until the
client reads. Nothing is lost by the wait.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import anyio
import pytest

from pipeline.testing.wire import Wire, WireUpstream
from tests.wire.answers import DONE, LAST_CHUNK, chunk, chunked_head, delta, event, then_hold
from tests.wire.documents import chat, document
from tests.wire.in_loop import running
from tests.wire.raw_client import connected, request

EVENT = event(delta("x" * 32768))
EVENTS = 2048
WANTED = EVENTS * len(EVENT)  # 67 MB
BUFFERED = 24 << 20  # what four loopback socket buffers may hold, generously


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


async def at_rest(upstream: WireUpstream) -> int:
    """The bytes the upstream has sent once nobody, here or there, can go on."""
    sent = -1
    while sent != upstream.seen.bytes_sent:
        sent = upstream.seen.bytes_sent
        await anyio.wait_all_tasks_blocked()
    return sent


@pytest.mark.parametrize("shape", ["complete", "forward"])
async def test_a_client_that_does_not_read_blocks_its_upstream(tmp_path: Path, shape: str) -> None:
    async def large(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head())
        for _ in range(EVENTS):
            await wire.send(chunk(EVENT))
        await wire.send(chunk(event(delta(finish="stop")) + DONE) + LAST_CHUNK)
        wire.answered()

    with WireUpstream(large) as upstream:
        async with running(tmp_path, document(upstream.url, shape=shape)) as gateway, connected(gateway.port) as client:
            await client.send(request("POST", "/v1/chat/completions", chat(stream=True), id="slow"))
            await client.read_until(b"\r\n\r\n")
            assert await at_rest(upstream) < BUFFERED < WANTED
            await client.skip_past(DONE)
            await upstream.until(lambda seen: seen.bytes_sent >= WANTED)
            assert (await gateway.line("slow"))["outcome"] == "complete"


async def test_a_blocked_client_that_leaves_frees_its_upstream(tmp_path: Path) -> None:
    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head())
        await wire.flood(chunk(EVENT))

    with WireUpstream(endless) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway, connected(gateway.port) as client:
            await client.send(request("POST", "/v1/chat/completions", chat(stream=True), id="gone"))
            await client.read_until(b"\r\n\r\n")
            await at_rest(upstream)
            client.leave()
            await upstream.until(lambda seen: seen.aborts == 1 and seen.open == 0)
            line = await gateway.line("gone")
            assert (line["status"], line["outcome"]) == (200, "aborted")
            assert gateway.slots == 0


async def test_an_event_leaves_before_the_next_one_is_there(tmp_path: Path) -> None:
    with WireUpstream(then_hold(chunked_head() + chunk(event(delta("first"))))) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway, connected(gateway.port) as client:
            await client.send(request("POST", "/v1/chat/completions", chat(stream=True)))
            async with asyncio.timeout(10):
                await client.read_until(b"first")
