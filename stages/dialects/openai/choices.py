"""What chat and text completions share: an answer is a head, choices that are said and ended, and the usage.

`explode` turns a whole answer into the three steps a stream has, so that a stage which holds text back until a choice
ends works for both; `fold` puts a stream together again. Unknown fields of the top level survive both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pipeline import Data, Event, EventKind
from stages.dialects.wire import as_dict, as_int, as_list

_HEAD = frozenset({"id", "object", "created", "model", "system_fingerprint", "service_tier"})
_NOT_REST = _HEAD | {"choices", "usage"}
_IDENTITY = ("id", "created", "model")
Split = Callable[[Data, int], tuple[Data, Data]]


class Choice(Protocol):
    """One choice while its parts come in."""

    def add(self, choice: Data) -> None: ...
    def whole(self) -> Data: ...


def explode(answer: Data, object: str, split: Split) -> list[Data]:
    """All that was said, then how each choice ended, then the usage; `split` takes a choice and its place apart."""
    if not isinstance(answer.get("choices"), list):
        return [answer]
    head = {key: value for key, value in answer.items() if key in _HEAD}
    head["object"] = object
    rest = {key: value for key, value in answer.items() if key not in _NOT_REST}
    parts = [split(as_dict(choice), at) for at, choice in enumerate(answer["choices"])]
    said: Data = {**head, "choices": [said for said, _ in parts]}
    ended: Data = {**head, **rest, "choices": [ended for _, ended in parts]}
    if answer.get("usage") is not None:
        ended["usage"] = answer["usage"]
    return [said, ended]


def fold(events: Sequence[Event], object: str, new: Callable[[int], Choice]) -> Data:
    """The whole answer that a stream spells out: its identity from the first event, the rest from the last."""
    answer: Data = {}
    identity: Data = {}
    usage: Any = None
    choices: dict[int, Choice] = {}
    for event in events:
        if event.kind is not EventKind.DATA:
            continue
        data = event.data
        answer.update(data)
        for key in _IDENTITY:
            if key in data and key not in identity:
                identity[key] = data[key]
        if data.get("usage") is not None:
            usage = data["usage"]
        for given in map(as_dict, as_list(data.get("choices"))):
            index = as_int(given.get("index"), 0)
            if index not in choices:
                choices[index] = new(index)
            choices[index].add(given)
    answer |= identity
    answer |= {"object": object, "choices": [choices[index].whole() for index in sorted(choices)]}
    answer.pop("usage", None)
    return answer if usage is None else {**answer, "usage": usage}
