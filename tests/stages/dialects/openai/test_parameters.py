"""A model's parameter rules, applied to a request in this dialect."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Parameter, ParameterRules
from stages.dialects.openai.dialect import OpenAI
from tests.stages.dialects.openai.translated import request_of

P = Parameter


def ruled(
    payload: dict[str, Any],
    *,
    operation: str = "chat",
    defaults: dict[Parameter, Any] | None = None,
    overrides: dict[Parameter, Any] | None = None,
    drops: frozenset[Parameter] = frozenset(),
) -> dict[str, Any]:
    rules = ParameterRules(defaults or {}, overrides or {}, drops)
    return {
        key: value
        for key, value in OpenAI().with_parameters(request_of(payload, operation), rules).items()
        if key != "model"
    }


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, {"max_completion_tokens": 9}),
        ({"max_tokens": None}, {"max_tokens": None, "max_completion_tokens": 9}),
        ({"max_tokens": 1}, {"max_tokens": 1}),
        ({"options": {"num_predict": 1}}, {"options": {"num_predict": 1}}),
    ],
)
def test_a_default_fills_in_what_nobody_said(payload: dict[str, Any], expected: dict[str, Any]) -> None:
    assert ruled(payload, defaults={P.MAX_TOKENS: 9}) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, {"max_completion_tokens": 9}),
        ({"max_tokens": 1}, {"max_tokens": 9}),
        ({"max_tokens": 1, "max_completion_tokens": 2}, {"max_completion_tokens": 9}),
        ({"options": {"num_predict": 1, "x": 1}}, {"options": {"num_predict": 9, "x": 1}}),
    ],
)
def test_an_override_counts_in_the_field_that_the_caller_used(
    payload: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert ruled(payload, overrides={P.MAX_TOKENS: 9}) == expected


def test_a_drop_takes_all_names_out() -> None:
    payload = {"max_tokens": 1, "temperature": 1, "ollama": {"options": {"num_predict": 5, "top_k": 1}}}
    expected = {"temperature": 1, "ollama": {"options": {"top_k": 1}}}
    assert ruled(payload, drops=frozenset({P.MAX_TOKENS})) == expected


def test_rules_know_the_operation() -> None:
    assert ruled({}, operation="completion", defaults={P.MAX_TOKENS: 9, P.REASONING: "low"}) == {
        "max_tokens": 9,
        "think": "low",
    }
    assert ruled({}, operation="embedding", defaults={P.MAX_TOKENS: 9, P.DIMENSIONS: 8}) == {"dimensions": 8}
    assert ruled({}, operation="models.list", defaults={P.NUM_CTX: 9}) == {}


def test_nested_fields_are_set_where_they_belong() -> None:
    assert ruled({}, defaults={P.TYPICAL_P: 0.5}) == {"options": {"typical_p": 0.5}}
    assert ruled({"reasoning": {"effort": "low"}}, overrides={P.REASONING: "high"}) == {"reasoning": {"effort": "high"}}


def test_options_of_the_server_are_ruled_one_by_one() -> None:
    options = {"options": {"num_gpu": 1, "top_k": 1}}
    assert ruled(options, defaults={P.SERVER_OPTIONS: {"num_gpu": 2, "y": 2}}) == {
        "options": {"num_gpu": 1, "y": 2, "top_k": 1}
    }
    assert ruled(options, overrides={P.SERVER_OPTIONS: {"num_gpu": 2}}) == {"options": {"num_gpu": 2, "top_k": 1}}
    assert ruled(options, drops=frozenset({P.SERVER_OPTIONS})) == {"options": {"top_k": 1}}
    assert ruled({"options": {"x": 1}}, drops=frozenset({P.SERVER_OPTIONS})) == {}
    assert ruled({}, defaults={P.SERVER_OPTIONS: {"x": 1}}) == {"options": {"x": 1}}


def test_the_callers_request_is_left_alone() -> None:
    request = request_of({"options": {"num_predict": 1}})
    OpenAI().with_parameters(request, ParameterRules({}, {P.MAX_TOKENS: 9}, frozenset()))
    assert request.payload["options"] == {"num_predict": 1}
