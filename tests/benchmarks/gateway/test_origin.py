"""The origin speaks both dialects well enough for the project's own decoders, and does what the names of models say."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from benchmarks.gateway import bodies
from benchmarks.gateway.answers import CHUNKS, MODELS, STAMP, WHOLE_BYTES, said
from benchmarks.gateway.bodies import body
from benchmarks.gateway.servers import origin
from pipeline import Data, Dialect, Event, Headers, Payload, Request
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

pytestmark = pytest.mark.wire

DIALECTS: dict[bodies.Dialect, Dialect] = {"openai": OpenAI(), "ollama": Ollama()}
PATHS: dict[bodies.Dialect, str] = {"openai": "/v1/chat/completions", "ollama": "/api/chat"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes
    pieces: tuple[bytes, ...]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with origin() as (_, port):
        yield port


def fetch(port: int, method: str, path: str, sent: bytes = b"") -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, sent)
    answer = connection.getresponse()
    pieces = tuple(iter(lambda: answer.read1(65536), b""))
    connection.close()
    return Answer(answer.status, Headers(answer.getheaders()), b"".join(pieces), pieces)


def events(dialect: bodies.Dialect, answer: Answer, *, stream: bool) -> list[Event]:
    """All events of an answer, as the gateway would see them; a failure fails the test."""
    request = Request("chat", model="m", payload=Payload({"model": "m", "stream": stream}), stream=stream, id="1")
    decoder = DIALECTS[dialect].decoder(request, answer.headers)
    frames = [frame for piece in answer.pieces for frame in decoder.feed(piece)] + decoder.finish()
    assert decoder.failure is None
    assert decoder.finished
    return [event for frame in frames for event in decoder.events(frame)]


def texts(found: list[Event]) -> list[str]:
    deltas: list[Data] = [choice["delta"] for event in found for choice in event.data.get("choices", ())]
    return [delta["content"] for delta in deltas if delta.get("content")]


@pytest.mark.parametrize("dialect", list(PATHS))
@pytest.mark.parametrize("model", list(WHOLE_BYTES))
def test_a_whole_answer_is_valid_and_of_the_length_that_the_name_says(
    port: int, dialect: bodies.Dialect, model: str
) -> None:
    answer = fetch(port, "POST", PATHS[dialect], body(dialect, "1k", model, False))
    assert (answer.status, len(answer.body)) == (200, WHOLE_BYTES[model])
    assert "".join(texts(events(dialect, answer, stream=False))) in said(model)


@pytest.mark.parametrize("dialect", list(PATHS))
def test_a_burst_is_a_valid_stream_of_200_chunks(port: int, dialect: bodies.Dialect) -> None:
    answer = fetch(port, "POST", PATHS[dialect], body(dialect, "1k", "origin-burst", True))
    chunks = texts(events(dialect, answer, stream=True))
    assert len(chunks) == len(set(chunks)) == CHUNKS  # gateways look for models that say the same over and over
    frames = [frame for frame in answer.body.split(b"\n") if STAMP.search(frame)]
    assert all(290 <= len(frame) <= 320 for frame in frames)


@pytest.mark.parametrize("dialect", list(PATHS))
def test_a_paced_stream_says_when_each_chunk_was_sent(port: int, dialect: bodies.Dialect) -> None:
    began = time.monotonic_ns()
    answer = fetch(port, "POST", PATHS[dialect], body(dialect, "1k", "origin-100cps", True, 20))
    stamps = [int(text) for text in texts(events(dialect, answer, stream=True))]
    assert len(stamps) == 20
    assert began < stamps[0]
    assert stamps[-1] < time.monotonic_ns()
    assert all(earlier < later for earlier, later in itertools.pairwise(stamps))
    # Nineteen intervals of 10 ms, from a loop that counts in milliseconds. A busy machine only adds.
    assert stamps[-1] - stamps[0] > 185_000_000


def test_without_the_field_stream_each_dialect_has_its_own_default(port: int) -> None:
    sent = json.dumps({"model": "origin-burst", "messages": []}).encode()
    assert not STAMP.search(fetch(port, "POST", "/v1/chat/completions", sent).body)
    assert len(STAMP.findall(fetch(port, "POST", "/api/chat", sent).body)) == CHUNKS


def test_a_request_in_chunks_with_the_model_in_the_middle_of_it_is_understood(port: int) -> None:
    padding = json.dumps("x" * 100_000)
    sent = f'{{"messages": {padding}, "model": "origin-100k", "tools": {padding}}}'.encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/v1/chat/completions", iter([sent[:7], sent[7:]]), encode_chunked=True)
    assert len(connection.getresponse().read()) == WHOLE_BYTES["origin-100k"]
    connection.close()


@pytest.mark.parametrize(("path", "listed"), [("/v1/models", "data"), ("/api/tags", "models")])
def test_it_lists_its_models(port: int, path: str, listed: str) -> None:
    cards = json.loads(fetch(port, "GET", path).body)[listed]
    assert tuple(card.get("id") or card["name"] for card in cards) == MODELS


@pytest.mark.parametrize(("path", "model"), [("/v1/chat/completions", "chat-1k"), ("/v1/embeddings", "origin-1k")])
def test_what_it_does_not_know_is_no_answer(port: int, path: str, model: str) -> None:
    assert fetch(port, "POST", path, body("openai", "1k", model, False)).status == 404
