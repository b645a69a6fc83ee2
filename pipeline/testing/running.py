"""What a test run does with the laws: which are tried on which stages."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from pipeline.host import UnknownName
from pipeline.registry import Registry
from pipeline.testing.chains.laws import CHAIN_LAWS
from pipeline.testing.dialects.laws import DIALECT_LAWS
from pipeline.testing.law import Law
from pipeline.testing.laws import LAWS
from pipeline.testing.scenario import Scenario
from pipeline.testing.subject import Subject
from pipeline.testing.trial import PROFILES, try_law
from pipeline.testing.verdict import Unusable

ALL = "all"
_IDS = (*(law.id for law in LAWS), *(law.id for law in DIALECT_LAWS), *(law.id for law in CHAIN_LAWS))


@dataclass(frozen=True)
class Trial:
    """One law on one stage."""

    law: Law
    subject: Subject

    @property
    def kind(self) -> str:
        return self.subject.kind

    @property
    def law_id(self) -> str:
        return self.law.id

    def spared(self) -> str:
        """Why this stage has nothing to keep of this law; "" where it has."""
        return self.law.spared(self.subject.spec)

    def run(self, *, profile: str = "ci", seed: int = 0, began: Callable[[Scenario], None] | None = None) -> None:
        """Raises `LawBroken` with the smallest example. `began`: see `search`."""
        # Each law and kind looks in places of its own, so one of them alone finds what it found among all.
        own = zlib.crc32(f"{self.kind} {self.law.id}".encode())
        try_law(self.law, self.subject, PROFILES[profile], from_seed=seed ^ own, began=began)


def trials(kinds: Sequence[str], laws: Sequence[str] = (), registry: Registry | None = None) -> list[Trial]:
    """Every law on every kind, or those that are named. Raises `Unusable`."""
    registry = registry if registry is not None else Registry.default()
    return [trial for kind in kinds_of(kinds, registry) for trial in trials_of(kind, laws, registry)]


def trials_of(kind: str, laws: Sequence[str] = (), registry: Registry | None = None) -> Iterator[Trial]:
    """The laws on one kind, which is imported here. Raises `Unusable`."""
    try:
        subject = Subject.of(kind, registry)
    except UnknownName as error:
        raise Unusable(str(error)) from error
    settings = getattr(subject.cls, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
        raise Unusable(f"{kind} is no stage: it has no nested class Settings that derives from StageSettings")
    yield from (Trial(law, subject) for law in LAWS if not laws or law.id in laws)


def kinds_of(kinds: Sequence[str], registry: Registry, group: str = "stage") -> Sequence[str]:
    """The kinds that are meant; none of them is imported. Raises `Unusable` for one that is not registered."""
    known = registry.kinds(group)
    if ALL in kinds:
        return known
    unknown = [kind for kind in kinds if kind not in known]
    if unknown:
        raise Unusable(f"there is no {group} kind named {unknown[0]!r}; there are {', '.join(known)}")
    return kinds


def check_laws(laws: Sequence[str]) -> None:
    """Raises `Unusable` for an id that no law has."""
    unknown = sorted(set(laws) - set(_IDS))
    if unknown:
        raise Unusable(f"there is no law {unknown[0]}; there are {', '.join(_IDS)}")


def read_xfails(path: str | Path) -> dict[tuple[str, str], str]:
    """Known failures by kind and law, each with its reason. Raises `Unusable`, naming the line."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    found: dict[tuple[str, str], str] = {}
    for number, line in enumerate(lines, 1):
        what, _, why = line.partition("#")
        if not what.strip():
            continue
        kind, _, law = what.strip().partition(" ")
        if law.strip() not in _IDS:
            raise Unusable(f"{path}:{number}: write `KIND LAW  # why`; there is no law {law.strip()!r}")
        if not why.strip():
            raise Unusable(f"{path}:{number}: say why, behind a `#`")
        found[kind, law.strip()] = why.strip()
    return found
