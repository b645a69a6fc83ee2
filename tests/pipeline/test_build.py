"""From a config to a pipeline: every problem at once, at its own line, and nothing started."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import Pipeline, Request, UnknownName
from tests.pipeline.fakes import FakeClock, read
from tests.pipeline.toy_kinds import Configs, Thing, chain


@pytest.fixture
def configs(tmp_path: Path) -> Configs:
    return Configs(tmp_path)


RESOURCES = "resources:\n  upstreams:\n    one: {}\n    two: {needs: one}\n"


async def test_a_config_becomes_a_pipeline_that_answers(configs: Configs) -> None:
    text = chain("passes", "end: {level: 3}", "{id: last, passes: {}}", resources=RESOURCES)
    lines: list[dict[str, object]] = []
    pipeline = configs.build(text, clock=FakeClock(), access=lines.append, max_body_bytes=7)
    gateway = pipeline.gateway()
    assert [(link.id, link.kind) for link in gateway.links] == [
        ("passes", "passes"),
        ("end", "end"),
        ("last", "passes"),
    ]
    assert (gateway.name, gateway.mount, gateway.dialect.name, pipeline.max_body_bytes) == ("edge", "/v1", "line", 7)
    async with pipeline:
        assert await read((await pipeline.handle(Request("chat"))).body) == [b"hi\n"]
    assert [line["outcome"] for line in lines] == ["complete"]


async def test_building_starts_nothing_and_starting_follows_the_needs(configs: Configs) -> None:
    resources = "resources:\n  upstreams:\n    two: {needs: one}\n    one: {}\n"
    pipeline = configs.build(chain("end", resources=resources))
    assert Thing.log == ["build one", "build two"]
    async with pipeline:
        assert Thing.log[2:] == ["start one", "start two"]
    assert Thing.log[4:] == ["stop two", "stop one"]


async def test_stages_start_after_resources_from_the_terminal_outwards(
    configs: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.pipeline import toy_kinds

    async def start(self: toy_kinds.Passive) -> None:
        Thing.log.append(f"start {type(self).__name__}")

    monkeypatch.setattr(toy_kinds.Passive, "start", start, raising=False)
    async with configs.build(chain("writes", "reads", "end", "tells", resources=RESOURCES)):
        started = [line.removeprefix("start ") for line in Thing.log if line.startswith("start")]
    assert started == ["one", "two", "End", "Tells", "Reads", "Writes"]


def test_an_unknown_stage_is_told_with_the_nearest_name(configs: Configs) -> None:
    configs.expect(chain("§pases", "end"), "unknown-kind passes")


def test_an_unknown_dialect_is_told_where_it_is_written(configs: Configs) -> None:
    configs.expect(chain("end", dialect="§lime"), "unknown-kind line")


def test_a_stage_whose_import_fails_is_a_problem_of_its_line(configs: Configs) -> None:
    (problem,) = configs.expect(chain("passes", "§ghost", "end"), "unloadable")
    assert "stage 'ghost' cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'" in str(problem)


def test_so_is_a_dialect_whose_import_fails(configs: Configs) -> None:
    (problem,) = configs.expect(chain("end", dialect="§ghost"), "unloadable")
    assert "dialect 'ghost' cannot be loaded" in problem.message


def test_settings_that_cannot_work_are_marked_at_the_field_to_blame(configs: Configs) -> None:
    configs.expect(
        chain("passes: {level: §13}", "{id: p2, §passes: {level: 14}}", "{id: p3, passes: {level: §-1}}", "end"),
        *("unusable", "unusable", "invalid-value"),
    )


def test_an_unknown_setting_is_told_with_the_nearest_name(configs: Configs) -> None:
    configs.expect(chain("passes: {§levle: 1}", "end"), "unknown-key level")


def test_an_unknown_resource_is_told_where_it_is_asked_for(configs: Configs) -> None:
    configs.expect(chain("passes: {needs: §onee}", "end", resources=RESOURCES), "unknown-name one")


def test_a_chain_needs_exactly_one_terminal(configs: Configs) -> None:
    (none,) = configs.expect(chain("passes").replace("  edge", "  §edge"), "terminal")
    assert "this one has none" in none.message
    (two,) = configs.expect(chain("end", "{id: again, end: {}}").replace("  edge", "  §edge"), "terminal")
    assert "this one has end, end" in two.message


def test_all_problems_are_told_at_once(configs: Configs) -> None:
    configs.expect(
        chain("§pases", "§ghost", "passes: {level: §13}", dialect="§lime"),
        *("unknown-kind line", "unknown-kind passes", "unloadable", "unusable"),
    )


SECOND = "  other:\n    dialect: {}\n    mount: {}\n    chain: [end]\n"


@pytest.mark.parametrize("mount", ["/v2", "/"])
def test_two_gateways_of_one_dialect_have_two_mounts(configs: Configs, mount: str) -> None:
    assert len(configs.build(chain("end") + SECOND.format("line", mount)).gateways) == 2


def test_routes_that_collide_name_both_gateways(configs: Configs) -> None:
    (problem,) = configs.expect(chain("end") + SECOND.format("line", "§/v1"), "mount-collision")
    assert "GET /v1/models/{model} belongs to both 'edge' and 'other'" in problem.message


def test_gateways_whose_routes_differ_may_share_a_mount(configs: Configs) -> None:
    assert set(configs.build(chain("end") + SECOND.format("other", "/v1")).gateways) == {"edge", "other"}


def test_mount_and_face_may_spell_a_path_that_another_gateway_has(configs: Configs) -> None:
    edge = chain("end").replace("mount: /v1", "mount: /\n    faces: {other: /v1}").replace("line", "shy")
    (problem,) = configs.expect(edge + SECOND.format("other", "§/v1"), "mount-collision")
    assert "POST /talk belongs to both 'edge' and 'other'" in problem.message.replace("/v1/talk", "/talk")


def test_two_faces_of_one_gateway_may_not_have_the_same_path(configs: Configs) -> None:
    (problem,) = configs.expect(
        chain("end").replace("mount: /v1", "mount: §/v1\n    faces: {twin: /}"), "mount-collision"
    )
    assert "GET /v1/models/{model} belongs to two of its faces" in problem.message


def test_faces_on_one_path_are_fine_as_long_as_their_routes_differ(configs: Configs) -> None:
    gateway = configs.build(chain("end").replace("mount: /v1", "mount: /v1\n    faces: {other: /}")).gateway()
    assert [(face.dialect.name, face.prefix) for face in gateway.faces] == [("line", ""), ("other", "")]
    assert gateway.dialect.name == "line"


def test_each_of_three_gateways_that_collide_is_told(configs: Configs) -> None:
    third = SECOND.format("line", "§/v1").replace("other:", "third:")
    problems = configs.expect(chain("end") + SECOND.format("line", "§/v1") + third, *["mount-collision"] * 2)
    assert [problem.path for problem in problems] == ["gateways.other.mount", "gateways.third.mount"]


@pytest.mark.parametrize(("written", "code"), [("lime", "unknown-kind line"), ("ghost", "unloadable")])
def test_a_face_s_dialect_that_cannot_be_had_is_told_where_it_is_written(
    configs: Configs, written: str, code: str
) -> None:
    faces = f"faces: {{other: /o, §{written}: /l}}"
    (problem,) = configs.expect(chain("end").replace("mount: /v1", f"mount: /v1\n    {faces}"), code)
    assert problem.path == "gateways.edge.faces"


def test_the_built_in_kinds_are_the_default(tmp_path: Path) -> None:
    path = tmp_path / "echo.yaml"
    path.write_text("version: 1\ngateways:\n  e: {dialect: openai, mount: /v1, chain: [echo]}\n", "utf-8")
    assert Pipeline.from_config(path, environ={}).gateway().links[0].kind == "echo"


def test_resources_are_reached_by_name_through_the_host(configs: Configs) -> None:
    host = configs.build(chain("end", resources=RESOURCES)).host
    assert host.upstream("two").name == "two"
    with pytest.raises(UnknownName, match=r"no entry under resources\.upstreams named 'three'") as caught:
        host.upstream("three")
    assert caught.value.available == ("one", "two")
