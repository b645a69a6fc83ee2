"""Hypothesis strategies for upstream answers as real servers bend them, each with what it truly says.

A `Said` is one choice as the server meant it. `bent_stream` and `bent_whole` write the same choices down with the
habits of real servers: roles repeated or missing, finish reasons empty or in other words, usage in odd places, tool
calls numbered all 0 or without ids, fields missing, extra or null. Tests compare what the client gets with `Said`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

FINISHES = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "eos": "stop",
    "end_turn": "stop",
    "max_tokens": "length",
    "a word nobody knows": "stop",
}
"""What servers say, and what OpenAI calls it."""

texts = st.lists(st.sampled_from(["Hi", " there", "\u2028", "é😀", '"', "\\", "\n\n", "data: x", "[DONE]"]), max_size=4)


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """One choice: its text and reasoning as they were cut, its calls, and the server's word for its end."""

    texts: tuple[str, ...]
    reasoning: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: str = "stop"

    @property
    def reason(self) -> str:
        """The finish reason that a client must see."""
        reason = FINISHES.get(self.finish, self.finish)
        return "tool_calls" if self.calls and reason == "stop" else reason


@dataclass(frozen=True)
class Habits:
    """How a server bends what it says."""

    role: str = "first"
    between: str = "null"
    usage: str = "own"
    calls: str = "right"
    extra: bool = False
    head: str = "full"
    logprobs: str = "none"
    finish_apart: bool = True


@dataclass(frozen=True)
class Answer:
    choices: list[Said]
    habits: Habits
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> tuple[int, int] | None:
        """What the client must be told of usage; None if the server never says."""
        return None if self.habits.usage == "never" else (self.usage["prompt_tokens"], self.usage["completion_tokens"])


@st.composite
def said(draw: st.DrawFn) -> Said:
    names = draw(st.lists(st.sampled_from(["look", "find"]), max_size=3))
    pieces = st.lists(st.sampled_from(['{"q"', ": 1}", "{}", " "]), max_size=3).map(tuple)
    calls = tuple(Call(f"call_{at}", name, draw(pieces)) for at, name in enumerate(names))
    finish = draw(st.sampled_from([*FINISHES, "tool_calls"] if calls else list(FINISHES)))
    return Said(tuple(draw(texts)), tuple(draw(texts)), calls, finish)


habits = st.builds(
    Habits,
    role=st.sampled_from(["first", "every", "never", "null"]),
    between=st.sampled_from(["null", "empty", "missing"]),
    usage=st.sampled_from(["never", "own", "finish", "every", "own spaced null", "early"]),
    calls=st.sampled_from(["right", "all 0", "no ids", "repeated", "one delta", "no types"]),
    extra=st.booleans(),
    head=st.sampled_from(["full", "bare", "null", "changing", "wrong"]),
    logprobs=st.sampled_from(["none", "null", "incomplete"]),
    finish_apart=st.booleans(),
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    choices = draw(st.lists(said(), min_size=1, max_size=3))
    counts = {"prompt_tokens": draw(st.integers(0, 9)), "completion_tokens": draw(st.integers(0, 9))}
    total: dict[str, Any] = draw(st.sampled_from([{}, {"total_tokens": 99}, {"prompt_tokens_details": None}]))
    return Answer(choices, draw(habits), {**counts, **total})


def head(kind: str, at: int, habits: Habits) -> dict[str, Any]:
    """The fields of a chunk or answer beside its choices."""
    extra = {"system_fingerprint": "fp", "timings": {"ms": 1.5}} if habits.extra else {}
    if habits.head == "bare":
        return extra
    if habits.head == "null":
        return {"id": None, "object": None, "created": None, "model": None, "system_fingerprint": None, **extra}
    if habits.head == "wrong":
        return {"id": 5, "object": "x", "created": "now", "model": ["m"], **extra}
    number = at if habits.head == "changing" else 0
    return {"id": f"up-{number}", "object": kind, "created": 1_600_000_000 + number, "model": "theirs", **extra}


def logprobs(habits: Habits, token: str) -> dict[str, Any]:
    """The field as the server writes it; tokens lack what servers forget."""
    if habits.logprobs == "none":
        return {}
    if habits.logprobs == "null":
        return {"logprobs": None}
    return {"logprobs": {"content": [{"token": token, "logprob": None, "top_logprobs": [{"token": "b"}]}, {}]}}
