"""A stream says the same however its bytes are cut on the way, and whatever line ends and characters it is made of.

Text readers that split on U+2028, or that decode piece by piece, break here; so does whoever takes a read for an event.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from pipeline.testing.wire import Script, Wire, WireUpstream
from tests.wire.answers import DONE, LAST_CHUNK, chat_stream, chunk, chunked_head
from tests.wire.documents import KEY, chat, document
from tests.wire.in_loop import Gateway, running
from tests.wire.raw_client import ask, request

TEXTS = ("Zürich ", "日本語 ", "🦙🦙", "a\u2028b\u2029c\u0085d", '"quoted"\n\n', "data: [DONE]")
SAID = "".join(TEXTS)
STREAM = chat_stream(*TEXTS)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


async def said_to_the_client(gateway: Gateway) -> str:
    """What the official client reads."""
    said: list[str] = []
    async with (
        AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client,
        await client.chat.completions.create(**chat(stream=True)) as stream,
    ):
        async for piece in stream:
            said += [choice.delta.content or "" for choice in piece.choices]
    return "".join(said)


def in_chunks_of(size: int, body: bytes) -> Script:
    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.send(chunked_head())
            for at in range(0, len(body), size):
                await wire.send(chunk(body[at : at + size]))
            await wire.send(LAST_CHUNK)
            wire.answered()

    return script


async def bytewise(wire: Wire) -> None:
    while True:
        await wire.request()
        await wire.send_bytewise(chunked_head() + chunk(STREAM) + LAST_CHUNK)
        wire.answered()


@pytest.mark.parametrize("shape", ["complete", "forward"])
@pytest.mark.parametrize("script", [in_chunks_of(1, STREAM), bytewise], ids=["chunks of one byte", "segments of one"])
async def test_a_stream_byte_by_byte_says_the_same(tmp_path: Path, script: Script, shape: str) -> None:
    with WireUpstream(script) as upstream:
        async with running(tmp_path, document(upstream.url, shape=shape)) as gateway:
            assert await said_to_the_client(gateway) == SAID


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
async def test_each_line_end_of_the_standard_is_understood(tmp_path: Path, end: bytes) -> None:
    body = STREAM.replace(b"\n", end)
    with WireUpstream(in_chunks_of(7, body)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            assert await said_to_the_client(gateway) == SAID


@pytest.mark.parametrize("shape", ["complete", "forward"])
async def test_a_stream_cut_in_two_at_any_byte_says_the_same(tmp_path: Path, shape: str) -> None:
    """A short stream with every kind of trap, because each byte costs a request.

    Each request is answered with the cut one byte further; every answer of one shape has the same bytes.
    """
    at = 0
    said = "\u00fc\U0001f999\u2028"
    short = chat_stream(said)

    async def cut(wire: Wire) -> None:
        nonlocal at
        while True:
            await wire.request()
            at += 1
            await wire.send(chunked_head() + chunk(short[:at]))
            await wire.send(chunk(short[at:]) + LAST_CHUNK)
            wire.answered()

    bodies = set()
    with WireUpstream(cut) as upstream:
        async with running(tmp_path, document(upstream.url, shape=shape)) as gateway:
            for number in range(1, len(short)):
                data = request("POST", "/v1/chat/completions", chat(stream=True), id=f"cut-{number}")
                bodies.add((await ask(gateway.port, data)).body)
    (body,) = bodies
    assert _text(body) == said
    assert body.endswith(DONE)
    if shape == "forward":
        assert body == short


def _text(body: bytes) -> str:
    frames = [json.loads(frame[6:]) for frame in body.split(b"\n\n") if frame and not frame.endswith(b"[DONE]")]
    choices: list[dict[str, Any]] = [choice for frame in frames for choice in frame["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def test_a_stream_asks_whoever_is_in_between_not_to_hold_it_back(tmp_path: Path) -> None:
    with WireUpstream(in_chunks_of(1 << 20, STREAM)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=True)))
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.header("cache-control") == "no-cache, no-transform"
    assert answer.header("x-accel-buffering") == "no"


async def test_what_follows_the_end_marker_never_arrives(tmp_path: Path) -> None:
    more = chunk(STREAM) + chunk(b"data: {}\n\n" + DONE) + LAST_CHUNK
    with WireUpstream(in_chunks_of(1 << 20, STREAM)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            once = (await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=True)))).body
    with WireUpstream(_answer(chunked_head() + more)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=True), id="twice"))
            assert (await gateway.line("twice"))["outcome"] == "complete"
    assert answer.body.count(DONE) == 1
    assert answer.body == once


def _answer(response: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(response)
        wire.answered()

    return script
