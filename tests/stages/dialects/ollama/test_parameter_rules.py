"""A model's parameter rules, applied where this dialect says parameters."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline import Parameter, ParameterRules, Request
from stages.dialects.ollama.parameters import with_parameters

BY_NAME = {parameter.key: parameter for parameter in Parameter}


def rules(defaults: Any = None, overrides: Any = None, drops: tuple[str, ...] = ()) -> ParameterRules:
    return ParameterRules(
        {BY_NAME[name]: value for name, value in (defaults or {}).items()},
        {BY_NAME[name]: value for name, value in (overrides or {}).items()},
        frozenset(BY_NAME[name] for name in drops),
    )


def applied(said: dict[str, Any], to: ParameterRules, operation: str = "chat") -> dict[str, Any]:
    before = copy.deepcopy(said)
    request = Request(operation, payload=said)
    found = dict(with_parameters(request, to))
    assert dict(request.payload) == before
    return found


PLACES = [
    ("max_tokens", 5, {"options": {"num_predict": 5}}),
    ("temperature", 0.5, {"options": {"temperature": 0.5}}),
    ("stop", ["a"], {"options": {"stop": ["a"]}}),
    ("num_ctx", 9, {"options": {"num_ctx": 9}}),
    ("options", {"num_gpu": 1}, {"options": {"num_gpu": 1}}),
    ("reasoning", "high", {"think": "high"}),
    ("reasoning", "none", {"think": False}),
    ("reasoning", "xhigh", {"think": "max"}),
    ("keep_alive", "5m", {"keep_alive": "5m"}),
    ("logprobs", True, {"logprobs": True}),
    ("truncate", False, {"truncate": False}),
]


@pytest.mark.parametrize(("name", "value", "place"), PLACES)
def test_a_rule_writes_where_a_client_would(name: str, value: Any, place: dict[str, Any]) -> None:
    for rule in (rules({name: value}), rules(None, {name: value})):
        assert applied({"x": 1}, rule) == {"x": 1, **place}
        assert applied(dict.fromkeys(place), rule) == place


@pytest.mark.parametrize(("name", "value", "place"), PLACES)
def test_a_drop_takes_out_what_was_written(name: str, value: Any, place: dict[str, Any]) -> None:
    kept = {"options": {"zzz" if name != "options" else "seed": 1}}
    found = applied({**kept, **place, "options": {**kept["options"], **place.get("options", {})}}, rules(drops=(name,)))
    assert found == kept
    everything = rules({name: value}, {name: value}, (name,))
    assert "think" not in applied({}, everything)
    assert applied({}, everything) == {}, "what is taken out is not filled in"


def test_a_default_fills_in_and_an_override_replaces() -> None:
    said = {"options": {"temperature": 0, "seed": None}, "think": False, "keep_alive": None}
    given = {"temperature": 1, "seed": 2, "reasoning": "low", "keep_alive": 3}
    filled = {"options": {"temperature": 0, "seed": 2}, "think": False, "keep_alive": 3}
    assert applied(said, rules(defaults=given)) == filled
    replaced = {"options": {"temperature": 1, "seed": 2}, "think": "low", "keep_alive": 3}
    assert applied(said, rules(overrides=given)) == replaced
    assert applied({}, rules({"seed": 1}, {"seed": 2})) == {"options": {"seed": 2}}


def test_options_of_the_server_are_merged_one_by_one() -> None:
    said = {"options": {"num_gpu": 1, "zzz": 2, "seed": 3}}
    given = {"options": {"num_gpu": 9, "num_batch": 8}}
    assert applied(said, rules(defaults=given)) == {"options": {"num_gpu": 1, "zzz": 2, "seed": 3, "num_batch": 8}}
    assert applied(said, rules(overrides=given)) == {"options": {"num_gpu": 9, "zzz": 2, "seed": 3, "num_batch": 8}}
    assert applied(said, rules(drops=("options",))) == {"options": {"seed": 3}}


@pytest.mark.parametrize(
    ("operation", "name", "value", "place"),
    [
        ("completion", "suffix", "x", {"suffix": "x"}),
        ("completion", "temperature", 1, {"options": {"temperature": 1}}),
        ("embedding", "dimensions", 8, {"dimensions": 8}),
        ("embedding", "temperature", 1, {}),
        ("embedding", "reasoning", "low", {}),
        ("embedding.single", "dimensions", 8, {}),
        ("embedding.single", "truncate", False, {}),
        ("embedding.single", "keep_alive", 1, {"keep_alive": 1}),
        ("embedding.single", "num_ctx", 1, {"options": {"num_ctx": 1}}),
        ("embedding.single", "options", {"num_gpu": 1}, {"options": {"num_gpu": 1}}),
        ("chat", "suffix", "x", {}),
        ("chat", "n", 2, {}),
        ("models.show", "temperature", 1, {}),
        ("manage.pull", "keep_alive", 1, {}),
    ],
)
def test_a_rule_applies_where_the_operation_has_its_parameter(
    operation: str, name: str, value: Any, place: dict[str, Any]
) -> None:
    assert applied({}, rules({name: value}), operation) == place
    assert applied({}, rules(None, {name: value}), operation) == place
    assert applied(place, rules(drops=(name,)), operation) == ({"options": {}} if "options" in place else {})


def test_without_an_effect_the_payload_is_the_same() -> None:
    given: list[dict[str, Any]] = [{"model": "m"}, {"options": None}, {"options": {}}, {"options": {"seed": 1}}]
    for said in given:
        request = Request("chat", payload=said)
        assert with_parameters(request, rules()) is request.payload
        assert with_parameters(request, rules(drops=("temperature", "keep_alive"))) is request.payload
