"""Looking for an example that breaks something, and in the end for the smallest one that does."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis.strategies import SearchStrategy

from pipeline.testing import watchdog
from pipeline.testing.asking import Unfit

Example = TypeVar("Example")

_HEALTH = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
]
# Explaining a failure runs it many times more; the example that is left is small enough to read.
PHASES = (Phase.generate, Phase.shrink)


class Endless(Exception):
    """An example that does not end. It is told as it is: each smaller one would have to be waited for."""

    def __init__(self, example: Any, reason: str) -> None:
        super().__init__(reason)
        self.example = example


def search(
    strategy: SearchStrategy[Example],
    check: Callable[[Example], None],
    *,
    examples: int,
    from_seed: int,
    phases: Sequence[Phase] = PHASES,
    began: Callable[[Example], None] | None = None,
) -> int:
    """How many examples were fit and tried. Raises what `check` raised for the smallest one, or `Endless` for one that
    does not end; the same seed finds it again.

    `began` is told of each example before it is tried, by somebody who watches from outside. Without it the watching is
    done here, as well as that can be.
    """
    with ExitStack() as watched:
        # What is there stays; to look through it for garbage again and again is a tenth of the time of an example.
        gc.freeze()
        watched.callback(gc.unfreeze)
        beat = watched.enter_context(watchdog.interrupting(watchdog.SECONDS)) if began is None else None
        endless: list[Endless] = []
        fit = 0

        def trial(example: Example) -> None:
            if beat is not None:
                beat()
            if began is not None:
                began(example)
            nonlocal fit
            try:
                check(example)
                fit += 1
            except Unfit:
                reject()
            except watchdog.Blocked as error:
                endless.append(Endless(example, str(error)))
                raise

        tried: Any = given(strategy)(trial)
        tried = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=_HEALTH,
            report_multiple_bugs=False,
        )(tried)
        try:
            run: Callable[[], None] = seed(from_seed)(tried)
            run()
        except watchdog.Blocked as error:
            if not endless:
                raise  # it was making an example
            raise endless[-1] from error
        return fit
