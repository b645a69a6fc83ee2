"""What is tested: a dialect under its kind, with the oracles that it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.conformance import Conformance, conformance_of
from pipeline.dialect import Dialect
from pipeline.registry import Registry
from pipeline.testing.asking import STREAMED

Strategy = Any

GENERATING = ("chat", "completion", "embedding")


class NoConformance(ValueError):
    """A dialect without oracles: nothing is known of its requests and answers."""


@dataclass(frozen=True)
class DialectSubject:
    """A dialect to be held to the laws."""

    kind: str
    dialect: Dialect
    _drawn: dict[tuple[str, str], Strategy] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, kind: str, registry: Registry | None = None) -> DialectSubject:
        """The dialect registered as `kind`. Raises what `Registry.load` does, and `NoConformance`."""
        registry = registry if registry is not None else Registry.default()
        dialect = registry.load("dialect", kind)()
        if not getattr(dialect, "conformance", ""):
            raise NoConformance(f"dialect {kind!r} names no `conformance`: the laws of a dialect are measured by it")
        return cls(kind, dialect)

    @cached_property
    def kit(self) -> Conformance:
        return conformance_of(self.dialect)

    @cached_property
    def operations(self) -> Sequence[str]:
        """What it can be asked that a model answers, in the words of its conformance."""
        known = {route.operation for route in self.dialect.routes}
        return [operation for operation in GENERATING if operation in known]

    @property
    def streamed(self) -> Sequence[str]:
        return [operation for operation in self.operations if operation in STREAMED]

    def drawn(self, what: str, operation: str) -> Strategy:
        """`requests`, `streams` and the like of the conformance, each made once: making one is what costs."""
        key = (what, operation)
        if key not in self._drawn:
            self._drawn[key] = getattr(self.kit, what)(operation)
        return self._drawn[key]
