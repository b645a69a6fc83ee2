"""Requests as a client of this dialect makes them, for tests of their reading and writing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pipeline import (
    Answered,
    IfLost,
    InvalidRequest,
    Losses,
    ModelCard,
    NeutralRequest,
    Payload,
    Request,
    Target,
    Translated,
    TranslationRules,
)
from stages.dialects.ollama import read as reading
from stages.dialects.ollama import requests
from stages.dialects.ollama import write as writing

USER = {"role": "user", "content": "Hi"}
GOOD: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": [USER]},
    "completion": {"model": "m", "prompt": "Hi"},
    "embedding": {"model": "m", "input": "Hi"},
    "embedding.single": {"model": "m", "prompt": "Hi"},
}
TRANSLATED = tuple(GOOD)
PNG = "iVBORw0KGgoAAAAN"
JPEG = "/9j/4AAQSkZJRgAB"
WAV = "UklGRiQAAABXQVZFZm10IA=="


def asked(operation: str, fields: Any) -> Request:
    """The request, through its bytes."""
    found = requests.decode_request(operation, json.dumps(fields).encode(), "")
    return Request(operation, model=found.model, payload=found.payload, stream=found.stream, dialect="ollama")


def merged(operation: str, change: dict[str, Any]) -> dict[str, Any]:
    """A good request with a change; `...` takes a field out."""
    return {key: value for key, value in {**GOOD[operation], **change}.items() if value is not ...}


def neutral(operation: str, change: dict[str, Any], losses: Losses | None = None) -> NeutralRequest:
    found = reading.read(asked(operation, merged(operation, change)), losses or Losses())
    assert isinstance(found, NeutralRequest)
    return found


def answered(operation: str, change: dict[str, Any]) -> Any:
    found = reading.read(asked(operation, merged(operation, change)), Losses())
    assert isinstance(found, Answered)
    return found.data


def refused(operation: str, change: dict[str, Any], losses: Losses | None = None) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        reading.read(asked(operation, merged(operation, change)), losses or Losses())
    return caught.value


def values(request: NeutralRequest) -> dict[str, Any]:
    """The parameters by the names of the rules."""
    return {parameter.key: given.value for parameter, given in request.parameters.items()}


def card(*capabilities: str, version: str | None = None) -> ModelCard:
    """A model that can do these; without any, one of which nothing is known."""
    return ModelCard("m", capabilities=capabilities or None, server_version=version)


def written(request: NeutralRequest, losses: Losses | None = None, of: ModelCard | None = None) -> list[Translated]:
    target = Target("up", "theirs", of)
    return list(writing.write(request, target, losses if losses is not None else Losses(), profile="ollama"))


def payload(request: NeutralRequest, losses: Losses | None = None, of: ModelCard | None = None) -> dict[str, Any]:
    """Of the one call that there is."""
    (call,) = written(request, losses, of)
    return json.loads(Payload(call.payload).encode())  # type: ignore[no-any-return]  # an object, as encoded


def emulating(*names: str) -> Losses:
    return Losses(TranslationRules(emulate=frozenset(names)))


def lax() -> Losses:
    return Losses(TranslationRules(unsupported=IfLost.WARN))


def exists(fields: Any, path: str) -> bool:
    """Whether there is such a place in the request."""
    at = fields
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if index:
            if not isinstance(at, list) or int(index) >= len(at):
                return False
            at = at[int(index)]
        else:
            keys = {key.lower(): key for key in at} if isinstance(at, dict) else {}
            if name.lower() not in keys:
                return False
            at = at[keys[name.lower()]]
    return True
