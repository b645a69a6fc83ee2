"""The host that a stage under test is given: every name exists, time is virtual, randomness is seeded, nothing is lost
of what it logs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from random import Random
from types import TracebackType
from typing import Any, Self

from pipeline.clock import Clock
from pipeline.dialect import ParameterRules
from pipeline.host import Host, UnknownName
from pipeline.log import NAME
from pipeline.model_card import ModelCard
from pipeline.registry import Registry
from pipeline.resources import Resolution
from pipeline.testing.points import Points
from pipeline.testing.scripted import ScriptedUpstream
from pipeline.wellknown import Principal, Target

KEY = "kit-key-of-a-caller"
UPSTREAM = "kit"
Resource = Callable[["KitHost", str], Any]


class KitHost(Host):
    """A `Host` whose groups `upstreams`, `keys` and `catalogues` hold something under any name that is asked for.

    `resources` makes those of other groups: `{"limits": lambda host, name: ...}`. `records` is the log: what went
    through `host.log`, and through the standard logger while `capturing()`. A host has no metrics, so none are kept.
    """

    def __init__(
        self,
        upstream: ScriptedUpstream,
        points: Points,
        *,
        clock: Clock,
        registry: Registry,
        seed: int = 0,
        resources: Mapping[str, Resource] | None = None,
    ) -> None:
        self.points = points
        self.records: list[str] = []
        self._made: dict[tuple[str, str], Any] = {}
        self._makers: dict[str, Resource] = {
            "upstreams": lambda host, name: upstream,
            "keys": lambda host, name: KitKeys(),
            "catalogues": lambda host, name: KitCatalogue(host.points),
            **(resources or {}),
        }
        super().__init__(
            resource=self._resource,
            implementation=registry.load,
            clock=clock,
            random_bytes=Random(seed).randbytes,
            log=KitLog(self.records),
        )

    def _resource(self, group: str, name: str) -> Any:
        if group not in self._makers:
            raise UnknownName(f"resource group in the conformance kit ({group}), give one for", name, [*self._makers])
        if (group, name) not in self._made:
            self._made[group, name] = self._makers[group](self, name)
        return self._made[group, name]

    def capturing(self) -> captured:
        """While entered, records of the engine's own logger are kept too."""
        return captured(self.records)


class KitKeys:
    """Implements `pipeline.KeyStore`: knows `KEY`."""

    def check(self, key: str) -> Principal | None:
        return Principal("kit-caller") if key == KEY else None


class KitCatalogue:
    """Implements `pipeline.Catalogue`: every model is served, upstream under its name with `-there` behind it."""

    def __init__(self, points: Points) -> None:
        self._points = points

    async def resolve(self, model: str) -> Resolution:
        await self._points.at("resolve")
        parameters = ParameterRules({}, {}, frozenset())
        return Resolution(model, (Target(UPSTREAM, f"{model}-there"),), parameters)

    async def models(self, *, fresh: bool = False) -> list[ModelCard]:
        await self._points.at("models")
        return [ModelCard("a"), ModelCard("b", loaded={})]

    def upstreams(self) -> tuple[str, ...]:
        return (UPSTREAM,)

    def changed(self) -> None:
        return None


class KitLog:
    """Stands for a structlog logger: any level is a method, and every line is kept as text."""

    def __init__(self, records: list[str], **bound: Any) -> None:
        self._records = records
        self._bound = bound

    def bind(self, **fields: Any) -> KitLog:
        return KitLog(self._records, **{**self._bound, **fields})

    def __getattr__(self, level: str) -> Callable[..., None]:
        if level.startswith("_"):
            raise AttributeError(level)

        def write(event: str, *args: Any, **fields: Any) -> None:
            self._records.append(f"{level} {event} {args or ''} { {**self._bound, **fields} or '' }".rstrip())

        return write


class captured(logging.Handler):
    """A context in which records of the engine's own logger are kept, and go nowhere else."""

    def __init__(self, records: list[str]) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self._records = records
        self._logger = logging.getLogger(NAME)

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(self.format(record))

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        self._before = self._logger.propagate
        self._logger.propagate = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._logger.propagate = self._before
        self._logger.removeHandler(self)
