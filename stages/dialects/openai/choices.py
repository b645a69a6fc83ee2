"""What chat and text completions share: an answer is a head, choices that are said and ended, and the usage.

`explode` turns a whole answer into the three steps a stream has, so that a stage which holds text back until a choice
ends works for both; `fold` puts a stream together again. Unknown fields of the top level survive both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline import Data, Event, EventKind
from stages.dialects.wire import as_dict, as_int, as_list

_HEAD = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
Split = Callable[[Data, int], tuple[Data, Data]]


class Choice(Protocol):
    """One choice while its parts come in."""

    def add(self, choice: Data) -> None: ...
    def whole(self) -> Data: ...


def explode(answer: Data, object: str, split: Split) -> list[Data]:
    """All that was said, then how each choice ended, then the usage; `split` takes a choice and its place apart."""
    if not isinstance(answer.get("choices"), list):
        return [answer]
    head = {key: answer[key] for key in _HEAD if key in answer}
    head["object"] = object
    rest = {key: value for key, value in answer.items() if key not in (*_HEAD, "choices", "usage")}
    parts = [split(as_dict(choice), at) for at, choice in enumerate(answer["choices"])]
    chunks: list[Data] = [
        {**head, "choices": [said for said, _ in parts]},
        {**head, **rest, "choices": [ended for _, ended in parts]},
    ]
    if answer.get("usage") is not None:
        chunks.append({**head, "choices": [], "usage": answer["usage"]})
    return chunks


def fold(events: Sequence[Event], object: str, new: Callable[[int], Choice]) -> Data:
    """The whole answer that a stream spells out: its identity from the first event, the rest from the last."""
    answer: Data = {}
    choices: dict[int, Choice] = {}
    for event in events:
        if event.kind is not EventKind.DATA:
            continue
        for key, value in event.data.items():
            if key == "choices":
                for given in map(as_dict, as_list(value)):
                    index = as_int(given.get("index"), 0)
                    if index not in choices:
                        choices[index] = new(index)
                    choices[index].add(given)
            elif key in ("id", "created", "model"):
                answer.setdefault(key, value)
            elif key != "usage" or value is not None:
                answer[key] = value
    answer["object"] = object
    answer["choices"] = [choices[index].whole() for index in sorted(choices)]
    return answer
