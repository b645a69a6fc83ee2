"""The kit itself: every law catches its mutant, and none of them a stage that is right."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from pipeline import Registry
from pipeline.testing import LAWS, PROFILES, Law, LawBroken, Profile, Subject, alike, law_of, try_law, try_laws
from tests.kit.mutants import MUTANTS, Twin

REGISTRY = Registry.default()
PROFILE = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
# For the squares of the table beside the one that is a must.
GLANCE = Profile("glance", 5, 2)


def breaks(law: Law, cls: type[Twin], profile: Profile) -> LawBroken | None:
    try:
        try_law(law, Subject("kit.twin", cls, REGISTRY), profile)
    except LawBroken as broken:
        return broken
    return None


def test_every_law_has_a_mutant() -> None:
    assert {law.id for law in LAWS} == {id for id, _ in MUTANTS}


@pytest.mark.parametrize("laws", alike(LAWS, PROFILE), ids=lambda laws: "-".join(law.id for law in laws))
def test_no_law_fails_the_correct_stage(laws: Sequence[Law]) -> None:
    tried = try_laws(laws, Subject("kit.twin", Twin, REGISTRY), PROFILE)
    assert tried == PROFILE.of(laws[0])


@pytest.mark.parametrize(("id", "cls"), MUTANTS)
def test_a_law_catches_its_mutant(id: str, cls: type[Twin]) -> None:
    broken = breaks(law_of(id), cls, PROFILES["ci"])
    assert broken is not None
    assert broken.law.id == id
    # The example is the smallest: what does not matter is at its default or plain.
    assert len(repr(broken.scenario)) < 900


@pytest.mark.thorough
def test_the_table_of_laws_and_mutants(capsys: pytest.CaptureFixture[str]) -> None:
    """Who else notices: a mutant breaks its own law, and others where one mistake is several."""
    rows = []
    for id, cls in MUTANTS:
        caught = [breaks(law, cls, PROFILES["ci"] if law.id == id else GLANCE) is not None for law in LAWS]
        assert caught[[law.id for law in LAWS].index(id)]
        rows.append(f"{cls.__name__:22}" + "".join(f"{'x' if each else '.':>4}" for each in caught))
    with capsys.disabled():
        print("\n" + " " * 22 + "".join(f"{law.id:>4}" for law in LAWS), *rows, sep="\n")
