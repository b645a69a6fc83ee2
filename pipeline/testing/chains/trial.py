"""Trying the laws of chains on a config file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from hypothesis import Phase, given, reject, seed, settings
from hypothesis import strategies as st

from pipeline.testing.asking import Unfit
from pipeline.testing.chains.laws import CHAIN_LAWS, Again, ChainLaw
from pipeline.testing.chains.world import ChainScenario, Config, chain_scenarios
from pipeline.testing.kit_host import captured
from pipeline.testing.law import SECONDS
from pipeline.testing.trial import HEALTH, PHASES, PROFILES


class ChainLawBroken(AssertionError):
    """A config breaks a law, with the example that shows it."""

    def __init__(self, law: ChainLaw, scenario: ChainScenario, reason: str) -> None:
        super().__init__(f"{law.id} {law.title}: {reason}\n" + "\n".join(scenario.lines()))
        self.reason = reason
        self.scenario = scenario


@dataclass(frozen=True)
class ChainTrial:
    """One law on one config file; shaped like a `Trial`."""

    law: ChainLaw
    config: Config

    @property
    def name(self) -> str:
        return f"{self.kind}::{self.law.id} {self.law.title}"

    @property
    def kind(self) -> str:
        return self.config.path.name

    @property
    def law_id(self) -> str:
        return self.law.id

    def spared(self) -> str:
        return ""

    def run(self, *, profile: str = "ci", seed: int = 0) -> None:
        try_chain_law(self.law, self.config, PROFILES[profile].on_loops, from_seed=seed)

    def told(self, error: BaseException, *, seed: int) -> str | None:
        if not isinstance(error, ChainLawBroken):
            return None
        again = f"pytest --gatewright-config {self.config.path} --gatewright-law {self.law.id} --gatewright-seed {seed}"
        return f"{error}\n\nAgain: {again}"


def chain_trials(path: str | Path) -> list[ChainTrial]:
    """Raises `ConfigError` for a file that cannot be built even so."""
    config = Config(Path(path))
    config.faces()
    return [ChainTrial(law, config) for law in CHAIN_LAWS]


def try_chain_law(
    law: ChainLaw, config: Config, examples: int, *, from_seed: int = 0, phases: Sequence[Phase] = PHASES
) -> None:
    """Raises `ChainLawBroken` with the smallest example found, `ConfigError` for a config that cannot be built."""
    faces = [face for face in config.faces() if face[1] in config.subject.dialects]
    fault: st.SearchStrategy[Any] | None = st.none() if law.healthy else None

    def trial(scenario: ChainScenario) -> None:
        try:
            # What the engine logs of planned failures is no news.
            with captured([]):
                anyio.run(_checked, law, Again(config, scenario))
        except Unfit:
            reject()
        except TimeoutError as error:
            raise ChainLawBroken(law, scenario, f"it never returns ({SECONDS:g} s)") from error
        except ChainLawBroken:
            raise
        except Exception as error:
            raise ChainLawBroken(law, scenario, str(error)) from error

    tried: Any = given(chain_scenarios(config, faces, fault=fault))(trial)
    tried = settings(max_examples=examples, deadline=None, database=None, phases=phases, suppress_health_check=HEALTH)(
        tried
    )
    seed(from_seed)(tried)()


async def _checked(law: ChainLaw, example: Again) -> None:
    with anyio.fail_after(SECONDS):
        await law.check(example)
