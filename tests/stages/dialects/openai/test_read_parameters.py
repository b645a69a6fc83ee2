"""Parameters, extensions and hints of a client's request (protocol.md 2.2, 3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Losses, Parameter
from tests.stages.dialects.openai.translated import CHAT, chat_with, paths, refused, values


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        (dict.fromkeys(("temperature", "top_p", "seed", "stop", "n", "logprobs", "max_tokens", "think")), {}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 100.0}, {"max_tokens": 100}),
        ({"max_completion_tokens": 5, "max_tokens": 5}, {"max_tokens": 5}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
        ({"frequency_penalty": -1, "presence_penalty": 0}, {"frequency_penalty": -1, "presence_penalty": 0}),
        ({"seed": -5}, {"seed": -5}),
        ({"stop": "x"}, {"stop": ["x"]}),
        ({"stop": ["", "x", "y"]}, {"stop": ["x", "y"]}),
        ({"stop": ""}, {}),
        ({"stop": [""]}, {}),
        ({"n": 1}, {}),
        ({"n": 3}, {"n": 3}),
        ({"logit_bias": {}}, {}),
        ({"logit_bias": {"5": -100}}, {"logit_bias": {"5": -100}}),
        ({"reasoning_effort": "minimal"}, {"reasoning": "minimal"}),
        ({"reasoning": {"effort": "high"}}, {"reasoning": "high"}),
        ({"logprobs": False}, {}),
        ({"logprobs": True, "top_logprobs": 0}, {"logprobs": True, "top_logprobs": 0}),
        ({"parallel_tool_calls": True}, {}),
        ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
        ({"verbosity": "low"}, {"verbosity": "low"}),
        ({"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1}, {"top_k": 5, "min_p": 0.1, "repeat_penalty": 1.1}),
        ({"num_ctx": 8192, "keep_alive": "5m"}, {"num_ctx": 8192, "keep_alive": "5m"}),
        ({"keep_alive": 0}, {"keep_alive": 0}),
        ({"think": True}, {"reasoning": "medium"}),
        ({"think": False}, {"reasoning": "none"}),
        ({"think": "high"}, {"reasoning": "high"}),
        ({"options": {"top_k": 7, "num_predict": 9, "stop": ["a"]}}, {"top_k": 7, "max_tokens": 9, "stop": ["a"]}),
        ({"options": {"num_gpu": 1, "mirostat": None, "num_ctx": 5}}, {"num_ctx": 5, "options": {"num_gpu": 1}}),
        ({"options": {"num_predict": -1, "seed": -1}}, {"options": {"num_predict": -1, "seed": -1}}),
        (
            {"ollama": {"options": {"typical_p": 0.5, "repeat_last_n": 3, "x": 1}, "keep_alive": -1, "think": "low"}},
            {"typical_p": 0.5, "repeat_last_n": 3, "options": {"x": 1}, "keep_alive": -1, "reasoning": "low"},
        ),
        ({"ollama": {"truncate": False, "shift": True}}, {"truncate": False, "shift": True}),
        ({"options": {"x": 1}, "ollama": {"options": {"x": 2, "y": 3}}}, {"options": {"x": 1, "y": 3}}),
    ],
)
def test_what_parameters_say(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    losses = Losses()
    assert values(chat_with(losses, **fields)) == expected
    assert losses.header() is None


def test_the_first_of_several_fields_counts_and_the_others_are_reported() -> None:
    losses = Losses()
    fields = {"max_tokens": 1, "max_completion_tokens": 2, "options": {"num_predict": 3, "temperature": 1}}
    asked = chat_with(losses, **fields, temperature=1, reasoning_effort="low", think=True)
    assert values(asked) == {"max_tokens": 2, "temperature": 1, "reasoning": "low"}
    assert sorted(losses.dropped) == ["max_tokens", "options.num_predict", "think"]
    assert paths(asked)[Parameter.MAX_TOKENS] == "max_completion_tokens"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"seed": 0}, {"seed": 0}),
        ({"seed": -1}, {"options": {"seed": -1}}),
        ({"num_predict": 1}, {"max_tokens": 1}),
        ({"num_predict": 0}, {"options": {"num_predict": 0}}),
    ],
)
def test_only_a_number_that_is_none_elsewhere_stays_a_servers_own(options: Any, expected: dict[str, Any]) -> None:
    assert values(chat_with(options=options)) == expected


def test_paths_lead_to_the_field() -> None:
    asked = chat_with(reasoning={"effort": "low"}, ollama={"options": {"top_k": 1, "x": 1}})
    assert paths(asked) == {
        Parameter.REASONING: "reasoning.effort",
        Parameter.TOP_K: "ollama.options.top_k",
        Parameter.SERVER_OPTIONS: "ollama.options",
    }


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_every_word_for_reasoning_is_taken_under_each_of_its_names(effort: str) -> None:
    for fields in ({"reasoning_effort": effort}, {"reasoning": {"effort": effort}}, {"think": effort}):
        assert values(chat_with(Losses(), **fields)) == {"reasoning": effort}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"temperature": True}, "temperature", "invalid_type"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens", "invalid_type"),
        ({"seed": "1"}, "seed", "invalid_type"),
        ({"stop": 5}, "stop", "invalid_type"),
        ({"stop": ["a", 5]}, "stop[1]", "invalid_type"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"logit_bias": []}, "logit_bias", "invalid_type"),
        ({"logprobs": 1}, "logprobs", "invalid_type"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
        ({"logprobs": False, "top_logprobs": 0}, "top_logprobs", "invalid_value"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"reasoning_effort": "huge"}, "reasoning_effort", "invalid_value"),
        ({"reasoning": "high"}, "reasoning", "invalid_type"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort", "invalid_type"),
        ({"verbosity": "chatty"}, "verbosity", "invalid_value"),
        ({"options": []}, "options", "invalid_type"),
        ({"options": {"top_k": "x"}}, "options.top_k", "invalid_type"),
        ({"options": {"seed": "x"}}, "options.seed", "invalid_type"),
        ({"ollama": 5}, "ollama", "invalid_type"),
        ({"ollama": {"options": 5}}, "ollama.options", "invalid_type"),
        ({"keep_alive": True}, "keep_alive", "invalid_type"),
        ({"think": "hard"}, "think", "invalid_value"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls", "invalid_type"),
        ({"modalities": "text"}, "modalities", "invalid_type"),
        ({"modalities": ["text", 5]}, "modalities[1]", "invalid_type"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"audio": {"voice": "x", "format": "wav"}}, "audio", "unsupported_parameter"),
        ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
        ({"service_tier": 5}, "service_tier", "invalid_type"),
        ({"stream_options": 5}, "stream_options", "invalid_type"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], param: str, code: str) -> None:
    assert refused({**CHAT, **fields}) == (param, code)


@pytest.mark.parametrize(
    "field",
    [
        *("prediction", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"),
        *("prompt_cache_options", "moderation", "store", "metadata"),
    ],
)
def test_hints_are_lost_without_a_word(field: str) -> None:
    losses = Losses()
    chat_with(losses, **{field: {"a": 1}})
    assert losses.header() is None


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"service_tier": "auto"}, []),
        ({"service_tier": "flex"}, ["service_tier"]),
        ({"modalities": ["text"]}, []),
        ({"stream_options": {"include_usage": True, "include_obfuscation": False}}, []),
        ({"stream_options": {"x": 1}}, ["stream_options.x"]),
        ({"guided_json": {}, "whatever": 0, "nothing": None}, ["guided_json", "whatever"]),
        ({"reasoning": {"effort": "low", "max_tokens": 5}}, ["reasoning.max_tokens"]),
        ({"ollama": {"options": {}, "x": 1}}, ["ollama.x"]),
        ({"echo": True, "encoding_format": "float", "best_of": 2}, ["echo", "encoding_format", "best_of"]),
    ],
)
def test_what_is_reported(fields: dict[str, Any], dropped: list[str]) -> None:
    losses = Losses()
    assert values(chat_with(losses, **fields)).keys() <= {"reasoning"}
    assert losses.dropped == dropped
