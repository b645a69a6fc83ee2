"""What is said of gatewright alone: its size on disk, its import, two workers beside one."""

from __future__ import annotations

import pytest

from benchmarks.gateway.installed import closure, installed_mb
from benchmarks.gateway.ours import import_cpu_seconds, workers_ratio
from benchmarks.gateway.servers import PINNED


def test_an_installation_is_the_extra_and_all_that_it_requires() -> None:
    server, core = closure("gatewright", "server"), closure("gatewright")
    assert {"gatewright", "pydantic", "pydantic-core", "httptools"} <= core
    assert "uvicorn" not in core
    assert server - core >= {"uvicorn", "uvloop"}
    assert not server & {"rich", "pytest", "hypothesis"}


def test_its_size_is_that_of_its_parts() -> None:
    # uvloop alone is more than 10 MB, and what an extra adds comes on top of what is there without it.
    assert installed_mb("gatewright", "server") - installed_mb("gatewright", "") > 10
    assert installed_mb("gatewright", "") > installed_mb("pydantic-core", "") > 1


def test_the_import_costs_what_a_fresh_interpreter_pays() -> None:
    assert 0.01 < import_cpu_seconds(1) < 30


@pytest.mark.wire
@pytest.mark.skipif(not PINNED, reason="two workers need two cores")
def test_two_workers_are_measured_beside_one() -> None:
    ratio = workers_ratio(rounds=1, seconds=0.3)
    assert ratio is not None
    assert 0.2 < ratio < 5
