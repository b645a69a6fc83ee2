"""What the pytest plugin asks for: which laws are tried on what, and what comes of each."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pipeline.config import ConfigError
from pipeline.registry import Registry
from pipeline.testing.chains.laws import CHAIN_LAWS
from pipeline.testing.chains.trial import ChainLawBroken, ChainTrial, chain_trials
from pipeline.testing.dialects.law import DialectLawBroken
from pipeline.testing.dialects.laws import DIALECT_LAWS
from pipeline.testing.dialects.trial import DialectTrial, dialect_trials
from pipeline.testing.law import LawBroken
from pipeline.testing.laws import LAWS
from pipeline.testing.place import place_in
from pipeline.testing.running import Trial, check_laws, kinds_of, read_xfails, trials_of
from pipeline.testing.search import Endless
from pipeline.testing.strategies.settings import NoStrategy
from pipeline.testing.verdict import LAST, SMALLEST, Case, Unusable, Verdict


class Runner:
    """Tries the laws in this process.

    `began` is told of each example by whoever watches from outside, see `search`. There nobody presses Ctrl-C, so that
    a `KeyboardInterrupt` is the stage's own. Without it nobody watches: whoever sits at a debugger may take his time.
    """

    def __init__(self, began: Callable[[Any], None] | None = None) -> None:
        self._watched = began
        self._last: Any = None
        self._trials: dict[tuple[str, str], dict[str, Trial | DialectTrial | ChainTrial]] = {}

    def collect(
        self,
        stages: Sequence[str],
        dialects: Sequence[str],
        configs: Sequence[str],
        laws: Sequence[str],
        xfail: str,
    ) -> list[Case]:
        """What is held to what; nothing of it is imported yet. Raises `Unusable`."""
        check_laws(laws)
        expected = read_xfails(xfail) if xfail else {}
        kinds = kinds_of(stages, Registry.default()) if stages else ()
        spoken = kinds_of(dialects, Registry.default(), "dialect") if dialects else ()
        cases = [Case("stage", kind, law.id, law.title, law.text) for kind in kinds for law in LAWS]
        cases += [Case("dialect", kind, law.id, law.title, law.text) for kind in spoken for law in DIALECT_LAWS]
        cases += [Case("config", path, law.id, law.title, law.text) for path in configs for law in CHAIN_LAWS]
        return [
            replace(case, expected=expected.get((case.kind, case.id), ""))
            for case in cases
            if not laws or case.id in laws
        ]

    def run(self, case: Case, *, profile: str, seed: int) -> Verdict:
        """Try one law. What it is held against is imported for the first of its laws."""
        tell = partial(case.tell, profile=profile, seed=seed)
        self._last = None
        try:
            trial = self._loaded(case)
        except BaseException as error:
            self._pass_on(error)
            return Verdict("stopped", tell(f"{case.name} cannot be tried: {_why(error)}"))
        try:
            if spared := trial.spared():
                return Verdict("spared", spared)
            trial.run(profile=profile, seed=seed, began=self._began)
        except NoStrategy as error:
            return Verdict("stopped", tell(f"{case.name} cannot be tried: {error}"))
        except (LawBroken, DialectLawBroken, ChainLawBroken) as error:
            called = LAST if isinstance(error.__cause__, Endless) else SMALLEST
            what = f"{case.name} breaks it {error.leg}: {error.reason}"
            return Verdict("broken", tell(what, example=error.scenario.lines(), called=called))
        except BaseException as error:
            self._pass_on(error)
            shown = self._last.lines() if self._last is not None else ()
            return Verdict("broken", tell(f"{case.name} breaks it: {_raised(error)}", example=shown, called=LAST))
        return Verdict("kept")

    def _loaded(self, case: Case) -> Trial | DialectTrial | ChainTrial:
        key = (case.on, case.name)
        if key not in self._trials:
            trials: dict[str, Callable[[str], Iterable[Trial | DialectTrial | ChainTrial]]] = {
                "stage": trials_of,
                "dialect": dialect_trials,
                "config": chain_trials,
            }
            self._trials[key] = {trial.law_id: trial for trial in trials[case.on](case.name)}
        return self._trials[key][case.id]

    def _began(self, example: Any) -> None:
        self._last = example
        if self._watched is not None:
            self._watched(example)

    def _pass_on(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt) and self._watched is None:
            raise error


def _raised(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "it raised KeyboardInterrupt, which ends the whole process"
    return "".join(traceback.format_exception(error)).rstrip()


def _why(error: BaseException) -> str:
    """What was raised, and where, unless that is in the engine."""
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    place = place_in(first)
    said = str(error) if isinstance(error, Unusable | ConfigError) else f"{type(error).__name__}: {error}"
    return f"{said}, at {place}" if place else said
