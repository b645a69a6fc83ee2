"""Raw text and embeddings as this dialect writes them (protocol.md 3.5, 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Given, InvalidRequest, Losses, NeutralRequest, Parameter, Text
from tests.stages.dialects.ollama.asking import card, emulating, payload, written


def completing(*prompts: str, **given: Any) -> NeutralRequest:
    texts = tuple(Text(prompt, f"prompt[{at}]") for at, prompt in enumerate(prompts))
    parameters = {each: Given(given[each.key], each.key) for each in Parameter if each.key in given}
    return NeutralRequest("completion", stream=True, prompts=texts, parameters=parameters)


def embedding(*inputs: Text) -> Any:
    (call,) = written(NeutralRequest("embedding", inputs=inputs))
    assert call.operation == "embedding"
    return call.payload


def test_a_prompt_is_taken_word_by_word() -> None:
    (call,) = written(completing("Hi"))
    assert call.operation == "completion"
    assert call.payload == {"model": "theirs", "prompt": "Hi", "raw": True, "think": False, "stream": True}


def test_there_is_a_limit_to_how_many_calls_one_request_makes() -> None:
    assert len(written(completing(*"a" * 64, n=2), emulating("n"))) == 128
    with pytest.raises(InvalidRequest) as caught:
        written(completing(*"a" * 65, n=2), emulating("n"))
    assert (caught.value.param, caught.value.code) == ("prompt", "array_above_max_length")


def test_with_a_suffix_or_if_so_configured_the_template_is_used() -> None:
    assert payload(completing("a", suffix="b"))["raw"] is False
    assert payload(completing("a", template="T"))["raw"] is False
    assert payload(completing("a"), emulating("chat_template"))["raw"] is False


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (None, True),
        (card(), True),
        (card("completion", "thinking"), True),
        (card("completion", "thinking", version="0.9.0"), True),
        (card("completion"), False),
        (card("completion", "thinking", version="0.8.9"), False),
        (card(version="0.8.9"), False),
    ],
    ids=range(7),
)
def test_a_model_that_may_think_is_told_not_to(of: Any, said: bool) -> None:
    assert payload(completing("Hi"), of=of).get("think", "absent") == (False if said else "absent")


def test_unless_the_caller_asks_it_to() -> None:
    assert payload(completing("Hi", reasoning="high"))["think"] == "high"


def test_an_empty_prompt_would_only_load_the_model() -> None:
    losses = Losses()
    assert [call.payload["prompt"] for call in written(completing("a", ""), losses)] == ["a", " "]
    assert losses.changed == ["prompt[1]"]


def test_each_prompt_and_each_choice_is_a_call() -> None:
    """Choice j of prompt i is answer i*n+j."""
    found = written(completing("a", "b", n=2, seed=5), emulating("n"))
    assert [(call.payload["prompt"], call.payload["options"]["seed"]) for call in found] == [
        *(("a", 5), ("a", 6)),
        *(("b", 5), ("b", 6)),
    ]
    assert all(call.payload["stream"] is True for call in found)


def test_logprobs_and_options_of_completions() -> None:
    found = payload(completing("a", logprobs=True, top_logprobs=2, max_tokens=3))
    assert (found["logprobs"], found["top_logprobs"], found["options"]) == (True, 2, {"num_predict": 3})


def test_inputs() -> None:
    assert embedding(Text("a", "input")) == {"model": "theirs", "input": "a"}
    assert embedding(Text("a", "input[0]"))["input"] == ["a"]
    assert embedding(Text("a", "input[0]"), Text("", "input[1]"))["input"] == ["a", ""]
    assert embedding(Text("", "input"))["input"] == [""], "an empty text alone would only load the model"
