"""Events: the neutral items of a response body, decoded only when someone looks.

A stage sees one shape whatever the upstream speaks, and whether the answer is streamed or whole:

    {"choices": [{"index": 0, "delta": {"role", "content", "tool_calls", ...}, "finish_reason": None, ...}],
     "usage": {...} | absent, ... every other field of the upstream, untouched}

Text completions carry `text` in the choice instead of `delta`. Answers that are not generated text (embeddings, model
lists) are one event whose `data` is the answer. An event that nobody looked at leaves as the bytes it came in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

Data = dict[str, Any]
Decode = Callable[[bytes], Data]


class EventKind(Enum):
    """`DATA` carries something, `END` is the success marker of a stream, `ERROR` the last event of a failed one."""

    DATA = "data"
    END = "end"
    ERROR = "error"


class Event(msgspec.Struct, eq=False):
    """One item of a body. Immutable: change it by `with_data`, which forgets the original bytes.

    `frame` is what the event was cut from, exactly as received, or None once changed; `dialect` names the protocol
    the frame is written in. An encoder of the same dialect forwards the frame, so unknown fields survive.
    Make one of its data, `Event({...})`, or of a `frame` and how to `decode` it. `texts` finds strings in the frame
    (group 1, with their quotes) that are only said: with others, not empty, it is the same event but for them.
    The trap: `data` is shared, so build a new dict instead of editing it in place.
    """

    _data: Data | None = None
    kind: EventKind = EventKind.DATA
    frame: bytes | None = None
    dialect: str | None = None
    decode: Decode | None = None
    texts: re.Pattern[bytes] | None = None

    @property
    def data(self) -> Data:
        """The neutral content; decoded from `frame` on the first look."""
        if self._data is None:
            if self.decode is None or self.frame is None:
                self._data = {}
            else:
                self._data = self.decode(self.frame)
        return self._data

    def with_data(self, data: Data) -> Event:
        """This event with other content. The frame is dropped: the event will be encoded afresh."""
        return Event(data, kind=self.kind, dialect=self.dialect)

    @property
    def text(self) -> str:
        """The visible text this event adds to the first choice that has any; "" if it adds none."""
        for choice in self.data.get("choices") or ():
            text = choice.get("text") or (choice.get("delta") or {}).get("content")
            if text:
                return str(text)
        return ""

    def map_text(self, change: Callable[[int, str], str]) -> Event:
        """This event with `change(choice index, text)` applied to the visible text of every choice.

        Returns the same event when nothing changed, so that an untouched frame still leaves byte for byte.
        """
        choices: list[Any] = []
        touched = False
        for choice in self.data.get("choices") or ():
            new = _map_choice_text(choice, change)
            touched = touched or new is not choice
            choices.append(new)
        return self.with_data({**self.data, "choices": choices}) if touched else self

    def __repr__(self) -> str:
        return f"Event({self.kind.value}, {'frame' if self.frame is not None else 'data'})"


def _map_choice_text(choice: Data, change: Callable[[int, str], str]) -> Data:
    index = choice.get("index") or 0
    delta = choice.get("delta") or {}
    if isinstance(choice.get("text"), str):
        text = change(index, choice["text"])
        return choice if text == choice["text"] else {**choice, "text": text}
    if isinstance(delta.get("content"), str):
        text = change(index, delta["content"])
        return choice if text == delta["content"] else {**choice, "delta": {**delta, "content": text}}
    return choice


END = Event({}, kind=EventKind.END)
