"""llama.cpp's own server closes after every stream although it promises keep-alive: no request may be lost to that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import UpstreamCall
from tests.wire.h1.lane import fetch, pool_of, started

ROOT = Path(__file__).parents[3]
STREAM = b'{"messages":[{"role":"user","content":"Hi"}],"max_tokens":3,"stream":true}'
WHOLE = STREAM.replace(b"true", b"false")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, str(ROOT / "examples" / "local_model.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = next(line.split()[-1] for line in server.stdout if line.startswith("listening on "))
        yield f"{address}/v1/chat/completions"
        server.terminate()


@pytest.mark.model
async def test_streams_and_whole_answers_follow_each_other_without_a_failure(url: str) -> None:
    async with started() as transport:
        for body in (STREAM, STREAM, WHOLE, STREAM, WHOLE, WHOLE, STREAM):
            call = UpstreamCall("POST", "", body, (("content-type", "application/json"),))
            answer = await fetch(transport, url, call)
            assert (b"data: [DONE]" in answer) == (body is STREAM)
            assert b'"choices"' in answer
        assert pool_of(transport).places == 0
