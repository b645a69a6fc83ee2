"""Embedding answers (protocol.md 2.7): one event, no stream."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Data, Event, EventKind, UpstreamGarbage
from stages.dialects.openai import usage as usage_of
from stages.dialects.wire import as_count, as_dict, as_list


def explode(answer: Data) -> list[Data]:
    return [answer]


def fold(events: Sequence[Event]) -> Data:
    """The only data event; an answer made of several is none of this dialect's."""
    data = [event.data for event in events if event.kind is EventKind.DATA]
    return data[-1] if data else {}


class EmbeddingCompleter:
    """The list object, the index of each vector, the requested model name, the two counts."""

    def __init__(self, *, model: str) -> None:
        self._model = model

    def __call__(self, event: Event) -> tuple[Event, ...]:
        if event.kind is not EventKind.DATA:
            return (event,)
        answer = event.data
        data = [
            {**item, "object": "embedding", "index": as_count(item.get("index"), at)}
            for at, item in enumerate(map(as_dict, as_list(answer.get("data"))))
        ]
        if not data:
            raise UpstreamGarbage("The upstream's answer has no embeddings.", work_done="maybe")
        # OpenAI requires usage here; an upstream that does not count has told nothing, and zero is how that is said.
        usage = usage_of.complete(answer.get("usage"), completion=False) or {"prompt_tokens": 0, "total_tokens": 0}
        return (event.with_data({**answer, "object": "list", "data": data, "model": self._model, "usage": usage}),)
