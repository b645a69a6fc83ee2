"""A client that leaves, in whatever phase, frees everything at once: upstream connection, pool slot, task.

Without this a gateway pays the model provider to the end of every answer that nobody reads, and one day its pool is
empty. Every abort that reached the upstream is seen by it, and each leaves one access line.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipeline.testing.wire import Script, Seen, Wire, WireUpstream
from tests.wire.answers import always, chunk, chunked_head, delta, event, silent, then_hold, whole
from tests.wire.documents import chat, document
from tests.wire.in_loop import Gateway, running
from tests.wire.lanes import LANES
from tests.wire.raw_client import ask, connected, request

FIRST = chunk(event(delta("Hel")))
TOGETHER = 20


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


async def busy(wire: Wire) -> None:
    await wire.request()
    await wire.send(chunked_head())
    await wire.flood(FIRST, pause_seconds=0.001)


async def abort_while_sending(gateway: Gateway, upstream: WireUpstream, id: str) -> None:
    """The request never becomes complete, so the upstream never hears of it."""
    data = request("POST", "/v1/chat/completions", chat(stream=True), id=id)
    async with connected(gateway.port) as client:
        await client.send(data[:-10])
        client.leave()


async def abort_before_the_head(gateway: Gateway, upstream: WireUpstream, id: str, stream: bool = True) -> None:
    async with connected(gateway.port) as client:
        await client.send(request("POST", "/v1/chat/completions", chat(stream=stream, user=id), id=id))
        await upstream.until(lambda seen: _asked(seen, id))
        client.leave()


async def abort_of_a_whole_answer(gateway: Gateway, upstream: WireUpstream, id: str) -> None:
    await abort_before_the_head(gateway, upstream, id, stream=False)


async def abort_in_the_stream(gateway: Gateway, upstream: WireUpstream, id: str) -> None:
    async with connected(gateway.port) as client:
        await client.send(request("POST", "/v1/chat/completions", chat(stream=True), id=id))
        await client.read_until(b"Hel")
        client.leave()


def _asked(seen: Seen, id: str) -> bool:
    return any(id.encode() in one.body for one in seen.requests)


PHASES: dict[str, tuple[Script, Any, bool, set[int]]] = {
    "while sending": (always(whole()), abort_while_sending, False, {499}),
    "before the head": (silent, abort_before_the_head, True, {499}),
    "before the head of a whole answer": (silent, abort_of_a_whole_answer, True, {499}),
    "between head and first event": (then_hold(chunked_head()), abort_before_the_head, True, {499, 200}),
    "in the middle of a whole answer": (then_hold(whole()[:-20]), abort_of_a_whole_answer, True, {499, 200}),
    "in a busy stream": (busy, abort_in_the_stream, True, {200}),
    "in a silent stream": (then_hold(chunked_head() + FIRST), abort_in_the_stream, True, {200}),
}


async def aborts(folder: Path, lane: str, phase: str, count: int) -> None:
    """`count` clients leave in this phase, twenty at a time; nothing of them stays, and a healthy request works."""
    script, abort, reaches, statuses = PHASES[phase]
    with WireUpstream(script) as upstream:
        # As many slots as clients at a time: a single lost one would make the next twenty wait.
        content = document(upstream.url, transport=lane, max_connections=TOGETHER, pool_seconds=20)
        async with running(folder, content) as gateway:
            await ask(gateway.port, request("GET", "/livez"))
            gateway.remember_tasks()
            for begin in range(0, count, TOGETHER):
                ids = [f"abort-{number}" for number in range(begin, min(begin + TOGETHER, count))]
                await asyncio.gather(*(abort(gateway, upstream, id) for id in ids))
                for id in ids:
                    line = await gateway.line(id)
                    assert line["outcome"] == "aborted"
                    assert line["status"] in statuses
            await gateway.no_task_left()
            await upstream.until(lambda seen: seen.open == 0)
            assert gateway.slots == 0
            assert upstream.seen.aborts == (count if reaches else 0)
            upstream.scripts = [always(whole())]
            assert (await ask(gateway.port, request("POST", "/v1/chat/completions", chat(), id="after"))).status == 200
        assert len(gateway.lines) == count + 1


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("lane", LANES)
async def test_clients_that_leave_leave_nothing_behind(tmp_path: Path, lane: str, phase: str) -> None:
    await aborts(tmp_path, lane, phase, 40)


@pytest.mark.thorough
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("lane", LANES)
async def test_thousands_of_clients_that_leave_leave_nothing_behind(tmp_path: Path, lane: str, phase: str) -> None:
    await aborts(tmp_path, lane, phase, 1_000)
