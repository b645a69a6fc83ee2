"""Whole examples for a stage: its settings, what is asked, what is answered."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.testing.scenario import Fault, Scenario
from pipeline.testing.strategies.answers import answers
from pipeline.testing.strategies.asks import asks
from pipeline.testing.strategies.settings import from_settings
from pipeline.testing.subject import Subject


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
    own = subject.arrangement.settings
    settings = draw(own if own is not None else from_settings(subject.cls.Settings))
    if streamed:
        operation = draw(st.sampled_from(["chat", "completion"]))
    ask = draw(asks(subject, settings, operation))
    others = sorted(set(subject.dialects) - {ask.dialect}) if crossed and not subject.spec.terminal else []
    dialects = [] if neutral else [ask.dialect, *others]
    answer = draw(answers(subject, ask.operation, dialects, settings, fault))
    return Scenario(settings, ask, answer, draw(st.integers(0, 3)))
