"""Text completions that another dialect's server answered (protocol.md 3.5)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Event
from tests.stages.dialects.openai.abroad import answer, choice, chunks, event, request_for
from tests.stages.dialects.openai.schema import check_text_completion
from tests.stages.dialects.openai.stream_schema import check_text_stream


def said(text: str = "", finish: str | None = None, *, index: int = 0, logprobs: Any = None) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": finish, "logprobs": logprobs}


def tokens(*given: str) -> dict[str, Any]:
    top = [{"token": "other", "logprob": -2.0}]
    return {"content": [{"token": token, "logprob": -0.5, "top_logprobs": top} for token in given]}


def test_the_stream() -> None:
    told = [
        event({**said(), "reasoning": "hm"}),
        event({**said("a"), "context": [1]}),
        event(said("b", "stop"), usage={"prompt_tokens": 1, "completion_tokens": 2}),
    ]
    request = request_for("completion", stream_options={"include_usage": True})
    sent = chunks(request, told)
    check_text_stream(sent, usage="required")
    given = [chunk["choices"][0] for chunk in sent[:-1]]
    assert [choice["text"] for choice in given] == ["a", "b", ""]
    assert given[-1]["finish_reason"] == "stop"
    assert all(choice.keys() == {"index", "text", "logprobs", "finish_reason"} for choice in given)
    assert all(chunk.keys() == {"id", "object", "created", "model", "choices", "usage"} for chunk in sent)
    assert sent[-1]["usage"]["total_tokens"] == 3


@pytest.mark.parametrize(("word", "finish"), [("load", "stop"), ("tool_calls", "stop"), ("length", "length")])
def test_finish_words(word: str, finish: str) -> None:
    whole = answer(request_for("completion", stream=False), [event(said("", word))])
    check_text_completion(whole)
    assert (whole["choices"][0]["text"], whole["choices"][0]["finish_reason"]) == ("", finish)


@pytest.mark.parametrize(("fields", "start"), [({}, 0), ({"prompt": "12345", "echo": True}, 5)])
def test_log_probabilities_are_parallel_lists_with_running_offsets(fields: dict[str, Any], start: int) -> None:
    told = [event(said("aé", logprobs=tokens("a", "é"))), event(said("b", "stop", logprobs=tokens("b")))]
    whole = answer(request_for("completion", stream=False, **fields), told)
    check_text_completion(whole)
    assert whole["choices"][0]["logprobs"] == {
        "tokens": ["a", "é", "b"],
        "token_logprobs": [-0.5] * 3,
        "top_logprobs": [{"other": -2.0, token: -0.5} for token in ("a", "é", "b")],
        "text_offset": [start, start + 1, start + 2],
    }


def test_parallel_lists_stay_as_they_are() -> None:
    lists = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [None], "text_offset": [3]}
    whole = answer(request_for("completion", stream=False), [event(said("a", "stop", logprobs=lists))])
    assert whole["choices"][0]["logprobs"] == lists


def test_echo_puts_each_prompt_before_its_own_answers_once() -> None:
    request = request_for("completion", stream=False, prompt=["P", "Q"], n=2, echo=True)
    told = [
        *(event(said(str(index), index=index)) for index in range(4)),
        *(event(said("!", "stop", index=index)) for index in range(4)),
    ]
    assert [choice["text"] for choice in answer(request, told)["choices"]] == ["P0!", "P1!", "Q2!", "Q3!"]


@pytest.mark.parametrize("fields", [{"prompt": "P"}, {"prompt": "P", "echo": False}, {"echo": True}])
def test_without_echo_or_prompt_nothing_is_put_before(fields: dict[str, Any]) -> None:
    whole = answer(request_for("completion", stream=False, **fields), [event(said("a", "stop"))])
    assert whole["choices"][0]["text"] == "a"


def test_a_server_of_this_dialect_echoes_by_itself() -> None:
    told = [Event({"choices": [said("Pa", "stop")]}, dialect="openai")]
    whole = answer(request_for("completion", stream=False, prompt="P", echo=True), told)
    assert whole["choices"][0]["text"] == "Pa"


def test_a_text_may_be_continued_by_a_chat() -> None:
    told = [event(choice({"content": "a"})), event(choice({"content": "b", "reasoning": "r"}, "stop"))]
    whole = answer(request_for("completion", stream=False), told)
    assert whole["choices"][0] == {"index": 0, "text": "ab", "logprobs": None, "finish_reason": "stop"}
