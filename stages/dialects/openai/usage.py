"""Token counts in OpenAI's form (protocol.md 2.4, 2.7; law 18)."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline import Data, Usage
from stages.dialects.wire import NOT_JSON, as_count

_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


class _Counts(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Carrier(msgspec.Struct):
    usage: _Counts | None = None


_decode_carrier = msgspec.json.Decoder(_Carrier).decode
_decode_counts = msgspec.json.Decoder(_Counts | None).decode


def look(data: bytes) -> Usage | None:
    """The counts in one JSON object, read without decoding the rest; None if it has none or they are malformed."""
    try:
        return _known(_decode_carrier(data).usage)
    except NOT_JSON:
        return None


def counts(usage: msgspec.Raw) -> Usage | None:
    """The same of the `usage` itself."""
    try:
        return _known(_decode_counts(usage))
    except NOT_JSON:
        return None


def _known(counts: _Counts | None) -> Usage | None:
    if counts is None or (counts.prompt_tokens is None and counts.completion_tokens is None):
        return None
    return Usage(counts.prompt_tokens, counts.completion_tokens)


def complete(usage: Any, *, completion: bool = True) -> Data | None:
    """`usage` with the required counts, or None if it says nothing.

    The total is recomputed when it is missing or is not the sum; details and unknown fields survive. Embeddings have
    no `completion_tokens` (`completion=False`).
    """
    if not isinstance(usage, dict) or _COUNTS.isdisjoint(usage):
        return None
    prompt = as_count(usage.get("prompt_tokens"), 0)
    generated = as_count(usage.get("completion_tokens"), 0)
    counts: Data = {**usage, "prompt_tokens": prompt}
    if completion:
        counts["completion_tokens"] = generated
    counts["total_tokens"] = prompt + (generated if completion else 0)
    return counts
