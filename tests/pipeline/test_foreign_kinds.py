"""Somebody else's kind may fail in any way while a config is built: it is a problem of its line, never a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import Handler, Host, Pipeline, Registry, Request, Response, StageSettings, stage
from pipeline.config import ConfigError

STAGE = """\
version: 1
gateways:
  one: {dialect: openai, mount: /v1, chain: [{authenticate: {anonymous: true}}, acme.odd, echo]}
"""
RESOURCE = """\
version: 1
resources:
  keys:
    team: {kind: odd}
gateways:
  one: {dialect: openai, mount: /v1, chain: [{authenticate: {keys: [team]}}, echo]}
"""


class Raises:
    class Settings(StageSettings):
        pass

    def __init__(self, *given: Any) -> None:
        raise ZeroDivisionError("no luck")


class NoSettings:
    def __init__(self, settings: object, host: Host) -> None:
        pass

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)


@pytest.mark.parametrize("kind", [Raises, NoSettings])
@pytest.mark.parametrize(
    ("group", "name", "text", "line"), [("stage", "acme.odd", STAGE, 3), ("keys", "odd", RESOURCE, 4)]
)
def test_it_is_a_problem_at_its_line(tmp_path: Path, kind: type, group: str, name: str, text: str, line: int) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    registry = Registry.default().with_(group, name, stage(name)(kind))
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_config(path, registry=registry)
    (problem,) = caught.value.problems
    assert (problem.code, problem.mark.line) == ("unloadable", line)
    assert ("no luck" if kind is Raises else "Settings") in problem.message
