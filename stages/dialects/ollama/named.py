"""An answer of an Ollama server for a client of one: as it came, under the name that was asked for (laws 21, 49)."""

from __future__ import annotations

from collections.abc import Callable

from pipeline import Data, Event, UpstreamGarbage
from stages.dialects.ollama.json_lines import DIALECT
from stages.dialects.wire import NOT_JSON, decode, decode_top, encode

_ALWAYS = {
    "chat": frozenset({"model", "created_at", "message", "done"}),
    "completion": frozenset({"model", "created_at", "response", "done"}),
    "embedding": frozenset({"model", "embeddings"}),
    "embedding.single": frozenset({"embedding"}),
}


class Named:
    """A function on events of this dialect. Bytes that are right already stay; only the name is changed in others.

    Keys that the protocol always has are supplied where a server that only looks like this one left them out: then the
    line is written afresh.
    """

    def __init__(self, operation: str, model: str) -> None:
        self._always = _ALWAYS[operation]
        self._model = model

    def __call__(self, event: Event, now: Callable[[], str]) -> Event:
        frame = event.frame
        if frame is None or (renamed := self._renamed(frame)) is None:
            data = {**event.data, "model": self._model}
            if "created_at" in self._always and not data.get("created_at"):
                data["created_at"] = now()
            return event.with_data(data)
        if renamed is frame:
            return event
        return Event(frame=renamed, dialect=DIALECT, decode=lambda _: self._with_name(event.data))

    def _with_name(self, data: Data) -> Data:
        return {**data, "model": self._model}

    def _renamed(self, frame: bytes) -> bytes | None:
        """The frame under the right name, or None if it lacks a key or is not fit to be read one level deep."""
        try:
            top = decode_top(frame)
            if not frame.isascii():
                frame.decode()  # what is no text must not leave (law 39)
            if not top.keys() >= self._always:
                return None
            if "model" not in top or decode(top["model"]) == self._model:
                return frame
        except UnicodeDecodeError as error:
            message = "The upstream sent something that is not JSON."
            raise UpstreamGarbage(message, work_done="maybe", detail=str(error)) from None
        except NOT_JSON:
            return None
        return encode({**top, "model": self._model})
