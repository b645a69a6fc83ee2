"""Streams as they are told to a client, completed with and without learning from what is alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from pipeline import Dialect, Event, Headers, Payload, Request
from pipeline.testing import VirtualClock
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

DIALECTS: dict[str, Dialect] = {"openai": OpenAI(), "ollama": Ollama()}
WAYS = [("openai", "openai"), ("ollama", "openai"), ("openai", "ollama")]
STREAM_TYPES = {"openai": "text/event-stream", "ollama": "application/x-ndjson"}


def framed(upstream: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"data: " + data + b"\n\n" if upstream == "openai" else data.replace(b"\n", b" ") + b"\n"


def asked(client: str, operation: str) -> Request:
    payload = Payload({"model": "asked", "stream_options": {"include_usage": True}})
    return Request(operation, model="asked", payload=payload, dialect=client, stream=True, id="1")


Change = Callable[[Event], Event]


def told(
    way: tuple[str, str], operation: str, frames: Sequence[bytes], change: Change, fields: Sequence[str]
) -> Iterator[bytes | str]:
    """What a client gets for each frame, up to an error."""
    upstream, client = way
    clock = VirtualClock()
    request = asked(client, operation)
    decoder = DIALECTS[upstream].decoder(request, Headers([("content-type", STREAM_TYPES[upstream])]))
    complete = DIALECTS[client].completer(request, model="asked", id="1", clock=clock, reasoning_fields=fields)
    encoder = DIALECTS[client].encoder(request)
    for frame in frames:
        clock.advance(0.25)
        try:
            for each in decoder.feed(frame):
                for event in decoder.events(each):
                    yield b"".join(encoder.encode(made) for made in complete(change(event)))
        except Exception as error:
            yield repr(error)
            return


def as_it_is(event: Event) -> Event:
    return event


def without_texts(event: Event) -> Event:
    """So that nothing is learnt."""
    return Event(kind=event.kind, frame=event.frame, dialect=event.dialect, decode=event.decode)


def frame(way: tuple[str, str], text: str) -> bytes:
    if way[0] == "openai":
        choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
        return framed("openai", json.dumps({"id": "1", "choices": [choice], "obfuscation": text * 2}))
    line = {"model": "m", "created_at": f"2026-11-22T10:15:{len(text)}0Z", "message": {"content": text}, "done": False}
    return framed("ollama", json.dumps(line))


def ended(frame: bytes) -> bytes:
    return frame.replace(b'"finish_reason": null', b'"finish_reason": "stop"').replace(b'"text', b'"')
