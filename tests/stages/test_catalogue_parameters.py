"""Rules for the parameters of a model's requests: which count, and what a mistake in them says."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Parameter, ParameterRules, SettingsError
from tests.stages.model_lists import catalogue, listing_upstream, native_upstream

RULES = {
    "*": {"defaults": {"temperature": 0.5, "max_tokens": 10}, "drops": ["logit_bias", "seed"]},
    "llama*": {"defaults": {"max_tokens": 20}, "overrides": {"top_p": 1}},
    "llama3": {"overrides": {"seed": 7, "temperature": 0}},
    "fast": {"drops": ["top_p"], "defaults": {"seed": 1}},
}


async def rules(name: str, **settings: Any) -> ParameterRules | None:
    models = catalogue(native_upstream("own", "Llama3:latest", "m:latest"), aliases={"fast": "llama3"}, **settings)
    return (await models.resolve(name)).parameters


async def test_there_are_none_unless_written() -> None:
    assert await rules("m") is None
    assert await rules("m", parameters={"llama3": {"drops": ["seed"]}}) is None


@pytest.mark.parametrize("name", ["llama3", "Llama3:latest", "LLAMA3", "ollama/llama3"])
async def test_a_rule_is_for_its_model_however_it_is_asked_for(name: str) -> None:
    found = await rules(name, parameters={"llama3": RULES["llama3"]})
    assert found == ParameterRules({}, {Parameter.SEED: 7, Parameter.TEMPERATURE: 0}, frozenset())


async def test_a_name_says_more_than_a_pattern_and_a_long_pattern_more_than_a_short_one() -> None:
    assert await rules("m", parameters=RULES) == ParameterRules(
        {Parameter.TEMPERATURE: 0.5, Parameter.MAX_TOKENS: 10}, {}, frozenset({Parameter.LOGIT_BIAS, Parameter.SEED})
    )
    assert await rules("llama3", parameters=RULES) == ParameterRules(
        {Parameter.MAX_TOKENS: 20},
        {Parameter.TOP_P: 1, Parameter.SEED: 7, Parameter.TEMPERATURE: 0},
        frozenset({Parameter.LOGIT_BIAS}),
    )


async def test_an_alias_has_the_rules_of_its_model_and_its_own() -> None:
    assert await rules("fast", parameters=RULES) == ParameterRules(
        {Parameter.MAX_TOKENS: 10, Parameter.SEED: 1},
        {Parameter.TEMPERATURE: 0},
        frozenset({Parameter.LOGIT_BIAS, Parameter.TOP_P}),
    )


async def test_where_names_have_no_tags_a_rule_is_for_that_name_alone() -> None:
    models = catalogue(listing_upstream("one", "llama3:latest"), parameters={"llama3": {"drops": ["seed"]}})
    assert (await models.resolve("llama3:latest")).parameters is None


@pytest.mark.parametrize("part", ["defaults", "overrides", "drops"])
def test_what_is_no_parameter_is_refused_with_the_nearest(part: str) -> None:
    said: Any = ["max_token"] if part == "drops" else {"max_token": 5}
    with pytest.raises(SettingsError, match=r"'llama3' name 'max_token'.*did you mean 'max_tokens'") as caught:
        catalogue(listing_upstream("one"), parameters={"llama3": {part: said}})
    assert caught.value.field == "parameters"
    with pytest.raises(SettingsError, match=r"which is no parameter$"):
        catalogue(listing_upstream("one"), parameters={"*": {"drops": ["zzz"]}})
