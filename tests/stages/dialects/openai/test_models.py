"""Neutral model cards as this protocol's models (protocol.md 2.8, 3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import ModelCard
from stages.dialects.openai import models

CARD = {"id": "m", "created": 5, "owned_by": ""}


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, {}),
        ({"context_length": None, "capabilities": None}, {}),
        ({"context_length": 4096, "capabilities": []}, {"context_length": 4096, "capabilities": []}),
        ({"extra": {"x": 1}, "loaded": {}, "server_version": "1", "dialect": "other"}, {}),
    ],
)
def test_what_is_known_of_a_model_is_told(more: dict[str, Any], known: dict[str, Any]) -> None:
    expected = {"id": "m", "object": "model", "created": 5, "owned_by": "unknown", **known}
    assert models.encode_answer({"model": {**CARD, **more}}) == expected
    assert models.encode_answer({"models": [{**CARD, **more}]}) == {"object": "list", "data": [expected]}


def test_what_an_upstream_says_beside_the_known_is_kept() -> None:
    (card,) = models.decode_models(
        b'{"data": [{"id": "m", "object": "model", "created": 5, "owned_by": "me", "x": 1}]}'
    )
    assert card == ModelCard("m", 5, "me", {"x": 1}, dialect="openai")


def test_one_call_asks_for_the_list() -> None:
    call = next(models.discovery())
    assert (call.method, call.path, call.body) == ("GET", "/models", b"")
    assert [*call.headers] == [("accept", "application/json")]
