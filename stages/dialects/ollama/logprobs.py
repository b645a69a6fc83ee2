"""Log-probabilities as a list of tokens, from either neutral form (protocol.md 1.10.8, 2.4, 2.6)."""

from __future__ import annotations

from typing import Any

from pipeline import Data
from stages.dialects.wire import as_dict, as_list, as_text

_UNLIKELY = -9999.0


def entries(given: Any) -> list[Data]:
    """The tokens of a choice: those of a chat, or the parallel lists of a text completion. A refusal's are dropped."""
    told = as_dict(given)
    if isinstance(told.get("content"), list):
        return [_entry(as_dict(item), deep=True) for item in told["content"]]
    numbers, others = as_list(told.get("token_logprobs")), as_list(told.get("top_logprobs"))
    return [
        _parallel(as_text(token), _at(numbers, place), _at(others, place))
        for place, token in enumerate(as_list(told.get("tokens")))
    ]


def _entry(item: Data, *, deep: bool) -> Data:
    entry: Data = {"token": as_text(item.get("token")), "logprob": _number(item.get("logprob"))}
    if isinstance(item.get("bytes"), list):
        entry["bytes"] = item["bytes"]
    if deep and (others := as_list(item.get("top_logprobs"))):
        entry["top_logprobs"] = [_entry(as_dict(other), deep=False) for other in others]
    return entry


def _parallel(token: str, number: Any, others: Any) -> Data:
    entry: Data = {"token": token, "logprob": _number(number)}
    if as_dict(others):
        entry["top_logprobs"] = [{"token": other, "logprob": _number(value)} for other, value in others.items()]
    return entry


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _number(value: Any) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known else _UNLIKELY
