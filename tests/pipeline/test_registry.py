"""Kinds come through one entry-point group, are imported on first use, and never win silently over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import Registry, Row, UnknownName, registry
from pipeline.registry import DuplicateKind, Unloadable

HERE = "tests.pipeline.test_registry"
TABLE = [Row("stage", "theirs", f"{HERE}:Theirs"), Row("upstreams", "odd", f"{HERE}:Theirs")]


class Theirs:
    """Somebody's stage."""


def point(name: str, value: str, dist: str) -> EntryPoint:
    made = EntryPoint(name, value, registry.GROUP)
    vars(made)["dist"] = SimpleNamespace(name=dist)
    return made


Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Pretend that these entry points, and no others, are installed."""

    def found(*points: EntryPoint) -> None:
        def entry_points(*, group: str) -> Sequence[EntryPoint]:
            return [each for each in points if each.group == group]

        monkeypatch.setattr(registry, "entry_points", entry_points)

    return found


def test_the_default_has_the_built_ins_and_says_where_they_come_from() -> None:
    found = Registry.default()
    assert {"authenticate", "dispatch", "normalise", "echo"} <= set(found.kinds("stage"))
    assert "openai" in found.kinds("dialect")
    assert {"stage", "dialect", "transport", "upstreams", "keys", "catalogues"} <= set(found.groups())
    assert {row.source for row in found} == {"gatewright"}


@pytest.mark.parametrize("row", list(Registry.default()), ids=lambda row: f"{row.group} {row.kind}")
def test_every_built_in_can_be_loaded(row: Row) -> None:
    loaded = Registry.default().load(row.group, row.kind)
    if row.group == "stage":
        assert loaded.spec.kind == row.kind


def test_a_third_party_stage_is_one_entry_point(install: Install) -> None:
    install(point("acme.redact", f"{HERE}:Theirs", "acme-stages"))
    found = Registry.default()
    assert list(found) == [Row("stage", "acme.redact", f"{HERE}:Theirs", "acme-stages")]
    assert found.load("stage", "acme.redact").__name__ == "Theirs"


def test_a_third_party_table_brings_kinds_of_any_group(install: Install) -> None:
    install(point("acme.table", f"{HERE}:TABLE", "acme-stages"))
    found = Registry.default()
    assert (found.kinds("stage"), found.kinds("upstreams")) == (["theirs"], ["odd"])
    assert {row.source for row in found} == {"acme-stages"}


def test_nothing_is_imported_before_it_is_used(install: Install) -> None:
    install(point("acme.ghost", "no_such_module:Ghost", "acme-stages"))
    found = Registry.default()
    assert found.kinds("stage") == ["acme.ghost"]
    with pytest.raises(Unloadable, match=r"stage 'acme.ghost' cannot be loaded: ModuleNotFoundError"):
        found.load("stage", "acme.ghost")


def test_a_missing_attribute_is_told_like_a_missing_module(install: Install) -> None:
    install(point("acme.ghost", f"{HERE}:Ghost", "acme-stages"))
    with pytest.raises(Unloadable, match="AttributeError"):
        Registry.default().load("stage", "acme.ghost")


def test_one_kind_from_two_distributions_names_both(install: Install) -> None:
    install(point("acme.x", f"{HERE}:Theirs", "acme-stages"), point("acme.x", f"{HERE}:TABLE", "rival"))
    with pytest.raises(DuplicateKind, match="offered by acme-stages and by rival"):
        Registry.default()


def test_an_entry_point_of_no_distribution_is_known_by_its_target(install: Install) -> None:
    install(EntryPoint("acme.x", f"{HERE}:Theirs", registry.GROUP))
    assert [row.source for row in Registry.default()] == [f"{HERE}:Theirs"]


def test_the_same_kind_in_two_groups_is_two_kinds() -> None:
    found = Registry([Row("stage", "x", "a:b"), Row("keys", "x", "a:b")])
    assert found.groups() == ["keys", "stage"]


def test_with_and_without_make_new_registries() -> None:
    first = Registry(TABLE)
    more = first.with_("stage", "mine", Theirs).with_("stage", "theirs", int)
    less = more.without("stage", "theirs").without("keys", "absent")
    assert (first.kinds("stage"), more.kinds("stage"), less.kinds("stage")) == (
        ["theirs"],
        ["mine", "theirs"],
        ["mine"],
    )
    assert (more.load("stage", "theirs"), less.load("stage", "mine")) == (int, Theirs)
    assert first.load("stage", "theirs").__name__ == "Theirs"


def test_a_kind_that_was_removed_and_given_again_is_the_new_one() -> None:
    again = Registry(TABLE).with_("stage", "theirs", int).without("stage", "theirs").with_("stage", "theirs", str)
    assert again.load("stage", "theirs") is str


def test_an_unknown_kind_tells_what_there_is_in_its_group() -> None:
    with pytest.raises(UnknownName, match="there is no stage kind named 'their'") as caught:
        Registry(TABLE).load("stage", "their")
    assert (caught.value.name, caught.value.available) == ("their", ("theirs",))


def test_a_loaded_kind_is_what_the_row_names() -> None:
    loaded: Any = Row("stage", "x", "collections.abc:Mapping").load()
    assert loaded.__name__ == "Mapping"
