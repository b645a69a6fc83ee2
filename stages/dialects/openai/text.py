"""Text completions as neutral events and back (protocol.md 2.6). Response and chunk share one shape."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Data, Event, EventKind
from stages.dialects.openai.wire import as_dict, as_int, as_list, as_text

OBJECT = "text_completion"
_HEAD = ("id", "object", "created", "model", "system_fingerprint")


def explode(answer: Data) -> list[Data]:
    """A whole answer as chunks: the text, then how each choice ended, then the usage."""
    if not isinstance(answer.get("choices"), list):
        return [answer]
    head = {key: answer[key] for key in _HEAD if key in answer}
    rest = {key: value for key, value in answer.items() if key not in (*_HEAD, "choices", "usage")}
    choices = [as_dict(choice) for choice in answer["choices"]]
    said = [{**choice, "index": choice.get("index", at), "finish_reason": None} for at, choice in enumerate(choices)]
    ended = [
        {"index": choice.get("index", at), "text": "", "logprobs": None, "finish_reason": choice.get("finish_reason")}
        for at, choice in enumerate(choices)
    ]
    chunks: list[Data] = [{**head, "choices": said}, {**head, **rest, "choices": ended}]
    if answer.get("usage") is not None:
        chunks.append({**head, "choices": [], "usage": answer["usage"]})
    return chunks


def fold(events: Sequence[Event]) -> Data:
    """The whole answer that a stream spells out."""
    answer: Data = {}
    choices: dict[int, Data] = {}
    for event in events:
        if event.kind is not EventKind.DATA:
            continue
        for key, value in event.data.items():
            if key == "choices":
                for choice in as_list(value):
                    index = as_int(as_dict(choice).get("index"), 0)
                    _merge(choices.setdefault(index, {"text": "", "index": index, "logprobs": None}), as_dict(choice))
            elif key in ("id", "created", "model"):
                answer.setdefault(key, value)
            elif key != "usage" or value is not None:
                answer[key] = value
    answer["object"] = OBJECT
    answer["choices"] = [choices[index] for index in sorted(choices)]
    return answer


def _merge(total: Data, choice: Data) -> None:
    for key, value in choice.items():
        if key == "text":
            total["text"] += as_text(value)
        elif key == "logprobs" and isinstance(value, dict):
            total["logprobs"] = _joined(as_dict(total["logprobs"]), value)
        elif value is not None or key not in total:
            total[key] = value


def _joined(total: Data, part: Data) -> Data:
    """Log-probabilities are parallel lists: join each."""
    joined = dict(total)
    for key, value in part.items():
        joined[key] = [*as_list(joined.get(key)), *value] if isinstance(value, list) else value
    return joined
