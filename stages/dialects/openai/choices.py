"""What chat and text completions share: a head, choices and the usage; all else survives where it stood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pipeline import Data, Event, EventKind
from stages.dialects.wire import as_dict, as_int, as_list

_IDENTITY = ("id", "created", "model")
_DATA = EventKind.DATA


class Choice(Protocol):
    """One choice while its parts come in."""

    def add(self, choice: Data) -> None: ...
    def whole(self) -> Data: ...


def fold(events: Sequence[Event], object: str, new: Callable[[int], Choice]) -> Data:
    """The whole answer that a stream spells out: its identity from the first event, the rest from the last."""
    answer: Data = {}
    first: Data = {}  # of what identifies it
    usage: Any = None
    choices: dict[int, Choice] = {}
    for event in events:
        if event.kind is not _DATA:
            continue
        data = event.data
        answer.update(data)
        for key in _IDENTITY:
            if key in data and key not in first:
                first[key] = data[key]
        if data.get("usage") is not None:
            usage = data["usage"]
        for given in map(as_dict, as_list(data.get("choices"))):
            index = as_int(given.get("index"), 0)
            if index not in choices:
                choices[index] = new(index)
            choices[index].add(given)
    answer.update(first)
    answer.pop("usage", None)
    if usage is not None:
        answer["usage"] = usage
    answer["object"] = object
    answer["choices"] = [choices[index].whole() for index in sorted(choices)]
    return answer
