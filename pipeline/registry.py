"""Which kinds exist: stages, dialects, transports and resources, from every installed distribution.

Everything comes through the entry-point group `gatewright.stages`, the built-in kinds too. An entry point named
`vendor.name` is one stage class. One whose name ends in `.table` loads a sequence of `Row`s, whose implementations are
still imported on first use only: starting a gateway must not import what its config does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pipeline.host import UnknownKind, UnknownName

GROUP = "gatewright.stages"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind: `group` is stage, dialect, transport or a resource group; `target` is `module:attribute`."""

    group: str
    kind: str
    target: str
    source: str = "built in"

    def load(self) -> Any:
        """Import the implementation. Raises what the import raises."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)


class DuplicateKind(ValueError):
    """Two distributions offer the same kind; neither wins silently."""


class Unloadable(UnknownName):
    """A kind that exists and cannot be imported: third-party code may fail in any way, and is named by its line."""

    code = "unloadable"

    def __init__(self, group: str, kind: str, error: Exception) -> None:
        super().__init__(group, kind, ())
        self.args = (f"{group} {kind!r} cannot be loaded: {type(error).__name__}: {error}",)


class Registry:
    """An immutable value: `with_` and `without` make new ones, which is how tests and sandboxes restrict kinds."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._given: dict[tuple[str, str], Any] = {}
        for row in rows:
            other = self._rows.get((row.group, row.kind))
            if other is not None:
                raise DuplicateKind(f"{row.group} {row.kind!r} is offered by {other.source} and by {row.source}")
            self._rows[row.group, row.kind] = row

    @classmethod
    def default(cls) -> Registry:
        """Every kind that an installed distribution offers. Raises `DuplicateKind` naming both sources."""
        return cls(row for point in entry_points(group=GROUP) for row in _rows_of(point))

    def with_(self, group: str, kind: str, implementation: Any) -> Registry:
        """This registry plus one implementation, replacing any of that name."""
        new = Registry(row for key, row in self._rows.items() if key != (group, kind))
        new._rows[group, kind] = Row(group, kind, "", "given")
        new._given = {**self._given, (group, kind): implementation}
        return new

    def without(self, group: str, kind: str) -> Registry:
        """This registry less one kind."""
        new = Registry(row for key, row in self._rows.items() if key != (group, kind))
        new._given = {key: value for key, value in self._given.items() if key != (group, kind)}
        return new

    def load(self, group: str, kind: str) -> Any:
        """The implementation. Raises `UnknownKind` with what there is, or `Unloadable` with what its import raised."""
        row = self._rows.get((group, kind))
        if row is None:
            raise UnknownKind(f"{group} kind", kind, self.kinds(group))
        given = self._given.get((group, kind))
        if given is not None:
            return given
        try:
            return row.load()
        except Exception as error:
            raise Unloadable(group, kind, error) from error

    def kinds(self, group: str) -> list[str]:
        """The kinds of a group, sorted."""
        return sorted(kind for of, kind in self._rows if of == group)

    def groups(self) -> list[str]:
        return sorted({group for group, _ in self._rows})

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())


def _rows_of(point: EntryPoint) -> Iterator[Row]:
    source = point.dist.name if point.dist is not None else point.value
    if point.name.endswith(".table"):
        for row in point.load():
            yield Row(row.group, row.kind, row.target, source)
    else:
        yield Row("stage", point.name, point.value, source)
