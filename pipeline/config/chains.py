"""A chain as it is written: a list of stages, each a kind, its settings and an id.

- {id: auth, authenticate: {keys: [team]}}
- normalise                                    # no settings; the id is the kind
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.config.document import StageEntry
from pipeline.config.place import Place
from pipeline.config.tree import Node

_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_ID = re.compile(r"[a-z][a-z0-9_.-]*")


def parse_chain(place: Place) -> list[StageEntry] | None:
    """The stages of a chain, ids unique; None when any of them is broken, so that edits are not blamed for it."""
    items = place.items()
    if items is None:
        return None
    if not items:
        place.report("invalid-value", "a chain needs at least one stage")
        return None
    chain: list[StageEntry] = []
    for item in items:
        entry = parse_stage(item)
        if entry is not None and check_unique(entry, chain, item):
            chain.append(entry)
    return chain if len(chain) == len(items) else None


def parse_stage(place: Place) -> StageEntry | None:
    """One entry of a chain: a bare kind, or a mapping of one kind to its settings, with or without an `id`."""
    if isinstance(place.node.value, str):
        kind = parse_kind(place)
        return None if kind is None else StageEntry(kind, kind, Node({}, place.node.mark), place.node.mark)
    entries = place.entries()
    if entries is None:
        return None
    given_id = entries.pop("id", None)
    kinds = list(entries)
    if not kinds:
        place.report("one-key", "the kind of the stage is missing")
        return None
    if len(kinds) > 1:
        message = f"{kinds[1]!r} stands beside {kinds[0]!r}: one stage per entry, with its settings indented below it"
        place.report("one-key", message, key=kinds[1])
        return None
    kind = kinds[0]
    mark = place.node.keys[kind]
    if not _KIND.fullmatch(kind):
        place.report("invalid-name", _KIND_FORM, key=kind)
    settings = entries[kind]
    if settings.node.value is not None and settings.entries() is None:
        return None
    node = Node({}, mark) if settings.node.value is None else settings.node
    stage_id = kind if given_id is None or given_id.node.value is None else _parse_id(given_id)
    return None if stage_id is None or not _KIND.fullmatch(kind) else StageEntry(stage_id, kind, node, mark)


def parse_kind(place: Place) -> str | None:
    """The name of a registered kind, of a stage or of a resource."""
    kind = place.text()
    if kind is not None and not _KIND.fullmatch(kind):
        place.report("invalid-name", _KIND_FORM)
        return None
    return kind


_KIND_FORM = "a kind is lower-case words joined by '_', in groups joined by '.'"


def check_unique(entry: StageEntry, others: Iterable[StageEntry], place: Place) -> bool:
    """Report, at the id written in `place`, an entry whose id one of `others` has already."""
    for other in others:
        if other.id == entry.id:
            written = place.node.value
            key = None if not isinstance(written, dict) else "id" if "id" in written else entry.kind
            place.report("duplicate-stage", f"stage id {entry.id!r} is already used at {other.mark}", key=key)
            return False
    return True


def _parse_id(place: Place) -> str | None:
    stage_id = place.text()
    if stage_id is not None and not _ID.fullmatch(stage_id):
        place.report("invalid-name", "a stage id is lower-case letters, digits, '_', '.' and '-'")
        return None
    return stage_id
