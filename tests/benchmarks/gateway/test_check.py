"""A peer whose answers are not the origin's is found out before it is timed."""

from __future__ import annotations

import anyio
import pytest

from benchmarks.gateway.answers import answer, openai_stream, openai_whole
from benchmarks.gateway.check import CHUNKS, wrong
from benchmarks.gateway.peers.direct import Direct
from benchmarks.gateway.scenarios import SCENARIOS
from tests.benchmarks.gateway.scripted_server import serving

pytestmark = [pytest.mark.wire, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

WHOLE = openai_whole("origin-1k")
PARTS = openai_stream("origin-burst")
REFUSAL = b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("scenario", "sent", "complaint"),
    [
        ("whole-1k-c1", answer(WHOLE), None),
        ("whole-1k-c1", answer(WHOLE.replace(b"nothing else", b"nothing more", 1)), "not what the origin said"),
        ("whole-1k-c1", answer(b'{"object": "list"}'), "not what the origin said"),
        ("whole-1k-c1", answer(b"<html>"), "not what the origin said"),
        ("whole-1k-c1", REFUSAL, "status 401"),
        ("stream-burst-c8", PARTS.burst(CHUNKS), None),
        ("stream-burst-c8", PARTS.burst(CHUNKS - 1), f"came with {CHUNKS - 1}"),
        ("stream-burst-c8", PARTS.burst(CHUNKS + 1), f"came with {CHUNKS + 1}"),
        ("stream-burst-c8", answer(WHOLE), "came with 0"),
        ("mixed", answer(WHOLE), "not what the origin said"),  # its first ask is answered rightly, a later one is not
    ],
)
async def test_only_the_origins_own_answer_passes(scenario: str, sent: bytes, complaint: str | None) -> None:
    async with serving(lambda exchange: exchange.send(sent)) as port:
        said = await anyio.to_thread.run_sync(wrong, Direct(), port, SCENARIOS[scenario])
    assert said is None if complaint is None else said is not None and complaint in said


async def test_a_peer_that_is_not_there_is_wrong() -> None:
    async with serving(lambda exchange: exchange.cut()) as port:
        said = await anyio.to_thread.run_sync(wrong, Direct(), port, SCENARIOS["whole-1k-c1"])
    assert said is not None
    assert "status 0" in said
