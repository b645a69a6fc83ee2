"""How much of an answer is held: an event of 8 MiB and a whole of 32, in either dialect (protocol.md 1.1, 3.0.7)."""

from __future__ import annotations

import pytest

from pipeline import Decoder, Dialect, Headers, Request
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

MIB = 1024 * 1024
DIALECTS: list[Dialect] = [OpenAI(), Ollama()]
EVENTS = {"openai": (b'data: {"a":"', b'"}\n\n'), "ollama": (b'{"a":"', b'"}\n')}


def decoder(dialect: Dialect, *, stream: bool) -> Decoder:
    kind = "text/event-stream" if stream and dialect.name == "openai" else "application/json"
    kind = "application/x-ndjson" if stream and dialect.name == "ollama" else kind
    return dialect.decoder(Request("chat", dialect=dialect.name, stream=stream), Headers({"content-type": kind}))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("over", [0, 1])
def test_an_event_with_its_end(dialect: Dialect, over: int) -> None:
    begins, ends = EVENTS[dialect.name]
    event = begins + b"x" * (8 * MIB + over - len(begins) - len(ends)) + ends
    reading = decoder(dialect, stream=True)
    assert reading.feed(event) == ([] if over else [event])
    assert (reading.failure is not None) == bool(over)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("over", [0, 1])
def test_a_whole_answer(dialect: Dialect, over: int) -> None:
    reading = decoder(dialect, stream=False)
    reading.feed(bytes(31 * MIB))
    reading.feed(bytes(MIB + over))
    assert (reading.failure is not None) == bool(over)
