"""What is tested: a stage class under its kind, and what its author says of how to test it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from pipeline.conformance import Conformance, conformance_of
from pipeline.dialect import Dialect
from pipeline.registry import Registry
from pipeline.slots import Slot
from pipeline.stage import StageSpec, spec_of
from pipeline.testing.kit_host import Resource

Strategy = Any


@dataclass(frozen=True)
class Arrangement:
    """What the kit cannot know of a stage. All of it is optional.

    A stage names one as `conformance = "module:attribute"`; the module is imported by tests only. `settings` is a
    strategy of settings objects, `texts` of pieces of text that mean something to the stage, `slots` and
    `response_slots` map slots of its own to strategies of their values, `resources` makes resources by group.
    """

    settings: Strategy = None
    texts: Strategy = None
    slots: Mapping[Slot[Any], Strategy] = field(default_factory=dict)
    response_slots: Mapping[Slot[Any], Strategy] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A stage class to be held to the laws."""

    kind: str
    cls: Any
    registry: Registry = field(default_factory=Registry.default, repr=False)

    @classmethod
    def of(cls, kind: str, registry: Registry | None = None) -> Subject:
        """The stage registered as `kind`. Raises what `Registry.load` does."""
        registry = registry if registry is not None else Registry.default()
        return cls(kind, registry.load("stage", kind), registry)

    @cached_property
    def spec(self) -> StageSpec:
        return spec_of(self.cls)

    @cached_property
    def arrangement(self) -> Arrangement:
        named = getattr(self.cls, "conformance", None)
        if named is None:
            return Arrangement()
        if isinstance(named, Arrangement):
            return named
        module, _, attribute = named.partition(":")
        found: Arrangement = getattr(import_module(module), attribute)
        return found

    @cached_property
    def dialects(self) -> dict[str, Dialect]:
        """The installed dialects that bring what the laws need."""
        made = (self.registry.load("dialect", kind)() for kind in self.registry.kinds("dialect"))
        return {dialect.name: dialect for dialect in made if dialect.conformance}

    @cached_property
    def kits(self) -> dict[str, Conformance]:
        return {name: conformance_of(dialect) for name, dialect in self.dialects.items()}

    def drawn(self, what: str, dialect: str, operation: str) -> Strategy:
        """`requests`, `streams` or `answers` of a dialect's conformance, each made once: making one is what costs."""
        key = (what, dialect, operation)
        if key not in self._strategies:
            self._strategies[key] = getattr(self.kits[dialect], what)(operation)
        return self._strategies[key]

    @cached_property
    def _strategies(self) -> dict[tuple[str, str, str], Strategy]:
        return {}
