"""What comes from further in: events, bytes of a dialect and where reads cut them, faults and when they strike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from pipeline.events import Data
from pipeline.testing.scenario import BODY_TROUBLES, HEAD_TROUBLES, Answer, Fault, Scenario
from pipeline.testing.strategies.texts import kept, texts, words_of
from pipeline.testing.subject import Subject

_CARD = {"id": "a", "created": 0, "owned_by": "", "extra": {}, "dialect": ""}
_OTHER: dict[str, Data] = {
    "models.list": {"models": [_CARD]},
    "models.show": {"model": _CARD},
    "models.running": {"models": []},
    "version": {"version": "1.2.3"},
    "alive": {},
}
_STREAMED = ("chat", "completion")

splits: st.SearchStrategy[tuple[int, ...]] = st.lists(st.integers(1, 400), max_size=6, unique=True).map(
    lambda places: tuple(sorted(places))
)
"""Where reads cut the bytes of an answer; places behind its end cut nothing."""


@kept
def faults(*, head: bool = True, body: bool = True) -> st.SearchStrategy[Fault]:
    """What may go wrong, and after how many pieces or bytes."""
    troubles = [*(HEAD_TROUBLES if head else ()), *(BODY_TROUBLES if body else ())]
    return st.builds(Fault, st.sampled_from(troubles), st.integers(0, 6))


_EITHER = st.booleans()
_ANY_TROUBLE = st.none() | faults()


@kept
def _pieces(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(text, max_size=4)


@st.composite
def events(draw: st.DrawFn, operation: str, text: st.SearchStrategy[str]) -> tuple[Data, ...]:
    """The data of neutral events, a complete answer without its end marker."""
    if operation not in _STREAMED:
        return (_OTHER.get(operation, {"data": [{"index": 0, "embedding": [0.5]}]}),)
    told = [said(operation, piece) for piece in draw(_pieces(text))]
    told.append({**said(operation, ""), "choices": [{**said(operation, "")["choices"][0], "finish_reason": "stop"}]})
    if draw(_EITHER):
        told.append({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": len(told)}})
    return tuple(told)


def said(operation: str, text: str, *, finish: str | None = None) -> Data:
    """The data of an event that says `text`."""
    if operation == "completion":
        return {"choices": [{"index": 0, "text": text, "finish_reason": finish}]}
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def spoken(scenario: Scenario) -> tuple[Data, ...]:
    """Every word of the settings, each an event, the last one halved: to be said before what was drawn.

    Examples that are drawn are alike in short runs, so a law about words does not wait for them.
    """
    words = words_of(scenario.settings)
    halves = [half for word in words[-1:] for half in (word[: len(word) // 2], word[len(word) // 2 :]) if half]
    return tuple(said(scenario.ask.operation, text) for text in [*words, *halves])


_one_of = kept(st.sampled_from)


@st.composite
def answers(
    draw: st.DrawFn,
    subject: Subject,
    operation: str,
    dialects: Sequence[str],
    settings: Any = None,
    fault: st.SearchStrategy[Fault | None] | None = None,
) -> Answer:
    """Neutral, or the bytes of one of `dialects`; a terminal is always answered in bytes."""
    trouble = draw(fault if fault is not None else _ANY_TROUBLE)
    in_bytes = operation in (*_STREAMED, "embedding") and bool(dialects)
    if in_bytes and (subject.spec.terminal or draw(_EITHER)):
        dialect = draw(_one_of(tuple(dialects)))
        if operation in _STREAMED:
            items = draw(subject.drawn("streams", dialect, operation))
        else:
            items = [draw(subject.drawn("answers", dialect, operation))]
        return Answer(operation, tuple(items), dialect, draw(splits), trouble)
    return Answer(operation, draw(events(operation, texts(subject, settings))), "", (), trouble)
