"""What the origin answers, as bytes that are made once: whole answers and the parts of streams, in both dialects.

A chunk of a stream holds `STAMP_DIGITS` digits and nothing else as its text: the time at which the origin sent it, in
nanoseconds of CLOCK_MONOTONIC. So a client on the same machine reads off the delay of each chunk, through any gateway
that keeps content, and counts chunks whatever else the gateway rewrote. Chunks of a burst are made once and hold their
number instead: some gateways cut a stream off that says the same too often.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

CHUNKS = 200
"""How many chunks a stream has unless the request names another limit (max_tokens, num_predict)."""

STAMP_DIGITS = 20
STAMP = re.compile(rb'"content": ?"(\d{%d})"' % STAMP_DIGITS)
"""Finds the stamp of a chunk in either dialect, however its JSON is spaced."""

WHOLE_BYTES = {"origin-1k": 1_152, "origin-100k": 100_000}
"""Models whose whole answers differ in size: the length of the body in OpenAI's form. Others answer as origin-1k."""

CHUNKS_PER_SECOND = {"origin-100cps": 100, "origin-20cps": 20}
"""Models whose streams are paced. The streams of others leave in one write."""

MODELS = ("origin-1k", "origin-100k", "origin-burst", *CHUNKS_PER_SECOND)
TEXT = "The gateway relays what it reads, and nothing else. "
_CREATED = 1_764_000_000
_WHEN = "2025-11-24T16:00:00Z"
_ID = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
_USAGE = {
    "prompt_tokens": 190,
    "completion_tokens": CHUNKS,
    "total_tokens": 190 + CHUNKS,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
_COUNTS = {
    "total_duration": 5_191_566_416,
    "load_duration": 2_154_458,
    "prompt_eval_count": 190,
    "prompt_eval_duration": 383_809_000,
    "eval_count": CHUNKS,
    "eval_duration": 4_799_921_000,
}
# What OpenAI sends beside the body, or most of it: a gateway has to look at each of these.
_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"date: Mon, 24 Nov 2025 16:00:00 GMT\r\n"
    b"content-type: %b\r\n"
    b"access-control-expose-headers: X-Request-ID\r\n"
    b"openai-organization: bench\r\n"
    b"openai-processing-ms: 1\r\n"
    b"openai-version: 2020-10-01\r\n"
    b"x-ratelimit-limit-requests: 10000\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\n"
    b"x-request-id: req_3f2a0c1b9d8e7f60\r\n"
    b"strict-transport-security: max-age=31536000\r\n"
    b"server: origin\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def whole_head(length: int) -> bytes:
    """The head of an answer of `length` bytes."""
    return _HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % length


def answer(body: bytes) -> bytes:
    """A whole HTTP answer."""
    return whole_head(len(body)) + body


def in_chunk(data: bytes) -> bytes:
    """`data` as one chunk of the chunked coding (RFC 9112 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass(frozen=True, slots=True)
class StreamParts:
    """A stream: `head`, then for each chunk `before` + stamp + `after`, then `end`. All with their chunked framing."""

    head: bytes
    before: bytes
    after: bytes
    end: bytes

    def burst(self, chunks: int) -> bytes:
        """All of it as one piece, with the chunks' numbers for their stamps."""
        body = b"".join(b"%b%0*d%b" % (self.before, STAMP_DIGITS, at, self.after) for at in range(chunks))
        return self.head + body + self.end


def said(model: str) -> tuple[str, str]:
    """The text of a whole answer in either dialect. One is longer: the answers are of the same length as JSON."""
    openai, ollama = msgspec.json.decode(openai_whole(model)), msgspec.json.decode(ollama_whole(model))
    return openai["choices"][0]["message"]["content"], ollama["message"]["content"]


def openai_whole(model: str) -> bytes:
    """A chat completion of exactly the length that the model's name stands for."""
    return _filled(lambda text: _completion(model, text), WHOLE_BYTES.get(model, WHOLE_BYTES["origin-1k"]))


def ollama_whole(model: str) -> bytes:
    """The same for Ollama's API."""
    return _filled(lambda text: _line(model, text) | _done(), WHOLE_BYTES.get(model, WHOLE_BYTES["origin-1k"]))


def openai_stream(model: str) -> StreamParts:
    """A stream of chat.completion.chunk events: the role, the chunks, why it ended, [DONE]."""

    def event(delta: dict[str, object], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return b"data: %b\n\n" % msgspec.json.encode(
            _labelled(model, "chat.completion.chunk") | {"choices": [choice], "obfuscation": "kX8wqT2"}
        )

    return _parts(
        b"text/event-stream; charset=utf-8",
        first=event({"role": "assistant", "content": "", "refusal": None}),
        chunk=event({"content": "0" * STAMP_DIGITS}),
        last=event({}, "stop") + b"data: [DONE]\n\n",
    )


def ollama_stream(model: str) -> StreamParts:
    """A stream of Ollama's lines: the chunks, and the counts with the last line."""
    # Padded with spaces, which JSON ignores, to the length of an OpenAI chunk.
    chunk = msgspec.json.encode(_line(model, "0" * STAMP_DIGITS) | {"done": False})
    chunk = chunk[:-1] + b" " * (_OPENAI_CHUNK_BYTES - len(chunk) - 1) + b"}\n"
    return _parts(
        b"application/x-ndjson",
        first=b"",
        chunk=chunk,
        last=msgspec.json.encode(_line(model, "") | _done()) + b"\n",
    )


_OPENAI_CHUNK_BYTES = 300


def _parts(content_type: bytes, *, first: bytes, chunk: bytes, last: bytes) -> StreamParts:
    head = _HEAD % content_type + b"transfer-encoding: chunked\r\n\r\n"
    before, after = in_chunk(chunk).split(b"0" * STAMP_DIGITS)
    return StreamParts(head + (in_chunk(first) if first else b""), before, after, in_chunk(last) + LAST_CHUNK)


def _filled(made: Callable[[str], object], length: int) -> bytes:
    missing = length - len(msgspec.json.encode(made("")))
    return msgspec.json.encode(made((TEXT * (missing // len(TEXT) + 1))[:missing]))


def _labelled(model: str, kind: str) -> dict[str, object]:
    label = {"id": _ID, "object": kind, "created": _CREATED, "model": model}
    return label | {"service_tier": "default", "system_fingerprint": "fp_44709d6fcb"}


def _completion(model: str, text: str) -> object:
    message: dict[str, object] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _labelled(model, "chat.completion") | {"choices": [choice], "usage": _USAGE}


def _line(model: str, text: str) -> dict[str, object]:
    return {"model": model, "created_at": _WHEN, "message": {"role": "assistant", "content": text}}


def _done() -> dict[str, object]:
    return {"done_reason": "stop", "done": True} | _COUNTS
