"""Why an answer ended: Ollama's `done_reason` and the neutral words (protocol.md 3.2, 3.4)."""

from __future__ import annotations

from typing import Any

from pipeline import UpstreamInterrupted

# `load` and `unload` are how a request without a prompt is answered. `content_filter` is not Ollama's own: a gateway
# like this one says it, and as a stop it would hide that something was cut out.
_READ = {"length": "length", "content_filter": "content_filter", "load": "load", "unload": "unload"}
_WRITTEN = _READ.keys()
UNTIMED = frozenset({"load", "unload"})
"""Words of an answer that nothing was generated for: it has neither durations nor counts."""
_OTHERS_WORDS = {"max_tokens": "length"}


def read(done_reason: Any, *, called: bool) -> str:
    """The neutral word: `length` even after calls, else whether there were calls (law 16)."""
    known = _READ.get(done_reason) if isinstance(done_reason, str) else None
    return known or ("tool_calls" if called else "stop")


def is_own(done_reason: Any) -> bool:
    """Whether the neutral word says less than this did: a word that only some servers know."""
    return isinstance(done_reason, str) and done_reason not in ("", "stop", *_READ)


def neutral(given: str, *, called: bool) -> str:
    """Another dialect's word as one of those that there are. Raises on `error`, which some send without an object."""
    if given == "error":
        raise UpstreamInterrupted("The upstream failed while answering.", work_done="maybe")
    return read(_OTHERS_WORDS.get(given, given), called=called)


def written(word: str, own: Any = None) -> str:
    """The `done_reason` of a neutral word; `own` is what the server said, if `is_own`."""
    if word in _WRITTEN:
        return word
    return own if is_own(own) else "stop"
