"""Requests read and written in one line each, for tests of the tables."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import (
    IfLost,
    InvalidRequest,
    Losses,
    ModelCard,
    NeutralRequest,
    Parameter,
    Payload,
    Request,
    Target,
    TranslationRules,
)
from stages.dialects.openai.dialect import OpenAI

HI: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
PIXEL = "iVBORw0KGgo="  # the mark of a PNG is all that anybody looks at
CHAT: dict[str, Any] = {"messages": HI}
KINDS = (
    *("a string", "a boolean", "a number", "an integer", "an object", "an array"),
    *("a string or an array of strings", "a string or an array of parts", "a string or an object"),
    "a number of seconds or a duration",
)


def request_of(payload: dict[str, Any], operation: str = "chat") -> Request:
    stream = payload.get("stream") is True
    return Request(operation, model="m", payload={"model": "m", **payload}, dialect="openai", stream=stream)


def read(payload: dict[str, Any], operation: str = "chat", losses: Losses | None = None) -> NeutralRequest:
    asked = OpenAI().read(request_of(payload, operation), losses if losses is not None else Losses())
    assert isinstance(asked, NeutralRequest)
    return asked


def chat_with(losses: Losses | None = None, **fields: Any) -> NeutralRequest:
    return read({**CHAT, **fields}, losses=losses)


def refused(payload: dict[str, Any], operation: str = "chat") -> tuple[str | None, str | None]:
    """The param and the code of the refusal. Of a wrong type it says where, and what belongs there."""
    with pytest.raises(InvalidRequest) as caught:
        read(payload, operation)
    assert caught.value.status == 400
    if caught.value.code == "invalid_type":
        assert caught.value.message in [f"`{caught.value.param}` must be {kind}." for kind in KINDS]
    return caught.value.param, caught.value.code


def values(asked: NeutralRequest) -> dict[str, Any]:
    """The parameters by their names in rules."""
    return {parameter.key: given.value for parameter, given in asked.parameters.items()}


def paths(asked: NeutralRequest) -> dict[Parameter, str]:
    return {parameter: given.path for parameter, given in asked.parameters.items()}


def write(
    asked: NeutralRequest, losses: Losses | None = None, profile: str = "openai", card: ModelCard | None = None
) -> dict[str, Any]:
    """The payload of the one call."""
    target = Target("up", "theirs", card)
    [call] = OpenAI().write(asked, target, losses if losses is not None else Losses(), profile=profile)
    assert call.operation == asked.operation
    assert call.payload["model"] == "theirs"
    return {key: value for key, value in Payload(call.payload).items() if key != "model"}


def ignoring() -> Losses:
    return Losses(TranslationRules(unsupported=IfLost.DROP))
