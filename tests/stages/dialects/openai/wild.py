"""Answers that no server should send: the right keys with any JSON under them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_KEYS = (
    *("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier"),
    *("index", "delta", "message", "text", "logprobs", "finish_reason", "role", "content", "refusal", "tool_calls"),
    *("type", "function", "name", "arguments", "function_call", "token", "logprob", "bytes", "top_logprobs", "tokens"),
    *("prompt_tokens", "completion_tokens", "total_tokens", "data", "embedding", "reasoning_content"),
)
_scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.just(1.5) | st.sampled_from(["", "a", "stop", "\u2028"])
_anything = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=3),
    max_leaves=6,
)


def bent(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly `right`, sometimes anything."""
    return st.integers(0, 4).flatmap(lambda die: _anything if die == 0 else right)


def _record(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={key: bent(value) for key, value in fields.items()})


_text = st.sampled_from(["", "Hi"])
_function = _record(name=_text, arguments=_text)
_call = _record(index=st.integers(0, 2), id=_text, type=st.just("function"), function=_function)
_delta = _record(role=_text, content=_text, refusal=_text, tool_calls=st.lists(bent(_call), max_size=2))
_token = _record(token=_text, logprob=st.just(-0.5), bytes=st.just([72]), top_logprobs=st.just([]))
_logprobs = _record(content=st.lists(bent(_token), max_size=2), tokens=st.just(["a"]), text_offset=st.just([0]))
_said = _record(
    delta=_delta,
    message=_delta,
    text=_text,
    logprobs=_logprobs,
    finish_reason=st.sampled_from(["stop", "", "tool_calls", None]),
)
# Which choice is meant must be right: clients use the index as a place in a list, and nobody can guess a better one.
_choice = st.builds(lambda said, index: {**said, **index}, _said, st.sampled_from([{}, {"index": 0}, {"index": None}]))
_usage = _record(prompt_tokens=st.just(1), completion_tokens=st.just(2), total_tokens=st.just(3))


def wild_answers() -> st.SearchStrategy[dict[str, Any]]:
    """An object shaped like an answer or a chunk, any part of which may be anything."""
    return _record(
        id=_text,
        created=st.just(5),
        model=_text,
        choices=st.lists(bent(_choice), min_size=1, max_size=2),
        usage=_usage,
        data=st.lists(bent(_record(index=st.just(0), embedding=st.just([0.5]))), max_size=2),
    )
