"""Text completions and embeddings of a client (protocol.md 3.5, 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Answered, Losses, Text
from stages.dialects.openai.dialect import OpenAI
from tests.stages.dialects.openai.translated import read, refused, request_of, values


@pytest.mark.parametrize(
    ("payload", "prompts"),
    [
        ({"prompt": "a"}, (Text("a", "prompt"),)),
        ({"prompt": ["a", ""]}, (Text("a", "prompt[0]"), Text("", "prompt[1]"))),
        ({}, (Text("", "prompt"),)),
        ({"prompt": None}, (Text("", "prompt"),)),
    ],
)
def test_prompts(payload: dict[str, Any], prompts: tuple[Text, ...]) -> None:
    asked = read({**payload, "stream": True}, "completion")
    assert (asked.operation, asked.prompts, asked.stream) == ("completion", prompts, True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"logprobs": 0}, {"logprobs": True, "top_logprobs": 0}),
        ({"logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"logprobs": None, "suffix": None}, {}),
        ({"suffix": ""}, {}),
        ({"suffix": "z", "max_tokens": 3}, {"suffix": "z", "max_tokens": 3}),
        ({"echo": True, "best_of": 1, "user": "u"}, {}),
        ({"best_of": 2, "n": 2}, {"n": 2}),
    ],
)
def test_parameters(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    losses = Losses()
    assert values(read({"prompt": "a", **fields}, "completion", losses)) == expected
    assert losses.header() is None


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"prompt": [1, 2]}, "prompt", "unsupported_value"),
        ({"prompt": [[1], [2]]}, "prompt", "unsupported_value"),
        ({"prompt": 5}, "prompt", "invalid_type"),
        ({"prompt": []}, "prompt", "invalid_value"),
        ({"prompt": ["a", None]}, "prompt[1]", "invalid_type"),
        ({"best_of": 2}, "best_of", "unsupported_parameter"),
        ({"best_of": 3, "n": 2}, "best_of", "unsupported_parameter"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"logprobs": True}, "logprobs", "invalid_type"),
        ({"echo": "yes"}, "echo", "invalid_type"),
        ({"suffix": 5}, "suffix", "invalid_type"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], param: str, code: str) -> None:
    assert refused({"prompt": "a", **fields}, "completion") == (param, code)


def test_the_prompt_and_no_more_needs_no_model() -> None:
    payload = {"prompt": ["a", "b"], "echo": True, "max_tokens": 0, "n": 2}
    answered = OpenAI().read(request_of(payload, "completion"), Losses())
    assert isinstance(answered, Answered)
    choices = answered.data["choices"]
    assert [(choice["index"], choice["text"]) for choice in choices] == [(0, "a"), (1, "a"), (2, "b"), (3, "b")]
    assert {choice["finish_reason"] for choice in choices} == {"length"}


def test_inputs() -> None:
    asked = read({"input": ["a", "b"], "dimensions": 8, "user": "u", "encoding_format": "BASE64"}, "embedding")
    assert asked.inputs == (Text("a", "input[0]"), Text("b", "input[1]"))
    assert values(asked) == {"dimensions": 8}
    assert read({"input": "a"}, "embedding").inputs == (Text("a", "input"),)


def test_the_options_of_embeddings() -> None:
    fields = {"options": {"num_ctx": 5, "num_gpu": 1}, "keep_alive": "1m", "ollama": {"truncate": True}}
    expected = {"num_ctx": 5, "options": {"num_gpu": 1}, "keep_alive": "1m", "truncate": True}
    assert values(read({"input": "a", **fields}, "embedding")) == expected


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({}, "input", "missing_required_parameter"),
        ({"input": ""}, "input", "invalid_value"),
        ({"input": ["a", ""]}, "input[1]", "invalid_value"),
        ({"input": []}, "input", "invalid_value"),
        ({"input": [1, 2]}, "input", "unsupported_value"),
        ({"input": [[1]]}, "input", "unsupported_value"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format", "invalid_value"),
        ({"input": "a", "dimensions": 0}, "dimensions", "integer_below_min_value"),
    ],
)
def test_which_embeddings_are_refused(fields: dict[str, Any], param: str, code: str) -> None:
    assert refused(fields, "embedding") == (param, code)


@pytest.mark.parametrize("operation", ["completion", "embedding"])
@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"user": "u", "metadata": {"a": "b"}, "nothing": None}, []),
        ({"guided_json": {}, "options": {"num_ctx": 5}}, ["guided_json"]),
        ({"messages": [{}], "modalities": ["audio"]}, ["messages", "modalities"]),
        ({"ollama": {"x": 1}}, ["ollama.x"]),
    ],
)
def test_what_is_reported(fields: dict[str, Any], dropped: list[str], operation: str) -> None:
    """Hints are not; whatever only another operation knows is unknown here."""
    losses = Losses()
    read({"prompt": "a", **fields} if operation == "completion" else {"input": "a", **fields}, operation, losses)
    assert losses.dropped == dropped
