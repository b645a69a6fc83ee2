"""Resources are built once each, in the order of their needs; a broken one is told once, however many need it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.toy_kinds import Configs, Thing, chain


@pytest.fixture
def configs(tmp_path: Path) -> Configs:
    return Configs(tmp_path)


def upstreams(*entries: str, stages: tuple[str, ...] = ("end",)) -> str:
    resources = "resources:\n  upstreams:\n" + "".join(f"    {entry}\n" for entry in entries)
    return chain(*stages, resources=resources)


def test_each_is_built_once_though_two_need_it(configs: Configs) -> None:
    configs.build(upstreams("a: {needs: c}", "b: {needs: c}", "c: {}", stages=("passes: {needs: c}", "end")))
    assert Thing.log == ["build c", "build a", "build b"]


def test_an_upstream_has_a_catalogue_of_its_own_name(configs: Configs) -> None:
    host = configs.build(upstreams("a: {}")).host
    assert host.resource("catalogues", "a").upstreams == [host.upstream("a")]


def test_that_catalogue_is_built_only_for_who_asks(configs: Configs) -> None:
    """Catalogues ask their upstreams for things in the background; this one nobody wrote down."""
    pipeline = configs.build(upstreams("a: {}"))
    assert [type(owned).__name__ for owned in pipeline._owned] == ["Thing", "End"]


def test_unless_one_is_written(configs: Configs) -> None:
    text = upstreams("a: {}", "b: {}").replace("gateways", "  catalogues: {a: {upstreams: [b]}}\ngateways")
    host = configs.build(text).host
    assert host.resource("catalogues", "a").upstreams == [host.upstream("b")]


def test_an_unused_resource_with_a_mistake_is_a_mistake(configs: Configs) -> None:
    configs.expect(upstreams("a: {}", "b: {size: §0}"), "invalid-value")


def test_a_broken_resource_is_told_once_however_many_need_it(configs: Configs) -> None:
    configs.expect(
        upstreams("a: {size: §13}", "b: {needs: a}", "c: {needs: b}", stages=("passes: {needs: a}", "end: {needs: c}")),
        "unusable",
    )


def test_resources_that_need_each_other_are_told_once_with_the_circle(configs: Configs) -> None:
    (problem,) = configs.expect(upstreams("§a: {needs: b}", "b: {needs: c}", "c: {needs: a}"), "circular")
    assert problem.message.endswith("upstreams.a -> upstreams.b -> upstreams.c -> upstreams.a")


def test_one_that_needs_itself_is_a_circle_too(configs: Configs) -> None:
    configs.expect(upstreams("§a: {needs: a}"), "circular")


def test_an_unknown_kind_is_told_with_the_nearest(configs: Configs) -> None:
    configs.expect(upstreams("a: {kind: §htp}"), "unknown-kind http")


def test_an_unknown_group_is_told_with_the_nearest(configs: Configs) -> None:
    configs.expect(chain("end", resources="resources:\n  §upstream:\n    a: {}\n    b: {}\n"), "unknown-key upstreams")


def test_an_unknown_need_is_told_where_it_is_written(configs: Configs) -> None:
    configs.expect(upstreams("a: {}", "alpha: {needs: §alpah}"), "unknown-name alpha")


@pytest.mark.parametrize("entry", ["a: {kind: §ghost}", "a: {transport: §ghost}"])
def test_an_import_that_fails_is_a_problem_of_its_line(configs: Configs, entry: str) -> None:
    (problem,) = configs.expect(upstreams(entry), "unloadable")
    assert "cannot be loaded: ModuleNotFoundError" in problem.message


def test_settings_of_a_resource_are_checked_like_a_stage_s(configs: Configs) -> None:
    configs.expect(upstreams("a: {§siez: 1}", "b: {size: §many}"), "unknown-key size", "invalid-value")
