"""The laws of dialects: every registered one keeps them, and each law catches its mutants."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase

from pipeline import Registry
from pipeline.testing import DIALECT_LAWS, DialectLaw, DialectLawBroken, DialectSubject, DialectTrial, try_dialect_law
from pipeline.testing.dialects.subject import NoConformance
from pipeline.testing.dialects.trial import dialect_trials
from stages.dialects.openai.dialect import OpenAI
from tests.kit.dialect_mutants import DIALECT_MUTANTS

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
REGISTRY = Registry.default()
EVERY = [trial for kind in REGISTRY.kinds("dialect") for trial in dialect_trials(kind, REGISTRY)]
# For the squares of the table beside the one that is a must.
GLANCE = 5
CI = 30


@pytest.mark.parametrize("trial", EVERY, ids=lambda trial: f"{trial.kind}-{trial.law_id}")
def test_an_installed_dialect_keeps_the_law(trial: DialectTrial) -> None:
    assert not trial.spared()
    trial.run(profile=PROFILE)


def breaks(law: DialectLaw, cls: type[OpenAI], examples: int) -> DialectLawBroken | None:
    try:
        try_dialect_law(law, DialectSubject("kit.mutant", cls()), examples, phases=[Phase.generate])
    except DialectLawBroken as broken:
        return broken
    return None


def test_every_law_has_a_mutant() -> None:
    assert {law.id for law in DIALECT_LAWS} == {id for id, _ in DIALECT_MUTANTS}


@pytest.mark.parametrize(("id", "cls"), DIALECT_MUTANTS)
def test_a_law_catches_its_mutant(id: str, cls: type[OpenAI]) -> None:
    (law,) = (law for law in DIALECT_LAWS if law.id == id)
    broken = breaks(law, cls, CI)
    assert broken is not None
    assert broken.law is law
    assert broken.reason


@pytest.mark.thorough
def test_the_table_of_laws_and_mutants(capsys: pytest.CaptureFixture[str]) -> None:
    """Who else notices: a mutant breaks its own law, and others where one mistake is several."""
    rows = []
    for id, cls in DIALECT_MUTANTS:
        caught = [breaks(law, cls, CI if law.id == id else GLANCE) is not None for law in DIALECT_LAWS]
        assert caught[[law.id for law in DIALECT_LAWS].index(id)]
        rows.append(f"{cls.__name__:22}" + "".join(f"{'x' if each else '.':>4}" for each in caught))
    with capsys.disabled():
        print("\n" + " " * 22 + "".join(f"{law.id:>4}" for law in DIALECT_LAWS), *rows, sep="\n")


def test_a_dialect_without_a_conformance_is_told_what_is_missing() -> None:
    class Mute(OpenAI):
        conformance = ""

    with pytest.raises(NoConformance, match="'mute' names no `conformance`"):
        DialectSubject.of("mute", REGISTRY.with_("dialect", "mute", Mute))
