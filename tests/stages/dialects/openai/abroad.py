"""Events of another dialect's server, completed and encoded for a client of this one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline import END, Event, Request
from stages.dialects.openai.dialect import OpenAI
from tests.stages.fakes import FakeClock

CREATED = 1_767_323_045


def choice(
    delta: dict[str, Any] | None = None, finish: str | None = None, *, index: int = 0, logprobs: Any = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta or {}, "finish_reason": finish, "logprobs": logprobs}


def event(*choices: dict[str, Any], created: int | None = CREATED, **fields: Any) -> Event:
    """As a decoder of another dialect gives it, with a native field of its own on the top level."""
    head = {} if created is None else {"created": created}
    return Event({"choices": list(choices), **head, "total_duration": 5, **fields}, dialect="other")


def call(name: str, arguments: str = "{}", index: int = 0, id: str | None = None) -> dict[str, Any]:
    named = {} if id is None else {"id": id}
    return {"index": index, **named, "type": "function", "function": {"name": name, "arguments": arguments}}


def request_for(operation: str = "chat", *, stream: bool = True, **fields: Any) -> Request:
    payload = {"model": "asked", "stream": stream, **fields}
    return Request(operation, model="asked", payload=payload, dialect="openai", stream=stream, id="req-1")


def completed(request: Request, events: Sequence[Event], *, reasoning_fields: Sequence[str] = ()) -> bytes:
    """The bytes that the client gets of a complete answer."""
    dialect = OpenAI()
    complete = dialect.completer(
        request, model=request.model, id=request.id, clock=FakeClock(), reasoning_fields=reasoning_fields
    )
    encoder = dialect.encoder(request)
    sent = [encoder.encode(chunk) for given in (*events, END) for chunk in complete(given)]
    return b"".join(sent) + encoder.finish()


def chunks(request: Request, events: Sequence[Event], **given: Any) -> list[Any]:
    """The chunks of a stream, its end marker checked and left out."""
    *lines, done, rest = completed(request, events, **given).split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


def deltas(request: Request, events: Sequence[Event], **given: Any) -> list[Any]:
    """What each chunk with a choice says, its finish reason in its place at the end."""
    said = [chunk["choices"][0] for chunk in chunks(request, events, **given) if chunk["choices"]]
    return [choice["finish_reason"] or choice["delta"] for choice in said]


def answer(request: Request, events: Sequence[Event], **given: Any) -> Any:
    """The whole answer."""
    return json.loads(completed(request, events, **given))
