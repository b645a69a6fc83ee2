"""Upstreams that list their models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline import Discovery, ModelCard, ParameterRules, Payload, Request, UpstreamAnswer, UpstreamCall
from stages.catalogue.resource import ModelCatalogue
from stages.dialects.ollama import models, names
from stages.dialects.openai.dialect import OpenAI
from tests.stages.fakes import FakeClock, FakeUpstream, answers, fake_host


def listing(*ids: str, owner: str = "", status: int = 200, body: bytes | None = None) -> UpstreamAnswer:
    """The answer that lists `ids`, in two pieces; or `body` instead."""
    if body is None:
        body = json.dumps({"object": "list", "data": [{"id": id, "owned_by": owner} for id in ids]}).encode()
    return answers(status, body[:7], body[7:])


def listing_upstream(name: str, *ids: str) -> FakeUpstream:
    """An upstream that serves `ids` and owns them."""
    return FakeUpstream(name, lambda call: listing(*ids, owner=name))


class Native(OpenAI):
    """A dialect beside OpenAI's that lists and names models as Ollama does, and marks what rules it was given."""

    name = "ollama"
    forwarded = frozenset({"models.show"})

    def discovery(self, known: Sequence[ModelCard]) -> Discovery:
        return models.discovery(known)

    def model_names(self, model: str) -> Sequence[str]:
        return names.lookup_names(model)

    def with_parameters(self, request: Request, rules: ParameterRules) -> Payload:
        return request.payload.with_(rules={parameter.key: value for parameter, value in rules.overrides.items()})


def native_upstream(name: str, *ids: str, **more: Any) -> FakeUpstream:
    """An upstream that serves `ids`, each with a digest and a context length of its own, and `more` said of each."""
    entries = [
        {"model": id, "digest": id, "capabilities": ["completion"], "details": {"context_length": 1000 + at}, **more}
        for at, id in enumerate(ids)
    ]
    replies: dict[str, Any] = {"/api/tags": {"models": entries}, "/api/version": {"version": "0.12.0"}}

    def answer(call: UpstreamCall) -> UpstreamAnswer:
        if call.path not in replies:
            return answers(404)
        return answers(200, json.dumps(replies[call.path]).encode())

    return FakeUpstream(name, answer, Native())


def catalogue(*upstreams: FakeUpstream, clock: FakeClock | None = None, **settings: Any) -> ModelCatalogue:
    """A catalogue over these upstreams, in this order, not started."""
    named = {upstream.name: upstream for upstream in upstreams}
    given = ModelCatalogue.Settings.model_validate({"upstreams": list(named), **settings})
    return ModelCatalogue(given, fake_host(clock=clock, upstreams=named), "models")


async def where(models: ModelCatalogue, name: str) -> list[tuple[str, str]]:
    """The upstreams, and the names there, to which `name` leads."""
    return [(target.upstream, target.model) for target in (await models.resolve(name)).targets]
