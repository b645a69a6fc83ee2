"""Whole examples for a stage: its settings, what is asked, what is answered."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipeline.testing.asking import Unfit
from pipeline.testing.scenario import Answer, Ask, Fault, Scenario
from pipeline.testing.strategies.answers import answers
from pipeline.testing.strategies.asks import asks
from pipeline.testing.strategies.settings import from_settings
from pipeline.testing.strategies.texts import kept
from pipeline.testing.subject import Subject
from pipeline.testing.world import World

_STREAMED = st.sampled_from(["chat", "completion"])
_SEEDS = st.integers(0, 3)


@st.composite
def scenarios(
    draw: st.DrawFn,
    subject: Subject,
    *,
    fault: st.SearchStrategy[Fault | None] | None = None,
    operation: str | None = None,
    crossed: bool = True,
    neutral: bool = False,
    streamed: bool = False,
) -> Scenario:
    """`crossed`: the answer may be in another dialect than the caller's, where that is not the stage's own doing.

    `neutral`: it is never in bytes. `streamed`: only what can be streamed is asked.
    """
    settings = draw(_settings(subject))
    if streamed:
        operation = draw(_STREAMED)
    ask = draw(asks(subject, settings, operation))
    others = sorted(set(subject.dialects) - {ask.dialect}) if crossed and not subject.spec.terminal else []
    dialects = [] if neutral else [ask.dialect, *others]
    answer = draw(answers(subject, ask.operation, dialects, settings, fault))
    return Scenario(settings, ask, answer, draw(_SEEDS))


def streamed(subject: Subject) -> st.SearchStrategy[Scenario]:
    """Nothing goes wrong, and the same could be asked for as a stream and as a whole."""
    return scenarios(subject, fault=st.none(), crossed=False, streamed=True)


def neutrally_streamed(subject: Subject) -> st.SearchStrategy[Scenario]:
    """The same, and what is answered are events and no bytes."""
    return scenarios(subject, fault=st.none(), neutral=True, streamed=True)


@kept
def _settings(subject: Subject) -> st.SearchStrategy[Any]:
    """Those that the stage takes. Found out before the rest is drawn, which costs more than building the stage."""
    own = subject.arrangement.settings
    possible: st.SearchStrategy[Any] = own if own is not None else from_settings(subject.cls.Settings)
    return possible.filter(lambda settings: _works(subject, settings))


def _works(subject: Subject, settings: Any) -> bool:
    """Whether the stage takes these settings. Whatever else its constructor raises is for the laws to tell."""
    scenario = Scenario(settings, Ask(dialect=next(iter(subject.dialects))), Answer())
    try:
        World(subject, scenario).build()
    except Unfit:
        return False
    except Exception:
        return True
    return True
