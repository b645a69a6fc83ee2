"""Questions about models are answered from the catalogue; everything else passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline import GatewayError, ModelCard, ModelNotFound, Request, UpstreamUnavailable
from stages.dialects.openai.dialect import OpenAI
from tests.stages.dialects.openai.schema import check_model, check_model_list
from tests.stages.discovering import Catalogue, answer, discover, events, targeting
from tests.stages.fakes import Next, never_next

CARDS = [ModelCard("a", 5, "me", {"context": 1}), ModelCard("org/b:7b"), ModelCard("c", 0, "")]
OWN = ModelCard("m:latest", 5, "library", {"x": 1}, ("tools",), 4096, {"size": 1}, "0.9.3", "ollama")


async def openai(operation: str, model: str = "") -> Any:
    request = Request(operation, model=model, dialect="openai")
    response = await discover(Catalogue(*CARDS))(request, never_next)
    response.body.bind(OpenAI().encoder(request))
    return await response.body.collect()


async def test_the_list_is_openais() -> None:
    value = await openai("models.list")
    check_model_list(value)
    assert [model["id"] for model in value["data"]] == ["a", "org/b:7b", "c"]


@pytest.mark.parametrize("card", CARDS)
async def test_law_43_every_listed_model_is_retrievable(card: ModelCard) -> None:
    value = await openai("models.show", card.id)
    check_model(value)
    assert (value["id"], value["created"]) == (card.id, card.created)


@pytest.mark.parametrize("name", ["", "A", "b", "org/b", "a "])
async def test_another_name_is_404(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        await openai("models.show", name)
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")


async def test_a_model_is_shown_under_the_name_that_was_asked_for() -> None:
    catalogue = Catalogue(OWN, names={"M": "m:latest"})
    assert await answer(catalogue, "models.show", "M") == {"model": {**NEUTRAL, "id": "M"}}


async def test_what_is_served_but_not_known_cannot_be_shown() -> None:
    with pytest.raises(ModelNotFound):
        await answer(Catalogue(OWN, names={"M": "unlisted"}), "models.show", "M")


NEUTRAL = {
    "id": "m:latest",
    "created": 5,
    "owned_by": "library",
    "extra": {"x": 1},
    "capabilities": ("tools",),
    "context_length": 4096,
    "loaded": {"size": 1},
    "server_version": "0.9.3",
    "dialect": "ollama",
}


async def test_the_neutral_answer_has_all_that_is_known() -> None:
    assert await answer(Catalogue(OWN), "models.list") == {"models": [NEUTRAL]}


async def test_what_is_in_memory_is_asked_for_now() -> None:
    catalogue = Catalogue(replace(OWN, id="idle", loaded=None), OWN)
    assert await answer(catalogue, "models.running") == {"models": [NEUTRAL]}
    assert catalogue.asked == ["fresh"]
    assert await answer(Catalogue(*CARDS), "models.running") == {"models": []}


@pytest.mark.parametrize(
    ("versions", "told"),
    [
        (["0.12.10", "0.9.3", "0.30.0"], "0.9.3"),
        (["0.12.10-rc1"], "0.12.10-rc1"),
        (["0.0.0", "0.20.1"], "0.20.1"),
        (["0.0.0"], "0.0.0"),
        (["0.12.1", None], "0.12.1"),
        ([None], None),
        ([], None),
        (["x.y"], "x.y"),
    ],
)
async def test_the_version_is_that_of_the_oldest_upstream(versions: list[str | None], told: str | None) -> None:
    cards = [replace(OWN, id=str(at), server_version=version) for at, version in enumerate(versions)]
    assert await answer(Catalogue(*cards), "version") == {"version": told}


async def test_the_version_of_others_says_nothing_to_this_caller() -> None:
    assert await answer(Catalogue(OWN, CARDS[0]), "version") == {"version": None}
    foreign = replace(OWN, dialect="openai", server_version="1.0")
    assert await answer(Catalogue(foreign), "version") == {"version": None}


async def test_the_version_can_be_said() -> None:
    assert await answer(Catalogue(OWN), "version", version="0.13.0") == {"version": "0.13.0"}


async def test_a_gateway_is_alive_whatever_its_upstreams_are() -> None:
    catalogue = Catalogue(error=UpstreamUnavailable("down"))
    assert await answer(catalogue, "alive") == {}
    assert await answer(catalogue, "version") == {"version": None}
    for operation in ("models.list", "models.running", "models.show"):
        with pytest.raises(UpstreamUnavailable):
            await answer(catalogue, operation, "m")


async def test_a_server_of_the_callers_dialect_shows_its_models_itself() -> None:
    call_next = Next()
    request = Request("models.show", model="m", dialect="ollama")
    await discover(Catalogue())(targeting(request, "own"), call_next)
    assert [passed.operation for passed in call_next.requests] == ["models.show"]


@pytest.mark.parametrize(("dialect", "upstream"), [("openai", "own"), ("ollama", "plain"), ("openai", "plain")])
async def test_otherwise_the_catalogue_does(dialect: str, upstream: str) -> None:
    request = targeting(Request("models.show", model="m:latest", dialect=dialect), upstream)
    response = await discover(Catalogue(OWN))(request, never_next)
    assert [event.data for event in await events(response)] == [{"model": NEUTRAL}, {}]


@pytest.mark.parametrize("operation", ["chat", "completion", "embedding", "embedding.single", "other"])
async def test_everything_else_passes(operation: str) -> None:
    call_next = Next()
    request = Request(operation, model="a")
    await discover(Catalogue(*CARDS))(request, call_next)
    assert call_next.requests == [request]


async def test_the_gateways_own_discovery_asks_it_too() -> None:
    assert await discover(Catalogue(*CARDS)).models() == CARDS
    with pytest.raises(GatewayError):
        await discover(Catalogue(error=UpstreamUnavailable("down"))).models()
