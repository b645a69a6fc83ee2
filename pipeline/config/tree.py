"""A config file as a tree of values that remember where they were written.

Why not plain dicts: a problem found late (an unknown stage kind, a limit that does not exist) must still point at a
line, and after bundle expansion the values of one gateway come from two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Loc: TypeAlias = Sequence[str | int]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, counted from 1. Formats that keep no positions (TOML) leave `line` and `column` unset."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"


class SecretText(str):
    """Text that came from the environment or from another file, so it may be a secret.

    Its repr is masked, and messages here quote values with `!r` only. The trap: every `str` method gives back ordinary
    text, so test for the marker before deriving anything from the value that a person will read.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Unresolved(str):
    """Stands where a value could not be had. The reason is already a problem, so nobody complains about it again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class Node:
    """One value and where it was written; a mapping also keeps where each of its keys was written.

    Keys have marks of their own because an unknown key must be reported at the key: its value may come from elsewhere
    (an alias, a bundle's parameter).
    """

    value: dict[str, Node] | list[Node] | Scalar
    mark: Mark
    keys: Mapping[str, Mark] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Node({type(self.value).__name__} at {self.mark})"


def plain(node: Node) -> Any:
    """The tree as ordinary Python data. Masked text becomes ordinary text here: do not print the result."""
    match node.value:
        case dict() as entries:
            return {key: plain(child) for key, child in entries.items()}
        case list() as items:
            return [plain(item) for item in items]
        case str() as text:
            return str(text)
        case scalar:
            return scalar


def children(node: Node) -> Iterable[Node]:
    """The nodes directly below this one."""
    match node.value:
        case dict() as entries:
            return entries.values()
        case list() as items:
            return items
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def trace(node: Node, loc: Loc) -> tuple[list[str | int], Node]:
    """Follow `loc` as far as the tree goes: the parts that exist, and the node they lead to.

    Parts that do not exist are stepped over rather than ending the walk, because pydantic puts names of union members
    into its locations and those are nowhere in the file.
    """
    real: list[str | int] = []
    for part in loc:
        match node.value, part:
            case dict() as entries, str() if part in entries:
                node = entries[part]
            case list() as items, int() if 0 <= part < len(items):
                node = items[part]
            case _:
                continue
        real.append(part)
    return real, node


def find(node: Node, loc: Loc, *, key: bool = False) -> Mark:
    """The deepest mark along `loc`; with `key=True` the mark of the last part's key rather than of its value."""
    if key and loc:
        _, parent = trace(node, loc[:-1])
        written = parent.keys.get(str(loc[-1]))
        if written is not None:
            return written
    return trace(node, loc)[1].mark


def dotted(loc: Loc, start: str = "") -> str:
    """A location as a person writes it, `gateways.edge.chain[1].auth`; keys that would be ambiguous are quoted."""
    path = start
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            path += f".{part}" if path else part
        else:
            path += f"[{part!r}]"
    return path
