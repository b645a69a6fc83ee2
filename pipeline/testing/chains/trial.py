"""Trying the laws of chains on a config file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from hypothesis import Phase
from hypothesis import strategies as st

from pipeline.testing.asking import Unfit
from pipeline.testing.chains.laws import CHAIN_LAWS, Again, ChainLaw
from pipeline.testing.chains.world import ChainScenario, Config, chain_scenarios
from pipeline.testing.kit_host import captured
from pipeline.testing.law import LOOPS
from pipeline.testing.place import waiting
from pipeline.testing.search import PHASES, Endless, search
from pipeline.testing.trial import PROFILES
from pipeline.testing.watchdog import Blocked


class ChainLawBroken(AssertionError):
    """A config breaks a law, with the example that shows it."""

    def __init__(self, law: ChainLaw, scenario: ChainScenario, reason: str, leg: str = "in a chain") -> None:
        super().__init__(f"{law.id} {law.title}, {leg}: {reason}\n" + "\n".join(scenario.lines()))
        self.law = law
        self.reason = reason
        self.scenario = scenario
        self.leg = leg


@dataclass(frozen=True)
class ChainTrial:
    """One law on one config file; shaped like a `Trial`."""

    law: ChainLaw
    config: Config

    @property
    def kind(self) -> str:
        return self.config.path.name

    @property
    def law_id(self) -> str:
        return self.law.id

    def spared(self) -> str:
        return ""

    def run(self, *, profile: str = "ci", seed: int = 0, began: Callable[[ChainScenario], None] | None = None) -> None:
        try_chain_law(self.law, self.config, PROFILES[profile].on_loops, from_seed=seed, began=began)


def chain_trials(path: str | Path) -> list[ChainTrial]:
    """Raises `ConfigError` for a file that cannot be built even so."""
    config = Config(Path(path))
    config.faces()
    return [ChainTrial(law, config) for law in CHAIN_LAWS]


def try_chain_law(
    law: ChainLaw,
    config: Config,
    examples: int,
    *,
    from_seed: int = 0,
    phases: Sequence[Phase] = PHASES,
    began: Callable[[ChainScenario], None] | None = None,
) -> int:
    """On how many examples it held. Raises `ChainLawBroken` with the smallest one that breaks it, `ConfigError` for a
    config that cannot be built.
    """
    return try_chain_laws([law], config, examples, from_seed=from_seed, phases=phases, began=began)


def try_chain_laws(
    laws: Sequence[ChainLaw],
    config: Config,
    examples: int,
    *,
    from_seed: int = 0,
    phases: Sequence[Phase] = PHASES,
    began: Callable[[ChainScenario], None] | None = None,
) -> int:
    """The same for several laws, all on each example. All of them are `healthy` or none is."""
    faces = [face for face in config.faces() if face[1] in config.subject.dialects]
    fault: st.SearchStrategy[Any] | None = st.none() if laws[0].healthy else None
    at = laws[0]

    def check(scenario: ChainScenario) -> None:
        nonlocal at
        for at in laws:
            _hold(at, config, scenario)

    strategy = chain_scenarios(config, faces, fault=fault)
    try:
        return search(strategy, check, examples=examples, from_seed=from_seed, phases=phases, began=began)
    except Endless as error:
        raise ChainLawBroken(at, error.example, str(error)) from error


def _hold(law: ChainLaw, config: Config, scenario: ChainScenario) -> None:
    for loop in LOOPS:
        _hold_on(loop, law, config, scenario)


def _hold_on(loop: str, law: ChainLaw, config: Config, scenario: ChainScenario) -> None:
    try:
        # What the engine logs of planned failures is no news.
        with captured([]):
            anyio.run(_checked, law, Again(config, scenario), backend=loop)
    except (ChainLawBroken, Unfit, Blocked, KeyboardInterrupt):
        raise
    except AssertionError as error:
        raise ChainLawBroken(law, scenario, str(error), f"on {loop}") from error
    except BaseException as error:
        reason = f"it raised {type(error).__name__}: {error}"
        raise ChainLawBroken(law, scenario, reason, f"on {loop}") from error


async def _checked(law: ChainLaw, example: Again) -> None:
    with waiting(law.check(example)) as checked:
        await checked
