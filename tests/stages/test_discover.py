"""Questions about models are answered from the catalogue; everything else passes."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import ModelCard, ModelNotFound, Request, Resolution
from stages.dialects.openai.dialect import OpenAI
from stages.discover import Discover
from tests.stages.dialects.openai.schema import check_model, check_model_list
from tests.stages.fakes import Next, fake_host, never_next

CARDS = [ModelCard("a", 5, "me", {"context": 1}), ModelCard("org/b:7b"), ModelCard("c", 0, "")]


class Catalogue:
    async def resolve(self, model: str) -> Resolution:
        raise AssertionError("not asked")

    async def models(self) -> list[ModelCard]:
        return CARDS


def discover() -> Discover:
    return Discover(Discover.Settings(catalogue="c"), fake_host(catalogues={"c": Catalogue()}))


async def answer(operation: str, model: str = "") -> Any:
    request = Request(operation, model=model, dialect="openai")
    response = await discover()(request, never_next)
    response.body.bind(OpenAI().encoder(request))
    return await response.body.collect()


async def test_the_list_is_openais() -> None:
    value = await answer("models.list")
    check_model_list(value)
    assert [model["id"] for model in value["data"]] == ["a", "org/b:7b", "c"]


@pytest.mark.parametrize("card", CARDS)
async def test_law_43_every_listed_model_is_retrievable(card: ModelCard) -> None:
    value = await answer("models.show", card.id)
    check_model(value)
    assert (value["id"], value["created"]) == (card.id, card.created)


@pytest.mark.parametrize("name", ["", "A", "b", "org/b", "a "])
async def test_another_name_is_404(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        await answer("models.show", name)
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")


@pytest.mark.parametrize("operation", ["chat", "completion", "embedding", "version"])
async def test_everything_else_passes(operation: str) -> None:
    call_next = Next()
    request = Request(operation, model="a")
    await discover()(request, call_next)
    assert call_next.requests == [request]
