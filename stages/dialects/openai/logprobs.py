"""Log-probabilities with all the keys that clients require (protocol.md 2.4, 2.6)."""

from __future__ import annotations

from typing import Any

from pipeline import Data
from stages.dialects.wire import as_count, as_dict, as_list, as_text

UNLIKELY = -9999.0
"""What OpenAI writes for a token too unlikely to have a number."""


def complete_chat_logprobs(given: Any) -> Data | None:
    """`{content, refusal}` with every token complete, or None."""
    if not isinstance(given, dict):
        return None
    return {**given, "content": _tokens(given.get("content")), "refusal": _tokens(given.get("refusal"))}


def complete_text_logprobs(given: Any) -> Data | None:
    """The four parallel lists of text completions, or None."""
    if not isinstance(given, dict):
        return None
    return {
        **given,
        "tokens": [as_text(token) for token in as_list(given.get("tokens"))],
        "token_logprobs": [_number(value) for value in as_list(given.get("token_logprobs"))],
        "top_logprobs": [_numbers(top) for top in as_list(given.get("top_logprobs"))],
        "text_offset": [as_count(offset, 0) for offset in as_list(given.get("text_offset"))],
    }


def text_logprobs(given: Any, offset: int) -> tuple[Data | None, int]:
    """A chat's log-probabilities as parallel lists, and where the next token begins; `offset` counts characters.

    Each token's alternatives include itself, as OpenAI's do (protocol.md 2.6). Parallel lists stay as they are.
    """
    if not isinstance(given, dict) or "content" not in given:
        return (given, offset) if isinstance(given, dict) else (None, offset)
    lists: Data = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
    for item in _tokens(given["content"]) or ():
        lists["tokens"].append(item["token"])
        lists["token_logprobs"].append(item["logprob"])
        alternatives = {top["token"]: top["logprob"] for top in item["top_logprobs"]}
        lists["top_logprobs"].append({**alternatives, item["token"]: item["logprob"]})
        lists["text_offset"].append(offset)
        offset += len(item["token"])
    return lists, offset


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _numbers(top: Any) -> Data | None:
    """The alternatives to one token; null where a token has none."""
    if not isinstance(top, dict):
        return None
    return {token: UNLIKELY if (number := _number(value)) is None else number for token, value in top.items()}


def _tokens(given: Any) -> list[Data] | None:
    if not isinstance(given, list):
        return None
    return [
        {**_token(item), "top_logprobs": [_token(top) for top in as_list(item.get("top_logprobs"))]}
        for item in map(as_dict, given)
    ]


def _token(given: Any) -> Data:
    item = as_dict(given)
    token = as_text(item.get("token"))
    logprob = _number(item.get("logprob"))
    raw = item.get("bytes")
    whole = isinstance(raw, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in raw)
    return {
        **item,
        "token": token,
        "logprob": UNLIKELY if logprob is None else logprob,
        "bytes": raw if whole else list(token.encode()),
    }
