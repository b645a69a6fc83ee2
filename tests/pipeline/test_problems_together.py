"""One look at a config finds everything wrong with it: what reading finds, what building finds, and nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import Pipeline
from pipeline.config import ConfigError, Problem

_FAULTY = """\
version: 1
resources:
  upstreams:
    local: {dialect: openai, base_url: "http://127.0.0.1:1/v1", tiemout: 3}
    ext: {dialect: opnai, base_url: "http://127.0.0.1:2/v1"}
  kees: {}
  keys: {team: {keys: [{id: a, key: short}]}}
gateways:
  one: {use: openai, with: {upstream: lokal, keyz: [team]}}
  two: {dialect: openai, mount: /v2, chain: [normalise, transform, dispatch]}
  five: {dialect: openai, mount: /v5, chain: [ekko, authenticate]}
"""


def problems(tmp_path: Path, text: str, **environ: str) -> list[Problem]:
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_config(path, environ=environ)
    return list(caught.value.problems)


def places(found: list[Problem]) -> list[tuple[str, int | None, int | None]]:
    return [(problem.code, problem.mark.line, problem.mark.column) for problem in found]


def test_reading_and_building_report_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert places(problems(tmp_path, _FAULTY)) == [
        ("unknown-key", 4, 65),
        ("unknown-kind", 5, 20),
        ("unknown-key", 6, 3),
        ("unusable", 7, 23),
        ("unknown-name", 9, 39),
        ("unknown-name", 9, 39),
        ("unknown-key", 9, 46),
        ("slot-order", 10, 57),
        ("slot-order", 10, 68),
        ("unknown-kind", 11, 47),
        ("unusable", 11, 53),
    ]


@pytest.mark.parametrize(
    ("wrong", "meant"), [("tiemout", None), ("opnai", "openai"), ("kees", "keys"), ("lokal", "local"), ("keyz", "keys")]
)
def test_a_misspelt_name_is_shown_with_what_was_meant(tmp_path: Path, wrong: str, meant: str | None) -> None:
    hints = {problem.hint for problem in problems(tmp_path, _FAULTY) if repr(wrong) in problem.message}
    assert hints == {meant}


def test_a_value_that_could_not_be_had_is_reported_once(tmp_path: Path) -> None:
    text = """\
version: 1
resources:
  upstreams:
    local: {dialect: openai, base_url: "${env:NOWHERE}"}
gateways:
  one: {use: openai, with: {upstream: local, anonymous: true}}
"""
    assert places(problems(tmp_path, text)) == [("unset-variable", 4, 40)]


def test_a_resource_of_the_wrong_shape_is_not_also_called_missing(tmp_path: Path) -> None:
    text = """\
version: 1
resources:
  upstreams:
    local: [dialect, openai]
gateways:
  one: {use: openai, with: {upstream: local, anonymous: true}}
"""
    assert places(problems(tmp_path, text)) == [("wrong-type", 4, 12)]


def test_what_a_gateway_lacks_because_of_a_known_problem_is_not_a_second_one(tmp_path: Path) -> None:
    text = """\
version: 1
resources:
  upstreams:
    local: {dialect: openai, base_url: "http://127.0.0.1:1/v1"}
gateways:
  one: {use: openai, with: {upstream: local, anonimous: true}}
"""
    found = problems(tmp_path, text)
    assert places(found) == [("unknown-key", 6, 46)]
    assert found[0].hint == "anonymous"
