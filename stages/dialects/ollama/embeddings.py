"""Embedding answers, both ways (protocol.md 1.6, 3.6): one event, no stream.

`/api/embed` gives unit vectors and `/api/embeddings` one vector as the model made it (pitfall 60).
"""

from __future__ import annotations

import math
import sys
from array import array
from base64 import b64decode
from typing import Any

from pipeline import Clock, Data, Event, EventKind, Request, UpstreamGarbage
from stages.dialects.ollama.json_lines import DIALECT, parse
from stages.dialects.ollama.named import Named
from stages.dialects.ollama.timings import Stopwatch
from stages.dialects.wire import as_count, as_dict, as_list, as_text

_COUNT = "prompt_eval_count"
_NEUTRAL = frozenset({"data", "usage", "model", "created", "error", "object"})


def neutral(operation: str, frame: bytes) -> Data:
    """An answer as the neutral event; its other fields stay beside it."""
    answer = parse(frame)
    if operation == "embedding.single":
        vectors = [answer.get("embedding")] if "embedding" in answer else []
    else:
        vectors = as_list(answer.get("embeddings"))
    rest = {key: value for key, value in answer.items() if key not in ("embedding", "embeddings", _COUNT, "error")}
    count = as_count(answer.get(_COUNT), -1)
    usage: Data = {"usage": {"prompt_tokens": count, "total_tokens": count}} if count >= 0 else {}
    return {**rest, "data": [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)], **usage}


def render(operation: str, data: Data, *, model: str, own: bool) -> Data:
    """The neutral event as an answer."""
    vectors = [as_dict(item).get("embedding") for item in as_list(data.get("data"))]
    if operation == "embedding.single":
        return {"embedding": vectors[0] if vectors else []}
    rest = {key: value for key, value in data.items() if own and key not in _NEUTRAL}
    count = as_count(as_dict(data.get("usage")).get("prompt_tokens"), -1)
    counted: Data = {_COUNT: count} if count >= 0 else {}
    return {"model": as_text(data.get("model")) or model, "embeddings": vectors, **rest, **counted}


class EmbeddingCompleter:
    """The vectors of another dialect in the order of the inputs, as lists of numbers."""

    def __init__(self, request: Request, *, model: str, clock: Clock) -> None:
        self._unit = request.operation == "embedding"
        inputs = request.payload.get("input")
        self._inputs = len(inputs) if self._unit and isinstance(inputs, list) else 1
        self._model = model
        self._watch = Stopwatch(clock)
        self._named = Named(request.operation, model)

    def __call__(self, event: Event) -> tuple[Event, ...]:
        if event.kind is not EventKind.DATA:
            return (event,)
        if event.dialect == DIALECT:
            return (self._named(event, str),)  # "": it has no time
        items = [as_dict(item) for item in as_list(event.data.get("data"))]
        if event.dialect is not None and len(items) != self._inputs:
            # Whose vector is missing nobody can tell, and a wrong one would go unnoticed (law 41).
            message = "The upstream answered another number of embeddings than was asked for."
            raise UpstreamGarbage(message, work_done="maybe", detail=f"{len(items)} for {self._inputs}")
        numbered = sorted(enumerate(items), key=lambda item: as_count(item[1].get("index"), item[0]))
        data = [{"index": at, "embedding": self._vector(item)} for at, (_, item) in enumerate(numbered)]
        told: Data = {"model": self._model, "data": data}
        count = as_count(as_dict(event.data.get("usage")).get("prompt_tokens"), -1)
        if count >= 0:
            told["usage"] = {"prompt_tokens": count, "total_tokens": count}
        # What was answered without a model server took no time worth telling: such an answer has the name alone.
        return (Event({**told, **(self._watch.total() if items else {})}, dialect=DIALECT),)

    def _vector(self, item: Data) -> list[float]:
        vector = _numbers(item.get("embedding"))
        return _unit(vector) if self._unit else vector


def _numbers(embedding: Any) -> list[float]:
    if isinstance(embedding, str):
        embedding = _unpacked(embedding)
    numbers = as_list(embedding)
    if not numbers or not all(
        isinstance(n, (int, float)) and not isinstance(n, bool) and math.isfinite(n) for n in numbers
    ):
        raise UpstreamGarbage("The upstream sent an embedding that is not a list of numbers.", work_done="maybe")
    return numbers


def _unpacked(text: str) -> list[float]:
    """Little-endian float32 in base64 (protocol.md 2.7)."""
    try:
        values = array("f", b64decode(text, validate=True))
    except ValueError as error:
        raise UpstreamGarbage("The upstream sent an embedding that is not base64.", work_done="maybe") from error
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def _unit(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [number / length for number in vector] if length and math.isfinite(length) else vector
