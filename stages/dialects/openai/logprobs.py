"""Log-probabilities with all the keys that clients require (protocol.md 2.4, 2.6)."""

from __future__ import annotations

from typing import Any

from pipeline import Data
from stages.dialects.openai.wire import as_dict, as_list

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
    lists = {key: as_list(given.get(key)) for key in ("tokens", "token_logprobs", "top_logprobs", "text_offset")}
    return {**given, **lists}


def _tokens(given: Any) -> list[Data] | None:
    if not isinstance(given, list):
        return None
    return [
        {**_token(item), "top_logprobs": [_token(top) for top in as_list(item.get("top_logprobs"))]}
        for item in map(as_dict, given)
    ]


def _token(given: Any) -> Data:
    item = as_dict(given)
    token = item.get("token") if isinstance(item.get("token"), str) else ""
    logprob = item.get("logprob")
    raw = item.get("bytes")
    return {
        **item,
        "token": token,
        "logprob": float(logprob) if isinstance(logprob, (int, float)) else UNLIKELY,
        "bytes": raw if isinstance(raw, list) else list(str(token).encode()),
    }
