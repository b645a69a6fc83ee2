"""Parameters for the kinds of server that speak this protocol (protocol.md 3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Given, IfLost, InvalidRequest, Losses, ModelCard, NeutralRequest, Parameter, TranslationRules
from stages.dialects.openai.profiles import PROFILES
from tests.stages.dialects.openai.translated import write

P = Parameter
OPENAI, LLAMA_CPP, VLLM, OPENROUTER = PROFILES
ALL = tuple(PROFILES)


def written(
    parameters: dict[Parameter, Any],
    *,
    profile: str = OPENAI,
    operation: Any = "chat",
    losses: Losses | None = None,
    card: ModelCard | None = None,
) -> dict[str, Any]:
    given = {parameter: Given(value, f"at.{parameter.key}") for parameter, value in parameters.items()}
    payload = write(NeutralRequest(operation, parameters=given), losses, profile, card)
    unrelated = ("messages", "prompt", "input", "stream", "encoding_format")
    return {key: value for key, value in payload.items() if key not in unrelated}


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *((P.TEMPERATURE, 0), (P.TOP_P, 0.5), (P.FREQUENCY_PENALTY, 1), (P.PRESENCE_PENALTY, -1), (P.SEED, 7)),
        *((P.STOP, ["a"]), (P.CHOICES, 2), (P.LOGIT_BIAS, {"5": 1}), (P.LOGPROBS, True), (P.TOP_LOGPROBS, 3)),
        (P.PARALLEL_TOOL_CALLS, False),
    ],
)
def test_what_all_know_by_its_own_name(profile: str, parameter: Parameter, value: Any) -> None:
    losses = Losses()
    assert written({parameter: value}, profile=profile, losses=losses) == {parameter.key: value}
    assert losses.header() is None


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (P.MAX_TOKENS, 5, ["max_completion_tokens", "max_tokens", "max_tokens", "max_tokens"]),
        (P.TOP_K, 5, [None, "top_k", "top_k", "top_k"]),
        (P.MIN_P, 0.1, [None, "min_p", "min_p", "min_p"]),
        (P.TYPICAL_P, 0.1, [None, "typical_p", None, None]),
        (P.REPEAT_PENALTY, 1.1, [None, "repeat_penalty", "repetition_penalty", "repetition_penalty"]),
        (P.REPEAT_LAST_N, 3, [None, "repeat_last_n", None, None]),
        (P.VERBOSITY, "low", ["verbosity", None, None, "verbosity"]),
    ],
)
def test_what_each_calls_its_own_way_or_does_not_know(
    parameter: Parameter, value: Any, expected: list[str | None]
) -> None:
    for profile, field in zip(ALL, expected, strict=True):
        losses = Losses()
        assert written({parameter: value}, profile=profile, losses=losses) == ({field: value} if field else {})
        assert losses.dropped == ([] if field else [f"at.{parameter.key}"])


OFF = {"chat_template_kwargs": {"enable_thinking": False}}


EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LOCAL = {"minimal": "low", "xhigh": "high", "max": "high"}


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize(
    ("profile", "field", "nearest"),
    [
        (OPENAI, "reasoning_effort", {}),
        (LLAMA_CPP, "chat_template_kwargs.reasoning_effort", LOCAL),
        (VLLM, "reasoning_effort", LOCAL),
        (OPENROUTER, "reasoning.effort", {"max": "xhigh"}),
    ],
)
def test_reasoning(profile: str, field: str, nearest: dict[str, str], effort: str) -> None:
    """A word that a server does not know becomes its nearest; that is told unless it means the same (OpenRouter)."""
    losses = Losses()
    payload = written({P.REASONING: effort}, profile=profile, losses=losses)
    owner, _, name = field.rpartition(".")
    told = {name: nearest.get(effort, effort)}
    off = effort == "none" and profile in (LLAMA_CPP, VLLM)
    assert payload == (OFF if off else {owner: told} if owner else told)
    assert losses.changed == (["at.reasoning"] if effort in nearest and profile != OPENROUTER else [])


@pytest.mark.parametrize(("word", "dropped"), [("none", []), ("high", ["at.reasoning"])])
def test_a_model_that_cannot_reason_is_not_told_to(word: str, dropped: list[str]) -> None:
    losses = Losses()
    card = ModelCard("theirs", capabilities=("completion",))
    assert written({P.REASONING: word}, losses=losses, card=card) == {}
    assert losses.dropped == dropped
    assert written({P.REASONING: word}, card=ModelCard("theirs")) == {"reasoning_effort": word}


@pytest.mark.parametrize(
    ("profile", "limited"), [(OPENAI, True), (OPENROUTER, True), (VLLM, False), (LLAMA_CPP, False)]
)
def test_limits(profile: str, limited: bool) -> None:
    losses = Losses()
    payload = written({P.TEMPERATURE: 2.5, P.STOP: list("abcde")}, profile=profile, losses=losses)
    assert payload == {"temperature": 2 if limited else 2.5, "stop": list("abcd" if limited else "abcde")}
    assert losses.changed == (["at.temperature", "at.stop"] if limited else [])


def test_what_is_within_the_limits_is_not_touched() -> None:
    losses = Losses()
    assert written({P.TEMPERATURE: 2, P.STOP: list("abcd")}, losses=losses) == {"temperature": 2, "stop": list("abcd")}
    assert losses.header() is None


def test_a_limit_may_be_an_error() -> None:
    with pytest.raises(InvalidRequest) as caught:
        written({P.STOP: list("abcde")}, losses=Losses(TranslationRules(fields={"at.stop": IfLost.REJECT})))
    assert (caught.value.param, caught.value.code) == ("at.stop", "unsupported_value")


@pytest.mark.parametrize(
    ("parameter", "value", "dropped"),
    [
        *((P.NUM_CTX, 5, False), (P.SERVER_OPTIONS, {"num_gpu": 1}, False), (P.KEEP_ALIVE, "5m", False)),
        *((P.SHIFT, True, False), (P.TRUNCATE, False, False), (P.TRUNCATE, True, True), (P.DIMENSIONS, 5, True)),
    ],
)
def test_what_no_server_of_this_protocol_is_told(parameter: Parameter, value: Any, dropped: bool) -> None:
    losses = Losses()
    assert written({parameter: value}, losses=losses) == {}
    assert losses.dropped == ([f"at.{parameter.key}"] if dropped else [])


@pytest.mark.parametrize(("parameter", "value"), [(P.TEMPLATE, "{{x}}"), (P.SUFFIX, "z")])
def test_what_changes_the_answer_is_refused(parameter: Parameter, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        written({parameter: value})
    assert caught.value.param == f"at.{parameter.key}"


def test_text_completions() -> None:
    losses = Losses()
    parameters = {P.MAX_TOKENS: 5, P.SUFFIX: "z", P.CHOICES: 2, P.TOP_P: 0.5, P.REASONING: "none"}
    payload = written(parameters, operation="completion", losses=losses)
    assert payload == {"max_tokens": 5, "suffix": "z", "n": 2, "top_p": 0.5}
    assert losses.header() is None
    written({P.REASONING: "high"}, operation="completion", losses=losses)
    assert losses.dropped == ["at.reasoning"]


@pytest.mark.parametrize(
    ("profile", "parameters", "count", "changed"),
    [
        (OPENAI, {P.LOGPROBS: True}, 0, []),
        (OPENAI, {P.LOGPROBS: True, P.TOP_LOGPROBS: 5}, 5, []),
        (OPENAI, {P.LOGPROBS: True, P.TOP_LOGPROBS: 7}, 5, ["at.top_logprobs"]),
        (OPENROUTER, {P.LOGPROBS: True, P.TOP_LOGPROBS: 6}, 5, ["at.top_logprobs"]),
        (VLLM, {P.TOP_LOGPROBS: 7, P.LOGPROBS: True}, 7, []),
        (LLAMA_CPP, {P.TOP_LOGPROBS: 7, P.LOGPROBS: True}, 7, []),
    ],
)
def test_log_probabilities_of_texts_are_a_number(
    profile: str, parameters: dict[Parameter, Any], count: int, changed: list[str]
) -> None:
    losses = Losses()
    payload = written(parameters, operation="completion", profile=profile, losses=losses)
    assert payload == {"logprobs": count}
    assert payload["logprobs"] is not True
    assert losses.changed == changed


def test_embeddings() -> None:
    losses = Losses()
    assert written({P.DIMENSIONS: 5, P.NUM_CTX: 9}, operation="embedding", losses=losses) == {"dimensions": 5}
    assert losses.header() is None
