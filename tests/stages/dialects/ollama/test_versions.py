"""What a server of some version can be asked for (protocol.md 5.1)."""

from __future__ import annotations

import pytest

from stages.dialects.ollama.versions import SINCE, parse, supports
from tests.stages.dialects.ollama.asking import card

TABLE = [
    ("embed", "0.2.6", "0.2.5"),
    ("format schema", "0.5.0", "0.4.9"),
    ("capabilities in show", "0.6.4", "0.6.3"),
    ("tools streamed", "0.8.0", "0.7.9"),
    ("think", "0.9.0", "0.8.99"),
    ("tool_name", "0.9.6", "0.9.5"),
    ("context_length in ps", "0.10.0", "0.9.99"),
    ("think levels", "0.11.1", "0.11.0"),
    ("dimensions", "0.11.11", "0.11.10"),
    ("tool call ids", "0.12.10", "0.12.9"),
    ("logprobs", "0.12.11", "0.12.10"),
    ("/v1/responses", "0.13.3", "0.13.2"),
    ("parallel tool index", "0.20.6", "0.20.5"),
    ("think max", "0.22.0", "0.21.9"),
    ("capabilities in tags", "0.30.0", "0.29.9"),
    ("/v1 exact stream", "0.32.6", "0.32.5"),
]


@pytest.mark.parametrize(("feature", "first", "before"), TABLE)
def test_each_feature_has_its_first_release(feature: str, first: str, before: str) -> None:
    assert supports(card(version=first), feature)
    assert supports(card(version=f"v{first}-rc2"), feature)
    assert supports(card(version="1.0.0"), feature)
    assert not supports(card(version=before), feature)
    assert not supports(card(version=f"{before}-rc0"), feature)


def test_every_feature_is_tested() -> None:
    assert [row[0] for row in TABLE] == list(SINCE)


@pytest.mark.parametrize(
    "version", ["0.0.0", "0.0.0-dirty", "", "dev", "main-abc", "12", None, "0.1.2.3", "\u0660.\u0661.\u0662"]
)
def test_an_unknown_version_holds_nothing_back(version: str | None) -> None:
    assert supports(card(version=version), "think max")
    assert supports(None, "think max")


def test_numbers_are_compared_as_numbers() -> None:
    assert parse("0.9.10") == (0, 9, 10)
    assert parse("0.11") == (0, 11, 0)
    assert not supports(card(version="0.9.10"), "think levels")
