"""Edits to a chain, each a one-key mapping, applied in the order they are written and aimed at stage ids.

- insert_before: {at: dispatch, stage: {cache: {size: 100}}}      # and insert_after
- replace: {at: auth, stage: {my_auth: {}}}
- remove: audit
- set: {limit: {limits: [per_key]}}          # shallow: a key's whole value is replaced
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pipeline.config.chains import check_unique, parse_stage
from pipeline.config.document import StageEntry
from pipeline.config.place import Place
from pipeline.config.problems import nearest
from pipeline.config.tree import Node

Chain = list[StageEntry]
Edit = Callable[[Chain], None]


def parse_edits(place: Place) -> list[Edit]:
    """The edits that are well formed. Shape is checked apart from the chain, so a broken chain hides no broken edit."""
    edits: list[Edit] = []
    for item in place.items() or ():
        operations = item.entries()
        if operations is None:
            continue
        if len(operations) != 1:
            item.report("one-key", "an edit is a mapping of one operation")
            continue
        ((name, body),) = operations.items()
        parse = _OPERATIONS.get(name)
        if parse is None:
            message = f"unknown edit {name!r}, an edit is one of {', '.join(_OPERATIONS)}"
            item.report("unknown-edit", message, hint=nearest(name, _OPERATIONS), key=name)
        else:
            edits += parse(body)
    return edits


def _parse_placed(body: Place, *, start: int, stop: int) -> list[Edit]:
    """A stage put over the slice `start:stop` counted from the stage named; inserting is replacing an empty slice."""
    fields = body.fields(required=("at", "stage"))
    if fields is None:
        return []
    target = fields["at"].text() if "at" in fields else None
    stage = parse_stage(fields["stage"]) if "stage" in fields else None
    if target is None or stage is None:
        return []

    def edit(chain: Chain) -> None:
        index = _find(target, chain, fields["at"])
        if index is None:
            chain.append(stage)  # the chain is lost anyway, and a later edit that names this stage is not to blame
            return
        before, after = chain[: index + start], chain[index + stop :]
        if check_unique(stage, before + after, fields["stage"]):
            chain[:] = [*before, stage, *after]

    return [edit]


def _parse_remove(body: Place) -> list[Edit]:
    target = body.text()
    if target is None:
        return []

    def edit(chain: Chain) -> None:
        index = _find(target, chain, body)
        if index is not None:
            del chain[index]

    return [edit]


def _parse_set(body: Place) -> list[Edit]:
    stages = body.entries() or {}
    return [_set(target, values, body) for target, values in stages.items() if values.entries() is not None]


def _set(target: str, values: Place, body: Place) -> Edit:
    def edit(chain: Chain) -> None:
        index = _find(target, chain, body, key=target)
        if index is not None:
            chain[index] = replace(chain[index], settings=_merged(chain[index].settings, values.node))

    return edit


def _merged(old: Node, new: Node) -> Node:
    assert isinstance(old.value, dict)
    assert isinstance(new.value, dict)
    return Node({**old.value, **new.value}, old.mark, {**old.keys, **new.keys})


def _find(target: str, chain: Chain, place: Place, *, key: str | None = None) -> int | None:
    ids = [entry.id for entry in chain]
    if target in ids:
        return ids.index(target)
    message = f"no stage has the id {target!r}; the chain is {', '.join(map(repr, ids))}"
    place.report("unknown-stage", message, hint=nearest(target, ids), key=key)
    return None


_OPERATIONS: dict[str, Callable[[Place], list[Edit]]] = {
    "insert_before": partial(_parse_placed, start=0, stop=0),
    "insert_after": partial(_parse_placed, start=1, stop=1),
    "replace": partial(_parse_placed, start=0, stop=1),
    "remove": _parse_remove,
    "set": _parse_set,
}
