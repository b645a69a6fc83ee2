"""Embedding answers (protocol.md 2.7): one event, no stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import Data, Event, EventKind, InvalidRequest, Request, UpstreamGarbage
from stages.dialects.openai import usage as usage_of
from stages.dialects.openai import vectors
from stages.dialects.wire import as_count, as_dict, as_list, as_text


def fold(events: Sequence[Event]) -> Data:
    """The only data event; an answer made of several is none of this dialect's."""
    data = [event.data for event in events if event.kind is EventKind.DATA]
    return data[-1] if data else {}


class EmbeddingCompleter:
    """The list object, the vectors in order and in the form asked for, the requested model name, the counts."""

    def __init__(self, request: Request, *, model: str) -> None:
        self._model = model
        self._encoding = as_text(request.payload.get("encoding_format")).lower()
        self._dimensions = as_count(request.payload.get("dimensions"), 0)
        inputs = request.payload.get("input")
        self._inputs = len(inputs) if isinstance(inputs, list) else 1

    def __call__(self, event: Event) -> tuple[Event, ...]:
        if event.kind is not EventKind.DATA:
            return (event,)
        answer = event.data
        items = [as_dict(item) for item in as_list(answer.get("data"))]
        if not items:
            raise UpstreamGarbage("The upstream's answer has no embeddings.", work_done="maybe")
        if event.dialect and event.dialect != "openai":
            answer, items = self._taken_over(answer, items)
            self._encoding = self._encoding or "float"
        data = [
            {**item, "object": "embedding", "index": at, **self._vector(item.get("embedding"))}
            for at, item in enumerate(_in_order(items))
        ]
        # OpenAI requires usage here; an upstream that does not count has told nothing, and zero is how that is said.
        usage = usage_of.complete(answer.get("usage"), completion=False) or {"prompt_tokens": 0, "total_tokens": 0}
        return (event.with_data({**answer, "object": "list", "data": data, "model": self._model, "usage": usage}),)

    def _taken_over(self, answer: Data, items: list[Data]) -> tuple[Data, list[Data]]:
        """What is neutral of an answer in another dialect, held to what was asked (protocol.md 3.6; law 41)."""
        if len(items) != self._inputs:
            message = "The upstream answered another number of embeddings than was asked for."
            raise UpstreamGarbage(message, work_done="maybe", detail=f"{len(items)} for {self._inputs}")
        for item in items:
            length = len(vectors.as_floats(item.get("embedding")))
            if length < self._dimensions:
                # Servers that cannot lengthen their vectors ignore the wish without a word.
                message = f"The model's embeddings have {length} dimensions, which is fewer than `dimensions`."
                raise InvalidRequest(message, param="dimensions", code="invalid_value")
        taken = {key: answer[key] for key in ("usage",) if key in answer}
        return taken, [{key: item[key] for key in ("index", "embedding") if key in item} for item in items]

    def _vector(self, given: Any) -> Data:
        """The vector in the form that was asked for by name: some servers know only one of them."""
        if self._encoding == "base64" and isinstance(given, list):
            return {"embedding": vectors.as_base64(given)}
        if self._encoding == "float" and isinstance(given, str):
            return {"embedding": vectors.as_floats(given)}
        return {}


def _in_order(items: list[Data]) -> list[Data]:
    """By index, if the indices are those of a list; else as they came."""
    indices = [as_count(item.get("index"), -1) for item in items]
    if sorted(indices) != list(range(len(items))):
        return items
    return [item for _, item in sorted(zip(indices, items, strict=True), key=lambda pair: pair[0])]
