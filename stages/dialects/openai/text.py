"""Text completions as neutral events and back (protocol.md 2.6). Response and chunk share one shape."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Data, Event
from stages.dialects.openai import choices
from stages.dialects.wire import as_dict, as_list, as_text

OBJECT = "text_completion"


def neutral(answer: Data) -> Data:
    """A whole answer as the one chunk that says it all."""
    if not isinstance(answer.get("choices"), list):
        return answer
    numbered = [{"index": at, **as_dict(choice)} for at, choice in enumerate(answer["choices"])]
    return {**answer, "object": OBJECT, "choices": numbered}


def fold(events: Sequence[Event]) -> Data:
    """The whole answer that a stream spells out."""
    return choices.fold(events, OBJECT, _Choice)


class _Choice:
    """One choice while its text comes in."""

    def __init__(self, index: int) -> None:
        self._total: Data = {"text": "", "index": index, "logprobs": None}

    def add(self, choice: Data) -> None:
        total = self._total
        for key, value in choice.items():
            if key == "text":
                total["text"] += as_text(value)
            elif key == "logprobs" and isinstance(value, dict):
                total["logprobs"] = _joined(as_dict(total["logprobs"]), value)
            elif value is not None or key not in total:
                total[key] = value

    def whole(self) -> Data:
        return self._total


def _joined(total: Data, part: Data) -> Data:
    """Log-probabilities are parallel lists: join each."""
    joined = dict(total)
    for key, value in part.items():
        joined[key] = [*as_list(joined.get(key)), *value] if isinstance(value, list) else value
    return joined
