"""From the name a caller used to targets, as the catalogue says; what the caller said stays on the request."""

from __future__ import annotations

import pytest

from pipeline import MODEL, TARGET, TARGETS, ModelCard, ModelNotFound, Request, Resolution, Target
from stages.map_model import MapModel
from tests.stages.fakes import Next, fake_host, never_next

TWO = (Target("a", "real"), Target("b", "real"))


class Catalogue:
    async def resolve(self, model: str) -> Resolution:
        if model != "alias":
            raise ModelNotFound("no", param="model")
        return Resolution("real", TWO)

    async def models(self) -> list[ModelCard]:
        return []


def map_model() -> MapModel:
    return MapModel(MapModel.Settings(catalogue="c"), fake_host(catalogues={"c": Catalogue()}))


async def test_the_resolution_goes_into_the_slots_and_the_name_stays() -> None:
    call_next = Next()
    await map_model()(Request("chat", model="alias"), call_next)
    (request,) = call_next.requests
    assert request.model == "alias"
    assert (request.slots[MODEL], request.slots[TARGETS], request.slots[TARGET]) == ("real", TWO, TWO[0])


async def test_an_unknown_model_goes_no_further() -> None:
    with pytest.raises(ModelNotFound) as caught:
        await map_model()(Request("chat", model="other"), never_next)
    assert (caught.value.status, caught.value.param) == (404, "model")


async def test_what_names_no_model_passes() -> None:
    call_next = Next()
    request = Request("models.list")
    await map_model()(request, call_next)
    assert call_next.requests == [request]
