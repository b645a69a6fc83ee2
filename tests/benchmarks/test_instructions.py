"""The engine's work takes no more instructions than were accepted: a guard that a busy machine does not move.

One run of valgrind, some 25 seconds of CPU. What is compared, and with how much slack, is told in baseline.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.baseline import (
    FILE,
    OTHER_BUILD_SLACK,
    REFERENCE,
    SLACK,
    UNNOTICED_GAIN,
    Counts,
    complaints,
    this_build,
)
from benchmarks.instructions import VALGRIND, count, works

BUILD = {"python": "3.11.7"}
OTHER = {"python": "3.13.0"}
KNOWN = Counts(BUILD, {REFERENCE: 1000, "chain of 6": 200, "paced: forwarded": 300})


def counted(build: Mapping[str, str] = BUILD, **changes: float) -> Counts:
    """The baseline's counts, some of them times a factor."""
    factors = {"reference": 1.0, "chain": 1.0, "paced": 1.0, **changes}
    names = dict(zip(KNOWN.instructions, factors.values(), strict=True))
    return Counts(build, {name: KNOWN.instructions[name] * factor for name, factor in names.items()})


@pytest.mark.timeout(600)
@pytest.mark.skipif(VALGRIND is None, reason="valgrind is not installed; `make setup` does where there is apt-get")
def test_no_work_takes_more_instructions_than_the_baseline_allows() -> None:
    assert complaints(Counts.read(FILE), Counts(this_build(), count())) == []


def test_the_baseline_holds_every_work_that_is_counted() -> None:
    assert Counts.read(FILE).instructions.keys() == works().keys()


@pytest.mark.parametrize("factor", [1 - UNNOTICED_GAIN + 0.001, 1.0, 1 + SLACK - 0.001])
def test_a_count_within_the_slack_is_no_complaint(factor: float) -> None:
    assert complaints(KNOWN, counted(chain=factor)) == []


@pytest.mark.parametrize("factor", [1 + SLACK + 0.001, 1.2, 1 - UNNOTICED_GAIN - 0.001])
def test_one_count_beyond_it_either_way_is_named(factor: float) -> None:
    (complaint,) = complaints(KNOWN, counted(chain=factor))
    assert complaint.startswith(f"chain of 6: {factor - 1:+.1%}")


@pytest.mark.parametrize("interpreter", [0.8, 1.0, 1.5])
def test_on_another_build_it_is_the_ratio_to_the_reference_that_counts(interpreter: float) -> None:
    """A slower interpreter is nobody's fault; a chain that is a fifth slower beside it is seen all the same."""
    all_slower = {"reference": interpreter, "chain": interpreter, "paced": interpreter}
    assert complaints(KNOWN, counted(OTHER, **all_slower)) == []
    (complaint,) = complaints(KNOWN, counted(OTHER, **all_slower | {"chain": interpreter * 1.2}))
    assert "chain of 6: +20.0%" in complaint
    assert "another build" in complaint


def test_on_another_build_a_gain_may_be_the_interpreter_s_and_is_no_complaint() -> None:
    assert complaints(KNOWN, counted(OTHER, chain=0.5, paced=1 + OTHER_BUILD_SLACK - 0.001)) == []


def test_rows_that_come_or_go_have_to_be_accepted() -> None:
    fewer = Counts(BUILD, {REFERENCE: 1000, "chain of 6": 200})
    assert "--accept" in complaints(KNOWN, fewer)[0]
    assert "--accept" in complaints(fewer, KNOWN)[0]
