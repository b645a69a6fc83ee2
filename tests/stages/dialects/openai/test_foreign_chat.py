"""Chats that another dialect's server answered (protocol.md 3.2, 3.10)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pipeline import Body, Event, UpstreamInterrupted
from stages.dialects.openai.dialect import OpenAI
from tests.stages.dialects.openai.abroad import CREATED, answer, call, choice, chunks, deltas, event, request_for
from tests.stages.dialects.openai.schema import check_chat_completion
from tests.stages.dialects.openai.stream_schema import check_chat_stream
from tests.stages.fakes import FakeClock

ROLE = {"role": "assistant", "content": ""}
VECTOR_A = [
    event(choice({"content": "", "reasoning": "hm"})),
    event(choice({"content": "Hi"}), created=CREATED + 1),
    event(
        choice({"content": "", "tool_calls": [call("f", '{"b":1,"a":"é"}'), call("g")]}, "stop"),
        created=CREATED + 1,
        usage={"prompt_tokens": 7, "completion_tokens": 9},
    ),
]


def test_vector_a() -> None:
    sent = chunks(request_for(stream_options={"include_usage": True}), VECTOR_A)
    check_chat_stream(sent, usage="required")
    given = [chunk["choices"][0]["delta"] for chunk in sent[:-1]]
    a, b = (given[at]["tool_calls"][0].pop("id") for at in (3, 4))
    assert a != b
    assert all(re.fullmatch("call_[0-9a-f]{24}", id) for id in (a, b))
    assert given == [
        ROLE,
        {"reasoning": "hm"},
        {"content": "Hi"},
        {"tool_calls": [{"index": 0, "type": "function", "function": {"name": "f", "arguments": '{"b":1,"a":"é"}'}}]},
        {"tool_calls": [{"index": 1, "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in sent[:-1]] == [*[None] * 5, "tool_calls"]
    assert {chunk["created"] for chunk in sent} == {CREATED}
    assert [chunk["usage"] for chunk in sent[:-1]] == [None] * 6
    assert sent[-1]["choices"] == []
    assert sent[-1]["usage"] == {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}


def test_vector_a_as_a_whole() -> None:
    whole = answer(request_for(stream=False), VECTOR_A)
    check_chat_completion(whole)
    message = whole["choices"][0]["message"]
    assert (message["content"], message["reasoning"]) == ("Hi", "hm")
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["f", "g"]
    assert (whole["created"], whole["model"], whole["usage"]["total_tokens"]) == (CREATED, "asked", 16)


def test_native_fields_of_another_protocol_stay_behind() -> None:
    told = event(
        {**choice({"content": "a", "mood": 1}, "stop", logprobs={"content": [], "x": 1}), "y": 1}, id="up", remote=1
    )
    for chunk in chunks(request_for(), [told]):
        assert chunk.keys() == {"id", "object", "created", "model", "choices"}
        assert re.fullmatch("chatcmpl-[0-9a-f]{29}", chunk["id"])
        [said] = chunk["choices"]
        assert said.keys() == {"index", "delta", "logprobs", "finish_reason"}
        assert said["delta"].keys() <= {"role", "content"}
        assert (said["logprobs"] or {}).keys() <= {"content", "refusal"}


def test_of_a_whole_answer_too_only_what_is_neutral_is_taken_over() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5}], "x": 1}
    told = event({**choice({"content": "a", "mood": 1}, "stop", logprobs=logprobs), "y": 1}, id="up", remote=1)
    whole = answer(request_for(stream=False), [told])
    assert whole.keys() == {"id", "object", "created", "model", "choices"}
    [said] = whole["choices"]
    assert said["message"] == {"role": "assistant", "content": "a", "refusal": None}
    assert (said.keys(), said["finish_reason"]) == ({"index", "message", "logprobs", "finish_reason"}, "stop")
    assert said["logprobs"].keys() == {"content", "refusal"}
    assert [token["logprob"] for token in said["logprobs"]["content"]] == [-0.5]


def test_usage_between_the_gateways_own_events_is_the_foreign_servers() -> None:
    request = request_for(stream_options={"include_usage": True})
    own = Event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}, "total_duration": 5})
    last = chunks(request, [event(choice({"content": "a"}, "stop")), own])[-1]
    assert last["usage"]["total_tokens"] == 3
    assert "total_duration" not in last


def test_events_of_the_gateway_alone_keep_their_fields() -> None:
    """Nobody of another protocol answers, so there is nothing to leave behind."""
    own = Event({"choices": [choice({"content": "a", "mood": 1}, "stop")], "cost": 2})
    said, *_ = chunks(request_for(), [own])
    assert (said["cost"], said["choices"][0]["delta"]["mood"]) == (2, 1)


async def read_all(body: Body) -> list[bytes]:
    sent = []
    while (piece := await body.next_piece()) is not None:
        sent.append(piece)
    return sent


@pytest.mark.parametrize("code", ["upstream_error", "upstream_incomplete"])
async def test_vectors_c_and_d_an_error_in_the_middle_ends_the_stream(code: str) -> None:
    request = request_for()
    failure = UpstreamInterrupted("boom", code=code, work_done="maybe")

    async def told() -> Any:
        yield event(choice({"content": "a"}))
        raise failure

    body = Body.of(told())
    body.expand(OpenAI().completer(request, model="asked", id="req-1", clock=FakeClock()))
    body.bind(OpenAI().encoder(request))
    lines = b"".join(await read_all(body)).split(b"\n\n")
    sent = [json.loads(line.removeprefix(b"data: ")) for line in lines if line]
    assert [chunk["choices"][0]["delta"] for chunk in sent[:-1]] == [ROLE, {"content": "a"}]
    assert sent[-1] == {"error": {"message": "boom", "type": "api_error", "param": None, "code": code}}


def test_vector_e_length_wins_over_calls() -> None:
    assert deltas(request_for(), [event(choice({"tool_calls": [call("f")]}, "length"))])[-1] == "length"


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        *(("stop", "stop"), ("length", "length"), ("content_filter", "content_filter")),
        *(("load", "stop"), ("unload", "stop"), ("a word nobody knows", "stop")),
    ],
)
def test_finish_words(word: str, finish: str) -> None:
    told = [event(choice({"content": ""}, word))]
    assert deltas(request_for(), told) == [ROLE, finish]
    whole = answer(request_for(stream=False), told)["choices"][0]
    assert (whole["message"]["content"], whole["finish_reason"]) == ("", finish)


def test_calls_in_several_events_with_one_number_are_several() -> None:
    told = [
        event(choice({"tool_calls": [call("f", index=0)]})),
        event(choice({"tool_calls": [call("g", index=0, id="x")]})),
        event(choice({"tool_calls": [call("h", index=0, id="x")]}, "stop")),
    ]
    _, *fragments, _ = deltas(request_for(), told)
    calls = [fragment["tool_calls"][0] for fragment in fragments]
    assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "f"), (1, "g"), (2, "h")]
    assert calls[1]["id"] == "x"
    assert len({call["id"] for call in calls}) == 3


@pytest.mark.parametrize(
    ("delta", "carrier"),
    [
        ({"content": "a"}, {"content": "a"}),
        ({"reasoning": "r"}, {"reasoning": "r"}),
        ({"reasoning": "r", "content": "a"}, {"content": "a"}),
        ({}, {"content": ""}),
    ],
)
def test_log_probabilities_go_with_the_text_or_with_what_there_is(delta: Any, carrier: Any) -> None:
    logprobs = {"content": [{"token": "é", "logprob": -0.5}]}
    sent = chunks(request_for(), [event(choice(delta, logprobs=logprobs)), event(choice({}, "stop"))])
    carrying = [chunk["choices"][0] for chunk in sent if chunk["choices"][0]["logprobs"]]
    assert [said["delta"] for said in carrying] == [carrier]
    token = {"token": "é", "logprob": -0.5, "bytes": [0xC3, 0xA9], "top_logprobs": []}
    assert carrying[0]["logprobs"] == {"content": [token], "refusal": None}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((), {"reasoning": "hm"}),
        (("reasoning_content",), {"reasoning_content": "hm"}),
        (("reasoning", "reasoning_content"), {"reasoning": "hm", "reasoning_content": "hm"}),
    ],
)
def test_reasoning_is_told_by_the_names_of_the_config(fields: tuple[str, ...], expected: dict[str, str]) -> None:
    told = [event(choice({"reasoning": "h"})), event(choice({"reasoning": "m", "content": "a"}, "stop"))]
    message = answer(request_for(stream=False), told, reasoning_fields=fields)["choices"][0]["message"]
    assert {key: value for key, value in message.items() if key.startswith("reasoning")} == expected


def test_reasoning_of_a_server_of_this_dialect_is_renamed_only_on_demand() -> None:
    both = {"reasoning": "r", "reasoning_content": "r"}
    told = [Event({"choices": [choice({**both, "content": "a"}, "stop")]}, dialect="openai")]
    message = answer(request_for(stream=False), told)["choices"][0]["message"]
    assert {key: message[key] for key in both} == both
    message = answer(request_for(stream=False), told, reasoning_fields=["reasoning_content"])["choices"][0]["message"]
    assert message["reasoning_content"] == "r"
    assert "reasoning" not in message


FUNCTIONS: dict[str, Any] = {"functions": [{"name": "f"}]}


def test_who_asks_with_functions_is_answered_with_a_function_call() -> None:
    told = [event(choice({"tool_calls": [call("f", '{"a":1}'), call("g")]})), event(choice({}, "stop"))]
    expected = {"name": "f", "arguments": '{"a":1}'}
    assert deltas(request_for(**FUNCTIONS), told) == [ROLE, {"function_call": expected}, "function_call"]
    whole = answer(request_for(stream=False, **FUNCTIONS), told)["choices"][0]
    assert (whole["message"]["function_call"], whole["finish_reason"]) == (expected, "function_call")
    assert whole["message"]["content"] is None
    assert "tool_calls" not in whole["message"]


def test_functions_that_are_not_called_end_as_always() -> None:
    assert deltas(request_for(**FUNCTIONS), [event(choice({"content": "a"}, "stop"))])[-1] == "stop"
    called = [event(choice({"tool_calls": [call("f")]}, "length"))]
    assert deltas(request_for(**FUNCTIONS), called)[-1] == "length"


@pytest.mark.parametrize(
    ("asked", "told"), [({}, None), ({"service_tier": "flex"}, "default"), ({"service_tier": None}, None)]
)
def test_a_tier_that_was_asked_for_is_answered(asked: dict[str, Any], told: str | None) -> None:
    events = [event(choice({"content": "a"}, "stop"))]
    assert {chunk.get("service_tier") for chunk in chunks(request_for(**asked), events)} == {told}
    assert answer(request_for(stream=False, **asked), events).get("service_tier") == told


def test_several_choices_each_begin_and_end() -> None:
    told = [
        event(choice({"content": "a"}, "stop"), choice({"content": "b"}, index=1)),
        event(choice({}, "length", index=1)),
    ]
    sent = chunks(request_for(), told)
    check_chat_stream(sent, usage="absent")
    whole = answer(request_for(stream=False), told)
    assert [(c["message"]["content"], c["finish_reason"]) for c in whole["choices"]] == [("a", "stop"), ("b", "length")]


def test_an_end_without_a_finish_is_no_success() -> None:
    with pytest.raises(UpstreamInterrupted):
        chunks(request_for(), [event(choice({"content": "a"}))])


@pytest.mark.parametrize("data", [{"choices": 5}, {"choices": [5]}, {"choices": [{"delta": {"tool_calls": [5]}}]}])
def test_odd_events_break_nothing(data: dict[str, Any]) -> None:
    told = [Event(data, dialect="other"), event(choice({"content": "a"}, "stop"))]
    check_chat_stream(chunks(request_for(), told), usage="absent")


def test_a_chat_may_be_answered_by_continuing_a_text() -> None:
    told = [event({"index": 0, "text": "a", "reasoning": "r", "finish_reason": "stop"})]
    assert deltas(request_for(), told) == [ROLE, {"reasoning": "r"}, {"content": "a"}, "stop"]
