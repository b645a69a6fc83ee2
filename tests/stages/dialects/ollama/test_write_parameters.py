"""Parameters at their places, row by row, and what holds them back (protocol.md 3.1, 5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Given, InvalidRequest, Losses, Message, NeutralRequest, Parameter, Text
from stages.dialects.ollama.table import WRITES
from stages.dialects.ollama.versions import SINCE
from tests.stages.dialects.ollama.asking import card, lax, payload

NEW = "99.0.0"
THINKS = ("completion", "thinking")


def asking(operation: Any = "chat", **given: Any) -> NeutralRequest:
    """Parameters by their names in rules; the path of each is that name."""
    parameters = {each: Given(given[each.key], each.key) for each in Parameter if each.key in given}
    assert len(parameters) == len(given)
    return NeutralRequest(
        operation,
        messages=(Message("user", (Text("Hi"),)),) if operation == "chat" else (),
        prompts=(Text("Hi"),) if operation == "completion" else (),
        inputs=(Text("Hi"),) if operation == "embedding" else (),
        parameters=parameters,
    )


def said(request: NeutralRequest, losses: Losses | None = None, of: Any = None) -> dict[str, Any]:
    """All but the content."""
    content = ("model", "messages", "prompt", "raw", "input", "stream")
    return {key: value for key, value in payload(request, losses, of).items() if key not in content}


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("max_tokens", 5, {"options": {"num_predict": 5}}),
        ("temperature", 0, {"options": {"temperature": 0}}),
        ("temperature", 5.5, {"options": {"temperature": 5.5}}),
        ("top_p", 0.5, {"options": {"top_p": 0.5}}),
        ("top_k", 3, {"options": {"top_k": 3}}),
        ("min_p", 0.1, {"options": {"min_p": 0.1}}),
        ("typical_p", 0.1, {"options": {"typical_p": 0.1}}),
        ("frequency_penalty", -2, {"options": {"frequency_penalty": -2}}),
        ("presence_penalty", 0, {"options": {"presence_penalty": 0}}),
        ("repeat_penalty", 1.1, {"options": {"repeat_penalty": 1.1}}),
        ("repeat_last_n", 64, {"options": {"repeat_last_n": 64}}),
        ("seed", 2**31 - 1, {"options": {"seed": 2**31 - 1}}),
        ("stop", ["a"], {"options": {"stop": ["a"]}}),
        ("num_ctx", 4096, {"options": {"num_ctx": 4096}}),
        ("options", {"num_gpu": 1, "x": None}, {"options": {"num_gpu": 1, "x": None}}),
        ("logprobs", True, {"logprobs": True}),
        ("top_logprobs", 3, {"top_logprobs": 3}),
        ("keep_alive", "5m", {"keep_alive": "5m"}),
        ("truncate", False, {"truncate": False}),
        ("shift", False, {"shift": False}),
        ("reasoning", "high", {"think": "high"}),
        ("logit_bias", {}, {}),
        ("n", 1, {}),
        ("parallel_tool_calls", True, {}),
        ("parallel_tool_calls", False, {}),
    ],
)
def test_each_has_its_place(name: str, value: Any, place: dict[str, Any]) -> None:
    losses = Losses()
    assert said(asking(**{name: value}), losses) == place
    assert losses.header() is None


@pytest.mark.parametrize(
    ("operation", "name", "value", "place"),
    [
        ("completion", "suffix", "x", {"suffix": "x"}),
        ("completion", "template", "T", {"template": "T"}),
        ("completion", "temperature", 1, {"options": {"temperature": 1}}),
        ("embedding", "dimensions", 8, {"dimensions": 8}),
        ("embedding", "truncate", True, {"truncate": True}),
        ("embedding", "keep_alive", 0, {"keep_alive": 0}),
        ("embedding", "num_ctx", 9, {"options": {"num_ctx": 9}}),
    ],
)
def test_so_have_those_of_other_operations(operation: str, name: str, value: Any, place: dict[str, Any]) -> None:
    assert said(asking(operation, **{name: value}), of=card("completion", "insert", "embedding")) == place


@pytest.mark.parametrize(
    ("operation", "name", "value", "rejected"),
    [
        ("chat", "verbosity", "low", False),
        ("chat", "dimensions", 8, False),
        ("chat", "logit_bias", {"1": 5}, True),
        ("chat", "suffix", "x", True),
        ("chat", "template", "x", True),
        ("completion", "logit_bias", {"1": 5}, True),
        ("embedding", "temperature", 1, False),
        ("embedding", "n", 2, True),
    ],
)
def test_what_has_none_is_lost_by_its_own_rule(operation: str, name: str, value: Any, rejected: bool) -> None:
    request = asking(operation, **{name: value})
    if rejected:
        with pytest.raises(InvalidRequest) as caught:
            said(request)
        assert (caught.value.status, caught.value.param) == (400, name)
    losses = lax()
    assert name not in said(request, losses)
    assert losses.dropped == [name]


def test_an_option_with_a_name_of_its_own_counts_more() -> None:
    request = asking(temperature=1, options={"temperature": 2, "num_gpu": 3, "num_ctx": 4}, num_ctx=5)
    assert said(request) == {"options": {"temperature": 1, "num_gpu": 3, "num_ctx": 5}}


@pytest.mark.parametrize(
    ("given", "sent"), [(-1, 2**31 - 1), (2**31, 0), (2**63 - 1, 2**31 - 1), (-(2**63), 0), (2**40 + 7, 7)]
)
def test_a_seed_out_of_range_is_reduced(given: int, sent: int) -> None:
    losses = Losses()
    assert said(asking(seed=given), losses) == {"options": {"seed": sent}}
    assert losses.changed == ["seed"]


@pytest.mark.parametrize(
    ("effort", "think", "changed"),
    [
        ("none", False, False),
        ("minimal", "low", True),
        ("low", "low", False),
        ("medium", "medium", False),
        ("high", "high", False),
        ("xhigh", "max", True),
        ("max", "max", False),
    ],
)
@pytest.mark.parametrize("of", [None, card(), card(*THINKS), card(*THINKS, version=NEW)])
def test_effort(effort: str, think: Any, changed: bool, of: Any) -> None:
    losses = Losses()
    assert said(asking(reasoning=effort), losses, of) == {"think": think}
    assert (losses.changed, losses.dropped) == (["reasoning"] if changed else [], [])


@pytest.mark.parametrize(
    "of", [card("completion"), card("completion", version=NEW), card(*THINKS, version="0.8.9")], ids=range(3)
)
@pytest.mark.parametrize("effort", ["none", "low", "medium", "max"])
def test_a_model_or_server_that_cannot_think_is_not_asked_to(effort: str, of: Any) -> None:
    losses = Losses()
    assert said(asking(reasoning=effort), losses, of) == {}
    assert losses.dropped == ([] if effort == "none" else ["reasoning"])


@pytest.mark.parametrize(
    ("effort", "version", "think", "changed"),
    [
        ("none", "0.9.0", False, False),
        ("low", "0.11.0", True, True),
        ("max", "0.9.0", True, True),
        ("low", "0.11.1", "low", False),
        ("max", "0.21.9", "high", True),
        ("xhigh", "0.21.9", "high", True),
        ("high", "0.21.9", "high", False),
        ("max", "0.22.0", "max", False),
    ],
)
def test_levels_that_a_server_does_not_know(effort: str, version: str, think: Any, changed: bool) -> None:
    losses = Losses()
    assert said(asking(reasoning=effort), losses, card(*THINKS, version=version)) == {"think": think}
    assert losses.changed == (["reasoning"] if changed else [])


@pytest.mark.parametrize(
    ("operation", "name", "value", "feature"),
    [
        ("chat", "logprobs", True, "logprobs"),
        ("chat", "top_logprobs", 2, "logprobs"),
        ("embedding", "dimensions", 8, "dimensions"),
    ],
)
def test_what_an_old_server_would_ignore_is_reported(operation: str, name: str, value: Any, feature: str) -> None:
    major, minor, patch = SINCE[feature]
    losses = Losses()
    assert said(asking(operation, **{name: value}), losses, card(version=f"{major}.{minor}.{patch - 1}")) == {}
    assert losses.dropped == [name]
    assert said(asking(operation, **{name: value}), of=card(version=f"{major}.{minor}.{patch}")) == {name: value}


def test_filling_in_needs_a_model_that_can() -> None:
    request = asking("completion", suffix="x")
    with pytest.raises(InvalidRequest, match="does not support insert") as caught:
        said(request, of=card("completion"))
    assert caught.value.param == "suffix"
    assert said(request, of=card("completion", "insert")) == {"suffix": "x"}


def test_every_parameter_is_written_or_lost_by_a_rule() -> None:
    """The table says all: no parameter is forgotten on the way."""
    written = {row.means for row in WRITES if isinstance(row.means, Parameter)}
    elsewhere = {Parameter.CHOICES, Parameter.PARALLEL_TOOL_CALLS}
    nowhere = {Parameter.LOGIT_BIAS, Parameter.VERBOSITY}
    assert written | elsewhere | nowhere == set(Parameter)
    assert not written & (elsewhere | nowhere)
