"""What an OpenAI server says, as an Ollama client hears it (protocol.md 3.4, 3.5; laws 16, 21, 28, 33)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline import END, Data, Event, EventKind
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.ollama.served import DONE, JSON, NOW, NOW_TEXT, SSE, Ticks, ask, chunk, serve
from tests.stages.fakes import FakeClock

STOP = [chunk({}, "stop"), DONE]


async def lines(*pieces: bytes, **given: Any) -> list[Data]:
    return (await serve(ask(), [*pieces, *STOP], upstream="openai", **given)).lines


async def whole(message: Data, finish: str | None = "stop", **fields: Any) -> Any:
    """The Ollama answer to a whole OpenAI one."""
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": fields.pop("logprobs", None)}
    answer = {"id": "c", "created": 5, "model": "theirs", "choices": [choice], **fields}
    served = await serve(ask(stream=False), [json.dumps(answer).encode()], upstream="openai")
    assert served.raised is None
    return served.json


async def test_every_line_has_its_keys_the_name_asked_for_and_its_time() -> None:
    said, done = await lines(
        chunk({"role": "assistant", "content": "Hi"}, system_fingerprint="fp", service_tier="auto")
    )
    message = {"role": "assistant", "content": "Hi"}
    assert said == {"model": "asked", "created_at": NOW_TEXT, "message": message, "done": False}
    durations = {"total_duration", "prompt_eval_duration", "eval_duration"}
    assert done.keys() == {"model", "created_at", "message", "done", "done_reason", *durations}


@pytest.mark.parametrize("delta", [{}, {"role": "assistant"}, {"role": "assistant", "content": ""}, {"content": None}])
async def test_a_delta_that_says_nothing_gives_no_line(delta: Data) -> None:
    assert len(await lines(chunk(delta))) == 1


@pytest.mark.parametrize(
    ("delta", "message"),
    [
        ({"content": "a"}, {"content": "a"}),
        ({"content": [{"type": "text", "text": "a"}]}, {"content": "a"}),
        ({"refusal": "no"}, {"content": "no"}),
        ({"content": None, "refusal": "no"}, {"content": "no"}),
        ({"reasoning": "r"}, {"content": "", "thinking": "r"}),
        ({"reasoning_content": "r"}, {"content": "", "thinking": "r"}),
        ({"reasoning": "r", "reasoning_content": "r"}, {"content": "", "thinking": "r"}),
        ({"reasoning_details": [{"text": "r"}, {"summary": "s"}, 5]}, {"content": "", "thinking": "rs"}),
        ({"content": "a", "reasoning": "r"}, {"content": "a", "thinking": "r"}),
    ],
)
async def test_a_delta_is_a_line(delta: Data, message: Data) -> None:
    said, _ = await lines(chunk(delta))
    assert said["message"] == {"role": "assistant", **message}


@pytest.mark.parametrize(
    ("finish", "done_reason"),
    [
        ("stop", "stop"),
        ("tool_calls", "stop"),
        ("function_call", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
    ],
)
async def test_why_it_ended(finish: str, done_reason: str) -> None:
    served = await serve(ask(), [chunk({"content": "a"}), chunk({}, finish), DONE], upstream="openai")
    assert served.lines[-1]["done_reason"] == done_reason
    assert (await whole({"content": "a"}, finish))["done_reason"] == done_reason


async def test_a_whole_answer_without_a_reason_stopped() -> None:
    assert (await whole({"content": "a"}, None))["done_reason"] == "stop"


async def test_the_reason_error_is_a_failure() -> None:
    served = await serve(ask(), [chunk({"content": "a"}), chunk({}, "error"), DONE], upstream="openai")
    assert served.lines[-1].keys() == {"error"}


async def test_counts_wait_for_the_done_line_and_are_absent_if_unknown() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": {}}
    beside = [chunk({"content": "a"}, usage=usage), *STOP]
    said, done = (await serve(ask(), beside, upstream="openai")).lines
    assert "prompt_eval_count" not in said
    assert (done["prompt_eval_count"], done["eval_count"]) == (3, 4)
    half = await whole({"content": "a"}, usage={"prompt_tokens": 3})
    assert (half["prompt_eval_count"], half.get("eval_count")) == (3, None)
    zero = await whole({"content": "a"}, usage={"prompt_tokens": 3, "completion_tokens": 0})
    assert (zero["prompt_eval_count"], zero.get("eval_count")) == (3, None)


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
        ({"completion_tokens": 0}, {"completion_tokens": 0}),
        ({"prompt_tokens": -1, "completion_tokens": "4"}, None),
    ],
)
def test_the_counts_that_outer_stages_see_are_neutral_and_have_their_sum(usage: Data, told: Data | None) -> None:
    said, last = completed("chat", {"delta": {"content": "a"}}, usage)
    assert ("usage" in said, last.get("usage")) == (False, told)


def test_the_events_that_outer_stages_see_have_the_form_of_the_operation() -> None:
    told = {"index": 0, "finish_reason": None, "logprobs": None}
    chat, _ = completed("chat", {"delta": {"content": "a"}}, {})
    assert chat["choices"] == [{**told, "delta": {"content": "a"}}]
    text, _ = completed("completion", {"text": "a"}, {})
    assert text["choices"] == [{**told, "text": "a"}]


def completed(operation: str, said: Data, usage: Data) -> list[Data]:
    """The events that stand in for an OpenAI server's answer to a client of this dialect."""
    complete = Ollama().completer(ask(operation=operation), model="asked", id="req-1", clock=FakeClock())
    choice = {"index": 0, **said, "finish_reason": "stop"}
    given = (Event({"choices": [choice], "usage": usage}, dialect="openai"), END)
    return [event.data for one in given for event in complete(one) if event.kind is not EventKind.END]


async def test_other_choices_are_left_behind() -> None:
    said, done = await lines(
        chunk({"content": "b"}, choice={"index": 1}), chunk({"content": "a"}), chunk({}, "length", choice={"index": 1})
    )
    assert said["message"]["content"] == "a"
    assert done["done_reason"] == "stop"


async def test_nothing_is_said_after_the_finish() -> None:
    served = await serve(ask(), [chunk({"content": "a"}, "stop"), chunk({"content": "b"}), DONE], upstream="openai")
    assert [line["message"]["content"] for line in served.lines] == ["a", ""]


async def test_a_legacy_function_call_is_a_call() -> None:
    first = chunk({"function_call": {"name": "f", "arguments": '{"a"'}})
    served = await serve(
        ask(),
        [first, chunk({"function_call": {"arguments": ":1}"}}), chunk({}, "function_call"), DONE],
        upstream="openai",
    )
    called, _ = served.lines
    [call] = called["message"]["tool_calls"]
    assert call["function"] == {"index": 0, "name": "f", "arguments": {"a": 1}}
    assert call["id"].startswith("call_")


@pytest.mark.parametrize("arguments", ["{", "[1]", '"a"', "{}{}"])
async def test_arguments_that_are_no_object_fail_the_answer(arguments: str) -> None:
    call = {"index": 0, "id": "x", "function": {"name": "f", "arguments": arguments}}
    pieces = [chunk({"content": "a"}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), DONE]
    served = await serve(ask(), pieces, upstream="openai")
    assert [line.keys() == {"error"} for line in served.lines] == [False, True]
    assert (served.outcome.error and served.outcome.error.status) == 502


TOKEN = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


async def test_log_probabilities_are_told_with_their_text() -> None:
    logprobs = {"content": [{**TOKEN, "top_logprobs": [{**TOKEN, "bytes": None, "x": 1}]}], "refusal": [TOKEN]}
    said, _ = await lines(chunk({"content": "a"}, choice={"logprobs": logprobs}))
    entry = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -0.5}]}
    assert said["logprobs"] == [entry]
    silent, _ = await lines(chunk({}, choice={"logprobs": {"content": [TOKEN]}}))
    assert silent["message"]["content"] == ""
    assert len(silent["logprobs"]) == 1


async def test_time_does_not_go_back_with_the_clock() -> None:
    clock = FakeClock(NOW)
    complete = Ollama().completer(ask(), model="asked", id="x", clock=clock)
    event = Event({"choices": [{"index": 0, "delta": {"content": "a"}}]}, dialect="openai")
    times = []
    for step in (0.0, 1.25, -3.0, 2.0):
        clock.advance(step)
        times += [made.data["created_at"] for made in complete(event)]
    assert times == [NOW_TEXT, "2026-01-02T03:04:06.75Z", "2026-01-02T03:04:06.75Z", "2026-01-02T03:04:06.75Z"]


async def test_a_whole_answer_has_the_time_that_the_upstream_says() -> None:
    assert (await whole({"content": "a"}))["created_at"] == "1970-01-01T00:00:05Z"
    assert (await whole({"content": "a"}, created=None))["created_at"] == NOW_TEXT


async def test_durations_are_measured_to_the_first_token_from_there_to_the_last_and_in_all() -> None:
    clock = FakeClock(NOW)
    complete = Ollama().completer(ask(), model="asked", id="x", clock=clock)
    for seconds, delta in ((1.5, {"role": "assistant"}), (0.5, {"content": "a"}), (3.0, {"content": "b"})):
        clock.advance(seconds)
        complete(Event({"choices": [{"index": 0, "delta": delta}]}, dialect="openai"))
    clock.advance(1)
    complete(Event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, dialect="openai"))
    done = complete(END)[0].data
    assert [done[f"{part}_duration"] for part in ("total", "prompt_eval", "eval")] == [6 * 10**9, 2 * 10**9, 3 * 10**9]


async def test_durations_are_never_nothing_and_a_whole_answer_generated_all_the_time() -> None:
    _, done = await lines(chunk({"content": "a"}))
    assert (done["total_duration"], done["prompt_eval_duration"], done["eval_duration"]) == (2, 1, 1)
    answer = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]}
    served = await serve(ask(stream=False), [json.dumps(answer).encode()], upstream="openai", clock=Ticks(NOW))
    assert served.json["eval_duration"] >= 10**9
    assert served.json["total_duration"] >= served.json["eval_duration"] + served.json["prompt_eval_duration"]


async def test_generate_hears_a_chat_and_a_text_alike() -> None:
    text = chunk(
        choice={"text": "Hi", "logprobs": {"tokens": ["Hi"], "token_logprobs": [-1], "top_logprobs": [{"a": -2}]}}
    )
    entry = {"token": "Hi", "logprob": -1.0, "top_logprobs": [{"token": "a", "logprob": -2.0}]}
    asked = ask(operation="completion")
    said, done = (await serve(asked, [text, *STOP], upstream="openai")).lines
    assert (said["response"], said["logprobs"], said["done"]) == ("Hi", [entry], False)
    assert (done["response"], done["done_reason"]) == ("", "stop")
    chat = [chunk({"content": "Hi", "reasoning": "hm"}), *STOP]
    said, done = (await serve(asked, chat, upstream="openai", operation="chat")).lines
    assert (said["response"], said["thinking"], done["response"]) == ("Hi", "hm", "")
    assert "message" not in said


@pytest.mark.parametrize("word", ["load", "unload"])
@pytest.mark.parametrize("operation", ["chat", "completion"])
async def test_a_load_is_answered_without_durations_in_one_line_or_one_object(word: str, operation: str) -> None:
    answered: Data = {"choices": [{"index": 0, "delta": {}, "finish_reason": word}]}
    for stream in (True, False):
        request = ask(stream=stream, operation=operation)
        complete = Ollama().completer(request, model="asked", id="x", clock=FakeClock(NOW))
        encoder = Ollama().encoder(request)
        out = [encoder.encode(made) for event in (Event(answered), END) for made in complete(event)]
        text = b"".join([*out, encoder.finish()])
        said: Data = {"message": {"role": "assistant", "content": ""}} if operation == "chat" else {"response": ""}
        expected = {"model": "asked", "created_at": NOW_TEXT, **said, "done": True, "done_reason": word}
        assert json.loads(text) == expected
        assert text.endswith(b"\n") is stream


def test_the_content_types() -> None:
    assert Ollama().encoder(ask()).content_type == "application/x-ndjson"
    assert Ollama().encoder(ask(stream=False)).content_type == "application/json; charset=utf-8"


async def test_a_stream_and_a_whole_answer_say_the_same_whatever_the_upstream_sends() -> None:
    pieces = [chunk({"content": "a", "reasoning": "r"}), chunk({"content": "b"}, "length"), DONE]
    folded = (await serve(ask(stream=False), pieces, upstream="openai", content_type=SSE)).json
    assert folded["message"] == {"role": "assistant", "content": "ab", "thinking": "r"}
    answer = {"choices": [{"index": 0, "message": folded["message"], "finish_reason": "length"}]}
    served = await serve(ask(), [json.dumps(answer).encode()], upstream="openai", content_type=JSON)
    assert [line["message"]["content"] for line in served.lines] == ["ab", ""]
    assert served.lines[-1]["done_reason"] == "length"
