"""From the name a caller used to targets, as the catalogue says; what the caller said stays on the request."""

from __future__ import annotations

import json

import pytest

from pipeline import (
    MODEL,
    TARGET,
    TARGETS,
    ModelCard,
    ModelNotFound,
    Parameter,
    ParameterRules,
    Payload,
    Request,
    Resolution,
    Target,
)
from stages.map_model import MapModel
from tests.stages.fakes import FakeUpstream, Next, answers, fake_host, never_next
from tests.stages.model_lists import Native

TWO = (Target("a", "real"), Target("b", "real"))
RULES = ParameterRules({}, {Parameter.TOP_P: 1}, frozenset())


class Catalogue:
    def __init__(self, parameters: ParameterRules | None = None) -> None:
        self._parameters = parameters

    async def resolve(self, model: str) -> Resolution:
        if model != "alias":
            raise ModelNotFound("no", param="model")
        return Resolution("real", TWO, self._parameters)

    async def models(self, *, fresh: bool = False) -> list[ModelCard]:
        return []

    def upstreams(self) -> tuple[str, ...]:
        return ("a", "b", "c")

    def changed(self) -> None:
        raise AssertionError("nothing has changed")


def map_model(parameters: ParameterRules | None = None) -> MapModel:
    upstreams = {
        "a": FakeUpstream("a", lambda call: answers(200)),
        "b": FakeUpstream("b", lambda call: answers(200), Native()),
        "c": FakeUpstream("c", lambda call: answers(200), Native()),
    }
    host = fake_host(
        catalogues={"c": Catalogue(parameters)}, upstreams=upstreams, implementations={("dialect", "ollama"): Native}
    )
    return MapModel(MapModel.Settings(catalogue="c"), host)


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


@pytest.mark.parametrize("operation", ["models.list", "models.running", "version", "alive"])
async def test_what_names_no_model_passes(operation: str) -> None:
    call_next = Next()
    request = Request(operation)
    await map_model()(request, call_next)
    assert call_next.requests == [request]


@pytest.mark.parametrize("operation", ["chat", "completion", "embedding", "embedding.single"])
async def test_the_rules_for_parameters_are_applied_in_the_callers_dialect(operation: str) -> None:
    call_next = Next()
    before = Request(operation, model="alias", dialect="ollama", payload=Payload.parse(b'{"model":"alias"}'))
    await map_model(RULES)(before, call_next)
    (request,) = call_next.requests
    assert json.loads(request.payload.encode()) == {"model": "alias", "rules": {"top_p": 1}}
    assert before.payload.encode() == b'{"model":"alias"}'


async def test_a_question_about_a_model_has_no_parameters() -> None:
    call_next = Next()
    await map_model(RULES)(Request("models.show", model="alias", dialect="ollama"), call_next)
    (request,) = call_next.requests
    assert "rules" not in request.payload
    assert request.slots[TARGET] == TWO[0]


@pytest.mark.parametrize("operation", ["manage.pull", "manage.create", "manage.delete", "manage.blob.push"])
@pytest.mark.parametrize("model", ["new", "alias", ""])
async def test_managing_goes_to_the_first_upstream_that_speaks_so(operation: str, model: str) -> None:
    call_next = Next()
    await map_model(RULES)(Request(operation, model=model, dialect="ollama"), call_next)
    (request,) = call_next.requests
    assert request.slots[TARGET] == Target("b", model)
    assert (request.slots[MODEL], request.slots[TARGETS]) == (model, (Target("b", model),))
    assert "rules" not in request.payload


async def test_without_such_an_upstream_there_is_no_target() -> None:
    call_next = Next()
    await map_model()(Request("manage.pull", model="m", dialect="other"), call_next)
    assert TARGET not in call_next.requests[0].slots
