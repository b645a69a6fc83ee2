"""/api/generate and the embeddings of a client, in the neutral form (protocol.md 3.5, 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import AnswerFormat, InvalidRequest, Losses, Message, Request, Text
from stages.dialects.ollama.read import read
from tests.stages.dialects.ollama.asking import PNG, answered, lax, neutral, refused, values


def test_a_prompt_is_a_chat_of_one_turn() -> None:
    found = neutral("completion", {"prompt": "Hi", "system": "Be", "format": "json", "options": {"seed": 1}})
    assert (found.operation, found.prompts) == ("chat", ())
    assert found.messages == (
        Message("system", (Text("Be", "system"),), path="system"),
        Message("user", (Text("Hi", "prompt"),), path="prompt"),
    )
    assert found.format == AnswerFormat(path="format")
    assert values(found) == {"seed": 1}


@pytest.mark.parametrize("system", [None, "", ...])
def test_no_system_is_no_message(system: Any) -> None:
    (message,) = neutral("completion", {"system": system, "raw": False, "suffix": ""}).messages
    assert message.role == "user"


def test_raw_is_a_completion() -> None:
    found = neutral("completion", {"prompt": "Hi", "raw": True, "think": False, "stream": False})
    assert (found.operation, found.messages, found.stream) == ("completion", (), False)
    assert found.prompts == (Text("Hi", "prompt"),)
    assert values(found) == {"reasoning": "none"}


@pytest.mark.parametrize("raw", [True, False])
def test_a_suffix_is_a_completion(raw: bool) -> None:
    found = neutral("completion", {"prompt": "def f(", "suffix": "return 1", "raw": raw})
    assert (found.operation, found.prompts) == ("completion", (Text("def f(", "prompt"),))
    assert values(found) == {"suffix": "return 1"}


@pytest.mark.parametrize(("field", "value"), [("template", "{{ .Prompt }}"), ("system", "Be"), ("context", [1])])
def test_raw_with_what_a_template_says_is_refused_in_the_servers_words(field: str, value: Any) -> None:
    error = refused("completion", {"raw": True, field: value})
    assert (error.status, error.param) == (400, field)
    assert error.message == "raw mode does not support template, system, or context"
    assert refused("completion", {"raw": True, field: value, "prompt": ""}).param == field


@pytest.mark.parametrize("field", ["template", "system", "context"])
def test_raw_with_nothing_of_it_is_fine(field: str) -> None:
    empty: Any = [] if field == "context" else ""
    assert neutral("completion", {"raw": True, field: empty}).operation == "completion"


def test_a_template_is_a_parameter_and_a_context_a_loss() -> None:
    losses = Losses()
    assert values(neutral("completion", {"template": "T", "context": [1, 2]}, losses)) == {"template": "T"}
    assert losses.dropped == ["context"]
    quiet = Losses()
    neutral("completion", {"template": "", "context": []}, quiet)
    assert quiet.header() is None


@pytest.mark.parametrize(("field", "value"), [("images", [PNG]), ("format", "json"), ("format", {"type": "object"})])
@pytest.mark.parametrize("form", [{"raw": True}, {"suffix": "x"}])
def test_raw_text_has_no_place_for_some(form: dict[str, Any], field: str, value: Any) -> None:
    assert refused("completion", {**form, field: value}).param == field
    losses = lax()
    found = neutral("completion", {**form, field: value}, losses)
    assert (losses.dropped, found.format) == ([field], None)


def test_a_suffix_has_no_place_for_a_system_prompt() -> None:
    assert refused("completion", {"suffix": "x", "system": "Be"}).param == "system"


@pytest.mark.parametrize("prompt", ["", None, ...])
@pytest.mark.parametrize(("keep_alive", "reason"), [(..., "load"), (0, "unload")])
def test_no_prompt_loads_the_model_or_unloads_it(prompt: Any, keep_alive: Any, reason: str) -> None:
    choice = {"index": 0, "text": "", "finish_reason": reason, "logprobs": None}
    assert answered("completion", {"prompt": prompt, "keep_alive": keep_alive}) == {"choices": [choice]}


def test_one_input_or_several() -> None:
    assert neutral("embedding", {"input": "a"}).inputs == (Text("a", "input"),)
    assert neutral("embedding", {"input": ["a", ""]}).inputs == (Text("a", "input[0]"), Text("", "input[1]"))
    assert neutral("embedding", {"input": [""]}).inputs == (Text("", "input[0]"),)
    found = neutral("embedding.single", {"prompt": "a"})
    assert (found.operation, found.stream, found.inputs) == ("embedding", False, (Text("a", "prompt"),))


@pytest.mark.parametrize("given", ["", None, ..., []])
def test_no_input_has_no_vector(given: Any) -> None:
    assert answered("embedding", {"input": given}) == {"data": []}


@pytest.mark.parametrize("given", ["", None, ...])
def test_no_prompt_has_none_either(given: Any) -> None:
    assert answered("embedding.single", {"prompt": given}) == {"data": []}


@pytest.mark.parametrize(
    ("given", "param"), [(5, "input"), (True, "input"), ({}, "input"), ([1, 2], "input[0]"), (["a", ["b"]], "input[1]")]
)
def test_any_other_input_is_refused(given: Any, param: str) -> None:
    error = refused("embedding", {"input": given})
    assert (error.status, error.param, error.message) == (400, param, "invalid input type")


@pytest.mark.parametrize(("given", "meant"), [(8, {"dimensions": 8}), (0, {}), (-1, {}), (None, {})])
def test_dimensions(given: Any, meant: dict[str, Any]) -> None:
    assert values(neutral("embedding", {"dimensions": given})) == meant


def test_parameters_of_embeddings() -> None:
    found = neutral("embedding", {"truncate": False, "keep_alive": "5m", "options": {"num_ctx": 9}})
    assert values(found) == {"truncate": False, "keep_alive": "5m", "num_ctx": 9}
    losses = Losses()
    assert (values(neutral("embedding", {"truncate": True}, losses)), losses.header()) == ({}, None), "no loss (3.6)"
    assert refused("embedding", {"keep_alive": "5"}).param == "keep_alive"
    assert refused("embedding.single", {"options": {"num_ctx": "9"}}).param == "options.num_ctx"
    single = neutral("embedding.single", {"truncate": True, "dimensions": 3, "keep_alive": 1})
    assert values(single) == {"keep_alive": 1}, "the oldest way of embedding does not know the others"


@pytest.mark.parametrize("operation", ["manage.pull", "manage.copy", "manage.blob.push", "models.list", "version"])
def test_what_only_such_a_server_can_do_is_refused(operation: str) -> None:
    with pytest.raises(InvalidRequest, match="not supported by this gateway") as caught:
        read(Request(operation, payload={"model": "m"}), Losses())
    assert (caught.value.status, caught.value.code) == (501, "unsupported_operation")
