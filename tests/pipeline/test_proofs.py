"""A slot must be written before it is read, in the order in which stages nest; a wrong order is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.toy_kinds import Configs, chain


@pytest.fixture
def configs(tmp_path: Path) -> Configs:
    return Configs(tmp_path)


@pytest.mark.parametrize(
    "stages",
    [
        ("writes", "reads", "end"),
        ("writes", "end", "reads"),
        ("end", "reads", "writes"),  # after the terminal the later one is the outer one
        ("hears", "tells", "end"),
        ("hears", "end", "tells"),
        ("end", "tells", "hears"),
    ],
)
def test_a_slot_written_further_out_or_heard_of_further_in_is_there(configs: Configs, stages: tuple[str, ...]) -> None:
    assert len(configs.build(chain(*stages)).gateway().links) == 3


@pytest.mark.parametrize(
    ("stages", "hint"),
    [
        (("§reads", "writes", "end"), "move it after 'writes'"),
        (("end", "writes", "§reads"), "move it after 'writes'"),
        (("passes", "§reads", "end"), "no stage of this chain writes 'fact'"),
        (("tells", "§hears", "end"), "move it before 'tells'"),
        (("end", "§hears", "tells"), "move it before 'tells'"),
        (("§hears", "end"), "no stage of this chain writes 'news'"),
    ],
)
def test_a_slot_read_too_early_is_told_with_the_stage_that_writes_it(
    configs: Configs, stages: tuple[str, ...], hint: str
) -> None:
    (problem,) = configs.expect(chain(*stages), "slot-order")
    reader = "reads" if any("reads" in each for each in stages) else "hears"
    assert f"stage {reader!r} reads the slot" in problem.message
    assert problem.message.endswith(hint)


def test_what_the_engine_writes_is_there_from_the_start(configs: Configs) -> None:
    assert configs.build(chain("jots", "end")).gateway().links[0].kind == "jots"


def test_the_stage_is_named_by_its_id(configs: Configs) -> None:
    (problem,) = configs.expect(chain("{id: mine, §reads: {}}", "end"), "slot-order")
    assert "stage 'mine'" in problem.message
    assert problem.path == "gateways.edge.chain[0]"


def test_both_directions_are_proven_apart_and_told_together(configs: Configs) -> None:
    configs.expect(chain("§reads", "§hears", "end"), "slot-order", "slot-order")
