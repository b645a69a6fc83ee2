"""The parameters of a bundle: what it declares, what one gateway gives, and defaults that may refer to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.config.place import Place
from pipeline.config.problems import Problem, nearest
from pipeline.config.references import References
from pipeline.config.tree import Node, dotted

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter. Without a default it is required; `default: null` is a default."""

    description: str
    default: Place | None


def parse_parameters(place: Place) -> dict[str, Parameter]:
    """The parameters a bundle declares. A broken one counts as having a default, so that its users are not blamed."""
    declared: dict[str, Parameter] = {}
    for name, child in (place.entries() or {}).items():
        if not _NAME.fullmatch(name):
            place.report("invalid-name", "a parameter is lower-case letters, digits and '_'", key=name)
        fields = child.fields(required=("description",), optional=("default",))
        if fields is None:
            declared[name] = Parameter("", Place(child.lost(), child.loc, child.problems))
            continue
        description = fields["description"].text() if "description" in fields else None
        # Not from `fields`, which takes a key without a value for a key not written.
        declared[name] = Parameter(description or "", (child.entries() or {}).get("default"))
    return declared


class Arguments:
    """The value of each parameter for one gateway. Defaults are worked out when first needed, and only then."""

    def __init__(
        self, declared: Mapping[str, Parameter], given: Mapping[str, Node], environ: Mapping[str, str]
    ) -> None:
        self._declared = declared
        self._values = dict(given)
        self._pending: list[str] = []
        self._references = References(environ, self.value)

    def expand(self, place: Place) -> Place:
        """A part of the bundle with all its references resolved."""
        return Place(self._references.expand(place), place.loc, place.problems)

    def value(self, name: str, place: Place) -> Node:
        """What `${with:name}` written at `place` stands for: the argument's own tree, with the marks of its origin."""
        if name in self._values:
            return self._values[name]
        if name not in self._declared:
            place.report("unknown-parameter", f"no parameter {name!r}", hint=nearest(name, self._declared))
        elif name in self._pending:
            cycle = " -> ".join((*self._pending[self._pending.index(name) :], name))
            place.report("parameter-cycle", f"defaults refer to each other: {cycle}")
        elif default := self._declared[name].default:
            self._pending.append(name)
            self._values[name] = self._references.expand(default)
            self._pending.pop()
            return self._values[name]
        return place.lost()


def check_given(declared: Mapping[str, Parameter], given: Place | None, use: Place) -> dict[str, Node]:
    """The arguments written under `with`, after reporting those the bundle does not know and those it lacks.

    A missing one is reported at `use`: there may be no `with` to point at, and the bundle is what asks for it.
    """
    entries = (given.entries() if given else None) or {}
    meant: set[str | None] = set()
    for name in entries:
        if given and name not in declared:
            hint = nearest(name, declared)
            meant.add(hint)
            given.report("unknown-key", f"the bundle has no parameter {name!r}", hint=hint, key=name)
    for name, parameter in declared.items():
        if parameter.default is None and name not in entries and name not in meant:
            path = dotted((*use.loc[:-1], "with", name))
            use.problems.append(
                Problem("missing", use.node.mark, path, f"{name!r} is required: {parameter.description}")
            )
    return {name: child.node for name, child in entries.items()}
