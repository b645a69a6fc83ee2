"""What a test run does with the laws: which are tried on which stages, and how a broken one is told."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from pipeline.config import ConfigError
from pipeline.host import UnknownName
from pipeline.registry import Registry
from pipeline.testing.chains.laws import CHAIN_LAWS
from pipeline.testing.chains.trial import ChainTrial, chain_trials
from pipeline.testing.law import Law, LawBroken
from pipeline.testing.laws import LAWS
from pipeline.testing.strategies.settings import NoStrategy
from pipeline.testing.subject import Subject
from pipeline.testing.trial import PROFILES, try_law

ALL = "all"
_IDS = (*(law.id for law in LAWS), *(law.id for law in CHAIN_LAWS))


class Unusable(ValueError):
    """What was asked for does not exist: a kind, a law, a line of the file of known failures."""


@dataclass(frozen=True)
class Trial:
    """One law on one stage."""

    law: Law
    subject: Subject

    @property
    def name(self) -> str:
        return f"{self.subject.kind}::{self.law.id} {self.law.title}"

    @property
    def kind(self) -> str:
        return self.subject.kind

    @property
    def law_id(self) -> str:
        return self.law.id

    def spared(self) -> str:
        """Why this stage has nothing to keep of this law; "" where it has."""
        return self.law.spared(self.subject.spec)

    def run(self, *, profile: str = "ci", seed: int = 0) -> None:
        """Raises `LawBroken` with the smallest example."""
        # Each law and kind looks in places of its own, so one of them alone finds what it found among all.
        own = zlib.crc32(f"{self.kind} {self.law.id}".encode())
        try_law(self.law, self.subject, PROFILES[profile], from_seed=seed ^ own)

    def told(self, error: BaseException, *, seed: int) -> str | None:
        """What a reader needs: the law, what happened, the example, how to see it again. None for other errors."""
        if isinstance(error, NoStrategy):
            return str(error)
        if not isinstance(error, LawBroken):
            return None
        replay = f"pytest --gatewright-stage {self.kind} --gatewright-law {self.law.id} --gatewright-seed {seed}"
        return "\n".join(
            [
                f"{self.law.id}  {self.law.title}",
                *(f"    {line}" for line in self.law.text.splitlines()),
                "",
                f"{self.kind} breaks it {error.leg}: {error.reason}",
                "",
                "The smallest example found:",
                *(f"    {line}" for line in error.scenario.lines()),
                "",
                f"Again: {replay}",
            ]
        )


def all_trials(kinds: Sequence[str], configs: Sequence[str], laws: Sequence[str] = ()) -> list[Trial | ChainTrial]:
    """The laws of stages on the kinds, and those of chains on the config files. Raises `Unusable`."""
    unknown = sorted(set(laws) - set(_IDS))
    if unknown:
        raise Unusable(f"there is no law {unknown[0]}; there are {', '.join(_IDS)}")
    found: list[Trial | ChainTrial] = [*trials(kinds, laws)]
    for path in configs:
        try:
            found += [trial for trial in chain_trials(path) if not laws or trial.law_id in laws]
        except ConfigError as error:
            raise Unusable(str(error)) from error
    return found


def trials(kinds: Sequence[str], laws: Sequence[str] = (), registry: Registry | None = None) -> list[Trial]:
    """Every law on every kind, or those that are named. Raises `Unusable`."""
    registry = registry if registry is not None else Registry.default()
    return list(_trials(kinds, laws, registry))


def _trials(kinds: Sequence[str], laws: Sequence[str], registry: Registry) -> Iterator[Trial]:
    for kind in registry.kinds("stage") if ALL in kinds else kinds:
        try:
            subject = Subject.of(kind, registry)
        except UnknownName as error:
            known = f"; there are {', '.join(error.available)}" if error.available else ""
            raise Unusable(f"{error}{known}") from error
        settings = getattr(subject.cls, "Settings", None)
        if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
            raise Unusable(f"{kind} is no stage: it has no nested class Settings that derives from StageSettings")
        yield from (Trial(law, subject) for law in LAWS if not laws or law.id in laws)


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
