"""Each answer carries a request id, also in its access line: the caller's own if it is harmless, else a new one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.testing.wire import Received, WireUpstream
from tests.wire.answers import always, streamed, whole
from tests.wire.documents import chat, document
from tests.wire.in_loop import Gateway, running
from tests.wire.raw_client import ask, request

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


def reply(received: Received) -> bytes:
    return streamed("Hi") if b'"stream":true' in received.body else whole("Hi")


@pytest.fixture(scope="module")
async def gateway(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    with WireUpstream(always(reply)) as upstream:
        async with running(tmp_path_factory.mktemp("gateway"), document(upstream.url)) as gateway:
            yield gateway


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_harmless_id_is_kept(gateway: Gateway, stream: bool) -> None:
    id = f"req_ABC.123-{stream}"
    answer = await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=stream), id=id))
    assert answer.header("x-request-id") == id
    line = await gateway.line(id)
    assert (line["status"], line["outcome"], line["stream"], line["key_id"]) == (200, "complete", stream, "tester")


@pytest.mark.parametrize("offered", ["a b", "x" * 129, "a/b", "{evil}", "caf\u00e9", "", "a;b"])
async def test_any_other_id_is_replaced(gateway: Gateway, offered: str) -> None:
    before = len(gateway.lines)
    data = request("POST", "/v1/chat/completions", chat()).replace(
        b"\r\nHost", b"\r\nX-Request-Id: " + offered.encode("latin-1") + b"\r\nHost", 1
    )
    answer = await ask(gateway.port, data)
    given = answer.header("x-request-id") or ""
    assert answer.status == 200
    assert UUID7.match(given)
    await gateway.line(given)
    assert len(gateway.lines) == before + 1


async def test_each_request_gets_an_id_of_its_own(gateway: Gateway) -> None:
    answers = [await ask(gateway.port, request("GET", "/v1/models")) for _ in range(5)]
    assert len({answer.header("x-request-id") for answer in answers}) == 5


async def test_the_first_of_two_ids_counts(gateway: Gateway) -> None:
    answer = await ask(gateway.port, request("GET", "/v1/models", id="first", extra="X-Request-Id: second\r\n"))
    assert answer.header("x-request-id") == "first"


async def test_the_id_is_not_sent_upstream(tmp_path: Path) -> None:
    """Nothing of the caller's head is: not its id, not its cookies, not its key."""
    with WireUpstream(always(reply)) as upstream:
        async with running(tmp_path, document(upstream.url)) as gateway:
            extra = (
                "Cookie: session=1\r\nX-Forwarded-For: 10.0.0.1\r\nOpenAI-Organization: org\r\nX-Stainless-Lang: py\r\n"
            )
            await ask(gateway.port, request("POST", "/v1/chat/completions", chat(), id="mine", extra=extra))
        (sent,) = upstream.seen.requests
    assert {name.lower() for name, _ in sent.headers} <= {
        *("host", "content-type", "content-length", "accept", "accept-encoding", "authorization", "user-agent"),
        "connection",
    }
    assert sent.header("authorization") == "Bearer sk-canary-upstream-0123456789"
