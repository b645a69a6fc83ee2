"""What the answers to each operation look like as events, and events as answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from pipeline import Data, Event, EventKind, Request
from stages.dialects.ollama import embeddings, models, render, timestamps
from stages.dialects.ollama.json_lines import DIALECT, parse
from stages.dialects.ollama.lines import Lines
from stages.dialects.wire import as_text

GENERATING = frozenset({"chat", "completion"})
EMBEDDING = frozenset({"embedding", "embedding.single"})
# Strings that mean nothing but themselves, wherever they stand. The time of a line counts only in the first.
TEXTS = re.compile(rb'"(?:content|response|thinking|created_at)": ?("(?:[^"\\\r\n]++|\\[^\r\n])++")')


class Answers:
    """Reads the frames of one answer to `operation`: an event a frame, decoded when someone looks."""

    def __init__(self, operation: str) -> None:
        self.generates = operation in GENERATING
        # A client of a management call is told that it is done, and by some calls nothing at all.
        self.may_be_empty = operation.startswith("manage.")
        self._decode = _decoding(operation)

    def event(self, frame: bytes) -> Event:
        return Event(frame=frame, dialect=DIALECT, decode=self._decode, texts=TEXTS)


def _decoding(operation: str) -> Callable[[bytes], Data]:
    if operation in GENERATING:
        return Lines(operation).neutral
    return partial(embeddings.neutral, operation) if operation in EMBEDDING else parse


class Writer:
    """Writes the events of the answer to `request`.

    The completer gave each of them its time. One that a stage made after it has the time of the line before.
    """

    def __init__(self, request: Request) -> None:
        self._operation = request.operation
        self._generates = request.operation in GENERATING
        self._model = request.model
        self._created_at = timestamps.ZERO

    def render(self, event: Event) -> Data:
        """One event as the JSON object that it is on the wire."""
        operation, data, own = self._operation, event.data, event.dialect == DIALECT
        if self._generates:
            self._created_at = as_text(data.get("created_at")) or self._created_at
            return render.line(operation, data, model=self._model, created_at=self._created_at, own=own)
        if operation in EMBEDDING:
            return embeddings.render(operation, data, model=self._model, own=own)
        if operation.startswith("manage."):
            return {key: value for key, value in data.items() if key != "error"}
        # A catalogue's answer is neutral; that of a server which was asked itself is what it says already.
        return data if own else models.encode_answer(operation, data)

    def fold(self, events: Sequence[Event]) -> Data:
        """The whole answer: all lines of generated text together, of anything else the last."""
        written = [self.render(event) for event in events if event.kind is EventKind.DATA]
        if self._generates:
            return render.joined(self._operation, written)
        return written[-1] if written else {}
