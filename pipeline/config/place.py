"""A place in the tree under inspection: asks for the shape it expects and reports, with a mark, what it finds instead.

Every question answers None after reporting, so a caller skips what depends on the answer and goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.config.problems import Problem, nearest
from pipeline.config.tree import Node, Unresolved, dotted


@dataclass(frozen=True, slots=True)
class Place:
    """One node, where it stands in its file, and the list its problems go to."""

    node: Node
    loc: tuple[str | int, ...]
    problems: list[Problem] = field(repr=False)

    def report(self, code: str, message: str, *, hint: str | None = None, key: str | None = None) -> None:
        """Report this value or, with `key`, one entry of this mapping: at the key if written, else at the mapping."""
        mark, loc = self.node.mark, self.loc
        if key is not None:
            mark, loc = self.node.keys.get(key, mark), (*loc, key)
        self.problems.append(Problem(code, mark, dotted(loc), message, hint))

    @property
    def unresolved(self) -> bool:
        """Whether the value is missing for a reason already reported."""
        return isinstance(self.node.value, Unresolved)

    def lost(self) -> Node:
        """What to put here when the value cannot be had and the reason has been reported."""
        return Node(Unresolved(), self.node.mark)

    def text(self) -> str | None:
        """The value as text."""
        if isinstance(self.node.value, str):
            return None if self.unresolved else self.node.value
        self._wrong("text")
        return None

    def items(self) -> list[Place] | None:
        """The value as a list."""
        if not isinstance(self.node.value, list):
            self._wrong("a list")
            return None
        return [Place(item, (*self.loc, index), self.problems) for index, item in enumerate(self.node.value)]

    def entries(self) -> dict[str, Place] | None:
        """The value as a mapping with names of the writer's choosing."""
        if not isinstance(self.node.value, dict):
            self._wrong("a mapping")
            return None
        return {key: Place(child, (*self.loc, key), self.problems) for key, child in self.node.value.items()}

    def fields(self, *, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, Place] | None:
        """The value as a mapping with known keys; a key written without a value counts as not written.

        A misspelt required key is one fault, so it is reported as unknown and not also as missing.
        """
        entries = self.entries()
        if entries is None:
            return None
        known = (*required, *optional)
        meant = {key: nearest(key, known) for key in entries if key not in known}
        for key, hint in meant.items():
            self.report("unknown-key", f"unknown key {key!r}", hint=hint, key=key)
        found = {key: child for key, child in entries.items() if key in known and child.node.value is not None}
        self.require(found, [name for name in required if name not in meant.values()])
        return found

    def require(self, found: Iterable[str], names: Iterable[str]) -> None:
        """Report each of `names` that is not among the keys `found`."""
        for name in names:
            if name not in found:
                self.report("missing", f"{name!r} is required", key=name)

    def _wrong(self, expected: str) -> None:
        if not self.unresolved:
            self.report("wrong-type", f"expected {expected}, found {_kind_of(self.node)}")


def _kind_of(node: Node) -> str:
    match node.value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "text"
        case bool():
            return "a boolean"
        case None:
            return "nothing"
        case _:
            return "a number"
