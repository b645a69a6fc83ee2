"""What Ollama servers say that are newer than the genuine one of these tests, through both faces, by official clients.

Tool calls with ids, thinking with levels, log probabilities: scripted from protocol.md 1.4, 1.10 and 5.1. Each thing is
asked for whole and as a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from tests.stages.dialects.openai import schema
from tests.stages.dialects.openai.stream_schema import check_chat_stream, parse_stream
from tests.wire.newer_faces import ASK, OPENAI_PATH, NewerFaces, ask_ollama, ask_openai
from tests.wire.newer_ollama import PLAIN, THINKER, Line, call, done, line

TOOL: Any = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}},
}
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


# -- tools ------------------------------------------------------------------------------------------------------------

CALLS = [call("f", {"b": 1, "a": "é"}, id="call_a1b2c3d4"), call("g", {}, id="call_e5f6a7b8", index=1)]
WITHOUT_IDS = [call("f", {"b": 1, "a": "é"}), call("g", {})]  # as before 0.12.10 and, by its index, before 0.20.6
SAID = [("f", {"b": 1, "a": "é"}), ("g", {})]
ARRIVALS: dict[str, Callable[[list[Any]], tuple[Line, ...]]] = {
    "one line": lambda calls: (line(tool_calls=calls), done()),
    "a line each": lambda calls: (*(line(tool_calls=[one]) for one in calls), done()),
    "the last line": lambda calls: (done(tool_calls=calls),),
}


@both_ways
@pytest.mark.parametrize("arrive", ARRIVALS)
def test_parallel_tool_calls_keep_ids_order_and_arguments(newer: NewerFaces, arrive: str, stream: bool) -> None:
    newer.server.says(line("Let me see."), *ARRIVALS[arrive](CALLS))
    answer = ask_openai(newer, stream, tools=[TOOL])
    assert answer.calls == [("call_a1b2c3d4", *SAID[0]), ("call_e5f6a7b8", *SAID[1])]
    assert list(answer.calls[0][2]) == ["b", "a"], "the model's own order"
    assert (answer.content, answer.finish) == ("Let me see.", "tool_calls")

    calls = [made for part in ask_ollama(newer, stream, tools=[TOOL]) for made in part.message.tool_calls or ()]
    assert [(made.function.name, made.function.arguments) for made in calls] == SAID
    lines = newer.lines(tools=[TOOL], stream=stream)
    assert [made for each in lines for made in each["message"].get("tool_calls", [])] == CALLS


@both_ways
def test_calls_without_ids_and_with_one_index_are_told_apart(newer: NewerFaces, stream: bool) -> None:
    newer.server.says(*ARRIVALS["a line each"](WITHOUT_IDS))
    answer = ask_openai(newer, stream, tools=[TOOL])
    assert [made[1:] for made in answer.calls] == SAID
    ids = [made[0] for made in answer.calls]
    assert len(set(ids)) == 2
    assert all(id.startswith("call_") for id in ids)


def test_a_tools_result_is_sent_with_its_calls_id_and_name(newer: NewerFaces) -> None:
    newer.server.says(done(tool_calls=CALLS))
    made = newer.openai.chat.completions.create(model=THINKER, messages=ASK, tools=[TOOL]).choices[0].message
    results: Any = [
        {"role": "tool", "tool_call_id": each.id, "content": text}
        for each, text in zip(made.tool_calls or (), ("one", "two"), strict=True)
    ]
    newer.server.says(done("Both are known."))
    history: Any = [*ASK, made.model_dump(exclude_none=True), *results]
    assert ask_openai(newer, stream=False, messages=history).content == "Both are known."
    said, first, second = newer.server.asked["messages"][1:]
    assert [(each["id"], each["function"]["arguments"]) for each in said["tool_calls"]] == [
        ("call_a1b2c3d4", {"b": 1, "a": "é"}),
        ("call_e5f6a7b8", {}),
    ]
    assert first == {"role": "tool", "content": "one", "tool_call_id": "call_a1b2c3d4", "tool_name": "f"}
    assert second == {"role": "tool", "content": "two", "tool_call_id": "call_e5f6a7b8", "tool_name": "g"}


# -- thinking ---------------------------------------------------------------------------------------------------------

THOUGHT = (line(thinking="Hm, "), line(thinking="well."), line("Hi"), done(" there."))
LEVELS = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}


@both_ways
def test_thinking_is_told_apart_from_the_answer(newer: NewerFaces, stream: bool) -> None:
    newer.server.says(*THOUGHT)
    answer = ask_openai(newer, stream, reasoning_effort="high")
    assert (answer.reasoning, answer.content) == ("Hm, well.", "Hi there.")
    parts = ask_ollama(newer, stream, think="high")
    assert newer.server.asked["think"] == "high"
    assert "".join(part.message.thinking or "" for part in parts) == "Hm, well."
    assert "".join(part.message.content or "" for part in parts) == "Hi there."


def test_each_piece_of_thinking_is_passed_on_at_once(newer: NewerFaces) -> None:
    newer.server.says(*THOUGHT)
    chunks: list[ChatCompletionChunk] = list(
        newer.openai.chat.completions.create(model=THINKER, messages=ASK, stream=True)
    )
    said = [delta.model_dump(exclude_none=True, exclude={"role"}) for delta in (one.choices[0].delta for one in chunks)]
    assert [one for one in said if any(one.values())] == [
        {"reasoning": "Hm, "},
        {"reasoning": "well."},
        {"content": "Hi"},
        {"content": " there."},
    ]


@pytest.mark.parametrize("effort", LEVELS)
def test_effort_becomes_a_level(newer: NewerFaces, effort: Any) -> None:
    ask_openai(newer, stream=False, reasoning_effort=effort)
    assert newer.server.asked["think"] == LEVELS[effort]


def test_no_effort_asked_is_none_invented(newer: NewerFaces) -> None:
    ask_openai(newer, stream=False)
    assert "think" not in newer.server.asked


def test_effort_for_a_model_that_does_not_think_is_dropped_and_told(newer: NewerFaces) -> None:
    answer = newer.openai.chat.completions.with_raw_response.create(model=PLAIN, messages=ASK, reasoning_effort="high")
    assert answer.headers["x-gateway-dropped"] == "reasoning_effort"
    assert "think" not in newer.server.asked


def test_thinking_is_told_again_in_history(newer: NewerFaces) -> None:
    said = {"role": "assistant", "content": "Hi", "reasoning": "Hm."}
    ask_openai(newer, stream=False, messages=[*ASK, said, *ASK])
    assert newer.server.asked["messages"][1] == {"role": "assistant", "content": "Hi", "thinking": "Hm."}


# -- log probabilities ------------------------------------------------------------------------------------------------

FIRST = {"token": "H", "logprob": -0.25, "bytes": [72], "top_logprobs": [{"token": "J", "logprob": -2.5}]}
SECOND = {"token": "é", "logprob": -1.5}  # a server may leave bytes and the alternatives out
# A parser that still waits for more may give a token's probability before its text.
COUNTED = (line(logprobs=[FIRST]), line("Hé", logprobs=[SECOND]), done())


@both_ways
def test_log_probabilities_have_all_their_keys(newer: NewerFaces, stream: bool) -> None:
    newer.server.says(*COUNTED)
    answer = ask_openai(newer, stream, logprobs=True, top_logprobs=1)
    assert {key: newer.server.asked[key] for key in ("logprobs", "top_logprobs")} == {
        "logprobs": True,
        "top_logprobs": 1,
    }
    first, second = (one.model_dump() for one in answer.logprobs)
    assert (first["token"], first["logprob"], first["bytes"]) == ("H", -0.25, [72])
    (alternative,) = first["top_logprobs"]
    assert (alternative["token"], alternative["logprob"]) == ("J", -2.5)
    assert second == {"token": "é", "logprob": -1.5, "bytes": [195, 169], "top_logprobs": []}
    assert answer.content == "Hé"


@both_ways
def test_log_probabilities_are_left_as_they_are_for_an_ollama_client(newer: NewerFaces, stream: bool) -> None:
    newer.server.says(*COUNTED)
    lines = newer.lines(logprobs=True, top_logprobs=1, stream=stream)
    assert [one for each in lines for one in each.get("logprobs", [])] == [FIRST, SECOND]
    parts = ask_ollama(newer, stream, logprobs=True, top_logprobs=1)
    assert [one.token for part in parts for one in part.logprobs or ()] == ["H", "é"]


# -- the whole of it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", [False, True], ids=["plain", "usage"])
@pytest.mark.parametrize("lines", [THOUGHT, (done(tool_calls=CALLS),), COUNTED], ids=["thought", "tools", "logprobs"])
def test_every_byte_is_of_the_openai_protocol(newer: NewerFaces, lines: tuple[Any, ...], usage: bool) -> None:
    newer.server.says(*lines)
    fields = {"stream_options": {"include_usage": True}} if usage else {}
    answer = newer.plain(OPENAI_PATH, stream=True, logprobs=True, tools=[TOOL], **fields)
    check_chat_stream(parse_stream(answer.body).chunks, usage="required" if usage else "absent")
    schema.check_chat_completion(newer.plain(OPENAI_PATH, logprobs=True, tools=[TOOL]).json)
