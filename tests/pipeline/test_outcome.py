"""Telling the observers of an ending: outer first, each once, and one that raises silences nobody."""

from __future__ import annotations

import pytest

from pipeline import Outcome, OutcomeKind
from pipeline.outcome import notify

DONE = Outcome(OutcomeKind.COMPLETE)


def test_observers_hear_outer_first_and_get_the_very_outcome() -> None:
    heard: list[tuple[str, Outcome]] = []
    notify([lambda o: heard.append(("inner", o)), lambda o: heard.append(("outer", o))], DONE)
    assert [name for name, _ in heard] == ["outer", "inner"]
    assert all(outcome is DONE for _, outcome in heard)


def test_one_that_raises_is_logged_with_its_cause_and_the_others_still_hear(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Outcome] = []
    error = ValueError("an observer's bug")

    def faulty(outcome: Outcome) -> None:
        raise error

    notify([heard.append, faulty, heard.append], DONE)
    assert heard == [DONE, DONE]
    (record,) = caplog.records
    assert record.name == "gatewright"
    assert "faulty raised while a body ended" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error
