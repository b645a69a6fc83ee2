"""The named resources of a config, built in the order of their dependencies.

A resource asks the host for what it needs in its constructor, so a catalogue that names an upstream makes that
upstream be built first; a circle is a config problem. Start order is build order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.blame import problem_of
from pipeline.config import Mark, Node, Problem, ResourceEntry, nearest, validate
from pipeline.host import Host, UnknownName
from pipeline.registry import Registry

DEFAULT_KINDS = {"upstreams": "http", "keys": "static", "catalogues": "models"}
"""The kind of an entry that does not say one."""


class BrokenResource(UnknownName):
    """A resource that exists and could not be built; its own problem is already listed."""


class ResourceSet:
    """Builds each declared resource once. An upstream without a catalogue of its own name gets one if it is asked for:
    nobody wrote it down, and one that no chain uses must not ask its upstream for anything.
    """

    def __init__(self, entries: Iterable[ResourceEntry], registry: Registry, problems: list[Problem]) -> None:
        self._entries = {(entry.group, entry.name): entry for entry in entries}
        self._registry = registry
        self._problems = problems
        self._objects: dict[tuple[str, str], Any] = {}
        self._under_way: list[tuple[str, str]] = []
        self._host: Host | None = None
        self._implied = {
            ("catalogues", name): _implied_catalogue(entry)
            for (group, name), entry in self._entries.items()
            if group == "upstreams" and ("catalogues", name) not in self._entries
        }

    @property
    def built(self) -> list[Any]:
        """Everything built, dependencies first."""
        return [thing for thing in self._objects.values() if thing is not None]

    def build_all(self, host: Host) -> None:
        """Build every entry, used or not: an unused one with a mistake is a mistake too."""
        self._host = host
        for group, name in self._entries:
            try:
                self.get(group, name)
            except UnknownName:
                continue

    def get(self, group: str, name: str) -> Any:
        """The resource. Raises `UnknownName` if it does not exist or could not be built."""
        key = (group, name)
        if key not in self._objects:
            entry = self._entries.get(key) or self._implied.get(key)
            if entry is None:
                raise UnknownName(f"entry under resources.{group}", name, self._names(group))
            self._objects[key] = self._build(entry)
        thing = self._objects[key]
        if thing is None:
            raise BrokenResource(f"usable entry under resources.{group}", name, ())
        return thing

    def unknown_groups(self, groups: Mapping[str, Mark]) -> Iterator[Problem]:
        """Groups that no kind belongs to; an empty one does nothing, and that is worth saying too."""
        known = [group for group in self._registry.groups() if group not in ("stage", "dialect", "transport")]
        for group, mark in groups.items():
            if group not in known:
                message = f"there is no resource group {group!r}"
                yield Problem("unknown-key", mark, f"resources.{group}", message, nearest(group, known))

    def _names(self, group: str) -> list[str]:
        return sorted(name for of, name in (*self._entries, *self._implied) if of == group)

    def _build(self, entry: ResourceEntry) -> Any:
        path = f"resources.{entry.group}.{entry.name}"
        key = (entry.group, entry.name)
        if key in self._under_way:
            circle = " -> ".join(f"{group}.{name}" for group, name in [*self._under_way, key])
            return self._problem("circular", entry.mark, path, f"resources need each other: {circle}")
        kind = entry.kind or DEFAULT_KINDS.get(entry.group, "")
        mark = entry.kind_mark or entry.mark
        if not self._registry.kinds(entry.group):
            return None  # an unknown group: reported once, for all its members
        try:
            cls = self._registry.load(entry.group, kind)
        except UnknownName as error:
            return self._problem(error.code, mark, path, str(error), nearest(kind, error.available))
        self._under_way.append(key)
        try:
            settings = validate(entry.settings, cls.Settings, path=path, problems=self._problems)
            return None if settings is None else cls(settings, self._host, entry.name)
        except BrokenResource:
            return None
        except Exception as error:
            self._problems.append(problem_of(error, entry.settings, entry.mark, path))
            return None
        finally:
            self._under_way.pop()

    def _problem(self, code: str, mark: Mark, path: str, message: str, hint: str | None = None) -> None:
        self._problems.append(Problem(code, mark, path, message, hint))


def _implied_catalogue(upstream: ResourceEntry) -> ResourceEntry:
    name = Node(upstream.name, upstream.mark)
    settings = Node({"upstreams": Node([name], upstream.mark)}, upstream.mark)
    return ResourceEntry("catalogues", upstream.name, None, settings, upstream.mark)
