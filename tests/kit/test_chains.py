"""The laws of chains: every config that is shipped keeps them, and a stage that breaks one in a chain is found."""

from __future__ import annotations

import asyncio
import json
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
from pipeline.testing import PROFILES, Ask
from pipeline.testing.chains.laws import CHAIN_LAWS
from pipeline.testing.chains.trial import (
    ChainLawBroken,
    ChainTrial,
    chain_trials,
    try_chain_law,
    try_chain_laws,
)
from pipeline.testing.chains.world import ChainScenario, ChainWorld, Config

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


@stage("kit.odd")
class KnowsOneLoop(Odd):
    """C1, on trio."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        asyncio.get_running_loop()
        return await call_next(request)


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
ALIASES = """
version: 1
resources:
  upstreams:
    local: {dialect: ollama, base_url: "http://127.0.0.1:1"}
  catalogues:
    names: {upstreams: [local], aliases: {small: a}}
gateways:
  one:
    use: openai
    with: {upstream: local, catalogue: names, anonymous: true}
"""
MUTANTS = (
    ("C1", RefusesWithSuccess, "on asyncio"),
    ("C1", KnowsOneLoop, "on trio"),
    ("C2", AsksTwice, "on asyncio"),
    ("C3", ForgetsTheBody, "on asyncio"),
    ("C4", ReadsFirst, "on asyncio"),
    ("C5", StreamsOnly, "on asyncio"),
)


def config_with(cls: type[Odd], folder: Path) -> Config:
    path = folder / "odd.yaml"
    path.write_text(CONFIG, "utf-8")
    return Config(path, Registry.default().with_("stage", "kit.odd", cls))


def test_every_law_of_chains_has_a_mutant() -> None:
    assert {law.id for law in CHAIN_LAWS} == {id for id, _, _ in MUTANTS}


@pytest.mark.parametrize(("id", "cls", "where"), MUTANTS)
def test_a_law_of_chains_catches_its_mutant(id: str, cls: type[Odd], where: str, tmp_path: Path) -> None:
    (law,) = (law for law in CHAIN_LAWS if law.id == id)
    with pytest.raises(ChainLawBroken, match=where) as caught:
        try_chain_law(law, config_with(cls, tmp_path), 30, phases=[Phase.generate])
    assert caught.value.scenario.lines()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_catalogue_resolves_as_it_does_when_it_serves(tmp_path: Path) -> None:
    """By its aliases, and by the lists of the scripted upstreams, which it asks in their own words."""
    path = tmp_path / "alias.yaml"
    path.write_text(ALIASES, "utf-8")
    said = {
        ("ollama", "chat"): (
            {
                "model": "b",
                "created_at": "2026-01-02T03:04:05Z",
                "message": {"role": "assistant", "content": "Hi"},
                "done": True,
            },
        )
    }
    for asked, sent in (("small", "a"), ("a", "a"), ("b", "b")):
        ask = Ask("chat", "openai", False, {"model": asked, "messages": [{"role": "user", "content": "Hi"}]})
        world = ChainWorld(Config(path), ChainScenario("one", ask, said))
        async with world.pipeline:
            events, error = await world.exchange()
        assert error is None
        assert events
        assert [json.loads(call.body)["model"] for call in world.calls] == [sent]
        assert all(source.released for source in world.sources)
        assert len(world.sources) > len(world.answers) == 1
