"""What an operator is told of a bad upstream: one line that names the upstream and the phase, whatever went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.testing.wire import Script, WireUpstream
from tests.wire.answers import LAST_CHUNK, chunk, chunked_head, delta, event, once, silent, sized, then_hold
from tests.wire.documents import chat, document
from tests.wire.in_loop import running
from tests.wire.raw_client import ask, request

FIRST = chunked_head() + chunk(event(delta("Hel")))

BAD: dict[str, tuple[Script, str, str]] = {
    "says nothing": (silent, "upstream_timeout", "first byte time-out"),
    "falls silent": (then_hold(FIRST), "upstream_timeout", "idle time-out"),
    "closes at once": (once(b""), "upstream_unavailable", "closed before a response"),
    "is cut in the head": (once(chunked_head()[:20]), "upstream_unavailable", "cut in the response head"),
    "is cut in the body": (once(FIRST), "stream_interrupted", "cut in the body"),
    "is no HTTP": (once(b"SSH-2.0-OpenSSH_9.2\r\n"), "upstream_protocol_error", "not HTTP"),
    "has two lengths": (
        once(sized(b"ok", extra=b"content-length: 3\r\n")),
        "upstream_protocol_error",
        "Content-Length",
    ),
    "has an endless head": (
        once(chunked_head()[:-2] + b"x: " + b"y" * 100_000),
        "upstream_protocol_error",
        "over 65536",
    ),
    "has a bad chunk": (once(FIRST + b"zz\r\n" + LAST_CHUNK), "upstream_protocol_error", "chunk size"),
}


@pytest.mark.parametrize("shape", BAD)
async def test_a_bad_answer_is_one_line_that_names_the_upstream_and_the_phase(tmp_path: Path, shape: str) -> None:
    script, code, detail = BAD[shape]
    with WireUpstream(script) as upstream:
        content = document(upstream.url, transport="h1", first_byte_seconds=0.1, idle_seconds=0.1)
        async with running(tmp_path, content) as gateway:
            await ask(gateway.port, request("POST", "/v1/chat/completions", chat(stream=True), id="bad"))
            line = await gateway.line("bad")
            assert gateway.slots == 0
    assert (line["upstream"], line["outcome"], line["error"]) == ("up", "failed", code)
    assert detail in line["error_detail"]
