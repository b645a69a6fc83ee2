"""Trying the laws of dialects."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import Phase

from pipeline.host import UnknownName
from pipeline.registry import Registry
from pipeline.testing.dialects.examples import DialectExample, bodies
from pipeline.testing.dialects.law import DialectLaw, DialectLawBroken, hold
from pipeline.testing.dialects.laws import DIALECT_LAWS
from pipeline.testing.dialects.subject import DialectSubject, NoConformance
from pipeline.testing.kit_host import captured
from pipeline.testing.search import PHASES, Endless, search
from pipeline.testing.trial import PROFILES
from pipeline.testing.verdict import Unusable


@dataclass(frozen=True)
class DialectTrial:
    """One law on one dialect; shaped like a `Trial`."""

    law: DialectLaw
    subject: DialectSubject

    @property
    def kind(self) -> str:
        return self.subject.kind

    @property
    def law_id(self) -> str:
        return self.law.id

    def spared(self) -> str:
        """Why this dialect has nothing to keep of this law; "" where it has."""
        due = self.subject.operations if self.law.examples is bodies else self.subject.streamed
        return "" if due else "it has no operation that a model answers"

    def run(self, *, profile: str = "ci", seed: int = 0, began: Callable[[DialectExample], None] | None = None) -> None:
        """Raises `DialectLawBroken` with the smallest example. `began`: see `search`."""
        own = zlib.crc32(f"{self.kind} {self.law.id}".encode())
        try_dialect_law(self.law, self.subject, PROFILES[profile].examples, from_seed=seed ^ own, began=began)


def dialect_trials(kind: str, registry: Registry | None = None) -> list[DialectTrial]:
    """The laws on one dialect, which is imported here. Raises `Unusable`."""
    try:
        subject = DialectSubject.of(kind, registry)
    except (UnknownName, NoConformance) as error:
        raise Unusable(str(error)) from error
    return [DialectTrial(law, subject) for law in DIALECT_LAWS]


def try_dialect_law(
    law: DialectLaw,
    subject: DialectSubject,
    examples: int,
    *,
    from_seed: int = 0,
    phases: Sequence[Phase] = PHASES,
    began: Callable[[DialectExample], None] | None = None,
) -> int:
    """On how many examples it held. Raises `DialectLawBroken` with the smallest one that breaks it; the same seed finds
    it again.
    """

    def check(example: DialectExample) -> None:
        # What the engine logs of planned failures is no news.
        with captured([]):
            hold(law, subject, example)

    strategy = law.examples(subject)
    try:
        return search(strategy, check, examples=examples, from_seed=from_seed, phases=phases, began=began)
    except Endless as error:
        raise DialectLawBroken(law, subject, error.example, str(error)) from error
