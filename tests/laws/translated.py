"""Requests from dialect to dialect on the product's own way: a client's bytes are read and a call's bytes written.

Named as protocol.md 6 names them: `o2l` is an OpenAI client's request for an Ollama upstream, `l2o` the opposite.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline import (
    Answered,
    Data,
    Dialect,
    IfLost,
    Losses,
    Payload,
    Request,
    Target,
    TranslationRules,
    conformance_of,
)
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

OPENAI: Dialect = OpenAI()
OLLAMA: Dialect = Ollama()
KITS = {dialect.name: conformance_of(dialect) for dialect in (OPENAI, OLLAMA)}
OPERATIONS = {
    "/chat/completions": "chat",
    "/completions": "completion",
    "/embeddings": "embedding",
    "/api/chat": "chat",
    "/api/generate": "completion",
    "/api/embed": "embedding",
    "/api/embeddings": "embedding.single",
}
REASONING = "openrouter"
"""A profile of OpenAI's dialect that takes past reasoning (protocol.md 6, subset C: the profile carries it)."""


@dataclass(frozen=True)
class Written:
    """What an upstream is sent: the operation and body of each call. None at all if the gateway answers itself."""

    calls: list[tuple[str, Data]]
    dropped: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def body(self) -> Data:
        (call,) = self.calls
        return call[1]


def asked(client: Dialect, operation: str, body: Any, *, id: str = "req-1") -> Request:
    """The request of a client that sends `body`."""
    decoded = client.decode_request(operation, json.dumps(body).encode(), "")
    return Request(
        operation, model=decoded.model, payload=decoded.payload, dialect=client.name, stream=decoded.stream, id=id
    )


def written(
    client: Dialect,
    upstream: Dialect,
    body: Any,
    operation: str = "chat",
    *,
    profile: str = "",
    fields: Mapping[str, IfLost] | None = None,
    emulate: frozenset[str] = frozenset(),
) -> Written:
    """What an `upstream` is sent for it. The model has the same name there."""
    request = asked(client, operation, body)
    losses = Losses(TranslationRules(fields=fields or {}, emulate=emulate))
    read = client.read(request, losses)
    if isinstance(read, Answered):
        return Written([], losses.dropped, losses.changed)
    target = Target("up", request.model)
    calls = upstream.write(read, target, losses, profile=profile or upstream.profiles[0])
    sent = [
        upstream.encode_request(request.evolve(operation=call.operation, payload=Payload(call.payload)))
        for call in calls
    ]
    bodies = [(OPERATIONS[call.path], json.loads(call.body)) for call in sent]
    return Written(bodies, losses.dropped, losses.changed)


def o2l(request: Data) -> Data:
    return written(OPENAI, OLLAMA, request).body


def l2o(request: Data, *, profile: str = REASONING) -> Data:
    return written(OLLAMA, OPENAI, request, profile=profile).body
