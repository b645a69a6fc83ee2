"""Trying a law on many examples, and what is found in the end: the smallest one that breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from pipeline.testing.asking import Unfit
from pipeline.testing.law import Law, hold
from pipeline.testing.scenario import Scenario
from pipeline.testing.subject import Subject

_HEALTH = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
# Explaining a failure runs it many times more; the example that is left is small enough to read.
_PHASES = [Phase.generate, Phase.shrink]


@dataclass(frozen=True)
class Profile:
    """How long to look. What runs on the event loops costs more and gets fewer examples."""

    name: str
    examples: int
    on_loops: int


PROFILES = {"ci": Profile("ci", 30, 12), "thorough": Profile("thorough", 2000, 300)}


def try_law(law: Law, subject: Subject, profile: Profile = PROFILES["ci"], *, from_seed: int = 0) -> None:
    """Hold `subject` to `law`. Raises `LawBroken` with the smallest example found; the same seed finds it again."""

    def trial(scenario: Scenario) -> None:
        try:
            hold(law, subject, scenario)
        except Unfit:
            reject()

    tried: Any = given(law.scenarios(subject))(trial)
    tried = settings(
        max_examples=profile.on_loops if law.on_loops else profile.examples,
        deadline=None,
        database=None,
        phases=_PHASES,
        suppress_health_check=_HEALTH,
        report_multiple_bugs=False,
    )(tried)
    seed(from_seed)(tried)()
