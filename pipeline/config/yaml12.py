"""YAML text -> a located tree, by a strict and boring subset of YAML 1.2.

Reads parser *events*, not composed nodes: only events still know whether a tag was written out and where an alias
stands. Left out on purpose: tags, merge keys, keys that are not text, several documents, unlimited aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn, Protocol

import yaml
from yaml import events

from pipeline.config.problems import Problem
from pipeline.config.scalars import core_scalar
from pipeline.config.tree import Loc, Mark, Node, Unresolved, children, dotted, walk

MAX_DEPTH = 64
MAX_ALIASED = 1_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Beside what YAML forbids: U+0085, U+2028 and U+2029. YAML 1.2 takes them as text, libyaml as line breaks (it rewrites
# the value and miscounts lines), so they have to be written as escapes.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Position(Protocol):
    line: int
    column: int


class _Stop(Exception):
    """Reading on would only invent problems."""


def parse_yaml(text: str, file: str, problems: list[Problem]) -> Node | None:
    """The one document in `text`, or None when it cannot be read to its end.

    Whatever the grammar allows but this subset does not is reported and stepped over, so the rest is still checked.
    """
    bad = _FORBIDDEN.search(text)
    if bad:
        before = text[: bad.start()]
        mark = Mark(file, before.count("\n") + 1, bad.start() - before.rfind("\n"))
        problems.append(Problem("syntax", mark, "", f"character U+{ord(bad[0]):04X} must be written as an escape"))
        return None
    reader = _Reader(yaml.parse(text, Loader=_LOADER), file, problems)
    try:
        return reader.document()
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        message = ", ".join(part for part in (error.problem, error.context) if part)
        problems.append(Problem("syntax", reader.mark(error.problem_mark or error.context_mark), "", message))
        return None


class _Reader:
    def __init__(self, stream: Iterator[events.Event], file: str, problems: list[Problem]) -> None:
        self._events = stream
        self._file = file
        self._problems = problems
        self._anchors: dict[str, Node | None] = {}  # None while the anchored node is still being read
        self._aliased = 0

    def document(self) -> Node:
        next(self._events)  # stream start
        if isinstance(next(self._events), events.StreamEndEvent):
            return Node(None, Mark(self._file, 1, 1))
        root = self._node(next(self._events), ())
        next(self._events)  # document end
        after = next(self._events)
        if isinstance(after, events.DocumentStartEvent):
            self._report("many-documents", after, (), "a config file is one document; a second one starts here")
        return root

    def mark(self, position: _Position | None) -> Mark:
        return Mark(self._file, position.line + 1, position.column + 1) if position else Mark(self._file)

    def _node(self, event: events.Event, loc: tuple[str | int, ...]) -> Node:
        if len(loc) > MAX_DEPTH:
            self._stop("too-deep", event, loc, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, events.AliasEvent):
            return self._alias(event, loc)
        assert isinstance(event, events.NodeEvent)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        match event:
            case events.MappingStartEvent():
                node = self._mapping(event, loc)
            case events.SequenceStartEvent():
                node = self._sequence(event, loc)
            case _:
                assert isinstance(event, events.ScalarEvent)
                node = self._scalar(event, loc)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: events.ScalarEvent, loc: Loc) -> Node:
        mark = self.mark(event.start_mark)
        if self._tagged(event, loc):
            return Node(Unresolved(), mark)
        if event.style:  # quoted or block: always text
            return Node(event.value, mark)
        try:
            return Node(core_scalar(event.value), mark)
        except ValueError:
            self._report("invalid-value", event, loc, "a number with too many digits")
            return Node(Unresolved(), mark)

    def _sequence(self, event: events.SequenceStartEvent, loc: tuple[str | int, ...]) -> Node:
        self._tagged(event, loc)
        items: list[Node] = []
        while not isinstance(item := next(self._events), events.SequenceEndEvent):
            items.append(self._node(item, (*loc, len(items))))
        return Node(items, self.mark(event.start_mark))

    def _mapping(self, event: events.MappingStartEvent, loc: tuple[str | int, ...]) -> Node:
        self._tagged(event, loc)
        entries: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        while not isinstance(key_event := next(self._events), events.MappingEndEvent):
            key = self._key(key_event, loc)
            value = self._node(next(self._events), (*loc, key if key is not None else "?"))
            if key in keys:
                self._report("duplicate-key", key_event, (*loc, key), f"{key!r} is already set at {keys[key]}")
            elif key is not None:
                entries[key] = value
                keys[key] = self.mark(key_event.start_mark)
        return Node(entries, self.mark(event.start_mark), keys)

    def _key(self, event: events.Event, loc: tuple[str | int, ...]) -> str | None:
        """The key's text; None, after reporting why, for a key whose entry is to be dropped."""
        node = self._node(event, (*loc, "?"))
        if isinstance(event, events.ScalarEvent) and event.value == "<<" and not event.style:
            self._report("merge-key", event, loc, "merge keys ('<<') are not supported: write the entries out")
            return None
        if isinstance(node.value, Unresolved):
            return None
        if not isinstance(node.value, str):
            self._report("non-string-key", event, loc, "a key must be text: put it in quotes")
            return None
        return node.value

    def _alias(self, event: events.AliasEvent, loc: Loc) -> Node:
        if event.anchor not in self._anchors:
            self._report("syntax", event, loc, f"alias to the unknown anchor {event.anchor!r}")
            return Node(Unresolved(), self.mark(event.start_mark))
        node = self._anchors[event.anchor]
        if node is None:
            self._report("recursive-alias", event, loc, f"{event.anchor!r} contains itself")
            return Node(Unresolved(), self.mark(event.start_mark))
        self._aliased += sum(1 for _ in walk(node))
        if self._aliased > MAX_ALIASED:
            self._stop("alias-limit", event, loc, f"aliases expand to more than {MAX_ALIASED} values")
        if len(loc) + _height(node) > MAX_DEPTH:
            self._stop("too-deep", event, loc, f"nested deeper than {MAX_DEPTH} levels")
        return node

    def _tagged(self, event: events.ScalarEvent | events.CollectionStartEvent, loc: Loc) -> bool:
        if event.tag is None:
            return False
        self._report("explicit-tag", event, loc, f"tags are not supported: remove {event.tag!r}")
        return True

    def _report(self, code: str, event: events.Event, loc: Loc, message: str) -> None:
        self._problems.append(Problem(code, self.mark(event.start_mark), dotted(loc), message))

    def _stop(self, code: str, event: events.Event, loc: Loc, message: str) -> NoReturn:
        self._report(code, event, loc, message)
        raise _Stop


def _height(node: Node) -> int:
    return max((1 + _height(child) for child in children(node)), default=0)
