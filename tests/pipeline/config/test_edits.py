"""Edits to a chain, by stage id and in order: what each does, and where each fault is reported (at each `§`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.config import plain

if TYPE_CHECKING:
    from tests.pipeline.config.conftest import Workspace


def config(*edits: str, chain: str = "[a, {id: bee, b: {x: 1, y: {z: 2}}}, c]") -> str:
    """A config whose chain is edited, one edit a line."""
    lines = "".join(f"      - {edit}\n" for edit in edits)
    return f"version: 1\ngateways:\n  edge:\n    dialect: x\n    mount: /v1\n    chain: {chain}\n    edit:\n{lines}"


EDITS: dict[str, tuple[list[str], list[str]]] = {
    "none": ([], ["a", "bee", "c"]),
    "insert before the first": (["insert_before: {at: a, stage: n}"], ["n", "a", "bee", "c"]),
    "insert before": (["insert_before: {at: bee, stage: {n: {k: 1}}}"], ["a", "n", "bee", "c"]),
    "insert after": (["insert_after: {at: bee, stage: {id: new, n: }}"], ["a", "bee", "new", "c"]),
    "insert after the last": (["insert_after: {at: c, stage: n}"], ["a", "bee", "c", "n"]),
    "replace": (["replace: {at: bee, stage: n}"], ["a", "n", "c"]),
    "replace by the same id": (["replace: {at: bee, stage: {id: bee, n: }}"], ["a", "bee", "c"]),
    "remove": (["remove: bee"], ["a", "c"]),
    "set": (["set: {bee: {x: 2}}"], ["a", "bee", "c"]),
    "in order": (
        ["insert_after: {at: c, stage: n}", "insert_after: {at: n, stage: m}", "remove: n", "remove: c"],
        ["a", "bee", "m"],
    ),
    "an id is free again once removed": (["remove: a", "insert_after: {at: c, stage: a}"], ["bee", "c", "a"]),
}


@pytest.mark.parametrize(("edits", "ids"), EDITS.values(), ids=EDITS)
def test_edit(workspace: Workspace, edits: list[str], ids: list[str]) -> None:
    chain = workspace.load(config(*edits)).gateways[0].chain
    assert [stage.id for stage in chain] == ids


@pytest.mark.parametrize(
    ("edits", "settings"),
    [
        (["set: {bee: {x: 2}}"], {"x": 2, "y": {"z": 2}}),
        (["set: {bee: {new: [1]}}"], {"x": 1, "y": {"z": 2}, "new": [1]}),
        (["set: {bee: {y: {w: 3}}}"], {"x": 1, "y": {"w": 3}}),
        (["set: {bee: {x: null}}"], {"x": None, "y": {"z": 2}}),
        (["set: {bee: {}}"], {"x": 1, "y": {"z": 2}}),
        (["set: {bee: {x: 2}}", "set: {bee: {x: 3}}"], {"x": 3, "y": {"z": 2}}),
        (["set: {bee: {x: 2}, a: {k: 1}}"], {"x": 2, "y": {"z": 2}}),
        (["replace: {at: bee, stage: {id: bee, n: {k: 1}}}", "set: {bee: {x: 2}}"], {"k": 1, "x": 2}),
    ],
)
def test_set_merges_the_top_level_only(workspace: Workspace, edits: list[str], settings: dict[str, Any]) -> None:
    chain = workspace.load(config(*edits)).gateways[0].chain
    assert plain(chain[1].settings) == settings
    assert chain[1].id == "bee"


def test_values_that_are_set_keep_their_own_place(workspace: Workspace) -> None:
    settings = workspace.load(config("set: {bee: {x: 2}}")).gateways[0].chain[1].settings
    assert isinstance(settings.value, dict)
    assert [(mark.line, mark.column) for mark in (settings.keys["x"], settings.value["x"].mark)] == [(8, 21), (8, 24)]
    assert settings.keys["y"].line == 6


FAULTS: dict[str, tuple[list[str], list[str]]] = {
    "not a mapping": (["§bee"], ["wrong-type"]),
    "no operation": (["§{}"], ["one-key"]),
    "two operations": (["§{remove: a, set: {c: {}}}"], ["one-key"]),
    "unknown operation": (["§append: n"], ["unknown-edit"]),
    "misspelt operation": (["§removes: a"], ["unknown-edit remove"]),
    "misspelt insertion": (["§insert_befor: {at: a, stage: n}"], ["unknown-edit insert_before"]),
    "remove without an id": (["remove:§"], ["wrong-type"]),
    "remove several": (["remove: §[a, c]"], ["wrong-type"]),
    "remove the unknown": (["remove: §zzz"], ["unknown-stage"]),
    "remove the misspelt": (["remove: §be"], ["unknown-stage bee"]),
    "remove twice": (["remove: a", "remove: §a"], ["unknown-stage"]),
    "by kind where there is an id": (["remove: §b"], ["unknown-stage"]),
    "insert at the unknown": (["insert_after: {at: §beee, stage: n}"], ["unknown-stage bee"]),
    "insert nothing": (["insert_after: §{at: a}"], ["missing"]),
    "insert nowhere": (["insert_after: §{stage: n}"], ["missing"]),
    "insert with a misspelt key": (["insert_after: {§att: a, stage: n}"], ["unknown-key at"]),
    "insert as text": (["insert_after: §n"], ["wrong-type"]),
    "insert a bad stage": (["insert_before: {at: a, stage: §N}"], ["invalid-name"]),
    "insert an id there is": (["insert_before: {at: a, stage: §c}"], ["duplicate-stage"]),
    "insert a written id there is": (["insert_before: {at: a, stage: {§id: bee, n: }}"], ["duplicate-stage"]),
    "replace the unknown": (["replace: {at: §zzz, stage: n}"], ["unknown-stage"]),
    "replace by another's id": (["replace: {at: a, stage: §c}"], ["duplicate-stage"]),
    "set as text": (["set: §bee"], ["wrong-type"]),
    "set without values": (["set: {bee: §5}"], ["wrong-type"]),
    "set the unknown": (["set: {§beee: {x: 1}}"], ["unknown-stage bee"]),
    "set nothing in the unknown": (["set: {§beee: {}}"], ["unknown-stage bee"]),
    "each of several": (
        ["set: {§k: {}, a: §1}", "remove: §k", "§zip: k"],
        ["unknown-stage", "wrong-type", "unknown-stage", "unknown-edit"],
    ),
    "a later edit may name a stage put nowhere": (
        ["insert_after: {at: §zzz, stage: n}", "set: {n: {k: 1}}", "remove: n"],
        ["unknown-stage"],
    ),
}


@pytest.mark.parametrize(("edits", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault_is_reported_at_its_place(workspace: Workspace, edits: list[str], expected: list[str]) -> None:
    workspace.expect(config(*edits), expected)


def test_edits_are_a_list(workspace: Workspace) -> None:
    workspace.expect(config().replace("edit:", "edit: §{remove: a}"), ["wrong-type"])


def test_a_broken_chain_hides_no_broken_edit_and_causes_none(workspace: Workspace) -> None:
    workspace.expect(config("remove: lost", "§zip: a", chain="[{id: lost, a: §5}, b]"), ["wrong-type", "unknown-edit"])


def test_what_there_is_is_named(workspace: Workspace) -> None:
    (problem,) = workspace.problems(config("remove: zzz"))
    assert "'a', 'bee', 'c'" in problem.message
    assert problem.path == "gateways.edge.edit[0].remove"
    (problem,) = workspace.problems(config("zip: a"))
    assert "insert_before, insert_after, replace, remove, set" in problem.message
