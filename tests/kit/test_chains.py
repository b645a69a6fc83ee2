"""The laws of chains: every config that is shipped keeps them, and a stage that breaks one in a chain is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import Phase

from pipeline import (
    END,
    Body,
    Event,
    EventKind,
    Handler,
    Host,
    InvalidRequest,
    Registry,
    Request,
    Response,
    StageSettings,
    stage,
)
from pipeline.testing import PROFILES
from pipeline.testing.chains.laws import CHAIN_LAWS, ChainLaw
from pipeline.testing.chains.trial import (
    ChainLawBroken,
    ChainTrial,
    chain_trials,
    try_chain_law,
    try_chain_laws,
)
from pipeline.testing.chains.world import Config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = [ROOT / "configs" / "quickstart.yaml", *sorted((ROOT / "configs" / "examples").glob("*.yaml"))]


EVERY = [trial for path in CONFIGS for trial in chain_trials(path)]


@pytest.mark.parametrize("trial", EVERY, ids=lambda trial: f"{trial.kind}-{trial.law_id}")
def test_a_shipped_config_keeps_the_law(trial: ChainTrial) -> None:
    trial.run()


BUNDLE = """
version: 1
resources:
  upstreams:
    local: {{dialect: {name}, base_url: "http://127.0.0.1:1/v1"}}
  keys:
    team: {{keys: [{{id: demo, key: "${{env:KEY}}"}}]}}
gateways:
  one:
    use: {name}
    with: {{upstream: local, keys: [team]}}
"""


@pytest.mark.thorough
@pytest.mark.parametrize("healthy", [True, False])
@pytest.mark.parametrize("name", ["openai", "ollama"])
def test_a_bundle_keeps_the_laws(name: str, healthy: bool, tmp_path: Path) -> None:
    path = tmp_path / "bundle.yaml"
    path.write_text(BUNDLE.format(name=name), "utf-8")
    laws = [law for law in CHAIN_LAWS if law.healthy is healthy]
    examples = PROFILES["thorough"].on_loops
    assert try_chain_laws(laws, Config(path), examples) == examples


class Odd:
    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        pass


@stage("kit.odd")
class RefusesWithSuccess(Odd):
    """C1: an error that no caller would take for one."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        raise InvalidRequest("no", status=200)


@stage("kit.odd", calls_next="many")
class AsksTwice(Odd):
    """C2."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        await (await call_next(request)).body.aclose()
        return await call_next(request)


@stage("kit.odd")
class ForgetsTheBody(Odd):
    """C3."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        return Response(Body.of([Event({"choices": []}), END]), slots=response.slots)


@stage("kit.odd")
class ReadsFirst(Odd):
    """C4."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        return Response(Body.of([event async for event in response.body]), slots=response.slots)


@stage("kit.odd")
class StreamsOnly(Odd):
    """C5."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        if request.stream:
            response.body.map(lambda event: event.map_text(lambda index, text: "x") if _said(event) else event)
        return response


def _said(event: Event) -> bool:
    return event.kind is EventKind.DATA and bool(event.text)


CONFIG = """
version: 1
resources:
  upstreams:
    local: {dialect: openai, base_url: "http://127.0.0.1:1/v1"}
gateways:
  odd:
    dialect: openai
    mount: /v1
    chain:
      - authenticate: {anonymous: true}
      - map_model: {catalogue: local}
      - kit.odd: {}
      - transform: {}
      - dispatch: {}
      - normalise: {}
"""
MUTANTS = {"C1": RefusesWithSuccess, "C2": AsksTwice, "C3": ForgetsTheBody, "C4": ReadsFirst, "C5": StreamsOnly}


@pytest.mark.parametrize("law", CHAIN_LAWS, ids=str)
def test_a_law_of_chains_catches_its_mutant(law: ChainLaw, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(CONFIG, "utf-8")
    config = Config(path, Registry.default().with_("stage", "kit.odd", MUTANTS[law.id]))
    with pytest.raises(ChainLawBroken) as caught:
        try_chain_law(law, config, 30, phases=[Phase.generate])
    assert caught.value.scenario.lines()
