"""An upstream may fail in any way at any moment: the client always learns the truth.

Before the first byte the answer has a true status, even when the upstream had said 200 and then failed in band. After
it, a stream ends with exactly one error event and without `[DONE]`, so that no client takes a cut answer for a whole
one; the official client raises. Each request leaves one access line that says the same.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI

from pipeline.testing.wire import HOST, Script, Wire, WireUpstream
from tests.wire.answers import DONE, LAST_CHUNK, chunk, chunked_head, delta, event, once, silent, sized, then_hold
from tests.wire.documents import KEY, PROMPT, UPSTREAM_KEY, chat, document
from tests.wire.in_loop import running
from tests.wire.raw_client import ask, request

FIRST = event(delta("Hel"))
BEGUN = chunked_head() + chunk(FIRST)
REFUSED = event({"error": {"message": "slot unavailable", "type": "unavailable_error", "code": 503}})


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


def error_answer(status: str, message: str, extra: bytes = b"", **fields: Any) -> bytes:
    return sized(json.dumps({"error": {"message": message, **fields}}).encode(), status=status, extra=extra)


async def reset_before_the_head(wire: Wire) -> None:
    await wire.request()
    wire.reset()


EARLY: dict[str, tuple[Script, int, str, str | None]] = {
    "closes at once": (once(b""), 502, "api_error", "upstream_unavailable"),
    "resets": (reset_before_the_head, 502, "api_error", "upstream_unavailable"),
    "is silent": (silent, 504, "timeout_error", "upstream_timeout"),
    "is silent after the head": (then_hold(chunked_head()), 504, "timeout_error", "upstream_timeout"),
    "speaks no http": (once(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), 502, "api_error", "upstream_protocol_error"),
    "redirects": (
        once(sized(b"", status="302 Found", extra=b"location: http://127.0.0.1:1/\r\n")),
        502,
        "api_error",
        "upstream_protocol_error",
    ),
    "compresses": (
        once(sized(b"\x1f\x8b", extra=b"content-encoding: gzip\r\n")),
        502,
        "api_error",
        "upstream_protocol_error",
    ),
    "refuses our key": (
        once(error_answer("401 Unauthorized", f"Bad key {UPSTREAM_KEY}")),
        502,
        "api_error",
        "upstream_auth_error",
    ),
    "is overloaded": (
        once(error_answer("503 Service Unavailable", "Loading model", type="unavailable_error", code=503)),
        503,
        "unavailable_error",
        None,
    ),
    "refuses the request": (
        once(error_answer("400 Bad Request", "too long", type="exceed_context_size_error", code=400)),
        400,
        "exceed_context_size_error",
        "context_length_exceeded",
    ),
    "answers in no json": (
        once(sized(b"<html>502</html>", status="502 Bad Gateway", content_type="text/html")),
        502,
        "api_error",
        "upstream_error",
    ),
}
EARLY_STREAM: dict[str, tuple[Script, int, str, str | None]] = {
    "fails in band first": (
        once(chunked_head() + chunk(REFUSED) + LAST_CHUNK),
        502,
        "unavailable_error",
        "stream_interrupted",
    ),
    "ends without an event": (once(chunked_head() + LAST_CHUNK), 502, "api_error", "stream_interrupted"),
    "sends only comments": (
        once(chunked_head() + chunk(b": ping\n\n: ping\n\n") + LAST_CHUNK),
        502,
        "api_error",
        "stream_interrupted",
    ),
    "sends no json": (
        once(chunked_head() + chunk(b"data: {broken\n\n") + LAST_CHUNK),
        502,
        "api_error",
        "upstream_protocol_error",
    ),
    "is cut in the first event": (once(chunked_head() + chunk(FIRST[:9])), 502, "api_error", "stream_interrupted"),
}
EARLY_WHOLE: dict[str, tuple[Script, int, str, str | None]] = {
    "is cut": (once(sized(b'{"choices": []}')[:-4]), 502, "api_error", "stream_interrupted"),
    "sends no json": (once(sized(b"{broken")), 502, "api_error", "upstream_protocol_error"),
    "sends a list": (once(sized(b"[]")), 502, "api_error", "upstream_protocol_error"),
    "sends nothing": (once(sized(b"")), 502, "api_error", "upstream_protocol_error"),
    "has no choices": (once(sized(b'{"object": "chat.completion"}')), 502, "api_error", "upstream_protocol_error"),
}
CASES = [
    pytest.param(stream, *case, id=f"{'stream' if stream else 'whole'}: {name}")
    for stream, table in ((True, EARLY), (False, EARLY), (True, EARLY_STREAM), (False, EARLY_WHOLE))
    for name, case in table.items()
]


@pytest.mark.parametrize(("stream", "script", "status", "type", "code"), CASES)
async def test_a_failure_before_the_first_byte_has_a_true_status(
    tmp_path: Path, stream: bool, script: Script, status: int, type: str, code: str | None
) -> None:
    with WireUpstream(script) as upstream:
        content = document(upstream.url, first_byte_seconds=0.1, idle_seconds=0.1)
        async with running(tmp_path, content) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=stream), id="early"))
            line = await gateway.line("early")
            assert gateway.slots == 0
        assert len(upstream.seen.requests) == 1
    assert answer.status == status
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-request-id") == "early"
    error = answer.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == (type, code)
    # What the request is refused for is the caller's to change, whoever refused it.
    origin = "caller" if status == 400 else "upstream"
    assert (line["status"], line["outcome"], line["error_origin"]) == (status, "failed", origin)
    for secret in (UPSTREAM_KEY, KEY, HOST):
        assert secret not in answer.body.decode()


async def test_an_upstream_that_is_not_there_is_a_bad_gateway(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        async with running(tmp_path, document(f"http://{HOST}:{taken.getsockname()[1]}")) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(), id="dead"))
            line = await gateway.line("dead")
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_unavailable")
    assert str(taken) not in answer.json["error"]["message"]
    assert line["status"] == 502


async def test_an_upstream_that_repeats_the_prompt_does_not_bring_it_into_the_log(tmp_path: Path) -> None:
    """`running` looks for the canaries in every line it saw."""
    echo = sized(f"cannot tokenize: {PROMPT}".encode(), status="500 Internal Server Error", content_type="text/plain")
    with WireUpstream(once(echo)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat()))
    assert answer.status == 500


async def test_a_rate_limit_upstream_is_passed_on_with_its_wait(tmp_path: Path) -> None:
    limited = error_answer("429 Too Many Requests", "slow down", b"retry-after: 7\r\n", type="requests")
    with WireUpstream(once(limited)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat()))
    assert (answer.status, answer.json["error"]["code"]) == (429, "rate_limit_exceeded")
    assert (answer.header("retry-after"), answer.header("retry-after-ms")) == ("7", "7000")


async def test_no_free_connection_is_a_503_that_says_when_to_come_back(tmp_path: Path) -> None:
    with WireUpstream(then_hold(BEGUN)) as upstream:
        content = document(upstream.url, max_connections=1, pool_seconds=0.1)
        async with running(tmp_path, content) as gateway:
            client = AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0)
            async with client, await client.chat.completions.create(**chat(stream=True)) as held:
                await anext(aiter(held))
                answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(), id="shed"))
            line = await gateway.line("shed")
        assert len(upstream.seen.requests) == 1
    assert (answer.status, answer.json["error"]["code"]) == (503, "server_overloaded")
    assert answer.header("retry-after") == "1"
    assert line["error_origin"] == "gateway"


LATE: dict[str, tuple[Script, str]] = {
    "connection cut": (once(BEGUN), "stream_interrupted"),
    "cut in an event": (once(BEGUN + chunk(FIRST[:20])), "stream_interrupted"),
    "ended without its marker": (once(BEGUN + LAST_CHUNK), "stream_interrupted"),
    "finished without its marker": (
        once(BEGUN + chunk(event(delta(finish="stop"))) + LAST_CHUNK),
        "stream_interrupted",
    ),
    "marker without a finish": (once(BEGUN + chunk(DONE) + LAST_CHUNK), "stream_interrupted"),
    "in-band error": (once(BEGUN + chunk(REFUSED) + LAST_CHUNK), "stream_interrupted"),
    "in-band error and marker": (once(BEGUN + chunk(REFUSED + DONE) + LAST_CHUNK), "stream_interrupted"),
    "broken chunk": (once(BEGUN + b"zz\r\n"), "upstream_protocol_error"),
    "broken json": (once(BEGUN + chunk(b"data: {broken\n\n" + DONE) + LAST_CHUNK), "upstream_protocol_error"),
    "not an object": (once(BEGUN + chunk(b"data: [1]\n\n" + DONE) + LAST_CHUNK), "upstream_protocol_error"),
    "silence": (then_hold(BEGUN), "upstream_timeout"),
}


def data_lines(body: bytes) -> list[bytes]:
    return [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]


@pytest.mark.parametrize(("script", "code"), LATE.values(), ids=LATE.keys())
async def test_a_stream_that_fails_ends_with_one_error_event_and_no_marker(
    tmp_path: Path, script: Script, code: str
) -> None:
    with WireUpstream(script) as upstream:
        async with running(tmp_path, document(upstream.url, idle_seconds=0.2)) as gateway:
            answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=True), id="late"))
            line = await gateway.line("late")
            assert gateway.slots == 0
            said: list[str] = []
            async with AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
                with pytest.raises(APIError) as caught:
                    await _read(await client.chat.completions.create(**chat(stream=True)), said)
    assert answer.status == 200
    assert answer.complete, "the error is told by an event, so the response itself ends properly"
    events = data_lines(answer.body)
    assert b"[DONE]" not in answer.body
    assert answer.body.endswith(b"\n\n")
    errors = [json.loads(one)["error"] for one in events if b'"error"' in one]
    assert len(errors) == 1
    assert b'"error"' in events[-1]
    assert errors[0]["code"] == code
    assert "Hel" in "".join(said)
    assert errors[0]["message"] == caught.value.message
    assert (line["status"], line["outcome"], line["error"]) == (200, "failed", code)


async def _read(stream: Any, said: list[str]) -> None:
    async with stream:
        async for piece in stream:
            said += [choice.delta.content or "" for choice in piece.choices]


async def test_a_reset_in_the_middle_of_a_stream_is_told(tmp_path: Path) -> None:
    """A reset may overtake the bytes before it, so the gate makes sure that they were read."""

    async def reset(wire: Wire) -> None:
        await wire.request()
        await wire.send(BEGUN)
        await gate.passed()
        wire.reset()

    with WireUpstream(reset) as upstream:
        gate = upstream.gate()
        async with (
            running(tmp_path, document(upstream.url)) as gateway,
            AsyncOpenAI(base_url=gateway.url, api_key=KEY, max_retries=0) as client,
            await client.chat.completions.create(**chat(stream=True)) as stream,
        ):
            pieces = aiter(stream)
            assert (await anext(pieces)).choices[0].delta.content == "Hel"
            gate.open()
            with pytest.raises(APIError):
                await anext(pieces)
            await gateway.wrote(1)
            assert (gateway.lines[0]["outcome"], gateway.lines[0]["error"]) == ("failed", "stream_interrupted")
