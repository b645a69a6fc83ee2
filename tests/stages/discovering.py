"""A catalogue of given cards, and the stage `discover` in front of it and of two upstreams: `own` and `plain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import (
    TARGET,
    Event,
    GatewayError,
    ModelCard,
    ModelNotFound,
    Request,
    Resolution,
    Response,
    Target,
)
from stages.discover import Discover
from tests.stages.fakes import FakeUpstream, answers, fake_host, never_next
from tests.stages.model_lists import Native


class Catalogue:
    """Cards of the dialect `ollama` are at `own`, all others at `plain`. `names` are other names for models.

    A name that leads to a model without a card is one that an upstream serves and does not list.
    """

    def __init__(
        self, *cards: ModelCard, names: Mapping[str, str] | None = None, error: GatewayError | None = None
    ) -> None:
        self._cards = {card.id: card for card in cards}
        self._names = names or {}
        self._error = error
        self.asked: list[str] = []
        self.changes = 0

    async def resolve(self, model: str) -> Resolution:
        name = self._names.get(model, model)
        card = self._cards.get(name)
        if card is None and model not in self._names:
            raise ModelNotFound("no", param="model")
        upstream = "own" if card is not None and card.dialect == "ollama" else "plain"
        return Resolution(name, (Target(upstream, name, card),))

    async def models(self, *, fresh: bool = False) -> list[ModelCard]:
        self.asked.append("fresh" if fresh else "known")
        if self._error is not None:
            raise self._error
        return [*self._cards.values()]

    def upstreams(self) -> tuple[str, ...]:
        return ("plain", "own")

    def changed(self) -> None:
        self.changes += 1


def discover(catalogue: Catalogue, **settings: Any) -> Discover:
    upstreams = {
        "own": FakeUpstream("own", lambda call: answers(200), Native()),
        "plain": FakeUpstream("plain", lambda call: answers(200)),
    }
    host = fake_host(catalogues={"c": catalogue}, upstreams=upstreams)
    return Discover(Discover.Settings(catalogue="c", **settings), host)


def targeting(request: Request, upstream: str) -> Request:
    """The request as `map_model` passes it on."""
    return request.with_slot(TARGET, Target(upstream, request.model))


async def answer(catalogue: Catalogue, operation: str, model: str = "", **settings: Any) -> Any:
    """The neutral data of the one event that answers, to a caller of the dialect `ollama`."""
    request = Request(operation, model=model, dialect="ollama")
    data, end = await events(await discover(catalogue, **settings)(request, never_next))
    assert end.data == {}
    return data.data


async def events(response: Response) -> list[Event]:
    return [event async for event in response.body]
