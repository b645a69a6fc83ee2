"""Strategies for answers as Ollama servers write them, whole and line by line (protocol.md 1.4-1.6, 1.10)."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from pipeline import Data
from stages.dialects import conformance_values as values
from stages.dialects.conformance_values import cut

_TIMES = ["2026-01-02T03:04:05.9Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789Z"]
_DURATIONS = {"total_duration": 9_000, "load_duration": 1_000, "prompt_eval_duration": 3_000, "eval_duration": 5_000}


@st.composite
def tokens(draw: st.DrawFn) -> Data:
    """One token; servers leave out `bytes` and alternatives."""

    def entry() -> Data:
        token = draw(values.pieces)
        told: Data = draw(st.sampled_from([{}, {"bytes": list(token.encode())}]))
        return {"token": token, "logprob": draw(values.logarithms), **told}

    alternatives = [entry() for _ in range(draw(st.integers(0, 2)))]
    return {**entry(), **({"top_logprobs": alternatives} if alternatives else {})}


@st.composite
def calls(draw: st.DrawFn) -> list[Data]:
    """Tool calls; older servers have no ids and number all of them 0."""
    called = draw(st.lists(st.tuples(values.names, values.arguments), max_size=3))
    old = draw(st.booleans())
    return [
        {
            **({} if old else {"id": f"call_y{at}"}),
            "function": {"index": 0 if old else at, "name": name, "arguments": given},
        }
        for at, (name, given) in enumerate(called)
    ]


def _ended(draw: st.DrawFn) -> Data:
    """The fields of the last line; a count of 0 is left out."""
    counted = {"prompt_eval_count": draw(values.counts), "eval_count": draw(values.counts)}
    reason: Data = draw(
        st.sampled_from(
            [{"done_reason": "stop"}] * 3 + [{"done_reason": "length"}, {}, {"done_reason": ""}, {"done_reason": "odd"}]
        )
    )
    return {"done": True, **reason, **_DURATIONS, **{key: count for key, count in counted.items() if count}}


@st.composite
def chats(draw: st.DrawFn) -> Data:
    """A whole chat answer."""
    thinking, called = draw(values.texts), draw(calls() | st.just([]))
    message: Data = {"role": "assistant", "content": draw(values.texts)}
    message |= {"thinking": thinking} if thinking else {}
    message |= {"tool_calls": called} if called else {}
    return _answer(draw, {"message": message})


@st.composite
def completions(draw: st.DrawFn) -> Data:
    """A whole answer of `/api/generate`."""
    thinking = draw(values.texts)
    return _answer(draw, {"response": draw(values.texts), **({"thinking": thinking} if thinking else {})})


def _answer(draw: st.DrawFn, said: Data) -> Data:
    logprobs = draw(st.just([]) | st.lists(tokens(), min_size=1, max_size=3))
    head = {"model": "theirs", "created_at": draw(st.sampled_from(_TIMES))}
    return {**head, **said, **({"logprobs": logprobs} if logprobs else {}), **_ended(draw)}


@st.composite
def embeddings(draw: st.DrawFn) -> Data:
    """Unit vectors, as the server makes them."""
    some = st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=4).filter(any)
    vectors = draw(st.lists(some, min_size=1, max_size=4))
    units = [[number / math.hypot(*vector) for number in vector] for vector in vectors]
    used = draw(values.counts)
    return {
        "model": "theirs",
        "embeddings": units,
        "total_duration": 5,
        **({"prompt_eval_count": used} if used else {}),
    }


@st.composite
def streams(draw: st.DrawFn, operation: str) -> list[Data]:
    """A whole answer over lines. The last may carry text, thinking, calls and log-probabilities too (1.10.2)."""
    answer = draw(chats() if operation == "chat" else completions())
    said: Data = answer.get("message", answer)
    text = "content" if operation == "chat" else "response"
    steps: list[Data] = [{"thinking": piece} for piece in cut(draw, said.get("thinking", ""))]
    words: list[Data] = [{text: piece} for piece in cut(draw, said[text])]
    both: bool = draw(st.booleans())
    if steps and words and both:
        steps[-1:] = [steps[-1] | words.pop(0)]  # a line may have both (1.10.4)
    steps += words
    called = said.get("tool_calls", [])
    apart = draw(st.integers(0, len(called)))  # several lines may carry calls (1.10.3)
    steps += [{"tool_calls": part} for part in (called[:apart], called[apart:]) if part]
    on_last: bool = draw(st.booleans())
    last = steps.pop() if steps and on_last else {}
    lines = [_line(operation, step) for step in [*steps, last]]
    _spread(draw, lines, answer.get("logprobs", []))
    head = {"model": "theirs"}
    ended = {key: answer[key] for key in answer if key not in ("message", "response", "thinking", "logprobs", *head)}
    items = [{**head, "created_at": answer["created_at"], **line, "done": False} for line in lines]
    return [*items[:-1], items[-1] | ended]


def _line(operation: str, said: Data) -> Data:
    if operation == "chat":
        return {"message": {"role": "assistant", "content": "", **said}}
    return {"response": "", **said}


def _spread(draw: st.DrawFn, lines: list[Data], logprobs: list[Any]) -> None:
    places = sorted(draw(st.lists(st.integers(0, len(lines) - 1), min_size=len(logprobs), max_size=len(logprobs))))
    for token, place in zip(logprobs, places, strict=True):
        lines[place].setdefault("logprobs", []).append(token)
