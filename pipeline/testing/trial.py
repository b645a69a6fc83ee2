"""Trying a law on many examples, and what is found in the end: the smallest one that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.testing.law import Law, LawBroken, hold
from pipeline.testing.scenario import Scenario
from pipeline.testing.search import Endless, search
from pipeline.testing.subject import Subject


@dataclass(frozen=True)
class Profile:
    """How long to look. What runs on the event loops costs more and may get fewer examples."""

    name: str
    examples: int
    on_loops: int

    def of(self, law: Law) -> int:
        """How many examples of a law."""
        return self.on_loops if law.on_loops else self.examples


PROFILES = {"ci": Profile("ci", 30, 12), "thorough": Profile("thorough", 2000, 2000)}


def try_law(
    law: Law,
    subject: Subject,
    profile: Profile = PROFILES["ci"],
    *,
    from_seed: int = 0,
    began: Callable[[Scenario], None] | None = None,
) -> int:
    """Hold `subject` to `law`, and say on how many examples. Raises `LawBroken` with the smallest one that breaks it;
    the same seed finds it again.

    `began` is told of each example by whoever watches from outside, see `search`.
    """
    return try_laws([law], subject, profile, from_seed=from_seed, began=began)


def try_laws(
    laws: Sequence[Law],
    subject: Subject,
    profile: Profile = PROFILES["ci"],
    *,
    from_seed: int = 0,
    began: Callable[[Scenario], None] | None = None,
) -> int:
    """The same for several laws `alike`, all on each example: making one costs more than trying a law on it."""
    at = laws[0]

    def check(scenario: Scenario) -> None:
        nonlocal at
        for at in laws:
            hold(at, subject, scenario)

    try:
        return search(at.scenarios(subject), check, examples=profile.of(at), from_seed=from_seed, began=began)
    except Endless as error:
        raise LawBroken(at, subject, error.example, "by itself", str(error)) from error


def alike(laws: Sequence[Law], profile: Profile) -> list[list[Law]]:
    """The laws in groups that are tried on equally many examples, made in the same way."""
    groups: dict[object, list[Law]] = {}
    for law in laws:
        groups.setdefault((law.scenarios, profile.of(law)), []).append(law)
    return list(groups.values())
