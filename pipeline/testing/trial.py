"""Trying a law on many examples, and what is found in the end: the smallest one that breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from pipeline.testing import watchdog
from pipeline.testing.asking import Unfit
from pipeline.testing.law import Law, LawBroken, hold
from pipeline.testing.scenario import Scenario
from pipeline.testing.subject import Subject

HEALTH = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
# Explaining a failure runs it many times more; the example that is left is small enough to read.
PHASES = [Phase.generate, Phase.shrink]


@dataclass(frozen=True)
class Profile:
    """How long to look. What runs on the event loops costs more and gets fewer examples."""

    name: str
    examples: int
    on_loops: int


PROFILES = {"ci": Profile("ci", 30, 12), "thorough": Profile("thorough", 2000, 300)}


def try_law(law: Law, subject: Subject, profile: Profile = PROFILES["ci"], *, from_seed: int = 0) -> None:
    """Hold `subject` to `law`. Raises `LawBroken` with the smallest example found; the same seed finds it again.

    A stage that blocks is told with the example at hand: each smaller one would have to be waited for.
    """

    blocked: list[LawBroken] = []

    def trial(scenario: Scenario) -> None:
        try:
            with watchdog.unblocked(watchdog.SECONDS):
                hold(law, subject, scenario)
        except Unfit:
            reject()
        except watchdog.Blocked as error:
            blocked.append(LawBroken(law, subject, scenario, "by itself", str(error)))
            raise

    tried: Any = given(law.scenarios(subject))(trial)
    tried = settings(
        max_examples=profile.on_loops if law.on_loops else profile.examples,
        deadline=None,
        database=None,
        phases=PHASES,
        suppress_health_check=HEALTH,
        report_multiple_bugs=False,
    )(tried)
    try:
        seed(from_seed)(tried)()
    except watchdog.Blocked as error:
        raise blocked[-1] from error
